"""Aggregates of `query`: one row per group of the plain fields, named like `MAX.WHENMODIFIED` (reference 2.1)."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape
from operator import itemgetter
from typing import Any, NamedTuple

from sandbox.intacct.formats import NUMBER_KEYS, TIME_KEYS, amount_text, plain
from sandbox.intacct.object_types import ObjectType
from sandbox.intacct.objects import described
from sandbox.intacct.tables import Record, Values

FUNCTIONS = frozenset({"count", "avg", "min", "max", "sum"})


class Groups(NamedTuple):
    """Records by the values of the plain fields, in the order in which each group's first record came."""

    kind: ObjectType
    fields: Sequence[str]
    members: list[tuple[tuple[str, ...], list[Values]]]


def group(
    kind: ObjectType,
    records: Sequence[Record],
    fields: Sequence[str],
    fill: Callable[[Values], Values] | None = None,
) -> Groups:
    """Group records by their plain fields; without any everything is one group, even nothing."""
    rows = [record.values if fill is None else fill(record.values) for record in records]
    if not fields:
        return Groups(kind, fields, [((), rows)])
    found: defaultdict[Any, list[Values]] = defaultdict(list)
    pick: Callable[[Values], Any] = itemgetter(*fields)
    for values in rows:
        found[pick(values)].append(values)
    keyed = [(key if len(fields) > 1 else (key,), members) for key, members in found.items()]
    return Groups(kind, fields, keyed)


def order(groups: Groups, orders: Sequence[tuple[str, bool]]) -> None:
    """Sort the groups themselves: far fewer than the records. Raises KeyError for a field that is not a plain one."""
    for field, descending in reversed(orders):
        if field not in groups.fields:
            raise KeyError(field)
        groups.members.sort(key=_member_key(groups, field), reverse=descending)


def _member_key(groups: Groups, field: str) -> Callable[[tuple[tuple[str, ...], list[Values]]], Any]:
    at, key = groups.fields.index(field), sort_key(groups.kind, field)
    return lambda member: key(member[0][at])


def render(groups: Groups, first: int, count: int, aggregates: Sequence[tuple[str, str]]) -> list[str]:
    """The rows of one page of groups; only these are computed."""
    rendered = []
    for key, members in groups.members[first : first + count]:
        cells = list(zip(groups.fields, key, strict=True))
        for function, name in aggregates:
            cells.append((f"{function.upper()}.{name}", _computed(groups.kind, function, name, members)))
        inner = "".join(f"<{name}>{escape(value, quote=False)}</{name}>" for name, value in cells)
        rendered.append(f"<{groups.kind.name}>{inner}</{groups.kind.name}>")
    return rendered


def _computed(kind: ObjectType, function: str, name: str, members: Sequence[Values]) -> str:
    present = [values[name] for values in members if values[name]]
    if function == "count":
        return str(len(present))
    if not present:
        return ""
    if function in ("min", "max"):
        return (min if function == "min" else max)(present, key=sort_key(kind, name))
    total = sum((NUMBER_KEYS[text] for text in present), Decimal(0))
    return plain(total) if function == "sum" else amount_text(total / len(present))


def sort_key(kind: ObjectType, field: str) -> Callable[[str], Any]:
    """How values of a field are ordered; nulls come first."""
    known = described(kind, field)
    datatype = known.datatype if known else "T"
    if datatype in "DS":
        return lambda text: TIME_KEYS[text] if text else ""
    if datatype in "INC":
        return lambda text: NUMBER_KEYS[text] if text else Decimal("-Infinity")
    return lambda text: text
