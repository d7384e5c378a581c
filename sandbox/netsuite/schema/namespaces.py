"""The 46 namespaces in the order the real WSDL has them (reference 1.3): clients number them ns0 to ns45 by it.

A key is a namespace without its version and host: `core` stands for
`urn:core_2023_2.platform.webservices.netsuite.com`, `types.core` for the enumerations beside it.
"""

import re
from typing import NamedTuple

VERSIONS = ("2023_2", "2024_1", "2024_2", "2025_1", "2025_2")


class Group(NamedTuple):
    """One namespace: its key, the domain behind the version, the prefix people give it, the served file's name."""

    key: str
    domain: str
    prefix: str
    file: str


def _groups() -> tuple[Group, ...]:
    groups = [
        Group("core", "platform", "platformCore", "core"),
        Group("types.core", "platform", "platformCoreTyp", "coreTypes"),
        Group("types.faults", "platform", "platformFaultsTyp", "faultTypes"),
        Group("faults", "platform", "platformFaults", "faults"),
        Group("messages", "platform", "platformMsgs", "messages"),
    ]
    for key, domain, prefix, file in (
        ("common", "platform", "platformCommon", "common"),
        ("scheduling", "activities", "actSched", "scheduling"),
        ("communication", "general", "generalComm", "communication"),
        ("filecabinet", "documents", "docFileCab", "fileCabinet"),
        ("relationships", "lists", "listRel", "relationships"),
        ("support", "lists", "listSupport", "support"),
        ("accounting", "lists", "listAcct", "accounting"),
        ("sales", "transactions", "tranSales", "sales"),
        ("purchases", "transactions", "tranPurch", "purchases"),
        ("customers", "transactions", "tranCust", "customers"),
        ("financial", "transactions", "tranFin", "financial"),
        ("bank", "transactions", "tranBank", "bank"),
        ("inventory", "transactions", "tranInvt", "inventory"),
        ("general", "transactions", "tranGeneral", "general"),
        ("customization", "setup", "setupCustom", "customization"),
        ("employees", "lists", "listEmp", "employees"),
        ("website", "lists", "listSite", "website"),
        ("employees", "transactions", "tranEmp", "employees"),
        ("marketing", "lists", "listMkt", "marketing"),
        ("demandplanning", "transactions", "demandPlanning", "demandPlanning"),
        ("supplychain", "lists", "supplyChain", "supplyChain"),
    ):
        unique = f"{key}@{domain}" if key == "employees" else key
        groups.append(Group(unique, domain, prefix, file))
        if key != "general":
            groups.append(Group(f"types.{unique}", domain, f"{prefix}Typ", f"{file}Types"))
    return tuple(groups)


GROUPS = _groups()
BY_KEY = {group.key: group for group in GROUPS}
_URI = re.compile(r"urn:((?:types\.)?[a-z]+)_(\d{4}_\d)\.([a-z]+)\.webservices\.netsuite\.com")
_KEYS = {(group.key.partition("@")[0], group.domain): group.key for group in GROUPS}
_URIS: dict[tuple[str, str], str] = {}


def uri(key: str, version: str) -> str:
    """The namespace of a key in a version."""
    found = _URIS.get((key, version))
    if found is None:
        group = BY_KEY[key]
        found = f"urn:{group.key.partition('@')[0]}_{version}.{group.domain}.webservices.netsuite.com"
        _URIS[key, version] = found
    return found


def key_of(namespace: str, version: str) -> str:
    """The key of a namespace; empty when it is not one of this version's."""
    found = _URI.fullmatch(namespace)
    if found is None or found[2] != version:
        return ""
    return _KEYS.get((found[1], found[3]), "")


def platform_uri(version: str) -> str:
    """The WSDL's own target namespace."""
    return f"urn:platform_{version}.webservices.netsuite.com"
