"""Say what keeps a source order from being uploaded: everything at once, each in a problem of its own."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from models.domain.source_orders import (
    AccountingStatus,
    LineToUpload,
    SourceLine,
    UploadAs,
    UploadProblem,
    UploadState,
    cut,
    missing_for_bill,
    reference_of,
    too_much_for_order,
)
from models.store.source_orders import contacts, names, orders
from models.store.source_orders.names import Entries, Entry
from models.store.source_orders.orders import Holder, external_key_for, lines_of
from models.tables import ConnectionRow, SourceOrderRow

DEFAULT_ACCOUNT = "default_expense_account"
"""The preference that names the account of lines whose item and account are unknown."""

UPLOAD_ORDERS = "upload_purchase_orders"
"""The preference without which no order is uploaded as a purchase order."""

TWO_WAYS = (
    "The order is in the ERP as a purchase order, which rules out uploading its bill. Two ways are left: enter the bill"
    " in the ERP by hand and add the order to it, or enter a bill against the mirrored purchase order here."
)


class Readiness(NamedTuple):
    """Whether an order can be uploaded, and as what it would be sent."""

    problems: Sequence[UploadProblem]
    """Empty: it can be."""
    number: str
    """What the document is called in the ERP."""
    vendor_id: str | None
    lines: Sequence[LineToUpload]
    """Those whose item or account is known."""


class Known(NamedTuple):
    """What the mirror knows of all that the orders name."""

    entries: Entries
    vendors: Mapping[str, str]
    """The vendor's id by contact."""
    holders: Mapping[str, Sequence[Holder]]
    """Who has a number already, by number."""


async def readiness(
    session: AsyncSession,
    connection: ConnectionRow,
    rows: Sequence[SourceOrderRow],
    upload_as: UploadAs,
    *,
    may_repeat_number: bool = False,
) -> list[Readiness]:
    """Return, for each order, what keeps it from being uploaded now, in the order given."""
    known = await _known(session, connection, rows, upload_as)
    taken: dict[str, str] = {}
    results: list[Readiness] = []
    for row in rows:
        one = _one(connection, row, upload_as, known, taken, may_repeat_number=may_repeat_number)
        if not one.problems:
            taken[one.number] = row.reference
        results.append(one)
    return results


def document_number(connection: ConnectionRow, row: SourceOrderRow, upload_as: UploadAs) -> str:
    """Return what the order's document is called in the ERP."""
    longest = connection.capabilities.get("longest_number") or len(full_reference(row, upload_as))
    return cut(full_reference(row, upload_as), longest)


def full_reference(row: SourceOrderRow, upload_as: UploadAs) -> str:
    """Return the document's whole reference."""
    return reference_of(row.reference, row.invoice_number if upload_as is UploadAs.BILL else "")


async def _known(
    session: AsyncSession, connection: ConnectionRow, rows: Sequence[SourceOrderRow], upload_as: UploadAs
) -> Known:
    connection_id = ConnectionId(connection.id)
    lines = [line for row in rows for line in lines_of(row)]
    default = connection.preferences.get(DEFAULT_ACCOUNT, "")
    vendors = await contacts.links(session, connection_id, {row.contact for row in rows})
    entries = await names.find(
        session,
        connection_id,
        {
            ListKind.ITEM: {line.item for line in lines},
            ListKind.GL_ACCOUNT: {default, *(line.account for line in lines)},
            ListKind.CLASS: {line.class_name for line in lines},
            ListKind.VENDOR: set(vendors.values()),
        },
    )
    holders: dict[str, list[Holder]] = {}
    numbers = {document_number(connection, row, upload_as) for row in rows}
    for holder in await orders.holders(session, connection_id, upload_as, numbers):
        holders.setdefault(holder.number, []).append(holder)
    return Known(entries, vendors, holders)


