"""What every connector reads, whatever the ERP does meanwhile."""

import asyncio
import logging
from decimal import Decimal

import pytest

from erp.connector import ErpConnector
from erp.errors import AuthenticationFailed, ErpError, MalformedAnswer, NotFound, Throttled, Unavailable
from models.domain import DeletedKind, ErpId, ListKind, MatchMode, Stream
from tests.conformance.world import OPEN_ORDER, World, a_bill_for, all_orders, push, the_order

# --- settings --------------------------------------------------------------------------------------------------


async def test_check_signs_in(world: World, connector: ErpConnector) -> None:
    """The connection page's first question (S2-04)."""
    found = await connector.check()
    assert (found.company, found.entity) == (world.company, world.entity)
    assert found.capabilities == connector.capabilities


async def test_wrong_credentials_are_told_apart(world: World) -> None:
    """S2-24, S2-51: which of them is wrong, as far as the ERP says."""
    told = {}
    for what, (changed, _) in world.wrong.items():
        with pytest.raises(AuthenticationFailed) as caught:
            await world.connect(credentials=changed).check()
        told[what] = caught.value.code
    assert told == {what: code for what, (_, code) in world.wrong.items()}


@pytest.mark.trait("user_time_zone")
async def test_dates_that_would_be_misread_are_a_problem(world: World, connector: ErpConnector) -> None:
    """Reference 2.4: the user's time zone."""
    world.switch(utc_offset_minutes=-480)
    problems = await connector.check_preferences(world.settings()["preferences"])
    assert [problem.code for problem in problems] == ["USER_TIME_ZONE"]


async def test_good_preferences_have_no_problem(world: World, connector: ErpConnector) -> None:
    """S4-62."""
    given = world.settings()["preferences"]
    assert list(await connector.check_preferences(given)) == []
    changed, code = world.misspelt
    problems = await connector.check_preferences({**given, **changed})
    assert [(problem.code, problem.preference) for problem in problems] == [(code, name) for name in changed]


# --- records ---------------------------------------------------------------------------------------------------


async def test_orders_come_as_the_erp_holds_them(world: World, connector: ErpConnector) -> None:
    """S5-78..100: every order of the entity, line by line."""
    orders = await all_orders(connector)
    entity = world.entity
    held = {order["number"]: order for order in world.held("purchase_orders") if order["entity"] in ("", entity)}
    assert orders.keys() == held.keys()
    assert len(orders) > 10
    for number, order in orders.items():
        theirs = held[number]
        assert (order.erp_status, order.vendor_id) == (theirs["state"], theirs["vendor_id"])
        assert order.total == Decimal(theirs["total"])
        assert [
            (line.line_no, line.item_id, line.quantity, line.price, line.amount, line.billed) for line in order.lines
        ] == [
            (line["line_no"], line["item_id"], Decimal(line["quantity"]), Decimal(line["price"]),
             Decimal(line["amount"]), Decimal(line["converted"]))
            for line in theirs["lines"]
        ]  # fmt: skip
        assert connector.statuses(order.erp_status, MatchMode.THREE_WAY) is not None


async def test_records_are_whole_and_checked(connector: ErpConnector) -> None:
    """Whatever way a record was made, checking it again changes nothing."""
    for order in (await all_orders(connector)).values():
        again = type(order).model_validate(order.model_dump())
        assert again == order
        assert again.model_fields_set == order.model_fields_set


async def test_the_top_level_sees_every_entity(world: World) -> None:
    """S2-11, reference 7.1: without an entity all orders, bills and payments are seen, private ones included."""
    connector = world.connect(credentials={"entity": ""})
    assert (await all_orders(connector)).keys() == {order["number"] for order in world.held("purchase_orders")}
    bills = await connector.bills(since=None, after=None)
    assert not bills.bad
    assert {bill.erp_id for bill in bills.records} == {bill["record_no"] for bill in world.held("bills")}
    payments = await connector.payments(since=None, after=None)
    assert not payments.bad
    assert {payment.erp_id for payment in payments.records} == {held["record_no"] for held in world.held("payments")}


