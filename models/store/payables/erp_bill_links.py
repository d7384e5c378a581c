"""Find the order that a bill made in the ERP belongs to (S1-20, S4-64, ruling G8)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain.bills import ErpBill
from models.domain.connections import MatchMode
from models.tables import ConnectionRow


class BillLink(NamedTuple):
    """The order that a bill belongs to; `by_erp` when the ERP itself links it, not only the reference number."""

    purchase_order_id: str | None = None
    by_erp: bool = False
    disagreement: tuple[str, str] | None = None
    """The order's number by the ERP's link, and the number of the other order that its reference names."""


class _Order(NamedTuple):
    id: str
    number: str
    vendor_id: str


async def links_of(connection: AsyncConnection, row: ConnectionRow, bills: Sequence[ErpBill]) -> Mapping[str, BillLink]:
    """Return the link of each bill by its ERP id. Nothing is linked while the purchase order feature is off.

    The ERP's own link wins; the reference number is the fall-back, and it must name an order of the same vendor. A bill
    made from a receipt has no link in 2-way mode (S1-20); in 3-way mode the receipt's order is its order.
    """
    if not row.purchase_orders_enabled:
        return {}
    documents = {bill.order_document for bill in bills} | {bill.reference for bill in bills}
    rows = await connection.execute(
        text(
            "select id, document_id, number, vendor_id from purchase_orders"
            " where connection_id = :c and deleted_at is null"
            "   and (document_id = any(cast(:names as text[])) or number = any(cast(:names as text[])))"
        ),
        {"c": row.id, "names": sorted(filter(None, documents))},
    )
    by_document: dict[str, _Order] = {}
    by_name: dict[str, dict[str, _Order]] = {}
    for result in rows:
        order = _Order(result.id, result.number, result.vendor_id)
        by_document[result.document_id] = order
        for name in {result.document_id, result.number}:
            by_name.setdefault(name, {})[order.id] = order
    receipts = await connection.execute(
        text(
            "select document_id, purchase_order_id from receipts where connection_id = :c"
            " and purchase_order_id is not null and document_id = any(cast(:documents as text[]))"
        ),
        {"c": row.id, "documents": sorted({bill.receipt_document for bill in bills if bill.receipt_document})},
    )
    by_receipt: dict[str, str] = {receipt.document_id: receipt.purchase_order_id for receipt in receipts}
    return {bill.erp_id: _link(row, bill, by_document, by_name, by_receipt) for bill in bills}


def _link(
    row: ConnectionRow,
    bill: ErpBill,
    by_document: Mapping[str, _Order],
    by_name: Mapping[str, Mapping[str, _Order]],
    by_receipt: Mapping[str, str],
) -> BillLink:
    if bill.receipt_document is not None:
        if row.match_mode == MatchMode.TWO_WAY.value:
            return BillLink()
        return BillLink(by_receipt.get(bill.receipt_document), by_erp=True)
    named = by_name.get(bill.reference or "", {})
    order = by_document.get(bill.order_document or "")
    if order is not None:
        other = next((named[order_id] for order_id in sorted(named)), None)
        disagrees = other is not None and order.id not in named
        return BillLink(order.id, True, (order.number, other.number) if other is not None and disagrees else None)
    if bill.order_document is not None:
        return BillLink()  # the ERP names an order that is not mirrored: the reference must not win
    same_vendor = [candidate for candidate in named.values() if candidate.vendor_id == bill.vendor_id]
    return BillLink(same_vendor[0].id) if len(same_vendor) == 1 else BillLink()
