"""Put lines that are on no order on a vendor invoice: Purchasing's lines take items only (reference 3.2).

So each goes out as the item that the connection maps to its account, once, at its amount.
"""

from decimal import Decimal

from erp.errors import Rejected
from models.domain.bills import AccountLineToPush, BillLineSource, BillLineToPush, BillToPush
from models.domain.ids import DocumentId, ErpId

NOTHING = BillLineSource(document_id=DocumentId(""), line=ErpId(""))
"""The source of a line that converts nothing."""


def as_taken(bill: BillToPush) -> BillToPush:
    """Return the bill as Purchasing takes it: a line that is billed by its amount goes out once, at that amount, and
    lines on no order go out as items, behind the others. A line whose source stays billed converts nothing.

    Raises:
        Rejected: ACCOUNT_ITEM_MISSING, when no item stands for the account of a line.
    """
    if any(line.source.is_billed for line in bill.lines):
        beside = [line.model_copy(update={"source": NOTHING}) if line.source.is_billed else line for line in bill.lines]
        bill = bill.model_copy(update={"lines": tuple(beside)})
    if any(line.by_amount for line in bill.lines):
        once = {"quantity": Decimal(1), "order_quantity": None}
        lines = [
            line.model_copy(update={**once, "price": line.amount}) if line.by_amount else line for line in bill.lines
        ]
        bill = bill.model_copy(update={"lines": tuple(lines)})
    return with_items(bill)


def with_items(bill: BillToPush) -> BillToPush:
    """Return the bill with its lines on no order as lines of items, behind the others.

    Raises:
        Rejected: ACCOUNT_ITEM_MISSING, when no item stands for the account of a line.
    """
    if not bill.account_lines:
        return bill
    entity = bill.lines[0].entity if bill.lines else None
    behind = [
        _item_line(line, entity, number) for number, line in enumerate(bill.account_lines, start=len(bill.lines) + 1)
    ]
    return bill.model_copy(update={"lines": (*bill.lines, *behind), "account_lines": ()})


def _item_line(line: AccountLineToPush, entity: str | None, number: int) -> BillLineToPush:
    if line.item_id is None:
        raise Rejected(
            f"No item stands for account {line.account} of line {line.line_no}.",
            code="ACCOUNT_ITEM_MISSING",
            evidence={"account": line.account, "line": str(line.line_no)},
        )
    return BillLineToPush(
        line_no=number,
        item_id=line.item_id,
        description=line.description,
        quantity=Decimal(1),
        unit="",
        amount=line.amount,
        price=line.amount,
        order_line=ErpId(""),
        source=NOTHING,
        entity=entity,
        department=line.department,
        location=line.location,
        class_id=line.class_id,
        project=line.project,
        custom=line.custom,
        edited=line.edited,
    )
