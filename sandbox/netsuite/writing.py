"""add, update, upsert and delete of any record type (reference 3.5, 7)."""

from collections.abc import Callable, Mapping
from copy import copy
from typing import NamedTuple

from sandbox.netsuite import billing, crediting, fulfilling, listing, purchasing
from sandbox.netsuite.errors import Refused
from sandbox.netsuite.normalising import Writing, merged, normalised
from sandbox.netsuite.records import BY_SHAPE, RECORD_TYPES, Record, RecordType, Values
from sandbox.netsuite.values import Fields, Ref


def _nothing(writing: Writing, record: Record, before: Record | None = None) -> None:
    """Nothing else moves."""


class Kind(NamedTuple):
    """What is particular to a record type. `prepare` may refuse, `after` may not."""

    prepare: Callable[[Writing, Values, Record | None], None]
    after: Callable[[Writing, Record, Record | None], None] = _nothing
    before_delete: Callable[[Writing, Record], None] = _nothing
    after_delete: Callable[[Writing, Record], None] = _nothing


_LIST = Kind(listing.prepare_list_record, before_delete=listing.before_list_record_goes)
_KINDS: Mapping[str, Kind] = {
    "purchaseOrder": Kind(purchasing.prepare_order, purchasing.after_order, purchasing.before_order_goes),
    "itemReceipt": Kind(
        purchasing.prepare_receipt, purchasing.after_receipt, after_delete=purchasing.after_receipt_goes
    ),
    "vendorBill": Kind(billing.prepare_bill, billing.after_bill, billing.before_bill_goes, billing.after_bill_goes),
    "vendorReturnAuthorization": Kind(crediting.prepare_return, crediting.after_return, crediting.before_return_goes),
    "itemFulfillment": Kind(
        fulfilling.prepare_fulfilment, fulfilling.after_fulfilment, after_delete=fulfilling.after_fulfilment_goes
    ),
    "vendorCredit": Kind(crediting.prepare_credit, crediting.after_credit, after_delete=crediting.after_credit_goes),
    "vendorPayment": Kind(billing.prepare_payment, billing.after_payment, after_delete=billing.after_applied_goes),
}


def kind_of(given: Fields) -> RecordType:
    """The record type of what a client wrote. Raises Refused (INVALID_RCRD_TYPE)."""
    kind = BY_SHAPE.get(given.shape)
    if given.shape.endswith("JournalEntry"):
        raise Refused(
            "INSUFFICIENT_PERMISSION",
            "Permission Violation: You need the 'Transactions -> Make Journal Entry' permission to access this page.",
        )
    if kind is None:
        raise Refused("INVALID_RCRD_TYPE", f"{given.shape} is not a record that can be written.")
    return kind


def add(writing: Writing, given: Fields, key: str = "") -> Record:
    """A new record. Raises Refused; DUP_RCRD when its external id is taken."""
    kind = kind_of(given)
    writing.kind = kind
    external_id = given.attributes.get("externalId", "")
    if given.attributes.get("internalId"):
        raise Refused("USER_ERROR", "An internal id cannot be given to a new record.")
    if external_id and (kind.group, external_id.lower()) in writing.company.externals:
        raise Refused("DUP_RCRD", "This record already exists")
    values: Values = dict(normalised(writing, given))
    particular = _KINDS.get(kind.name, _LIST)
    particular.prepare(writing, values, None)
    record = writing.company.insert(kind.name, values, external_id=external_id, key=key)
    particular.after(writing, record, None)
    return record


def update(writing: Writing, given: Fields) -> Record:
    """Changes the elements that are present. Raises Refused; RCRD_DSNT_EXIST for an unknown record."""
    kind = kind_of(given)
    writing.kind = kind
    internal_id, external_id = given.attributes.get("internalId", ""), given.attributes.get("externalId", "")
    record = writing.company.find(kind.name, Ref(internal_id, external_id))
    if record is None:
        raise Refused("RCRD_DSNT_EXIST", "That record does not exist.")
    values = merged(record, given, normalised(writing, given))
    particular = _KINDS.get(kind.name, _LIST)
    particular.prepare(writing, values, record)
    if internal_id and external_id and external_id != record.external_id:
        writing.company.name_with(record, external_id)
    before = copy(record)
    record.values = values
    writing.company.touch(record)
    particular.after(writing, record, before)
    return record


def upsert(writing: Writing, given: Fields) -> Record:
    """Adds, or updates the record with this external id. Raises Refused."""
    if given.attributes.get("internalId"):
        raise Refused("USER_ERROR", "An internal id cannot be given with upsert.")
    external_id = given.attributes.get("externalId", "")
    if not external_id:
        raise Refused("EXTERNALID_REQD", "upsert needs an external id.")
    known = writing.company.find(kind_of(given).name, Ref(external_id=external_id))
    return add(writing, given) if known is None else update(writing, given)


def delete(writing: Writing, ref: Ref) -> Record:
    """Takes a record away. Raises Refused."""
    if ref.type not in RECORD_TYPES:
        raise Refused("INVALID_RCRD_TYPE", f"{ref.type or 'A reference without a type'} cannot be deleted.")
    record = writing.company.find(ref.type, ref)
    if record is None:
        raise Refused("RCRD_DSNT_EXIST", "That record does not exist.")
    particular = _KINDS.get(record.type.name, _LIST)
    particular.before_delete(writing, record)
    writing.company.remove(record)
    particular.after_delete(writing, record)
    return record
