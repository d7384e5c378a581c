"""Read records that name no currency: an ERP that knows only one shows it nowhere."""

from collections.abc import Iterable
from typing import TypeVar

from models.domain.bills import ErpBill
from models.domain.payments import ErpPayment
from models.tables import ConnectionRow

R = TypeVar("R", ErpBill, ErpPayment)


def in_base_currency(records: Iterable[R], row: ConnectionRow) -> list[R]:
    """Return the records, those without a currency in the connection's own."""
    return [one if one.currency else one.model_copy(update={"currency": row.base_currency}) for one in records]
