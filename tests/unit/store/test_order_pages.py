"""Pages of orders into the mirror: safe to repeat, never back in time, set-based."""

from datetime import date
from decimal import Decimal

from models.domain.orders import MatchingStatus, PoStatus
from models.store.orders import purchase_orders
from models.store.orders.purchase_orders import MappedOrder
from tests.builders.records import (
    R1,
    R2,
    R3,
    an_order,
)
from tests.harness.tenant import (
    Tenant,
)


async def test_an_order_comes_in_with_all_its_fields(tenant: Tenant) -> None:
    """S5-79..S5-101: header and lines as the connector translated them."""
    order = an_order(
        lines={1: 10, 2: 3},
        memo="for the office",
        due_on=date(2026, 4, 1),
        reference="Q-7",
        term="Net 30",
        entity="100",
        owner_entity="100",
        custom={"GLDIMPROMOTION": "spring"},
    )
    assert await tenant.page(order) == (1, 1)
    row = await tenant.row(order)
    assert (row.number, row.document_id, row.vendor_name) == ("PO-1007", "Purchase Order-PO-1007", "Acme Supplies")
    assert (row.memo, row.due_on, row.reference, row.term) == ("for the office", date(2026, 4, 1), "Q-7", "Net 30")
    assert (row.entity, row.owner_entity, row.custom) == ("100", "100", {"GLDIMPROMOTION": "spring"})
    assert row.total == Decimal("162.50")
    assert (row.status, row.matching_status) == ("unfilled", "active")
    lines = await tenant.lines(order)
    assert [(no, line.item_id, line.quantity, line.price, line.amount) for no, line in lines.items()] == [
        (1, "ITEM-1", Decimal(10), Decimal("12.50"), Decimal("125.00")),
        (2, "ITEM-2", Decimal(3), Decimal("12.50"), Decimal("37.50")),
    ]


async def test_quantities_keep_every_digit(tenant: Tenant) -> None:
    """matching.md 3.1: exact decimals, end to end."""
    order = an_order(price="0.30")
    exact = order.lines[0].model_copy(
        update={"quantity": Decimal("10.0000001"), "price": Decimal("33.333333333333333")}
    )
    await tenant.page(order.model_copy(update={"lines": (exact,)}))
    line = (await tenant.lines(order))[1]
    assert (str(line.quantity), str(line.price)) == ("10.0000001", "33.333333333333333")


async def test_the_same_page_again_writes_nothing(tenant: Tenant) -> None:
    """S5-78: a sync may be run twice; an unchanged order costs no write and wakes nobody."""
    orders = [an_order(number, lines={1: 10, 2: 5}) for number in range(1, 30)]
    assert await tenant.page(*orders) == (29, 29)
    await tenant.wake_all()
    before = await tenant.fingerprint()
    sent = tenant.database.statements
    assert await tenant.page(*orders) == (29, 0)
    assert tenant.database.statements - sent == 1
    assert await tenant.fingerprint() == before
    assert await tenant.to_notify() == []


async def test_the_number_of_statements_does_not_grow_with_the_page(tenant: Tenant) -> None:
    """DESIGN section 7: set-based SQL, not row by row."""

    async def statements(first: int, count: int, revision: str, billed: int) -> int:
        sent = tenant.database.statements
        await tenant.page(
            *(an_order(number, revision=revision, billed={1: billed}) for number in range(first, first + count))
        )
        return tenant.database.statements - sent

    assert await statements(1, 2, R1, 0) == await statements(100, 60, R1, 0)
    assert await statements(1, 2, R2, 1) == await statements(100, 60, R2, 1) <= 14


async def test_a_changed_order_is_written_whole_and_wakes_its_workflow(tenant: Tenant) -> None:
    """S5-78: orders updated since the last sync come in."""
    await tenant.page(an_order())
    await tenant.wake_all()
    changed = an_order(revision=R2, lines={1: 12}, billed={1: 4}, memo="more of it")
    assert await tenant.page(changed) == (1, 1)
    row = await tenant.row(changed)
    assert (row.memo, row.revision, row.snapshot) == ("more of it", R2, 2)
    line = (await tenant.lines(changed))[1]
    assert (line.quantity, line.billed, line.billed_amount) == (Decimal(12), Decimal(4), Decimal(50))
    assert [notified.erp_id for notified in await tenant.to_notify()] == ["1007"]


async def test_an_older_page_never_overwrites_a_newer_one(tenant: Tenant) -> None:
    """DESIGN section 5: rows carry the ERP's revision."""
    await tenant.page(an_order(revision=R2, memo="new"))
    assert await tenant.page(an_order(revision=R1, memo="old")) == (1, 0)
    row = await tenant.row(an_order())
    assert (row.memo, row.revision) == ("new", R2)


