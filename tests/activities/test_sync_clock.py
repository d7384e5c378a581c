"""What a sync may believe of an ERP's times, and absurd records: none of them stops or hides the others."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.domain.ids import ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import PurchaseOrder
from models.domain.sync import Stream
from tests.builders.records import R1, a_receipt, an_erp_bill, an_erp_payment, an_order
from tests.harness.activity_harness import ActivityHarness

STREAMS = [Stream.LISTS, Stream.PURCHASE_ORDERS, Stream.RECEIPTS, Stream.BILLS, Stream.PAYMENTS]
FAR = "2999-01-01 00:00:00"


def moment(ahead: timedelta = timedelta(0)) -> str:
    return f"{datetime.now(UTC) + ahead:%Y-%m-%d %H:%M:%S}"


def set_clock(harness: ActivityHarness, revision: str) -> None:
    """The ERP's clock shows the second of a revision."""
    harness.erp.clock.take(f"{datetime.fromisoformat(revision):%a, %d %b %Y %H:%M:%S} GMT")


def put(harness: ActivityHarness, stream: Stream, value: int, revision: str) -> None:
    """One record of the stream in the ERP, told apart by `value`."""
    erp = harness.erp
    if stream is Stream.LISTS:
        erp.entries = [
            ListEntry(kind=ListKind.VENDOR, erp_id=ErpId("1"), key="V1", name=f"Acme {value}", revision=revision)
        ]
    elif stream is Stream.PURCHASE_ORDERS:
        erp.orders["1007"] = an_order(1007, price=f"{value}.00", revision=revision)
    elif stream is Stream.RECEIPTS:
        erp.receipts_held["501"] = a_receipt(an_order(1007), {1: value - 10}, revision=revision)
    elif stream is Stream.BILLS:
        erp.bills_held = [an_erp_bill(900, paid=str(value), revision=revision)]
    else:
        erp.payments_held = [an_erp_payment(700, shares={"900": str(value)}, revision=revision)]


MIRRORED = {
    Stream.LISTS: "select substr(name, 6) as value from list_entries where connection_id = :c",
    Stream.PURCHASE_ORDERS: "select l.price as value from purchase_order_lines l join purchase_orders o"
    " on o.id = l.purchase_order_id where o.connection_id = :c",
    Stream.RECEIPTS: "select l.quantity + 10 as value from receipt_lines l join receipts r on r.id = l.receipt_id"
    " where r.connection_id = :c",
    Stream.BILLS: "select paid as value from bills where connection_id = :c",
    Stream.PAYMENTS: "select amount as value from payments where connection_id = :c",
}


async def mirrored(harness: ActivityHarness, stream: Stream) -> list[int]:
    return [int(row.value) for row in await harness.tenant.fetch(MIRRORED[stream])]


async def sync(harness: ActivityHarness, run: str) -> list[Stream]:
    """A whole sync run: only what the plan names is read."""
    plan = await harness.plan(run)
    for stream in plan.streams:
        await harness.read(stream)
    return plan.streams


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_second_change_within_one_second_comes_in(harness: ActivityHarness, stream: Stream) -> None:
    """B15: 11, sync, 12 within the same second of the ERP's clock; every stream."""
    if stream is Stream.PAYMENTS:
        harness.erp.bills_held = [an_erp_bill(900, revision=R1)]
    second = moment(timedelta(hours=-1))
    set_clock(harness, second)
    put(harness, stream, 11, second)
    await sync(harness, "first")
    assert await mirrored(harness, stream) == [11]
    put(harness, stream, 12, second)
    set_clock(harness, f"{datetime.fromisoformat(second) + timedelta(minutes=1)}")
    for run in ("second", "third"):
        await sync(harness, run)
    assert await mirrored(harness, stream) == [12]
    assert stream not in await sync(harness, "idle"), "once its second is over, a record is not read again and again"


