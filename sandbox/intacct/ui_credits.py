"""What a person does with adjustments in the Intacct user interface (listed in docs/reference/sandbox.md)."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.intacct.company import Actor, Company
from sandbox.intacct.errors import invalid
from sandbox.intacct.formats import number
from sandbox.intacct.inspect import Shown, adjustment, payment
from sandbox.intacct.payables import Bill, BillLine, create_adjustment, delete_bill
from sandbox.intacct.payments import Payment, Share, create_payment, details_of, void_payment
from sandbox.intacct.tables import Record

Given = Mapping[str, Any]
USER = "jane.doe"


def _text(given: Given, name: str, default: str = "") -> str:
    value = given.get(name, default)
    return "" if value is None else str(value)


def _day(company: Company, given: Given) -> date:
    return date.fromisoformat(str(given["date"])) if given.get("date") else company.today()


def _found(company: Company, object_name: str, given: Given) -> Record:
    table = company[object_name]
    if given.get("record_no"):
        record = table.get(str(given["record_no"]))
    else:
        record = next(iter(reversed(table.find("RECORDID", _text(given, "number")))), None)
    if record is None:
        raise ValueError(f"there is no such {object_name}")
    return record


def _add_adjustment(company: Company, given: Given) -> Shown:
    """A debit memo over `amount`, or with `raises` a credit memo, with a number typed as reference."""
    entity = _text(given, "entity")
    sign = 1 if given.get("raises") else -1
    rows = given.get("lines") or [{"amount": given.get("amount")}]
    lines = [
        BillLine(
            sign * Decimal(str(row["amount"])),
            _text(row, "account", "6000"),
            {"LOCATIONID": _text(row, "location") or entity or "100", "ENTRYDESCRIPTION": _text(row, "memo")},
        )
        for row in rows
    ]
    made = create_adjustment(
        company,
        Bill(
            vendor=_text(given, "vendor_id"),
            day=_day(company, given),
            number=_text(given, "number"),
            lines=lines,
            fields={"DOCNUMBER": _text(given, "reference"), "DESCRIPTION": _text(given, "memo")},
        ),
        Actor(USER, entity, "ui"),
    )
    return adjustment(company, made)


def _apply_adjustment(company: Company, given: Given) -> Shown:
    """Apply a debit memo to the bill `bill_record_no`: so much of it, or all that is open of both."""
    memo = _found(company, "APADJUSTMENT", given)
    bill = _found(company, "APBILL", {"record_no": given.get("bill_record_no"), "number": given.get("bill_number")})
    most = min(-number(memo["TRX_TOTALDUE"]), number(bill["TRX_TOTALDUE"]))
    amount = Decimal(str(given["amount"])) if given.get("amount") else most
    made = create_payment(
        company,
        Payment(
            vendor=memo["VENDORID"],
            bank_account="",
            method="",
            day=_day(company, given),
            currency=bill["CURRENCY"],
            shares=[Share(bill["RECORDNO"], Decimal(0), credit=memo["RECORDNO"], credited=amount)],
        ),
        Actor(USER, bill["MEGAENTITYID"], "ui"),
    )
    return payment(company, made)


def _unapply_adjustment(company: Company, given: Given) -> Shown:
    """Void the entry of 0 that applies a debit memo: all credits of that entry are free again."""
    memo = _found(company, "APADJUSTMENT", given)
    for record in reversed(list(company["APPYMT"].rows.values())):
        applies = any(detail["ADJUSTMENTKEY"] == memo["RECORDNO"] for detail in details_of(company, record))
        if applies and record["STATE"] != "Void" and not number(record["TRX_PAYMENTAMOUNT"]):
            void_payment(company, record, Actor(USER, record["MEGAENTITYID"], "ui"))
            return payment(company, record)
    raise invalid(f"The adjustment {memo['RECORDID']} is not applied without money.")


def _delete_adjustment(company: Company, given: Given) -> Shown:
    memo = _found(company, "APADJUSTMENT", given)
    delete_bill(company, memo, Actor(USER, memo["MEGAENTITYID"], "ui"), "APADJUSTMENT")
    return {"deleted": memo["RECORDID"], "record_no": memo["RECORDNO"]}


CREDIT_ACTIONS: Mapping[str, Callable[[Company, Given], Shown]] = {
    "add_adjustment": _add_adjustment,
    "apply_adjustment": _apply_adjustment,
    "unapply_adjustment": _unapply_adjustment,
    "delete_adjustment": _delete_adjustment,
}
