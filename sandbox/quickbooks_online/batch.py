"""Batches (reference 3.9): items one after another, no transaction, each with an answer or a fault of its own."""

from collections.abc import Mapping
from typing import Any

from sandbox.quickbooks_online import changes, querying, writing
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.documents import Options
from sandbox.quickbooks_online.entities import EntityType, entity_named
from sandbox.quickbooks_online.errors import Refused, missing, unsupported
from sandbox.quickbooks_online.fault_bodies import fault_json
from sandbox.quickbooks_online.query_answers import query_text
from sandbox.quickbooks_online.wire_out import record_text, tombstone, written

_MOST = 30
_OTHERS = frozenset(["bid", "operation", "optionsdata", "query", "cdcquery", "reportquery"])


def items_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items of a batch. Raises Refused (1040)."""
    items = body.get("BatchItemRequest")
    if not isinstance(items, list) or not items or not all(isinstance(item, Mapping) for item in items):
        raise missing("BatchItemRequest")
    if len(items) > _MOST:
        raise Refused("1040", "Max number of batch items exceeded", f"A batch has at most {_MOST} items")
    return items


def run_batch(company: Company, body: Mapping[str, Any], *, drop_links: bool = False) -> list[str]:
    """The answers as JSON texts. Raises Refused when the batch as a whole cannot be read."""
    answers = []
    for item in items_of(body):
        try:
            inner = _item(company, item, drop_links)
        except Refused as refused:
            inner = f'"Fault":{written(fault_json(refused))}'
        answers.append(f'{{"bId":{written(str(item.get("bId", "")))},{inner}}}')
    if company.switches.word("batch_order") == "reversed":
        answers.reverse()
    return answers


def _item(company: Company, item: Mapping[str, Any], drop_links: bool) -> str:
    if "Query" in item:
        return f'"QueryResponse":{query_text(company, querying.run(company, str(item["Query"])))}'
    if "CDCQuery" in item:
        asked = item["CDCQuery"] if isinstance(item["CDCQuery"], Mapping) else {}
        given = {
            "entities": ",".join(asked["Entities"])
            if isinstance(asked.get("Entities"), list)
            else str(asked.get("Entities", "")),
            "changedsince": str(asked.get("ChangedSince", "")),
        }
        return f'"CDCResponse":{changes.run(company, given, ())[1:-1]}'
    name = next((name for name in item if name.lower() not in _OTHERS), "")
    kind, body = entity_named(name), item.get(name)
    if kind is None or not isinstance(body, Mapping):
        raise Refused("2000", "Invalid object name", f"Invalid object name : {name}")
    return f'"{kind.name}":{_written(company, kind, item, body, drop_links)}'


def _written(
    company: Company, kind: EntityType, item: Mapping[str, Any], body: Mapping[str, Any], drop_links: bool
) -> str:
    operation = str(item.get("operation", "")).lower()
    options = Options("allowduplicatedocnum" in str(item.get("optionsData", "")).lower(), drop_links)
    if operation == "create" and kind.name != "Purchase":
        return record_text(company, writing.create(company, kind, body, options))
    if operation == "update" and str(item.get("optionsData", "")).lower() == "void":
        return record_text(company, writing.void(company, kind, body))
    if operation == "update":
        return record_text(company, writing.update(company, kind, body, options))
    if operation == "delete":
        return written(tombstone(writing.delete(company, kind, body).id))
    raise unsupported(operation)