async def test_a_void_within_the_second_of_our_payment_comes_in(harness: ActivityHarness) -> None:
    """The read-back of a payment of ours is a reading like a page: who voids it in that second is heard."""
    order = await harness.holds(an_order(lines={1: 10}, price="10.00"))
    bill_id = await harness.billed(order, {1: 10}, key="k1")
    await harness.push(bill_id)
    set_clock(harness, harness.erp.tick())
    await sync(harness, "first")
    payment_id = await harness.paid(bill_id, "40.00", key="p1")
    second = f"{datetime.fromisoformat(harness.erp.tick()) + timedelta(seconds=1)}"
    set_clock(harness, second)
    await harness.push_payment(payment_id)
    (created,) = harness.erp.created_payments.values()
    assert created.revision == second
    harness.erp.payments_held = [
        an_erp_payment(
            int(created.erp_id),
            shares={},
            voided=True,
            revision=created.revision,
            document_number=created.payment.external_key,
        )
    ]
    set_clock(harness, f"{datetime.fromisoformat(second) + timedelta(minutes=1)}")
    await sync(harness, "second")
    (row,) = await harness.tenant.fetch("select status from payments where id = :id", id=payment_id)
    assert row.status == "voided"


@pytest.mark.parametrize("stream", STREAMS)
async def test_what_changes_after_the_clock_is_set_back_comes_in(harness: ActivityHarness, stream: Stream) -> None:
    """Kind 4: an ERP's clock showed 20:00 and shows 16:32 again; no edit came in until 20:00, and nothing said so."""
    if stream is Stream.PAYMENTS:
        harness.erp.bills_held = [an_erp_bill(900, revision=R1)]
    ahead = moment(timedelta(hours=3))
    set_clock(harness, f"{datetime.fromisoformat(ahead) + timedelta(seconds=10)}")
    put(harness, stream, 11, ahead)
    await sync(harness, "first")
    assert await mirrored(harness, stream) == [11]
    position = await harness.cursor(stream)
    assert position is not None
    assert position == ahead
    put(harness, stream, 12, moment(timedelta(minutes=-2)))
    set_clock(harness, moment())
    assert stream in await sync(harness, "second")
    assert await mirrored(harness, stream) == [12]
    assert (await harness.cursor(stream) or "") <= moment()
    put(harness, stream, 13, moment(timedelta(minutes=-1)))
    await sync(harness, "third")
    assert await mirrored(harness, stream) == [13]
    assert stream not in await sync(harness, "idle"), "it is read again once, not with every sync"


async def test_a_payment_of_ours_beyond_the_present_hides_no_void(harness: ActivityHarness) -> None:
    """Kind 4: the cursors are not beyond the present, but what a push of ours stored is."""
    order = await harness.holds(an_order(lines={1: 10}, price="10.00"))
    bill_id = await harness.billed(order, {1: 10}, key="k1")
    await harness.push(bill_id)
    set_clock(harness, harness.erp.tick())
    await sync(harness, "first")
    payment_id = await harness.paid(bill_id, "40.00", key="p1")
    set_clock(harness, moment(timedelta(hours=3)))
    await harness.push_payment(payment_id)
    await harness.tenant.execute(
        "update payments set erp_revision = :ahead where id = :id", id=payment_id, ahead=moment(timedelta(hours=3))
    )
    (created,) = harness.erp.created_payments.values()
    harness.erp.payments_held = [
        an_erp_payment(
            int(created.erp_id),
            shares={},
            voided=True,
            revision=moment(timedelta(minutes=-1)),
            document_number=created.payment.external_key,
        )
    ]
    set_clock(harness, moment())
    await sync(harness, "second")
    (row,) = await harness.tenant.fetch("select status from payments where id = :id", id=payment_id)
    assert row.status == "voided"


