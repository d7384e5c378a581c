"""Link a bill whose link QuickBooks dropped (reference 6.2, 3.3).

A line that is there takes no new link: the line that carries it must be new. So the bill keeps its number and its
linked lines, and each unlinked line is sent anew in its place, in one sparse update.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from erp.quickbooks_online import translate, wire
from erp.quickbooks_online.bill_edits import READ_ONLY
from erp.quickbooks_online.bill_lines import Line, linked_line, order_line, wire_line
from erp.quickbooks_online.wire import Entity


def unlinked(lines: Sequence[Line], record: Entity) -> list[Line]:
    """Return the lines without a link in QuickBooks."""
    return [line for line in lines if linked_line(record, line) is None]


def body(
    lines: Sequence[Line],
    pairs: Sequence[tuple[Line, Entity | None]],
    record: Entity,
    orders: Mapping[str, Entity],
) -> dict[str, Any]:
    """Return the sparse update that links what is not linked."""
    missing = {line.order_line for line in unlinked(lines, record)}
    replaced = {
        wire.text(match, "Id"): line for line, match in pairs if match is not None and line.order_line in missing
    }
    written: list[dict[str, Any]] = []
    for line_as_is in wire.parts(record, "Line"):
        if not translate.is_bought(line_as_is):
            continue
        line = replaced.pop(wire.text(line_as_is, "Id"), None)
        if line is None:
            written.append({name: value for name, value in line_as_is.items() if name not in READ_ONLY})
        else:
            written.append(wire_line(line, order_line(line, orders)))
    return {
        "Id": wire.text(record, "Id"),
        "SyncToken": wire.text(record, "SyncToken"),
        "sparse": True,
        "LinkedTxn": [
            *(link for link in wire.parts(record, "LinkedTxn") if link.get("TxnType") != "PurchaseOrder"),
            *({"TxnId": order, "TxnType": "PurchaseOrder"} for order in dict.fromkeys(line.order for line in lines)),
        ],
        "Line": written,
    }
