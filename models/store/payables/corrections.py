"""Put a corrected bill in the place of one that was not sent: its header, its lines, the order of its write."""

from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.invoice_numbers import number_parts
from models.store.payables.bills import NewBill, NewBillLine
from models.tables import BillLineRow, BillRow, ErpWriteRow

HEADER = (
    "number", "bill_date", "posting_date", "due_date", "memo", "vendor_id", "total", "tax", "discount", "invoice_total",
    "match_mode", "entity", "term",
)  # fmt: skip
LINE = ("item_id", "substitute", "quantity", "unit", "price", "amount", "account", "description", "department",
        "location", "class_id", "project", "warehouse", "custom")  # fmt: skip


async def replace(
    session: AsyncSession, bill: BillRow, new: NewBill, *, reserves: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Replace what a locked bill says; return what changed, as it was and as it is."""
    statement = select(BillLineRow).where(col(BillLineRow.bill_id) == bill.id).order_by(col(BillLineRow.line_no))
    old_lines = {line.line_no: line for line in (await session.execute(statement)).scalars()}
    was = _said(bill, list(old_lines.values()))
    for name in HEADER:
        setattr(bill, name, getattr(new, name))
    bill.purchase_order_id, bill.reference = new.purchase_order_id, new.order_number
    bill.vendor_name, bill.currency = new.vendor_name, new.currency
    bill.number_key, bill.number_parts = new.number_key, number_parts(new.number)
    bill.repeats_number, bill.part_of, bill.matched_terms = new.repeats_number, new.part_of, new.matched_terms or ""
    bill.charges = [
        {"class": charge.kind, "amount": str(charge.amount), "description": charge.description}
        for charge in new.charges
    ]
    bill.small = new.small
    session.add(bill)
    for line in old_lines.values():
        session.expunge(line)  # the new line of this number is another row
    await session.execute(delete(BillLineRow).where(col(BillLineRow.bill_id) == bill.id))
    lines = [_line(bill, line, new, reserves=reserves) for line in new.lines]
    session.add_all(lines)
    await session.execute(
        update(ErpWriteRow)
        .where(col(ErpWriteRow.external_key) == bill.external_key)
        .values(purchase_order_id=new.purchase_order_id)
    )
    await session.flush()
    now = _said(bill, lines)
    changed = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return {name: was.get(name) for name in changed}, {name: now.get(name) for name in changed}


def _line(bill: BillRow, line: NewBillLine, new: NewBill, *, reserves: bool) -> BillLineRow:
    return BillLineRow(
        bill_id=bill.id,
        line_no=line.line_no,
        purchase_order_id=None if line.off_order else line.purchase_order_id or new.purchase_order_id,
        off_order=line.off_order,
        purchase_order_line_no=line.order_line_no,
        exact_quantity=line.exact_quantity,
        billed_quantity=line.billed_quantity,
        billed_unit=line.billed_unit,
        sources=[dict(source) for source in line.sources],
        reserves=reserves and not line.off_order,
        **{name: getattr(line, name) for name in LINE if name != "custom"},
        custom=dict(line.custom),
    )


def _said(bill: BillRow, lines: list[BillLineRow]) -> dict[str, Any]:
    """Return what the bill says, as its events tell it."""
    said = {"purchase_order": bill.purchase_order_id, **{name: _plain(getattr(bill, name)) for name in HEADER}}
    said["charges"] = [dict(charge) for charge in bill.charges]
    for line in lines:
        said[f"line {line.line_no} order line"] = line.purchase_order_line_no
        said.update({f"line {line.line_no} {name}": _plain(getattr(line, name)) for name in LINE})
    return said


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, bool, int, dict)) else str(value)
