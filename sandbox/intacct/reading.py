"""Reading: query, readByQuery, readMore, read, readByName (reference 2.1 to 2.3)."""

import csv
import io
import json
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from lxml import etree

from sandbox.intacct import aggregates, dimension_values
from sandbox.intacct.call_context import Call
from sandbox.intacct.envelope import Raw, Result, text_of
from sandbox.intacct.errors import ErrorLine, FunctionError
from sandbox.intacct.filters import (
    BadFilter,
    Condition,
    Every,
    Filter,
    Not,
    Plan,
    Some,
    compile_filter,
    fields_of,
    plan,
)
from sandbox.intacct.nesting import render_whole
from sandbox.intacct.object_types import ObjectType
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.query_text import parse_query_text
from sandbox.intacct.related import filler, value_of
from sandbox.intacct.rows import Renderer, all_fields, as_of, lagging, unknown_fields, visible
from sandbox.intacct.sessions import Cursor
from sandbox.intacct.tables import Record

_COMPARISONS = {
    "equalto": "=",
    "lessthan": "<",
    "lessthanorequalto": "<=",
    "greaterthan": ">",
    "greaterthanorequalto": ">=",
    "like": "like",
    "in": "in",
}


def _failed(text: str, errorno: str = "Query Failed") -> FunctionError:
    return FunctionError(ErrorLine(errorno, text, "Check the query."))


def object_type(name: str) -> ObjectType:
    """The object of this name, in any case.

    Raises:
        FunctionError: there is no such object.
    """
    kind = OBJECTS.get(name.upper())
    if kind is None:
        raise _failed(f"Object definition {name} not found")
    return kind


def run_query(call: Call, element: etree._Element) -> Result | Raw:
    """`query`: labels in and out, one page by offset, XL03000006 for fields that cannot be queried.

    Raises:
        FunctionError: the query selects nothing, or filters, groups or orders by what it cannot.
    """
    if text_of(element, "object").upper() in call.company.dimension_values:
        return dimension_values.run_query(call, element)
    kind = object_type(text_of(element, "object"))
    select = element.find("select")
    chosen = [] if select is None else [(str(child.tag), (child.text or "").strip().upper()) for child in select]
    plain_fields = [name for tag, name in chosen if tag == "field"]
    computed = [(tag, name) for tag, name in chosen if tag in aggregates.FUNCTIONS]
    if not chosen or len(plain_fields) + len(computed) < len(chosen):
        raise _failed("The query needs a select with fields, and with nothing else than fields and aggregates")
    tree = _filter(element.find("filter"))
    orders = [
        (text_of(order, "field").upper(), order.find("descending") is not None)
        for order in element.findall("orderby/order")
    ]
    named = [*plain_fields, *(name for _, name in computed), *fields_of(tree), *(name for name, _ in orders)]
    left_out = call.company.left_out(kind.name)
    unknown = [*unknown_fields(call, kind, dict.fromkeys(named)), *(name for name in named if name in left_out)]
    if unknown:
        raise _failed(f"Fields cannot be queried: {', '.join(unknown)}", "XL03000006")
    page_size = _bounded(text_of(element, "pagesize"), 100, 1, 2000, "pagesize")
    offset = _bounded(text_of(element, "offset"), 0, 0, 10**9, "offset")
    options = element.find("options")
    private = options is not None and text_of(options, "showprivate").lower() == "true"
    ignore_case = options is not None and text_of(options, "caseinsensitive").lower() == "true"
    if call.docparid and kind.document_type and call.company.switches.flag("docparid_filters"):
        only = Condition("DOCPARID", "=", (call.docparid,))
        tree = only if tree is None else Every((only, tree))
    matches = select_records(call, kind, tree, () if computed else orders, private=private, ignore_case=ignore_case)
    if computed:
        named = [*plain_fields, *(name for _, name in computed)]
        groups = aggregates.group(kind, matches, plain_fields, filler(call.company, kind, named))
        try:
            aggregates.order(groups, orders)
        except KeyError as error:
            raise _failed(f"Groups cannot be ordered by {error.args[0]}") from None
        rows = aggregates.render(groups, offset, page_size, computed)
        return _page(kind, len(groups.members), offset, len(rows), "".join(rows))
    page = matches[offset : offset + page_size]
    output = _output(text_of(options, "returnformat") if options is not None else "")
    if output != "xml":
        return _raw(call, kind, output, plain_fields, page)
    if call.tampering.get("row_moved") is not None and len(matches) > offset + page_size:
        # As if somebody saved the next row at this moment: it moves to the end of a reading ordered by time.
        call.company.touch(kind.name, matches[offset + page_size], call.actor)
    return _page(kind, len(matches), offset, len(page), _render(call, kind, kind.name, plain_fields, page))


def _page(kind: ObjectType, total: int, offset: int, count: int, body: str) -> Result:
    remaining = max(0, total - offset - count)
    head = f'<data listtype="{kind.name}" totalcount="{total}" offset="{offset}" count="{count}"'
    if not count:
        return Result(data=f'{head} numremaining="{remaining}"/>')
    return Result(data=f'{head} numremaining="{remaining}">{body}</data>')