async def test_bills_and_payments_come_with_what_is_paid(world: World) -> None:
    """Bills made and paid in the ERP come back, with the order they bill (ruling G8)."""
    connector = world.connect(credentials={"entity": ""})
    bills = {bill.erp_id: bill for bill in (await connector.bills(since=None, after=None)).records}
    payments = {payment.erp_id: payment for payment in (await connector.payments(since=None, after=None)).records}
    invoices = {invoice["document_id"]: invoice for invoice in world.held("vendor_invoices")}
    for theirs in world.held("bills"):
        bill = bills[theirs["record_no"]]
        assert (bill.total, bill.paid, bill.due) == tuple(Decimal(theirs[name]) for name in ("total", "paid", "due"))
        assert (bill.number, bill.state) == (theirs["number"], theirs["state"])
        assert bill.source_document == (theirs["source_document"] or None)
        assert [line.amount for line in bill.lines] == [Decimal(line["amount"]) for line in theirs["lines"]]
        if bill.source_document:
            source = invoices[bill.source_document]["created_from"] or None
            assert source in (bill.order_document, bill.receipt_document)
    for held in world.held("payments"):
        shares = [(share.bill_erp_id, share.amount) for share in payments[held["record_no"]].shares]
        assert shares == [(detail["bill_record_no"], Decimal(detail["amount"])) for detail in held["details"]]


async def test_receipts_come_with_the_order_lines_they_received(world: World) -> None:
    """S5-113..128."""
    connector = world.connect(credentials={"entity": ""})
    receipts = {receipt.number: receipt for receipt in (await connector.receipts(since=None, after=None)).records}
    assert receipts.keys() == {receipt["number"] for receipt in world.held("receipts")}
    for held in world.held("receipts"):
        receipt = receipts[held["number"]]
        assert receipt.order_document == held["created_from"]
        assert connector.receipt_status(receipt.erp_status) is not None
        assert [(line.order_line, line.quantity) for line in receipt.lines] == [
            (line["source_line"], Decimal(line["quantity"])) for line in held["lines"]
        ]


async def test_lists_come_in(world: World, connector: ErpConnector) -> None:
    """S2-06, also page by page: the same entries."""
    whole = await connector.list_entries(list(ListKind), since=None, after=None)
    assert whole.after is None
    vendors = {entry.key for entry in whole.records if entry.kind is ListKind.VENDOR}
    assert vendors == {vendor["vendorid"] for vendor in world.held("vendors")}
    small, after, paged = world.connect(page_size=3), None, []
    while True:
        page = await small.list_entries(list(ListKind), since=None, after=after)
        paged += page.records
        after = page.after
        if after is None:
            break
    assert sorted(map(repr, paged)) == sorted(map(repr, whole.records))


async def test_one_order_whole(world: World, connector: ErpConnector) -> None:
    """The double sync's read (S4-65..67): order, receipts, and what bills it."""
    order = await the_order(connector)
    pushed = await push(connector, a_bill_for(order, "whole-1", lines=2))
    snapshot = await connector.purchase_order(order.erp_id)
    assert snapshot.purchase_order.number == OPEN_ORDER
    assert [line.billed for line in snapshot.purchase_order.lines[:2]] == [Decimal(1), Decimal(1)]
    assert {billing.document_number for billing in snapshot.billings} == {"whole-1"}
    assert pushed.snapshot is not None
    # How new an order read whole is may be told by the ERP's clock.
    order = snapshot.purchase_order.model_copy(update={"revision": pushed.snapshot.purchase_order.revision})
    assert pushed.snapshot == snapshot.model_copy(update={"purchase_order": order})


async def test_many_orders_whole(connector: ErpConnector) -> None:
    """As one by one; what the ERP cannot show is left out."""
    order = await the_order(connector)
    await push(connector, a_bill_for(order, "many-1"))
    (snapshot,) = await connector.purchase_orders_whole([order.erp_id, ErpId("999999")])
    alone = await connector.purchase_order(order.erp_id)
    assert (snapshot.purchase_order.lines, snapshot.billings) == (alone.purchase_order.lines, alone.billings)


async def test_who_tells_what_credits_take_back(world: World, connector: ErpConnector) -> None:
    """Where nobody does, nothing is ever freed."""
    assert connector.capabilities.credits_name_orders is ("credits_name_orders" in world.traits)


