"""Filters: one small tree that both reading dialects parse into, compiled to a test and answered from indexes."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sandbox.intacct.formats import NUMBER_KEYS, TIME_KEYS
from sandbox.intacct.object_types import ObjectType
from sandbox.intacct.objects import described
from sandbox.intacct.tables import Record, Table, Values

Test = Callable[[Values], bool]


@dataclass(frozen=True)
class Condition:
    """`operator` is one of = != < <= > >= like in null, on one field."""

    field: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Not:
    """The opposite of a condition."""

    inner: Condition


@dataclass(frozen=True)
class Every:
    """All of them: `and`."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Some:
    """At least one: `or`."""

    parts: tuple["Filter", ...]


Filter = Condition | Not | Every | Some


class BadFilter(Exception):
    """The filter cannot be understood; the message is for the answer."""


def fields_of(tree: Filter | None) -> Iterable[str]:
    """Every field a filter names."""
    if isinstance(tree, Condition):
        yield tree.field
    elif isinstance(tree, Not):
        yield tree.inner.field
    elif tree is not None:
        for part in tree.parts:
            yield from fields_of(part)


def compile_filter(tree: Filter, kind: ObjectType, *, ignore_case: bool = False) -> Test:
    """A test over a record's values. Raises BadFilter for a value that is not of the field's type."""
    if isinstance(tree, Every):
        return _all([compile_filter(part, kind, ignore_case=ignore_case) for part in tree.parts])
    if isinstance(tree, Some):
        tests = [compile_filter(part, kind, ignore_case=ignore_case) for part in tree.parts]
        return lambda values: any(test(values) for test in tests)
    if isinstance(tree, Not):
        inner = compile_filter(tree.inner, kind, ignore_case=ignore_case)
        field = tree.inner.field
        # A null is neither like nor unlike anything, as in SQL, except that "not in" and "not equal" accept it.
        if tree.inner.operator == "like":
            return lambda values: values[field] != "" and not inner(values)
        return lambda values: not inner(values)
    try:
        return _condition(tree, kind, ignore_case)
    except ValueError:
        raise BadFilter(f"Invalid value for field {tree.field}") from None


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda values: first(values) and second(values)
    if len(tests) == 3:
        one, two, three = tests
        return lambda values: one(values) and two(values) and three(values)
    return lambda values: all(test(values) for test in tests)


def _keys(kind: ObjectType, field: str, ignore_case: bool) -> Callable[[str], Any]:
    known = described(kind, field)
    datatype = known.datatype if known else "T"
    if datatype in "DS":
        return TIME_KEYS.__getitem__
    if datatype == "I":
        return int
    if datatype in "NC":
        return NUMBER_KEYS.__getitem__
    return str.casefold if ignore_case else str


def _condition(condition: Condition, kind: ObjectType, ignore_case: bool) -> Test:
    field, operator = condition.field, condition.operator
    if operator == "null":
        return lambda values: not values[field]
    if operator == "like":
        pattern = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in condition.values[0])
        match = re.compile(pattern, re.DOTALL | (re.IGNORECASE if ignore_case else 0)).fullmatch
        return lambda values: match(values[field]) is not None
    key = _keys(kind, field, ignore_case)
    wanted = [key(value) if value else None for value in condition.values]
    if operator == "in":
        if key is str:
            texts = frozenset(condition.values)
            return lambda values: values[field] in texts
        several = frozenset(wanted)
        return lambda values: (key(values[field]) if values[field] else None) in several
    value = wanted[0]
    if operator == "=":
        if key is str:
            text = condition.values[0]
            return lambda values: values[field] == text
        return lambda values: (key(values[field]) if values[field] else None) == value
    if value is None:
        return lambda values: False
    compare = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}[operator]
    return _ordered(field, key, compare, value)


def _ordered(field: str, key: Callable[[str], Any], compare: str, value: Any) -> Test:
    # Spelled out four times: these run for every row of every page.
    if compare == "__ge__":
        return lambda values: bool(text := values[field]) and key(text) >= value
    if compare == "__gt__":
        return lambda values: bool(text := values[field]) and key(text) > value
    if compare == "__le__":
        return lambda values: bool(text := values[field]) and key(text) <= value
    return lambda values: bool(text := values[field]) and key(text) < value


class Plan(NamedTuple):
    """Records among which all matches are, in order of RECORDNO, and what of the filter they still must pass."""

    records: Iterable[Record]
    rest: Filter | None


def plan(tree: Filter | None, table: Table) -> Plan:
    """Let the indexes and the RECORDNO bounds answer as much of the filter as they can."""
    parts = list(_conjuncts(tree))
    bound = 0
    rest: list[Filter] = []
    best: tuple[dict[int, Record], Filter] | None = None
    for part in parts:
        below = _lower_bound(part)
        if below is not None:
            bound = max(bound, below)
            continue
        rest.append(part)
        found = _indexed(part, table)
        if found is not None and (best is None or len(found) < len(best[0])):
            best = found, part
    if best is None:
        return Plan(table.after(bound), _every(rest))
    found, answered = best
    rest = [part for part in rest if part is not answered]
    numbers = sorted(number for number in found if number > bound) if bound else sorted(found)
    return Plan([found[number] for number in numbers], _every(rest))


def _conjuncts(tree: Filter | None) -> Iterable[Filter]:
    if isinstance(tree, Every):
        for part in tree.parts:
            yield from _conjuncts(part)
    elif tree is not None:
        yield tree


def _every(parts: list[Filter]) -> Filter | None:
    if len(parts) > 1:
        return Every(tuple(parts))
    return parts[0] if parts else None


def _indexed(tree: Filter, table: Table) -> dict[int, Record] | None:
    """Exactly the records that match, from the indexes; None when they cannot tell."""
    if isinstance(tree, Condition) and tree.operator in ("=", "in") and all(tree.values):
        if tree.field == "RECORDNO":
            rows = table.rows
            wanted = [int(value) for value in tree.values if value.isdigit()]
            return {number: rows[number] for number in wanted if number in rows}
        index = table.indexes.get(tree.field)
        if index is None:
            return None
        found: dict[int, Record] = {}
        for value in tree.values:
            entries = index.get(value)
            if entries:
                found.update(entries)
        return found
    if isinstance(tree, Some):
        union: dict[int, Record] = {}
        for part in tree.parts:
            entries = _indexed(part, table)
            if entries is None:
                return None
            union.update(entries)
        return union
    return None


def _lower_bound(part: Filter) -> int | None:
    """The RECORDNO that matches must be above, when that is all the condition says."""
    if isinstance(part, Condition) and part.field == "RECORDNO" and part.operator in (">", ">="):
        text = part.values[0]
        if text.isdigit():
            return int(text) - (part.operator == ">=")
    return None
