"""Find out what a bill may still take of its orders, and which item receipts it takes the place of (reference 3.2)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lxml import etree

from erp.errors import Rejected, Stale
from erp.quickbooks_desktop import billed_apart, fields, preflight, replacing, wire
from erp.quickbooks_desktop.bill_lines import Line, filling_orders, must_be_linkable, must_have_room
from erp.quickbooks_desktop.booked_by_receipts import (
    linked_receipts,
    must_not_be_received,
    must_not_be_received_without_an_order,
    receipts_question,
    vendors_receipts_question,
    without_an_order,
)
from erp.quickbooks_desktop.client import Client, records_of
from erp.quickbooks_desktop.envelope import Answer
from erp.quickbooks_desktop.orders import question
from erp.quickbooks_desktop.replacing import Plan
from models.domain.bills import BillToPush


class Room(NamedTuple):
    """A bill's orders as they were looked up, with what has to be known besides to tell what is left of them."""

    orders: Mapping[str, etree._Element]
    seen: Answer
    number_of_plan: int
    receipts: Sequence[etree._Element]
    """Ordinary receiving: the item receipts that the orders are linked to, as far as QuickBooks shows them."""
    receipts_linked: int
    without_an_order: Sequence[etree._Element]
    """Ordinary receiving: the vendor's item receipts that name no order."""
    bills: Sequence[etree._Element] | None
    """Enhanced receiving: the bills by which it is told what is billed; None: receiving is the ordinary one."""


class OrderRoom:
    """Looks up what is left of orders, for one connection."""

    def __init__(self, client: Client, *, replaces_receipts: bool, enhanced: bool) -> None:
        self._client = client
        self._replaces_receipts = replaces_receipts
        self._enhanced = enhanced

    def looked_up(self, bill: BillToPush, number_of_plan: int) -> str:
        """Return under which key the look-up before a bill is in the journal."""
        return f"before/{bill.external_key}/{number_of_plan}"

    def questions(self, bill: BillToPush) -> Sequence[str]:
        """Return what that look-up asks besides the orders: where receipts count like bills, which of the vendor there
        are. With enhanced receiving they stay for ever, and count for nothing here."""
        return () if self._enhanced else (vendors_receipts_question(bill.vendor_id),)

    async def of(
        self, bill: BillToPush, orders: Mapping[str, etree._Element], seen: Answer, number_of_plan: int
    ) -> Room:
        """Return what is to be known of orders that were just looked up.

        Raises:
            Deferred: QuickBooks has not answered yet.
            Stale: an order was changed since it was read: a receipt was entered, changed, or turned into a bill.
        """
        # As it is now: what the connection knows of it may be of an earlier session.
        enhanced = preflight.keeps_bills_apart(seen)
        linked = [] if enhanced else linked_receipts(orders)
        bills = [one for order in orders.values() for one in billed_apart.bills_needed(order)] if enhanced else []
        records: Sequence[etree._Element] = ()
        if linked:
            records = await self._as_the_orders_are(bill, orders, number_of_plan, receipts_question(linked))
        elif bills:
            asked = billed_apart.question(list(dict.fromkeys(bills)))
            records = await self._as_the_orders_are(bill, orders, number_of_plan, asked)
        receipts, shown = ((), records) if enhanced else (records, None)
        loose = () if enhanced else without_an_order(seen)
        return Room(orders, seen, number_of_plan, receipts, len(linked), loose, shown)

    async def _as_the_orders_are(
        self, bill: BillToPush, orders: Mapping[str, etree._Element], number_of_plan: int, asked: str
    ) -> Sequence[etree._Element]:
        key = f"receipts/{bill.external_key}/{number_of_plan}"
        answer = await self._client.ask(key, question(list(orders)), asked)
        now = {wire.text(one, "TxnID"): one for one in records_of(answer.responses, ("PurchaseOrderRet",))}
        for order_id, order in orders.items():
            if order_id not in now or fields.revision(now[order_id]) != fields.revision(order):
                # Both are asked anew: the bill that a receipt became may be this one.
                await self._client.discard(key)
                await self._client.discard(self.looked_up(bill, number_of_plan))
                raise Stale(f"Purchase order {order_id} is being changed in QuickBooks.", code="RECORD_CHANGED")
        return records_of(answer.responses, ("ItemReceiptRet", "BillRet"))

    def filling(self, lines: list[Line], room: Room) -> list[Line]:
        """Return the lines with the quantities that are sent.

        Raises:
            Rejected: ORDER_LINE_GONE.
        """
        on_receipts = replacing.quantities_on(room.receipts, room.orders)
        return filling_orders(lines, room.orders, bills=room.bills, on_receipts=on_receipts)

    def receipts_to_replace(self, bill: BillToPush, lines: Sequence[Line], room: Room) -> Plan | None:
        """Check that the bill can be linked and is for nothing that was booked already, and return the item receipts
        that it takes the place of; None: none.

        Raises:
            Rejected: the bill cannot be linked, or item receipts hold what it bills.
        """
        must_be_linkable(bill, lines, room.orders)
        # Whatever may be replaced: these stay, beside the bill.
        must_not_be_received_without_an_order(lines, room.orders, room.without_an_order)
        try:
            if room.receipts_linked:
                must_not_be_received(bill, lines, room.orders, room.receipts)
        except Rejected:
            if not self._replaces_receipts or len(room.receipts) < room.receipts_linked:
                raise
            planned = replacing.plan_of(
                bill.external_key,
                room.number_of_plan,
                bill,
                lines,
                room.orders,
                room.receipts,
                preflight.closed_through(room.seen),
            )
            if planned is None:
                raise
            plan, released = planned
            must_have_room(lines, room.orders, bills=room.bills, released=released)
            return plan
        must_have_room(lines, room.orders, bills=room.bills)
        return None