@pytest.mark.trait("credits_name_orders")
@pytest.mark.parametrize("lowers", [False, True], ids=["E stays", "E falls"])
async def test_a_credit_names_the_order_lines_it_takes_back(
    world: World, connector: ErpConnector, lowers: bool
) -> None:
    """R01: billed less credited is the same, whether the ERP takes the credit off its own figure or not."""
    world.switch(credits_lower_billed=lowers)
    order = await the_order(connector)
    bill = a_bill_for(order, "credited-1", Decimal(2))
    await push(connector, bill)
    world.person("credit_bill", number=bill.number, lines=[{"line": 1, "quantity": "1"}], document_number="CM-1")
    page = await connector.bills(since="2000-01-01 00:00:00", after=None)
    (credit,) = [one for one in page.records if one.number == "CM-1"]
    (line,) = credit.lines
    assert (line.order_line, line.order_document, line.quantity) == (
        order.lines[0].erp_id, order.document_id, Decimal(-1),
    )  # fmt: skip
    (share,) = credit.applied
    assert credit.total == -share.amount
    snapshot = await connector.purchase_order(order.erp_id)
    billed = snapshot.purchase_order.lines[0].billed
    freed = sum((one.quantity for one in snapshot.credits), Decimal(0))
    assert (billed, billed - freed) == (Decimal(1) if lowers else Decimal(2), Decimal(1))
    assert [one.document_number for one in snapshot.billings] == ["credited-1"]


async def test_an_order_that_is_not_there(connector: ErpConnector) -> None:
    """NotFound, never an empty order."""
    with pytest.raises(NotFound):
        await connector.purchase_order(ErpId("999999"))


# --- pages -----------------------------------------------------------------------------------------------------


def _many(count: int) -> dict[str, list[dict[str, str]]]:
    return {
        "purchase_orders": [
            {
                "po_number": f"M-{number:04}",
                "vendor_id": "V-100",
                "po_date": "2026-01-05",
                "currency": "USD",
                "entity": "100",
                "line_no": str(line),
                "item_id": "PAPER-A4",
                "quantity": "2",
                "price": "3.50",
                "location": "100",
            }
            for number in range(1, count + 1)
            for line in (1, 2)
        ]
    }


async def test_three_hundred_orders_in_small_pages(world: World) -> None:
    """Every order once, whatever the page size."""
    world.load(_many(300))
    orders = await all_orders(world.connect(page_size=40))
    assert sum(number.startswith("M-") for number in orders) == 300
    assert all(len(order.lines) == 2 for number, order in orders.items() if number.startswith("M-"))


async def test_paging_while_data_changes(world: World) -> None:
    """Orders added, changed and deleted between pages: the others come exactly once."""
    world.load(_many(60))
    connector = world.connect(page_size=10)
    seen: list[str] = []
    after, page_no = None, 0
    while True:
        page = await connector.purchase_order_headers(since=None, ordered_from=None, after=after, open_in=None)
        seen += [header.number for header in page.records]
        after, page_no = page.after, page_no + 1
        if after is None:
            break
        world.person("delete", kind="purchase_order", number=f"M-{page_no:04}")
        world.person("edit_purchase_order", number=f"M-{60 - page_no:04}", memo="changed")
    unchanged = {f"M-{number:04}" for number in range(page_no, 61)}
    assert unchanged <= set(seen)
    assert len(seen) == len(set(seen))


async def test_a_row_shown_twice_counts_once(world: World, connector: ErpConnector) -> None:
    """A page that is being changed may show a record twice."""
    before = await all_orders(connector)
    world.fault("duplicate_row", "read", object=world.kinds["order"])
    assert (await all_orders(connector)).keys() == before.keys()


@pytest.mark.parametrize("kind", ["truncated", "malformed", "html_error"])
async def test_a_broken_page_is_not_used(world: World, connector: ErpConnector, kind: str) -> None:
    """Half an answer is no answer; the next call is good again."""
    await connector.check()
    world.fault(kind, "read")
    with pytest.raises(MalformedAnswer):
        await all_orders(connector)
    assert await all_orders(connector)


async def test_a_bad_record_is_named_and_the_others_come(world: World, connector: ErpConnector) -> None:
    """Fault F13: a mandatory field is missing in one order."""
    whole = await connector.purchase_order_headers(since=None, ordered_from=None, after=None, open_in=None)
    world.fault("missing_field", "read", object=world.kinds["order"])
    page = await connector.purchase_order_headers(since=None, ordered_from=None, after=None, open_in=None)
    assert [bad.code for bad in page.bad] == ["MISSING_FIELD"]
    assert {header.erp_id for header in page.records} | {bad.erp_id for bad in page.bad} == {
        header.erp_id for header in whole.records
    }


async def test_an_unknown_status_has_no_meaning(world: World, connector: ErpConnector) -> None:
    """Ruling G3: the word is handed on as it is, and nobody guesses."""
    world.fault("unknown_state", "read", object=world.kinds["order"], record=world.open_record)
    page = await connector.purchase_order_headers(since=None, ordered_from=None, after=None, open_in=None)
    strange = [header for header in page.records if connector.statuses(header.erp_status, MatchMode.TWO_WAY) is None]
    assert [header.number for header in strange] == [OPEN_ORDER]


