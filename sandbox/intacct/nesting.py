"""Whole records for `read`: dotted fields become nested elements, and lines come inside their header."""

from collections.abc import Sequence
from html import escape

from sandbox.intacct.call_context import Call
from sandbox.intacct.object_types import PAYMENT_STATES, ObjectType
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.related import filler
from sandbox.intacct.rows import UNKNOWN_STATE, all_fields, names
from sandbox.intacct.tables import Record, Values

_OWNED = {
    # object: (element around the lines, element of one line)
    "PODOCUMENT": ("PODOCUMENTENTRIES", "podocumententry"),
    "APBILL": ("APBILLITEMS", "APBILLITEM"),
    "APADJUSTMENT": ("APADJUSTMENTITEMS", "APADJUSTMENTITEM"),
    "APPYMT": ("APPYMTDETAILS", "APPYMTDETAIL"),
    "UOM": ("UOMDETAILS", "UOMDETAIL"),
}

Nested = dict[str, "str | Nested"]


def render_whole(call: Call, kind: ObjectType, record: Record, fields: Sequence[str], *, lines: bool) -> str:
    """One record with nested fields; with its lines when `lines`."""
    fill = filler(call.company, kind, fields)
    values = Values(record.values) if fill is None else fill(record.values)
    if kind.name == "APPYMT" and call.company.switches.word("payment_state") == "code":
        values["STATE"] = PAYMENT_STATES.get(values["STATE"], values["STATE"])
    unknown = call.tampering.get("unknown_state")
    if unknown is not None and (not unknown or names(record, unknown)):
        values["STATE"] = UNKNOWN_STATE
    inner = _nested(values, fields)
    if lines and kind.name in _OWNED:
        around, tag = _OWNED[kind.name]
        owned = OBJECTS[kind.owned]
        line_fields = all_fields(call, owned)
        entries = call.company[kind.owned].find(owned.owned_by, str(record.number))
        rendered = "".join(f"<{tag}>{_nested(entry.values, line_fields)}</{tag}>" for entry in entries)
        inner += f"<{around}>{rendered}</{around}>"
        if kind.name == "PODOCUMENT":
            beside = call.company["PODOCUMENTSUBTOTALS"].find("DOCHDRKEY", str(record.number))
            fields_beside = all_fields(call, OBJECTS["PODOCUMENTSUBTOTALS"])
            shown = "".join(
                f"<podocumentsubtotals>{_nested(row.values, fields_beside)}</podocumentsubtotals>" for row in beside
            )
            inner += f"<SUBTOTALS>{shown}</SUBTOTALS>"
    return f"<{kind.name}>{inner}</{kind.name}>"


def _nested(values: Values, fields: Sequence[str]) -> str:
    tree: Nested = {}
    for name in fields:
        at = tree
        *path, last = name.split(".")
        for step in path:
            inner = at.setdefault(step, {})
            if isinstance(inner, str):
                break
            at = inner
        else:
            at[last] = values[name]
    return _element(tree)


def _element(tree: Nested) -> str:
    parts = []
    for name, value in tree.items():
        if name == "RECALLS" and isinstance(value, dict):
            # Several definitions may be recalled: a repeated element, not one joined value.
            recalled = [text for text in str(value.get("RECDOCPAR", "")).split("#~#") if text]
            inner = "".join(f"<RECALL><RECDOCPAR>{escape(text)}</RECDOCPAR></RECALL>" for text in recalled)
        elif isinstance(value, dict):
            inner = _element(value)
        else:
            inner = escape(value, quote=False)
        parts.append(f"<{name}>{inner}</{name}>")
    return "".join(parts)
