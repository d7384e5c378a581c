"""Filters: one small tree that both reading dialects parse into, compiled to a test and answered from indexes."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sandbox.intacct.formats import NUMBER_KEYS, TIME_KEYS
from sandbox.intacct.objects import ObjectType
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
    described = kind.fields.get(field)
    datatype = described.datatype if described else "T"
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


class Candidates(NamedTuple):
    """Records among which all matches are, in order of RECORDNO."""

    records: Iterable[Record]
    from_index: bool


def candidates(tree: Filter | None, table: Table) -> Candidates:
    """The narrowest set the indexes and the RECORDNO bounds give; the whole table when nothing helps."""
    found = _indexed(tree, table) if tree is not None else None
    if found is not None:
        return Candidates([found[number] for number in sorted(found)], True)
    above = _lower_bound(tree)
    return Candidates(table.after(above), False)


def _indexed(tree: Filter, table: Table) -> dict[int, Record] | None:
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
    if isinstance(tree, Every):
        options = [entries for part in tree.parts if (entries := _indexed(part, table)) is not None]
        return min(options, key=len) if options else None
    return None


def _lower_bound(tree: Filter | None) -> int:
    parts: Sequence[Filter] = tree.parts if isinstance(tree, Every) else (tree,) if tree is not None else ()
    bounds = [0]
    for part in parts:
        if isinstance(part, Every):
            bounds.append(_lower_bound(part))
        elif isinstance(part, Condition) and part.field == "RECORDNO" and part.operator in (">", ">="):
            bound = part.values[0]
            bounds.append(int(bound) - (part.operator == ">=") if bound.isdigit() else 0)
    return max(bounds)
