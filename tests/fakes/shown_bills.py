"""How the fake ERP shows a bill that we made, with what people changed on it there."""

from decimal import Decimal
from typing import Any

from models.domain.bills import ErpBill, ErpBillLine
from models.domain.ids import ErpId


def as_shown(invoice: Any, paid: Decimal) -> ErpBill:
    """Return the invoice as a page of bills has it; `paid` is what was paid from here."""
    bill = invoice.bill
    lines = tuple(
        ErpBillLine(
            line_no=line.line_no,
            item_id=line.item_id,
            description=line.description,
            quantity=line.quantity,
            amount=line.amount,
            order_line=line.order_line,
            source_line=line.source.line,
        )
        for line in bill.lines
    )
    fields = {
        "erp_id": ErpId(f"7{invoice.erp_id}{'e' * len(invoice.editions)}"),
        "number": bill.number,
        "vendor_id": bill.vendor_id,
        "order_document": bill.order_document,
        "source_document": invoice.document_id,
        "external_key": bill.external_key,
        "bill_date": bill.bill_date,
        "due_date": bill.due_date,
        "currency": bill.currency,
        "total": bill.total,
        "paid": paid,
        "state": "Posted",
        "revision": invoice.revision,
        "lines": lines,
        **invoice.changes,
    }
    return ErpBill(**fields, due=fields["total"] - fields["paid"])
