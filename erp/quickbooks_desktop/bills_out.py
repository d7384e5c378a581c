"""Send a bill linked to its orders, once, and compare what QuickBooks made of it (reference 3.2, 3.4).

    round 1   is its number free, and what do its orders look like: one document of questions
    round 2   the bill, and the orders with what is linked to them: one document, whose outcome QuickBooks keeps

The second one's answer is the read-back: it is in the journal, under our key, for as long as the connection lives.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lxml import etree

from erp.errors import Duplicate, ErpError, OutcomeUnknown, Rejected, Stale, UnknownRefusal
from erp.quickbooks_desktop import (
    bill_differences,
    bill_edits,
    contents,
    faults,
    fields,
    preflight,
    replacing,
    same_number,
    wire,
)
from erp.quickbooks_desktop.bill_lines import (
    Line,
    in_orders_sequence,
    item_line,
    lines_of,
    must_be_one_line_each,
)
from erp.quickbooks_desktop.bills_in import BillsIn, bills_numbered
from erp.quickbooks_desktop.client import Client, record_of, records_of, recovered_id
from erp.quickbooks_desktop.envelope import Answer
from erp.quickbooks_desktop.order_room import OrderRoom
from erp.quickbooks_desktop.orders import WHOLE, Orders, linked_questions, question
from erp.quickbooks_desktop.preferences import Preferences, account
from erp.quickbooks_desktop.reader import Reader
from erp.quickbooks_desktop.replacing import Plan
from erp.quickbooks_desktop.wire import Part
from erp.verdicts import Verdict
from models.domain.bills import BillToPush, PushedBill
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import PurchaseOrderSnapshot

MOST_CONFLICTS = 5
"""How often one attempt at an edit starts from the bill's newer state."""


class Readback(NamedTuple):
    """A bill as QuickBooks has it, with its orders and what is linked to them."""

    bill: etree._Element
    orders: Mapping[str, etree._Element]
    documents: Sequence[etree._Element]
    link_left_out: bool


