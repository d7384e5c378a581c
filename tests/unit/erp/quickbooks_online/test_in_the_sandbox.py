"""The client against the sandbox, in every position of what nobody knows of the real one (reference: "a switch")."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp.connector import ErpConnector
from erp.errors import OutcomeUnknown, Rejected, Throttled
from models.domain.bills import BillToPush, PushedBill
from models.domain.ids import ErpId, ExternalKey
from models.domain.source_orders import LineToUpload, OrderToUpload, UploadAs
from models.domain.sync import Stream
from sandbox.quickbooks_online.switches import SWITCHES
from tests.conformance.charges import charged, with_charges
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    Sandbox,
    a_bill_for,
    a_payment_of,
    all_orders,
    push,
    the_order,
    to_take_back,
)
from tests.conformance.quickbooks_online_harness import QuickBooksHarness
from tests.conformance.quickbooks_positions import LEFT_OUT, POSITIONS, REFUSING, UNKIND
from tests.fakes.kept_reads import used_up_at_once


@pytest.fixture
async def harness(sandbox: Sandbox) -> AsyncIterator[QuickBooksHarness]:
    created = QuickBooksHarness(sandbox)
    yield created
    for connector in created.connectors:
        await connector.close()


@pytest.mark.parametrize("name", [*POSITIONS, "all unkind", "all unkind, refusing"])
async def test_the_whole_story_in_every_position(harness: QuickBooksHarness, name: str) -> None:
    """Orders in, a bill out through a lost answer, read back, paid, seen as a change, and deleted there."""
    harness.switch(**{**POSITIONS, "all unkind": UNKIND, "all unkind, refusing": REFUSING}[name])
    connector = harness.connect()
    await connector.check()
    order = await the_order(connector)
    since = order.revision[:19]
    harness.pass_time(3600)
    bill = a_bill_for(order, "whole-1", lines=len(order.lines))
    harness.fault("lost_answer", "create_bill")
    with pytest.raises(OutcomeUnknown):
        await connector.bills.create(bill)
    document = await connector.bills.find(bill)
    assert document is not None
    other = harness.connect()
    assert await other.bills.create(bill) == document, "another worker makes no second one"
    pushed = await other.bills.read_back(bill, document)
    assert (pushed.linked, pushed.differences) == (True, ())
    assert pushed.snapshot is not None
    assert [line.billed for line in pushed.snapshot.purchase_order.lines] == [Decimal(1)] * len(order.lines)
    assert {one.document_number for one in pushed.snapshot.billings} == {"whole-1"}
    change_set = await connector.changes.detect_changes({Stream.PURCHASE_ORDERS: since, Stream.BILLS: since})
    assert {(one.stream, one.erp_id) for one in change_set.record_versions} >= {
        (Stream.PURCHASE_ORDERS, order.erp_id),
        (Stream.BILLS, document),
    }
    harness.pass_time(60)
    moved = (await all_orders(harness.connect(), since=since))[OPEN_ORDER]
    assert [line.billed for line in moved.lines] == [Decimal(1)] * len(order.lines)
    payment = a_payment_of(bill, pushed, "whole-p")
    paid = await connector.payments.read_back(payment, await connector.payments.create(payment))
    assert (paid.bill_due, len(harness.bills_with("whole-1")), len(harness.payments_with("whole-p"))) == (0, 1, 1)
    harness.person("void_payment", record_no=paid.erp_id)
    harness.person("delete_bill", key="whole-1")
    deletions = await connector.changes.deletions(since=since, after=None)
    assert deletions is not None
    assert document in {one.erp_id for one in deletions.records}
    harness.pass_time(120)
    again = await harness.connect().orders.read(order.erp_id)
    assert [line.billed for line in again.purchase_order.lines] == [line.billed for line in order.lines]


def test_every_switch_is_moved_or_left_out_for_a_reason() -> None:
    """A new switch is run through by itself; one that is left out says why."""
    moved = {name for position in POSITIONS.values() for name in position}
    assert moved.isdisjoint(LEFT_OUT)
    assert moved | LEFT_OUT.keys() == SWITCHES.keys()
    choices = sum(max(1, len(switch.choices) - 1) for name, switch in SWITCHES.items() if name not in LEFT_OUT)
    assert len(POSITIONS) == choices


@pytest.mark.parametrize("answer", ["throttle_429", "throttle_403", "own_code"])
async def test_the_months_reads_used_up(
    harness: QuickBooksHarness, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads wait, a bill with freight and a payment still go out; whatever the refusal looks like."""
    used_up_at_once(monkeypatch)
    connector = with_charges(harness)
    order = await the_order(connector)
    await harness.synced_lists.sync(connector)
    harness.switch(monthly_reads=1, quota_answer=answer)
    caught = await refused(connector.orders.read, ErpId(order.erp_id))
    assert caught.code == "ERP_QUOTA"
    assert caught.retry_after is not None
    assert caught.retry_after >= timedelta(minutes=1)
    harness.forget_calls()
    bill = charged(a_bill_for(order, "quota-1"))
    pushed = await push(connector, bill)
    assert (pushed.linked, pushed.total, len(harness.bills_with("quota-1"))) == (True, bill.total, 1)
    payment = a_payment_of(bill, pushed, "quota-p", Decimal(5))
    paid = await connector.payments.read_back(payment, await connector.payments.create(payment))
    assert (paid.settled, paid.amount, paid.bill_paid, paid.bill_due) == (True, Decimal(5), None, None)
    assert [one.shares for one in harness.payments_with("quota-p")] == [((pushed.erp_id, Decimal(5)),)]
    assert harness.calls()["by_operation"] == {"query": 1, "create": 2}  # one look-up, in vain


