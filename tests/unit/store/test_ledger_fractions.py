"""E as the ERP rounds it, and what our own bills know better (U04, matching rules 3.1)."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from models.domain.orders import PurchaseOrder
from models.store.orders import ledger
from tests.builders.records import (
    an_order,
)
from tests.harness.tenant import (
    Tenant,
)


async def of_ten(tenant: Tenant, billed: str, *fractions: str) -> tuple[PurchaseOrder, list[Any]]:
    """An order of ten of which the ERP billed so much, by bills of ours in fractions that it rounded."""
    order = an_order(lines={1: 10})
    await tenant.page(order)
    bills = [await tenant.bill(order, {1: 1}) for _ in fractions]
    for bill_id, fraction in zip(bills, fractions, strict=True):
        await tenant.execute(
            "update bill_lines set exact_quantity = :fraction, reserves = false where bill_id = :id",
            fraction=fraction,
            id=bill_id,
        )
    await tenant.execute(
        "update purchase_order_lines set billed = :billed where purchase_order_id = :id",
        billed=Decimal(billed),
        id=tenant.id_of(order),
    )
    return order, bills


async def line(tenant: Tenant, order: PurchaseOrder) -> ledger.LedgerLine:
    async with tenant.database.transaction() as s:
        (found,) = await ledger.lines(s, tenant.id_of(order))
    return found


@pytest.mark.parametrize(
    ("billed", "fractions", "exact"),
    [
        ("9.4166666667", ["113/12"], Fraction(113, 12)),
        ("9.41667", ["113/12"], Decimal("9.41667")),
        ("10.0000000000", ["7/12", "113/12"], Decimal(10)),
        ("0.9999999999", ["1/3", "1/3", "1/3"], Decimal(1)),
        ("2.0833333333", ["7/12"], Fraction(25, 12)),
        ("3.25", ["7/12"], Decimal("3.25")),
        ("4", [], Decimal(4)),
    ],
)
async def test_our_bills_say_how_it_was_rounded(
    tenant: Tenant, billed: str, fractions: list[str], exact: Decimal | Fraction
) -> None:
    """Ours, and 1.5 that somebody billed in the ERP; what our bills do not explain stays as the ERP says."""
    order, _ = await of_ten(tenant, billed, *fractions)
    found = await line(tenant, order)
    assert (found.billed, found.pending) == (exact, 0)


async def test_a_bill_that_is_gone_explains_nothing(tenant: Tenant) -> None:
    """It is not inside E any more."""
    order, (bill_id,) = await of_ten(tenant, "0.5833333333", "7/12")
    await tenant.execute("update bills set status = 'deleted' where id = :id", id=bill_id)
    assert (await line(tenant, order)).billed == Decimal("0.5833333333")


async def test_what_still_reserves_is_pending_only(tenant: Tenant) -> None:
    order, (bill_id, _) = await of_ten(tenant, "0.5833333333", "5/12", "7/12")
    await tenant.execute("update bill_lines set reserves = true where bill_id = :id", id=bill_id)
    found = await line(tenant, order)
    assert (found.billed, found.pending) == (Fraction(7, 12), Fraction(5, 12))
