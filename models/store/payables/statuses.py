"""Move bills and payments from status to status as the tables in `models/domain` allow, and find rows outside them.

Every statement of the store that changes such a status takes its new value from `moved`: a move that the table does not
name leaves the status as it is. So what a late step brings never reopens a bill or a payment that has ended.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from sqlalchemy import TextClause, text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import bill_states, payment_states
from models.domain.situations import Table
from models.store.audit import events

Kind = Literal["bills", "payments"]

_OURS: Mapping[Kind, Mapping[Any, frozenset[Any]]] = {"bills": bill_states.MOVES, "payments": payment_states.MOVES}
_MADE_IN_ERP: Mapping[Kind, Mapping[Any, frozenset[Any]]] = {
    "bills": bill_states.MOVES_MADE_IN_ERP,
    "payments": payment_states.MOVES_MADE_IN_ERP,
}
_WAYS_ON: Mapping[Kind, Table] = {"bills": bill_states.WAYS_ON, "payments": payment_states.WAYS_ON}


def moved(kind: Kind, now: str, wanted: str, *, origin: str | None = None) -> str:
    """Return the SQL of the status that follows: `wanted` where the table allows it, else `now`; all three are SQL.

    `origin` is given where the statement also meets records made in the ERP; without it they are ours.
    """
    ours = f"({now}, {wanted}) in ({_pairs(_OURS[kind])})"
    allowed = ours if origin is None else f"case {origin} when 'erp' then {_theirs(kind, now, wanted)} else {ours} end"
    return f"case when {allowed} then {wanted} else {now} end"


def _theirs(kind: Kind, now: str, wanted: str) -> str:
    return f"({now}, {wanted}) in ({_pairs(_MADE_IN_ERP[kind])})"


def _pairs(moves: Mapping[StrEnum, frozenset[StrEnum]]) -> str:
    return ", ".join(
        f"('{before.value}', '{after.value}')" for before, allowed in moves.items() for after in sorted(allowed)
    )


def status_statement(table: Kind) -> TextClause:
    """Return the statement for rows of this table. It takes `id`, `status`, `actor` and `why`, and returns the row's
    organization and the status it then has. The same status again changes nothing, as does one that may not follow."""
    return text(
        f"""
        with before as (
            select id, organization_id, connection_id, status from {table} where id = :id for update
        ), after as (
            select b.*, {moved(table, "b.status", "cast(:status as varchar)")} as now from before b
        ), moved as (
            update {table} x set status = a.now, version = x.version + 1, changed_at = now()
              from after a where x.id = a.id and a.status <> a.now
            returning x.id
        ), noted as (
            {events.ADD}
            select a.organization_id, a.connection_id, '{table.removesuffix("s")}', a.id, 'status', :actor, :why,
                   jsonb_build_object('status', a.status), jsonb_build_object('status', a.now)
              from after a join moved m on m.id = a.id
        )
        select organization_id, now as status from after
        """
    )


class Outside(NamedTuple):
    """A bill or a payment of ours in a situation that the table does not name."""

    organization_id: str
    connection_id: str
    kind: str
    """bill | payment."""
    id: str
    name: str
    """The bill's number."""
    status: str
    write: str
    """The state of its ERP write; `none`: there is no such write."""
    stopped: bool
    """Whether an open issue of its workflow stands on it."""
    changed_at: datetime


def _outside(kind: Kind, name: str) -> TextClause:
    subject = kind.removesuffix("s")
    allowed = ", ".join(f"('{one.status}', '{one.write_shown}', {str(one.stopped).lower()})" for one in _WAYS_ON[kind])
    return text(
        f"""
        select x.organization_id, x.connection_id, '{subject}' as kind, x.id, {name} as name, x.status, s.write,
               s.stopped, x.changed_at
          from {kind} x
          left join erp_writes w on w.subject_id = x.id and w.kind = '{subject}'
          cross join lateral (
              select coalesce(w.state, 'none') as write,
                     exists (select from sync_issues i
                              where i.connection_id = x.connection_id and i.subject_kind = '{subject}'
                                and i.subject_id = x.id and i.state = 'open' and i.workflow_id is not null) as stopped
          ) s
         where x.origin = 'posync' and (x.status, s.write, s.stopped) not in ({allowed})
         order by x.changed_at, x.id
        """
    )


_OUTSIDE = (
    _outside("bills", "x.number"),
    _outside("payments", "(select b.number from bills b where b.id = x.bill_id)"),
)


async def outside(session: AsyncSession) -> Sequence[Outside]:
    """Return the bills and payments of all organizations that are in no situation of the tables."""
    return [Outside(*row) for statement in _OUTSIDE for row in await session.execute(statement)]
