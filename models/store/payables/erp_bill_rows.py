"""Write bills from the ERP with their lines, set-based."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain.bills import ErpBill
from models.domain.ids import ErpId
from models.domain.invoice_numbers import number_key, number_parts
from models.store.base.arrays import array_text, columns
from models.store.payables.statuses import moved
from models.tables import ConnectionRow


class BillFigures(NamedTuple):
    """The ERP's figures of a bill of ours; everything else of the bill stays as it is."""

    id: str
    payable_id: ErpId
    payable_revision: str
    total: Decimal
    paid: Decimal
    status: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    moved: bool
    """Whether the change is one that a person sees."""
    rejected: bool = False
    """Rejected, cancelled or voided there: it bills nothing."""


class NewErpBill(NamedTuple):
    """A bill made in the ERP, as it will be stored in the mirror."""

    id: str
    bill: ErpBill
    status: str
    purchase_order_id: str | None
    linked_in_erp: bool
    figures_only: bool
    """Linked by hand behind a receipt: its edits do not sync, what is paid on it does (S1-22)."""
    credit_of: str | None = None
    """Of a credit: the bill that it is against, as far as the ERP names one."""


async def write_figures(connection: AsyncConnection, ours: Sequence[BillFigures]) -> None:
    """Update what was paid on bills of ours; the caller has locked them."""
    if not ours:
        return
    await connection.execute(
        text(
            "update bills b set payable_id = n.payable_id, payable_revision = n.revision, total = n.total,"
            f"   paid = n.paid, status = {moved('bills', 'b.status', 'n.status', origin='b.origin')},"
            "   rejected_in_erp = n.rejected,"
            "   version = b.version + cast(n.moved as int),"
            "   changed_at = case when n.moved then now() else b.changed_at end"
            " from unnest(cast(:ids as text[]), cast(:payables as text[]), cast(:revisions as text[]),"
            "   cast(:totals as numeric[]), cast(:paid as numeric[]), cast(:statuses as text[]),"
            "   cast(:moved as boolean[]), cast(:rejected as boolean[]))"
            "   as n(id, payable_id, revision, total, paid, status, moved, rejected)"
            " where b.id = n.id"
        ),
        {
            "ids": [figures.id for figures in ours],
            "payables": [figures.payable_id for figures in ours],
            "revisions": [figures.payable_revision for figures in ours],
            "totals": [figures.total for figures in ours],
            "paid": [figures.paid for figures in ours],
            "statuses": [figures.status for figures in ours],
            "moved": [figures.moved for figures in ours],
            "rejected": [figures.rejected for figures in ours],
        },
    )


async def write_applied(
    connection: AsyncConnection, row: ConnectionRow, credits: Sequence[tuple[str, ErpBill]]
) -> None:
    """Store what is applied of credits of ours, by the credit's id; the caller has locked them.

    Where credits name orders, their orders have been read again before: what they give back is in C from now on.
    """
    if not credits:
        return
    if row.capabilities.get("credits_name_orders"):
        await connection.execute(
            text("update bill_lines set gives_back = false where bill_id = any(cast(:ids as text[])) and gives_back"),
            {"ids": [credit_id for credit_id, _ in credits]},
        )
    await connection.execute(
        text(
            "update bills b set applied = n.applied from json_to_recordset(cast(:credits as json))"
            "   as n(id text, applied jsonb) where b.id = n.id"
        ),
        {
            "credits": json.dumps(
                [{"id": credit_id, "applied": bill.model_dump(mode="json")["applied"]} for credit_id, bill in credits]
            )
        },
    )


_BILLS = columns(
    "n",
    id="text",
    purchase_order_id="text",
    number_key="text",
    number_parts="text",
    reference_key="text",
    status="text",
    linked_in_erp="boolean",
    credit_of="text",
    vendor_id="text",
    number="text",
    reference="text",
    entity="text",
    bill_date="date",
    due_date="date",
    currency="text",
    memo="text",
    total="numeric",
    paid="numeric",
    erp_id="text",
    source_document="text",
    revision="text",
    order_document="text",
    receipt_document="text",
    applied="jsonb",
    rejected="boolean",
    kind="text",
)

