"""Rows of an answer: which records a caller may see, and how their fields become XML, fast."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sandbox.intacct.call_context import Call
from sandbox.intacct.object_types import PAYMENT_STATES, ObjectType
from sandbox.intacct.objects import described
from sandbox.intacct.related import filler
from sandbox.intacct.tables import Record, Table, Values, escaped

_MANDATORY = {"PODOCUMENT": "CUSTVENDID", "PODOCUMENTENTRY": "UIQTY", "APBILL": "VENDORID", "APPYMT": "VENDORID"}
UNKNOWN_STATE = "Quarantined"


def visible(call: Call, *, private: bool) -> Callable[[Values], bool] | None:
    """A test for what this session may see; None when it may see everything (reference 7.1)."""
    entity = call.session.entity
    if entity:
        return lambda values: values["MEGAENTITYID"] in ("", entity)
    if private:
        return None
    return lambda values: not values["MEGAENTITYID"]


def lagging(call: Call) -> datetime | None:
    """The moment that reads show, when the read lag is on."""
    seconds = call.company.switches.number("read_lag_seconds")
    return call.company.now() - timedelta(seconds=seconds) if seconds else None


def as_of(records: Iterable[Record], table: Table, moment: datetime) -> Iterator[Record]:
    """Records as they were at `moment`, deleted ones included."""
    for record in records:
        values = record.as_of(moment)
        if values is not None:
            yield Record(record.number, values)
    for number, (gone, values) in table.deleted.items():
        if moment < gone:
            yield Record(number, values)


class Renderer:
    """Turns records into elements. Made once per answer; the template keeps a page of thousands cheap."""

    def __init__(self, call: Call, kind: ObjectType, tag: str, fields: Sequence[str]) -> None:
        self._call = call
        self._kind = kind
        self._fields = tuple(fields)
        inner = "".join(f"<{name}>%s</{name}>" for name in fields)
        self._template = f"<{tag}>{inner}</{tag}>"
        self._pick: Callable[[Values], Any] = itemgetter(*fields)
        self._fill = filler(call.company, kind, fields)
        self._codes: dict[str, Mapping[str, str]] = {}
        if kind.name == "APPYMT" and call.company.switches.word("payment_state") == "code" and "STATE" in fields:
            self._codes["STATE"] = PAYMENT_STATES

    def page(self, records: Sequence[Record]) -> str:
        """All records, rendered; tampered with where a fault says so."""
        if self._call.tampering or self._fill is not None or self._codes:
            return self._altered(records)
        template, pick = self._template, self._pick
        return "".join([template % pick(record.escaped()) for record in records])

    def _altered(self, records: Sequence[Record]) -> str:
        """The slow way: related fields, codes, faults."""
        rendered = []
        missing = self._call.tampering.get("missing_field")
        unknown = self._call.tampering.get("unknown_state")
        duplicate = self._call.tampering.get("duplicate_row")
        template = self._template
        for at, record in enumerate(records):
            values = Values(record.values) if self._fill is None else self._fill(record.values)
            for name, codes in self._codes.items():
                values[name] = codes.get(values[name], values[name])
            template = self._template
            if unknown is not None and "STATE" in self._fields and (not unknown or names(record, unknown)):
                values["STATE"] = UNKNOWN_STATE
            if missing is not None and (names(record, missing) if missing else at == 0):
                field = _MANDATORY.get(self._kind.name, self._kind.key)
                template = template.replace(f"<{field}>%s</{field}>", "%.0s")
            row = template % self._pick(escaped(values))
            rendered.append(row)
            if duplicate is not None and (names(record, duplicate) if duplicate else at == 0):
                rendered.append(row)
        return "".join(rendered)


def names(record: Record, wanted: str) -> bool:
    """Whether a fault's `record` means this one."""
    values = record.values
    return wanted in (
        values["RECORDNO"],
        values["DOCID"],
        values["DOCNO"],
        values["DOCHDRID"],
        values["DOCHDRID"].rpartition("-")[2],
        values["RECORDID"],
    ) or values["DOCHDRID"].endswith(f"-{wanted}")


def custom_fields(call: Call, kind: ObjectType) -> set[str]:
    """The custom fields that can be read; those of documents only with `docparid` (reference 2.6)."""
    found = call.company.custom_fields.get(kind.name, set())
    if kind.document_type and not call.docparid:
        return {name for name in found if name.startswith("GLDIM")}
    return found


def unknown_fields(call: Call, kind: ObjectType, fields: Iterable[str]) -> list[str]:
    """Those of `fields` that the object does not have, not even by one hop."""
    custom = custom_fields(call, kind)
    unknown = []
    for name in fields:
        if name in custom:
            continue
        if described(kind, name) is None:
            unknown.append(name)
    return unknown


def all_fields(call: Call, kind: ObjectType) -> list[str]:
    """Every field of the object, custom ones last."""
    return [*kind.fields, *sorted(custom_fields(call, kind))]
