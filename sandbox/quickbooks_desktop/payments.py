"""Pays bills by check or credit card, with credits and discounts (reference 3.3)."""

from decimal import Decimal

from lxml import etree

from sandbox.quickbooks_desktop import elements
from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import Refused, bad_reference, missing_element, not_found, related_locked
from sandbox.quickbooks_desktop.records import ZERO, Applied, Txn
from sandbox.quickbooks_desktop.writing import Written, check_open

_ACCOUNTS = {
    "BillPaymentCheck": ("BankAccountRef", "Bank"),
    "BillPaymentCreditCard": ("CreditCardAccountRef", "CreditCard"),
}


def pay(company: Company, kind: str, body: etree._Element) -> Written:
    """A new payment from its `...Add` element. Raises Refused."""
    payee = elements.needed(company, body, "PayeeEntityRef", kind)
    name, account_type = _ACCOUNTS[kind]
    account = elements.needed(company, body, name, kind)
    if account.values["AccountType"] != account_type:
        raise bad_reference("Account", account.full_name, kind)
    payable = elements.reference(company, body, "APAccountRef", kind)
    values: dict[str, object] = {
        "PayeeEntityRef": payee.list_id,
        name: account.list_id,
        "TxnDate": elements.day(body, "TxnDate") or company.today(),
        "RefNumber": elements.text(body, "RefNumber"),
        "Memo": elements.text(body, "Memo"),
        "ExternalGUID": elements.text(body, "ExternalGUID"),
        "IsToBePrinted": bool(elements.flag(body, "IsToBePrinted")),
    }
    check_open(company, kind, elements.day(body, "TxnDate") or company.today())
    applied = [_applied(company, kind, payee.list_id, element) for element in body.findall("AppliedToTxnAdd")]
    _check_sums(company, applied)
    bills = [company.txns["Bill"][one.txn_id] for one in applied]
    values["APAccountRef"] = payable.list_id if payable is not None else bills[0].values["APAccountRef"]
    if any(bill.values["APAccountRef"] != values["APAccountRef"] for bill in bills):
        raise bad_reference("Account", str(values["APAccountRef"]), kind)
    txn = company.add_txn(kind, {key: value for key, value in values.items() if value is not None}, [], applied)
    touch_paid(company, txn)
    return Written(txn, [])


def touch_paid(company: Company, payment: Txn, before: frozenset[str] = frozenset()) -> None:
    """Bills and credits change with their payments, where the switch says that their times do."""
    if company.switches.flag("payment_touches_bill"):
        for txn_id in sorted(payment.paid_to | before):
            paid = company.txn(txn_id)
            if paid is not None:
                company.touch(paid)


def _applied(company: Company, kind: str, payee: str, element: etree._Element) -> Applied:
    txn_id = elements.text(element, "TxnID") or ""
    bill = company.txns["Bill"].get(txn_id)
    if bill is None or bill.voided:
        raise not_found(txn_id)
    if bill.entity != payee:
        raise bad_reference("Vendor", bill.entity, kind)
    if txn_id in company.locks:
        raise related_locked(kind)
    discount = elements.number(element, "DiscountAmount") or ZERO
    account = elements.reference(company, element, "DiscountAccountRef", kind)
    if discount and account is None:
        raise missing_element("DiscountAccountRef")
    credits = []
    for one in element.findall("SetCredit"):
        credit_id = elements.text(one, "CreditTxnID") or ""
        credit = company.txns["VendorCredit"].get(credit_id)
        if credit is None or credit.voided or credit.entity != payee:
            raise not_found(credit_id)
        credits.append((credit_id, elements.number(one, "AppliedAmount") or ZERO))
    amount = elements.number(element, "PaymentAmount") or ZERO
    if not amount and not discount and not credits:
        raise missing_element("PaymentAmount")
    return Applied(txn_id, amount, discount, account.list_id if account is not None else "", credits)


def _check_sums(company: Company, applied: list[Applied]) -> None:
    """Nothing is paid beyond what is due, and no credit used beyond what is open of it."""
    due: dict[str, Decimal] = {}
    for one in applied:
        if one.amount < 0 or one.discount < 0 or any(amount < 0 for _, amount in one.credits):
            raise _too_much(company, one.amount, "An amount that is paid is not negative.")
        due.setdefault(one.txn_id, company.open_amount(company.txns["Bill"][one.txn_id]))
        due[one.txn_id] -= one.whole
        if due[one.txn_id] < 0:
            raise _too_much(company, one.amount, "You cannot pay more than the amount due.")
        for credit, amount in one.credits:
            due.setdefault(credit, company.open_amount(company.txns["VendorCredit"][credit]))
            due[credit] -= amount
            if due[credit] < 0:
                raise _too_much(company, amount, "You cannot apply more than the credit's remaining balance.")


def _too_much(company: Company, amount: Decimal, why: str) -> Refused:
    """3210, which some companies were seen to call an Info (reference 5)."""
    message = f'The "PaymentAmount" field has an invalid value "{amount}".  QuickBooks error message: {why}'
    return Refused(3210, message, severity=company.switches.word("refusal_severity"))