async def test_a_payment_in_doubt_waits_for_reads(harness: QuickBooksHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer was lost: nobody sends it again before it was looked up, and then it is adopted."""
    used_up_at_once(monkeypatch, probe=timedelta(0))
    connector = harness.connect()
    bill = a_bill_for(await the_order(connector), "doubt-1")
    pushed = await push(connector, bill)
    await harness.synced_lists.sync(connector)
    harness.switch(monthly_reads=1, request_id="ignored")
    payment = a_payment_of(bill, pushed, "doubt-p")
    harness.fault("lost_answer", "create_payment")
    with pytest.raises(OutcomeUnknown):
        await connector.payments.create(payment)
    assert (await refused(connector.payments.find, payment)).code == "ERP_QUOTA"
    harness.switch(monthly_reads=0)
    (sent,) = harness.payments_with("doubt-p")
    assert await connector.payments.find(payment) == sent.erp_id


async def test_with_several_payable_accounts_a_payment_waits_for_its_bill(
    harness: QuickBooksHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the bill says which of them is its own, and QuickBooks ties no documents of different ones together."""
    used_up_at_once(monkeypatch)
    connector = harness.connect()
    bill = a_bill_for(await the_order(connector), "several-1")
    pushed = await push(connector, bill)
    await harness.synced_lists.sync(connector)
    (payable,) = [one for one in harness.synced_lists.held if one.attributes.get("account_type") == "Accounts Payable"]
    harness.synced_lists.held.append(payable.model_copy(update={"erp_id": "4711", "name": "Payables abroad"}))
    harness.switch(monthly_reads=1)
    assert (await refused(connector.payments.create, a_payment_of(bill, pushed, "several-p"))).code == "ERP_QUOTA"
    assert harness.payments_with("several-p") == []


@pytest.fixture
async def pushed_unread(
    harness: QuickBooksHarness, monkeypatch: pytest.MonkeyPatch
) -> tuple[ErpConnector, BillToPush, PushedBill]:
    """A bill that is in QuickBooks, and a worker that knows of it only what is stored, when the reads are used up."""
    used_up_at_once(monkeypatch)
    connector = harness.connect()
    bill = a_bill_for(await the_order(connector), "unread-1", lines=2)
    pushed = await push(connector, bill)
    connector = harness.connect()
    await connector.check()
    harness.switch(monthly_reads=1)
    harness.forget_calls()
    return connector, bill, pushed


async def test_a_bill_is_taken_back_while_reads_are_used_up(
    harness: QuickBooksHarness, pushed_unread: tuple[ErpConnector, BillToPush, PushedBill]
) -> None:
    """Writes go on: by the SyncToken of our last answer, and the answer of the deletion is its read-back."""
    connector, bill, pushed = pushed_unread
    outgoing = to_take_back(bill, pushed).model_copy(update={"seen_unpaid_as": pushed.revision})
    assert connector.retractions is not None
    await connector.retractions.take_back(outgoing)
    assert (await connector.retractions.read_back(outgoing)).snapshot is None
    assert harness.bills_with("unread-1") == []
    assert harness.calls()["by_operation"].get("delete") == 1


@pytest.mark.parametrize("why", ["paid", "edited", "never seen", "seen in part"])
async def test_a_bill_that_changed_waits_for_reads(
    harness: QuickBooksHarness, pushed_unread: tuple[ErpConnector, BillToPush, PushedBill], why: str
) -> None:
    """A stale token, or nothing known of what is paid: it is not deleted before it was looked at; that is said."""
    connector, bill, pushed = pushed_unread
    seen: str | None = pushed.revision
    if why == "paid":
        harness.person("pay_bill", number=bill.number, amount="1")
    elif why == "edited":
        harness.person("edit_bill", key="unread-1", due_date="2027-01-31")
    else:
        seen = None if why == "never seen" else pushed.revision[:19]
    outgoing = to_take_back(bill, pushed).model_copy(update={"seen_unpaid_as": seen})
    assert connector.retractions is not None
    caught = await refused(connector.retractions.take_back, outgoing)
    assert (caught.code, len(harness.bills_with("unread-1"))) == ("ERP_QUOTA", 1)
    assert bill.number in caught.message
    if why == "edited":
        harness.switch(monthly_reads=0)
        again = harness.connect().retractions
        assert again is not None
        await again.take_back(outgoing)
        assert harness.bills_with("unread-1") == []


async def test_an_edit_goes_out_while_reads_are_used_up(
    harness: QuickBooksHarness, pushed_unread: tuple[ErpConnector, BillToPush, PushedBill]
) -> None:
    """Memo and due date need no more than the SyncToken of our last answer; lines and links stay as they are."""
    connector, bill, pushed = pushed_unread
    edit = bill.model_copy(update={"memo": "another", "edited": frozenset({"memo"}), "seen_as": pushed.revision})
    await connector.bills.update(edit, pushed.document_id, edition=1)
    after = await connector.bills.read_back(edit, pushed.document_id)
    assert (after.linked, after.differences, after.total) == (True, (), bill.total)
    # The next edit goes by the answer to this one; the token of before is stale, and waits.
    later = edit.model_copy(update={"memo": "a third", "seen_as": after.revision})
    await connector.bills.update(later, pushed.document_id, edition=2)
    stale = later.model_copy(update={"memo": "a fourth"})
    caught = await refused(connector.bills.update, stale, pushed.document_id)
    assert (caught.code, bill.number in caught.message) == ("ERP_QUOTA", True)
    assert len(harness.bills_with("unread-1")) == 1


async def test_an_edit_of_lines_waits_for_reads(
    harness: QuickBooksHarness, pushed_unread: tuple[ErpConnector, BillToPush, PushedBill]
) -> None:
    """3.3: lines are replaced as a whole, so they have to be seen as they are now; what waits for it says so."""
    connector, bill, pushed = pushed_unread
    first = bill.lines[0].model_copy(update={"description": "other", "edited": frozenset({"description"})})
    edit = bill.model_copy(update={"lines": (first, *bill.lines[1:]), "seen_as": pushed.revision})
    caught = await refused(connector.bills.update, edit, pushed.document_id)
    assert (caught.code, "lines" in caught.message) == ("ERP_QUOTA", True)
    harness.switch(monthly_reads=0)
    connector = harness.connect()
    await connector.bills.update(edit, pushed.document_id, edition=1)
    assert (await connector.bills.read_back(edit, pushed.document_id)).differences == ()


async def test_a_throttle_says_when_to_come_back(harness: QuickBooksHarness, connector: ErpConnector) -> None:
    """500 a minute: a minute without a Retry-After, and nothing was done."""
    harness.switch(requests_per_minute=1)
    caught = await refused(connector.check)
    assert (caught.code, caught.retry_after) == ("ERP_THROTTLED", timedelta(seconds=60))


async def refused(call: Callable[..., Awaitable[Any]], *arguments: Any) -> Throttled:
    """The throttle that comes at the latest with the third call."""
    more = {"edition": 3} if call.__name__ == "update" else {}
    for _ in range(3):
        try:
            await call(*arguments, **more)
        except Throttled as throttled:
            return throttled
    raise AssertionError("nothing was throttled")


@pytest.fixture
def connector(harness: QuickBooksHarness) -> ErpConnector:
    return harness.connect()


def an_upload(harness: QuickBooksHarness, upload_as: UploadAs, key: str, **changes: Any) -> OrderToUpload:
    vendors, items, accounts = (harness.held(kind) for kind in ("vendors", "items", "accounts"))
    item = next(one["record_no"] for one in items if one["key"] == "DRILL-18")
    account = next(one["record_no"] for one in accounts if one["key"] == "6500")
    lines = (
        LineToUpload(line_no=1, item_id=item, quantity=Decimal(3), price=Decimal("12.345"), amount=Decimal("37.04")),
        LineToUpload(line_no=2, account_id=account, description="Freight", amount=Decimal(10)),
    )
    values: dict[str, Any] = {
        "external_key": ExternalKey(key),
        "upload_as": upload_as,
        "vendor_id": vendors[0]["record_no"],
        "number": f"N-{key}",
        "reference": f"N-{key}-and-more",
        "dated": date(2026, 3, 2),
        "currency": "USD",
        "memo": "for the site",
        "lines": lines,
        **changes,
    }
    return OrderToUpload(**values)


@pytest.mark.parametrize("position", [{}, UNKIND, REFUSING], ids=["usual", "unkind", "refusing"])
@pytest.mark.parametrize("upload_as", list(UploadAs))
async def test_an_order_of_another_system_is_made_once(
    harness: QuickBooksHarness, upload_as: UploadAs, position: dict[str, Any]
) -> None:
    """S3-03, 12: through a lost answer and by two workers, with a whole reference in the note; and read back."""
    harness.switch(**position)
    sink = harness.connect().order_sink
    assert sink is not None
    order = an_upload(harness, upload_as, "PSS-1")
    kind = {UploadAs.BILL: "Bill", UploadAs.PURCHASE_ORDER: "PurchaseOrder"}[upload_as]
    rule = {"erp": "quickbooks_online", "kind": "lost_answer", "operation": "create", "object": kind, "times": 1}
    harness.sandbox.post("/faults", {"rules": [rule]})
    with pytest.raises(OutcomeUnknown):
        await sink.create(order)
    erp_id = await sink.find(order)
    assert erp_id is not None
    other = harness.connect().order_sink
    assert other is not None
    assert await other.create(order) == erp_id
    done = await other.read_back(order, erp_id)
    assert (done.total, done.differences) == (Decimal("47.04"), ())
    records = harness.held("bills" if kind == "Bill" else "purchase_orders")
    held = [one for one in records if one["number"] == order.number]
    assert len(held) == 1
    assert "Reference: N-PSS-1-and-more" in held[0]["memo"]


async def test_a_number_of_an_upload_repeats_only_by_a_person(harness: QuickBooksHarness) -> None:
    """6.2: the override is sent where a person decided it, and else the number is refused before anything is sent."""
    harness.switch(duplicate_numbers="vendor")
    sink = harness.connect().order_sink
    assert sink is not None
    first = an_upload(harness, UploadAs.BILL, "PSS-1", number="SAME")
    await sink.create(first)
    second = first.model_copy(update={"external_key": ExternalKey("PSS-2")})
    with pytest.raises(Rejected) as caught:
        await sink.create(second)
    assert caught.value.code == "NUMBER_TAKEN"
    await sink.create(second.model_copy(update={"may_repeat_number": True}))
    assert [one["number"] for one in harness.held("bills")].count("SAME") == 2


async def test_an_upload_costs_one_read_and_one_write(harness: QuickBooksHarness) -> None:
    """Numbers: the answer of the write is its read-back; the mirror knows items, accounts and vendors."""
    sink = harness.connect().order_sink
    assert sink is not None
    order = an_upload(harness, UploadAs.BILL, "PSS-1")
    before = harness.sandbox.get("/calls")["by_operation"]
    await sink.read_back(order, await sink.create(order))
    after = harness.sandbox.get("/calls")["by_operation"]
    assert {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)} == {
        "query": 1,
        "create": 1,
    }


