"""Send a bill linked to its orders, once, and compare what QuickBooks made of it (reference 6.2, 8).

QuickBooks promises little: it may forget a request id, take a number twice and drop a link in silence. So a bill is
looked up by its number before any repeat, sent by itself, and its answer is compared line by line.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from erp.errors import Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected, Stale, Throttled, UnknownRefusal
from erp.quantities import is_same
from erp.quickbooks_online import bill_edits, link_repair, translate, wire
from erp.quickbooks_online.accounts import Accounts
from erp.quickbooks_online.bill_lines import (
    Line,
    lines_of,
    must_be_billable,
    order_line,
    paired,
    price_of,
    wire_line,
)
from erp.quickbooks_online.bills_in import BILL, BillsIn
from erp.quickbooks_online.company import Companies
from erp.quickbooks_online.orders import Orders
from erp.quickbooks_online.preferences import Preferences
from erp.quickbooks_online.quota import QUOTA, waits_for_reads
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.seen import Memory
from erp.quickbooks_online.wire import Entity
from erp.quickbooks_online.writing import Writer, number_taken, request_id
from models.domain.bills import BillToPush, PushedBill
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import PurchaseOrderSnapshot


class Bills(BillsIn):
    """Writes the bills of one connection."""

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        orders: Orders,
        companies: Companies,
        accounts: Accounts,
        preferences: Preferences,
        memory: Memory,
    ) -> None:
        super().__init__(reader, companies, memory)
        self._writer = writer
        self._orders = orders
        self._accounts = accounts
        self._preferences = preferences

    async def find(self, bill: BillToPush) -> DocumentId | None:
        """Return the bill of this vendor that has the number and carries our key."""
        ours = [one for one in await self._same_number(bill) if wire.key_of(one) == bill.external_key]
        return document_id(ours[0]) if ours else None

    async def create(self, bill: BillToPush) -> DocumentId:
        """Post the bill. One of ours with the number is returned, not made a second time.

        Raises:
            Rejected: NUMBER_TAKEN, when the vendor has another bill with the number; ORDER_NOT_FOUND,
                ORDER_LINE_GONE, ALREADY_CONVERTED, MORE_THAN_ORDERED, VENDOR_DIFFERS, CHARGES_NOT_TAKEN,
                POSTING_DATE_NOT_TAKEN, and what QuickBooks' rules refuse.
            Duplicate: QuickBooks says that it has the bill and does not name it.
        """
        if bill.posting_date != bill.bill_date:
            raise Rejected(
                "QuickBooks posts a bill on its own date and has no other one.",
                code="POSTING_DATE_NOT_TAKEN",
                evidence={"bill_date": str(bill.bill_date), "posting_date": str(bill.posting_date)},
            )
        try:
            just_seen = self._memory.take_numbered(wire.doc_number(bill.number))
            ours = _ours(bill, await self._same_number(bill, just_seen))
        except ErpError as error:
            if error.code != QUOTA:
                raise
            # Writes stay free when the month's reads are used up, and this is a first attempt: an earlier one whose
            # outcome is unknown was looked up before, by `find`, which waits until it can. So there is none of ours,
            # and the stored request id keeps it at one. What is not seen is another bill with this number: QuickBooks
            # refuses it (6140) where the company wants that.
            ours = None
        if ours is not None:
            return document_id(ours)
        lines = lines_of(bill)
        orders = await self._orders_of(lines)
        if orders is not None:
            must_be_billable(bill, lines, orders)
        body = await self._body(bill, lines, orders)
        try:
            made = await self._writer.create(
                BILL,
                body,
                key=bill.external_key,
                request_id=request_id("bill", bill.external_key, _content(bill)),
                may_repeat_number=bill.may_repeat_number,
            )
        except Duplicate as error:
            if error.code != "ALREADY_EXISTS":
                raise
            made = await self._writer.holder_of(error, BILL, bill.external_key)
        return document_id(made)

    async def _same_number(self, bill: BillToPush, just_seen: list[Entity] | None = None) -> list[Entity]:
        number = wire.doc_number(bill.number)
        bills = just_seen
        if bills is None:
            bills = await self._writer.with_number(BILL, number, bill.bill_date.isoformat())
        return [one for one in bills if wire.ref(one, "VendorRef") == bill.vendor_id]

    async def _orders_of(self, lines: Sequence[Line]) -> Mapping[str, Entity] | None:
        """Return the orders that are billed; None when the month's reads are used up."""
        try:
            return await self._orders.originals(line.order for line in lines)
        except ErpError as error:
            if error.code != QUOTA:
                raise
            return None

    async def _body(
        self, bill: BillToPush, lines: Sequence[Line], orders: Mapping[str, Entity] | None
    ) -> dict[str, Any]:
        # Without the order, the company's own payable account is taken.
        home = orders[lines[0].order] if orders is not None else {}
        locations = {line.first.location for line in lines if line.first.location}
        return wire.given(
            VendorRef={"value": bill.vendor_id},
            APAccountRef=wire.reference(wire.ref(home, "APAccountRef")),
            TxnDate=bill.bill_date.isoformat(),
            # Without a day QuickBooks works it out by the term, the order's or the vendor's own.
            DueDate=None if bill.due_date is None else bill.due_date.isoformat(),
            SalesTermRef=wire.reference(bill.term),
            DocNumber=wire.doc_number(bill.number) or None,
            PrivateNote=wire.marked(bill_edits.note(bill), bill.external_key),
            CurrencyRef=wire.reference(wire.ref(home, "CurrencyRef")),
            DepartmentRef=wire.reference(next(iter(locations)) if len(locations) == 1 else None),
            GlobalTaxCalculation=wire.text(home, "GlobalTaxCalculation"),
            LinkedTxn=[
                {"TxnId": order, "TxnType": "PurchaseOrder"} for order in dict.fromkeys(line.order for line in lines)
            ],
            Line=[
                *(wire_line(line, order_line(line, orders) if orders is not None else None) for line in lines),
                *await self._charges(bill),
            ],
        )

    async def _charges(self, bill: BillToPush) -> list[dict[str, Any]]:
        """Return the money beyond the lines as lines of their own, on the accounts that the preferences name.

        Raises:
            Rejected: CHARGES_NOT_TAKEN, when no account is named.
        """
        named = self._preferences.charge_accounts
        unnamed = [charge.kind for charge in bill.charges if charge.kind not in named]
        if unnamed:
            raise Rejected(
                f"No account is named for {', '.join(unnamed)}.",
                code="CHARGES_NOT_TAKEN",
                evidence={"kinds": ", ".join(unnamed)},
            )
        return [
            {
                "Description": charge.description or charge.kind.value,
                "Amount": charge.amount,
                "DetailType": translate.ACCOUNT,
                translate.ACCOUNT: wire.given(
                    AccountRef={"value": await self._accounts.need("", named[charge.kind], "account")},
                    ClassRef=wire.reference(bill.lines[0].class_id),
                ),
            }
            for charge in bill.charges
        ]

    async def _charge_accounts(self, bill: BillToPush) -> Sequence[str | None]:
        """Return the accounts of the bill's charges, in their order; None: it is not shown any more."""
        named = self._preferences.charge_accounts
        return [
            await self._accounts.find("", named[charge.kind]) if charge.kind in named else None
            for charge in bill.charges
        ]

    # --- editing ------------------------------------------------------------------------------------------------

    async def update(self, bill: BillToPush, document: DocumentId, *, edition: int) -> None:
        """Change the bill to what it says now, on the copy that QuickBooks has at this moment.

        Raises:
            Duplicate: QuickBooks holds the edition already.
            Rejected: the bill is gone, its lines no longer correspond, or QuickBooks refused the edit.
            Stale: somebody changed the bill meanwhile; the next attempt reads it again.
        """
        erp_id = document.removeprefix(wire.BILL)
        self._memory.forget(BILL, erp_id)
        try:
            record = await self._writer.document(BILL, erp_id)
        except Throttled as error:
            if error.code != QUOTA:
                raise
            await self._update_unread(bill, erp_id, edition, error)
            return
        if record is None:
            raise Rejected(
                f"Bill {erp_id} is no longer in QuickBooks, so it cannot be edited there.",
                code="DELETED_IN_ERP",
                evidence={"document": document},
            )
        pairs = paired(lines_of(bill), record, len(bill.lines))
        if not bill_edits.differences(bill, record, pairs):
            raise Duplicate(f"QuickBooks holds this edition of bill {erp_id} already.", code="ALREADY_SENT")
        await self._send_edit(bill, edition, bill_edits.update(bill, record, pairs))

    async def _update_unread(self, bill: BillToPush, erp_id: str, edition: int, throttled: Throttled) -> None:
        """Send an edit of the header on the bill as it was when it was last seen. Lines are replaced as a whole: their
        edit needs them as they are.

        Raises:
            Throttled: the bill has to be read first.
        """
        token = translate.token_in(bill.seen_as)
        if token is None or any(line.edited for line in bill.lines):
            why = f"An edit of the lines of bill {bill.number} needs them as QuickBooks has them now."
            raise waits_for_reads(throttled, why)
        try:
            await self._send_edit(bill, edition, bill_edits.update(bill, {"Id": erp_id, "SyncToken": token}, ()))
        except Stale:
            why = f"Bill {bill.number} was changed in QuickBooks and has to be read first."
            raise waits_for_reads(throttled, why) from None

    async def _send_edit(self, bill: BillToPush, edition: int, body: dict[str, Any]) -> None:
        content = [body["SyncToken"] or "", *_content(bill)]
        await self._writer.write(BILL, body, request_id=request_id("edit", f"{bill.external_key}:{edition}", content))

    async def repair_link(self, bill: BillToPush, document: DocumentId) -> bool:
        """Send the lines anew whose links QuickBooks dropped, on the copy that it has at this moment. Nothing is sent
        where the order is closed, gone or full by now: the link would be dropped again.

        Raises:
            Stale: somebody changed the bill meanwhile; the next attempt reads it again.
        """
        erp_id = document.removeprefix(wire.BILL)
        self._memory.forget(BILL, erp_id)
        try:
            record = await self._writer.document(BILL, erp_id)
        except Throttled as error:
            if error.code != QUOTA:
                raise
            return False
        lines = lines_of(bill)
        if record is None:
            return False
        missing = link_repair.unlinked(lines, record)
        pairs = paired(lines, record, len(bill.lines))
        if not missing or any(match is None for _, match in pairs):
            return False
        orders = await self._orders_of(lines)
        if orders is None:
            return False
        try:
            must_be_billable(bill, missing, orders)
            body = link_repair.body(lines, pairs, record, orders)
            token = wire.text(record, "SyncToken") or ""
            await self._writer.write(
                BILL, body, request_id=request_id("link", bill.external_key, [token, *_content(bill)])
            )
        except UnknownRefusal:
            raise
        except Rejected:  # a person decides
            return False
        return True

    # --- reading back -------------------------------------------------------------------------------------------

    async def read_back(self, bill: BillToPush, document: DocumentId, *, with_order: bool = True) -> PushedBill:
        """Compare the bill with what was sent, as the write's own answer shows it; only if that is not at hand, it is
        read. The order is read as it is now.

        Raises:
            OutcomeUnknown: the bill is not shown: it was written, and has to be looked up again.
        """
        erp_id = document.removeprefix(wire.BILL)
        record = await self._writer.document(BILL, erp_id)
        if record is None:
            raise OutcomeUnknown(f"QuickBooks does not show bill {erp_id}.", code="OUTCOME_UNKNOWN")
        lines = lines_of(bill)
        pairs = paired(lines, record, len(lines))
        total = translate.need_number(record, "TotalAmt")
        if bill.is_edit:
            differences = bill_edits.differences(bill, record, pairs)
        else:
            differences = [
                *_header_differences(bill, record, total),
                *_line_differences(bill, pairs, record, await self._charge_accounts(bill)),
            ]
        return PushedBill(
            erp_id=ErpId(document),
            document_id=document,
            payable_id=ErpId(document),
            total=total,
            revision=translate.revision(record),
            linked=all(match is not None and _is_linked(match, line) for line, match in pairs),
            differences=tuple(differences),
            snapshot=await self._snapshot(lines[0].order) if with_order else None,
        )

    async def _snapshot(self, order: str) -> PurchaseOrderSnapshot | None:
        """Return the order as it is now. Without it the bill is pushed all the same; the order's own reading reports
        the problem."""
        try:
            return await self._orders.read(ErpId(order))
        except (NotFound, Rejected):
            return None
        except ErpError as error:
            if error.code != QUOTA:
                raise
            return None


