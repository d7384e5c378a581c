"""Decide which streams a connection's syncs read: what its ERP has, and what its settings allow."""

from models.domain.sync import Stream
from models.tables import ConnectionRow
from services.capabilities import has_purchase_orders, has_receipts


def allowed_streams(row: ConnectionRow) -> tuple[list[Stream], str]:
    """Return the streams to read, in reading order, and a text that says why others are left out."""
    if not row.preferences_complete:
        return [Stream.LISTS], "lists only: the sync preferences are not complete"
    allowed = [Stream.LISTS]
    reasons: list[str] = []
    if not has_purchase_orders(row):
        reasons.append("this connection has no purchase orders")
    elif not row.purchase_orders_enabled:
        reasons.append("purchase orders are switched off")
    else:
        allowed.append(Stream.PURCHASE_ORDERS)
        if has_receipts(row):
            allowed.append(Stream.RECEIPTS)
        else:
            reasons.append("this connection has no receipts")
    if row.one_way:
        reasons.append("bills and payments only go out")
    else:
        allowed += [Stream.BILLS, Stream.PAYMENTS]
    return [*allowed, Stream.DELETIONS], "; ".join(reasons)