def _output(text: str) -> str:
    output = (text or "xml").lower()
    if output not in ("xml", "json", "csv"):
        raise _failed(f"'{text}' is not a return format")
    return output


def _bounded(text: str, default: int, low: int, high: int, what: str) -> int:
    if not text:
        return default
    if not text.isdigit() or not low <= int(text) <= high:
        raise _failed(f"{what} must be a number from {low} to {high}")
    return int(text)


def _filter(element: etree._Element | None) -> Filter | None:
    if element is None or len(element) == 0:
        return None
    if len(element) != 1:
        raise _failed("A filter holds exactly one operator")
    return _operator(element[0])


def _operator(element: etree._Element) -> Filter:
    name = str(element.tag)
    if name in ("and", "or"):
        if len(element) < 2:
            raise _failed(f"'{name}' needs two or more operators")
        parts = tuple(_operator(child) for child in element)
        return Every(parts) if name == "and" else Some(parts)
    field = text_of(element, "field").upper()
    values = tuple((value.text or "").strip() for value in element.iterchildren("value"))
    if not field:
        raise _failed(f"'{name}' needs a field")
    if name in ("isnull", "isnotnull"):
        null = Condition(field, "null")
        return null if name == "isnull" else Not(null)
    if name == "between":
        if len(values) != 2:
            raise _failed("'between' needs two values, the lower one first")
        return Every((Condition(field, ">=", values[:1]), Condition(field, "<=", values[1:])))
    if name in ("in", "notin"):
        if not 1 <= len(values) <= 1000:
            raise _failed(f"'{name}' takes 1 to 1000 values")
        within = Condition(field, "in", values)
        return within if name == "in" else Not(within)
    if len(values) != 1:
        raise _failed(f"'{name}' needs exactly one value")
    if name == "notequalto":
        return Not(Condition(field, "=", values))
    if name == "notlike":
        return Not(Condition(field, "like", values))
    if name not in _COMPARISONS:
        raise _failed(f"Operator '{name}' is not known")
    return Condition(field, _COMPARISONS[name], values)


def select_records(
    call: Call,
    kind: ObjectType,
    tree: Filter | None,
    orders: Sequence[tuple[str, bool]],
    *,
    private: bool,
    ignore_case: bool = False,
) -> list[Record]:
    """Return every match the caller may see, in order; without an order by RECORDNO, which nobody may rely on.

    Raises:
        FunctionError: A value of the filter is not of its field's type.
    """
    table = call.company[kind.name]
    moment = lagging(call)
    if moment is not None:
        # An index holds present values, so a lagging reader must look at every record.
        planned = Plan(as_of(table.after(0), table, moment), tree)
    elif ignore_case:
        planned = Plan(table.after(0), tree)
    else:
        planned = plan(tree, table)
    try:
        test = compile_filter(planned.rest, kind, ignore_case=ignore_case) if planned.rest is not None else None
    except BadFilter as error:
        raise _failed(str(error)) from None
    matches = list(planned.records)
    seen = visible(call, private=private)
    if seen is not None:
        matches = [record for record in matches if seen(record.values)]
    fill = filler(call.company, kind, {*fields_of(planned.rest), *(field for field, _ in orders)})
    if test is not None and fill is None:
        matches = [record for record in matches if test(record.values)]
    elif test is not None and fill is not None:
        matches = [record for record in matches if test(fill(record.values))]
    if moment is not None:
        matches.sort(key=lambda record: record.number)
    for field, descending in reversed(orders):
        if field == "RECORDNO":
            if descending or len(orders) > 1:
                matches.sort(key=lambda record: record.number, reverse=descending)
        else:
            matches.sort(key=_record_key(call, kind, field), reverse=descending)
    return matches


def _record_key(call: Call, kind: ObjectType, field: str) -> Callable[[Record], Any]:
    key = aggregates.sort_key(kind, field)
    if filler(call.company, kind, [field]) is not None:
        return lambda record: key(value_of(call.company, kind, record.values, field))
    return lambda record: key(record.values[field])


def _render(call: Call, kind: ObjectType, tag: str, fields: Sequence[str], page: Sequence[Record]) -> str:
    return Renderer(call, kind, tag, fields).page(page) if page else ""


def _raw(call: Call, kind: ObjectType, output: str, fields: Sequence[str], page: Sequence[Record]) -> Raw:
    rows = [{name: value_of(call.company, kind, record.values, name) for name in fields} for record in page]
    if output == "json":
        return Raw("application/json", json.dumps(rows))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(fields))
    writer.writeheader()
    writer.writerows(rows)
    return Raw("text/csv", text.getvalue())


# The legacy dialect