def _one(
    connection: ConnectionRow,
    row: SourceOrderRow,
    upload_as: UploadAs,
    known: Known,
    taken: Mapping[str, str],
    *,
    may_repeat_number: bool,
) -> Readiness:
    number = document_number(connection, row, upload_as)
    vendor_id = known.vendors.get(row.contact)
    if ruled_out := _ruled_out(row, upload_as, number):
        return Readiness([ruled_out], number, vendor_id, ())
    problems = [
        *_setting(connection, upload_as),
        *_stage(row, upload_as),
        *_contact(row, vendor_id, known.entries),
        *_money(connection, row),
    ]
    lines: list[LineToUpload] = []
    default = known.entries.find(ListKind.GL_ACCOUNT, connection.preferences.get(DEFAULT_ACCOUNT, ""))
    for line in lines_of(row):
        made = _line(line, known.entries, default[0] if len(default) == 1 else None)
        if isinstance(made, UploadProblem):
            problems.append(made)
        else:
            lines.append(made)
    if problems and row.document_number is not None:
        problems.append(_in_doubt(row))
    if not problems and not may_repeat_number:
        problems += _collisions(row, upload_as, number, vendor_id, known, taken)
    return Readiness(problems, number, vendor_id, lines)


def _ruled_out(row: SourceOrderRow, upload_as: UploadAs, number: str) -> UploadProblem | None:
    """Return what rules out an upload whatever the order says; None: nothing does."""
    if row.upload_state == UploadState.UPLOADING:
        return UploadProblem(code="UPLOAD_UNDER_WAY", message="The order is on its way to the ERP.")
    in_the_erp = row.upload_state == UploadState.UPLOADED
    if in_the_erp and row.upload_as == UploadAs.PURCHASE_ORDER and upload_as is UploadAs.BILL:
        return UploadProblem(code="UPLOADED_AS_ORDER", message=TWO_WAYS, evidence={"document": row.document_id or ""})
    if in_the_erp and row.upload_as == UploadAs.PURCHASE_ORDER:
        return UploadProblem(
            code="UPLOADED_AS_ORDER",
            message="The order is in the ERP as a purchase order already.",
            evidence={"document": row.document_id or ""},
        )
    if row.accounting_status == AccountingStatus.IMPORTED:
        return UploadProblem(
            code="IMPORTED_ALREADY",
            message="The order's bill is in the ERP. Reset the order for re-import if it is to be uploaded once more.",
            evidence={"document": row.document_id or ""},
        )
    if row.document_number is not None and (row.upload_as != upload_as or row.document_number != number):
        # It is looked up by its number: under another one a second document would be made.
        return _in_doubt(row)
    return None


def _in_doubt(row: SourceOrderRow) -> UploadProblem:
    what = (row.upload_as or "").replace("_", " ")
    return UploadProblem(
        code="UPLOAD_IN_DOUBT",
        message=f"An earlier upload as {what} {row.document_number} failed in such a way that the ERP may hold it."
        " Retry its sync issue: the ERP is asked. If it holds the document, the order counts as uploaded; if not, the"
        " order is free to be uploaded as it is now.",
        evidence={"upload_as": row.upload_as or "", "number": row.document_number or ""},
    )


def _setting(connection: ConnectionRow, upload_as: UploadAs) -> Iterator[UploadProblem]:
    if upload_as is UploadAs.PURCHASE_ORDER and connection.preferences.get(UPLOAD_ORDERS) != "true":
        yield UploadProblem(
            code="UPLOAD_SWITCHED_OFF", message=f"The preference {UPLOAD_ORDERS} of the connection is not true."
        )


def _stage(row: SourceOrderRow, upload_as: UploadAs) -> Iterator[UploadProblem]:
    if upload_as is UploadAs.BILL:
        yield from missing_for_bill(row.invoice_date, row.invoice_number, row.dispatch_date)
    else:
        yield from too_much_for_order(row.invoice_date, row.invoice_number, row.dispatch_date)


