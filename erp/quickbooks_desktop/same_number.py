"""Recognize a bill among those of its number: our own, one that a person made of an item receipt, or another."""

from collections.abc import Mapping, Sequence

from lxml import etree

from erp.errors import Rejected
from erp.quickbooks_desktop import contents, fields, translate, wire
from models.domain.bills import BillToPush
from models.domain.ids import DocumentId


def ours(bill: BillToPush, same_number: Sequence[etree._Element]) -> DocumentId | None:
    """Return the bill that carries our key; None: none does."""
    for one in same_number:
        if wire.key_in(wire.text(one, "Memo")) == bill.external_key:
            return DocumentId(fields.need(one, "TxnID"))
    return None


def converted(
    bill: BillToPush,
    same_number: Sequence[etree._Element],
    orders: Mapping[str, etree._Element],
    *,
    of_its_total: bool = False,
) -> DocumentId | None:
    """Return the bill that a person made of an item receipt for this one: its vendor's, under its number, and linked to
    its order. One of another total is this invoice too: what differs is shown, where a second one would be hidden. Only
    where a person said that its number is another bill's, or with `of_its_total`, it must agree."""
    made = [
        one
        for one in same_number
        if wire.ref(one, "VendorRef") == bill.vendor_id
        and wire.key_in(wire.text(one, "Memo")) is None
        and not translate.bill(one).rejected
        and all(fields.need(one, "TxnID") in contents.linked(order, "Bill") for order in orders.values())
    ]
    same = [one for one in made if fields.number(one, "AmountDue") == bill.total]
    chosen = same or ([] if bill.may_repeat_number or of_its_total else made)
    return DocumentId(fields.need(chosen[0], "TxnID")) if chosen else None


def number_taken(taken: etree._Element, number: str) -> Rejected:
    """Return the error of a bill whose number another bill of its vendor has."""
    return Rejected(
        f"QuickBooks has bill {number} of this vendor already.",
        code="NUMBER_TAKEN",
        evidence={"number": number, "bill": wire.text(taken, "TxnID") or ""},
    )