def document_id(bill: Entity) -> DocumentId:
    """Return our id of a bill's document."""
    return DocumentId(f"{wire.BILL}{wire.text(bill, 'Id')}")


def _ours(bill: BillToPush, same_number: Sequence[Entity]) -> Entity | None:
    """Return our bill among those of the vendor with this number; None: the number is free.

    Raises:
        Rejected: NUMBER_TAKEN.
    """
    for one in same_number:
        if wire.key_of(one) == bill.external_key:
            return one
    if same_number and not bill.may_repeat_number:
        raise number_taken(
            BILL, wire.text(same_number[0], "Id") or "", {"number": wire.doc_number(bill.number)}, same_number[0]
        )
    return None


def _content(bill: BillToPush) -> list[Any]:
    """Return what a bill means, in an order that never changes: the same for every repeat of one write."""
    return [
        bill.vendor_id, bill.number, bill.bill_date, bill.due_date, bill.term, bill.memo, bill.total,
        *(("repeats its number",) if bill.may_repeat_number else ()),
        *(
            part
            for line in bill.lines
            for part in (
                line.order_line, line.quantity, line.price, line.amount, line.description, line.class_id, line.project,
                line.location,
            )
        ),
        *(part for charge in bill.charges for part in (charge.kind, charge.amount, charge.description)),
    ]  # fmt: skip