# --- what changed ----------------------------------------------------------------------------------------------


async def _cursors(connector: ErpConnector) -> dict[Stream, str]:
    """Where a full read of every stream leaves the cursors."""
    headers = await connector.purchase_order_headers(since=None, ordered_from=None, after=None, open_in=None)
    pages = {
        Stream.LISTS: await connector.list_entries(list(ListKind), since=None, after=None),
        Stream.PURCHASE_ORDERS: headers,
        Stream.RECEIPTS: await connector.receipts(since=None, after=None),
        Stream.BILLS: await connector.bills(since=None, after=None),
        Stream.PAYMENTS: await connector.payments(since=None, after=None),
    }
    cursors = {stream: page.high_water for stream, page in pages.items() if page.high_water is not None}
    return {**cursors, Stream.DELETIONS: max(cursors.values())}


async def test_an_unchanged_peek_takes_few_calls(world: World, connector: ErpConnector) -> None:
    """Nothing but what is held already, in as few calls as the ERP allows."""
    cursors = await _cursors(connector)
    held = {(Stream.PURCHASE_ORDERS, order.erp_id): order.revision for order in (await all_orders(connector)).values()}
    world.forget_calls()
    peek = await connector.peek(cursors)
    assert world.calls()["requests"] == world.peek_calls
    assert not peek.unread
    known = [held.get((stamp.stream, stamp.erp_id), cursors[stamp.stream]) for stamp in peek.stamps]
    assert all(stamp.revision <= revision for stamp, revision in zip(peek.stamps, known, strict=True))


async def test_a_peek_shows_every_kind_of_change(world: World, connector: ErpConnector) -> None:
    """An order edited, a vendor edited, a bill added and paid, an order deleted."""
    cursors = await _cursors(connector)
    world.pass_time(4 * 3600)
    order = await the_order(connector)
    world.person("edit_purchase_order", number=OPEN_ORDER, memo="changed")
    world.person("edit_vendor", vendor_id="V-100", name="Renamed")
    world.person("add_bill", vendor_id="V-100", number="X-1", amount="10.00", entity=world.entity, po_number=OPEN_ORDER)
    world.person("pay_bill", number="X-1")
    gone = next(
        one
        for one in world.held("purchase_orders")
        if one["entity"] == world.entity and one["state"] == world.never_open
    )
    world.person("delete", kind="purchase_order", number=gone["number"])
    peek = await connector.peek(cursors)
    news = {(stamp.stream, stamp.erp_id) for stamp in peek.stamps if stamp.revision > max(cursors.values())}
    assert (Stream.PURCHASE_ORDERS, order.erp_id) in news
    assert (Stream.DELETIONS, gone["record_no"]) in news
    assert {stream for stream, _ in news} >= {Stream.LISTS, Stream.BILLS, Stream.PAYMENTS}


@pytest.mark.parametrize("touched", [True, False])
async def test_a_changed_line_is_seen_whether_or_not_its_header_is(world: World, touched: bool) -> None:
    """Nobody documents that a line's change touches its header (Intacct 2.5 point 5, NetSuite 5.1)."""
    connector = world.connect()
    cursors = await _cursors(connector)
    before = await the_order(connector)
    world.pass_time(4 * 3600)
    world.order_moved(with_header=touched)
    peek = await connector.peek({Stream.PURCHASE_ORDERS: cursors[Stream.PURCHASE_ORDERS]})
    stamp = max(stamp.revision for stamp in peek.stamps if stamp.erp_id == before.erp_id)
    after = (await all_orders(connector, since=cursors[Stream.PURCHASE_ORDERS]))[OPEN_ORDER]
    assert after.lines[0] != before.lines[0]
    assert before.revision < stamp == after.revision


async def test_records_never_changed_are_seen(world: World, connector: ErpConnector) -> None:
    """Reference 2.5 point 2: a new record may have no modification stamp."""
    cursors = await _cursors(connector)
    world.pass_time(4 * 3600)
    world.load({"vendors": [{"vendor_id": "V-NEW", "name": "New"}]})
    page = await connector.list_entries([ListKind.VENDOR], since=cursors[Stream.LISTS], after=None)
    new = next(entry for entry in page.records if entry.name == "New")
    assert new.revision is not None
    assert new.revision > cursors[Stream.LISTS]
    peek = await connector.peek(cursors)
    assert (Stream.LISTS, "vendor", new.erp_id) in {(stamp.stream, stamp.kind, stamp.erp_id) for stamp in peek.stamps}


