"""Apply the ERP's deletions once (S5-78, S5-113, S5-136), and return whose workflows must know; erase nothing here."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus, Origin
from models.domain.ids import SYNCER, BillId, ConnectionId, ErpId, OrganizationId
from models.domain.payments import PaymentStatus
from models.domain.sync import DeletedKind, Deletion, Stream
from models.store.audit import events, notices, order_issues, sync_issues
from models.store.orders import excluded_records
from models.store.orders.order_links import recount
from models.store.orders.order_pages import requeue_notification
from models.store.orders.order_rows import lock_orders
from models.store.payables import bill_payment_events
from models.store.payables.payment_application import ANY_TIME, Paid, move_bills, take_back_credits
from models.store.payables.statuses import moved
from models.store.sync import list_history, part_deletions
from models.store.sync.deletion_keys import by_record
from models.tables import ConnectionRow

_DELETED = "cast('deleted' as varchar)"
_VOIDED = "cast('voided' as varchar)"


_NAMED = (
    "(erp_id = any(cast(:ids as text[]))"
    " or (strpos(erp_id, '/') > 0 and split_part(erp_id, '/', 1) = any(cast(:ids as text[]))))"
)
"""The receipts and returns of these ids; one of several orders is here once for each."""


class Deleted(NamedTuple):
    """How many records of each kind were deleted.

    `ours`: the affected bills of ours, whose workflows should be notified.
    """

    seen: int
    purchase_orders: int
    receipts: int
    bills: int
    payments: int
    list_entries: int
    ours: tuple[BillId, ...]

    @property
    def changed(self) -> int:
        """Return how many records were deleted in total."""
        return self.purchase_orders + self.receipts + self.bills + self.payments + self.list_entries


async def apply(s: AsyncSession, row: ConnectionRow, deletions: Sequence[Deletion]) -> Deleted:
    """Mark the records that the ERP deleted; a repeat, or a record we never had, changes nothing.

    When the payable of our bill is deleted, the bill is not: editing the vendor invoice makes a new payable (field note
    U-8). Only the deletion of the vendor invoice itself ends our bill.
    """
    await s.flush()
    connection = await s.connection()
    deletions = await by_record(connection, ConnectionId(row.id), deletions)
    documents = _ids(deletions, DeletedKind.PURCHASE_ORDER_DOCUMENT)
    payables = _ids(deletions, DeletedKind.BILL)
    orders = await _orders(connection, row, documents)
    receipts = await _receipts(connection, row, [*documents, *_ids(deletions, DeletedKind.RECEIPT)])
    bills, ours = await _bills(s, connection, row, documents, payables)
    paid_by = _ids(deletions, DeletedKind.PAYMENT)
    payments, repaid = await _payments(s, connection, row, paid_by)
    gone = {Stream.PURCHASE_ORDERS: documents, Stream.BILLS: payables, Stream.PAYMENTS: paid_by}
    await excluded_records.drop_deleted(s, ConnectionId(row.id), gone)
    entries = await _list_entries(connection, row, deletions)
    concerned = tuple(sorted({*ours, *repaid}))
    return Deleted(len(deletions), orders, receipts, bills, payments, entries, concerned)


async def apply_reversals(s: AsyncSession, row: ConnectionRow, payables: Sequence[ErpId]) -> Deleted:
    """Mark the bills that were reversed in the ERP as deleted there: they bill nothing any more, and never will."""
    if not payables:
        return Deleted(0, 0, 0, 0, 0, 0, ())
    await s.flush()
    count, ours = await _bills(s, await s.connection(), row, [], payables)
    return Deleted(len(payables), 0, 0, count, 0, 0, tuple(sorted(ours)))


async def billed_orders(s: AsyncSession, row: ConnectionRow, deletions: Sequence[Deletion]) -> list[ErpId]:
    """Return the orders that the bills among these deletions have lines on, by the ERP's id.

    What the ERP counts as billed of them is lower now, and neither order nor receipt need have changed for it.
    """
    connection = await s.connection()
    deleted = await by_record(connection, ConnectionId(row.id), deletions)
    rows = await connection.execute(
        text(
            "select distinct o.erp_id from bills b join bill_lines l on l.bill_id = b.id"
            " join purchase_orders o on o.id = l.purchase_order_id and o.deleted_at is null"
            " where b.connection_id = :c and b.status not in ('deleted', 'abandoned') and ("
            "   (b.origin = 'posync' and b.erp_id = any(cast(:documents as text[])))"
            "   or exists (select from bill_parts p where p.bill_id = b.id"
            "              and p.erp_id = any(cast(:documents as text[])))"
            "   or (b.origin = 'erp' and b.payable_id = any(cast(:payables as text[])))) order by 1"
        ),
        {
            "c": row.id,
            "documents": _ids(deleted, DeletedKind.PURCHASE_ORDER_DOCUMENT),
            "payables": _ids(deleted, DeletedKind.BILL),
        },
    )
    return [ErpId(erp_id) for erp_id in rows.scalars()]


def _ids(deletions: Sequence[Deletion], kind: DeletedKind) -> list[str]:
    return sorted({deletion.erp_id for deletion in deletions if deletion.kind is kind})


async def _orders(connection: AsyncConnection, row: ConnectionRow, documents: Sequence[str]) -> int:
    if not documents:
        return 0
    gone = await connection.execute(
        text(
            "update purchase_orders set deleted_at = now(), matching_status = 'deleted', notified_hash = '',"
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
    rows = await connection.execute(
        text(
            "select distinct purchase_order_id from receipts"
            f" where connection_id = :c and {_NAMED} and deleted_at is null"
            "   and purchase_order_id is not null"
        ),
        {"c": row.id, "ids": documents},
    )
    order_ids = sorted(rows.scalars())
    if order_ids:
        await lock_orders(connection, order_ids)
    gone = await connection.execute(
        text(
            "update receipts set deleted_at = now(), status = 'deleted'"
            f" where connection_id = :c and {_NAMED} and deleted_at is null"
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
    whole, parted = await part_deletions.apply(s, row, documents, payables)
    rows = (
        await connection.execute(
            text(
                "select id, origin, status, number, erp_id, external_key, purchase_order_id, applied from bills"
                " where connection_id = :c and status not in ('deleted', 'abandoned') and ("
                # Without an order, the payable is the bill itself, and no document stands before it.
                "   (origin = 'posync' and not direct and erp_id = any(cast(:documents as text[]))"
                "    and not exists (select from bill_parts p where p.bill_id = bills.id"
                "                     and p.generation = bills.generation))"
                "   or id = any(cast(:whole as text[]))"
                "   or ((origin = 'erp' or direct) and payable_id = any(cast(:payables as text[]))))"
                " order by id for update"
            ),
            {"c": row.id, "documents": documents, "payables": payables, "whole": whole},
        )
    ).all()
    await connection.execute(
        text(
            "update bills set payable_id = null, payable_revision = null"
            " where connection_id = :c and origin = 'posync' and not direct"
            "   and payable_id = any(cast(:payables as text[]))"
        ),
        {"c": row.id, "payables": payables},
    )
    # Its own workflow is taking it back, and finds that it is gone: it alone knows what becomes of the bill.
    retracting = [*parted, *(BillId(bill.id) for bill in rows if bill.status == BillStatus.RETRACTING)]
    rows = [bill for bill in rows if bill.status != BillStatus.RETRACTING]
    if not rows:
        return 0, retracting
    await _mark_deleted(s, connection, row, rows)
    await order_issues.take_bills_off(s, ConnectionId(row.id), [BillId(bill.id) for bill in rows])
    ours = [bill for bill in rows if bill.origin == Origin.POSYNC.value]
    await sync_issues.close_for_subjects(s, ConnectionId(row.id), "bill", [bill.id for bill in rows], actor=SYNCER)
    for bill in ours:  # its quantity is free again by itself, so nobody has anything to settle
        await notices.add(
            s,
            organization_id=OrganizationId(row.organization_id),
            connection_id=ConnectionId(row.id),
            code="DELETED_IN_ERP",
            subject_kind="bill",
            subject_id=bill.id,
            message=f"Bill {bill.number} was deleted in the ERP, which held it as {bill.external_key}. Its quantities "
            "are free again: if it is still wanted, restore it, or enter it anew.",
        )
    applied = [(share["bill_erp_id"], Decimal(share["amount"])) for bill in rows for share in bill.applied]
    reopened = await take_back_credits(s, connection, row, applied)
    return len(rows), [*(BillId(bill.id) for bill in ours), *reopened, *retracting]


async def _mark_deleted(s: AsyncSession, connection: AsyncConnection, row: ConnectionRow, rows: Sequence[Any]) -> None:
    """Mark these bills as deleted, free what they reserve, and record it."""
    ids = [bill.id for bill in rows]
    await connection.execute(
        text(
            f"update bills b set status = {moved('bills', 'b.status', _DELETED, origin='b.origin')},"
            "   version = version + 1, changed_at = now() where id = any(cast(:ids as text[]))"
        ),
        {"ids": ids},
    )
    await connection.execute(
        text(
            "update bill_lines set reserves = false, settled_quantity = 0, settled_amount = 0"
            " where bill_id = any(cast(:ids as text[])) and reserves"
        ),
        {"ids": ids},
    )
    # The order's own refresh finds out what the ERP still counts as billed.
    await requeue_notification(connection, sorted({bill.purchase_order_id for bill in rows if bill.purchase_order_id}))
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


async def _payments(
    s: AsyncSession, connection: AsyncConnection, row: ConnectionRow, erp_ids: Sequence[str]
) -> tuple[int, tuple[BillId, ...]]:
    if not erp_ids:
        return 0, ()
    await connection.execute(
        text(
            "select 1 from bills where id in (select h.bill_id from payments p"
            "   join payment_shares h on h.payment_id = p.id where p.connection_id = :c"
            "   and p.erp_id = any(cast(:ids as text[]))) order by id for update"
        ),
        {"c": row.id, "ids": erp_ids},
    )
    rows = (
        await connection.execute(
            text(
                "select id, status from payments where connection_id = :c"
                "   and erp_id = any(cast(:ids as text[])) and status not in ('voided', 'abandoned')"
                " order by id for update"
            ),
            {"c": row.id, "ids": erp_ids},
        )
    ).all()
    if not rows:
        return 0, ()
    await bill_payment_events.record_voids(s, [payment.id for payment in rows], why="deleted in the ERP")
    await connection.execute(
        text(
            f"update payments p set status = {moved('payments', 'p.status', _VOIDED, origin='p.origin')},"
            "   version = version + 1, changed_at = now() where id = any(cast(:ids as text[]))"
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
    await sync_issues.close_for_subjects(
        s, ConnectionId(row.id), "payment", [payment.id for payment in rows], actor=SYNCER
    )
    counted = [payment.id for payment in rows if payment.status in (PaymentStatus.PAID, PaymentStatus.VOIDING)]
    shares = await connection.execute(
        text("select bill_id, amount from payment_shares where payment_id = any(cast(:ids as text[]))"),
        {"ids": counted},
    )
    paid = [Paid(share.bill_id, share.amount, ANY_TIME, voided=True) for share in shares]
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
    kinds, erp_ids = [kind for kind, _ in entries], [erp_id for _, erp_id in entries]
    await list_history.deleted(connection, ConnectionId(row.id), kinds, erp_ids)
    gone = await connection.execute(
        text(
            "update list_entries l set deleted_at = now(), active = false"
            " from unnest(cast(:kinds as text[]), cast(:ids as text[])) as d(kind, erp_id)"
            " where l.connection_id = :c and l.kind = d.kind and l.erp_id = d.erp_id and l.deleted_at is null"
        ),
        {"c": row.id, "kinds": kinds, "ids": erp_ids},
    )
    return gone.rowcount
