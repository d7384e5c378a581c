"""Apply a payment seen in the ERP to its bill, where the bill's own figure cannot include it yet.

`bills.paid` is the ERP's own figure and comes with the bill (`erp_bills.py`). Bills and payments are read one after the
other, so a payment may arrive before the bill that shows it: only then is the figure changed here.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillStatus, Origin
from models.domain.ids import SYNCER, BillId, ConnectionId, OrganizationId
from models.store.audit import events
from models.store.payables.bill_status import status_by_payment
from models.store.payables.statuses import moved
from models.tables import ConnectionRow


class Paid(NamedTuple):
    """A payment of one bill that appeared in the ERP, or was voided or deleted there; in the bill's currency."""

    bill_id: str
    amount: Decimal
    revision: str
    voided: bool


_STORED = text(
    "select b.id, b.origin, b.status, b.total, b.paid, b.payable_revision,"
    "   coalesce(sum(h.amount) filter (where p.status in ('paid', 'voiding')), 0) + (select coalesce(sum(a.amount), 0)"
    "     from bills k, jsonb_to_recordset(k.applied) as a(bill_erp_id text, amount numeric)"
    "     where k.connection_id = :c and k.applied <> '[]' and k.status not in ('deleted', 'abandoned')"
    "       and (a.bill_erp_id = b.payable_id or exists (select from bill_parts x where x.bill_id = b.id"
    "            and x.generation = b.generation and x.payable_id = a.bill_erp_id))) as known,"
    "   coalesce(bool_or(p.origin = 'posync' and p.status in ('scheduled', 'submitted', 'sync_issue')), false)"
    "     as promised"
    " from bills b left join payment_shares h on h.bill_id = b.id left join payments p on p.id = h.payment_id"
    " where b.id = any(cast(:ids as text[])) group by b.id"
)

_WRITE = text(
    f"update bills b set paid = n.paid, status = {moved('bills', 'b.status', 'n.status', origin='b.origin')},"
    "   version = b.version + 1, changed_at = now()"
    " from unnest(cast(:ids as text[]), cast(:paid as numeric[]), cast(:statuses as text[]))"
    "   as n(id, paid, status) where b.id = n.id"
)


async def move_bills(
    s: AsyncSession,
    connection: AsyncConnection,
    row: ConnectionRow,
    paid: Sequence[Paid],
    *,
    why: str = "a payment in the ERP",
) -> tuple[BillId, ...]:
    """Update `paid` and status of these bills, which the caller has locked; return our bills that changed."""
    if not paid:
        return ()
    by_bill: dict[str, list[Paid]] = {}
    for one in paid:
        by_bill.setdefault(one.bill_id, []).append(one)
    rows = await connection.execute(
        _STORED,
        {"c": row.id, "ids": sorted(by_bill)},
    )
    changes: list[events.Change] = []
    ours: list[BillId] = []
    updates: list[tuple[str, Decimal, str]] = []
    for bill in rows:
        figure = _figure(bill, by_bill[bill.id])
        before = BillStatus(bill.status)
        after = status_by_payment(before, bill.total, figure, promised=bill.promised)
        if (figure, after) == (bill.paid, before):
            continue
        updates.append((bill.id, figure, after.value))
        changes.append(
            events.Change(
                bill.id,
                "paid_in_erp",
                {"status": before.value, "paid": str(bill.paid)},
                {"status": after.value, "paid": str(figure)},
            )
        )
        if bill.origin == Origin.POSYNC.value:
            ours.append(BillId(bill.id))
    if updates:
        await connection.execute(
            _WRITE,
            {
                "ids": [bill_id for bill_id, _, _ in updates],
                "paid": [figure for _, figure, _ in updates],
                "statuses": [status for _, _, status in updates],
            },
        )
    await events.record_all(
        s,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="bill",
        actor=SYNCER,
        why=why,
        changes=changes,
    )
    return tuple(ours)


def _figure(bill: Any, paid: Sequence[Paid]) -> Decimal:
    """Return what is paid on the bill after these; one that its own figure knows already does not count twice."""
    figure: Decimal = bill.paid
    for one in paid:
        if one.revision > (bill.payable_revision or ""):
            figure = _moved(figure, bill.known, one)
    return figure


ANY_TIME = "\uffff"
"""For what was deleted or is no longer applied: it has no revision to compare, so only the figures decide."""


async def take_back_credits(
    s: AsyncSession, connection: AsyncConnection, row: ConnectionRow, lost: Sequence[tuple[str, Decimal]]
) -> tuple[BillId, ...]:
    """Make due again what credits paid that are gone or applied elsewhere; return the bills of ours that changed.

    `lost` names payables and amounts. The bill itself need not change in the ERP.
    """
    if not lost:
        return ()
    amounts: dict[str, Decimal] = {}
    for payable, amount in lost:
        amounts[payable] = amounts.get(payable, Decimal(0)) + amount
    rows = await connection.execute(
        text(
            "select b.id, n.payable from bills b, unnest(cast(:payables as text[])) as n(payable)"
            " where b.connection_id = :c and b.status not in ('deleted', 'abandoned')"
            "   and (b.payable_id = n.payable or b.id in ("
            "      select bill_id from bill_parts where connection_id = :c and payable_id = n.payable))"
            " order by b.id for update of b"
        ),
        {"c": row.id, "payables": sorted(amounts)},
    )
    paid = [Paid(bill.id, amounts[bill.payable], ANY_TIME, voided=True) for bill in rows]
    return await move_bills(s, connection, row, paid, why="a credit in the ERP")


def _moved(figure: Decimal, known: Decimal, one: Paid) -> Decimal:
    """Return the paid figure after one payment.

    `known` is the sum of the payments and credits we have that still exist.
    """
    if not one.voided:
        return max(figure, known)
    # Only while the figure still holds the voided amount; the bill may have been read after the void.
    return figure - one.amount if figure >= known + one.amount else figure
