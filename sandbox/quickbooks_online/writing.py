"""Create, full and sparse update, delete and void (reference 3.1 to 3.5). Nothing changes unless all of it can."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.quickbooks_online import links, payments
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.company_settings import merged_preferences
from sandbox.quickbooks_online.documents import Draft, Options, check_books, complete, header_orders
from sandbox.quickbooks_online.entities import EntityType
from sandbox.quickbooks_online.errors import Refused, missing, not_found, stale, unsupported
from sandbox.quickbooks_online.incoming import read_fields
from sandbox.quickbooks_online.lines import read_lines
from sandbox.quickbooks_online.lists import check_list_record
from sandbox.quickbooks_online.received import follow_status
from sandbox.quickbooks_online.records import Link, Record
from sandbox.quickbooks_online.values import ZERO, flag_of, is_empty

_LINKING = frozenset(["Bill", "Purchase"])
_OWING = frozenset(["Bill", "VendorCredit"])
_NOT_CLEARED = frozenset(["DocNumber", "POStatus"])
"""What a full update that leaves it out keeps."""
USUAL = Options()
Body = Mapping[str, Any]


def create(company: Company, kind: EntityType, body: Body, options: Options = USUAL, *, key: str = "") -> Record:
    """A new record. Raises Refused."""
    values = _without_nothing(read_fields(company, kind.fields, body))
    if kind.is_list:
        check_list_record(company, kind.name, values, None)
        return company.insert(kind.name, _without_nothing(values), key=key)
    if kind.name == "Attachable":
        return company.insert(kind.name, values, key=key)
    draft = Draft(values, read_lines(company, kind.name, body.get("Line"), None), header_orders(body))
    _check(company, kind, draft, None, options)
    record = company.insert(kind.name, _without_nothing(draft.values), key=key)
    record.lines = draft.lines
    record.give_line_ids()
    _follow(company, record, set(), set())
    return record


def update(company: Company, kind: EntityType, body: Body, options: Options = USUAL) -> Record:
    """A changed record: what a full update leaves out is cleared, a sparse one keeps. Raises Refused."""
    record = current(company, kind, body)
    sparse = not is_empty(body.get("sparse")) and flag_of(body["sparse"], "sparse")
    if kind.name == "Preferences":
        record.values = merged_preferences(company, body)
        company.touch(record)
        return record
    read = read_fields(company, kind.fields, body)
    values = dict(record.values)
    for name in kind.fields:
        if name in read:
            values[name] = read[name]
        elif not sparse and name not in _NOT_CLEARED and kind.name != "CompanyInfo":
            values.pop(name, None)
    if kind.is_list:
        check_list_record(company, kind.name, values, record)
    if kind.is_list or kind.name in ("Attachable", "CompanyInfo"):
        record.values = _without_nothing(values)
        company.touch(record)
        return record
    _update_document(company, kind, record, values, body, sparse, options)
    return record


def _update_document(
    company: Company,
    kind: EntityType,
    record: Record,
    values: dict[str, Any],
    body: Body,
    sparse: bool,
    options: Options,
) -> None:
    if "Line" in body or not sparse:
        lines = read_lines(company, kind.name, body.get("Line"), record)
    else:
        lines = [replace(line, links=list(line.links)) for line in record.lines]
    named = header_orders(body)
    if "LinkedTxn" not in body:
        named = [Link(order, "PurchaseOrder") for order in links.orders_of(record)]
    draft = Draft(values, lines, named)
    _check(company, kind, draft, record, options)
    orders, targets = links.orders_of(record), payments.targets_of(record)
    if kind.name in _OWING:
        if draft.values["TotalAmt"] < payments.applied(company, record):
            raise Refused(
                "6000", "A business validation error has occurred", "The total is less than what was applied."
            )
        payments.disown(company, record)
        draft.values["Balance"] = ZERO
    by_hand = False
    if kind.name == "PurchaseOrder":
        _rewrite_addresses(draft.values)
        by_hand = draft.values["POStatus"] != record["POStatus"]
    company.assign(record, _without_nothing(draft.values))
    record.lines = lines
    record.give_line_ids()
    company.touch(record)
    _follow(company, record, orders, targets)
    if kind.name == "PurchaseOrder":
        links.forget_lines(company, record)
        if by_hand:
            record.auto_closed = False
        else:
            follow_status(company, record)


def _check(company: Company, kind: EntityType, draft: Draft, before: Record | None, options: Options) -> None:
    complete(company, kind.name, draft, before, options)
    if kind.name == "BillPayment":
        payments.check_payment(company, draft, before)
    else:
        links.keep_good_links(company, kind.name, draft, before, options)


def _follow(company: Company, record: Record, orders: set[str], targets: set[payments.Target]) -> None:
    """What other documents do about a new or changed one."""
    kind = record.type.name
    if kind in _LINKING:
        links.relink(company, record, orders)
    if kind in _OWING:
        payments.settle(company, record)
    if kind == "BillPayment":
        payments.reapply(company, record, targets)


def _rewrite_addresses(values: dict[str, Any]) -> None:
    """The address of an order comes back in other words after an update (reference 6.1)."""
    for name in ("VendorAddr", "ShipAddr"):
        address = values.get(name)
        if address and "City" in address:
            last = " ".join(
                address[part] for part in ("City", "CountrySubDivisionCode", "PostalCode") if part in address
            )
            lines = [*(address[f"Line{at}"] for at in range(1, 6) if f"Line{at}" in address), last][:5]
            written = {f"Line{at}": line for at, line in enumerate(lines, 1)}
            values[name] = {"Id": str(int(address["Id"]) + 1) if address["Id"].isdigit() else "2", **written}


def current(company: Company, kind: EntityType, body: Body) -> Record:
    """The record that a body names, in the state it was read in. Raises Refused (610, 5010)."""
    identifier = "1" if kind.name in ("Preferences", "CompanyInfo") else str(body.get("Id") or "")
    if not identifier:
        raise missing("Id")
    if not identifier.lstrip("-").isdigit():
        raise Refused("2030", "Invalid ID", f"Invalid ID : {identifier}", element="Id")
    record = company.get(kind.name, identifier)
    if record is None:
        raise not_found()
    if is_empty(body.get("SyncToken")):
        raise missing("SyncToken")
    if str(body["SyncToken"]) != str(record.sync_token):
        raise stale()
    return record


def delete(company: Company, kind: EntityType, body: Body) -> Record:
    """Take a document away; lists are made inactive instead. Raises Refused."""
    if not kind.deletable:
        raise unsupported("delete")
    record = current(company, kind, body)
    check_books(company, kind.name, record.values, None)
    if kind.name in _LINKING:
        links.relink(company, record, links.orders_of(record), deleted=True)
    if kind.name in _OWING:
        payments.disown(company, record)
        payments.forget_target(company, record)
    if kind.name == "BillPayment":
        payments.reapply(company, record, payments.targets_of(record), gone=True)
    if kind.name == "PurchaseOrder":
        links.forget_order(company, record)
    company.remove(record)
    return record


def void(company: Company, kind: EntityType, body: Body) -> Record:
    """A payment whose amounts become zero; what it paid is open again. Raises Refused."""
    if kind.name != "BillPayment":
        raise Refused(
            "500", "Unsupported Operation", "Operation void is not supported.", fault="SystemFault", status=200
        )
    record = current(company, kind, body)
    check_books(company, kind.name, record.values, None)
    targets = payments.targets_of(record)
    record.lines = []
    record.values["TotalAmt"] = ZERO
    record.values["PrivateNote"] = "Voided"
    record.status = "Voided"
    company.touch(record, "Void")
    payments.reapply(company, record, targets)
    return record


def _without_nothing(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