def _is_linked(match: Entity, line: Line) -> bool:
    link = translate.order_link(match)
    return link is not None and link[1] == line.order_line


def _header_differences(bill: BillToPush, record: Entity, total: Decimal) -> list[str]:
    pairs = [
        ("the vendor", bill.vendor_id, wire.ref(record, "VendorRef")),
        ("the supplier's invoice number", wire.doc_number(bill.number), wire.text(record, "DocNumber") or ""),
        ("our key", bill.external_key, wire.key_of(record)),
        ("the currency", bill.currency, wire.ref(record, "CurrencyRef") or bill.currency),
        ("the bill date", bill.bill_date, translate.optional_day(record, "TxnDate")),
        ("the due date", bill.due_date, bill.due_date and translate.optional_day(record, "DueDate")),
        ("the total", bill.total, total),
    ]
    differences = [
        f"{what}: sent {sent}, QuickBooks has {existing or 'nothing'}"
        for what, sent, existing in pairs
        if sent != existing
    ]
    return differences + bill_edits.text_difference("the memo", bill_edits.note(bill), wire.note_of(record))


def _line_differences(
    bill: BillToPush,
    pairs: Sequence[tuple[Line, Entity | None]],
    record: Entity,
    charge_accounts: Sequence[str | None],
) -> list[str]:
    existing = [line for line in wire.parts(record, "Line") if translate.is_bought(line)]
    expected = len(pairs) + len(bill.charges)
    # Charges that got lost mostly show as a different total, which says it already.
    shown = len(existing) == len(pairs) and translate.number(record, "TotalAmt") != bill.total
    if len(existing) != expected and not shown:
        return [f"the number of lines: sent {expected}, QuickBooks has {len(existing)}"]
    differences: list[str] = []
    for line, match in pairs:
        name = f"line {line.first.line_no}"
        if match is None:
            differences.append(f"{name}: QuickBooks does not have it")
            continue
        differences += _unequal(name, _compared(line, match, record))
        if line.first.description:
            said = wire.text(match, "Description")
            differences += bill_edits.text_difference(f"{name}, the description", line.first.description, said)
    charged = [one for one in existing if all(one is not match for _, match in pairs)]
    for charge, account, one in zip(bill.charges, charge_accounts, charged, strict=False):
        compared: list[tuple[str, Any, Any]] = [
            ("the amount", charge.amount, translate.number(one, "Amount")),
            ("the account", account, wire.ref(translate.detail(one), "AccountRef")),
        ]
        name, said = f"the {charge.kind.value}", wire.text(one, "Description")
        differences += _unequal(name, compared)
        differences += bill_edits.text_difference(
            f"{name}, the description", charge.description or charge.kind.value, said
        )
    return differences