_WRITE_BILLS = f"""
insert into bills as held (id, organization_id, connection_id, purchase_order_id, vendor_id, vendor_name, number,
    number_key, number_parts, reference, reference_key, entity,
    origin, status, bill_date, posting_date, due_date, currency, memo, total, paid,
    erp_id, document_id, payable_id, erp_revision, payable_revision, linked_in_erp, order_document, receipt_document,
    applied, rejected_in_erp, manual_both_sides, created_by, version, kind, credit_of)
select n.id, cast(:organization as text), cast(:c as text), n.purchase_order_id, n.vendor_id, coalesce(v.name, ''),
       n.number, n.number_key, n.number_parts, n.reference, n.reference_key, n.entity,
       'erp', n.status, n.bill_date, n.bill_date, n.due_date,
       n.currency, n.memo, n.total, n.paid, n.erp_id, n.source_document, n.erp_id,
       n.revision, n.revision, n.linked_in_erp, n.order_document, n.receipt_document, n.applied,
       n.rejected, false, 'erp', 1, n.kind, n.credit_of
from {_BILLS}
left join lateral (select v.name from list_entries v
                    where v.connection_id = cast(:c as text) and v.kind = 'vendor' and v.key = n.vendor_id
                      and v.deleted_at is null limit 1) v on true
on conflict (id) do update set
    purchase_order_id = excluded.purchase_order_id, vendor_id = excluded.vendor_id,
    vendor_name = excluded.vendor_name, number = excluded.number, number_key = excluded.number_key,
    number_parts = excluded.number_parts, reference = excluded.reference,
    reference_key = excluded.reference_key, entity = excluded.entity,
    status = {moved("bills", "held.status", "excluded.status", origin="held.origin")}, bill_date = excluded.bill_date,
    posting_date = excluded.posting_date, due_date = excluded.due_date, currency = excluded.currency,
    memo = excluded.memo, total = excluded.total, paid = excluded.paid, erp_id = excluded.erp_id,
    document_id = excluded.document_id, payable_id = excluded.payable_id, erp_revision = excluded.erp_revision,
    payable_revision = excluded.payable_revision, linked_in_erp = excluded.linked_in_erp,
    order_document = excluded.order_document, receipt_document = excluded.receipt_document,
    kind = excluded.kind, credit_of = coalesce(excluded.credit_of, held.credit_of),
    applied = excluded.applied, rejected_in_erp = excluded.rejected_in_erp, version = held.version + 1,
    changed_at = now()
where coalesce(held.payable_revision <= excluded.payable_revision, true)
returning id, xmax = 0 as is_new
"""

_LINES = columns(
    "n",
    bill_id="text",
    purchase_order_id="text",
    document="text",
    line_no="int",
    order_line="text",
    source_line="text",
    item_id="text",
    account="text",
    description="text",
    quantity="numeric",
    amount="numeric",
    order_document="text",
)

_WRITE_LINES = f"""
insert into bill_lines (bill_id, line_no, purchase_order_id, purchase_order_line_no, item_id, account, description,
    quantity, unit, price, amount, sources, reserves)
select n.bill_id, n.line_no, o.purchase_order_id, o.line_no, n.item_id, n.account, n.description, n.quantity,
       coalesce(o.unit, ''), case when n.quantity <> 0 then n.amount / n.quantity end, n.amount,
       case when n.source_line is null or n.quantity is null or n.document is null then '[]'
            else jsonb_build_array(jsonb_build_object(
                'document_id', coalesce(n.order_document, n.document), 'line', n.source_line,
                'quantity', cast(n.quantity as text))) end, false
from {_LINES}
left join purchase_orders other on other.connection_id = cast(:c as text) and other.document_id = n.order_document
                               and n.purchase_order_id is not null
left join purchase_order_lines o on o.purchase_order_id = coalesce(other.id, n.purchase_order_id)
                                and o.erp_id = n.order_line
"""


