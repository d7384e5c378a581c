"""Read every row of an export, in the order in which it was made, without holding more than a few in memory.

An export is one statement, so it shows one moment, whatever changes while it is being read.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.types import DateTime
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.exports import ColumnKind, ExportKind
from models.domain.ids import ConnectionId, OrganizationId

TEXT, MONEY, NUMBER = ColumnKind.TEXT, ColumnKind.MONEY, ColumnKind.NUMBER
DAY, INSTANT, SWITCH, DETAILS = ColumnKind.DAY, ColumnKind.INSTANT, ColumnKind.SWITCH, ColumnKind.DETAILS

AT_A_TIME = 500
"""How many rows the driver holds."""


@dataclass(frozen=True)
class Export:
    """The columns of an export, each with what it holds and its SQL expression, and where its rows come from."""

    columns: Mapping[str, tuple[ColumnKind, str]]
    source: str
    changed: str
    """The expression that says when a row changed last."""
    order: str


class ExportScope(NamedTuple):
    """Which rows an export has: all of the organization, or only some."""

    organization_id: OrganizationId
    connection_id: ConnectionId | None = None
    changed_since: datetime | None = None


def _same(kind: ColumnKind, prefix: str, *names: str) -> dict[str, tuple[ColumnKind, str]]:
    return {name: (kind, f"{prefix}.{name}") for name in names}


_ORDERS = Export(
    columns={
        "purchase_order_id": (TEXT, "o.id"),
        **_same(TEXT, "o", "connection_id", "erp_id", "number", "vendor_id", "vendor_name"),
        **_same(DAY, "o", "ordered_on", "due_on"),
        **_same(TEXT, "o", "currency", "entity", "erp_status", "status", "matching_status", "reference", "term"),
        **_same(MONEY, "o", "total"),
        **_same(TEXT, "o", "memo"),
        "line_no": (NUMBER, "l.line_no"),
        **_same(TEXT, "l", "item_id", "description", "unit"),
        **_same(NUMBER, "l", "quantity", "price"),
        **_same(MONEY, "l", "amount"),
        **_same(NUMBER, "l", "received", "billed", "credited"),
        **_same(SWITCH, "l", "closed"),
        **_same(TEXT, "l", "department", "location", "class_id", "project"),
        **_same(INSTANT, "o", "changed_at"),
    },
    source="""
    purchase_orders o
    join connections c on c.id = o.connection_id and c.purchase_orders_enabled
    left join purchase_order_lines l on l.purchase_order_id = o.id and not l.deleted
    where o.deleted_at is null and c.organization_id = :organization
      and (cast(:connection as text) is null or o.connection_id = :connection)
    """,
    changed="o.changed_at",
    order="o.ordered_on, o.id, l.line_no",
)


def _bills(condition: str) -> Export:
    return Export(
        columns={
            "bill_id": (TEXT, "b.id"),
            **_same(TEXT, "b", "connection_id", "erp_id", "number", "vendor_id", "vendor_name"),
            **_same(TEXT, "b", "origin", "status", "match_outcome"),
            **_same(DAY, "b", "bill_date", "posting_date", "due_date"),
            **_same(TEXT, "b", "currency"),
            **_same(MONEY, "b", "total", "tax", "discount", "paid"),
            **_same(TEXT, "b", "reference", "memo"),
            "line_no": (NUMBER, "l.line_no"),
            "purchase_order_number": (TEXT, "o.number"),
            "purchase_order_line_no": (NUMBER, "l.purchase_order_line_no"),
            **_same(TEXT, "l", "item_id", "account", "description"),
            **_same(NUMBER, "l", "quantity"),
            **_same(TEXT, "l", "unit"),
            **_same(NUMBER, "l", "price"),
            **_same(MONEY, "l", "amount"),
            **_same(TEXT, "l", "department", "location", "class_id", "project"),
            **_same(TEXT, "b", "created_by"),
            **_same(INSTANT, "b", "created_at", "changed_at"),
        },
        source=f"""
        bills b
        left join bill_lines l on l.bill_id = b.id
        left join purchase_orders o on o.id = coalesce(l.purchase_order_id, b.purchase_order_id)
        where b.organization_id = :organization and {condition}
          and (cast(:connection as text) is null or b.connection_id = :connection)
        """,
        changed="b.changed_at",
        order="b.created_at, b.id, l.line_no",
    )


_CREDIT = "b.kind = 'credit'"

_PAYMENTS = Export(
    columns={
        "payment_id": (TEXT, "p.id"),
        **_same(TEXT, "p", "connection_id", "erp_id"),
        **_same(TEXT, "h", "bill_id"),
        "bill_number": (TEXT, "b.number"),
        **_same(TEXT, "b", "vendor_id", "vendor_name"),
        **_same(TEXT, "p", "origin", "status"),
        **_same(MONEY, "h", "amount"),
        **_same(TEXT, "p", "currency"),
        **_same(DAY, "p", "pay_on"),
        **_same(TEXT, "p", "method", "bank_account", "reference", "external_id", "created_by"),
        **_same(INSTANT, "p", "created_at", "changed_at"),
    },
    source="""
    payments p join payment_shares h on h.payment_id = p.id join bills b on b.id = h.bill_id
    where p.organization_id = :organization
      and (cast(:connection as text) is null or p.connection_id = :connection)
    """,
    changed="p.changed_at",
    order="p.created_at, p.id, h.bill_id",
)

_ISSUES = Export(
    columns={
        "issue_id": (TEXT, "i.id"),
        **_same(TEXT, "i", "connection_id", "code", "subject_kind", "subject_id", "subject_name", "cause"),
        **_same(DETAILS, "i", "evidence"),
        **_same(TEXT, "i", "state", "decision", "decided_by", "decided_why"),
        **_same(NUMBER, "i", "occurrences"),
        **_same(INSTANT, "i", "opened_at", "last_seen_at", "closed_at"),
        **_same(TEXT, "i", "closed_by"),
    },
    source="""
    sync_issues i
    where i.organization_id = :organization
      and (cast(:connection as text) is null or i.connection_id = :connection)
    """,
    changed="greatest(i.last_seen_at, i.closed_at)",
    order="i.opened_at, i.id",
)

_EVENTS = Export(
    columns={
        "event_id": (NUMBER, "e.id"),
        **_same(TEXT, "e", "connection_id", "subject_kind", "subject_id", "kind", "actor", "why"),
        **_same(DETAILS, "e", "before", "after"),
        **_same(INSTANT, "e", "at"),
    },
    source="""
    events e
    where e.organization_id = :organization
      and (cast(:connection as text) is null or e.connection_id = :connection)
    """,
    changed="e.at",
    order="e.id",
)

EXPORTS: Mapping[ExportKind, Export] = {
    ExportKind.PURCHASE_ORDERS: _ORDERS,
    ExportKind.BILLS: _bills(f"not {_CREDIT}"),
    ExportKind.CREDITS: _bills(_CREDIT),
    ExportKind.PAYMENTS: _PAYMENTS,
    ExportKind.ISSUES: _ISSUES,
    ExportKind.EVENTS: _EVENTS,
}


async def stream(session: AsyncSession, kind: ExportKind, scope: ExportScope) -> AsyncIterator[Mapping[str, Any]]:
    """Yield every row by column name, read as it is needed."""
    export = EXPORTS[kind]
    columns = ", ".join(f"{expression} as {name}" for name, (_, expression) in export.columns.items())
    statement = text(
        f"select {columns} from {export.source}"
        f" and (cast(:since as timestamptz) is null or {export.changed} >= :since) order by {export.order}"
    ).bindparams(bindparam("since", type_=DateTime(timezone=True)))
    values = {
        "organization": scope.organization_id,
        "connection": scope.connection_id,
        "since": scope.changed_since,
    }
    rows = await session.stream(statement, values, execution_options={"yield_per": AT_A_TIME})
    async for row in rows:
        yield dict(row._mapping)
