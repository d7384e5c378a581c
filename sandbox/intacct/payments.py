"""AP payments and what they do to the bills they pay (reference 3.6)."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from sandbox.intacct.company import Actor, Company
from sandbox.intacct.conversions import move_sources_of_payable
from sandbox.intacct.documents import rate_of
from sandbox.intacct.errors import invalid
from sandbox.intacct.formats import amount_text, money, number, parse_date, plain, wire_date
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.payables import apply_amounts, apply_credit
from sandbox.intacct.tables import Record


@dataclass
class Share:
    """How much of a payment goes to one bill."""

    bill: str
    amount: Decimal
    entry: str = ""
    credit: str = ""
    """RECORDNO of the debit memo that is applied to the bill."""
    credited: Decimal = Decimal(0)

    @property
    def moneyless(self) -> bool:
        """Whether it only applies a credit (reference 3.6)."""
        return bool(self.credit) and not self.amount


@dataclass
class Payment:
    """One payment to be written."""

    vendor: str
    bank_account: str
    method: str
    day: date
    shares: list[Share]
    currency: str = ""
    number: str = ""
    action: str = "Submit"
    fields: dict[str, str] = field(default_factory=dict)


METHODS = frozenset(
    [
        "printed check",
        "eft",
        "cash",
        "ach",
        "credit card",
        "joint check",
        "check",
        "record transfer",
        "wf check",
        "wf domestic ach",
        "wf usd wire",
    ]
)


UNTIL_CONFIRMED = frozenset(
    ["printed check", "check", "joint check", "ach", "wf check", "wf domestic ach", "wf usd wire"]
)
"""Methods whose payments are posted only once they are confirmed (reference 3.6)."""


def create_payments(company: Company, payment: Payment, actor: Actor) -> Record:
    """One payment of one request, or one for each bill: as PAYMENTREQUESTMETHOD says, or the vendor's own setting
    (reference 3.6). Returns the first.

    Raises:
        FunctionError: method or action is unknown, or it pays nothing.
    """
    wanted = payment.fields.get("PAYMENTREQUESTMETHOD") or "vendorpref"
    if wanted == "vendorpref":
        vendor = company.require_master("VENDOR", payment.vendor, "vendor")
        wanted = "bill" if vendor["MERGEPAYMENTREQ"].lower() == "false" else "vendor"
    if wanted != "bill" and not company.switches.flag("payments_split"):
        return create_payment(company, payment, actor)
    by_bill: dict[str, list[Share]] = {}
    for share in payment.shares:
        by_bill.setdefault(share.bill, []).append(share)
    made = [create_payment(company, replace(payment, shares=shares), actor) for shares in by_bill.values()]
    return made[0] if made else create_payment(company, payment, actor)


def create_payment(company: Company, payment: Payment, actor: Actor) -> Record:
    """A payment; submitted ones are applied to their bills at once unless AP wants approvals.

    Raises:
        FunctionError: method or action is unknown, or it pays nothing.
    """
    vendor = company.require_master("VENDOR", payment.vendor, "vendor")
    moneyless = bool(payment.shares) and all(share.moneyless for share in payment.shares)
    if moneyless and (payment.bank_account or payment.method):
        raise invalid("A payment of credits only names no financial entity and no payment method.")
    if not moneyless:
        _require_money(company, payment.bank_account)
    if not moneyless and payment.method.lower() not in METHODS:
        raise invalid(f"Invalid payment method '{payment.method}' specified.")
    if payment.action not in ("Draft", "Submit"):
        raise invalid(f"Invalid action '{payment.action}' specified.", errorno="BL03002129")
    if not payment.shares:
        raise invalid("A payment needs at least one detail.", "Provide APPYMTDETAILS.")
    company.require_open_period(payment.day, actor.entity)
    bills = [_check_share(company, payment, share, actor) for share in payment.shares]
    total = sum((share.amount for share in payment.shares), Decimal(0))
    currency = payment.currency or bills[0]["CURRENCY"]
    rate = rate_of(company.base_currency, currency)
    stamp = {"AUWHENCREATED": company.stamp(), "WHENMODIFIED": company.stamp()}
    stamp |= {"CREATEDBY": actor.user, "MODIFIEDBY": actor.user}
    owner = company.owner(actor)
    state = _submitted(company, payment.method) if payment.action == "Submit" else "Draft"
    record = company["APPYMT"].insert(
        {
            "RECORDTYPE": "pp",
            "STATE": state,
            "FINANCIALENTITY": payment.bank_account,
            "FINANCIALENTITYTYPE": "checkingaccount",
            "PAYMENTMETHOD": payment.method,
            "VENDORID": payment.vendor,
            "VENDORNAME": vendor["NAME"],
            "DOCNUMBER": payment.number,
            "PAYMENTDATE": wire_date(payment.day),
            "WHENCREATED": wire_date(payment.day),
            "WHENPAID": wire_date(payment.day) if state == "Complete" else "",
            "CURRENCY": currency,
            "BASECURR": company.base_currency,
            "EXCHANGE_RATE": plain(rate),
            **payment.fields,
            **_amounts(total, rate),
            **stamp,
            **owner,
        }
    )
    _insert_details(company, record, payment.shares)
    company.log("APPYMT", record, "C", actor)
    _apply(company, record, actor, state, 1)
    return record


def _require_money(company: Company, key: str) -> None:
    objects = ("SAVINGSACCOUNT", "CREDITCARD")
    there = next((one for one in objects if company[one].first(OBJECTS[one].key, key) is not None), "CHECKINGACCOUNT")
    company.require_master(there, key, "financial entity")


def _submitted(company: Company, method: str) -> str:
    if company.switches.flag("payment_approval"):
        return "Submitted"
    return "Approved" if method.lower() in UNTIL_CONFIRMED else "Complete"


def _insert_details(company: Company, payment: Record, shares: list[Share]) -> None:
    rate = number(payment["EXCHANGE_RATE"]) or Decimal(1)
    copied = ("CURRENCY", "STATE", "PAYMENTDATE", "CREATEDBY", "MEGAENTITYKEY", "MEGAENTITYID", "MEGAENTITYNAME")
    for share in shares:
        company["APPYMTDETAIL"].insert(
            {
                "PAYMENTKEY": payment["RECORDNO"],
                "RECORDKEY": share.bill,
                "ENTRYKEY": share.entry,
                "PAYMENTAMOUNT": amount_text(share.amount * rate),
                "TRX_PAYMENTAMOUNT": amount_text(share.amount),
                "ADJUSTMENTKEY": share.credit,
                "TRX_ADJUSTMENTAMOUNT": amount_text(share.credited) if share.credit else "",
                "WHENMODIFIED": company.stamp(),
                **{name: payment[name] for name in copied},
            }
        )


def replace_shares(company: Company, payment: Record, shares: list[Share], actor: Actor) -> None:
    """The details of a draft are replaced as a whole."""
    _apply(company, payment, actor, payment["STATE"], -1)
    for detail in details_of(company, payment):
        company["APPYMTDETAIL"].remove(detail)
    wanted = Payment(
        vendor=payment["VENDORID"],
        bank_account=payment["FINANCIALENTITY"],
        method=payment["PAYMENTMETHOD"],
        day=parse_date(payment["PAYMENTDATE"]),
        currency=payment["CURRENCY"],
        shares=shares,
    )
    for share in shares:
        _check_share(company, wanted, share, actor)
    _insert_details(company, payment, shares)
    total = sum((share.amount for share in shares), Decimal(0))
    rate = number(payment["EXCHANGE_RATE"]) or Decimal(1)
    company.change("APPYMT", payment, _amounts(total, rate), actor)
    _apply(company, payment, actor, payment["STATE"], 1)


def submit_payment(company: Company, payment: Record, actor: Actor) -> None:
    """A draft goes its way."""
    set_payment_state(company, payment, _submitted(company, payment["PAYMENTMETHOD"]), actor)


def _amounts(total: Decimal, rate: Decimal) -> dict[str, str]:
    amounts = {"PAYMENTAMOUNT": amount_text(total * rate), "TRX_PAYMENTAMOUNT": amount_text(total)}
    return amounts | {"TOTALENTERED": amount_text(total * rate), "TRX_TOTALENTERED": amount_text(total)}


def _check_share(company: Company, payment: Payment, share: Share, actor: Actor) -> Record:
    bill = company["APBILL"].get(share.bill) if share.bill else None
    if bill is None or (actor.entity and bill["MEGAENTITYID"] not in ("", actor.entity)):
        raise invalid(f"The bill {share.bill} does not exist.", "Provide the record number of a bill.")
    if bill["VENDORID"] != payment.vendor:
        raise invalid(f"The bill {share.bill} does not belong to the vendor {payment.vendor}.")
    if payment.currency and payment.currency != bill["CURRENCY"]:
        raise invalid(f"The bill {share.bill} is in {bill['CURRENCY']}, the payment in {payment.currency}.")
    if bill["STATE"] not in ("Posted", "Partially Paid", "Selected"):
        raise invalid(f"The bill {share.bill} is {bill['STATE']} and cannot be paid.")
    share.amount = money(share.amount)
    same = [more for more in payment.shares if more is not share and more.bill == share.bill]
    other = sum((more.amount + more.credited for more in same), Decimal(0))
    if share.credit:
        _check_credit(company, payment, share)
    elif share.amount <= 0:
        raise invalid("The payment amount must be more than zero.")
    if share.amount + share.credited + other > number(bill["TRX_TOTALDUE"]):
        raise invalid(
            f"The payment amount {amount_text(share.amount)} is more than the amount due {bill['TRX_TOTALDUE']} of bill"
            f" {bill['RECORDID']}."
        )
    return bill


def _check_credit(company: Company, payment: Payment, share: Share) -> None:
    memo = company["APADJUSTMENT"].get(share.credit)
    if memo is None or memo["VENDORID"] != payment.vendor or memo["STATE"] not in ("Posted", "Partially Paid"):
        raise invalid(f"The adjustment {share.credit} cannot be applied.")
    used = sum((more.credited for more in payment.shares if more.credit == share.credit), Decimal(0))
    if share.credited <= 0 or used > -number(memo["TRX_TOTALDUE"]):
        raise invalid(f"Of the adjustment {share.credit} {memo['TRX_TOTALDUE']} is open.")


def details_of(company: Company, payment: Record) -> list[Record]:
    """The shares of a payment."""
    return company["APPYMTDETAIL"].find("PAYMENTKEY", payment["RECORDNO"])


def _apply(company: Company, payment: Record, actor: Actor, state: str, sign: int) -> None:
    """What a payment in `state` means for its bills, or with sign -1 the end of it."""
    if state not in ("Submitted", "Approved", "Complete", "Draft"):
        return
    day = parse_date(payment["PAYMENTDATE"])
    for detail in details_of(company, payment):
        bill = company["APBILL"].get(detail["RECORDKEY"])
        if bill is None:
            continue
        credited = sign * number(detail["TRX_ADJUSTMENTAMOUNT"])
        memo = company["APADJUSTMENT"].get(detail["ADJUSTMENTKEY"]) if detail["ADJUSTMENTKEY"] else None
        if memo is not None:
            apply_credit(company, memo, credited, actor)
        amount = sign * number(detail["TRX_PAYMENTAMOUNT"]) + credited
        done = state == "Complete"
        paid, selected = (amount, Decimal(0)) if done else (Decimal(0), amount)
        apply_amounts(company, bill, paid=paid, selected=selected, day=day, actor=actor)
        if abs(credited) == number(bill["TRX_TOTALENTERED"]) and company.switches.word("credited_sources") == "open":
            move_sources_of_payable(company, bill, actor, -sign)


def set_payment_state(company: Company, payment: Record, state: str, actor: Actor) -> None:
    """Move a payment on, for example to Complete once approved; its bills follow."""
    _apply(company, payment, actor, payment["STATE"], -1)
    paid = payment["PAYMENTDATE"] if state == "Complete" else ""
    for detail in details_of(company, payment):
        company["APPYMTDETAIL"].change(detail, {"STATE": state, "WHENMODIFIED": company.stamp()})
    company.change("APPYMT", payment, {"STATE": state, "WHENPAID": paid}, actor)
    _apply(company, payment, actor, state, 1)


def void_payment(company: Company, payment: Record, actor: Actor, day: date | None = None) -> None:
    """The payment stays as Void; its bills are due again. `day`: None is the payment's own.

    Raises:
        FunctionError: it is void already, or the day is before it or in a closed period.
    """
    if payment["STATE"] == "Void":
        raise invalid(f"The payment {payment['RECORDNO']} is already void.")
    paid_on = parse_date(payment["PAYMENTDATE"])
    if day is not None and day < paid_on:
        raise invalid(f"The void date {wire_date(day)} is before the payment date {payment['PAYMENTDATE']}.")
    company.require_open_period(day or paid_on, payment["MEGAENTITYID"])
    set_payment_state(company, payment, "Void", actor)


def delete_payment(company: Company, payment: Record, actor: Actor) -> None:
    """Drafts only; what was submitted is voided.

    Raises:
        FunctionError: it is no draft.
    """
    if payment["STATE"] != "Draft":
        raise invalid(f"The payment {payment['RECORDNO']} is not a draft and cannot be deleted.", "Void it instead.")
    _apply(company, payment, actor, "Draft", -1)
    company.delete("APPYMT", payment, actor)
