"""Everything that people change in the ERP, by the name that the table of what follows shows it under
(`docs/reference/changes-in-the-erp.md`)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from models.domain.ids import DocumentId
from tests.fakes.erp_people import ErpPeople

NEXT_DAY = date(2026, 3, 5)


def _line(**changes: Any) -> Callable[[ErpPeople], None]:
    return lambda people: people.change_line(**changes)


def _order(**changes: Any) -> Callable[[ErpPeople], None]:
    return lambda people: people.change_order(**changes)


def _receipt(**changes: Any) -> Callable[[ErpPeople], None]:
    return lambda people: people.change_receipt(**changes)


def _receipt_line(**changes: Any) -> Callable[[ErpPeople], None]:
    return lambda people: people.change_receipt_line(**changes)


def _bill(**changes: Any) -> Callable[[ErpPeople], None]:
    return lambda people: people.change_bill(**changes)


def _bill_line(**changes: Any) -> Callable[[ErpPeople], None]:
    return lambda people: people.change_bill_line(**changes)


def _payment(amount: str = "40.00", **changes: Any) -> Callable[[ErpPeople], None]:
    return lambda people: people.change_payment(amount, **changes)


ACTIONS: dict[str, Callable[[ErpPeople], None]] = {
    "order: price raised to 12": _line(price=Decimal(12)),
    "order: price lowered to 8": _line(price=Decimal(8)),
    "order: quantity lowered to 3": _line(quantity=Decimal(3)),
    "order: quantity raised to 12": _line(quantity=Decimal(12)),
    "order: item replaced": _line(item_id="ITEM-9"),
    "order: unit changed": _line(unit="Case"),
    "order: text and dimensions of a line changed": _line(
        description="as agreed", department="D9", location="L9", class_id="C9", project="P9", warehouse="W9"
    ),
    "order: line closed": _line(closed=True),
    "order: line deleted": ErpPeople.delete_line,
    "order: line inserted before it": ErpPeople.insert_line,
    "order: lines reordered": ErpPeople.reorder_lines,
    "order: number changed": _order(number="PO-NEW"),
    "order: dates, memo, reference and term changed": _order(
        ordered_on=date(2026, 2, 5), due_on=date(2026, 4, 5), memo="as agreed", reference="R-9", term="Net 60"
    ),
    "order: vendor changed": _order(vendor_id="V-OTHER", vendor_name="Other Supplies"),
    "order: currency changed": _order(currency="EUR"),
    "order: entity changed": _order(entity="200", owner_entity="200"),
    "order: back in draft": _order(erp_status="Draft"),
    "order: in a status nobody knows": _order(erp_status="Frozen"),
    "order: closed": ErpPeople.close_order,
    "order: closed and reopened": ErpPeople.reopen_order,
    "order: closed, the rest a back order": ErpPeople.close_with_back_order,
    "order: deleted": ErpPeople.delete_order,
    "receipt: more received": ErpPeople.receive_more,
    "receipt: lowered to 2": _receipt_line(quantity=Decimal(2)),
    "receipt: booked on another line": lambda people: people.change_receipt_line(
        order_line=people.order.lines[1].erp_id
    ),
    "receipt: moved to another order": _receipt(order_document=DocumentId("Purchase Order-PO-2000")),
    "receipt: number, date and texts changed": _receipt(
        number="R-NEW", received_on=date(2026, 2, 11), memo="as agreed", vendor_id="V2"
    ),
    "receipt: back in draft": _receipt(erp_status="Draft"),
    "receipt: closed": _receipt(erp_status="Closed"),
    "receipt: deleted": ErpPeople.delete_receipt,
    "bills: the same invoice entered": ErpPeople.enter_same_invoice,
    "bills: the same invoice entered and deleted": ErpPeople.enter_and_delete_same_invoice,
    "bills: the same invoice entered and rejected": lambda people: people.enter_same_invoice(
        rejected=True, state="Rejected"
    ),
    "bills: the rest billed by another": ErpPeople.bill_the_rest,
    "bill: number changed": _bill(number="FIXED-1"),
    "bill: vendor changed": _bill(vendor_id="V-OTHER"),
    "bill: dates changed": _bill(bill_date=NEXT_DAY, due_date=date(2026, 4, 15)),
    "bill: memo changed": _bill(memo="as agreed"),
    "bill: line changed to 3 at 11": _bill_line(quantity=Decimal(3), amount=Decimal(33)),
    "bill: line booked on another line": lambda people: people.change_bill_line(
        order_line=people.order.lines[1].erp_id, source_line=people.order.lines[1].erp_id, item_id="ITEM-2"
    ),
    "bill: line of the order added": lambda people: people.add_bill_line(
        order_line=people.order.lines[1].erp_id, item_id="ITEM-2", quantity=Decimal(1), amount=Decimal(10)
    ),
    "bill: freight of 5 added": lambda people: people.add_bill_line(account="6000", amount=Decimal(5)),
    "bill: line typed in by hand": ErpPeople.retype_bill_line,
    "bill: saved anew": ErpPeople.save_bill_anew,
    "bill: rejected": _bill(rejected=True, state="Rejected"),
    "bill: rejected and approved": ErpPeople.reject_and_approve,
    "bill: deleted": ErpPeople.delete_bill,
    "bill: deleted and entered by hand": ErpPeople.replace_bill,
    "credit: 2 credited": ErpPeople.credit,
    "credit: 2 sent back and credited": lambda people: people.credit(returned="2"),
    "credit: changed from 2 to 1": ErpPeople.change_credit,
    "credit: made and deleted": ErpPeople.delete_credit,
    "credit: applied to it": ErpPeople.apply_credit,
    "credit: applied and taken off": ErpPeople.take_credit_off,
    "payment: paid there": ErpPeople.pay_bill,
    "payment: paid there in part": lambda people: people.pay_bill("15.00"),
    "payment: paid there and voided": ErpPeople.pay_and_void,
    "payment: paid there and deleted": ErpPeople.pay_and_delete,
    "payment: ours changed to 30": _payment("30.00"),
    "payment: ours dated another day": _payment(paid_on=NEXT_DAY),
    "payment: ours voided": _payment(voided=True),
    "payment: ours deleted": ErpPeople.delete_payment,
}
"""What a person changes, by the name that the table shows."""