async def test_of_one_order_twice_on_a_page_the_higher_revision_counts(tenant: Tenant) -> None:
    """F7: a row that moved between pages may come twice."""
    await tenant.page(an_order(revision=R3, memo="last"), an_order(revision=R1, memo="first"))
    assert (await tenant.row(an_order())).memo == "last"


async def test_a_touch_without_a_change_moves_only_the_revision(tenant: Tenant) -> None:
    """An edit that was saved without changing anything must not wake the order's workflow."""
    await tenant.page(an_order(revision=R1))
    await tenant.wake_all()
    assert await tenant.page(an_order(revision=R2)) == (1, 0)
    row = await tenant.row(an_order())
    assert (row.revision, row.snapshot) == (R2, 1)
    assert await tenant.to_notify() == []


async def test_without_a_bill_of_ours_the_same_second_may_bring_other_content(tenant: Tenant) -> None:
    """Reference 2.5: revisions are seconds, so an order can change twice under one revision."""
    await tenant.page(an_order(revision=R1, memo="first"))
    assert await tenant.page(an_order(revision=R1, memo="second")) == (1, 1)
    assert (await tenant.row(an_order())).memo == "second"


async def test_a_line_the_erp_removed_is_kept_as_deleted(tenant: Tenant) -> None:
    await tenant.page(an_order(lines={1: 10, 2: 5}))
    await tenant.page(an_order(revision=R2, lines={1: 10}))
    assert list(await tenant.lines(an_order())) == [1]
    rows = await tenant.fetch(
        "select erp_id, deleted from purchase_order_lines where purchase_order_id = :id order by erp_id",
        id=tenant.id_of(an_order()),
    )
    assert [(row.erp_id, row.deleted) for row in rows] == [("10071", False), ("10072", True)]


async def test_lines_keep_their_identity_when_the_erp_renumbers_them(tenant: Tenant) -> None:
    """A bill line follows the ERP's record, not its number: line 3 becomes line 2, its bill with it."""
    order = an_order(lines={1: 10, 2: 20, 3: 30}, line_ids={1: "a", 2: "b", 3: "c"})
    await tenant.page(order)
    bill_id = await tenant.bill(order, {3: 7})
    shifted = an_order(revision=R2, lines={1: 10, 2: 30}, line_ids={1: "a", 2: "c"})
    await tenant.page(shifted)
    assert {no: line.erp_id for no, line in (await tenant.lines(order)).items()} == {1: "a", 2: "c"}
    (line,) = await tenant.fetch("select purchase_order_line_no from bill_lines where bill_id = :id", id=bill_id)
    assert line.purchase_order_line_no == 2


async def test_two_lines_may_swap_their_numbers(tenant: Tenant) -> None:
    await tenant.page(an_order(lines={1: 10, 2: 20}, line_ids={1: "a", 2: "b"}))
    await tenant.page(an_order(revision=R2, lines={1: 20, 2: 10}, line_ids={1: "b", 2: "a"}))
    lines = await tenant.lines(an_order())
    assert {no: (line.erp_id, line.quantity) for no, line in lines.items()} == {1: ("b", 20), 2: ("a", 10)}


async def test_a_line_that_comes_back_is_alive_again(tenant: Tenant) -> None:
    await tenant.page(an_order(lines={1: 10, 2: 5}))
    await tenant.page(an_order(revision=R2, lines={1: 10}))
    await tenant.page(an_order(revision=R3, lines={1: 10, 2: 5}))
    assert list(await tenant.lines(an_order())) == [1, 2]


async def test_a_status_that_means_something_else_now_is_a_change(tenant: Tenant) -> None:
    """S4-60: the meaning comes with the page, from the connector's table."""
    order = an_order()
    await tenant.page(order)
    await tenant.wake_all()
    closed = MappedOrder(order, PoStatus.CLOSED, MatchingStatus.CLOSED)
    assert await tenant.page(closed) == (1, 1)
    assert ((await tenant.row(order)).status, len(await tenant.to_notify())) == ("closed", 1)


async def test_what_is_held_is_known_by_revision(tenant: Tenant) -> None:
    from models.domain.ids import ErpId
    from models.domain.sync import Stream
    from models.store.orders import excluded_records

    await tenant.page(an_order(1, revision=R2))
    async with tenant.database.transaction() as s:
        await excluded_records.record(
            s, tenant.connection_id, Stream.PURCHASE_ORDERS, [("2", "PO-2", "OTHER_CURRENCY", "it is in EUR", R1)]
        )
        ids = [ErpId("1"), ErpId("2"), ErpId("3")]
        known = await purchase_orders.known(s, tenant.connection_id, ids)
    assert known.revisions == {"1": R2, "2": R1}
    assert known.imported == {"1"}
