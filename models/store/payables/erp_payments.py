"""Store payments read from the ERP: ours are recognised by their external key; others get one row per bill paid."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import Origin
from models.domain.ids import SYNCER, BillId, ConnectionId, OrganizationId, PaymentId
from models.domain.payment_states import may_move
from models.domain.payments import ErpPayment, PaymentStatus
from models.domain.sync import Stream
from models.store.audit import events, sync_issues, writes
from models.store.base.identity import derived_id
from models.store.orders import excluded_records
from models.store.payables import bill_payment_events
from models.store.payables.payment_application import Paid, move_bills
from models.store.payables.payments import external_key_for
from models.store.payables.statuses import moved
from models.tables import ConnectionRow


class ErpPaymentsUpserted(NamedTuple):
    """Result of a page of payments. `ours`: our bills whose payment changed; their workflows should be notified."""

    seen: int
    changed: int
    ours: tuple[BillId, ...]


_THEIR_STATUS = moved("payments", "held.status", "excluded.status", origin="held.origin")


_COUNTED = frozenset({PaymentStatus.PAID.value, PaymentStatus.VOIDING.value})
"""The statuses of payments whose amount counts as paid on their bills."""


class _Theirs(NamedTuple):
    """One share of a payment made in the ERP, as a row of the mirror."""

    id: str
    bill_id: str
    status: PaymentStatus
    amount: Decimal
    payment: ErpPayment


async def upsert(s: AsyncSession, row: ConnectionRow, payments: Sequence[ErpPayment]) -> ErpPaymentsUpserted:
    """Store a page of payments. A payment of a bill that we do not have is recorded as excluded.

    What is paid on a bill is the ERP's own figure and comes with the bill. A payment changes it only where that figure
    cannot include the payment yet (`payment_application.py`).
    """
    await s.flush()
    connection = await s.connection()
    newest: dict[str, ErpPayment] = {}
    for payment in payments:
        if payment.erp_id not in newest or newest[payment.erp_id].revision <= payment.revision:
            newest[payment.erp_id] = payment
    stored = await _stored(connection, row.id, list(newest.values()))
    newer = [payment for payment in newest.values() if _is_newer(stored, payment)]
    if not newer:
        return ErpPaymentsUpserted(len(payments), 0, ())
    await _lock_bills(connection, row.id, newer)
    stored = await _stored(connection, row.id, newer, lock=True)
    newer = [payment for payment in newer if _is_newer(stored, payment)]
    paid = [
        *await _take_ours(s, connection, row, stored, newer),
        *await _take_theirs(s, connection, row, stored, newer),
    ]
    ours = await move_bills(s, connection, row, paid)
    return ErpPaymentsUpserted(len(payments), len(newer), ours)


class _StoredRows:
    """The stored payments that a page may concern, by the ERP's record and by our key."""

    def __init__(self, rows: Sequence[Any], payments: Sequence[ErpPayment]) -> None:
        self._first: dict[str, str] = {}
        """By our key, the record of this page that is taken for the payment."""
        for payment in sorted(payments, key=lambda one: (one.voided, len(one.erp_id), one.erp_id)):
            if payment.document_number:
                self._first.setdefault(payment.document_number, payment.erp_id)
        self.theirs = {row.id: row for row in rows if row.origin == Origin.ERP.value}
        self._ours: dict[str, list[Any]] = {}
        self._by_record: dict[str, list[Any]] = {}
        for row in rows:
            if row.origin == Origin.POSYNC.value and row.external_key is not None:
                self._ours.setdefault(row.external_key, []).append(row)
            self._by_record.setdefault(row.erp_id, []).append(row)

    def rows_of(self, payment: ErpPayment) -> list[Any]:
        """Return our row if the payment is ours, else one row per bill that it pays. One that has our key, and is not
        the record that ours became, is another one."""
        rows = self._by_record.get(payment.erp_id, [])
        ours = [row for row in rows if row.origin == Origin.POSYNC.value]
        return ours or self._keyed(payment) or rows

    def _keyed(self, payment: ErpPayment) -> list[Any]:
        """Return our row that has no record yet, if this is the record to take for it. Where the ERP made several of
        one request, that is the first of those that are not void; the others are made there."""
        key = payment.document_number or ""
        rows = [row for row in self._ours.get(key, []) if row.erp_id is None]
        return rows if rows and self._first.get(key, payment.erp_id) == payment.erp_id else []


async def _stored(
    connection: AsyncConnection, connection_id: str, payments: Sequence[ErpPayment], *, lock: bool = False
) -> _StoredRows:
    rows = await connection.execute(
        text(
            "select p.id, p.origin, p.status, h.amount, h.bill_id, p.external_key, p.erp_id, p.erp_revision,"
            "   b.payable_id, array(select x.payable_id from bill_parts x where x.bill_id = b.id"
            "      and x.generation = b.generation and x.payable_id is not null) as part_payables"
            "   from payments p join payment_shares h on h.payment_id = p.id join bills b on b.id = h.bill_id"
            " where p.connection_id = :c and (p.erp_id = any(cast(:ids as text[]))"
            "   or p.external_key = any(cast(:keys as text[]))) order by p.id, h.bill_id"
            + (" for update of p" if lock else "")
        ),
        {
            "c": connection_id,
            "ids": [payment.erp_id for payment in payments],
            "keys": [payment.document_number for payment in payments if payment.document_number],
        },
    )
    return _StoredRows(rows.all(), payments)