def _compared(line: Line, match: Entity, record: Entity) -> list[tuple[str, Any, Any]]:
    """Return what of a line is compared: what was sent, and what QuickBooks has."""
    inner, sent = translate.detail(match), line.first
    compared: list[tuple[str, Any, Any]] = [
        ("the amount", line.amount, translate.number(match, "Amount")),
        ("the class", sent.class_id, wire.ref(inner, "ClassRef")),
        ("the project", sent.project, wire.ref(inner, "CustomerRef")),
        ("the location", sent.location, wire.ref(record, "DepartmentRef")),
    ]
    if sent.item_id.startswith(translate.ACCOUNT_ID):
        account = sent.item_id.removeprefix(translate.ACCOUNT_ID)
        return [("the account", account, wire.ref(inner, "AccountRef")), *compared]
    if sent.by_amount:
        return [("the item", sent.item_id, wire.ref(inner, "ItemRef")), *compared]
    quantity = translate.number(inner, "Qty")
    # One that was rounded may have taken the rest of its order line.
    rounded = sent.order_quantity is not None
    same = quantity is not None and is_same(line.quantity, quantity, rounded=rounded)
    expected = quantity if quantity is not None and same else line.quantity
    return [
        ("the item", sent.item_id, wire.ref(inner, "ItemRef")),
        ("the quantity", expected, quantity),
        ("the price", price_of(line, expected), translate.number(inner, "UnitPrice")),
        *compared,
    ]


def _unequal(name: str, compared: Sequence[tuple[str, Any, Any]]) -> list[str]:
    return [
        f"{name}, {what}: sent {mine}, QuickBooks has {theirs or 'nothing'}"
        for what, mine, theirs in compared
        if mine not in (None, "") and mine != theirs
    ]
