"""One call to a company's resources: what it asks for, told from its path, parameters and body (reference 1.1)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from sandbox.asked import Asked
from sandbox.faults import Operation
from sandbox.quickbooks_online.documents import Options
from sandbox.quickbooks_online.entities import ALWAYS_EMPTY, EntityType, entity_named
from sandbox.quickbooks_online.errors import Refused
from sandbox.quickbooks_online.values import Json

PATH = re.compile(r"/v3/company/([^/]*)((?:/[^/]*)*)", re.IGNORECASE)
_FROM = re.compile(r"\bfrom\s+(\w+)", re.IGNORECASE)
METERED = frozenset(["read", "query", "cdc", "download"])
"""What counts as a read of the month (reference 4); in a batch, each item that reads."""


@dataclass
class Call:
    """A request understood as far as its path, before its body is read."""

    realm: str
    asked: Asked
    operation: str
    kind: EntityType | None
    object_name: str
    identifier: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case: real clients spell changedSince and requestid in several ways."""

    items: list[Operation] = field(default_factory=list)
    """What the items of a batch do."""

    @property
    def operations(self) -> list[Operation]:
        """For faults and counts."""
        return [Operation(self.operation, self.object_name), *self.items]

    @property
    def reads(self) -> int:
        """How many metered reads it is."""
        return sum(one.name in METERED for one in self.operations)

    @property
    def included(self) -> frozenset[str]:
        """The words of `include`."""
        return frozenset(word.strip().lower() for word in self.parameters.get("include", "").split(","))

    @property
    def statement(self) -> str:
        """The query, from the address or the body."""
        return self.parameters.get("query") or self.asked.body.decode(errors="replace")

    def options(self, *, drop_links: bool = False) -> Options:
        """What the call says besides the document."""
        return Options("allowduplicatedocnum" in self.included, drop_links)

    def body(self) -> Json:
        """The JSON object that was sent. Raises Refused."""
        sent = json_body(self.asked)
        name = self.kind.name if self.kind is not None else ""
        inner = sent.get(name)
        return inner if isinstance(inner, dict) and len(sent) == 1 else sent


def json_body(asked: Asked) -> Json:
    """A request's JSON object with exact numbers. Raises Refused."""
    content_type = asked.headers.get("content-type", "")
    if "xml" in content_type:
        raise Refused("1050", "Content type is not supported", f"{content_type} is not supported", status=415)
    try:
        sent: Any = json.loads(asked.body, parse_float=Decimal)
    except ValueError as error:
        raise Refused(
            "2010",
            "Request has invalid or unsupported property",
            f"Property Name:Can not parse the request body: {error}",
        ) from None
    if not isinstance(sent, dict):
        raise Refused("2010", "Request has invalid or unsupported property", "The body is not a JSON object")
    return sent


def understood(realm: str, rest: str, asked: Asked) -> Call:
    """What a request asks for. Raises Refused where its path or method is nobody's."""
    given = parse_qsl(asked.query, keep_blank_values=True)
    parameters = {name.lower(): value for name, value in given}
    parts = [part for part in rest.split("/") if part]
    name = parts[0].lower() if parts else ""
    call = Call(realm, asked, "", None, "", parameters=parameters)
    if name in ("query", "cdc", "batch", "upload") and len(parts) == 1:
        return _of_no_entity(call, name)
    if name in ("download", "reports") and len(parts) == 2:
        _must(asked, "GET")
        call.operation, call.identifier = "download" if name == "download" else "report", parts[1]
        return call
    call.kind = entity_named(name)
    if call.kind is None and name not in ALWAYS_EMPTY:
        raise Refused("2000", "Invalid object name", f"Invalid object name : {name}", status=404)
    call.object_name = call.kind.name if call.kind is not None else name
    if len(parts) == 1 and asked.method == "POST":
        call.operation = _write_operation(call)
    elif len(parts) == 1 or len(parts) == 2:
        _must(asked, "GET")
        call.operation, call.identifier = "read", parts[1] if len(parts) == 2 else ""
    elif len(parts) == 3 and parts[2].lower() in ("pdf", "send"):
        _must(asked, "GET" if parts[2].lower() == "pdf" else "POST")
        call.operation, call.identifier = parts[2].lower(), parts[1]
    else:
        raise Refused("2000", "Invalid object name", f"Invalid path : {rest}", status=404)
    return call


def _of_no_entity(call: Call, name: str) -> Call:
    call.operation = name
    if name == "query":
        if call.asked.method not in ("GET", "POST"):
            _must(call.asked, "GET")
        found = _FROM.search(call.statement)
        kind = entity_named(found[1]) if found is not None else None
        call.object_name = kind.name if kind is not None else found[1] if found is not None else ""
    elif name == "cdc":
        _must(call.asked, "GET")
        call.object_name = call.parameters.get("entities", "")
    else:
        _must(call.asked, "POST")
        call.items = _items(call.asked) if name == "batch" else []
    return call


def _items(asked: Asked) -> list[Operation]:
    """What a batch's items do, as far as they can be told; what is wrong with them is said later."""
    try:
        sent = json.loads(asked.body)
    except ValueError:
        return []
    items = sent.get("BatchItemRequest") if isinstance(sent, dict) else None
    found = []
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        if "Query" in item:
            named = _FROM.search(str(item["Query"]))
            kind = entity_named(named[1]) if named is not None else None
            found.append(Operation("query", kind.name if kind is not None else ""))
        elif "CDCQuery" in item:
            found.append(Operation("cdc", ""))
        else:
            kind = next((one for one in map(entity_named, item) if one is not None), None)
            found.append(Operation(str(item.get("operation", "")).lower(), kind.name if kind is not None else ""))
    return found


def _must(asked: Asked, method: str) -> None:
    if asked.method != method:
        raise Refused("500", "Unsupported Operation", f"Method {asked.method} is not allowed", status=405)


def _write_operation(call: Call) -> str:
    """create, update, delete, void: by the parameter, or by whether the body names an Id."""
    word = call.parameters.get("operation", "").lower()
    if word == "void" or (word == "update" and "void" in call.included):
        return "void"
    if word in ("delete", "update"):
        return word
    if call.object_name in ("Preferences", "CompanyInfo"):
        return "update"
    try:
        sent = json.loads(call.asked.body or b"{}")
    except ValueError:
        return "create"
    identifier = sent.get("Id") if isinstance(sent, dict) else None
    return "update" if identifier not in (None, "", "0", 0) else "create"
