"""Find the order that a bill made in the ERP belongs to (S1-20, S4-64, ruling G8)."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain.bills import BillStatus, ErpBill
from models.domain.connections import MatchMode
from models.domain.invoice_numbers import number_key
from models.tables import ConnectionRow

REFERENCE_UNCLEAR = "REFERENCE_UNCLEAR"

_SEPARATORS = re.compile(r"[\s,;|&+/]+")
_COUNTS_FOR_NOTHING = [status.value for status in BillStatus if status.is_void]


class Unclear(NamedTuple):
    """Why a reference number links nothing, though it names orders."""

    why: str
    candidates: tuple[str, ...]
    """Numbers of the orders that it may mean."""


class BillLink(NamedTuple):
    """The order that a bill belongs to; `by_erp` when the ERP itself links it, not only the reference number."""

    purchase_order_id: str | None = None
    by_erp: bool = False
    disagreement: tuple[str, str] | None = None
    """The order's number by the ERP's link, and the number of the other order that its reference names."""
    unclear: Unclear | None = None


class Reference(NamedTuple):
    """What is compared of a bill that names its order only by reference."""

    text: str
    vendor_id: str
    currency: str
    entity: str | None
    """None: the ERP does not say."""
    total: Decimal


class _Order(NamedTuple):
    id: str
    document_id: str
    number: str
    number_key: str
    vendor_id: str
    currency: str
    entity: str | None
    left: Decimal
    """What the bills that it has leave of its total."""


class NamedOrders:
    """The orders that references may name. What one bill takes of an order is not left for the next."""

    def __init__(self, orders: Iterable[_Order]) -> None:
        self._left: dict[str, Decimal] = {}
        self._by_key: dict[str, list[_Order]] = {}
        self._by_document: dict[str, list[_Order]] = {}
        for order in orders:
            self._left[order.id] = order.left
            self._by_key.setdefault(order.number_key, []).append(order)
            self._by_document.setdefault(order.document_id, []).append(order)

    def of_document(self, document: str | None) -> _Order | None:
        return next(iter(self._by_document.get(document or "", ())), None)

    def named(self, name: str) -> list[_Order]:
        """Return the orders with this number, however it is written, or with this document's name."""
        matches = [*self._by_key.get(number_key(name), ()), *self._by_document.get(name, ())]
        return sorted(set(matches), key=lambda order: order.id)

    def take(self, order_id: str, total: Decimal) -> None:
        if order_id in self._left:
            self._left[order_id] -= total

    def resolve(self, reference: Reference) -> BillLink:
        """Return the order that a reference names: one of the same vendor, entity and currency, and only if what the
        bill bills is left of it."""
        named = self._fitting(self.named(reference.text), reference)
        if len(named) > 1:
            return BillLink(unclear=_unclear("several orders have the number in its reference", named))
        if not named:
            parts = parts_of(reference.text)
            named = [order for part in parts for order in self._fitting(self.named(part), reference)]
            if not named or len(parts) == 1:
                return BillLink()
            return BillLink(unclear=_unclear("its reference says more than one order's number", named))
        (order,) = named
        if reference.total > max(self._left[order.id], Decimal(0)):
            why = f"it bills {reference.total}, more than the {max(self._left[order.id], Decimal(0))} left of the order"
            return BillLink(unclear=_unclear(why, named))
        return BillLink(order.id)

    @staticmethod
    def _fitting(orders: Iterable[_Order], reference: Reference) -> list[_Order]:
        return [
            order
            for order in orders
            if (order.vendor_id, order.currency) == (reference.vendor_id, reference.currency)
            and reference.entity in (None, order.entity)
        ]


def _unclear(why: str, orders: Iterable[_Order]) -> Unclear:
    return Unclear(why, tuple(sorted({order.number for order in orders})))


def parts_of(reference: str) -> list[str]:
    """Return the words that a reference number is made of, where people wrote more than one number into it."""
    return [part for part in _SEPARATORS.split(reference) if part]


def keys_of(references: Iterable[str]) -> list[str]:
    """Return the keys of every order that these references may name."""
    return sorted({number_key(name) for text in references for name in (text, *parts_of(text))} - {""})


