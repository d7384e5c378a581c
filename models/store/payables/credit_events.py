"""Record on bills and credits that a credit was applied, or freed, as the ERP shows it: with who asked for it, and why.

An application, a payment or a void of ours that the ERP shows for the first time names its person; everything else was
done in the ERP.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import ErpBill
from models.domain.ids import SYNCER, ConnectionId, OrganizationId
from models.store.audit import events
from models.tables import ConnectionRow


class Seen(NamedTuple):
    """A credit that was read, with what it was applied with before, as the mirror has it."""

    credit_id: str
    before: Sequence[Mapping[str, Any]]
    credit: ErpBill


_WHO = text(
    """
    select n.credit_id, n.number as credit, n.amount, b.id as bill_id, b.number as bill, who.actor, who.why
      from unnest(cast(:credits as text[]), cast(:numbers as text[]), cast(:payables as text[]),
                  cast(:amounts as numeric[])) as n(credit_id, number, payable, amount)
      cross join lateral (
          select p.id from bills p where p.connection_id = :c and p.payable_id = n.payable
          union select x.bill_id from bill_parts x where x.connection_id = :c and x.payable_id = n.payable) of
      join bills b on b.id = of.id and b.kind = 'bill' and b.status not in ('deleted', 'abandoned')
      left join lateral (
          select w.actor, w.why from (
              select a.created_by as actor, a.why, a.changed_at from credit_applications a
               where n.amount > 0 and a.credit_id = n.credit_id and a.bill_id = b.id
                 and a.status in ('applying', 'applied') and not a.shown
              union all
              select a.unapplied_by, a.unapplied_why, a.changed_at from credit_applications a
               where n.amount < 0 and a.credit_id = n.credit_id and a.bill_id = b.id
                 and a.status in ('unapplying', 'unapplied') and a.shown and a.unapplied_by is not null
              union all
              select case when n.amount > 0 then p.created_by else p.void_by end,
                     case when n.amount > 0 then 'with payment ' || coalesce(p.reference, p.id) else p.void_why end,
                     p.changed_at
                from payment_credits c join payments p on p.id = c.payment_id
                join payment_shares h on h.payment_id = p.id and h.bill_id = b.id
               where c.credit_id = n.credit_id
                 and p.status = any(case when n.amount > 0 then array['submitted', 'sync_issue']
                                         else array['voiding'] end)
          ) w order by w.changed_at desc limit 1) who on true
     order by n.credit_id, b.id
    """
)

_RECORDED = text(
    "update credit_applications set shown = false where shown and status = 'unapplied'"
    " and credit_id = any(cast(:credits as text[]))"
)


async def record(s: AsyncSession, connection: AsyncConnection, row: ConnectionRow, seen: Sequence[Seen]) -> None:
    """Record how what these credits are applied to differs from what it was. Called before the mirror's applications
    are compared with it."""
    moved = [
        (one.credit_id, one.credit.number, payable, amount) for one in seen for payable, amount in _differences(one)
    ]
    if not moved:
        return
    rows = await connection.execute(
        _WHO,
        {
            "c": row.id,
            "credits": [one[0] for one in moved],
            "numbers": [one[1] for one in moved],
            "payables": [one[2] for one in moved],
            "amounts": [one[3] for one in moved],
        },
    )
    by_cause: dict[tuple[str, str], list[events.Change]] = {}
    for each in rows.all():
        kind, amount = "credit_applied" if each.amount > 0 else "credit_unapplied", str(abs(each.amount))
        cause = (SYNCER, "in the ERP") if each.actor is None else (each.actor, each.why or "")
        by_cause.setdefault(cause, []).extend(
            (
                events.Change(each.bill_id, kind, None, {"credit": each.credit, "amount": amount}),
                events.Change(each.credit_id, kind, None, {"bill": each.bill, "amount": amount}),
            )
        )
    for (actor, why), changes in by_cause.items():
        await events.record_all(
            s,
            organization_id=OrganizationId(row.organization_id),
            connection_id=ConnectionId(row.id),
            subject_kind="bill",
            actor=actor,
            why=why,
            changes=changes,
        )
    await connection.execute(_RECORDED, {"credits": [one.credit_id for one in seen]})


def _differences(one: Seen) -> list[tuple[str, Decimal]]:
    """Return by how much more, or less, the credit is applied to each payable."""
    amounts: dict[str, Decimal] = {}
    for share in one.credit.applied:
        amounts[share.bill_erp_id] = amounts.get(share.bill_erp_id, Decimal(0)) + share.amount
    for stored in one.before:
        payable = str(stored["bill_erp_id"])
        amounts[payable] = amounts.get(payable, Decimal(0)) - Decimal(stored["amount"])
    return [(payable, amount) for payable, amount in sorted(amounts.items()) if amount]
