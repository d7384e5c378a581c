"""Answers queries, page by page where an iterator is asked for (reference 2.4)."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from sandbox.quickbooks_desktop import elements, wire_out
from sandbox.quickbooks_desktop.company import REMEMBERED, Company
from sandbox.quickbooks_desktop.errors import Refused, feature_off
from sandbox.quickbooks_desktop.filters import QUERIED_LISTS, between, entries_asked, txns_asked
from sandbox.quickbooks_desktop.pc_time import written
from sandbox.quickbooks_desktop.qbxml import branch, leaf
from sandbox.quickbooks_desktop.records import Deleted, Entry, Txn

NOTHING = "A query request did not find a matching object in QuickBooks"


class Answered(NamedTuple):
    """What a query answers: the records' text, and the attributes that go with it."""

    text: str
    number: int
    code: int = 0
    severity: str = "Info"
    message: str = "Status OK"
    remaining: int | None = None
    iterator_id: str = ""


@dataclass
class Iterator:
    """An iteration under way: what is left of it, as it was found."""

    tag: str
    left: list[tuple[str, str]]
    """Ids with the edit sequences they had."""


@dataclass
class Iterators:
    """The iterators of one session of one application; they end with it."""

    running: dict[str, Iterator] = field(default_factory=dict)


def query(company: Company, iterators: Iterators, request: etree._Element) -> Answered:
    """Answer one query. Raises Refused."""
    name = str(request.tag).removesuffix("QueryRq")
    if _is_unused(company, name) and company.switches.word("unused_list_query") == "refused":
        raise feature_off()
    if name == "TxnDeleted":
        return _deleted(company, request, company.deleted_txns, "TxnDeletedRet")
    if name == "ListDeleted":
        return _deleted(company, request, company.deleted_entries, "ListDeletedRet")
    mode = request.get("iterator")
    if mode is not None:
        return _iterate(company, iterators, name, request, mode)
    records, missing = _asked(company, name, request)
    limit = elements.number(request, "MaxReturned")
    if limit is not None:
        records = records[: int(limit)]
    return _answered(company, request, records, missing)


def _is_unused(company: Company, name: str) -> bool:
    """Whether the company does without what a query is about."""
    if name == "Class":
        return not company.preferences["IsUsingClassTracking"]
    return name == "UnitOfMeasureSet" and company.switches.word("edition") == "Pro"


def _asked(company: Company, name: str, request: etree._Element) -> tuple[Sequence[Txn | Entry], list[str]]:
    if name in company.txns:
        return txns_asked(company, name, request)
    return entries_asked(company, QUERIED_LISTS[name], request)


def _identifier(record: Txn | Entry) -> str:
    return record.txn_id if isinstance(record, Txn) else record.list_id


def _answered(
    company: Company, request: etree._Element, records: Sequence[Txn | Entry], missing: list[str]
) -> Answered:
    text = _texts(company, request, records)
    if missing:
        if not records and company.switches.word("missing_ids") == "1":
            return Answered("", 0, 1, "Info", NOTHING)
        message = (
            "The query request has not been fully completed. There was a required element "
            f'("{missing[0]}") that could not be found in QuickBooks.'
        )
        return Answered(text, len(records), 500, "Warn", message)
    if not records:
        return Answered("", 0, 1, "Info", NOTHING)
    return Answered(text, len(records))


def _texts(company: Company, request: etree._Element, records: Sequence[Txn | Entry]) -> str:
    if request.get("metaData") == "MetaDataOnly":
        return ""
    lines = bool(elements.flag(request, "IncludeLineItems"))
    linked = bool(elements.flag(request, "IncludeLinkedTxns"))
    text = "".join(
        wire_out.txn_text(company, record, lines=lines, linked=linked)
        if isinstance(record, Txn)
        else wire_out.entry_text(company, record)
        for record in records
    )
    wanted = elements.texts(request, "IncludeRetElement")
    return only(text, wanted) if wanted else text


