"""Find what is in QuickBooks' documents: their lines, and what they are linked to (reference 3.1, 3.2)."""

from collections.abc import Iterator, Sequence

from lxml import etree

from erp.quickbooks_desktop import wire

ORDER_LINES = ("PurchaseOrderLineRet", "PurchaseOrderLineGroupRet")
ITEM_LINES = ("ItemLineRet", "ItemGroupLineRet")

BILLING_TYPES = ("Bill", "Check", "CreditCardCharge")
"""Kinds of documents that bill an order."""


def lines_in(record: etree._Element, names: Sequence[str]) -> Iterator[etree._Element]:
    """Return the lines of a document, those inside groups in their place."""
    for line in wire.children(record, names):
        if "Group" in str(line.tag):
            yield from wire.children(line, names)
        else:
            yield line


def linked(record: etree._Element, *kinds: str) -> list[str]:
    """Return the ids of documents of these kinds that a document is linked to, without repeats."""
    ids = [
        wire.text(link, "TxnID")
        for link in wire.children(record, ("LinkedTxn",))
        if wire.text(link, "TxnType") in kinds
    ]
    return list(dict.fromkeys(one for one in ids if one))
