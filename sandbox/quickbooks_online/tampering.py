"""What faults do to the records of an answer: rows and fields that are missing, twice, or not what they should be."""

import json
from collections.abc import Sequence
from typing import Any

from sandbox.faults import Rule
from sandbox.quickbooks_online.wire_out import written

KINDS = frozenset(["unknown_state", "missing_field", "duplicate_row", "short_page", "numbers_as_text"])
_MANDATORY = {"PurchaseOrder": "VendorRef", "Bill": "TotalAmt", "Vendor": "DisplayName"}


def tampered(kind: str, texts: list[str], rules: Sequence[Rule]) -> list[str]:
    """The records of one entity as JSON texts, spoiled as the rules say."""
    if not rules or not texts:
        return texts
    records = [json.loads(text) for text in texts]
    for rule in rules:
        if rule.kind == "short_page":
            records = records[:-1]
            continue
        at = next((at for at, record in enumerate(records) if record.get("Id") == rule.record), 0)
        if rule.kind == "duplicate_row" and records:
            records.insert(at, records[at])
        elif rule.kind == "missing_field" and records:
            records[at].pop(_MANDATORY.get(kind, "MetaData"), None)
        elif rule.kind == "unknown_state":
            _unknown_state(kind, records if not rule.record else records[at : at + 1])
        elif rule.kind == "numbers_as_text":
            records = [_as_text(record) for record in records]
    return [written(record) for record in records]


def _unknown_state(kind: str, records: list[dict[str, Any]]) -> None:
    name = "POStatus" if kind == "PurchaseOrder" else "status"
    for record in records:
        record[name] = "Hibernating"


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
