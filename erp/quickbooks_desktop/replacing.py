"""Put a bill in the place of the item receipts that hold its goods, where a connection asks for it (reference 3.2).

qbXML cannot turn a receipt into a bill: the receipt is deleted, the bill is added, and what the receipt held beyond the
bill is received anew. Between the first of these writes and the last the goods stand nowhere. So each of them is
journalled under the bill's key, and what they are is noted before the first goes out. Whoever goes on with the bill
finishes that before anything else: with the bill, or, where QuickBooks refuses it, by receiving all of it anew.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from lxml import etree

from erp.errors import ErpError, OutcomeUnknown, Rejected, Stale, UnknownRefusal
from erp.quickbooks_desktop import booked_by_receipts, contents, fields, translate, wire
from erp.quickbooks_desktop.bill_lines import Line, order_line
from erp.quickbooks_desktop.client import Client, records_of
from erp.quickbooks_desktop.orders import WHOLE
from erp.quickbooks_desktop.wire import ZERO, Part
from erp.verdicts import Verdict
from models.domain.bills import BillToPush
from models.domain.ids import ErpId, ExternalKey

RECEIPT, ADD = booked_by_receipts.RECEIPT, "ItemReceiptAdd"

COPIED = ("CustomerRef", "ClassRef")
"""References of a receipt's line that are entered anew with it."""

NOT_COPIED = (
    "ItemGroupLineRet", "SerialNumber", "LotNumber", "InventorySiteRef", "InventorySiteLocationRef", "DataExtRet",
    "OverrideItemAccountRef",
)  # fmt: skip
"""What a receipt may have that would be lost if it were entered anew: such a receipt is left alone."""


@dataclass(frozen=True)
class Receipt:
    """A receipt that a bill takes the place of."""

    id: str
    number: str
    edition: str
    vendor: str
    day: str
    lines: str
    """What it holds, in words: for a person who has to enter it anew."""
    whole: str
    """The request that enters it anew."""
    rest: str
    """The request that enters what the bill leaves of it; empty: nothing."""


@dataclass(frozen=True)
class Plan:
    """What is to be done for one bill: the receipts to delete. `number` counts the plans of the bill."""

    key: ExternalKey
    number: int
    receipts: tuple[Receipt, ...]

    @property
    def name(self) -> str:
        """Return under which name its notes and writes are in the journal."""
        return f"{self.key}/receipts/{self.number}"


async def planned(client: Client, key: ExternalKey) -> bool:
    """Return whether receipts were ever planned to be replaced by this bill."""
    return await client.noted(f"{key}/receipts/1") is not None


async def under_way(client: Client, key: ExternalKey) -> tuple[Plan | None, int]:
    """Return the plan that was begun and is not ended, and the number of the next one. A plan that is being undone is
    undone first.

    Raises:
        Deferred: QuickBooks has not answered yet.
        Rejected: what was undone was refused with this.
        Stale: it was undone because a person changed a receipt meanwhile.
    """
    number = 1
    while (text := await client.noted(f"{key}/receipts/{number}")) is not None:
        plan = Plan(key, number, tuple(Receipt(**one) for one in json.loads(text)))
        if await client.noted(f"{plan.name}/ended") is None:
            undone = await client.noted(f"{plan.name}/undo")
            if undone is None:
                return plan, number
            await _undo(client, plan, json.loads(undone))
        number += 1
    return None, number


async def begin(client: Client, plan: Plan) -> None:
    """Note what is about to be done."""
    await client.note(plan.name, json.dumps([asdict(one) for one in plan.receipts]))


