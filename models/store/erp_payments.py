"""Payments as they come in from the ERP: ours are known by their external key, theirs become one row per bill paid."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import BillId, ConnectionId, ErpPayment, OrganizationId, Origin, PaymentStatus, Stream
from models.store import events, skipped
from models.store.identity import derived_id
from models.store.payment_effects import Paid, move_bills
from models.tables import ConnectionRow

SYNCER = "posync"
"""Who acts in the event table when no person does."""


class ErpPaymentsUpserted(NamedTuple):
    """What a page of payments did. `ours`: the bills of ours whose payment moved; their workflows should hear of it."""

    seen: int
    changed: int
    ours: tuple[BillId, ...]


class _Theirs(NamedTuple):
    """One share of a payment made in the ERP, as a row of the mirror."""

    id: str
    bill_id: str
    status: PaymentStatus
    amount: Decimal
    payment: ErpPayment


async def upsert(s: AsyncSession, row: ConnectionRow, payments: Sequence[ErpPayment]) -> ErpPaymentsUpserted:
    """Take a page of payments in. A payment of a bill we do not hold is recorded as left out, so that it is known.

    What is paid on a bill is the ERP's own figure and comes with the bill; a payment only moves it where that figure
    cannot have it yet (`payment_effects.py`).
    """
    await s.flush()
    connection = await s.connection()
    newest: dict[str, ErpPayment] = {}
    for payment in payments:
        if payment.erp_id not in newest or newest[payment.erp_id].revision <= payment.revision:
            newest[payment.erp_id] = payment
    held = await _held(connection, row.id, list(newest.values()))
    news = [payment for payment in newest.values() if _is_news(held, payment)]
    if not news:
        return ErpPaymentsUpserted(len(payments), 0, ())
    await _lock_bills(connection, row.id, news)
    held = await _held(connection, row.id, news, lock=True)
    news = [payment for payment in news if _is_news(held, payment)]
    paid = [*await _take_ours(s, connection, row, held, news), *await _take_theirs(s, connection, row, held, news)]
    ours = await move_bills(s, connection, row, paid)
    return ErpPaymentsUpserted(len(payments), len(news), ours)


class _Held:
    """The held payments a page may concern, by the ERP's record and by our key."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.theirs = {row.id: row for row in rows if row.origin == Origin.ERP.value}
        self._ours: dict[str, list[Any]] = {}
        self._by_record: dict[str, list[Any]] = {}
        for row in rows:
            if row.origin == Origin.POSYNC.value and row.external_key is not None:
                self._ours.setdefault(row.external_key, []).append(row)
            self._by_record.setdefault(row.erp_id, []).append(row)

    def rows_of(self, payment: ErpPayment) -> list[Any]:
        """Ours if it is ours, else one row per bill it pays."""
        rows = self._by_record.get(payment.erp_id, [])
        ours = [row for row in rows if row.origin == Origin.POSYNC.value]
        return ours or self._ours.get(payment.document_number or "", []) or rows


async def _held(
    connection: AsyncConnection, connection_id: str, payments: Sequence[ErpPayment], *, lock: bool = False
) -> _Held:
    rows = await connection.execute(
        text(
            "select id, origin, status, amount, bill_id, external_key, erp_id, erp_revision from payments"
            " where connection_id = :c and (erp_id = any(cast(:ids as text[]))"
            "   or external_key = any(cast(:keys as text[]))) order by id" + (" for update" if lock else "")
        ),
        {
            "c": connection_id,
            "ids": [payment.erp_id for payment in payments],
            "keys": [payment.document_number for payment in payments if payment.document_number],
        },
    )
    return _Held(rows.all())


def _is_news(held: _Held, payment: ErpPayment) -> bool:
    rows = held.rows_of(payment)
    return not rows or any(row.erp_revision is None or row.erp_revision < payment.revision for row in rows)


