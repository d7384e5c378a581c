"""Search criteria (reference 3.3): what each means on a record or on a line, and how operators compare."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sandbox.netsuite.columns import TRANSACTIONS, Row, list_value, row_value, rows_of
from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import Refused
from sandbox.netsuite.records import BY_SHAPE, GROUPS, Record
from sandbox.netsuite.values import Fields, Ref

Test = Callable[[Any], bool]
_LINE_CRITERIA = frozenset(
    [
        *("account", "amount", "class", "closed", "createdFrom", "department", "expectedReceiptDate", "fxAmount"),
        *("item", "lineUniqueKey", "location", "matchBillToReceipt", "memo", "purchaseOrder", "quantity"),
        *("quantityBilled", "quantityShipRecv", "shipRecvStatusLine", "unit"),
        *("appliedToTransaction", "billable", "billingTransaction", "fulfillingTransaction", "netAmount"),
    ]
)
_NONE = "@NONE@"


class Criteria(NamedTuple):
    """What a search asks for, ready to be tested again for every page."""

    types: tuple[str, ...]
    header: tuple[tuple[str, Test], ...]
    line: tuple[tuple[str, Test], ...]
    main_line: bool | None
    joins: tuple[tuple[str, "Criteria"], ...]


class Search(NamedTuple):
    """A search as it was asked: criteria, and the columns wanted (None: whole records)."""

    criteria: Criteria
    columns: Fields | None
    row_shape: str


def read_search(company: Company, given: Fields) -> Search:
    """Takes a search apart. Raises Refused (INVALID_SEARCH...)."""
    if given.shape.endswith("SearchAdvanced"):
        if given.attributes.get("savedSearchId") or given.attributes.get("savedSearchScriptId"):
            raise Refused("INVALID_SEARCH", "That search or mass update does not exist.")
        subject = given.shape.removesuffix("SearchAdvanced")
        inner = given.get("criteria") or Fields(f"{subject}Search")
        columns = given.get("columns")
        basic = columns.get("basic") if columns else None
        return Search(_read_criteria(company, inner), basic, f"{subject}SearchRow")
    return Search(_read_criteria(company, given), None, "")


def _types_of(subject: str) -> tuple[str, ...]:
    if subject == "Transaction":
        return TRANSACTIONS
    if subject == "Item":
        return tuple(kind.name for kind in GROUPS["item"])
    return (BY_SHAPE[subject].name,)


def _read_criteria(company: Company, given: Fields) -> Criteria:
    if given.shape.endswith("SearchBasic"):
        basic, joins, subject = given, Fields("none"), given.shape.removesuffix("SearchBasic")
    else:
        subject = given.shape.removesuffix("Search")
        basic = given.get("basic") or Fields(f"{subject}SearchBasic")
        joins = Fields("none", {name: one for name, one in given.items() if name != "basic"})
    main_line: bool | None = None
    header: list[tuple[str, Test]] = []
    line: list[tuple[str, Test]] = []
    types = _types_of(subject)
    for name, asked in basic.items():
        if name == "mainLine":
            main_line = bool(asked.get("searchValue", True))
        elif name == "type" and subject == "Transaction":
            types = _narrowed(types, asked)
        elif name in _LINE_CRITERIA and subject == "Transaction":
            line.append((name, _test(company, name, asked)))
        else:
            header.append((name, _test(company, name, asked)))
    joined = tuple((name, _read_criteria(company, one)) for name, one in joins.items())
    return Criteria(types, tuple(header), tuple(line), main_line, joined)


def _narrowed(types: tuple[str, ...], asked: Fields) -> tuple[str, ...]:
    values = {str(value).removeprefix("_") for value in asked.get("searchValue", ())}
    operator = asked.attributes.get("operator")
    if operator not in ("anyOf", "noneOf"):
        raise Refused("INVALID_SEARCH_OPERATOR", "type needs the operator anyOf or noneOf.")
    kept = tuple(name for name in types if (name in values) == (operator == "anyOf"))
    return kept or ("",)


def found(company: Company, criteria: Criteria) -> list[Record]:
    """The records that match, in the account's order."""
    records = [] if criteria.types == ("",) else company.all(*criteria.types)
    if company.switches.word("search_order") == "descending":
        records = records[::-1]
    return [record for record in records if next(matching_rows(company, record, criteria), None) is not None]


