"""Checks a request document: which elements, in which order, in which version, and the form of their values.

One misplaced element and QuickBooks refuses the whole document with 0x80040400 and without a hint (reference 2.1).
"""

import re
from functools import cache

from lxml import etree

from sandbox.quickbooks_desktop.content_models import MODELS, REQUESTS, attributes_of
from sandbox.quickbooks_desktop.errors import Refused, parse_error
from sandbox.quickbooks_desktop.qbxml import Asked
from sandbox.quickbooks_desktop.value_types import CHOICES, check_value

VERSIONS = (13, 14, 15, 16)
_SET_ATTRIBUTES = frozenset(["onError", "newMessageSetID", "oldMessageSetID", "responseData"])
_ATTRIBUTE_VALUES = {
    "onError": frozenset(["stopOnError", "continueOnError", "rollbackOnError"]),
    "responseData": frozenset(["includeAll", "includeNone"]),
    "iterator": frozenset(["Start", "Continue", "Stop"]),
    "metaData": frozenset(["NoMetaData", "MetaDataOnly", "MetaDataAndResponseData"]),
}
_PARTS = re.compile(r"([A-Za-z0-9]+)(@\d+)?|([(),|?*+])")


def check(asked: Asked, newest: int) -> dict[int, Refused]:
    """Check a document; the answer is what is wrong with the values of single requests, by position.

    Raises HResult when QuickBooks would not parse it.
    """
    if asked.version not in VERSIONS or asked.version > newest:
        raise parse_error(f"qbXML {asked.version}.0 is not known here; the newest is {newest}.0")
    if "onError" not in asked.attributes:
        raise parse_error("QBXMLMsgsRq needs onError")
    _check_attributes(asked.attributes, _SET_ATTRIBUTES, "QBXMLMsgsRq")
    wrong: dict[int, Refused] = {}
    for position, request in enumerate(asked.requests):
        if request.tag not in REQUESTS:
            raise parse_error(f"unknown request {request.tag!s}")
        _check_attributes(dict(request.attrib), attributes_of(request.tag), request.tag)
        try:
            _check_element(request, asked.version)
        except Refused as refused:
            # The order of what follows is still checked: a misplaced element refuses the document.
            wrong[position] = refused
            _check_order(request, asked.version)
    return wrong


def _check_attributes(given: dict[str, str], known: frozenset[str], where: str) -> None:
    for name, value in given.items():
        allowed = _ATTRIBUTE_VALUES.get(name)
        if name not in known or (allowed is not None and value not in allowed):
            raise parse_error(f"attribute {name}={value!r} of {where}")


def _check_element(element: etree._Element, version: int) -> None:
    _check_children(element, version)
    for child in element:
        if child.tag in MODELS:
            _check_element(child, version)
        else:
            _check_leaf(str(element.tag), child)


def _check_order(element: etree._Element, version: int) -> None:
    _check_children(element, version)
    for child in element:
        if child.tag in MODELS:
            _check_order(child, version)


def _check_children(element: etree._Element, version: int) -> None:
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        raise parse_error(f"text between the elements of {element.tag!s}")
    if element.attrib and not str(element.tag).endswith("Rq") and set(element.attrib) - {"defMacro", "useMacro"}:
        raise parse_error(f"attributes of {element.tag!s}")
    order = "".join(f"{child.tag!s} " for child in element)
    if not _matcher(str(element.tag), version).fullmatch(order):
        raise parse_error(f"{element.tag!s} does not take, in this order, {order}")


def _check_leaf(parent: str, child: etree._Element) -> None:
    name, text = str(child.tag), (child.text or "").strip()
    if len(child):
        raise parse_error(f"{name} has plain text")
    if child.attrib and set(child.attrib) - {"useMacro"}:
        raise parse_error(f"attributes of {name}")
    choices = CHOICES.get(name)
    if choices is not None and text not in choices:
        raise parse_error(f"{name} cannot be {text!r}")
    check_value(parent, name, text)


@cache
def _matcher(name: str, version: int) -> re.Pattern[str]:
    """The content model as a regular expression over the children's names."""
    pattern = []
    for part in _PARTS.finditer(MODELS[name]):
        element, since, sign = part.groups()
        if sign:
            pattern.append("" if sign == "," else "(?:" if sign == "(" else sign)
        elif since and int(since[1:]) > version:
            pattern.append("(?:(?!))")  # not in this version yet
        else:
            pattern.append(f"(?:{element} )")
    return re.compile("".join(pattern))
