"""Read what a connection's ERP has, by its capabilities when it was last checked."""

from models.tables import ConnectionRow


def has_purchase_orders(row: ConnectionRow) -> bool:
    """Return whether the connection's ERP has purchase orders, by its capabilities when it was last checked."""
    return bool(row.capabilities.get("po_in", True))


def has_receipts(row: ConnectionRow) -> bool:
    """Return whether the connection's ERP shows what was received: 3-way matching needs it."""
    return has_purchase_orders(row) and bool(row.capabilities.get("receipt_in", True))
