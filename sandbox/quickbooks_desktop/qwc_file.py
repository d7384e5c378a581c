"""Reads a .qwc file, the way an application introduces itself to the Web Connector (reference 1.5)."""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from lxml import etree

_NEEDED = ("AppName", "AppURL", "AppDescription", "AppSupport", "UserName", "OwnerID", "FileID", "QBType")
_GUID = re.compile(r"\{[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}")
_LOCAL = frozenset(["localhost"])


class QwcRefused(ValueError):
    """The Web Connector does not take the file; the message begins with its code."""


class QwcFile(NamedTuple):
    """What a .qwc file says."""

    app_name: str
    app_url: str
    support_url: str
    user_name: str
    owner_id: str
    file_id: str
    style: str
    read_only: bool
    run_every_seconds: int
    """0: no Scheduler."""


def read_qwc(text: str) -> QwcFile:
    """Read and check a file. Raises QwcRefused."""
    try:
        root = etree.fromstring(text.lstrip("\ufeff \r\n").encode(), etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        raise QwcRefused(f"QBWC1039: the .qwc file is not XML: {error}") from None
    if root.tag != "QBWCXML":
        raise QwcRefused(f"QBWC1039: the root of a .qwc file is QBWCXML, not {root.tag!r}")
    values = {str(child.tag): (child.text or "").strip() for child in root if isinstance(child.tag, str)}
    for name in _NEEDED:
        if not values.get(name):
            raise QwcRefused(f"QBWC1039: {name} is missing")
    for name in ("OwnerID", "FileID"):
        if not _GUID.fullmatch(values[name]):
            raise QwcRefused(f"QBWC1039: {name} is a GUID in braces")
    if values["QBType"] not in ("QBFS", "QBPOS"):
        raise QwcRefused("QBWC1039: QBType is QBFS or QBPOS")
    style = values.get("Style") or "Document"
    if style not in ("Document", "DocWrapped", "RPC"):
        raise QwcRefused("QBWC1039: Style is Document, DocWrapped or RPC")
    _check_urls(values["AppURL"], values["AppSupport"])
    return QwcFile(
        values["AppName"],
        values["AppURL"],
        values["AppSupport"],
        values["UserName"],
        values["OwnerID"],
        values["FileID"],
        style,
        values.get("IsReadOnly", "false").lower() == "true",
        _scheduled(root),
    )


def _check_urls(app: str, support: str) -> None:
    own, other = urlsplit(app), urlsplit(support)
    if own.hostname in _LOCAL:
        return
    if _is_number(own.hostname or ""):
        raise QwcRefused("QBWC1002: AppURL names its host by a name, not by a number")
    if own.scheme != "https":
        raise QwcRefused("QBWC1001: AppURL is https, or its host is localhost")
    if own.hostname != other.hostname:
        raise QwcRefused("QBWC1000: AppSupport has the same host as AppURL")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _scheduled(root: etree._Element) -> int:
    """The first of RunEveryNMinutes and RunEveryNSeconds wins."""
    scheduler = root.find("Scheduler")
    for child in scheduler if scheduler is not None else ():
        if child.tag in ("RunEveryNMinutes", "RunEveryNSeconds") and (child.text or "").strip().isdigit():
            return int((child.text or "").strip()) * (60 if child.tag == "RunEveryNMinutes" else 1)
    return 0
