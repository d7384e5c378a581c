"""Accounts and dimensions of a bill's lines: what the ERP would refuse is found at once."""

from collections.abc import Mapping, Sequence, Set
from typing import Any, NamedTuple, Protocol

from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.problems import Problem
from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from models.store.sync import list_entries
from models.tables import BillLineRow, ConnectionRow
from services.accounting_settings import LineWithDimensions, stored

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


class CodedLine(LineWithDimensions, Protocol):
    """A line of a new bill or of an edit."""

    @property
    def account(self) -> str | None: ...


async def check_dimensions(
    session: AsyncSession,
    connection: ConnectionRow,
    lines: Sequence[CodedLine],
    *,
    entity: str | None,
    known: Sequence[LineWithDimensions] = (),
    accounts: bool = False,
) -> None:
    """Refuse what is in none of the lists that came in or is inactive, dimensions that the connection's bills do not
    carry, and locations of another entity than the bill's (None: its order belongs to none). What stands on the `known`
    lines, the order's or the bill's own, is taken: the ERP has it there. `accounts`: look at the GL accounts too; those
    of lines on no order are judged by the match.

    Raises:
        Problem: VALIDATION_FAILED, by line.
    """
    connection_id = ConnectionId(connection.id)
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
    errors += _not_carried(connection, given, taken)
    if entity is not None:
        errors += await _of_other_entities(session, connection_id, given, taken, entity)
    if errors:
        raise Problem("VALIDATION_FAILED", f"{errors[0]['where']}: {errors[0]['message']}", extra={"errors": errors})


async def check_own_fields(
    session: AsyncSession, connection: ConnectionRow, lines: Sequence[Any], *, known: Sequence[Any] = ()
) -> None:
    """Refuse a warehouse where the ERP's bills have none, dimensions and fields that the connection has no name for,
    and values that the dimension or list does not have. What stands on the `known` lines is taken.

    Raises:
        Problem: VALIDATION_FAILED, naming the first one.
    """
    off_order = {line.line_no for line in known if getattr(line, "off_order", False)}
    for position, line in enumerate(lines):
        on_none = getattr(line, "off_order", False) or getattr(line, "line_no", None) in off_order
        if getattr(line, "warehouse", None) and (on_none or not connection.capabilities.get("warehouses")):
            what = "The line has no warehouse in the ERP: only lines on orders have one, on Intacct."
            error = {"where": f"body.lines.{position}.warehouse", "message": what, "rule": "not_carried"}
            raise Problem("VALIDATION_FAILED", f"{error['where']}: {what}", extra={"errors": [error]})
    offered = connection.capabilities.get("line_fields") or ()
    given = [
        (f"body.lines.{position}.custom.{name}", name, value)
        for position, line in enumerate(lines)
        for name, value in (getattr(line, "custom", None) or {}).items()
    ]
    taken = {pair for line in known for pair in (getattr(line, "custom", None) or {}).items()}
    asked = {(name, value) for _, name, value in given if value} - taken
    missing = await list_entries.no_values(session, ConnectionId(connection.id), sorted(asked))
    for where, name, value in given:
        what = ""
        if name not in offered:
            what = f"The connection has no dimension or field {name!r}. "
            what += f"It has {', '.join(offered)}." if offered else "It has none."
        elif (name, value) in missing:
            what = f"{name} has no value {value!r} in the ERP. If it is new, run a sync."
        if what:
            error = {"where": where, "message": what, "rule": "unknown"}
            raise Problem("VALIDATION_FAILED", f"{where}: {what}", extra={"errors": [error]})


def _not_carried(
    connection: ConnectionRow,
    given: Mapping[tuple[int, str], tuple[ListKind, str]],
    taken: Set[tuple[ListKind, str | None]],
) -> list[dict[str, str]]:
    left_out = {
        dimension.field: dimension for dimension, carried in stored(connection).dimensions.items() if not carried
    }
    return [
        {
            "where": f"body.lines.{position}.{field}",
            "message": f"This connection's bills carry no {left_out[field]}. An administrator changes that: "
            "PUT /v1/connections/{id}/accounting-settings.",
            "rule": "not_carried",
        }
        for (position, field), named in given.items()
        if field in left_out and named not in taken
    ]


ONE_EACH = ("class_id", "project")
"""What a line of the ERP's bill has one of, where it stands for all lines of one order line."""


class PlacedLine(NamedTuple):
    """A line of a bill, with the order line that it bills."""

    position: int | None
    """Where the body names it; None: it is stored, and stays as it is."""
    order_line: tuple[str, int | str]
    values: Mapping[str, str | None]
    """What it will have of `ONE_EACH`, by field."""


def edited_lines(of_bill: Sequence[BillLineRow], changes: Mapping[int, Mapping[str, Any]]) -> list[PlacedLine]:
    """Return a bill's lines on orders as an edit makes them; the changes are by line number."""
    positions = {line_no: position for position, line_no in enumerate(changes)}
    return [
        PlacedLine(
            positions.get(line.line_no),
            (line.purchase_order_id, line.purchase_order_line_no),
            {field: changes.get(line.line_no, {}).get(field, getattr(line, field)) for field in ONE_EACH},
        )
        for line in of_bill
        if line.purchase_order_id is not None and line.purchase_order_line_no is not None
    ]


def check_one_line_each(lines: Sequence[PlacedLine]) -> None:
    """Refuse lines of one order line that differ in what the ERP's one line has once.

    Raises:
        Problem: VALIDATION_FAILED, naming the first line that differs from another one.
    """
    for field in ONE_EACH:
        known: dict[tuple[str, int | str], str | None] = {}
        # What is stored comes first, so that the line is named that the body gives another value.
        for line in sorted(lines, key=lambda one: -1 if one.position is None else one.position):
            value = line.values.get(field) or None
            if known.setdefault(line.order_line, value) != value and line.position is not None:
                what = field.removesuffix("_id")
                message = f"Lines of one order line go to the ERP as one line: give all of them the same {what}."
                where = f"body.lines.{line.position}.{field}"
                error = {"where": where, "message": message, "rule": "one_line_each"}
                raise Problem("VALIDATION_FAILED", f"{where}: {message}", extra={"errors": [error]})


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
