"""Name what can be exported, and what the columns of an export hold."""

from enum import StrEnum


class ExportKind(StrEnum):
    """What an export has a row for."""

    PURCHASE_ORDERS = "purchase-orders"
    """Every line of every purchase order."""
    BILLS = "bills"
    """Every line of every bill, ours and those made in the ERP."""
    CREDITS = "credits"
    """Every line of every vendor credit made in the ERP."""
    PAYMENTS = "payments"
    ISSUES = "issues"
    EVENTS = "events"
    """Every change of a bill, a payment, an order's link or a setting: who, when, why, before and after."""


class ColumnKind(StrEnum):
    """What a column of an export holds, and so how it is written."""

    TEXT = "text"
    MONEY = "money"
    """With the decimals of its currency."""
    NUMBER = "number"
    """An exact quantity or price."""
    DAY = "day"
    INSTANT = "instant"
    """ISO 8601 in UTC."""
    SWITCH = "switch"
    DETAILS = "details"
    """An object with names and values."""
