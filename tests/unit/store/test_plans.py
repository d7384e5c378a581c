"""How PostgreSQL finds rows of a connection its statistics have never seen: by what tells them apart."""

import pytest
from sqlalchemy import text

from tests.builders.records import (
    a_receipt,
    an_erp_bill,
    an_erp_payment,
    an_order,
)
from tests.harness.tenant import (
    Tenant,
)

MANY = 800
"""Fewer rows, and PostgreSQL's guess for an unknown connection is one row too: any index would look as good."""


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("purchase_orders", "erp_id"),
        ("purchase_orders", "document_id"),
        ("purchase_orders", "number"),
        ("receipts", "erp_id"),
        ("receipts", "order_document"),
        ("bills", "payable_id"),
        ("bills", "document_id"),
        ("bills", "erp_id"),
        ("payments", "erp_id"),
    ],
)
async def test_a_new_connection_does_not_look_empty(
    tenant: Tenant, other_tenant: Tenant, table: str, column: str
) -> None:
    """A first import of 10,000 orders beside another tenant must not read them all for each row it looks up."""
    orders = [an_order(number) for number in range(1, MANY)]
    await tenant.page(*orders)
    await tenant.receive(*(a_receipt(order, {1: 1}, number=5000 + n) for n, order in enumerate(orders)))
    await tenant.bills_in(*(an_erp_bill(number) for number in range(1, MANY)))
    await tenant.payments_in(*(an_erp_payment(number, shares={str(number): "5"}) for number in range(1, MANY)))
    await tenant.execute(f"analyze {table}")
    async with tenant.database.transaction() as s:
        await s.execute(text("set local enable_seqscan = off"))
        plan = await s.execute(
            text(f"explain select id from {table} where connection_id = :c and {column} = 'one of them'"),
            {"c": other_tenant.connection_id},
        )
        conditions = [line for line in plan.scalars() if "Index Cond" in line]
    assert any(f"({column})::text" in line for line in conditions), conditions