class Bills(BillsIn):
    """Writes the bills of one connection."""

    def __init__(self, client: Client, reader: Reader, orders: Orders, preferences: Preferences) -> None:
        super().__init__(client, reader)
        self._orders = orders
        self._preferences = preferences
        self._room = OrderRoom(
            client, replaces_receipts=preferences.replace_item_receipts, enhanced=orders.keeps_bills_apart
        )

    # --- creating -----------------------------------------------------------------------------------------------

    async def find(self, bill: BillToPush) -> DocumentId | None:
        """Return the bill under our key: by the answer to its write, else by its number.

        Raises:
            Deferred: QuickBooks is at it, or has not answered the look-up.
        """
        made = await self._made(bill) or await self._looked_up(bill)
        if made is not None:
            plan, _ = await replacing.under_way(self._client, bill.external_key)
            if plan is not None:
                await replacing.finish(self._client, plan)
        return made

    async def _looked_up(self, bill: BillToPush) -> DocumentId | None:
        key = bill.external_key
        number = wire.short_number(bill.number, wire.LONGEST["bill"])
        losses = await self._client.losses(key)
        answer = await self._client.ask(f"find/{key}/{losses}", bills_numbered(number))
        ours = same_number.ours(bill, records_of(answer.responses, ("BillRet",)))
        if ours is None:
            await self._client.note(_not_there(key, losses), "looked up")
        return ours

    async def _made(self, bill: BillToPush) -> DocumentId | None:
        answer = await self._client.awaited(bill.external_key, "BillAdd")
        response = None if answer is None else answer.named("BillAdd")
        if response is None:
            return None
        record = record_of(response)
        made = recovered_id(response) if record is None else wire.text(record, "TxnID")
        return None if made is None else DocumentId(made)

    async def create(self, bill: BillToPush) -> DocumentId:
        """Create the bill.

        Raises:
            Deferred: QuickBooks has not answered yet.
            Rejected: NUMBER_TAKEN, RECEIVED_BY_ITEM_RECEIPT, or what `must_be_linkable`, `must_have_room` and
                `preflight` refuse, or QuickBooks refused it, or RECEIPT_NOT_RESTORED.
            Stale: its order, or an item receipt that it replaces, was changed meanwhile.
        """
        plan, number_of_plan = await replacing.under_way(self._client, bill.external_key)
        made = await self._made(bill)
        if made is None:
            made = await self._create(bill, plan, number_of_plan)
        if plan := plan or (await replacing.under_way(self._client, bill.external_key))[0]:
            await replacing.finish(self._client, plan)
        return made

    async def _create(self, bill: BillToPush, plan: Plan | None, number_of_plan: int) -> DocumentId:
        preflight.must_be_writable(bill)
        must_be_one_line_each(lines_of(bill))
        number = wire.short_number(bill.number, wire.LONGEST["bill"])
        order_ids = list(dict.fromkeys(line.order for line in lines_of(bill)))
        questions = (preflight.QUESTION, bills_numbered(number), question(order_ids), preflight.MAY_WRITE)
        seen = await self._client.ask(
            self._room.looked_up(bill, number_of_plan), *questions, *self._room.questions(bill)
        )
        same = records_of(seen.responses, ("BillRet",))
        ours = same_number.ours(bill, same)
        if ours is not None:
            return ours
        orders = {fields.need(one, "TxnID"): one for one in records_of(seen.responses, ("PurchaseOrderRet",))}
        if plan is None:
            preflight.must_be_open(seen, what="bill", day=bill.bill_date)
            adopted = same_number.converted(bill, same, orders)
            if adopted is not None:
                return adopted
            if taken := [one for one in same if wire.ref(one, "VendorRef") == bill.vendor_id]:
                raise same_number.number_taken(taken[0], number)
        bill = preflight.with_classes_taken(bill, orders, seen)
        lines, plan = await self._decided(bill, lines_of(bill), orders, seen, plan, number_of_plan)
        body = self._body(bill, in_orders_sequence(lines, orders), orders)
        if plan is not None:
            await replacing.begin(self._client, plan)
            await replacing.delete_receipts(self._client, plan, orders)
            seen = await self._client.ask(f"deleted/{plan.name}", bills_numbered(number), question(order_ids))
            entered = await self._entered_meanwhile(bill, plan, seen)
            if entered is not None:
                return entered
        # Only now, and only once it was looked up: what is refused above, though it was lost before, must not go out.
        if await self._client.noted(_not_there(bill.external_key, await self._client.losses(bill.external_key))):
            await self._client.release(bill.external_key)
        try:
            answer = await self._client.write(
                bill.external_key,
                "BillAdd",
                wire.request("BillAdd", body, key="bill"),
                question(order_ids),
                *linked_questions(list(orders.values())),
                after=seen,
            )
        except ErpError as error:
            if plan is not None:
                return await self._in_place_or_undone(bill, plan, error)
            raise
        response = answer.named("BillAdd")
        assert response is not None, "the client checks that the write was answered"
        record = record_of(response)
        return DocumentId(recovered_id(response) or "" if record is None else fields.need(record, "TxnID"))

    async def _decided(
        self,
        bill: BillToPush,
        lines: list[Line],
        orders: Mapping[str, etree._Element],
        seen: Answer,
        plan: Plan | None,
        number_of_plan: int,
    ) -> tuple[list[Line], Plan | None]:
        """Return the lines with the quantities that are sent, and which receipts the bill takes the place of.

        Raises:
            Deferred: QuickBooks has not answered yet.
            Rejected: the bill cannot be linked, or is for what was booked already.
            Stale: an order was changed since it was read.
        """
        if plan is not None and not any(line.rounded for line in lines):
            return lines, plan
        room = await self._room.of(bill, orders, seen, number_of_plan)
        if any(line.rounded for line in lines):
            lines = self._room.filling(lines, room)
        return lines, plan or self._room.receipts_to_replace(bill, lines, room)

    async def _entered_meanwhile(self, bill: BillToPush, plan: Plan, seen: Answer) -> DocumentId | None:
        """Return the bill that a person entered while its receipts were deleted, if it is this one; None: nobody did.

        Raises:
            Rejected: NUMBER_TAKEN, another bill has its number now. The receipts are entered anew, or
                RECEIPT_NOT_RESTORED.
        """
        same = records_of(seen.responses, ("BillRet",))
        orders = {fields.need(one, "TxnID"): one for one in records_of(seen.responses, ("PurchaseOrderRet",))}
        entered = same_number.ours(bill, same) or same_number.converted(bill, same, orders, of_its_total=True)
        taken = [one for one in same if wire.ref(one, "VendorRef") == bill.vendor_id]
        if entered is None and taken:
            await replacing.undo(self._client, plan, same_number.number_taken(taken[0], bill.number))
        return entered

    async def _in_place_or_undone(self, bill: BillToPush, plan: Plan, error: ErpError) -> DocumentId:
        """Return the bill that was made in spite of an error; if none was, enter its receipts anew.

        Raises:
            ErpError: the error, after that, or at once if it leaves open whether the bill was made.
        """
        if isinstance(error, UnknownRefusal):
            number = wire.short_number(bill.number, wire.LONGEST["bill"])
            answer = await self._client.ask(f"refused/{plan.name}", bills_numbered(number))
            ours = same_number.ours(bill, records_of(answer.responses, ("BillRet",)))
            if ours is not None:
                return ours
            error = error.refusal()
        if error.verdict is Verdict.REFUSED:
            await replacing.undo(self._client, plan, error)
        raise error

    def _body(self, bill: BillToPush, lines: Sequence[Line], orders: Mapping[str, etree._Element]) -> Part | None:
        return wire.group(
            "BillAdd",
            wire.reference("VendorRef", bill.vendor_id),
            account("APAccountRef", self._preferences.payable_account),
            wire.part("TxnDate", bill.bill_date),
            wire.part("DueDate", bill.due_date),
            wire.part("RefNumber", wire.short_number(bill.number, wire.LONGEST["bill"])),
            wire.reference("TermsRef", bill.term if bill.due_date is None else None),
            wire.part("Memo", wire.marked(bill_edits.whole_memo(bill), bill.external_key)),
            *self._charges(bill),
            *(item_line(line) for line in lines),
        )

    def _charges(self, bill: BillToPush) -> list[Part | None]:
        """Return the money beyond the lines as expense lines, on the accounts that the preferences name.

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
            wire.group(
                "ExpenseLineAdd",
                account("AccountRef", named[charge.kind]),
                wire.part("Amount", wire.amount(charge.amount)),
                wire.part("Memo", charge.description or charge.kind.value),
                wire.reference("ClassRef", bill.lines[0].class_id),
            )
            for charge in bill.charges
        ]

    # --- editing ------------------------------------------------------------------------------------------------

    async def update(self, bill: BillToPush, document: DocumentId, *, edition: int) -> None:
        """Change the bill to what it says now. Where a person changed it meanwhile, QuickBooks' refusal shows its
        newer state, and the edit starts from that.

        Raises:
            Deferred: QuickBooks has not answered yet.
            Duplicate: QuickBooks holds the edition already.
            Rejected: the bill is gone, its lines cannot be one line each, or QuickBooks refused the edit.
            Stale: it was changed again and again meanwhile.
        """
        preflight.must_be_writable(bill)
        must_be_one_line_each(lines_of(bill))
        question_key = f"edit/{edition}/{await self._losses(bill, edition)}"
        seen = await self._client.ask(question_key, _bill_question(document))
        record = next(iter(records_of(seen.responses, ("BillRet",))), None)
        if record is None:
            raise Rejected(
                f"Bill {document} is no longer in QuickBooks, so it cannot be edited there.",
                code="DELETED_IN_ERP",
                evidence={"document": document},
            )
        for attempt in range(1, MOST_CONFLICTS + 1):
            if not bill_edits.differences(bill, record):
                raise Duplicate(f"QuickBooks holds this edition of bill {document} already.", code="ALREADY_SENT")
            key = _edit_key(bill, edition, attempt)
            # It was just read, without this edition: what was lost was not done, and goes out once more.
            await self._client.release(key)
            answer = await self._client.write(
                key,
                "BillMod",
                wire.request("BillMod", bill_edits.update(bill, record), key="edit"),
                stale_is_answer=True,
            )
            response = answer.named("BillMod")
            if response is None or response.status not in faults.STALE:
                return
            newer = record_of(response)
            if newer is None:
                break
            record = newer
        await self._client.discard(question_key)
        raise Stale(f"Bill {document} is being changed in QuickBooks.", code="RECORD_CHANGED")

    async def _losses(self, bill: BillToPush, edition: int) -> int:
        """Return how often the outcome of an edition was lost: after each time the bill is read anew."""
        attempts = range(1, MOST_CONFLICTS + 1)
        return sum([await self._client.losses(_edit_key(bill, edition, attempt)) for attempt in attempts])

    # --- reading back -------------------------------------------------------------------------------------------

    async def repair_link(self, bill: BillToPush, document: DocumentId) -> bool:
        """Do nothing: a bill is made from its order's lines, and QuickBooks takes no link afterwards."""
        return False

    async def read_back(self, bill: BillToPush, document: DocumentId, *, with_order: bool = True) -> PushedBill:
        """Compare the bill with what was sent, as the write's own answer shows it; if it does not show all, it is read.

        Raises:
            Deferred: QuickBooks has not answered yet.
            OutcomeUnknown: QuickBooks does not show the bill: it has to be looked up again.
        """
        lines = lines_of(bill)
        shown = None if bill.is_edit else await self._from_write(bill, document, lines)
        if shown is None:
            shown = await self._as_it_is(bill, document, lines)
        record, orders = shown.bill, shown.orders
        total = fields.need_number(record, "AmountDue")
        linked = not shown.link_left_out and all(
            line.order in orders and document in contents.linked(orders[line.order], "Bill") for line in lines
        )
        if bill.is_edit:
            differences = bill_edits.differences(bill, record)
        else:
            differences = [
                *bill_differences.of_header(bill, record, total),
                *bill_differences.of_lines(bill, lines, record, orders),
            ]
        return PushedBill(
            erp_id=ErpId(document),
            document_id=document,
            payable_id=ErpId(document),
            total=total,
            revision=fields.revision(record),
            linked=linked,
            differences=tuple(differences),
            snapshot=self._snapshot(lines[0].order, shown),
        )

    async def _from_write(self, bill: BillToPush, document: DocumentId, lines: Sequence[Line]) -> Readback | None:
        if await replacing.planned(self._client, bill.external_key):
            return None  # its receipts were deleted, and perhaps entered anew, since
        answer = await self._client.own_write(bill.external_key, "BillAdd")
        response = None if answer is None else answer.named("BillAdd")
        record = record_of(response)
        if answer is None or response is None or record is None or wire.text(record, "TxnID") != document:
            return None
        orders = {fields.need(one, "TxnID"): one for one in records_of(answer.responses, ("PurchaseOrderRet",))}
        if any(line.order not in orders for line in lines):
            return None  # what QuickBooks kept of the write is its record alone
        documents = [record, *records_of(answer.responses, ("BillRet", "ItemReceiptRet"))]
        left_out = response.status in faults.LINK_LEFT_OUT
        return Readback(record, orders, _once(documents), left_out)

    async def _as_it_is(self, bill: BillToPush, document: DocumentId, lines: Sequence[Line]) -> Readback:
        order_ids = list(dict.fromkeys(line.order for line in lines))
        edition = "edited " if bill.is_edit else ""
        answer = await self._client.ask(f"read back {edition}{document}", _bill_question(document), question(order_ids))
        record = next(iter(records_of(answer.responses, ("BillRet",))), None)
        if record is None:
            await self._client.discard(f"read back {edition}{document}")
            raise OutcomeUnknown(f"QuickBooks does not show bill {document}.", code="OUTCOME_UNKNOWN")
        orders = {fields.need(one, "TxnID"): one for one in records_of(answer.responses, ("PurchaseOrderRet",))}
        others = await self._orders.linked_to(list(orders.values()), key=f"linked {edition}{document}")
        return Readback(record, orders, _once([record, *others]), False)

    def _snapshot(self, order: str, shown: Readback) -> PurchaseOrderSnapshot | None:
        """Return the order as it is now. Without it the bill is pushed all the same; the order's own reading reports
        the problem."""
        if order not in shown.orders:
            return None
        try:
            return self._orders.snapshot(shown.orders[order], shown.documents)
        except Rejected:
            return None


def _not_there(key: str, losses: int) -> str:
    return f"not there/{key}/{losses}"


def _edit_key(bill: BillToPush, edition: int, attempt: int) -> str:
    return f"{bill.external_key}/edit {edition}/{attempt}"


def _bill_question(document: str) -> str:
    return wire.request("BillQuery", wire.part("TxnID", document), *WHOLE, key="bill")


def _once(records: Sequence[etree._Element]) -> list[etree._Element]:
    return list({wire.text(one, "TxnID"): one for one in records}.values())
