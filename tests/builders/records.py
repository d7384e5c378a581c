"""Records as a connector would give them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from models.domain.bills import BillKind, ErpBill, ErpBillLine
from models.domain.ids import DocumentId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import OrderBilling, OrderCredit, PurchaseOrder, PurchaseOrderLine
from models.domain.payments import ErpPayment, ErpPaymentShare
from models.domain.receipts import Receipt, ReceiptLine
from models.domain.sync import DeletedKind, Deletion
from models.store.payables import bills

R1, R2, R3 = "2026-03-01 10:00:01", "2026-03-01 10:00:02", "2026-03-01 10:00:03"
"""Revisions in the order of change."""


def an_order(
    number: int = 1007,
    *,
    revision: str = R1,
    lines: Mapping[int, int] | None = None,
    billed: Mapping[int, int] | None = None,
    line_ids: Mapping[int, str] | None = None,
    sources: Mapping[int, str] | None = None,
    price: str = "12.50",
    **values: Any,
) -> PurchaseOrder:
    """An order with lines {number: quantity}; `billed` is what the ERP counts as converted."""
    wanted = lines or {1: 10}
    billed = billed or {}
    sources = sources or {}
    line_ids = line_ids or {no: f"{number}{no}" for no in wanted}
    fields: dict[str, Any] = {
        "erp_id": ErpId(str(number)),
        "document_id": DocumentId(f"Purchase Order-PO-{number}"),
        "number": f"PO-{number}",
        "erp_status": "Pending",
        "vendor_id": "V1",
        "vendor_name": "Acme Supplies",
        "ordered_on": date(2026, 2, 1),
        "currency": "USD",
        "revision": revision,
        "lines": tuple(
            PurchaseOrderLine(
                erp_id=ErpId(line_ids[no]),
                line_no=no,
                item_id=f"ITEM-{no}",
                unit="Each",
                quantity=Decimal(quantity),
                price=Decimal(price),
                amount=Decimal(price) * quantity,
                billed=Decimal(billed.get(no, 0)),
                billed_amount=Decimal(price) * billed.get(no, 0),
                source_line=ErpId(sources[no]) if no in sources else None,
            )
            for no, quantity in wanted.items()
        ),
    }
    return PurchaseOrder(**{**fields, **values})


def a_receipt(
    order: PurchaseOrder,
    quantities: Mapping[int, int],
    *,
    number: int = 501,
    revision: str = R1,
    billed: Mapping[int, int] | None = None,
    **values: Any,
) -> Receipt:
    """A receipt of the order's lines {number: quantity}."""
    by_number = {line.line_no: line for line in order.lines}
    fields: dict[str, Any] = {
        "erp_id": ErpId(str(number)),
        "document_id": DocumentId(f"PO Receiver-R-{number}"),
        "number": f"R-{number}",
        "erp_status": "Pending",
        "order_document": order.document_id,
        "vendor_id": order.vendor_id,
        "received_on": date(2026, 2, 10),
        "revision": revision,
        "lines": tuple(
            ReceiptLine(
                erp_id=ErpId(f"{number}{no}"),
                line_no=no,
                item_id=by_number[no].item_id,
                unit="Each",
                quantity=Decimal(quantity),
                billed=Decimal((billed or {}).get(no, 0)),
                order_line=by_number[no].erp_id,
            )
            for no, quantity in quantities.items()
        ),
    }
    return Receipt(**{**fields, **values})


def billing(order: PurchaseOrder, bill_id: str, line_no: int = 1, quantity: int = 4) -> OrderBilling:
    """The ERP's evidence that our bill bills this line."""
    number = bills.external_key_for(bill_id)
    return OrderBilling(
        order_line=next(line.erp_id for line in order.lines if line.line_no == line_no),
        document_id=DocumentId(f"Vendor Invoice-{number}"),
        document_number=number,
        quantity=Decimal(quantity),
    )


def an_erp_bill(record: int = 900, *, total: str = "50", paid: str = "0", revision: str = R1, **values: Any) -> ErpBill:
    """A bill as the ERP holds it."""
    fields: dict[str, Any] = {
        "erp_id": ErpId(str(record)),
        "number": f"S-{record}",
        "vendor_id": "V1",
        "bill_date": date(2026, 3, 2),
        "currency": "USD",
        "total": Decimal(total),
        "paid": Decimal(paid),
        "due": Decimal(total) - Decimal(paid),
        "state": "Posted",
        "revision": revision,
        "lines": (ErpBillLine(line_no=1, account="6000", quantity=Decimal(4), amount=Decimal(total)),),
    }
    return ErpBill(**{**fields, **values})


def an_erp_payment(
    number: int = 700, *, shares: Mapping[str, str], revision: str = R1, voided: bool = False, **values: Any
) -> ErpPayment:
    """A payment as the ERP holds it; shares are {payable: amount}."""
    fields: dict[str, Any] = {
        "erp_id": ErpId(str(number)),
        "vendor_id": "V1",
        "paid_on": date(2026, 3, 20),
        "amount": sum((Decimal(amount) for amount in shares.values()), Decimal(0)),
        "currency": "USD",
        "state": "Voided" if voided else "Complete",
        "voided": voided,
        "revision": revision,
        "shares": tuple(
            ErpPaymentShare(bill_erp_id=ErpId(payable), amount=Decimal(amount)) for payable, amount in shares.items()
        ),
    }
    return ErpPayment(**{**fields, **values})


def gone(kind: DeletedKind, erp_id: str, list_kind: ListKind | None = None) -> Deletion:
    return Deletion(kind=kind, list_kind=list_kind, erp_id=ErpId(erp_id), deleted_at=R3)


def an_order_credit(order: PurchaseOrder, quantity: str, line_no: int = 1) -> OrderCredit:
    """Return what credits take back of one line of an order."""
    line = order.lines[line_no - 1]
    return OrderCredit(order_line=line.erp_id, quantity=Decimal(quantity), amount=Decimal(quantity) * line.price)


def a_credit(record: int, *orders: PurchaseOrder, revision: str = R1, quantity: str = "4") -> ErpBill:
    """Return a credit of the first line of each of these orders."""
    lines = [
        ErpBillLine(
            line_no=no,
            item_id="ITEM-1",
            quantity=-Decimal(quantity),
            amount=-Decimal(quantity) * Decimal("12.50"),
            order_line=order.lines[0].erp_id,
            source_line=order.lines[0].erp_id,
            order_document=order.document_id,
        )
        for no, order in enumerate(orders, 1)
    ]
    total = sum((line.amount for line in lines), Decimal(0)) or Decimal(-50)
    credit = an_erp_bill(
        record,
        total=str(total),
        revision=revision,
        order_document=orders[0].document_id if orders else None,
        lines=tuple(lines) or (ErpBillLine(line_no=1, account="6000", amount=total),),
    )
    return credit.model_copy(update={"kind": BillKind.CREDIT})


def a_list_entry(number: int = 1, *, revision: str | None = R1, **values: Any) -> ListEntry:
    """Return an entry of the ERP's list of vendors."""
    fields: dict[str, Any] = {
        "kind": ListKind.VENDOR,
        "erp_id": ErpId(str(number)),
        "key": f"V{number}",
        "name": f"Vendor {number}",
        "revision": revision,
        "attributes": {"term": "Net 30"},
    }
    return ListEntry(**{**fields, **values})
