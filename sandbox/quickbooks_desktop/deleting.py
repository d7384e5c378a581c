"""Deletes and voids transactions, deletes entries of lists (reference 3.6)."""

from typing import Any

from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import Refused, locked, not_found
from sandbox.quickbooks_desktop.links import touch_orders
from sandbox.quickbooks_desktop.payments import touch_paid
from sandbox.quickbooks_desktop.records import PAYMENTS, TXN_KINDS, Entry, Txn
from sandbox.quickbooks_desktop.writing import check_open, writable


def delete_txn(company: Company, kind: str, txn_id: str, *, listed: bool = True) -> Txn:
    """Take a transaction away; what was linked to it changes with it. Raises Refused."""
    if kind not in TXN_KINDS:
        raise not_found(txn_id)
    txn = writable(company, kind, txn_id)
    check_open(company, kind, txn.day, deleting=True)
    payers = list(company.payers.get(txn_id, {}).values())
    if payers and company.switches.word("paid_bill_deletion") == "refused":
        raise _cannot_delete(txn_id, "It is paid, or applied.")
    if kind == "PurchaseOrder" and company.linked.get(txn_id):
        raise _cannot_delete(txn_id, "Item receipts or bills are linked to it.")
    orders, paid = txn.linked_to, txn.paid_to
    company.remove(txn, listed=listed)
    for payment in payers:
        payment.applied = [one for one in payment.applied if one.txn_id != txn_id]
        for one in payment.applied:
            one.credits = [pair for pair in one.credits if pair[0] != txn_id]
        company.settle(payment)
        company.touch(payment)
    touch_orders(company, txn, orders)
    if kind in PAYMENTS:
        touch_paid(company, txn, paid)
    return txn


def void_txn(company: Company, kind: str, txn_id: str) -> Txn:
    """Make a transaction worth nothing; it stays. Raises Refused."""
    if kind not in TXN_KINDS:
        raise not_found(txn_id)
    txn = writable(company, kind, txn_id)
    check_open(company, kind, txn.day)
    if company.payers.get(txn_id):
        raise Refused(3210, "The transaction is paid, or applied, and cannot be voided.")
    orders, paid = txn.linked_to, txn.paid_to
    txn.voided = True
    for line in txn.lines:
        line.link = None
    memo = str(txn.values.get("Memo") or "")
    txn.values["Memo"] = f"VOID: {memo}".strip()
    company.settle(txn)
    company.touch(txn)
    touch_orders(company, txn, orders)
    if kind in PAYMENTS:
        touch_paid(company, txn, paid)
    return txn


def delete_entry(company: Company, kind: str, list_id: str) -> Entry:
    """Take an entry away that nothing names. Raises Refused."""
    entry = company.entries.get(kind, {}).get(list_id)
    if entry is None:
        raise not_found(list_id)
    if list_id in company.locks:
        raise locked(kind)
    if _is_used(company, entry):
        raise _cannot_delete(list_id, "It is used in at least one transaction, or by another list element.")
    company.remove_entry(entry)
    return entry


def move_references(company: Company, gone: Entry, into: Entry) -> None:
    """Merge two entries: what named one names the other, and the list tells of a deletion."""
    for records in company.txns.values():
        for txn in records.values():
            changed = _replace(txn.values, gone, into)
            for line in txn.lines:
                changed = _replace(line.values, gone, into) or changed
            if changed:
                company.settle(txn)
                company.touch(txn)
    for entries in company.entries.values():
        for one in entries.values():
            _replace(one.values, gone, into)
            if one.parent is gone:
                one.parent = into
    company.remove_entry(gone)
    company.touch_entry(into)


def _replace(values: dict[str, Any], gone: Entry, into: Entry) -> bool:
    names = [name for name, value in values.items() if value == gone.list_id]
    for name in names:
        values[name] = into.list_id
    return bool(names)


def _is_used(company: Company, entry: Entry) -> bool:
    identifier = entry.list_id
    for records in company.txns.values():
        for txn in records.values():
            if identifier in (value for value in txn.values.values() if isinstance(value, str)):
                return True
            if any(identifier in line.values.values() for line in txn.lines):
                return True
    entries = (one for records in company.entries.values() for one in records.values())
    return any(one.parent is entry or _names(one, identifier) for one in entries)


def _names(entry: Entry, identifier: str) -> bool:
    return any(value == identifier for value in entry.values.values() if isinstance(value, str))


def _cannot_delete(identifier: str, why: str) -> Refused:
    return Refused(3160, f'Cannot delete the object specified by the id = "{identifier}". {why}')
