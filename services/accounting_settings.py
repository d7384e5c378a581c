"""Set and apply what a connection's bills carry of the ERP's accounting: their dimensions, and the day they post on.

Both count when a bill is entered: bills that are here already keep what they say.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple, Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.accounting_settings import Dimension, PostingDay
from models.domain.ids import ConnectionId
from models.store.audit import events
from models.store.base.today import today_in
from models.store.connections import closed_periods, connections
from models.store.orders.ledger import LedgerLine
from models.tables import ConnectionRow
from services.refusal import Refused


class LineWithDimensions(Protocol):
    """A line that may name dimensions: one of an order, or one that is asked for."""

    @property
    def department(self) -> str | None: ...
    @property
    def location(self) -> str | None: ...
    @property
    def class_id(self) -> str | None: ...
    @property
    def project(self) -> str | None: ...


class Coding(NamedTuple):
    """The dimensions of a bill's line."""

    department: str | None
    location: str | None
    class_id: str | None
    project: str | None


class AccountingSettings(NamedTuple):
    """What bills carry."""

    dimensions: Mapping[Dimension, bool]
    """Of every dimension, whether they carry it."""
    posting_day: PostingDay


def stored(row: ConnectionRow) -> AccountingSettings:
    """Return the connection's present settings."""
    return AccountingSettings(
        {dimension: bool(row.dimensions.get(dimension.value, True)) for dimension in Dimension},
        PostingDay(row.posting_day),
    )


async def set_to(session: AsyncSession, row: ConnectionRow, wanted: AccountingSettings, *, actor: str) -> None:
    """Store a locked connection's settings.

    Raises:
        Refused: POSTING_DAY_NOT_OFFERED.
    """
    was = stored(row)
    if wanted == was:
        return
    if wanted.posting_day is not PostingDay.BILL_DATE and not row.capabilities.get("posting_dates"):
        raise Refused("POSTING_DAY_NOT_OFFERED", f"{row.name} posts each bill on its own date.")
    await connections.set_accounting(session, ConnectionId(row.id), **wanted._asdict())
    await events.record_setting(
        session, row, "accounting_settings_set", actor=actor, before=_logged(was), after=_logged(wanted)
    )


def _logged(one: AccountingSettings) -> dict[str, object]:
    dimensions = {dimension.value: carried for dimension, carried in one.dimensions.items()}
    return {"dimensions": dimensions, "posting_day": one.posting_day.value}


def coding(row: ConnectionRow, *lines: LineWithDimensions) -> Coding:
    """Return the dimensions of a bill's line: what the first line that has one says, of those that bills carry."""
    carried = stored(row).dimensions

    def of(dimension: Dimension) -> str | None:
        named = (getattr(line, dimension.field) for line in lines) if carried[dimension] else ()
        return next((value for value in named if value), None)

    return Coding(*(of(dimension) for dimension in Dimension))


async def posting_date(session: AsyncSession, row: ConnectionRow, bill_date: date, *, entity: str | None) -> date:
    """Return the day that a bill posts on, where nobody gave one."""
    match PostingDay(row.posting_day):
        case PostingDay.BILL_DATE:
            return bill_date
        case PostingDay.ENTRY:
            return today_in(row.time_zone)
        case PostingDay.OPEN_PERIOD:
            closed = await closed_periods.closed_through(session, ConnectionId(row.id), entity or row.entity)
            return bill_date if closed is None else max(bill_date, closed + timedelta(days=1))


def as_carried(row: ConnectionRow, line: LedgerLine) -> LedgerLine:
    """Return an order's line with the dimensions that bills carry."""
    return replace(line, **coding(row, line)._asdict())