def matching_rows(company: Company, record: Record, criteria: Criteria) -> Iterator[Row]:
    """The lines of a record that match, its main line included where it does."""
    if record.type.name not in criteria.types:
        return
    if record.type.group != "transaction":
        if all(test(list_value(company, record, name)) for name, test in criteria.header) and all(
            _vendor_joined(company, record, name, inner) for name, inner in criteria.joins
        ):
            yield Row(record, None)
        return
    main = Row(record, None)
    if not all(test(row_value(company, main, name)) for name, test in criteria.header):
        return
    for row in rows_of(record):
        if criteria.main_line is not None and criteria.main_line != (row.line is None):
            continue
        if not all(test(row_value(company, row, name)) for name, test in criteria.line):
            continue
        if all(_joined(company, row, name, inner) for name, inner in criteria.joins):
            yield row


_JOINS = {
    # join: (what the row says, where it points)
    "accountJoin": ("account", "account"),
    "accountingPeriodJoin": ("postingPeriod", "accountingPeriod"),
    "classJoin": ("class", "classification"),
    "departmentJoin": ("department", "department"),
    "itemJoin": ("item", "item"),
    "locationJoin": ("location", "location"),
    "subsidiaryJoin": ("subsidiary", "subsidiary"),
    "vendorJoin": ("entity", "entity"),
}
"""The others name transactions, by a column of their own name."""
_VENDOR_JOINS = {"accountJoin": "payablesAccount", "expAccountJoin": "expenseAccount"}


def _joined(company: Company, row: Row, name: str, criteria: Criteria) -> bool:
    field, group = _JOINS.get(name, (name.removesuffix("Join"), "transaction"))
    records = [company.groups[group].get(one) for one in row_value(company, row, field) or ()]
    return _any_matches(company, records, criteria)


def _vendor_joined(company: Company, vendor: Record, name: str, criteria: Criteria) -> bool:
    if name == "transactionJoin":
        documents = company.groups["transaction"].values()
        own = [one for one in documents if one["entity"] and one["entity"].internal_id == vendor.internal_id]
        return _any_matches(company, own, criteria)
    account = vendor[_VENDOR_JOINS[name]]
    held = company.groups["account"].get(account.internal_id) if account is not None else None
    return _any_matches(company, [held], criteria)


def _any_matches(company: Company, records: Iterable[Record | None], criteria: Criteria) -> bool:
    return any(
        next(matching_rows(company, record, criteria), None) is not None for record in records if record is not None
    )


# Operators


def _test(company: Company, name: str, asked: Any) -> Test:
    if isinstance(asked, Ref):
        return lambda value: value == {asked.internal_id}
    operator = asked.attributes.get("operator", "")
    kind = asked.shape
    if kind == "SearchBooleanField":
        wanted = bool(asked.get("searchValue", True))
        return lambda value: bool(value) == wanted
    if not operator:
        raise Refused("INVALID_SEARCH_OPERATOR", f"{name} needs an operator.")
    if operator in ("empty", "notEmpty"):
        return lambda value: (value in (None, "", frozenset(), set())) == (operator == "empty")
    if kind in ("SearchMultiSelectField", "SearchEnumMultiSelectField"):
        return _choice_test(company, operator, asked)
    if kind == "SearchDateField":
        return date_test(company, name, asked)
    if asked.get("searchValue") is None:
        raise Refused("INVALID_SEARCH_VALUE", f"{name} needs a value.")
    if kind == "SearchStringField":
        return _text_test(operator, asked["searchValue"])
    return _number_test(name, operator, asked)


