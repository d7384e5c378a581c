"""Accounts and dimensions of a bill's lines: what the ERP would refuse is found at once."""

from collections.abc import Mapping, Sequence, Set
from typing import Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.problems import Problem
from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from models.store.sync import list_entries

KINDS = {
    "account": ListKind.GL_ACCOUNT,
    "department": ListKind.DEPARTMENT,
    "location": ListKind.LOCATION,
    "class_id": ListKind.CLASS,
    "project": ListKind.PROJECT,
    "substitute": ListKind.ITEM,
}
"""By the field that names one."""

SAID = {
    "unknown": "The ERP has no {kind} {value!r}. If it is new, run a sync.",
    "inactive": "The {kind} {value!r} is inactive in the ERP.",
}


class LineWithDimensions(Protocol):
    """A line of an order, of a bill, of a new bill or of an edit."""

    @property
    def department(self) -> str | None: ...
    @property
    def location(self) -> str | None: ...
    @property
    def class_id(self) -> str | None: ...


class CodedLine(LineWithDimensions, Protocol):
    """A line of a new bill or of an edit."""

    @property
    def account(self) -> str | None: ...


async def check_dimensions(
    session: AsyncSession,
    connection_id: ConnectionId,
    lines: Sequence[CodedLine],
    *,
    entity: str | None,
    known: Sequence[LineWithDimensions] = (),
    accounts: bool = False,
) -> None:
    """Refuse what is in none of the lists that came in or is inactive, and locations of another entity than the bill's
    (None: its order belongs to none). What stands on the `known` lines, the order's or the bill's own, is taken: the
    ERP has it there. `accounts`: look at the GL accounts too; those of lines on no order are judged by the match.

    Raises:
        Problem: VALIDATION_FAILED, by line.
    """
    given = {
        (position, field): (kind, value)
        for position, line in enumerate(lines)
        for field, kind in KINDS.items()
        if (value := getattr(line, field, None))
        and (field != "account" or (accounts and not getattr(line, "off_order", False)))
    }
    taken = {(kind, getattr(line, field, None)) for line in known for field, kind in KINDS.items()}
    wrong = await list_entries.unusable(session, connection_id, sorted(set(given.values()) - taken))
    errors = [
        {
            "where": f"body.lines.{position}.{field}",
            "message": SAID[wrong[kind, value]].format(kind=kind, value=value),
            "rule": wrong[kind, value],
        }
        for (position, field), (kind, value) in given.items()
        if (kind, value) in wrong
    ]
    if entity is not None:
        errors += await _of_other_entities(session, connection_id, given, taken, entity)
    if errors:
        raise Problem("VALIDATION_FAILED", f"{errors[0]['where']}: {errors[0]['message']}", extra={"errors": errors})


async def _of_other_entities(
    session: AsyncSession,
    connection_id: ConnectionId,
    given: Mapping[tuple[int, str], tuple[ListKind, str]],
    taken: Set[tuple[ListKind, str | None]],
    entity: str,
) -> list[dict[str, str]]:
    named = {value for kind, value in given.values() if kind is ListKind.LOCATION and (kind, value) not in taken}
    if not named:
        return []
    others = await list_entries.of_other_entities(session, connection_id, sorted(named), entity)
    return [
        {
            "where": f"body.lines.{position}.{field}",
            "message": f"Location {value!r} belongs to entity {others[value]}, the bill to entity {entity}.",
            "rule": "other_entity",
        }
        for (position, field), (kind, value) in given.items()
        if kind is ListKind.LOCATION and value in others
    ]