async def write_theirs(connection: AsyncConnection, row: ConnectionRow, bills: Sequence[NewErpBill]) -> None:
    """Write bills made in the ERP with their lines; the caller has locked those that are stored."""
    whole = [new for new in bills if not new.figures_only]
    if whole:
        written = await connection.execute(
            text(_WRITE_BILLS), {"organization": row.organization_id, **_headers(row, whole)}
        )
        is_new: dict[str, bool] = {one.id: one.is_new for one in written}
        await _write_lines(connection, row, [new for new in whole if new.id in is_new], is_new)
    by_hand = [
        BillFigures(new.id, new.bill.erp_id, new.bill.revision, new.bill.total, new.bill.paid, new.status, {}, {}, True)
        for new in bills
        if new.figures_only
    ]
    await write_figures(connection, by_hand)


async def _write_lines(
    connection: AsyncConnection, row: ConnectionRow, written: Sequence[NewErpBill], is_new: Mapping[str, bool]
) -> None:
    """Write the lines of bills that were just written; one that was not stored before has none to replace."""
    stored = [new.id for new in written if not is_new[new.id]]
    if stored:
        await connection.execute(
            text("delete from bill_lines where bill_id = any(cast(:ids as text[]))"), {"ids": stored}
        )
    await connection.execute(text(_WRITE_LINES), _lines(row, written))


def _headers(row: ConnectionRow, whole: Sequence[NewErpBill]) -> dict[str, Any]:
    bills = [new.bill for new in whole]
    return {
        "c": row.id,
        "id": array_text([new.id for new in whole]),
        "purchase_order_id": array_text([new.purchase_order_id for new in whole]),
        "number_key": array_text([number_key(bill.number) for bill in bills]),
        "number_parts": array_text([number_parts(bill.number) for bill in bills]),
        "reference_key": array_text([number_key(bill.reference) if bill.reference else None for bill in bills]),
        "status": array_text([new.status for new in whole]),
        "linked_in_erp": array_text([new.linked_in_erp for new in whole]),
        "credit_of": array_text([new.credit_of for new in whole]),
        "vendor_id": array_text([bill.vendor_id for bill in bills]),
        "number": array_text([bill.number for bill in bills]),
        "reference": array_text([bill.reference for bill in bills]),
        "entity": array_text([bill.entity for bill in bills]),
        "bill_date": array_text([bill.bill_date for bill in bills]),
        "due_date": array_text([bill.due_date for bill in bills]),
        "currency": array_text([bill.currency for bill in bills]),
        "memo": array_text([bill.memo for bill in bills]),
        "total": array_text([bill.total for bill in bills]),
        "paid": array_text([bill.paid for bill in bills]),
        "erp_id": array_text([bill.erp_id for bill in bills]),
        "source_document": array_text([bill.source_document for bill in bills]),
        "revision": array_text([bill.revision for bill in bills]),
        "order_document": array_text([bill.order_document for bill in bills]),
        "receipt_document": array_text([bill.receipt_document for bill in bills]),
        "applied": array_text([to_json(bill.applied).decode() if bill.applied else "[]" for bill in bills]),
        "rejected": array_text([bill.rejected for bill in bills]),
        "kind": array_text([bill.kind.value for bill in bills]),
    }


def _lines(row: ConnectionRow, whole: Sequence[NewErpBill]) -> dict[str, Any]:
    of_bills = [(new, new.bill.receipt_document or new.bill.order_document) for new in whole]
    lines = [(new, document, line) for new, document in of_bills for line in new.bill.lines]
    return {
        "c": row.id,
        "bill_id": array_text([new.id for new, _, _ in lines]),
        "purchase_order_id": array_text([new.purchase_order_id for new, _, _ in lines]),
        "document": array_text([document for _, document, _ in lines]),
        "line_no": array_text([line.line_no for _, _, line in lines]),
        "order_line": array_text([line.order_line for _, _, line in lines]),
        "source_line": array_text([line.source_line for _, _, line in lines]),
        "item_id": array_text([line.item_id for _, _, line in lines]),
        "account": array_text([line.account for _, _, line in lines]),
        "description": array_text([line.description for _, _, line in lines]),
        "quantity": array_text([line.quantity for _, _, line in lines]),
        "amount": array_text([line.amount for _, _, line in lines]),
        "order_document": array_text([line.order_document for _, _, line in lines]),
    }
