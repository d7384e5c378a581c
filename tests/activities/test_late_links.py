"""Bills of the ERP that name their order only by reference, whichever of the two came in first (S4-64, S4-71)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.domain.bills import ErpBill
from models.domain.orders import PurchaseOrder
from models.domain.sync import Stream
from models.store.connections import connections
from models.store.payables import bill_edits
from models.tables import BillRow, PurchaseOrderRow
from services.sync.late_links import link_all
from tests.builders.records import R2, an_erp_bill, an_order
from tests.harness.activity_harness import ActivityHarness

TODAY = datetime.now(UTC).date()


async def comes_in(harness: ActivityHarness, *orders: PurchaseOrder) -> None:
    for order in orders:
        harness.erp.orders[order.erp_id] = order
    await harness.read(Stream.PURCHASE_ORDERS)


def ten_for_125(erp_number: int = 1007, **values: Any) -> PurchaseOrder:
    order = an_order(erp_number, ordered_on=TODAY - timedelta(days=10))
    return order.model_copy(update=values)


async def the_bill(harness: ActivityHarness, *bills: ErpBill) -> BillRow:
    if bills:
        await harness.tenant.bills_in(*bills)
    return (await harness.tenant.bill_rows())[0]


@pytest.mark.parametrize("reference", ["PO-1007", "po 1007", "Po.01007", "Purchase Order-PO-1007"])
async def test_a_bill_waits_for_the_order_that_it_names(harness: ActivityHarness, reference: str) -> None:
    """S4-64: however people typed the number; linked when the order comes in, and the bill's history says so."""
    assert (await the_bill(harness, an_erp_bill(901, reference=reference))).purchase_order_id is None
    order = ten_for_125()
    await comes_in(harness, order)
    bill = await the_bill(harness)
    assert (bill.purchase_order_id, bill.linked_in_erp) == (harness.tenant.id_of(order), False)
    (event,) = [event for event in await harness.tenant.events_of(bill.id) if event.kind == "linked"]
    assert event.after == {"purchase_order": harness.tenant.id_of(order)}
    await comes_in(harness, order.model_copy(update={"revision": R2, "memo": "edited"}))
    assert len([event for event in await harness.tenant.events_of(bill.id) if event.kind == "linked"]) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"vendor_id": "V2"}, id="vendor"),
        pytest.param({"owner_entity": "200"}, id="entity"),
        pytest.param({"currency": "CAD"}, id="currency"),
        pytest.param({"number": "PO-10071"}, id="number"),
    ],
)
async def test_an_order_that_differs_is_not_meant(harness: ActivityHarness, other: dict[str, str]) -> None:
    """Same vendor, entity and currency, and the whole number: else neither a link nor an issue."""
    base = {"owner_entity": "100", "document_id": "Purchase Order-X"}
    await the_bill(harness, an_erp_bill(901, reference="PO-1007", entity="100"))
    await comes_in(harness, ten_for_125(**{**base, **other}))
    assert (await the_bill(harness)).purchase_order_id is None
    assert "REFERENCE_UNCLEAR" not in await harness.tenant.open_issues()


async def test_two_orders_of_one_number_are_candidates(harness: ActivityHarness) -> None:
    """A person decides; once one of them goes away, the bill's next reading links the other."""
    await the_bill(harness, an_erp_bill(901, reference="PO-1007"))
    first = ten_for_125()
    second = ten_for_125(2000, number="po 1007", document_id="Purchase Order-2")
    await comes_in(harness, first, second)
    assert (await the_bill(harness)).purchase_order_id is None
    issue = (await harness.tenant.open_issues())["REFERENCE_UNCLEAR"]
    assert issue.evidence["candidates"] == ["PO-1007", "po 1007"]
    assert "several orders" in issue.cause
    await harness.tenant.execute(
        "update purchase_orders set deleted_at = now() where id = :id", id=harness.tenant.id_of(second)
    )
    bill = await the_bill(harness, an_erp_bill(901, reference="PO-1007", revision=R2))
    assert bill.purchase_order_id == harness.tenant.id_of(first)
    assert "REFERENCE_UNCLEAR" not in await harness.tenant.open_issues()