async def delete_receipts(client: Client, plan: Plan, orders: Mapping[str, etree._Element]) -> None:
    """Delete the receipts.

    Raises:
        Deferred: QuickBooks has not answered yet.
        Rejected: it refused one; those before it are entered anew.
        Stale: one was changed or is gone; those deleted are entered anew, as they were last.
    """
    for place, one in enumerate(plan.receipts):
        try:
            record = await _delete(client, f"{plan.name}/{place}/delete", one)
        except ErpError as error:
            if error.verdict is not Verdict.REFUSED and not isinstance(error, Stale):
                raise
            await undo(client, plan, error, deleted=place)
            raise
        if record is None or fields.need(record, "EditSequence") == one.edition:
            continue
        newer = _receipt(record, orders, {}, f"{plan.name}/{place}")
        changed = Stale(f"Item receipt {one.number} was changed in QuickBooks.", code="RECORD_CHANGED")
        last = {} if newer is None else {str(place): newer.whole}
        await undo(client, plan, changed, deleted=place + 1, whole=last)
        raise changed


async def finish(client: Client, plan: Plan) -> None:
    """Receive anew what the bill left of the receipts.

    Raises:
        Deferred: QuickBooks has not answered yet.
        Rejected: RECEIPT_NOT_RESTORED, QuickBooks refuses it.
    """
    for place, one in enumerate(plan.receipts):
        if one.rest:
            await _add(client, f"{plan.name}/{place}/rest", one, one.rest)
    await client.note(f"{plan.name}/ended", "the bill stands in their place")


async def undo(
    client: Client,
    plan: Plan,
    error: ErpError,
    *,
    deleted: int | None = None,
    whole: Mapping[str, str] = {},
) -> None:
    """Receive the deleted receipts anew, because the bill does not take their place. `whole` are requests that take the
    place of the plan's own, by the place of the receipt.

    Raises:
        Deferred: QuickBooks has not answered yet.
        Rejected: the error, or RECEIPT_NOT_RESTORED.
        Stale: the error.
    """
    why = {
        "stale": isinstance(error, Stale),
        "message": error.message,
        "code": error.code,
        "erp_code": error.erp_code,
        "evidence": error.evidence,
        "deleted": len(plan.receipts) if deleted is None else deleted,
        "whole": dict(whole),
    }
    await client.note(f"{plan.name}/undo", json.dumps(why))
    await _undo(client, plan, why)


async def _undo(client: Client, plan: Plan, why: Mapping[str, Any]) -> None:
    for place, one in enumerate(plan.receipts[: why["deleted"]]):
        await _add(client, f"{plan.name}/{place}/whole", one, why["whole"].get(str(place), one.whole))
    await client.note(f"{plan.name}/ended", "undone")
    family = Stale if why["stale"] else Rejected
    raise family(why["message"], code=why["code"], erp_code=why["erp_code"], evidence=why["evidence"])


# --- single writes -----------------------------------------------------------------------------------------------


async def _delete(client: Client, key: str, one: Receipt) -> etree._Element | None:
    """Delete a receipt, once; return it as it was then, if QuickBooks shows that."""
    question = wire.request(f"{RECEIPT}Query", wire.part("TxnID", one.id), *WHOLE, key="receipt")
    try:
        return await client.delete(key, RECEIPT, one.id, question)
    except OutcomeUnknown as error:
        seen = await client.ask(f"look/{key}/{await client.losses(key)}", question)
        if not records_of(seen.responses, (f"{RECEIPT}Ret",)):
            return None
        if isinstance(error, UnknownRefusal):
            raise error.refusal() from None
        await client.release(key)
    return await client.delete(key, RECEIPT, one.id, question)


async def _add(client: Client, key: str, one: Receipt, request: str) -> None:
    """Enter a receipt, once."""
    try:
        try:
            await client.write(key, ADD, request)
        except OutcomeUnknown as error:
            seen = await client.ask(f"look/{key}/{await client.losses(key)}", _receipts_of(one))
            memos = [wire.text(record, "Memo") for record in records_of(seen.responses, (f"{RECEIPT}Ret",))]
            if wire.key_in(_memo_of(request)) in map(wire.key_in, memos):
                return
            if isinstance(error, UnknownRefusal):
                raise error.refusal() from None
            await client.release(key)
            await client.write(key, ADD, request)
    except Rejected as error:
        raise Rejected(
            f"Item receipt {one.number} was deleted for the bill and is not taken anew: {error.message}",
            code="RECEIPT_NOT_RESTORED",
            erp_code=error.erp_code,
            evidence={**error.evidence, "receipt": one.number, "date": one.day, "lines": one.lines},
        ) from error