async def _lock_bills(connection: AsyncConnection, connection_id: str, payments: Sequence[ErpPayment]) -> None:
    """Bills before payments, as everywhere: `payments.lock_bill` is what a scheduled payment takes first."""
    await connection.execute(
        text(
            "select 1 from bills where connection_id = :c and (payable_id = any(cast(:payables as text[]))"
            "   or id in (select bill_id from payments where connection_id = :c"
            "             and (erp_id = any(cast(:ids as text[])) or external_key = any(cast(:keys as text[])))))"
            " order by id for update"
        ),
        {
            "c": connection_id,
            "payables": [share.bill_erp_id for payment in payments for share in payment.shares],
            "ids": [payment.erp_id for payment in payments],
            "keys": [payment.document_number for payment in payments if payment.document_number],
        },
    )


async def _take_ours(
    s: AsyncSession, connection: AsyncConnection, row: ConnectionRow, held: _Held, news: Sequence[ErpPayment]
) -> list[Paid]:
    """Ours learn their record in the ERP, and that they were voided there. Their workflow confirms the rest."""
    updates: list[tuple[Any, ErpPayment, PaymentStatus]] = []
    for payment in news:
        for ours in held.rows_of(payment):
            if ours.origin == Origin.POSYNC.value:
                status = PaymentStatus.VOIDED if payment.voided else PaymentStatus(ours.status)
                updates.append((ours, payment, status))
    if not updates:
        return []
    await connection.execute(
        text(
            "update payments p set erp_id = n.erp_id, erp_revision = n.revision, status = n.status,"
            "   version = p.version + cast(p.status <> n.status as int),"
            "   changed_at = case when p.status <> n.status then now() else p.changed_at end"
            " from unnest(cast(:ids as text[]), cast(:erp_ids as text[]), cast(:revisions as text[]),"
            "   cast(:statuses as text[])) as n(id, erp_id, revision, status) where p.id = n.id"
        ),
        {
            "ids": [ours.id for ours, _, _ in updates],
            "erp_ids": [payment.erp_id for _, payment, _ in updates],
            "revisions": [payment.revision for _, payment, _ in updates],
            "statuses": [status.value for _, _, status in updates],
        },
    )
    await _record(s, row, [(ours.id, ours.status, status) for ours, _, status in updates], why="voided in the ERP")
    return [
        Paid(ours.bill_id, ours.amount, payment.revision, voided=True)
        for ours, payment, status in updates
        if status is PaymentStatus.VOIDED and ours.status == PaymentStatus.PAID.value
    ]


async def _take_theirs(
    s: AsyncSession, connection: AsyncConnection, row: ConnectionRow, held: _Held, news: Sequence[ErpPayment]
) -> list[Paid]:
    before = held.theirs
    made_there = [
        payment for payment in news if all(known.origin == Origin.ERP.value for known in held.rows_of(payment))
    ]
    bills = await _bills_by_payable(connection, row.id, made_there)
    shares: list[_Theirs] = []
    unknown: list[skipped.Skip] = []
    for payment in made_there:
        status = _status(payment)
        number = payment.document_number or payment.erp_id
        found = {bills[share.bill_erp_id] for share in payment.shares if share.bill_erp_id in bills}
        for bill_id in sorted(found):
            amount = sum(share.amount for share in payment.shares if bills.get(share.bill_erp_id) == bill_id)
            payment_id = derived_id("pay", row.id, payment.erp_id, bill_id)
            shares.append(_Theirs(payment_id, bill_id, status, Decimal(amount), payment))
        if not found:
            reason = f"Payment {number} pays no bill that is in posync."
            unknown.append((payment.erp_id, number, "PAYS_NO_BILL_HERE", reason, payment.revision))
    # A payment keeps its rows when the payable of a bill got a new number: the share is found by the bill then.
    touched = {share.id for share in shares}
    for payment in made_there:
        for known in held.rows_of(payment):
            if known.id not in touched:
                shares.append(
                    _Theirs(
                        known.id,
                        known.bill_id,
                        _status(payment),
                        known.amount,
                        payment,
                    )
                )
    await skipped.record(s, ConnectionId(row.id), Stream.PAYMENTS, unknown)
    await skipped.came_in(s, ConnectionId(row.id), Stream.PAYMENTS, [share.payment.erp_id for share in shares])
    await _write_theirs(connection, row, shares)
    moves = [(share.id, before[share.id].status if share.id in before else None, share.status) for share in shares]
    await _record(s, row, moves, why="made in the ERP")
    paid: list[Paid] = []
    for share in shares:
        was = before[share.id].status if share.id in before else None
        if share.status is PaymentStatus.VOIDED and was == PaymentStatus.PAID.value:
            paid.append(Paid(share.bill_id, share.amount, share.payment.revision, voided=True))
        elif share.status is PaymentStatus.PAID and was != PaymentStatus.PAID.value:
            paid.append(Paid(share.bill_id, share.amount, share.payment.revision, voided=False))
    return paid