def only(text: str, wanted: list[str]) -> str:
    """The objects with the named fields alone."""
    root = etree.fromstring(f"<all>{text}</all>")
    for record in root:
        for child in list(record):
            if child.tag not in wanted:
                record.remove(child)
    return "".join(etree.tostring(record, encoding="us-ascii").decode() for record in root)


# Iterators


def _iterate(company: Company, iterators: Iterators, name: str, request: etree._Element, mode: str) -> Answered:
    limit = elements.number(request, "MaxReturned")
    if mode == "Start":
        if limit is None or limit <= 0:
            raise Refused(3150, 'There is a missing element: "MaxReturned".')
        records, _ = _asked(company, name, request)
        identifier = "{" + str(uuid.uuid4()) + "}"
        left = [(_identifier(record), record.edit_sequence) for record in records]
        iterators.running[identifier] = Iterator(str(request.tag), left)
    else:
        identifier = request.get("iteratorID") or ""
        known = iterators.running.get(identifier)
        if known is None or known.tag != request.tag:
            raise Refused(3391, f'The iterator "{identifier}" is not valid. ')
    iterator = iterators.running[identifier]
    if mode == "Stop":
        del iterators.running[identifier]
        return Answered("", 0, remaining=0, iterator_id=identifier)
    size = int(limit) if limit is not None else 100
    page, iterator.left = iterator.left[:size], iterator.left[size:]
    records = _still_there(company, name, page)
    answer = _answered(company, request, records, [])
    remaining = len(iterator.left)
    if not remaining:
        del iterators.running[identifier]
    if remaining and answer.code == 1:
        answer = Answered("", 0)
    return answer._replace(remaining=remaining, iterator_id=identifier)


def _still_there(company: Company, name: str, page: list[tuple[str, str]]) -> list[Txn | Entry]:
    """The records of a page as they are now; those deleted meanwhile are left out, and where a switch says so, those
    changed meanwhile, too."""
    found: list[Txn | Entry] = []
    for identifier, sequence in page:
        record: Txn | Entry | None = company.txns[name].get(identifier) if name in company.txns else None
        if record is None:
            record = next(
                (
                    company.entries[kind][identifier]
                    for kind in QUERIED_LISTS.get(name, ())
                    if identifier in company.entries[kind]
                ),
                None,
            )
        if record is None:
            continue
        if record.edit_sequence != sequence and company.switches.word("iterator_changes") == "missed":
            continue
        found.append(record)
    return found


# What was deleted


def _deleted(company: Company, request: etree._Element, deleted: list[Deleted], tag: str) -> Answered:
    kinds = set(elements.texts(request, "TxnDelType" if tag == "TxnDeletedRet" else "ListDelType"))
    oldest = company.now() - REMEMBERED
    kept = [one for one in deleted if one.kind in kinds and one.moment >= oldest]
    range_asked = request.find("DeletedDateRangeFilter")
    if range_asked is not None:
        checks = list(between(company, range_asked, "FromDeletedDate", "ToDeletedDate", lambda one: one.moment))
        kept = [one for one in kept if all(check(one) for check in checks)]
    kept.sort(key=lambda one: one.moment)
    names = ("TxnDelType", "TxnID", "RefNumber") if tag == "TxnDeletedRet" else ("ListDelType", "ListID", "FullName")
    text = "".join(
        branch(
            tag,
            leaf(names[0], one.kind),
            leaf(names[1], one.id),
            leaf("TimeCreated", written(one.created, company.switches)),
            leaf("TimeDeleted", written(one.moment, company.switches)),
            leaf(names[2], one.name),
        )
        for one in kept
    )
    if not kept:
        return Answered("", 0, 1, "Info", NOTHING)
    wanted = elements.texts(request, "IncludeRetElement")
    if request.get("metaData") == "MetaDataOnly":
        text = ""
    return Answered(only(text, wanted) if wanted else text, len(kept))