def _receipts_of(one: Receipt) -> str:
    """Return the question for the receipts of a vendor and day: they may have no numbers."""
    return wire.request(
        f"{RECEIPT}Query",
        wire.group("TxnDateRangeFilter", wire.part("FromTxnDate", one.day), wire.part("ToTxnDate", one.day)),
        wire.group("EntityFilter", wire.part("ListID", one.vendor)),
        key="receipts",
    )


def _memo_of(request: str) -> str | None:
    return etree.fromstring(request).findtext(f"{ADD}/Memo")


# --- planning ----------------------------------------------------------------------------------------------------


def plan_of(
    key: ExternalKey,
    number: int,
    bill: BillToPush,
    lines: Sequence[Line],
    orders: Mapping[str, etree._Element],
    receipts: Sequence[etree._Element],
    closing: date | None,
) -> tuple[Plan, Mapping[ErpId, Decimal]] | None:
    """Return which receipts to replace for these lines, the oldest first, and what they release of each order line:
    a bill is for what was received, and for what is to come only beyond that. None: QuickBooks does not tell what a
    receipt holds, or one cannot be deleted and entered anew without a loss."""
    name = f"{key}/receipts/{number}"
    wanted = {line.order_line: line.quantity for line in lines}
    items = {wire.ref(order_line(line, orders[line.order]), "ItemRef") for line in lines}
    released: dict[ErpId, Decimal] = {}
    chosen: list[Receipt] = []
    for record in sorted(
        receipts, key=lambda one: (wire.text(one, "TxnDate") or "", int(wire.text(one, "TxnNumber") or 0))
    ):
        takes: dict[int, Decimal] = {}
        if bill.charges and booked_by_receipts.has_charges(record, orders):
            return None
        for place, entry in enumerate(contents.lines_in(record, contents.ITEM_LINES)):
            target, item = _order_line_of(entry, record, orders), wire.ref(entry, "ItemRef")
            if target is None and item in (*items, None):
                return None
            if item in items and booked_by_receipts.holds_more(record, item, orders):
                return None
            received = fields.number(entry, "Quantity") or ZERO
            taken = min(wanted.get(target, ZERO), received) if target is not None else ZERO
            if target is not None and taken > 0:
                takes[place] = taken
                wanted[target] -= taken
                released[target] = released.get(target, ZERO) + taken
        if not takes:
            continue
        if closing is not None and fields.need_day(record, "TxnDate") <= closing:
            return None
        one = _receipt(record, orders, takes, f"{name}/{len(chosen)}")
        if one is None:
            return None
        chosen.append(one)
    return (Plan(key, number, tuple(chosen)), released) if chosen else None


def quantities_on(receipts: Sequence[etree._Element], orders: Mapping[str, etree._Element]) -> Mapping[ErpId, Decimal]:
    """Return how much of order lines is on receipts, as far as QuickBooks tells which."""
    received: dict[ErpId, Decimal] = {}
    for record in receipts:
        for entry in contents.lines_in(record, contents.ITEM_LINES):
            target = _order_line_of(entry, record, orders)
            if target is not None:
                received[target] = received.get(target, ZERO) + (fields.number(entry, "Quantity") or ZERO)
    return received


def _order_line_of(
    entry: etree._Element, receipt: etree._Element, orders: Mapping[str, etree._Element]
) -> ErpId | None:
    """Return the order line that a receipt's line is for: the only one of its item in the receipt's orders. None:
    QuickBooks does not tell which."""
    item = wire.ref(entry, "ItemRef")
    same = [
        translate.line_id(order_id, fields.need(line, "TxnLineID"))
        for order_id in contents.linked(receipt, "PurchaseOrder")
        if order_id in orders
        for line in contents.lines_in(orders[order_id], contents.ORDER_LINES)
        if wire.ref(line, "ItemRef") == item
    ]
    return same[0] if item is not None and len(same) == 1 else None


