"""Back-order chains: documents that continue one another are one commercial order (S5-25)."""

import itertools

import pytest

from models.domain.ids import DocumentId
from models.domain.orders import MatchingStatus, PoStatus
from models.store.orders import ledger, purchase_orders
from models.store.orders.order_rows import MappedOrder
from tests.builders.records import (
    R2,
    an_order,
)
from tests.harness.tenant import (
    Tenant,
)

FIRST = an_order(1, lines={1: 10, 2: 5})
SECOND = an_order(2, lines={1: 6}, sources={1: "11"}, created_from=DocumentId("Purchase Order-PO-1"))
THIRD = an_order(3, lines={1: 2}, sources={1: "21"}, created_from=DocumentId("Purchase Order-PO-2"))


@pytest.mark.parametrize("arrival", list(itertools.permutations([FIRST, SECOND, THIRD])))
async def test_a_chain_holds_together_in_whichever_order_its_documents_arrive(tenant: Tenant, arrival: tuple) -> None:
    """S5-25: the remaining quantity goes on in a new document."""
    for order in arrival:
        await tenant.page(order)
    first = f"{tenant.connection_id}/11"
    chains = {
        (order.number, no): line.chain_line
        for order in (FIRST, SECOND, THIRD)
        for no, line in (await tenant.lines(order)).items()
    }
    assert chains == {
        ("PO-1", 1): first,
        ("PO-1", 2): f"{tenant.connection_id}/12",
        ("PO-2", 1): first,
        ("PO-3", 1): first,
    }


async def test_a_chain_that_arrives_on_one_page_is_linked(tenant: Tenant) -> None:
    await tenant.page(THIRD, FIRST, SECOND)
    async with tenant.database.transaction() as s:
        for order in (FIRST, SECOND, THIRD):
            chain = await purchase_orders.chain(s, tenant.id_of(order))
            assert [row.number for row in chain] == ["PO-1", "PO-2", "PO-3"]


async def test_what_was_billed_before_follows_the_chain(tenant: Tenant) -> None:
    """S5-25: billed and received history follow the chain; O is the first document's."""
    closed = an_order(1, lines={1: 10}, billed={1: 4}, erp_status="Closed")
    rest = an_order(2, lines={1: 6}, billed={1: 1}, sources={1: "11"}, created_from=closed.document_id)
    await tenant.page(closed, rest)
    async with tenant.database.transaction() as s:
        (line,) = await ledger.lines(s, tenant.id_of(rest))
    assert (line.ordered, line.billed) == (10, 5)


async def test_a_chain_survives_a_change_of_its_back_order(tenant: Tenant) -> None:
    await tenant.page(FIRST, SECOND)
    await tenant.page(SECOND.model_copy(update={"revision": R2, "memo": "touched"}))
    assert (await tenant.lines(SECOND))[1].chain_line == f"{tenant.connection_id}/11"


async def test_a_back_order_of_a_document_we_do_not_hold_stands_for_itself(tenant: Tenant) -> None:
    """S1-15: a closed original is not imported."""
    await tenant.page(SECOND)
    assert (await tenant.lines(SECOND))[1].chain_line == f"{tenant.connection_id}/21"
    async with tenant.database.transaction() as s:
        assert [row.number for row in await purchase_orders.chain(s, tenant.id_of(SECOND))] == ["PO-2"]


async def test_documents_that_name_each_other_do_not_hold_the_sync_up(tenant: Tenant) -> None:
    one = an_order(1, lines={1: 1}, sources={1: "21"}, created_from=DocumentId("Purchase Order-PO-2"))
    two = an_order(2, lines={1: 1}, sources={1: "11"}, created_from=DocumentId("Purchase Order-PO-1"))
    assert await tenant.page(one, two) == (2, 2)


async def test_chains_of_two_connections_never_meet(tenant: Tenant, other_tenant: Tenant) -> None:
    await tenant.page(FIRST)
    await other_tenant.page(SECOND)
    assert (await other_tenant.lines(SECOND))[1].chain_line == f"{other_tenant.connection_id}/21"


@pytest.mark.parametrize("together", [True, False])
async def test_what_a_back_order_continues_is_not_cancelled_whichever_came_in_first(
    tenant: Tenant, together: bool
) -> None:
    """3.1 X: the rest lives on in the back order, though that comes in after its first document was closed."""
    closed = an_order(1, lines={1: 10}, billed={1: 4}, erp_status="Closed")
    first = MappedOrder(closed, PoStatus.CLOSED, MatchingStatus.ACTIVE)
    rest = an_order(2, lines={1: 6}, sources={1: "11"}, created_from=closed.document_id)
    if together:
        await tenant.page(first, rest)
    else:
        await tenant.page(first)
        assert (await tenant.lines(closed))[1].cancelled == 6
        await tenant.page(rest)
    assert (await tenant.lines(closed))[1].cancelled is None