def _is_newer(stored: _StoredRows, payment: ErpPayment) -> bool:
    rows = stored.rows_of(payment)
    return not rows or any(row.erp_revision is None or row.erp_revision < payment.revision for row in rows)


async def _lock_bills(connection: AsyncConnection, connection_id: str, payments: Sequence[ErpPayment]) -> None:
    """Lock bills before payments, as everywhere: `payments.lock_bill` is what a scheduled payment takes first."""
    await connection.execute(
        text(
            "select 1 from bills where connection_id = :c and (payable_id = any(cast(:payables as text[]))"
            "   or id in (select bill_id from bill_parts where connection_id = :c"
            "             and payable_id = any(cast(:payables as text[])))"
            "   or id in (select h.bill_id from payments p join payment_shares h on h.payment_id = p.id"
            "             where p.connection_id = :c and (p.erp_id = any(cast(:ids as text[]))"
            "               or p.external_key = any(cast(:keys as text[])))))"
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
    s: AsyncSession, connection: AsyncConnection, row: ConnectionRow, stored: _StoredRows, newer: Sequence[ErpPayment]
) -> list[Paid]:
    """Store the ERP record of payments of ours, and that they were voided or given another amount there; their
    workflow confirms the rest."""
    updates: list[tuple[Any, ErpPayment, PaymentStatus]] = []
    amounts: dict[str, Decimal] = {}
    was: dict[str, Decimal] = {}
    shares: list[tuple[Any, Decimal]] = []
    for payment in newer:
        for ours in stored.rows_of(payment):  # one row per bill that it pays
            if ours.origin != Origin.POSYNC.value:
                continue
            before = PaymentStatus(ours.status)
            voided = payment.voided and may_move(before, PaymentStatus.VOIDED)
            if ours.id not in amounts:
                updates.append((ours, payment, PaymentStatus.VOIDED if voided else before))
            there = Decimal(ours.amount) if voided else _amount_there(ours, payment)
            shares.append((ours, there))
            amounts[ours.id] = amounts.get(ours.id, Decimal(0)) + there
            was[ours.id] = was.get(ours.id, Decimal(0)) + ours.amount
    if not updates:
        return []
    voids = [ours.id for ours, _, status in updates if status is PaymentStatus.VOIDED]
    await bill_payment_events.record_voids(s, voids, why="voided in the ERP")
    await connection.execute(
        text(
            "update payment_shares h set amount = n.amount"
            " from unnest(cast(:ids as text[]), cast(:bills as text[]), cast(:amounts as numeric[]))"
            "   as n(id, bill_id, amount)"
            " where h.payment_id = n.id and h.bill_id = n.bill_id and h.amount <> n.amount"
        ),
        {
            "ids": [ours.id for ours, _ in shares],
            "bills": [ours.bill_id for ours, _ in shares],
            "amounts": [there for _, there in shares],
        },
    )
    await connection.execute(
        text(
            "update payments p set erp_id = n.erp_id, erp_revision = n.revision, amount = n.amount,"
            f"   status = {moved('payments', 'p.status', 'n.status')},"
            "   version = p.version + cast((p.status, p.amount) <> (n.status, n.amount) as int),"
            "   changed_at = case when (p.status, p.amount) <> (n.status, n.amount) then now() else p.changed_at end"
            " from unnest(cast(:ids as text[]), cast(:erp_ids as text[]), cast(:revisions as text[]),"
            "   cast(:statuses as text[]), cast(:amounts as numeric[])) as n(id, erp_id, revision, status, amount)"
            " where p.id = n.id"
        ),
        {
            "ids": [ours.id for ours, _, _ in updates],
            "erp_ids": [payment.erp_id for _, payment, _ in updates],
            "revisions": [payment.revision for _, payment, _ in updates],
            "statuses": [status.value for _, _, status in updates],
            "amounts": [amounts[ours.id] for ours, _, _ in updates],
        },
    )
    voided_now = {ours.id: payment for ours, payment, status in updates if status is PaymentStatus.VOIDED}
    for payment_id, payment in voided_now.items():  # an answer that was lost is no doubt any more
        await writes.confirm(s, external_key_for(PaymentId(payment_id)), payment.erp_id)
    await sync_issues.close_for_subjects(s, ConnectionId(row.id), "payment", list(voided_now), actor=SYNCER)
    await _record(s, row, [(ours.id, ours.status, status) for ours, _, status in updates], why="voided in the ERP")
    await _record_amounts(s, row, [(payment_id, was[payment_id], there) for payment_id, there in amounts.items()])
    return [
        Paid(ours.bill_id, ours.amount, voided_now[ours.id].revision, voided=True)
        for ours, _ in shares
        if ours.id in voided_now and ours.status in _COUNTED
    ]


def _amount_there(ours: Any, payment: ErpPayment) -> Decimal:
    """Return what a payment of ours pays of its bill in the ERP; its own amount while it is not settled, or where the
    ERP does not name the bill."""
    payables = {ours.payable_id, *ours.part_payables}
    shares = [share.amount for share in payment.shares if share.bill_erp_id in payables]
    if ours.status != PaymentStatus.PAID.value or not payment.settled or not shares:
        return Decimal(ours.amount)
    return sum(shares, Decimal(0))


async def _record_amounts(s: AsyncSession, row: ConnectionRow, amounts: Sequence[tuple[str, Decimal, Decimal]]) -> None:
    await events.record_all(
        s,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="payment",
        actor=SYNCER,
        why="edited in the ERP",
        changes=[
            events.Change(payment_id, "edited_in_erp", {"amount": str(before)}, {"amount": str(after)})
            for payment_id, before, after in amounts
            if before != after
        ],
    )


async def _take_theirs(
    s: AsyncSession, connection: AsyncConnection, row: ConnectionRow, stored: _StoredRows, newer: Sequence[ErpPayment]
) -> list[Paid]:
    before = stored.theirs
    made_there = [
        payment for payment in newer if all(known.origin == Origin.ERP.value for known in stored.rows_of(payment))
    ]
    bills = await _bills_by_payable(connection, row.id, made_there)
    shares: list[_Theirs] = []
    unknown: list[excluded_records.Skip] = []
    for payment in made_there:
        status = _status(payment)
        number = payment.document_number or payment.erp_id
        result = {bills[share.bill_erp_id] for share in payment.shares if share.bill_erp_id in bills}
        for bill_id in sorted(result):
            amount = sum(share.amount for share in payment.shares if bills.get(share.bill_erp_id) == bill_id)
            payment_id = derived_id("pay", row.id, payment.erp_id, bill_id)
            shares.append(_Theirs(payment_id, bill_id, status, Decimal(amount), payment))
        if not result:
            reason = f"Payment {number} pays no bill that is in posync."
            unknown.append((payment.erp_id, number, "PAYS_NO_BILL_HERE", reason, payment.revision))
    # A payment keeps its rows when the payable of a bill gets a new number: the share is then found by its bill.
    touched = {share.id for share in shares}
    for payment in made_there:
        for known in stored.rows_of(payment):
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
    await excluded_records.record(s, ConnectionId(row.id), Stream.PAYMENTS, unknown)
    await excluded_records.mark_imported(
        s, ConnectionId(row.id), Stream.PAYMENTS, [share.payment.erp_id for share in shares]
    )
    voids = [share.id for share in shares if share.status is PaymentStatus.VOIDED and share.id in before]
    await bill_payment_events.record_voids(s, voids, why="voided in the ERP")
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
            " union select p.payable_id, b.id from bill_parts p join bills b on b.id = p.bill_id"
            " where p.connection_id = :c and p.payable_id = any(cast(:payables as text[]))"
            " and b.status not in ('deleted', 'abandoned')"
        ),
        {
            "c": connection_id,
            "payables": [share.bill_erp_id for payment in payments for share in payment.shares],
        },
    )
    return {result.payable_id: result.id for result in rows}