@pytest.mark.parametrize("position", [{}, {"header_link": "required"}, {"linked_order_stamp": "still"}])
async def test_a_dropped_link_is_repaired_on_the_same_bill(
    harness: QuickBooksHarness, position: dict[str, Any]
) -> None:
    """6.2: only a new line takes a link. What was linked stays; nothing is sent where nothing is missing."""
    harness.switch(**position)
    connector = harness.connect()
    order = await the_order(connector)
    bill = a_bill_for(order, "repair-1", lines=2)
    harness.fault("link_dropped", "create_bill")
    document = await connector.bills.create(bill)
    assert not (await connector.bills.read_back(bill, document)).linked
    assert await connector.bills.repair_link(bill, document)
    pushed = await connector.bills.read_back(bill, document)
    assert (pushed.linked, pushed.differences) == (True, ())
    assert len(harness.bills_with("repair-1")) == 1
    assert not await connector.bills.repair_link(bill, document)


async def test_a_link_to_a_closed_order_is_not_repaired(harness: QuickBooksHarness) -> None:
    """It would be dropped again: a person decides."""
    connector = harness.connect()
    order = await the_order(connector)
    bill = a_bill_for(order, "repair-2")
    harness.fault("link_dropped", "create_bill")
    document = await connector.bills.create(bill)
    harness.person("close", number=OPEN_ORDER)
    assert not await connector.bills.repair_link(bill, document)
