"""Answers the calls to one company's resources, once they are let in (reference 3)."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sandbox.faults import Rule
from sandbox.quickbooks_online import attachments, changes, querying, writing
from sandbox.quickbooks_online.batch import run_batch
from sandbox.quickbooks_online.calls import Call, json_body
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import EntityType
from sandbox.quickbooks_online.errors import Refused, not_found, unsupported
from sandbox.quickbooks_online.fault_bodies import JSON_TYPE
from sandbox.quickbooks_online.query_answers import query_text
from sandbox.quickbooks_online.tampering import tampered
from sandbox.quickbooks_online.values import answered_at
from sandbox.quickbooks_online.wire_out import record_text, tombstone, written
from sandbox.responses import Answer


class Spoiling(NamedTuple):
    """What faults do to one call's work."""

    drop_links: bool = False
    skip_first: bool = False
    """A page of a query begins one record later: an earlier one is gone meanwhile."""
    records: Sequence[Rule] = ()


def run(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    """The answer of a call that was let in. Raises Refused."""
    return RUN[call.operation](company, call, spoiling)


def _entity(call: Call) -> EntityType:
    if call.kind is None:
        raise unsupported(call.operation)
    return call.kind


def _with_time(company: Company, inner: str) -> Answer:
    """An answer's body: what it holds, and when it was given."""
    return Answer(f'{{{inner},"time":"{answered_at(company.clock.now())}"}}', 200, JSON_TYPE)


def _one(company: Company, kind: EntityType, text: str, spoiling: Spoiling) -> Answer:
    text = tampered(kind.name, [text], [rule for rule in spoiling.records if rule.kind != "short_page"])[0]
    return _with_time(company, f'"{kind.name}":{text}')


def _read(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    if call.kind is None:
        raise not_found()
    single = call.kind.name in ("Preferences", "CompanyInfo")
    record = company.get(call.kind.name, "1" if single else call.identifier)
    if record is None:
        raise not_found()
    return _one(company, call.kind, record_text(company, record), spoiling)


def _save(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    kind = _entity(call)
    body = call.body()
    if kind.name == "Purchase" and call.operation == "create":
        raise unsupported("create")
    if call.operation == "update":
        record = writing.update(company, kind, body, call.options(drop_links=spoiling.drop_links))
    else:
        record = writing.create(company, kind, body, call.options(drop_links=spoiling.drop_links))
    return _one(company, kind, record_text(company, record), spoiling)


def _delete(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    kind = _entity(call)
    record = writing.delete(company, kind, call.body())
    return _one(company, kind, written(tombstone(record.id)), spoiling)


def _void(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    kind = _entity(call)
    if kind.name == "BillPayment" and call.parameters.get("operation", "").lower() == "void":
        raise unsupported("void")
    record = writing.void(company, kind, call.body())
    return _one(company, kind, record_text(company, record), spoiling)


def _query(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    page = querying.run(company, call.statement, skip=int(spoiling.skip_first))
    return _with_time(company, f'"QueryResponse":{query_text(company, page, spoiling.records)}')


def _cdc(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    return _with_time(company, f'"CDCResponse":{changes.run(company, call.parameters, spoiling.records)}')


def _batch(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    items = run_batch(company, json_body(call.asked), drop_links=spoiling.drop_links)
    return _with_time(company, f'"BatchItemResponse":[{",".join(items)}]')


def _send(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    """An order goes out by e-mail, as far as the books can tell."""
    kind = _entity(call)
    record = company.get(kind.name, call.identifier)
    if record is None:
        raise not_found()
    if kind.name != "PurchaseOrder":
        raise unsupported("send")
    address = call.parameters.get("sendto", "")
    if address:
        record.values["POEmail"] = {"Address": address}
    if not record["POEmail"]:
        raise Refused("2020", "Required param missing", "Required parameter POEmail is missing in the request")
    record.values["EmailStatus"] = "EmailSent"
    company.touch(record, "Emailed")
    return _one(company, kind, record_text(company, record), spoiling)


def _upload(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    return _with_time(company, f'"AttachableResponse":[{",".join(attachments.upload(company, call.asked))}]')


def _download(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    url = attachments.download_url(company, call.identifier, call.asked.base)
    return Answer(url, 200, "text/plain;charset=UTF-8")


def _not_here(company: Company, call: Call, spoiling: Spoiling) -> Answer:
    raise unsupported(call.operation)


RUN: Mapping[str, Callable[[Company, Call, Spoiling], Answer]] = {
    "read": _read,
    "create": _save,
    "update": _save,
    "delete": _delete,
    "void": _void,
    "query": _query,
    "cdc": _cdc,
    "batch": _batch,
    "send": _send,
    "upload": _upload,
    "download": _download,
    "pdf": _not_here,
    "report": _not_here,
}
