"""Write receipts: set-based, whole, never back in time. `order_links.count_receipts` counts them."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain.ids import ConnectionId
from models.domain.receipts import Receipt, ReceiptStatus
from models.store.base.arrays import array_text, columns
from models.store.base.identity import derived_id


class ReceiptWrite(NamedTuple):
    """A receipt to write, with the hash of its content."""

    id: str
    receipt: Receipt
    status: str
    content_hash: str


def receipt_write(connection_id: ConnectionId, receipt: Receipt, status: ReceiptStatus) -> ReceiptWrite:
    """Return the receipt with its id and the hash of its content without the revision, ready to write."""
    content = receipt.model_dump_json(exclude={"revision"})
    digest = hashlib.blake2b(f"{status.value}\n{content}".encode(), digest_size=16).hexdigest()
    return ReceiptWrite(derived_id("receipt", connection_id, receipt.erp_id), receipt, status.value, digest)


_RECEIPTS = columns(
    "r",
    id="text",
    erp_id="text",
    document_id="text",
    number="text",
    order_document="text",
    erp_status="text",
    status="text",
    vendor_id="text",
    received_on="date",
    memo="text",
    entity="text",
    owner_entity="text",
    kind="text",
    credit_document="text",
    revision="text",
    content_hash="text",
)

_WRITE_RECEIPTS = f"""
insert into receipts as held (id, connection_id, erp_id, document_id, number, order_document, purchase_order_id,
    erp_status, status, vendor_id, received_on, memo, entity, owner_entity, kind, credit_document, revision,
    content_hash, deleted_at)
select r.id, :c, r.erp_id, r.document_id, r.number, r.order_document, o.id, r.erp_status, r.status, r.vendor_id,
       r.received_on, r.memo, r.entity, r.owner_entity, r.kind, r.credit_document, r.revision, r.content_hash, null
from {_RECEIPTS}
left join purchase_orders o on o.connection_id = :c and o.document_id = r.order_document
on conflict (connection_id, erp_id) do update set
    document_id = excluded.document_id, number = excluded.number, order_document = excluded.order_document,
    purchase_order_id = excluded.purchase_order_id, erp_status = excluded.erp_status, status = excluded.status,
    vendor_id = excluded.vendor_id, received_on = excluded.received_on, memo = excluded.memo,
    entity = excluded.entity, owner_entity = excluded.owner_entity, kind = excluded.kind,
    credit_document = excluded.credit_document, revision = excluded.revision,
    content_hash = excluded.content_hash, deleted_at = null
where held.revision <= excluded.revision
returning id, xmax = 0 as is_new
"""

_LINES = columns(
    "l",
    receipt_id="text",
    line_no="int",
    erp_id="text",
    order_line="text",
    source_line="text",
    item_id="text",
    description="text",
    unit="text",
    quantity="numeric",
    billed="numeric",
    credited="numeric",
)

_WRITE_LINES = f"""
insert into receipt_lines (receipt_id, line_no, erp_id, order_line, source_line, item_id, description, unit, quantity,
    billed, credited)
select l.receipt_id, l.line_no, l.erp_id, l.order_line, l.source_line, l.item_id, l.description, l.unit,
       l.quantity, l.billed, l.credited