@pytest.mark.parametrize("reference", ["PO-1007, PO-1008", "PO-1007/PO-1008", "PO-1007 freight"])
async def test_several_words_are_never_a_guess(harness: ActivityHarness, reference: str) -> None:
    """Several numbers in the field, or a number and more: the orders it may mean are named."""
    await comes_in(harness, ten_for_125(1007), ten_for_125(1008))
    bill = await the_bill(harness, an_erp_bill(901, reference=reference))
    assert bill.purchase_order_id is None
    issue = (await harness.tenant.open_issues())["REFERENCE_UNCLEAR"]
    assert issue.evidence["candidates"] == [number for number in ("PO-1007", "PO-1008") if number in reference]
    assert (issue.subject_id, issue.subject_name) == (bill.id, bill.number)


async def test_a_bill_beyond_what_is_left_is_told(harness: ActivityHarness) -> None:
    """Of 125.00 one bill takes 100.00: the next of 50.00 is linked to nothing, before the order came or after it."""
    await harness.tenant.bills_in(
        an_erp_bill(901, total="100", reference="PO-1007"), an_erp_bill(902, total="50", reference="PO-1007")
    )
    order = ten_for_125()
    await comes_in(harness, order)
    await harness.tenant.bills_in(an_erp_bill(903, total="25.01", reference="PO-1007"))
    rows = await harness.tenant.bill_rows()
    assert [row.purchase_order_id for row in rows] == [harness.tenant.id_of(order), None, None]
    issues = await harness.tenant.fetch(
        "select * from sync_issues where connection_id = :c and state = 'open' and code = 'REFERENCE_UNCLEAR'"
    )
    assert sorted(issue.subject_id for issue in issues) == sorted(row.id for row in rows[1:])
    assert "it bills 50" in next(issue.cause for issue in issues if issue.subject_id == rows[1].id)
    await harness.tenant.bills_in(an_erp_bill(903, total="25", reference="PO-1007", revision=R2))
    assert (await harness.tenant.bill_rows())[2].purchase_order_id == harness.tenant.id_of(order)


async def test_switching_the_feature_on_links_what_came_meanwhile(harness: ActivityHarness) -> None:
    """S4-71: the ERP's own links, and references."""
    order = ten_for_125()
    await comes_in(harness, order)
    async with harness.tenant.database.transaction() as session:
        await connections.set_purchase_orders_enabled(session, harness.tenant.connection_id, False)
    await harness.tenant.bills_in(
        an_erp_bill(901, order_document=order.document_id), an_erp_bill(902, reference="PO-1007")
    )
    assert [row.purchase_order_id for row in await harness.tenant.bill_rows()] == [None, None]
    async with harness.tenant.database.transaction() as session:
        await connections.set_purchase_orders_enabled(session, harness.tenant.connection_id, True)
        await link_all(session, await connections.get(session, harness.tenant.connection_id))
    rows = await harness.tenant.bill_rows()
    assert [(row.purchase_order_id, row.linked_in_erp) for row in rows] == [
        (harness.tenant.id_of(order), True),
        (harness.tenant.id_of(order), False),
    ]


async def test_linking_by_hand_settles_what_was_unclear(harness: ActivityHarness) -> None:
    """The issue is over at once, not with the bill's next reading."""
    order, other = ten_for_125(), ten_for_125(1008)
    await comes_in(harness, order, other)
    bill = await the_bill(harness, an_erp_bill(901, reference="PO-1007 PO-1008"))
    async with harness.tenant.database.transaction() as session:
        row, chosen = (
            await session.get(BillRow, bill.id),
            await session.get(PurchaseOrderRow, harness.tenant.id_of(other)),
        )
        assert row is not None
        assert chosen is not None
        await bill_edits.link(session, row, chosen, actor="ann")
    assert (await the_bill(harness)).purchase_order_id == harness.tenant.id_of(other)
    assert "REFERENCE_UNCLEAR" not in await harness.tenant.open_issues()


async def test_a_bill_linked_by_hand_stays_where_it_is(harness: ActivityHarness) -> None:
    """S1-21: what a person said is not undone by a number in a field."""
    order, other = ten_for_125(), ten_for_125(1008)
    await comes_in(harness, order, other)
    bill = await the_bill(harness, an_erp_bill(901, reference="nothing"))
    await harness.tenant.execute(
        "update bills set purchase_order_id = :order where id = :id", order=harness.tenant.id_of(order), id=bill.id
    )
    bill = await the_bill(harness, an_erp_bill(901, reference="PO-1007 PO-1008", revision=R2))
    assert bill.purchase_order_id == harness.tenant.id_of(order)
    assert "REFERENCE_UNCLEAR" not in await harness.tenant.open_issues()
