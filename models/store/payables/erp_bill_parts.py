"""Take in what the ERP shows of the parts of a bill of ours, and put them together as the one bill that they are."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bill_parts import PartState
from models.domain.bills import ErpBill, ErpBillLine
from models.domain.ids import BillId, DocumentId, ErpId, ExternalKey
from models.store.payables import bill_parts
from models.tables import BillPartRow, BillRow, ConnectionRow


class Composed(NamedTuple):
    """A page of bills in which bills in parts stand as one each."""

    bills: list[ErpBill]
    in_parts: frozenset[str]
    """The keys of those: a part of them is newer than what was stored, whatever their own revision is."""


_MATCHING = text(
    """
    select p.external_key, p.document_id, p.payable_id, p.bill_id
      from bill_parts p join bills b on b.id = p.bill_id and b.generation = p.generation
     where p.connection_id = :c and not p.superseded and p.state not in ('deleted', 'taken_back')
       and b.status not in ('deleted', 'abandoned')
       and (p.external_key = any(cast(:keys as text[])) or p.document_id = any(cast(:documents as text[]))
            or p.payable_id = any(cast(:payables as text[])))
    """
)


async def compose(s: AsyncSession, row: ConnectionRow, shown: Sequence[ErpBill]) -> Composed:
    """Store the newest figures of each part that a page shows; return the page with whole bills in their place."""
    rows = (
        await s.execute(
            _MATCHING,
            {
                "c": row.id,
                "keys": [bill.external_key for bill in shown if bill.external_key],
                "documents": [bill.source_document for bill in shown if bill.source_document],
                "payables": [bill.erp_id for bill in shown],
            },
        )
    ).all()
    if not rows:
        return Composed(list(shown), frozenset())
    bill_ids = sorted({one.bill_id for one in rows})
    await s.execute(
        text("select 1 from bills where id = any(cast(:ids as text[])) order by id for update"), {"ids": bill_ids}
    )
    others: list[ErpBill] = []
    newer: dict[BillId, list[tuple[str, ErpBill]]] = {}
    for bill in shown:
        part = _part_of(rows, bill)
        if part is None:
            others.append(bill)
        else:
            newer.setdefault(BillId(part.bill_id), []).append((part.external_key, bill))
    composed = []
    for bill_id, page in newer.items():
        parts = {part.external_key: part for part in await bill_parts.of_bill(s, bill_id)}
        changed = [_take(parts[key], bill) for key, bill in page if _is_newer(parts[key], bill)]
        if not changed:
            continue
        s.add_all(changed)
        await s.flush()
        stored = await s.get(BillRow, bill_id, populate_existing=True)
        assert stored is not None, "a bill is never removed"
        composed.append(_whole(stored, list(parts.values())))
    return Composed([*others, *composed], frozenset(bill.external_key or "" for bill in composed))


def _part_of(rows: Sequence[Any], bill: ErpBill) -> Any:
    names = (
        ("external_key", bill.external_key),
        ("document_id", bill.source_document),
        ("payable_id", bill.erp_id),
    )
    for name, value in names:
        for row in rows:
            if value is not None and getattr(row, name) == value:
                return row
    return None


def _is_newer(part: BillPartRow, bill: ErpBill) -> bool:
    return part.payable_id is None or part.payable_revision is None or bill.revision > part.payable_revision


def _take(part: BillPartRow, bill: ErpBill) -> BillPartRow:
    part.payable_id, part.payable_revision = bill.erp_id, bill.revision
    part.total, part.paid = bill.total, bill.paid
    part.shown = bill.model_dump(mode="json")
    return part


def _whole(stored: BillRow, parts: Sequence[BillPartRow]) -> ErpBill:
    """Return the bill that the parts are. What not every part shows yet, the bill says as it was stored."""
    shown = [ErpBill.model_validate(part.shown) for part in parts if part.shown is not None]
    first = shown[0]
    total = sum((part.total for part in parts), Decimal(0))
    paid = sum((part.paid for part in parts), Decimal(0))
    whole = len(shown) == len(parts) and all(PartState(part.state).is_there for part in parts)
    lines = [line for one in shown for line in one.lines] if whole else []
    return first.model_copy(
        update={
            "erp_id": ErpId(next(part.payable_id for part in parts if part.payable_id is not None)),
            "external_key": ExternalKey(stored.external_key or ""),
            "source_document": DocumentId(stored.document_id) if stored.document_id else None,
            "number": _number(stored, parts),
            "total": total,
            "paid": paid,
            "due": total - paid,
            "rejected": any(one.rejected for one in shown),
            "revision": max(one.revision for one in shown),
            "lines": tuple(_renumbered(lines)),
        }
    )


def _number(stored: BillRow, parts: Sequence[BillPartRow]) -> str:
    """Return the supplier's number: the bill's own, or what people made of a part's in the ERP. What is behind it there
    is no part of it."""
    for part in parts:
        number = (part.shown or {}).get("number")
        # One made again beside its order has what is behind the bill's key there, if its number was taken.
        anew = part.number + part.external_key[len(stored.external_key or "") :]
        if number and number not in (part.number, anew, part.external_key, part.document_id):
            return str(number)
    return stored.number


def _renumbered(lines: Sequence[ErpBillLine]) -> list[ErpBillLine]:
    return [line.model_copy(update={"line_no": place}) for place, line in enumerate(lines, start=1)]