def _contact(row: SourceOrderRow, vendor_id: str | None, entries: Entries) -> Iterator[UploadProblem]:
    evidence = {"contact": row.contact}
    if vendor_id is None:
        yield UploadProblem(
            code="CONTACT_NOT_LINKED",
            message=f"{row.contact} is not linked to a vendor of the ERP.",
            evidence=evidence,
        )
    elif not any(entry.erp_id == vendor_id for entry in entries.find(ListKind.VENDOR, vendor_id)):
        yield UploadProblem(
            code="VENDOR_GONE",
            message=f"The vendor that {row.contact} is linked to is not active in the ERP any more.",
            evidence={**evidence, "vendor_id": vendor_id},
        )


def _money(connection: ConnectionRow, row: SourceOrderRow) -> Iterator[UploadProblem]:
    if row.currency != connection.base_currency:
        yield UploadProblem(
            code="CURRENCY_NOT_TAKEN",
            message=f"The order is in {row.currency}, and the company's books are in {connection.base_currency}.",
        )
    if row.total <= 0:
        yield UploadProblem(code="TOTAL_NOT_ABOVE_ZERO", message=f"The order's total is {row.total}.")


def _line(line: SourceLine, entries: Entries, default_account: Entry | None) -> LineToUpload | UploadProblem:
    """Return the line as it is sent: its item, else its account, else the connection's default expense account."""
    results = {
        "item_id": entries.find(ListKind.ITEM, line.item),
        "account_id": entries.find(ListKind.GL_ACCOUNT, line.account),
    }
    bought: dict[str, str] = {}
    for name, named in (("item_id", line.item), ("account_id", line.account)):
        if len(results[name]) > 1:
            return _line_problem(line, "LINE_NAME_AMBIGUOUS", f"The ERP has several entries called {named!r}.")
        if results[name]:
            bought = {name: results[name][0].erp_id}
            break
    if not bought and default_account is not None:
        bought = {"account_id": default_account.erp_id}
    if not bought:
        said = " and ".join(repr(named) for named in (line.item, line.account) if named)
        return _line_problem(
            line,
            "LINE_WITHOUT_ACCOUNT",
            f"The ERP has no active item or account {said}, and the connection names no default expense account."
            if said
            else "The line names no item and no account, and the connection names no default expense account.",
        )
    classes = entries.find(ListKind.CLASS, line.class_name)
    if line.class_name and len(classes) != 1:
        return _line_problem(line, "LINE_CLASS_UNKNOWN", f"The ERP has no single active class {line.class_name!r}.")
    return LineToUpload(
        line_no=line.line_no,
        description=line.description,
        quantity=line.quantity,
        price=line.price,
        amount=line.amount,
        class_id=classes[0].erp_id if line.class_name else None,
        **bought,
    )


def _line_problem(line: SourceLine, code: str, message: str) -> UploadProblem:
    return UploadProblem(
        code=code, message=message, line_no=line.line_no, evidence={"item": line.item, "account": line.account}
    )


def _collisions(
    row: SourceOrderRow,
    upload_as: UploadAs,
    number: str,
    vendor_id: str | None,
    known: Known,
    taken: Mapping[str, str],
) -> Iterator[UploadProblem]:
    """Yield who has the document's number already. Other uploads may be for any vendor: the reference is unique. What
    the ERP shows counts for the same vendor, and for orders, whose numbers are the company's own, for any."""
    key = external_key_for(row, upload_as)
    holders = [
        holder.name
        for holder in known.holders.get(number, ())
        if holder.source_order != row.id
        and (holder.source_order or upload_as is UploadAs.PURCHASE_ORDER or holder.vendor_id == vendor_id)
        and not (holder.source_order is None and row.document_number == number)
    ]
    if number in taken:
        holders.append(f"source order {taken[number]}")
    if holders:
        whole = full_reference(row, upload_as)
        shortened = "" if whole == number else f", of which the ERP keeps {number}"
        yield UploadProblem(
            code="REFERENCE_TAKEN",
            message=f"The reference is {whole}{shortened}; that is taken by {', '.join(holders[:3])}.",
            evidence={"reference": whole, "number": number, "taken_by": ", ".join(holders[:3]), "key": key},
        )