async def test_deletions(world: World, connector: ErpConnector) -> None:
    """S5-78: orders deleted since the last sync, however the feed spells their keys."""
    cursors = await _cursors(connector)
    gone = next(
        one
        for one in world.held("purchase_orders")
        if one["entity"] == world.entity and one["state"] == world.never_open
    )
    world.person("delete", kind="purchase_order", number=gone["number"])
    for spelling in world.deletion_spellings:
        world.spell_deletions(spelling)
        found = await connector.deletions(since=cursors[Stream.DELETIONS], after=None)
        assert [(deletion.kind, deletion.erp_id) for deletion in found.records] == [
            (DeletedKind.PURCHASE_ORDER_DOCUMENT, gone["record_no"])
        ]


@pytest.mark.trait("back_orders")
async def test_back_orders_name_what_they_continue(world: World, connector: ErpConnector) -> None:
    """S5-25: the chain of documents can be followed."""
    world.person("set_conversion_mode", mode="Close Original and Create Back Order")
    order = await the_order(connector)
    await push(connector, a_bill_for(order, "back-1"))
    back = next(one for one in (await all_orders(connector)).values() if one.created_from == order.document_id)
    assert back.lines[0].source_line in {line.erp_id for line in order.lines}


# --- the ERP's state -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("unavailable", Unavailable),
        ("offline", Unavailable),
        ("lost_request", Unavailable),
        ("lost_answer", Unavailable),
        ("gateway_timeout", Unavailable),
        ("throttled", Throttled),
        ("permission_denied", AuthenticationFailed),
    ],
)
async def test_outages_on_reads(world: World, connector: ErpConnector, kind: str, family: type[ErpError]) -> None:
    """DESIGN section 6: waiting helps, and the next read is good."""
    await connector.check()
    world.fault(kind, "read", **({"object": world.kinds["order"]} if kind == "permission_denied" else {}))
    with pytest.raises(ErpError) as caught:
        await all_orders(connector)
    assert type(caught.value) is family
    assert caught.value.retryable
    assert (caught.value.retry_after is not None) == (family is Throttled)
    assert await all_orders(connector)


async def test_an_erp_that_is_not_there(world: World) -> None:
    """Nobody listens."""
    endpoint = world.settings()["endpoint"].replace(str(world.sandbox.url), "http://127.0.0.1:9")
    with pytest.raises(Unavailable) as caught:
        await world.connect(endpoint=endpoint).check()
    assert caught.value.code == "ERP_UNREACHABLE"


@pytest.mark.trait("sessions")
async def test_an_expired_session_is_renewed_unseen(world: World, connector: ErpConnector) -> None:
    """Once, and without the caller noticing."""
    await connector.check()
    world.forget_calls()
    world.fault("session_expired", "read")
    assert await all_orders(connector)
    assert world.calls()["by_operation"]["getAPISession"] == 1


async def test_a_session_outlived_by_the_clock_is_renewed(world: World, connector: ErpConnector) -> None:
    """A night without work."""
    await connector.check()
    world.pass_time(48 * 3600)
    assert await all_orders(connector)


async def test_a_slow_answer_is_given_up(world: World) -> None:
    """A timeout on every call."""
    connector = world.connect(timeout_seconds=0.2)
    await connector.check()
    world.fault("slow", "read", seconds=1)
    with pytest.raises(Unavailable):
        await all_orders(connector)


async def test_calls_in_flight_are_limited(world: World) -> None:
    """Over all connections to one company: what the ERP's plan allows (reference 6.4)."""
    world.switch(latency_seconds=0.01)
    connectors = [world.connect(), world.connect(credentials={"entity": world.other_entity})]
    world.forget_calls()
    await asyncio.gather(*(all_orders(connector) for connector in connectors for _ in range(4)))
    assert world.calls()["max_in_flight"] == 1


async def test_secrets_are_never_shown(world: World, connector: ErpConnector, caplog: pytest.LogCaptureFixture) -> None:
    """In no log at the lowest level, no exception, no repr."""
    caplog.set_level(logging.DEBUG)
    shown = [repr(connector)]
    for kind in ("unavailable", "malformed", "lost_answer"):
        world.fault(kind)
        with pytest.raises(ErpError) as caught:
            await connector.check()
        shown += [repr(caught.value), str(caught.value.evidence)]
    await all_orders(connector)
    shown.append(caplog.text)
    assert not [text for text in shown for secret in world.secrets() if secret in text]
