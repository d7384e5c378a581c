"""Follow a line of a receipt or an invoice back to its order line."""

from collections.abc import Mapping
from typing import NamedTuple

from erp.intacct.wire import Row


class Origin(NamedTuple):
    """The order line that a line of a receipt or an invoice comes from at last, through receipts and their back
    orders (S5-25)."""

    order_line: str | None
    document: str | None
    """The order."""
    row: Row
    """The order line as read; empty where it was not."""
    continues: str | None
    """The receipt line that this one is the rest of."""


def origin(line: Row, sources: Mapping[str, Row], receiver: str | None) -> Origin:
    """Return where a line comes from. `sources` are lines by record number, `receiver` is the receipts' definition: a
    receipt line that was made from another one is what was left of it."""
    key, document = line.get("SOURCE_DOCLINEKEY"), line.get("SOURCE_DOCID")
    continues: str | None = None
    seen: set[str | None] = set()
    while receiver and (source := sources.get(key or "", {})).get("DOCPARID") == receiver and key not in seen:
        seen.add(key)
        continues = continues or key
        key, document = source.get("SOURCE_DOCLINEKEY"), source.get("SOURCE_DOCID")
    return Origin(key, document, sources.get(key or "", {}), continues)