async def _write_theirs(connection: AsyncConnection, row: ConnectionRow, shares: Sequence[_Theirs]) -> None:
    if not shares:
        return
    await connection.execute(
        text(
            "with written as (insert into payments as held (id, organization_id, connection_id, bill_id, origin,"
            "   status, amount, currency, pay_on, method, bank_account, erp_id, erp_revision, created_by, version)"
            " select n.id, :organization, :c, n.bill_id, 'erp', n.status, n.amount, n.currency, n.pay_on, '', '',"
            "   n.erp_id, n.revision, 'erp', 1"
            " from unnest(cast(:ids as text[]), cast(:bills as text[]), cast(:statuses as text[]),"
            "   cast(:amounts as numeric[]), cast(:currencies as text[]), cast(:days as date[]),"
            "   cast(:erp_ids as text[]), cast(:revisions as text[]))"
            "   as n(id, bill_id, status, amount, currency, pay_on, erp_id, revision)"
            f" on conflict (id) do update set status = {_THEIR_STATUS}, amount = excluded.amount,"
            "   pay_on = excluded.pay_on, erp_revision = excluded.erp_revision, version = held.version + 1,"
            "   changed_at = now()"
            " where coalesce(held.erp_revision < excluded.erp_revision, true)"
            " returning id, bill_id, amount)"
            " insert into payment_shares (payment_id, bill_id, amount) select id, bill_id, amount from written"
            " on conflict (payment_id, bill_id) do update set amount = excluded.amount"
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
