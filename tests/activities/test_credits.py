"""Credits of a sync: the orders they concern are read whole before the page is stored, every time until it is."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Unavailable
from models.domain.ids import ErpId
from models.domain.orders import PurchaseOrder, PurchaseOrderSnapshot
from models.domain.sync import DeletedKind, Stream
from models.store.orders import ledger
from models.store.policies import rematch_requests
from tests.builders.records import (
    R2,
    R3,
    a_credit,
    an_order,
    an_order_credit,
    gone,
)
from tests.harness.activity_harness import (
    ActivityHarness,
)


async def shown(harness: ActivityHarness, order: PurchaseOrder) -> tuple[Decimal | object, Decimal]:
    """E and C."""
    async with harness.tenant.database.transaction() as s:
        (line,) = await ledger.lines(s, harness.tenant.id_of(order))
    return line.billed, line.credited


async def asked_again(harness: ActivityHarness) -> list[str]:
    async with harness.tenant.database.transaction() as s:
        return [word.why for word in await rematch_requests.pending(s, [harness.tenant.connection_id])]


@pytest.fixture
async def order(harness: ActivityHarness) -> PurchaseOrder:
    """Ten billed, four of them credited; the mirror holds the order and has not heard of the credit."""
    harness.tenant.receipts_count_as_billed = False
    harness.erp.capabilities = harness.erp.capabilities.model_copy(
        update={"credits_name_orders": True, "receipts_count_as_billed": False}
    )
    created = await harness.holds(an_order(billed={1: 10}, revision=R2))
    harness.erp.credited[created.erp_id] = (an_order_credit(created, "4"),)
    harness.erp.bills_held = [a_credit(900, created)]
    return created


async def test_a_credit_is_believed_once_the_order_was_read_with_it(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """R01: read twice, it counts once, and the second time nothing is asked."""
    await harness.read(Stream.BILLS)
    assert await shown(harness, order) == (10, 4)
    assert [notified.erp_id for notified in await harness.tenant.to_notify()] == [order.erp_id]
    assert await asked_again(harness) == ["a vendor credit changed"]
    await harness.read(Stream.BILLS)
    assert (await shown(harness, order), harness.erp.calls["purchase_orders_whole"]) == ((10, 4), 1)


async def test_an_outage_between_the_two_loses_nothing(
    harness: ActivityHarness, order: PurchaseOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DESIGN 5: the page is not stored before its orders were read; the next attempt reads both."""
    whole = harness.erp.purchase_orders_whole

    async def out(erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        raise Unavailable("out", code="ERP_UNAVAILABLE")

    monkeypatch.setattr(harness.erp, "purchase_orders_whole", out)
    with pytest.raises(ApplicationError):
        await harness.read(Stream.BILLS)
    assert await harness.tenant.bill_rows() == []
    monkeypatch.setattr(harness.erp, "purchase_orders_whole", whole)
    await harness.read(Stream.BILLS)
    assert (await shown(harness, order), len(await harness.tenant.bill_rows())) == ((10, 4), 1)


async def test_a_changed_order_with_credits_is_read_whole(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """Its page shows another billed quantity, and whether the credit is in that only the whole reading tells."""
    await harness.read(Stream.BILLS)
    harness.erp.orders[order.erp_id] = an_order(billed={1: 6}, revision=R3)
    harness.erp.credited.clear()
    await harness.read(Stream.PURCHASE_ORDERS)
    assert await shown(harness, order) == (6, 0)
    assert harness.erp.calls["purchase_orders_whole"] == 2


async def test_what_cannot_be_read_whole_frees_nothing(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """What was known of a credit that changed holds no more."""
    await harness.read(Stream.BILLS)
    harness.erp.bills_held = [a_credit(900, order, revision=R2, quantity="3")]
    held = harness.erp.orders.pop(order.erp_id)
    await harness.read(Stream.BILLS)
    assert await shown(harness, order) == (10, 0)
    harness.erp.orders[order.erp_id] = held


async def test_a_deleted_credit_takes_its_quantity_back(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """S5-78."""
    await harness.read(Stream.BILLS)
    harness.erp.bills_held, harness.erp.credited = [], {}
    harness.erp.gone = [gone(DeletedKind.BILL, "900").model_copy(update={"deleted_at": "2999-01-01 00:00:00"})]
    await harness.read(Stream.DELETIONS)
    assert await shown(harness, order) == (10, 0)
    await harness.read(Stream.DELETIONS)
    assert harness.erp.calls["purchase_orders_whole"] == 2


async def test_an_erp_that_names_no_order_lines_is_never_asked(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """Intacct: no call more, and nothing is freed."""
    harness.erp.capabilities = harness.erp.capabilities.model_copy(update={"credits_name_orders": False})
    await harness.read(Stream.BILLS)
    assert (await shown(harness, order), harness.erp.calls["purchase_orders_whole"]) == ((10, 0), 0)


async def test_a_billed_quantity_that_fell_is_explained_before_it_is_believed(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """A price was credited, and the ERP took its quantity off: the order's page comes before the credit's."""
    harness.erp.orders[order.erp_id] = an_order(billed={1: 6}, revision=R3)
    harness.erp.credited[order.erp_id] = (an_order_credit(order, "-4"),)
    await harness.read(Stream.PURCHASE_ORDERS)
    assert await shown(harness, order) == (6, -4)
