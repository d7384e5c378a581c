"""What faults do to the objects of an answer: some are missing, come twice, or are not what they should be."""

from collections.abc import Sequence

from lxml import etree

from sandbox.faults import Rule

KINDS = frozenset(["unknown_state", "missing_field", "duplicate_row", "short_page", "unknown_element"])
_MANDATORY = {"PurchaseOrderRet": "VendorRef", "BillRet": "VendorRef", "VendorRet": "Name"}
_STATES = ("IsManuallyClosed", "IsPaid", "IsActive")


def tampered(text: str, rules: Sequence[Rule]) -> str:
    """The objects of one answer, spoiled as the rules say."""
    if not rules or not text:
        return text
    root = etree.fromstring(f"<all>{text}</all>")
    for rule in rules:
        if not len(root):
            break
        if rule.kind == "short_page":
            root.remove(root[-1])
            continue
        at = next(
            (at for at, one in enumerate(root) if rule.record in (one.findtext("TxnID"), one.findtext("ListID"))), 0
        )
        if rule.kind == "duplicate_row":
            root.insert(at, etree.fromstring(etree.tostring(root[at])))
        elif rule.kind == "missing_field":
            _take(root[at], _MANDATORY.get(str(root[at].tag), "TimeModified"))
        elif rule.kind == "unknown_element":
            etree.SubElement(root[at], "BrandNewElement").text = "x"
        else:
            for one in [root[at]] if rule.record else list(root):
                _unknown_state(one)
    return "".join(etree.tostring(one, encoding="us-ascii").decode() for one in root)


def _take(record: etree._Element, name: str) -> None:
    child = record.find(name)
    if child is not None:
        record.remove(child)


def _unknown_state(record: etree._Element) -> None:
    for name in _STATES:
        child = record.find(name)
        if child is not None:
            child.text = "hibernating"
            return
