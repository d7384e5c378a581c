"""What the ERP deleted (S5-78, S5-113, S5-136): applied once, told to whoever must know, nothing erased here."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, BillStatus, ConnectionId, DeletedKind, Deletion, OrganizationId, Origin, PaymentStatus
from models.store import events, sync_issues
from models.store.deleted_names import by_record
from models.store.order_links import recount
from models.store.order_pages import wake_again
from models.store.order_rows import lock_orders
from models.store.payment_effects import ANY_TIME, Paid, move_bills, take_back_credits
from models.tables import ConnectionRow

SYNCER = "posync"
"""Who acts in the event table when no person does."""


class Deleted(NamedTuple):
    """How many records of each kind are gone now. `ours`: the bills of ours concerned; their workflows should hear."""

    seen: int
    purchase_orders: int
    receipts: int
    bills: int
    payments: int
    list_entries: int
    ours: tuple[BillId, ...]

    @property
    def changed(self) -> int:
        return self.purchase_orders + self.receipts + self.bills + self.payments + self.list_entries


async def apply(s: AsyncSession, row: ConnectionRow, deletions: Sequence[Deletion]) -> Deleted:
    """Mark what is gone. A second time, or for records we never held, it changes nothing.

    A payable of ours that is gone does not mean that the bill is: editing the vendor invoice makes a new one (field
    note U-8). Only the vendor invoice's own deletion ends our bill.
    """
    await s.flush()
    connection = await s.connection()
    deletions = await by_record(connection, ConnectionId(row.id), deletions)
    documents = _ids(deletions, DeletedKind.PURCHASE_ORDER_DOCUMENT)
    payables = _ids(deletions, DeletedKind.BILL)
    orders = await _orders(connection, row, documents)
    receipts = await _receipts(connection, row, documents)
    bills, ours = await _bills(s, connection, row, documents, payables)
    payments, repaid = await _payments(s, connection, row, _ids(deletions, DeletedKind.PAYMENT))
    entries = await _list_entries(connection, row, deletions)
    concerned = tuple(sorted({*ours, *repaid}))
    return Deleted(len(deletions), orders, receipts, bills, payments, entries, concerned)


def _ids(deletions: Sequence[Deletion], kind: DeletedKind) -> list[str]:
    return sorted({deletion.erp_id for deletion in deletions if deletion.kind is kind})


async def _orders(connection: AsyncConnection, row: ConnectionRow, documents: Sequence[str]) -> int:
    if not documents:
        return 0
    gone = await connection.execute(
        text(
            "update purchase_orders set deleted_at = now(), matching_status = 'deleted', woken_hash = '',"
            "   snapshot = snapshot + 1, changed_at = now()"
            " where connection_id = :c and erp_id = any(cast(:ids as text[])) and deleted_at is null"
        ),
        {"c": row.id, "ids": documents},
    )
    return gone.rowcount


async def _receipts(connection: AsyncConnection, row: ConnectionRow, documents: Sequence[str]) -> int:
    if not documents:
        return 0
    # Orders before receipts, as everywhere, so that no two transactions wait for each other.
    found = await connection.execute(
        text(
            "select distinct purchase_order_id from receipts"
            " where connection_id = :c and erp_id = any(cast(:ids as text[])) and deleted_at is null"
            "   and purchase_order_id is not null"
        ),
        {"c": row.id, "ids": documents},
    )
    order_ids = sorted(found.scalars())
    if order_ids:
        await lock_orders(connection, order_ids)
    gone = await connection.execute(
        text(
            "update receipts set deleted_at = now(), status = 'deleted'"
            " where connection_id = :c and erp_id = any(cast(:ids as text[])) and deleted_at is null"
        ),
        {"c": row.id, "ids": documents},
    )
    if order_ids:
        counted = bool(row.capabilities.get("receipts_count_as_billed"))
        await recount(connection, order_ids, receipts_count_as_billed=counted)
    return gone.rowcount


async def _bills(
    s: AsyncSession,
    connection: AsyncConnection,
    row: ConnectionRow,
    documents: Sequence[str],
    payables: Sequence[str],
) -> tuple[int, list[BillId]]:
    if not documents and not payables:
        return 0, []
    rows = (
        await connection.execute(
            text(
                "select id, origin, status, number, erp_id, external_key, purchase_order_id, applied from bills"
                " where connection_id = :c and status not in ('deleted', 'abandoned') and ("
                "   (origin = 'posync' and erp_id = any(cast(:documents as text[])))"
                "   or (origin = 'erp' and payable_id = any(cast(:payables as text[])))) order by id for update"
            ),
            {"c": row.id, "documents": documents, "payables": payables},
        )
    ).all()
    await connection.execute(
        text(
            "update bills set payable_id = null, payable_revision = null"
            " where connection_id = :c and origin = 'posync' and payable_id = any(cast(:payables as text[]))"
        ),
        {"c": row.id, "payables": payables},
    )
    if not rows:
        return 0, []
    ids = [bill.id for bill in rows]
    await connection.execute(
        text(
            "update bills set status = 'deleted', version = version + 1, changed_at = now()"
            " where id = any(cast(:ids as text[]))"
        ),
        {"ids": ids},
    )
    await connection.execute(
        text("update bill_lines set reserves = false where bill_id = any(cast(:ids as text[])) and reserves"),
        {"ids": ids},
    )
    # What the ERP still counts as billed is for the order's own refresh to find out.
    await wake_again(connection, sorted({bill.purchase_order_id for bill in rows if bill.purchase_order_id}))
    await events.record_all(
        s,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="bill",
        actor=SYNCER,
        why="deleted in the ERP",
        changes=[
            events.Change(bill.id, "status", {"status": bill.status}, {"status": BillStatus.DELETED.value})
            for bill in rows
        ],
    )
    ours = [bill for bill in rows if bill.origin == Origin.POSYNC.value]
    for bill in ours:
        await sync_issues.open_issue(
            s,
            organization_id=row.organization_id,
            connection_id=row.id,
            subject_kind="bill",
            subject_id=bill.id,
            code="DELETED_IN_ERP",
            title=f"Bill {bill.number} was deleted in the ERP",
            cause=f"The ERP held it as {bill.external_key} and reports that it was deleted there.",
            fix=("If the invoice is still to be paid, create the bill anew.", "If not, resolve this issue."),
            who="accountant",
            evidence={"document": bill.erp_id, "external_key": bill.external_key},
            workflow_id=None,
        )
    applied = [(share["bill_erp_id"], Decimal(share["amount"])) for bill in rows for share in bill.applied]
    due_again = await take_back_credits(s, connection, row, applied)
    return len(rows), [*(BillId(bill.id) for bill in ours), *due_again]


async def _payments(
    s: AsyncSession, connection: AsyncConnection, row: ConnectionRow, erp_ids: Sequence[str]
) -> tuple[int, tuple[BillId, ...]]:
    if not erp_ids:
        return 0, ()
    await connection.execute(
        text(
            "select 1 from bills where id in (select bill_id from payments where connection_id = :c"
            "   and erp_id = any(cast(:ids as text[]))) order by id for update"
        ),
        {"c": row.id, "ids": erp_ids},
    )
    rows = (
        await connection.execute(
            text(
                "select id, bill_id, status, amount from payments where connection_id = :c"
                "   and erp_id = any(cast(:ids as text[])) and status not in ('voided', 'abandoned')"
                " order by id for update"
            ),
            {"c": row.id, "ids": erp_ids},
        )
    ).all()
    if not rows:
        return 0, ()
    await connection.execute(
        text(
            "update payments set status = 'voided', version = version + 1, changed_at = now()"
            " where id = any(cast(:ids as text[]))"
        ),
        {"ids": [payment.id for payment in rows]},
    )
    await events.record_all(
        s,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="payment",
        actor=SYNCER,
        why="deleted in the ERP",
        changes=[
            events.Change(payment.id, "status", {"status": payment.status}, {"status": PaymentStatus.VOIDED.value})
            for payment in rows
        ],
    )
    paid = [
        Paid(payment.bill_id, payment.amount, ANY_TIME, voided=True)
        for payment in rows
        if payment.status == PaymentStatus.PAID.value
    ]
    return len(rows), await move_bills(s, connection, row, paid)


async def _list_entries(connection: AsyncConnection, row: ConnectionRow, deletions: Sequence[Deletion]) -> int:
    entries = sorted(
        {
            (deletion.list_kind.value, deletion.erp_id)
            for deletion in deletions
            if deletion.kind is DeletedKind.LIST_ENTRY and deletion.list_kind is not None
        }
    )
    if not entries:
        return 0
    gone = await connection.execute(
        text(
            "update list_entries l set deleted_at = now(), active = false"
            " from unnest(cast(:kinds as text[]), cast(:ids as text[])) as d(kind, erp_id)"
            " where l.connection_id = :c and l.kind = d.kind and l.erp_id = d.erp_id and l.deleted_at is null"
        ),
        {"c": row.id, "kinds": [kind for kind, _ in entries], "ids": [erp_id for _, erp_id in entries]},
    )
    return gone.rowcount
