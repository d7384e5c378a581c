"""Change data capture (reference 3.8): what changed since a moment, deletions included, 1,000 at most."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sandbox.faults import Rule
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import ALWAYS_EMPTY, NOT_CAPTURED, entity_named
from sandbox.quickbooks_online.errors import Refused, missing
from sandbox.quickbooks_online.querying import moment_of
from sandbox.quickbooks_online.tampering import tampered
from sandbox.quickbooks_online.values import stamp
from sandbox.quickbooks_online.wire_out import record_text, tombstone, written

_MOST = 1000
_LOOK_BACK = timedelta(days=30)


class _Change(NamedTuple):
    kind: str
    id: str
    moment: datetime
    deleted: bool


def run(company: Company, given: Mapping[str, str], rules: Sequence[Rule] = ()) -> str:
    """The CDCResponse as JSON text; `given` has its parameters in lower case. Raises Refused."""
    names = [name.strip() for name in given.get("entities", "").split(",") if name.strip()]
    if not names:
        raise missing("entities")
    since = _since(company, given.get("changedsince", ""))
    kinds = [_kind(name) for name in names]
    changes = [change for kind in dict.fromkeys(kinds) if kind for change in _changes(company, kind, since)]
    chosen = _chosen(company, changes)
    answers = []
    for kind in kinds:
        texts = [_text(company, change) for change in chosen if change.kind == kind]
        texts = tampered(kind, texts, rules)
        answers.append(
            f'{{"{kind}":[{",".join(texts)}],"startPosition":1,"maxResults":{len(texts)},"totalCount":{len(texts)}}}'
            if texts
            else "{}"
        )
    return f'[{{"QueryResponse":[{",".join(answers)}]}}]'


def _since(company: Company, text: str) -> datetime:
    if not text:
        raise missing("changedSince")
    moment, now = moment_of(text), company.now()
    if moment is None:
        raise Refused("2070", "Invalid Date format", f"changedSince {text!r} is not a date or timestamp")
    # A day in hand: a date alone is the beginning of a day.
    if moment > now + timedelta(minutes=5) or moment < now - _LOOK_BACK - timedelta(days=1):
        raise Refused(
            "2190",
            "Invalid date range",
            "changedSince must be within the last 30 days and not in the future",
            element="changedSince",
        )
    return moment


def _kind(name: str) -> str:
    """The entity of that name; empty for one that this company never has. Raises Refused."""
    kind = entity_named(name)
    if name.lower() in NOT_CAPTURED or (kind is None and name.lower() not in ALWAYS_EMPTY):
        raise Refused("2000", "Invalid object name", f"Entity {name} is not supported by change data capture")
    return kind.name if kind is not None else ""


def _changes(company: Company, kind: str, since: datetime) -> list[_Change]:
    records = company.records[kind].values()
    changed = [_Change(kind, record.id, record.updated, False) for record in records if record.updated >= since]
    gone = [one for one in company.deleted if one.kind == kind and one.moment >= since]
    return changed + [_Change(kind, one.id, one.moment, True) for one in gone]


def _chosen(company: Company, changes: list[_Change]) -> list[_Change]:
    order = company.switches.word("cdc_order")
    if order == "id":
        changes.sort(key=lambda change: int(change.id))
    else:
        changes.sort(key=lambda change: change.moment, reverse=order == "newest")
    return changes[:_MOST]


def _text(company: Company, change: _Change) -> str:
    if change.deleted:
        return written(tombstone(change.id, stamp(change.moment)))
    return record_text(company, company.records[change.kind][change.id])