def _receipt(
    record: etree._Element, orders: Mapping[str, etree._Element], takes: Mapping[int, Decimal], name: str
) -> Receipt | None:
    """Return how a receipt is replaced. `takes`: what the bill takes of each of its lines, by their place. None: it
    holds something that would be lost."""
    if any(next(record.iter(one), None) is not None for one in NOT_COPIED):
        return None
    if any(order_id not in orders for order_id in contents.linked(record, "PurchaseOrder")):
        return None
    if (fields.number(record, "ExchangeRate") or wire.ONE) != wire.ONE:
        return None
    memo = wire.without_key(wire.text(record, "Memo"))
    if max(len(wire.marked(memo, f"{name}/{part}")) for part in ("whole", "rest")) > wire.LONGEST_TEXT:
        return None
    whole: list[Part | None] = []
    rest: list[Part | None] = []
    in_words: list[str] = []
    for place, entry in enumerate(contents.lines_in(record, contents.ITEM_LINES)):
        quantity = fields.number(entry, "Quantity")
        target = _order_line_of(entry, record, orders)
        billable = wire.text(entry, "BillableStatus")
        if quantity is None or target is None or billable not in (None, "NotBillable"):
            return None
        in_words.append(f"{quantity} {wire.text(entry, 'ItemRef/FullName') or wire.ref(entry, 'ItemRef')}")
        whole.append(_line(entry, target, quantity, whole=True))
        left = quantity - takes.get(place, ZERO)
        if left > 0:
            rest.append(_line(entry, target, left, whole=left == quantity))
    expenses = [_expense(entry) for entry in wire.children(record, ("ExpenseLineRet",))]
    return Receipt(
        id=fields.need(record, "TxnID"),
        number=wire.text(record, "RefNumber") or fields.need(record, "TxnNumber"),
        edition=fields.need(record, "EditSequence"),
        vendor=fields.need(record, "VendorRef/ListID"),
        day=fields.need(record, "TxnDate"),
        lines=", ".join(in_words),
        whole=_request(record, [*expenses, *whole], f"{name}/whole"),
        rest=_request(record, [*expenses, *rest], f"{name}/rest") if expenses or rest else "",
    )


def _request(record: etree._Element, lines: Sequence[Part | None], name: str) -> str:
    memo = wire.without_key(wire.text(record, "Memo"))
    body = wire.group(
        ADD,
        wire.reference("VendorRef", wire.ref(record, "VendorRef")),
        wire.reference("APAccountRef", wire.ref(record, "APAccountRef")),
        wire.part("TxnDate", wire.text(record, "TxnDate")),
        wire.part("RefNumber", wire.text(record, "RefNumber")),
        wire.part("Memo", wire.marked(memo, name)),
        *lines,
    )
    return wire.request(ADD, body, key="receipt")


def _line(entry: etree._Element, target: ErpId, quantity: Decimal, *, whole: bool) -> Part | None:
    """Return a line of a receipt. Of a whole one the amount is kept, as its price may have been rounded."""
    order, _, place = target.partition(":")
    amount = wire.part("Amount", wire.text(entry, "Amount")) if whole else None
    return wire.group(
        "ItemLineAdd",
        wire.part("Desc", wire.text(entry, "Desc")),
        wire.part("Quantity", wire.quantity(quantity)),
        wire.part("UnitOfMeasure", wire.text(entry, "UnitOfMeasure")),
        wire.part("Cost", wire.text(entry, "Cost")) if amount is None else None,
        amount,
        *(wire.reference(name, wire.ref(entry, name)) for name in COPIED),
        wire.part("BillableStatus", wire.text(entry, "BillableStatus")),
        wire.group("LinkToTxn", wire.part("TxnID", order), wire.part("TxnLineID", place)),
    )


def _expense(entry: etree._Element) -> Part | None:
    return wire.group(
        "ExpenseLineAdd",
        wire.reference("AccountRef", wire.ref(entry, "AccountRef")),
        wire.part("Amount", wire.text(entry, "Amount")),
        wire.part("Memo", wire.text(entry, "Memo")),
        *(wire.reference(name, wire.ref(entry, name)) for name in COPIED),
    )