_NAMED = text(
    """
    select o.id, o.document_id, o.number, o.number_key, o.vendor_id, o.currency, o.owner_entity,
           o.total - coalesce((
               select sum(b.total) from bills b
                where b.purchase_order_id = o.id and b.status <> all(cast(:void as text[]))
                  and not coalesce(b.payable_id = any(cast(:but as text[])), false)), 0) as left
      from purchase_orders o
     where o.connection_id = :c and o.deleted_at is null
       and (o.number_key = any(cast(:keys as text[])) or o.document_id = any(cast(:documents as text[])))
     order by o.id
    """
)


async def named_orders(
    connection: AsyncConnection,
    connection_id: str,
    references: Collection[str],
    *,
    documents: Collection[str] = (),
    but_payables: Sequence[str] = (),
) -> NamedOrders:
    """Return the orders that these references and documents name. Of what is left of each, the bills behind
    `but_payables` take nothing yet."""
    rows = await connection.execute(
        _NAMED,
        {
            "c": connection_id,
            "keys": keys_of(references),
            "documents": sorted({*documents, *references}),
            "but": list(but_payables),
            "void": _COUNTS_FOR_NOTHING,
        },
    )
    return NamedOrders(
        _Order(
            row.id, row.document_id, row.number, row.number_key, row.vendor_id, row.currency, row.owner_entity, row.left
        )
        for row in rows
    )


async def links_of(connection: AsyncConnection, row: ConnectionRow, bills: Sequence[ErpBill]) -> Mapping[str, BillLink]:
    """Return the link of each bill by its ERP id. Nothing is linked while the purchase order feature is off.

    The ERP's own link wins; the reference number is the fall-back. A bill made from a receipt has no link in 2-way mode
    (S1-20); in 3-way mode the receipt's order is its order.
    """
    if not row.purchase_orders_enabled:
        return {}
    orders = await named_orders(
        connection,
        row.id,
        {bill.reference for bill in bills if bill.reference},
        documents={bill.order_document for bill in bills if bill.order_document},
        but_payables=[bill.erp_id for bill in bills],
    )
    receipts = await connection.execute(
        text(
            "select document_id, purchase_order_id from receipts where connection_id = :c"
            " and purchase_order_id is not null and document_id = any(cast(:documents as text[]))"
        ),
        {"c": row.id, "documents": sorted({bill.receipt_document for bill in bills if bill.receipt_document})},
    )
    by_receipt: dict[str, str] = {receipt.document_id: receipt.purchase_order_id for receipt in receipts}
    # The ERP's own links first: what they take of an order is not left for a reference.
    own = {bill.erp_id: _link(row, bill, orders, by_receipt) for bill in bills}
    for bill in bills:
        link = own[bill.erp_id]
        if link is not None and link.purchase_order_id is not None:
            orders.take(link.purchase_order_id, bill.total)
    return {bill.erp_id: own[bill.erp_id] or _by_reference(bill, orders) for bill in bills}


def _link(row: ConnectionRow, bill: ErpBill, orders: NamedOrders, by_receipt: Mapping[str, str]) -> BillLink | None:
    """Return what the ERP says itself; None: nothing, so that the reference counts."""
    if bill.receipt_document is not None:
        if row.match_mode == MatchMode.TWO_WAY.value:
            return BillLink()
        return BillLink(by_receipt.get(bill.receipt_document), by_erp=True)
    if bill.order_document is None:
        return None
    order = orders.of_document(bill.order_document)
    if order is None:
        return BillLink()  # the ERP names an order that is not mirrored: the reference must not win
    named = orders.named(bill.reference) if bill.reference else []
    disagrees = bool(named) and order not in named
    return BillLink(order.id, True, (order.number, named[0].number) if disagrees else None)


def _by_reference(bill: ErpBill, orders: NamedOrders) -> BillLink:
    if not bill.reference:
        return BillLink()
    link = orders.resolve(Reference(bill.reference, bill.vendor_id, bill.currency, bill.entity, bill.total))
    if link.purchase_order_id is not None:
        orders.take(link.purchase_order_id, bill.total)
    return link
