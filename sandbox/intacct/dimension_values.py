"""The values of a user-defined dimension: records of an object of the dimension's own name, with id and name
(reference 2.9)."""

from html import escape

from lxml import etree

from sandbox.intacct.call_context import Call
from sandbox.intacct.company import Company
from sandbox.intacct.envelope import Result, text_of
from sandbox.intacct.errors import ErrorLine, FunctionError
from sandbox.neutral import Row

FIELDS = ("ID", "NAME")


def put_value(company: Company, row: Row) -> None:
    """One value that a dimension can have; an inactive one is taken away."""
    name = row["dimension"].upper()
    values = company.dimension_values.setdefault(name, {})
    company.custom_fields.setdefault("PODOCUMENTENTRY", set()).add(f"GLDIM{name}")
    if row.get("status") == "inactive":
        values.pop(int(row["value_id"]), None)
    else:
        values[int(row["value_id"])] = row.get("name") or row["value_id"]


def run_query(call: Call, element: etree._Element) -> Result:
    """Answer a page of values by id.

    Raises:
        FunctionError: another field is asked for.
    """
    name = text_of(element, "object").upper()
    fields = [(field.text or "").strip().upper() for field in element.iterfind("select/field")]
    if unknown := [field for field in fields if field not in FIELDS]:
        text = f"Fields cannot be queried: {', '.join(unknown)}"
        raise FunctionError(ErrorLine("XL03000006", text, "Check the query."))
    above = int(element.findtext("filter//greaterthan/value") or "0")
    size = int(text_of(element, "pagesize") or "100")
    values = sorted((key, shown) for key, shown in call.company.dimension_values[name].items() if key > above)
    rows = "".join(
        f"<{name}>"
        + "".join(f"<{field}>{key if field == 'ID' else escape(shown, quote=False)}</{field}>" for field in fields)
        + f"</{name}>"
        for key, shown in values[:size]
    )
    page = min(size, len(values))
    counts = f'totalcount="{len(values)}" offset="0" count="{page}" numremaining="{len(values) - page}"'
    return Result(data=f'<data listtype="{name}" {counts}>{rows}</data>')