def run_read_by_query(call: Call, element: etree._Element) -> Result | Raw:
    """`readByQuery`: codes in the query, labels in the answer, lower-case rows, a resultId for readMore.

    Raises:
        FunctionError: the query is missing or cannot be read, or names an unknown field.
    """
    kind = object_type(text_of(element, "object"))
    fields = _field_list(call, kind, text_of(element, "fields"))
    if element.find("query") is None:
        raise _failed("The element 'query' is required; it may be empty")
    try:
        tree = parse_query_text(text_of(element, "query"), kind)
    except BadFilter as error:
        raise _failed(str(error)) from None
    tree, limit = _rownum(tree)
    unknown = unknown_fields(call, kind, dict.fromkeys(fields_of(tree)))
    if unknown:
        raise _failed(f"Unknown field {unknown[0]}")
    page_size = _bounded(text_of(element, "pagesize"), 100, 1, 1000, "pagesize")
    private = call.company.switches.flag("readbyquery_top_sees_private")
    matches = select_records(call, kind, tree, (), private=private)[:limit]
    output = _output(text_of(element, "returnFormat"))
    if output != "xml":
        return _raw(call, kind, output, fields, matches[:page_size])
    cursor = Cursor(kind.name, fields, [record.number for record in matches], len(matches), page_size)
    return _next_page(call, cursor, secrets.token_hex(16))


def _rownum(tree: Filter | None) -> tuple[Filter | None, int | None]:
    parts = list(tree.parts) if isinstance(tree, Every) else [tree] if tree is not None else []
    limit: int | None = None
    kept: list[Filter] = []
    for part in parts:
        if isinstance(part, Condition) and part.field == "ROWNUM" and part.operator in ("<", "<="):
            limit = int(part.values[0]) - (part.operator == "<")
        else:
            kept.append(part)
    if not kept:
        return None, limit
    return (kept[0] if len(kept) == 1 else Every(tuple(kept))), limit


def run_read_more(call: Call, element: etree._Element) -> Result:
    """`readMore`: the next page of a readByQuery of the same session.

    Raises:
        FunctionError: the result is unknown or has expired.
    """
    result_id = text_of(element, "resultId")
    cursor = call.session.cursors.get(result_id)
    if cursor is None:
        raise _failed(f"The resultId '{result_id}' is unknown or has expired")
    return _next_page(call, cursor, result_id)


def _next_page(call: Call, cursor: Cursor, result_id: str) -> Result:
    kind = OBJECTS[cursor.object_name]
    numbers, cursor.numbers = cursor.numbers[: cursor.page_size], cursor.numbers[cursor.page_size :]
    table = call.company[kind.name]
    records = [table.rows[number] for number in numbers if number in table.rows]
    tag = kind.name.lower()
    moment = lagging(call)
    if moment is not None:
        # What is gone since that moment still shows, as it did when the result was made.
        wanted = frozenset(numbers)
        lagged = {record.number: record for record in as_of(records, table, moment) if record.number in wanted}
        records = [lagged[number] for number in numbers if number in lagged]
    body = _render(call, kind, tag, cursor.fields, records)
    remaining = len(cursor.numbers)
    if remaining:
        call.session.cursors[result_id] = cursor
    else:
        call.session.cursors.pop(result_id, None)
    return Result(
        data=f'<data listtype="{tag}" count="{len(records)}" totalcount="{cursor.total}" numremaining="{remaining}"'
        f' resultId="{result_id}">{body}</data>'
    )


def _field_list(call: Call, kind: ObjectType, text: str) -> list[str]:
    if text in ("", "*"):
        return all_fields(call, kind)
    fields = [name.strip().upper() for name in text.split(",") if name.strip()]
    unknown = unknown_fields(call, kind, fields)
    if unknown:
        raise FunctionError(ErrorLine(f"Invalid fields list {unknown[0]}", f"Unknown field {unknown[0]}"))
    return fields


def run_read(call: Call, element: etree._Element) -> Result:
    """`read`: by RECORDNO, lines included; keys that are not there are simply absent."""
    kind = object_type(text_of(element, "object"))
    table = call.company[kind.name]
    keys = [key.strip() for key in text_of(element, "keys").split(",") if key.strip()]
    return _read(call, element, kind, [table.get(key) for key in keys])


def run_read_by_name(call: Call, element: etree._Element) -> Result:
    """`readByName`: by natural key."""
    kind = object_type(text_of(element, "object"))
    table = call.company[kind.name]
    keys = [key.strip() for key in text_of(element, "keys").split(",") if key.strip()]
    if kind.key not in table.indexes:
        return run_read(call, element)
    return _read(call, element, kind, [table.first(kind.key, key) for key in keys])


def _read(call: Call, element: etree._Element, kind: ObjectType, found: Sequence[Record | None]) -> Result:
    if _output(text_of(element, "returnFormat")) != "xml":
        raise _failed("Records with their lines are answered as XML only")
    fields = _field_list(call, kind, text_of(element, "fields"))
    lines = text_of(element, "fields") in ("", "*")
    seen = visible(call, private=call.company.switches.flag("readbyquery_top_sees_private"))
    records = [record for record in found if record is not None and (seen is None or seen(record.values))]
    moment = lagging(call)
    if moment is not None:
        records = [Record(record.number, values) for record in records if (values := record.as_of(moment)) is not None]
    body = "".join(render_whole(call, kind, record, fields, lines=lines) for record in records)
    return Result(data=f'<data listtype="{kind.name}" count="{len(records)}">{body}</data>')