def _choice_test(company: Company, operator: str, asked: Fields) -> Test:
    wanted: set[str] = set()
    for value in asked.get("searchValue", ()):
        if isinstance(value, Ref) and not value.internal_id:
            text = value.external_id.lower()
            wanted.add(f"x:{text}")
            wanted |= {record.internal_id for (_, known), record in company.externals.items() if known == text}
        elif isinstance(value, Ref):
            wanted.add(value.internal_id)
        else:
            wanted.add(str(value))

    def test(value: Any) -> bool:
        held = set(value) if isinstance(value, (set, frozenset)) else {value} if value else set()
        hit = bool(held & wanted) or (not held and _NONE in wanted)
        return hit == (operator == "anyOf")

    return test


def _text_test(operator: str, given: str) -> Test:
    wanted = given.lower()
    tests: dict[str, Test] = {
        "is": lambda text: text == wanted,
        "isNot": lambda text: text != wanted,
        "contains": lambda text: wanted in text,
        "doesNotContain": lambda text: wanted not in text,
        "startsWith": lambda text: text.startswith(wanted),
        "doesNotStartWith": lambda text: not text.startswith(wanted),
        "hasKeywords": lambda text: all(word in text for word in wanted.split()),
    }
    return lambda value: tests[operator](str(value or "").lower())


def _number_test(name: str, operator: str, asked: Fields) -> Test:
    try:
        low = Decimal(str(asked["searchValue"]))
        high = Decimal(str(asked.get("searchValue2", low)))
    except ArithmeticError:
        raise Refused("INVALID_SEARCH_VALUE", f"{name}: {asked['searchValue']!r} is not a number.") from None
    positive, negated = _positive(operator)
    tests: dict[str, Callable[[Decimal], bool]] = {
        "equalTo": lambda number: number == low,
        "greaterThan": lambda number: number > low,
        "greaterThanOrEqualTo": lambda number: number >= low,
        "lessThan": lambda number: number < low,
        "lessThanOrEqualTo": lambda number: number <= low,
        "between": lambda number: low <= number <= high,
    }

    def test(value: Any) -> bool:
        try:
            number = Decimal(str(value))
        except ArithmeticError:
            return False
        return tests[positive](number) != negated

    return test


def _positive(operator: str) -> tuple[str, bool]:
    if operator.startswith("not"):
        return operator[3].lower() + operator[4:], True
    return operator, False


def date_test(company: Company, name: str, asked: Fields) -> Test:
    """A date criterion. Raises Refused (INVALID_SEARCH...)."""
    operator = asked.attributes.get("operator", "")
    if not operator:
        raise Refused("INVALID_SEARCH_OPERATOR", f"{name} needs an operator.")
    low, high = _span(company, name, asked)
    positive, negated = _positive(operator)
    if positive == "within":
        high = asked.get("searchValue2", high)

    def test(value: Any) -> bool:
        if value is None:
            return False
        first: date = low
        last: date = high
        if not isinstance(value, datetime):
            first, last = _day(company, low), _day(company, high)
        hits: dict[str, bool] = {
            "on": _day(company, first) <= _day(company, value) <= _day(company, last),
            "after": value > last,
            "before": value < first,
            "onOrAfter": value >= first,
            "onOrBefore": value <= last,
            "within": first <= value <= last,
        }
        return hits[positive] != negated

    return test


def _day(company: Company, value: date) -> date:
    return value.astimezone(company.zone).date() if isinstance(value, datetime) else value


def _span(company: Company, name: str, asked: Fields) -> tuple[datetime, datetime]:
    word = asked.get("predefinedSearchValue")
    if word is None:
        if asked.get("searchValue") is None:
            raise Refused("INVALID_SEARCH_VALUE", f"{name} needs a value.")
        return asked["searchValue"], asked["searchValue"]
    days = {"today": 0, "yesterday": 1}
    if word not in days:
        raise Refused("INVALID_SEARCH_VALUE", f"{name}: {word} is not known to this sandbox.")
    day = company.today() - timedelta(days=days[word])
    return company.moment_of(day, 0), company.moment_of(day + timedelta(days=1), 0) - timedelta(milliseconds=1)
