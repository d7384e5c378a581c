"""Credits of a sync: the orders they concern are read whole before the page is stored, every time until it is."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Unavailable
from models.domain import DeletedKind, ErpId, PurchaseOrder, PurchaseOrderSnapshot, Stream
from models.store import ledger, match_again
from tests.activities.office import Office
from tests.store.made import R2, R3, an_order, gone
from tests.store.test_credits import a_credit, back


async def shown(office: Office, order: PurchaseOrder) -> tuple[Decimal | object, Decimal]:
    """E and C."""
    async with office.tenant.database.transaction() as s:
        (line,) = await ledger.lines(s, office.tenant.id_of(order))
    return line.billed, line.credited


async def asked_again(office: Office) -> list[str]:
    async with office.tenant.database.transaction() as s:
        return [word.why for word in await match_again.asked(s, [office.tenant.connection_id])]


@pytest.fixture
async def order(office: Office) -> PurchaseOrder:
    """Ten billed, four of them credited; the mirror holds the order and has not heard of the credit."""
    office.tenant.receipts_count_as_billed = False
    office.erp.capabilities = office.erp.capabilities.model_copy(
        update={"credits_name_orders": True, "receipts_count_as_billed": False}
    )
    made = await office.holds(an_order(billed={1: 10}, revision=R2))
    office.erp.credited[made.erp_id] = (back(made, "4"),)
    office.erp.bills_held = [a_credit(900, made)]
    return made


async def test_a_credit_is_believed_once_the_order_was_read_with_it(office: Office, order: PurchaseOrder) -> None:
    """R01: read twice, it counts once, and the second time nothing is asked."""
    await office.read(Stream.BILLS)
    assert await shown(office, order) == (10, 4)
    assert [woken.erp_id for woken in await office.tenant.to_wake()] == [order.erp_id]
    assert await asked_again(office) == ["a vendor credit changed"]
    await office.read(Stream.BILLS)
    assert (await shown(office, order), office.erp.calls["purchase_orders_whole"]) == ((10, 4), 1)


async def test_an_outage_between_the_two_loses_nothing(
    office: Office, order: PurchaseOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DESIGN 5: the page is not stored before its orders were read; the next attempt reads both."""
    whole = office.erp.purchase_orders_whole

    async def out(erp_ids: Sequence[ErpId]) -> Sequence[PurchaseOrderSnapshot]:
        raise Unavailable("out", code="ERP_UNAVAILABLE")

    monkeypatch.setattr(office.erp, "purchase_orders_whole", out)
    with pytest.raises(ApplicationError):
        await office.read(Stream.BILLS)
    assert await office.tenant.bill_rows() == []
    monkeypatch.setattr(office.erp, "purchase_orders_whole", whole)
    await office.read(Stream.BILLS)
    assert (await shown(office, order), len(await office.tenant.bill_rows())) == ((10, 4), 1)


async def test_a_changed_order_with_credits_is_read_whole(office: Office, order: PurchaseOrder) -> None:
    """Its page shows another billed quantity, and whether the credit is in that only the whole reading tells."""
    await office.read(Stream.BILLS)
    office.erp.orders[order.erp_id] = an_order(billed={1: 6}, revision=R3)
    office.erp.credited.clear()
    await office.read(Stream.PURCHASE_ORDERS)
    assert await shown(office, order) == (6, 0)
    assert office.erp.calls["purchase_orders_whole"] == 2


async def test_what_cannot_be_read_whole_frees_nothing(office: Office, order: PurchaseOrder) -> None:
    """What was known of a credit that changed holds no more."""
    await office.read(Stream.BILLS)
    office.erp.bills_held = [a_credit(900, order, revision=R2, quantity="3")]
    held = office.erp.orders.pop(order.erp_id)
    await office.read(Stream.BILLS)
    assert await shown(office, order) == (10, 0)
    office.erp.orders[order.erp_id] = held


async def test_a_deleted_credit_takes_its_quantity_back(office: Office, order: PurchaseOrder) -> None:
    """S5-78."""
    await office.read(Stream.BILLS)
    office.erp.bills_held, office.erp.credited = [], {}
    office.erp.gone = [gone(DeletedKind.BILL, "900").model_copy(update={"deleted_at": "2999-01-01 00:00:00"})]
    await office.read(Stream.DELETIONS)
    assert await shown(office, order) == (10, 0)
    await office.read(Stream.DELETIONS)
    assert office.erp.calls["purchase_orders_whole"] == 2


async def test_an_erp_that_names_no_order_lines_is_never_asked(office: Office, order: PurchaseOrder) -> None:
    """Intacct: no call more, and nothing is freed."""
    office.erp.capabilities = office.erp.capabilities.model_copy(update={"credits_name_orders": False})
    await office.read(Stream.BILLS)
    assert (await shown(office, order), office.erp.calls["purchase_orders_whole"]) == ((10, 0), 0)


async def test_a_billed_quantity_that_fell_is_explained_before_it_is_believed(
    office: Office, order: PurchaseOrder
) -> None:
    """A price was credited, and the ERP took its quantity off: the order's page comes before the credit's."""
    office.erp.orders[order.erp_id] = an_order(billed={1: 6}, revision=R3)
    office.erp.credited[order.erp_id] = (back(order, "-4"),)
    await office.read(Stream.PURCHASE_ORDERS)
    assert await shown(office, order) == (6, -4)
