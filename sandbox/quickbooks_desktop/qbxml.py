"""qbXML as text: what comes in is parsed, what goes out is written element by element (reference 2.1)."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from lxml import etree

from sandbox.quickbooks_desktop.errors import parse_error

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_UNSAFE = re.compile(r'[&<>"\x00-\x08\x0b\x0c\x0e-\x1f]|[^\x00-\x7f]')
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


class Asked(NamedTuple):
    """A document of requests: its language version, the attributes of the set, and the requests."""

    version: int
    attributes: dict[str, str]
    requests: list[etree._Element]


def read(text: str) -> Asked:
    """A request document. Raises HResult for what QuickBooks cannot parse."""
    body = _DECLARATION.sub("", text.lstrip("\ufeff"), count=1)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise parse_error(str(error)) from None
    version = _version(root)
    if root.tag != "QBXML" or root.getroottree().docinfo.doctype:
        raise parse_error("the root is QBXML, without a DTD")
    children = [child for child in root if isinstance(child.tag, str)]
    if len(children) != 1 or children[0].tag != "QBXMLMsgsRq":
        raise parse_error("QBXML has one QBXMLMsgsRq")
    message_set = children[0]
    requests = [child for child in message_set if isinstance(child.tag, str)]
    return Asked(version, dict(message_set.attrib), requests)


def _version(root: etree._Element) -> int:
    node = root.getprevious()
    while node is not None:
        if isinstance(node, etree._ProcessingInstruction) and node.target == "qbxml":
            told = re.search(r'version\s*=\s*["\'](\d+)\.0["\']', node.text or "")
            if told is None:
                break
            return int(told[1])
        node = node.getprevious()
    raise parse_error("the qbxml processing instruction names the version")


def escaped(text: str) -> str:
    """Text as ASCII: everything else as numeric references (reference 2.1)."""
    return _UNSAFE.sub(lambda one: _ENTITIES.get(one[0]) or (f"&#{ord(one[0])};" if ord(one[0]) > 31 else ""), text)


def leaf(name: str, value: object) -> str:
    """One element with a plain value; nothing where there is none."""
    if value is None or value == "":
        return ""
    if value is True or value is False:
        return f"<{name}>{'true' if value else 'false'}</{name}>"
    return f"<{name}>{escaped(str(value))}</{name}>"


def branch(name: str, *parts: str) -> str:
    """An element around others; nothing around nothing."""
    inner = "".join(parts)
    return f"<{name}>{inner}</{name}>" if inner else ""


def attributes(pairs: Iterable[tuple[str, object]]) -> str:
    """Attributes, those without a value left out."""
    return "".join(f' {name}="{escaped(str(value))}"' for name, value in pairs if value is not None)


def money(amount: Decimal | None) -> str | None:
    """An amount with its two decimals."""
    return None if amount is None else f"{amount:.2f}"


def plain(number: Decimal | None) -> str | None:
    """A quantity or price without zeros behind it."""
    if number is None:
        return None
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def windows(text: str) -> tuple[str, bool]:
    """The text as QuickBooks stores it, in Windows-1252, and whether something was lost."""
    stored = text.encode("cp1252", "replace").decode("cp1252")
    return stored, stored != text
