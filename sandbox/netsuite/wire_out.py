"""Writes answers in the schema's order, with the prefixes people know (reference 3.2)."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from html import escape
from typing import Any

from sandbox.netsuite.schema.namespaces import BY_KEY, uri
from sandbox.netsuite.schema.shapes import ENUMERATION_OF, SHAPES, SIMPLE, Shape
from sandbox.netsuite.values import Fields, Ref

NameOf = Callable[[str, Ref], str]
"""What a reference is called: the field it stands in, and the reference."""

_USED = ("core", "messages", "common", "sales", "purchases", "relationships", "employees@lists", "accounting")
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def names_of(version: str) -> str:
    """The namespace declarations of an answer."""
    declared = "".join(f' xmlns:{BY_KEY[key].prefix}="{uri(key, version)}"' for key in _USED)
    return f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{declared}'


def envelope(version: str, body: str, ns_id: str) -> str:
    """A normal answer with its documentInfo header."""
    info = (
        f"<platformMsgs:documentInfo><platformMsgs:nsId>{escape(ns_id)}</platformMsgs:nsId></platformMsgs:documentInfo>"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}"{names_of(version)}>'
        f"<soapenv:Header>{info}</soapenv:Header><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )


def fault_envelope(version: str, fault: str, code: str, message: str) -> str:
    """A SOAP fault as Axis writes it (reference 6.1); without a fault element the detail has the host name alone."""
    detail = '<ns1:hostname xmlns:ns1="http://xml.apache.org/axis/">sandbox.posync.test</ns1:hostname>'
    if fault:
        detail = (
            f'<platformFaults:{fault} xmlns:platformFaults="{uri("faults", version)}">'
            f"<platformFaults:code>{escape(code)}</platformFaults:code>"
            f"<platformFaults:message>{escape(message)}</platformFaults:message></platformFaults:{fault}>{detail}"
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>soapenv:Server.userException</faultcode><faultstring>{escape(message)}</faultstring>"
        f"<detail>{detail}</detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )


class Writer:
    """Writes values as elements; moments are shown in the account's time zone."""

    def __init__(self, zone: tzinfo, name_of: NameOf) -> None:
        self._zone = zone
        self._name_of = name_of

    def element(self, prefix: str, name: str, kind: str, value: Any) -> str:
        """One element with everything in it."""
        parts: list[str] = []
        self._write(parts, f"{prefix}:{name}", name, kind, value)
        return "".join(parts)

    def _write(self, parts: list[str], tag: str, name: str, kind: str, value: Any) -> None:
        if kind in SIMPLE or kind in ENUMERATION_OF:
            parts.append(f"<{tag}>{self._text(value, kind)}</{tag}>")
            return
        shape = SHAPES[kind]
        if isinstance(value, Ref):
            self._reference(parts, tag, name, shape, value)
            return
        xsi = ""
        attributes: Mapping[str, str] = {}
        if isinstance(value, Fields):
            attributes = value.attributes
            if value.shape != kind:
                shape = SHAPES[value.shape]
                xsi = f' xsi:type="{BY_KEY[shape.namespace].prefix}:{shape.name}"'
        shown = "".join(f' {key}="{escape(text)}"' for key, text in attributes.items())
        if shape.list_of is not None and not isinstance(value, Mapping):
            value = {shape.list_of.name: value}
        start = len(parts)
        parts.append("")
        self._children(parts, shape, value)
        if len(parts) == start + 1:
            parts[start] = f"<{tag}{shown}{xsi}/>"
        else:
            parts[start] = f"<{tag}{shown}{xsi}>"
            parts.append(f"</{tag}>")

    def _children(self, parts: list[str], shape: Shape, value: Mapping[str, Any]) -> None:
        for tag, field in shape.tagged:
            given = value.get(field.name)
            if given is None:
                continue
            if field.many:
                for one in given:
                    self._write(parts, tag, field.name, field.kind, one)
            else:
                self._write(parts, tag, field.name, field.kind, given)

    def _reference(self, parts: list[str], tag: str, name: str, shape: Shape, ref: Ref) -> None:
        attributes = f' internalId="{escape(ref.internal_id)}"' if ref.internal_id else ""
        if ref.external_id:
            attributes += f' externalId="{escape(ref.external_id)}"'
        if ref.type:
            attributes += f' type="{escape(ref.type)}"'
        if shape.abstract:
            attributes += ' xsi:type="platformCore:RecordRef"'
        shown = ref.name or self._name_of(name, ref)
        if shown:
            shown = escape(shown, quote=False)
            parts.append(f"<{tag}{attributes}><platformCore:name>{shown}</platformCore:name></{tag}>")
        else:
            parts.append(f"<{tag}{attributes}/>")

    def _text(self, value: Any, kind: str) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Decimal):
            text = f"{value:f}"
            if "." not in text:
                return f"{text}.0" if kind == "d" else text
            text = text.rstrip("0")
            return f"{text}0" if text.endswith(".") else text
        if isinstance(value, datetime):
            return value.astimezone(self._zone).isoformat(timespec="milliseconds")
        if isinstance(value, date):
            midnight = datetime(value.year, value.month, value.day, tzinfo=self._zone)
            return midnight.isoformat(timespec="milliseconds")
        return escape(str(value), quote=False)