def _status(payment: ErpPayment) -> PaymentStatus:
    if payment.voided:
        return PaymentStatus.VOIDED
    return PaymentStatus.PAID if payment.settled else PaymentStatus.SUBMITTED


async def _bills_by_payable(
    connection: AsyncConnection, connection_id: str, payments: Sequence[ErpPayment]
) -> dict[str, str]:
    rows = await connection.execute(
        text(
            "select payable_id, id from bills where connection_id = :c and payable_id = any(cast(:payables as text[]))"
            " and status not in ('deleted', 'abandoned')"
        ),
        {
            "c": connection_id,
            "payables": [share.bill_erp_id for payment in payments for share in payment.shares],
        },
    )
    return {found.payable_id: found.id for found in rows}


async def _write_theirs(connection: AsyncConnection, row: ConnectionRow, shares: Sequence[_Theirs]) -> None:
    if not shares:
        return
    await connection.execute(
        text(
            "insert into payments as held (id, organization_id, connection_id, bill_id, origin, status, amount,"
            "   currency, pay_on, method, bank_account, erp_id, erp_revision, created_by, version)"
            " select n.id, :organization, :c, n.bill_id, 'erp', n.status, n.amount, n.currency, n.pay_on, '', '',"
            "   n.erp_id, n.revision, 'erp', 1"
            " from unnest(cast(:ids as text[]), cast(:bills as text[]), cast(:statuses as text[]),"
            "   cast(:amounts as numeric[]), cast(:currencies as text[]), cast(:days as date[]),"
            "   cast(:erp_ids as text[]), cast(:revisions as text[]))"
            "   as n(id, bill_id, status, amount, currency, pay_on, erp_id, revision)"
            " on conflict (id) do update set status = excluded.status, amount = excluded.amount,"
            "   pay_on = excluded.pay_on, erp_revision = excluded.erp_revision, version = held.version + 1,"
            "   changed_at = now()"
            " where coalesce(held.erp_revision < excluded.erp_revision, true)"
        ),
        {
            "organization": row.organization_id,
            "c": row.id,
            "ids": [share.id for share in shares],
            "bills": [share.bill_id for share in shares],
            "statuses": [share.status.value for share in shares],
            "amounts": [share.amount for share in shares],
            "currencies": [share.payment.currency for share in shares],
            "days": [share.payment.paid_on for share in shares],
            "erp_ids": [share.payment.erp_id for share in shares],
            "revisions": [share.payment.revision for share in shares],
        },
    )


async def _record(
    s: AsyncSession, row: ConnectionRow, moves: Sequence[tuple[str, str | None, PaymentStatus]], *, why: str
) -> None:
    await events.record_all(
        s,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="payment",
        actor=SYNCER,
        why=why,
        changes=[
            events.Change(
                payment_id,
                "came_in" if before is None else "status",
                None if before is None else {"status": before},
                {"status": after.value},
            )
            for payment_id, before, after in moves
            if before != after.value
        ],
    )