from {_LINES}
"""


async def changed_receipts(
    connection: AsyncConnection, connection_id: ConnectionId, receipts: Sequence[tuple[Receipt, ReceiptStatus]]
) -> list[ReceiptWrite]:
    """Return the receipts that differ from what is stored; of one receipt given twice the higher revision counts."""
    newest: dict[str, ReceiptWrite] = {}
    for receipt, status in receipts:
        other = newest.get(receipt.erp_id)
        if other is None or other.receipt.revision <= receipt.revision:
            newest[receipt.erp_id] = receipt_write(connection_id, receipt, status)
    rows = await connection.execute(
        text(
            "select erp_id, revision, content_hash, deleted_at from receipts"
            " where connection_id = :c and erp_id = any(cast(:ids as text[]))"
        ),
        {"c": connection_id, "ids": list(newest)},
    )
    stored = {row.erp_id: row for row in rows}
    changed = []
    for erp_id, write in newest.items():
        row = stored.get(erp_id)
        newer = row is None or write.receipt.revision > row.revision
        other_content = (
            row is not None
            and row.deleted_at is None
            and (write.receipt.revision == row.revision and write.content_hash != row.content_hash)
        )
        if newer or other_content:
            changed.append(write)
    return changed


async def write_receipts(
    connection: AsyncConnection, connection_id: ConnectionId, receipts: Sequence[tuple[Receipt, ReceiptStatus]]
) -> int:
    """Write the receipts that changed, with their lines; return how many. The caller has locked their orders."""
    writes = await changed_receipts(connection, connection_id, receipts) if receipts else []
    return await write_changed(connection, connection_id, writes)


async def write_changed(
    connection: AsyncConnection, connection_id: ConnectionId, writes: Sequence[ReceiptWrite]
) -> int:
    """Write these receipts with their lines, none back in time; return how many. The caller has locked their orders."""
    if not writes:
        return 0
    rows = await connection.execute(text(_WRITE_RECEIPTS), _headers(connection_id, writes))
    is_new: dict[str, bool] = {row.id: row.is_new for row in rows}
    written = [write for write in writes if write.id in is_new]
    stored = [write.id for write in written if not is_new[write.id]]
    if stored:  # one that is new has no lines to replace
        await connection.execute(
            text("delete from receipt_lines where receipt_id = any(cast(:ids as text[]))"), {"ids": stored}
        )
    await connection.execute(text(_WRITE_LINES), _lines(written))
    return len(written)


def _headers(connection_id: ConnectionId, writes: Sequence[ReceiptWrite]) -> dict[str, Any]:
    receipts = [write.receipt for write in writes]
    return {
        "c": connection_id,
        "id": array_text([write.id for write in writes]),
        "erp_id": array_text([receipt.erp_id for receipt in receipts]),
        "document_id": array_text([receipt.document_id for receipt in receipts]),
        "number": array_text([receipt.number for receipt in receipts]),
        "order_document": array_text([receipt.order_document for receipt in receipts]),
        "erp_status": array_text([receipt.erp_status for receipt in receipts]),
        "status": array_text([write.status for write in writes]),
        "vendor_id": array_text([receipt.vendor_id for receipt in receipts]),
        "received_on": array_text([receipt.received_on for receipt in receipts]),
        "memo": array_text([receipt.memo for receipt in receipts]),
        "entity": array_text([receipt.entity for receipt in receipts]),
        "owner_entity": array_text([receipt.owner_entity for receipt in receipts]),
        "kind": array_text([receipt.kind.value for receipt in receipts]),
        "credit_document": array_text([receipt.credit_document for receipt in receipts]),
        "revision": array_text([receipt.revision for receipt in receipts]),
        "content_hash": array_text([write.content_hash for write in writes]),
    }


def _lines(writes: Sequence[ReceiptWrite]) -> dict[str, Any]:
    lines = [(write.id, line) for write in writes for line in write.receipt.lines]
    return {
        "receipt_id": array_text([receipt_id for receipt_id, _ in lines]),
        "line_no": array_text([line.line_no for _, line in lines]),
        "erp_id": array_text([line.erp_id for _, line in lines]),
        "order_line": array_text([line.order_line for _, line in lines]),
        "source_line": array_text([line.source_line for _, line in lines]),
        "item_id": array_text([line.item_id for _, line in lines]),
        "description": array_text([line.description for _, line in lines]),
        "unit": array_text([line.unit for _, line in lines]),
        "quantity": array_text([line.quantity for _, line in lines]),
        "billed": array_text([line.billed for _, line in lines]),
        "credited": array_text([line.credited for _, line in lines]),
    }


async def drop_others(connection: AsyncConnection, order_id: str, erp_ids: Sequence[str]) -> None:
    """Mark the order's other receipts as deleted: it was read with all its receipts, so others are gone in the ERP.
    Returns are read by themselves."""
    await connection.execute(
        text(
            "update receipts set deleted_at = now(), status = 'deleted'"
            " where purchase_order_id = :id and kind = 'receipt' and deleted_at is null"
            "   and erp_id <> all(cast(:erp_ids as text[]))"
        ),
        {"id": order_id, "erp_ids": list(erp_ids)},
    )
