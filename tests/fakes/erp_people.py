"""What people do in the fake ERP behind our back: to an order, a receipt, a bill, a credit, a payment."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from models.domain.bills import ErpBill, ErpBillLine
from models.domain.ids import DocumentId, ErpId
from models.domain.orders import OrderCredit, PurchaseOrder, PurchaseOrderLine
from models.domain.payments import ErpPayment, ErpPaymentShare
from models.domain.receipts import Receipt
from models.domain.sync import DeletedKind, Deletion
from tests.builders.records import a_credit, a_receipt, an_erp_bill
from tests.fakes.fake_erp import FakeErp, Invoice, Payment
from tests.fakes.shown_bills import as_shown


class ErpPeople:
    """Acts on one order of the fake ERP and what belongs to it, and can take back what it did."""

    def __init__(self, erp: FakeErp, order: PurchaseOrder) -> None:
        self.erp = erp
        self.order = order
        self._stored_order = erp.orders[order.erp_id]
        self._stored_receipt = self.receipt
        self._created: list[tuple[DeletedKind, ErpId]] = []
        self._next = int(order.erp_id) * 100

    def _new_id(self) -> ErpId:
        self._next += 1
        return ErpId(str(self._next))

    @property
    def number(self) -> str:
        """The number of the supplier's invoice that our bill is."""
        return f"INV-{self.order.erp_id}"

    @property
    def invoice(self) -> Invoice:
        """Our bill there."""
        return self.erp.invoice_of(self.order)

    @property
    def receipt(self) -> Receipt:
        """The one receipt of the order."""
        (receipt,) = (one for one in self.erp.receipts_held.values() if one.order_document == self.order.document_id)
        return receipt

    # --- the order -------------------------------------------------------------------------------------------

    def change_order(self, **changes: Any) -> None:
        order = self.erp.orders[self.order.erp_id]
        self.erp.orders[order.erp_id] = order.model_copy(update={**changes, "revision": self.erp.tick()})

    def change_line(self, **changes: Any) -> None:
        """The first line."""
        first, *others = self.erp.orders[self.order.erp_id].lines
        values = {"amount": changes.get("quantity", first.quantity) * changes.get("price", first.price), **changes}
        self.renumber([first.model_copy(update=values), *others])

    def renumber(self, lines: Sequence[PurchaseOrderLine]) -> None:
        self.change_order(
            lines=tuple(line.model_copy(update={"line_no": number}) for number, line in enumerate(lines, start=1))
        )

    def insert_line(self) -> None:
        lines = self.erp.orders[self.order.erp_id].lines
        new = lines[0].model_copy(update={"erp_id": self._new_id(), "item_id": "ITEM-NEW", "billed": Decimal(0)})
        self.renumber([new, *lines])

    def delete_line(self) -> None:
        """The first line, and what was received of it."""
        self.renumber(self.erp.orders[self.order.erp_id].lines[1:])
        self.change_receipt(lines=self.receipt.lines[1:])

    def reorder_lines(self) -> None:
        self.renumber(self.erp.orders[self.order.erp_id].lines[::-1])

    def close_order(self) -> None:
        self.change_order(erp_status="Closed")

    def reopen_order(self) -> None:
        self.close_order()
        self.change_order(erp_status="Pending")

    def close_with_back_order(self) -> None:
        """Somebody bills six there with "Close Original and Create Back Order": the rest goes on in a new order."""
        first, *others = self.erp.orders[self.order.erp_id].lines
        self.renumber([first.model_copy(update={"billed": Decimal(6), "billed_amount": Decimal(60)}), *others])
        self.close_order()
        rest = first.model_copy(
            update={
                "erp_id": self._new_id(),
                "quantity": Decimal(4),
                "amount": Decimal(40),
                "billed": Decimal(0),
                "billed_amount": Decimal(0),
                "source_line": first.erp_id,
            }
        )
        order, new = self.erp.orders[self.order.erp_id], self._new_id()
        self.erp.orders[new] = order.model_copy(
            update={
                "erp_id": new,
                "document_id": DocumentId(f"{order.document_id}-1"),
                "number": f"{order.number}-1",
                "erp_status": "Pending",
                "created_from": order.document_id,
                "lines": (rest,),
                "revision": self.erp.tick(),
            }
        )
        self._created.append((DeletedKind.PURCHASE_ORDER_DOCUMENT, new))

    def delete_order(self) -> None:
        """With its receipt: an ERP keeps an order of which goods came."""
        self.delete_receipt()
        del self.erp.orders[self.order.erp_id]
        self._gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, self.order.erp_id)

    # --- receipts --------------------------------------------------------------------------------------------

    def change_receipt(self, **changes: Any) -> None:
        receipt = self.receipt
        self.erp.receipts_held[receipt.erp_id] = receipt.model_copy(update={**changes, "revision": self.erp.tick()})

    def change_receipt_line(self, **changes: Any) -> None:
        """The first line."""
        first, *others = self.receipt.lines
        self.change_receipt(lines=(first.model_copy(update=changes), *others))

    def receive_more(self) -> None:
        self._receive({1: 2})

    def delete_receipt(self) -> None:
        receipt = self.receipt
        del self.erp.receipts_held[receipt.erp_id]
        self._gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, receipt.erp_id)

    def _receive(self, quantities: dict[int, int]) -> None:
        receipt = a_receipt(self.order, quantities, number=int(self._new_id()), revision=self.erp.tick())
        self.erp.receipts_held[receipt.erp_id] = receipt
        self._created.append((DeletedKind.PURCHASE_ORDER_DOCUMENT, receipt.erp_id))

    # --- bills that people enter there -----------------------------------------------------------------------

    def enter_same_invoice(self, **changes: Any) -> ErpId:
        """Somebody types the supplier's invoice in by hand; return its record."""
        bill = an_erp_bill(
            int(self._new_id()),
            total="77",
            number=self.number,
            vendor_id=self.order.vendor_id,
            revision=self.erp.tick(),
            bill_date=date(2026, 3, 2),
        )
        self._hold(bill.model_copy(update=changes))
        return bill.erp_id

    def enter_and_delete_same_invoice(self) -> None:
        self._delete_held(self.enter_same_invoice())

    def _hold(self, bill: ErpBill) -> None:
        self._drop(bill.erp_id)
        self.erp.bills_held.append(bill)
        self._created.append((DeletedKind.BILL, bill.erp_id))

    def _drop(self, erp_id: ErpId) -> None:
        self.erp.bills_held[:] = [bill for bill in self.erp.bills_held if bill.erp_id != erp_id]

    def _delete_held(self, erp_id: ErpId) -> None:
        self._drop(erp_id)
        self._gone(DeletedKind.BILL, erp_id)

    def bill_the_rest(self) -> None:
        """Another bill there takes what ours leaves of the line, or all but two of its ten."""
        rest = Decimal(6 if self.erp.invoices_of(self.order) else 8)
        first, *others = self.erp.orders[self.order.erp_id].lines
        self.renumber([first.model_copy(update={"billed": rest, "billed_amount": rest * 10}), *others])

    # --- our bill there --------------------------------------------------------------------------------------

    def change_bill(self, **changes: Any) -> None:
        self.invoice.changes |= changes
        self.invoice.revision = self.erp.tick()
        self.erp.touch_order(self.order.document_id)

    def change_bill_line(self, **changes: Any) -> None:
        (line,) = as_shown(self.invoice, Decimal(0)).lines
        changed = line.model_copy(update=changes)
        self.change_bill(lines=(changed,), total=changed.amount)

    def add_bill_line(self, **values: Any) -> None:
        lines = as_shown(self.invoice, Decimal(0)).lines
        added = ErpBillLine(line_no=2, **values)
        self.change_bill(lines=(*lines, added), total=Decimal(40) + added.amount)

    def retype_bill_line(self) -> None:
        """The line is deleted and typed in again by hand: the order is not named any more."""
        self.change_bill_line(order_line=None, source_line=None)
        self.change_bill(order_document=None)

    def reject_and_approve(self) -> None:
        self.change_bill(rejected=True, state="Rejected")
        self.change_bill(rejected=False, state="Posted")

    def save_bill_anew(self) -> None:
        """Editing a vendor invoice there makes a new payable and deletes the old one (field note U-8)."""
        old = as_shown(self.invoice, Decimal(0)).erp_id
        self.change_bill(erp_id=self._new_id())
        self._gone(DeletedKind.BILL, old)

    def delete_bill(self) -> None:
        invoice = self.invoice
        del self.erp.invoices[invoice.bill.external_key]
        self._gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, invoice.erp_id)
        self.erp.touch_order(self.order.document_id)

    def replace_bill(self) -> None:
        self.delete_bill()
        self.enter_same_invoice()

    # --- credits ---------------------------------------------------------------------------------------------

    def credit(self, quantity: str = "2", returned: str = "0", erp_id: ErpId | None = None) -> ErpId:
        """So much of what was billed is credited, and the ERP still counts it as billed; return the credit's record."""
        record = erp_id or self._new_id()
        self._hold(a_credit(int(record), self.order, revision=self.erp.tick(), quantity=quantity))
        self.erp.credited[self.order.erp_id] = (
            OrderCredit(
                order_line=self.order.lines[0].erp_id,
                quantity=Decimal(quantity),
                amount=Decimal(quantity) * 10,
                returned=Decimal(returned),
                returned_on=date(2026, 3, 4) if Decimal(returned) else None,
            ),
        )
        return record

    def change_credit(self) -> None:
        self.credit("1", erp_id=self.credit("2"))

    def delete_credit(self) -> None:
        credit = self.credit()
        del self.erp.credited[self.order.erp_id]
        self._delete_held(credit)

    def apply_credit(self, amount: str = "20", erp_id: ErpId | None = None) -> ErpId:
        """A credit that is on no order pays so much of our bill; return its record."""
        record = erp_id or self._new_id()
        share = ErpPaymentShare(bill_erp_id=as_shown(self.invoice, Decimal(0)).erp_id, amount=Decimal(amount))
        credit = a_credit(int(record), revision=self.erp.tick())
        self._hold(credit.model_copy(update={"applied": (share,) if share.amount else ()}))
        self.change_bill(paid=share.amount)
        return record

    def take_credit_off(self) -> None:
        self.apply_credit("0", self.apply_credit("20"))

    # --- payments --------------------------------------------------------------------------------------------

    def pay_bill(self, amount: str = "40.00") -> ErpId:
        """Somebody pays our bill there; return the payment's record."""
        record = self._new_id()
        self._pay(Decimal(amount), erp_id=record)
        self._created.append((DeletedKind.PAYMENT, record))
        return record

    def pay_and_void(self) -> None:
        self._pay(Decimal(40), erp_id=self.pay_bill(), voided=True)

    def pay_and_delete(self) -> None:
        record = self.pay_bill()
        self.erp.payments_held[:] = [one for one in self.erp.payments_held if one.erp_id != record]
        self._gone(DeletedKind.PAYMENT, record)
        self.change_bill(paid=Decimal(0))

    def change_payment(self, amount: str = "40.00", **changes: Any) -> None:
        """The payment that we sent."""
        ours = self._our_payment
        self._pay(Decimal(amount), erp_id=ours.erp_id, document_number=ours.payment.external_key, **changes)

    def delete_payment(self) -> None:
        """The payment that we sent."""
        self._gone(DeletedKind.PAYMENT, self._our_payment.erp_id)
        self.change_bill(paid=Decimal(0))

    @property
    def _our_payment(self) -> Payment:
        created = self.erp.created_payments.values()
        (ours,) = (one for one in created if one.payment.bill_document == self.invoice.document_id)
        return ours

    def _pay(self, amount: Decimal, *, erp_id: ErpId, voided: bool = False, **values: Any) -> None:
        """Hold this payment of our bill, in the place of what it was before."""
        share = ErpPaymentShare(bill_erp_id=as_shown(self.invoice, Decimal(0)).erp_id, amount=amount)
        fields = {
            "erp_id": erp_id,
            "vendor_id": self.order.vendor_id,
            "paid_on": date(2026, 3, 3),
            "amount": amount,
            "currency": "USD",
            "state": "Voided" if voided else "Complete",
            "voided": voided,
            "revision": self.erp.tick(),
            "shares": (share,),
            **values,
        }
        self.erp.payments_held[:] = [one for one in self.erp.payments_held if one.erp_id != erp_id]
        self.erp.payments_held.append(ErpPayment(**fields))
        self.change_bill(paid=Decimal(0) if voided else amount)

    # --- taking it back --------------------------------------------------------------------------------------

    def put_back(self) -> None:
        """Undo what was done. What was deleted is made again under another number, as an ERP does it."""
        self.erp.orders[self.order.erp_id] = self._stored_order.model_copy(update={"revision": self.erp.tick()})
        created, self._created = self._created, []
        for kind, erp_id in created:
            self.erp.orders.pop(erp_id, None)
            self.erp.receipts_held.pop(erp_id, None)
            self._drop(erp_id)
            self.erp.payments_held[:] = [one for one in self.erp.payments_held if one.erp_id != erp_id]
            self._gone(kind, erp_id)
        receipt = self._stored_receipt
        if receipt.erp_id in self.erp.receipts_held:
            self.erp.receipts_held[receipt.erp_id] = receipt.model_copy(update={"revision": self.erp.tick()})
        else:
            self._receive({1: 10, 2: 10})
        self.erp.credited.pop(self.order.erp_id, None)
        for invoice in self.erp.invoices_of(self.order):
            invoice.changes.clear()
            self.change_bill()

    def _gone(self, kind: DeletedKind, erp_id: ErpId) -> None:
        self.erp.gone.append(Deletion(kind=kind, erp_id=erp_id, deleted_at=f"2999-01-01 {self.erp.tick()[11:]}"))