async def test_only_what_may_have_changed_is_read_again(harness: ActivityHarness) -> None:
    """Kind 4: nothing that changed before the last completed sync began is hidden by a clock that is set back."""
    set_clock(harness, moment(timedelta(hours=3)))
    put(harness, Stream.BILLS, 11, moment(timedelta(hours=3, seconds=-10)))
    await sync(harness, "first")
    connection_id = harness.tenant.connection_id
    await harness.tenant.execute("update connections set last_synced_at = now() where id = :id", id=connection_id)
    set_clock(harness, moment())
    plan = await harness.plan("second")
    assert Stream.BILLS in plan.streams
    position = await harness.cursor(Stream.BILLS)
    assert position is not None
    assert moment(timedelta(days=-2)) < position < moment()


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_record_of_the_far_future_hides_nothing(harness: ActivityHarness, stream: Stream) -> None:
    """G7: one record dated 2999, and nothing later came in; the state said ready."""
    if stream is Stream.PAYMENTS:
        harness.erp.bills_held = [an_erp_bill(900, revision=R1)]
    put(harness, stream, 11, FAR)
    await sync(harness, "first")
    position = await harness.cursor(stream)
    assert position is not None
    assert position <= moment()
    put(harness, stream, 12, moment(timedelta(minutes=-1)))  # corrected in the ERP, with an honest time
    set_clock(harness, moment(timedelta(minutes=1)))
    await sync(harness, "second")
    put(harness, stream, 13, moment())
    await sync(harness, "third")
    assert await mirrored(harness, stream) == [13]


async def test_the_cursor_stays_behind_the_first_page(harness: ActivityHarness) -> None:
    """Kind 4: what changes on the first page while the last is read is found by the next run."""
    for number in (1001, 1002, 1003):
        harness.erp.orders[str(number)] = an_order(number)
    harness.erp.page_size = 2
    start = moment(timedelta(hours=-2))
    set_clock(harness, start)
    first = await harness.read_page(Stream.PURCHASE_ORDERS)
    later = moment(timedelta(hours=-1))
    set_clock(harness, later)
    harness.erp.orders["1003"] = an_order(1003, revision=later)
    await harness.read_page(Stream.PURCHASE_ORDERS, first.after, first.high_water, first.read_at)
    position = await harness.cursor(Stream.PURCHASE_ORDERS)
    assert position is not None
    assert position <= start


ABSURD: dict[str, Callable[[PurchaseOrder], dict[str, Any]]] = {
    "a line number of eleven digits": lambda order: line_of(order, line_no=99_999_999_999),
    "a quantity of a million digits": lambda order: line_of(order, quantity=Decimal("1e999999")),
    "a price of 400 digits": lambda order: line_of(order, price=Decimal("1e400")),
    "a quantity below zero": lambda order: line_of(order, quantity=Decimal(-5)),
    "two lines of one number": lambda order: {"lines": (*order.lines, *order.lines)},
    "a number that no index holds": lambda order: {"number": "é" * 3000},
    "a total of thirty digits": lambda order: {"total": Decimal("1e30")},
}


def line_of(order: PurchaseOrder, **values: Any) -> dict[str, Any]:
    return {"lines": (order.lines[0].model_copy(update=values),)}


@pytest.mark.parametrize("what", ABSURD)
async def test_an_absurd_order_is_left_out_by_name(harness: ActivityHarness, what: str) -> None:
    """G8: the sync never ended, or the absurd was stored. All others come in, and a person is told which did not."""
    harness.erp.orders["1001"] = an_order(1001)
    order = an_order(1002)
    harness.erp.orders["1002"] = order.model_copy(update=ABSURD[what](order))
    (page,) = await harness.read(Stream.PURCHASE_ORDERS)
    assert (page.seen, page.bad) == (2, 1)
    assert list(await harness.mirrored()) == ["PO-1001"]
    (issue,) = (await harness.tenant.open_issues()).values()
    assert (issue.code, issue.subject_id) == ("VALUE_NOT_READABLE", "1002")
    harness.erp.orders["1002"] = order.model_copy(update={"revision": moment(timedelta(minutes=-1))})
    await harness.read(Stream.PURCHASE_ORDERS)
    assert not await harness.tenant.open_issues()
    assert len(await harness.mirrored()) == 2


async def test_long_names_come_in(harness: ActivityHarness) -> None:
    """G8: a PO number of 2,047 characters and a vendor name of 3,000 are odd, and no reason to leave an order out."""
    harness.erp.orders["1001"] = an_order(1001).model_copy(update={"number": "P" * 2047, "vendor_name": "v" * 3000})
    (page,) = await harness.read(Stream.PURCHASE_ORDERS)
    assert (page.changed, page.bad) == (1, 0)
