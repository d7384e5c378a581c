"""What every connector reads, whatever the ERP does meanwhile."""

import asyncio
import logging
from decimal import Decimal

import pytest

from erp.connector import ErpConnector
from erp.errors import AuthenticationFailed, ErpError, MalformedAnswer, NotFound, Throttled, Unavailable
from erp.support import SUPPORT
from models.domain.bills import BillLineSource
from models.domain.connections import MatchMode
from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.sync import DeletedKind, Stream
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    ErpHarness,
    SandboxOrderLine,
    a_bill_for,
    all_orders,
    push,
    the_order,
)

# --- settings --------------------------------------------------------------------------------------------------


async def test_check_signs_in(harness: ErpHarness, connector: ErpConnector) -> None:
    """The connection page's first question (S2-04)."""
    found = await connector.check()
    assert (found.company, found.entity) == (harness.company, harness.entity)
    assert found.capabilities == connector.capabilities
    assert found.base_currency == "USD"


async def test_the_support_matrix_says_what_a_connection_offers(harness: ErpHarness, connector: ErpConnector) -> None:
    """S1-04, S4-01: the matrix and the connectors are two texts of one thing."""
    offered = (await connector.check()).capabilities
    (said,) = (one for one in SUPPORT if one.erp == harness.name)
    assert (said.purchase_orders, said.order_upload) == (offered.po_in, offered.order_upload)
    assert (said.bills_without_an_order, said.credits) == (offered.direct_bills, offered.credits)
    assert said.voids_payments == offered.voids_payments
    assert set(said.lists_out) == {one.kind for one in offered.lists_out}
    assert set(offered.match_modes) <= set(said.match_modes)
    assert said.receipts or not offered.receipt_in


async def test_the_currency_of_the_books_is_the_erps_own_word(harness: ErpHarness) -> None:
    """S1-16, S2-73: a connection was taken for US dollars whatever its company said."""
    harness.keep_books_in("CAD")
    connector = harness.connect()
    try:
        assert (await connector.check()).base_currency == "CAD"
    finally:
        await connector.close()


async def test_wrong_credentials_are_told_apart(harness: ErpHarness) -> None:
    """S2-24, S2-51: which of them is wrong, as far as the ERP says."""
    told = {}
    for what, (changed, _) in harness.wrong.items():
        with pytest.raises(AuthenticationFailed) as caught:
            await harness.connect(credentials=changed).check()
        told[what] = caught.value.code
    assert told == {what: code for what, (_, code) in harness.wrong.items()}


@pytest.mark.trait("user_time_zone")
async def test_dates_that_would_be_misread_are_a_problem(harness: ErpHarness, connector: ErpConnector) -> None:
    """Reference 2.4: the user's time zone."""
    harness.switch(utc_offset_minutes=-480)
    problems = await connector.check_preferences(harness.settings()["preferences"])
    assert [problem.code for problem in problems] == ["USER_TIME_ZONE"]


async def test_good_preferences_have_no_problem(harness: ErpHarness, connector: ErpConnector) -> None:
    """S4-62."""
    arguments = harness.settings()["preferences"]
    assert list(await connector.check_preferences(arguments)) == []
    changed, code = harness.misspelt
    problems = await connector.check_preferences({**arguments, **changed})
    assert [(problem.code, problem.preference) for problem in problems] == [(code, name) for name in changed]


# --- records ---------------------------------------------------------------------------------------------------


async def test_orders_come_as_the_erp_holds_them(harness: ErpHarness, connector: ErpConnector) -> None:
    """S5-78..100: every order of the entity, line by line."""
    orders = await all_orders(connector)
    entity = harness.entity
    held = {order.number: order for order in harness.orders() if order.entity in ("", entity)}
    assert orders.keys() == held.keys()
    assert len(orders) > 10
    for number, order in orders.items():
        theirs = held[number]
        assert (order.erp_status, order.vendor_id, order.total) == (theirs.status, theirs.vendor_id, theirs.total)
        assert theirs.lines == tuple(
            SandboxOrderLine(line.line_no, line.item_id, line.quantity, line.price, line.amount, line.billed)
            for line in order.lines
        )
        assert connector.orders.statuses(order.erp_status, MatchMode.THREE_WAY) is not None


async def test_records_are_whole_and_checked(connector: ErpConnector) -> None:
    """Whatever way a record was made, checking it again changes nothing."""
    for order in (await all_orders(connector)).values():
        again = type(order).model_validate(order.model_dump())
        assert again == order
        assert again.model_fields_set == order.model_fields_set


async def test_the_top_level_sees_every_entity(harness: ErpHarness) -> None:
    """S2-11, reference 7.1: without an entity all orders, bills and payments are seen, private ones included."""
    connector = harness.connect(credentials={"entity": ""})
    assert (await all_orders(connector)).keys() == {order.number for order in harness.orders()}
    bills = await connector.bills.page(since=None, after=None)
    assert not bills.bad
    assert {bill.erp_id for bill in bills.records} == {payable.erp_id for payable in harness.payables()}
    payments = await connector.payments.page(since=None, after=None)
    assert not payments.bad
    assert {payment.erp_id for payment in payments.records} == {held.erp_id for held in harness.payments()}


async def test_bills_and_payments_come_with_what_is_paid(harness: ErpHarness) -> None:
    """Bills made and paid in the ERP come back, with the order they bill (ruling G8)."""
    connector = harness.connect(credentials={"entity": ""})
    bills = {bill.erp_id: bill for bill in (await connector.bills.page(since=None, after=None)).records}
    payments = {payment.erp_id: payment for payment in (await connector.payments.page(since=None, after=None)).records}
    created = {bill.document_id: bill for bill in harness.bills()}
    for theirs in harness.payables():
        bill = bills[theirs.erp_id]
        assert (bill.total, bill.paid, bill.due) == (theirs.total, theirs.paid, theirs.due)
        assert (bill.number, bill.state) == (theirs.number, theirs.state)
        assert bill.source_document == (theirs.document_id or None)
        assert tuple(line.amount for line in bill.lines) == theirs.amounts
        if bill.source_document:
            source = created[bill.source_document].order_document or None
            assert source in (bill.order_document, bill.receipt_document)
    for held in harness.payments():
        assert held.shares == tuple((share.bill_erp_id, share.amount) for share in payments[held.erp_id].shares)


@pytest.mark.trait("receipts")
async def test_receipts_come_with_the_order_lines_they_received(harness: ErpHarness) -> None:
    """S5-120, S5-126, S5-127: which order lines were received, and how much."""
    connector = harness.connect(credentials={"entity": ""})
    receipts = {receipt.number: receipt for receipt in (await connector.receipts.page(since=None, after=None)).records}
    assert receipts.keys() == {receipt.number for receipt in harness.receipts()}
    for held in harness.receipts():
        receipt = receipts[held.number]
        assert receipt.order_document == held.order_document
        assert connector.receipts.status(receipt.erp_status) is not None
        assert held.lines == tuple((line.order_line, line.quantity) for line in receipt.lines)


async def test_lists_come_in(harness: ErpHarness, connector: ErpConnector) -> None:
    """S2-06, also page by page: the same entries."""
    whole = await connector.lists.page(list(ListKind), since=None, after=None)
    assert whole.after is None
    vendors = {entry.key for entry in whole.records if entry.kind is ListKind.VENDOR}
    assert vendors == harness.vendors()
    small, after, paged = harness.connect(page_size=3), None, []
    while True:
        page = await small.lists.page(list(ListKind), since=None, after=after)
        paged += page.records
        after = page.after
        if after is None:
            break
    assert sorted(map(repr, paged)) == sorted(map(repr, whole.records))


async def test_one_order_whole(harness: ErpHarness, connector: ErpConnector) -> None:
    """The double sync's read (S4-65..67): order, receipts, and what bills it."""
    order = await the_order(connector)
    pushed = await push(connector, a_bill_for(order, "whole-1", lines=2))
    snapshot = await connector.orders.read(order.erp_id)
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
    (snapshot,) = await connector.orders.read_many([order.erp_id, ErpId("999999")])
    alone = await connector.orders.read(order.erp_id)
    assert (snapshot.purchase_order.lines, snapshot.billings) == (alone.purchase_order.lines, alone.billings)


async def test_who_tells_what_credits_take_back(harness: ErpHarness, connector: ErpConnector) -> None:
    """Where nobody does, nothing is ever freed."""
    assert connector.capabilities.credits_name_orders is ("credits_name_orders" in harness.traits)


@pytest.mark.trait("credits_name_orders")
@pytest.mark.parametrize("lowers", [False, True], ids=["E stays", "E falls"])
async def test_a_credit_names_the_order_lines_it_takes_back(
    harness: ErpHarness, connector: ErpConnector, lowers: bool
) -> None:
    """R01: billed less credited is the same, whether the ERP takes the credit off its own figure or not."""
    harness.switch(credits_lower_billed=lowers)
    order = await the_order(connector)
    bill = a_bill_for(order, "credited-1", Decimal(2))
    await push(connector, bill)
    harness.person("credit_bill", number=bill.number, lines=[{"line": 1, "quantity": "1"}], document_number="CM-1")
    page = await connector.bills.page(since="2000-01-01 00:00:00", after=None)
    (credit,) = [one for one in page.records if one.number == "CM-1"]
    (line,) = credit.lines
    assert (line.order_line, line.order_document, line.quantity) == (
        order.lines[0].erp_id, order.document_id, Decimal(-1),
    )  # fmt: skip
    (share,) = credit.applied
    assert credit.total == -share.amount
    snapshot = await connector.orders.read(order.erp_id)
    billed = snapshot.purchase_order.lines[0].billed
    freed = sum((one.quantity for one in snapshot.credits), Decimal(0))
    assert (billed, billed - freed) == (Decimal(1) if lowers else Decimal(2), Decimal(1))
    assert [one.document_number for one in snapshot.billings] == ["credited-1"]


async def test_an_order_that_is_not_there(connector: ErpConnector) -> None:
    """NotFound, never an empty order."""
    with pytest.raises(NotFound):
        await connector.orders.read(ErpId("999999"))


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


async def test_three_hundred_orders_in_small_pages(harness: ErpHarness) -> None:
    """Every order once, whatever the page size."""
    harness.load(_many(300))
    orders = await all_orders(harness.connect(page_size=40))
    assert sum(number.startswith("M-") for number in orders) == 300
    assert all(len(order.lines) == 2 for number, order in orders.items() if number.startswith("M-"))


async def test_paging_while_data_changes(harness: ErpHarness) -> None:
    """Orders added, changed and deleted between pages: the others come exactly once."""
    harness.load(_many(60))
    connector = harness.connect(page_size=10)
    seen: list[str] = []
    after, page_no = None, 0
    while True:
        page = await connector.orders.headers(since=None, ordered_from=None, after=after, open_in=None)
        seen += [header.number for header in page.records]
        after, page_no = page.after, page_no + 1
        if after is None:
            break
        harness.person("delete", kind="purchase_order", number=f"M-{page_no:04}")
        harness.person("edit_purchase_order", number=f"M-{60 - page_no:04}", memo="changed")
    unchanged = {f"M-{number:04}" for number in range(page_no, 61)}
    assert unchanged <= set(seen)
    assert len(seen) == len(set(seen))


async def test_a_row_shown_twice_counts_once(harness: ErpHarness, connector: ErpConnector) -> None:
    """A page that is being changed may show a record twice."""
    before = await all_orders(connector)
    harness.fault("duplicate_row", "read", object=harness.kinds["order"])
    assert (await all_orders(connector)).keys() == before.keys()


@pytest.mark.parametrize("kind", ["truncated", "malformed", "html_error"])
@pytest.mark.trait("answers_at_once")
async def test_a_broken_page_is_not_used(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    """Half an answer is no answer; the next call is good again."""
    await connector.check()
    harness.fault(kind, "read")
    with pytest.raises(MalformedAnswer):
        await all_orders(connector)
    assert await all_orders(connector)


async def test_a_bad_record_is_named_and_the_others_come(harness: ErpHarness, connector: ErpConnector) -> None:
    """Fault F13: a mandatory field is missing in one order."""
    whole = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    harness.fault("missing_field", "read", object=harness.kinds["order"])
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    assert [bad.code for bad in page.bad] == ["MISSING_FIELD"]
    assert {header.erp_id for header in page.records} | {bad.erp_id for bad in page.bad} == {
        header.erp_id for header in whole.records
    }


@pytest.mark.trait("status_words")
async def test_an_unknown_status_has_no_meaning(harness: ErpHarness, connector: ErpConnector) -> None:
    """Ruling G3: the word is handed on as it is, and nobody guesses."""
    harness.fault("unknown_state", "read", object=harness.kinds["order"], record=harness.open_record)
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    strange = [
        header for header in page.records if connector.orders.statuses(header.erp_status, MatchMode.TWO_WAY) is None
    ]
    assert [header.number for header in strange] == [OPEN_ORDER]


# --- what changed ----------------------------------------------------------------------------------------------


async def _cursors(connector: ErpConnector) -> dict[Stream, str]:
    """Where a full read of every stream leaves the cursors."""
    headers = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    pages = {
        Stream.LISTS: await connector.lists.page(list(ListKind), since=None, after=None),
        Stream.PURCHASE_ORDERS: headers,
        Stream.BILLS: await connector.bills.page(since=None, after=None),
        Stream.PAYMENTS: await connector.payments.page(since=None, after=None),
    }
    if connector.receipts is not None:
        pages[Stream.RECEIPTS] = await connector.receipts.page(since=None, after=None)
    cursors = {stream: page.high_water for stream, page in pages.items() if page.high_water is not None}
    return {**cursors, Stream.DELETIONS: max(cursors.values())}


async def test_detecting_no_change_takes_few_calls(harness: ErpHarness, connector: ErpConnector) -> None:
    """Nothing but what is held already, in as few calls as the ERP allows."""
    cursors = await _cursors(connector)
    held = {(Stream.PURCHASE_ORDERS, order.erp_id): order.revision for order in (await all_orders(connector)).values()}
    harness.forget_calls()
    change_set = await connector.changes.detect_changes(cursors)
    assert harness.calls()["requests"] == harness.peek_calls
    assert not change_set.unread
    known = [held.get((stamp.stream, stamp.erp_id), cursors[stamp.stream]) for stamp in change_set.record_versions]
    assert all(stamp.revision <= revision for stamp, revision in zip(change_set.record_versions, known, strict=True))


@pytest.mark.trait("revisions_are_times")
async def test_a_change_set_shows_every_kind_of_change(harness: ErpHarness, connector: ErpConnector) -> None:
    """An order edited, a vendor edited, a bill added and paid, an order deleted."""
    cursors = await _cursors(connector)
    harness.pass_time(4 * 3600)
    order = await the_order(connector)
    harness.person("edit_purchase_order", number=OPEN_ORDER, memo="changed")
    harness.person("edit_vendor", vendor_id="V-100", name="Renamed")
    harness.person(
        "add_bill", vendor_id="V-100", number="X-1", amount="10.00", entity=harness.entity, po_number=OPEN_ORDER
    )
    harness.person("pay_bill", number="X-1")
    gone = next(one for one in harness.orders() if (one.entity, one.status) == (harness.entity, harness.never_open))
    harness.person("delete", kind="purchase_order", number=gone.number)
    change_set = await connector.changes.detect_changes(cursors)
    news = {
        (stamp.stream, stamp.erp_id) for stamp in change_set.record_versions if stamp.revision > max(cursors.values())
    }
    assert (Stream.PURCHASE_ORDERS, order.erp_id) in news
    assert (Stream.DELETIONS, gone.erp_id) in news
    assert {stream for stream, _ in news} >= {Stream.LISTS, Stream.BILLS, Stream.PAYMENTS}


@pytest.mark.parametrize("touched", [True, False])
async def test_a_changed_line_is_seen_whether_or_not_its_header_is(harness: ErpHarness, touched: bool) -> None:
    """Nobody documents that a line's change touches its header (Intacct 2.5 point 5, NetSuite 5.1)."""
    connector = harness.connect()
    cursors = await _cursors(connector)
    before = await the_order(connector)
    harness.pass_time(4 * 3600)
    harness.order_moved(with_header=touched)
    change_set = await connector.changes.detect_changes({Stream.PURCHASE_ORDERS: cursors[Stream.PURCHASE_ORDERS]})
    stamp = max(stamp.revision for stamp in change_set.record_versions if stamp.erp_id == before.erp_id)
    after = (await all_orders(connector, since=cursors[Stream.PURCHASE_ORDERS]))[OPEN_ORDER]
    assert after.lines[0] != before.lines[0]
    assert before.revision < stamp == after.revision


@pytest.mark.trait("revisions_are_times")
async def test_records_never_changed_are_seen(harness: ErpHarness, connector: ErpConnector) -> None:
    """Reference 2.5 point 2: a new record may have no modification stamp."""
    cursors = await _cursors(connector)
    harness.pass_time(4 * 3600)
    harness.load({"vendors": [{"vendor_id": "V-NEW", "name": "New"}]})
    page = await connector.lists.page([ListKind.VENDOR], since=cursors[Stream.LISTS], after=None)
    new = next(entry for entry in page.records if entry.name == "New")
    assert new.revision is not None
    assert new.revision > cursors[Stream.LISTS]
    change_set = await connector.changes.detect_changes(cursors)
    assert (Stream.LISTS, "vendor", new.erp_id) in {
        (stamp.stream, stamp.kind, stamp.erp_id) for stamp in change_set.record_versions
    }


async def test_deletions(harness: ErpHarness, connector: ErpConnector) -> None:
    """S5-78: orders deleted since the last sync, however the feed spells their keys."""
    cursors = await _cursors(connector)
    gone = next(one for one in harness.orders() if (one.entity, one.status) == (harness.entity, harness.never_open))
    harness.person("delete", kind="purchase_order", number=gone.number)
    for spelling in harness.deletion_spellings:
        harness.spell_deletions(spelling)
        found = await connector.changes.deletions(since=cursors[Stream.DELETIONS], after=None)
        assert [(deletion.kind, deletion.erp_id) for deletion in found.records] == [
            (DeletedKind.PURCHASE_ORDER_DOCUMENT, gone.erp_id)
        ]


@pytest.mark.trait("back_orders")
async def test_back_orders_name_what_they_continue(harness: ErpHarness, connector: ErpConnector) -> None:
    """S5-25: the chain of documents can be followed."""
    harness.person("set_conversion_mode", mode="Close Original and Create Back Order")
    order = await the_order(connector)
    await push(connector, a_bill_for(order, "back-1"))
    back = next(one for one in (await all_orders(connector)).values() if one.created_from == order.document_id)
    assert back.lines[0].source_line in {line.erp_id for line in order.lines}


@pytest.mark.trait("back_orders")
async def test_back_orders_of_receipts_belong_to_the_order(harness: ErpHarness, connector: ErpConnector) -> None:
    """W5, S5-25: the page and the order read whole name the order, its line, and the receipt line that is continued."""
    harness.person("set_conversion_mode", definition="PO Receiver", mode="Close Original and Create Back Order")
    order = await the_order(connector)
    line = order.lines[0]
    harness.person("receive", number=order.number, receipt_number="RCV-W5", lines=[{"line": 1, "quantity": "2"}])
    (receipt,) = (await connector.orders.read(order.erp_id)).receipts if connector.orders else ()
    source = BillLineSource(document_id=receipt.document_id, line=receipt.lines[0].erp_id)
    bill = a_bill_for(order, "back-2")
    billed = bill.model_copy(update={"lines": tuple(one.model_copy(update={"source": source}) for one in bill.lines)})
    pushed = await push(connector, billed)
    assert pushed.linked
    assert connector.orders is not None
    assert connector.receipts is not None
    whole = (await connector.orders.read(order.erp_id)).receipts
    paged = (await connector.receipts.page(since=None, after=None)).records
    for receipts in (whole, [one for one in paged if one.order_document == order.document_id]):
        first, rest = sorted(receipts, key=lambda one: int(one.erp_id))
        assert (first.erp_id, rest.order_document) == (receipt.erp_id, order.document_id)
        assert [(one.order_line, one.source_line, one.quantity) for one in rest.lines] == [
            (line.erp_id, receipt.lines[0].erp_id, Decimal(1))
        ]
    source = BillLineSource(document_id=rest.document_id, line=rest.lines[0].erp_id)
    bill = a_bill_for(order, "back-3")
    billed = bill.model_copy(update={"lines": tuple(one.model_copy(update={"source": source}) for one in bill.lines)})
    pushed = await push(connector, billed)
    assert pushed.linked
    snapshot = await connector.orders.read(order.erp_id)
    assert [one.order_line for one in snapshot.billings] == [line.erp_id] * 2
    bills = (await connector.bills.page(since=None, after=None)).records
    assert [one.lines[0].order_line for one in bills if one.external_key in ("back-2", "back-3")] == [line.erp_id] * 2


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
@pytest.mark.trait("answers_at_once")
async def test_outages_on_reads(
    harness: ErpHarness, connector: ErpConnector, kind: str, family: type[ErpError]
) -> None:
    """DESIGN section 6: waiting helps, and the next read is good."""
    await connector.check()
    harness.fault(kind, "read", **({"object": harness.kinds["order"]} if kind == "permission_denied" else {}))
    with pytest.raises(ErpError) as caught:
        await all_orders(connector)
    assert type(caught.value) is family
    assert caught.value.retryable
    assert (caught.value.retry_after is not None) == (family is Throttled)
    harness.wait(caught.value)
    assert await all_orders(connector)


@pytest.mark.trait("answers_at_once")
async def test_an_erp_that_is_not_there(harness: ErpHarness) -> None:
    """Nobody listens."""
    endpoint = harness.settings()["endpoint"].replace(str(harness.sandbox.url), "http://127.0.0.1:9")
    with pytest.raises(Unavailable) as caught:
        await harness.connect(endpoint=endpoint).check()
    assert caught.value.code == "ERP_UNREACHABLE"


@pytest.mark.trait("sessions")
async def test_an_expired_session_is_renewed_unseen(harness: ErpHarness, connector: ErpConnector) -> None:
    """Once, and without the caller noticing."""
    await connector.check()
    harness.forget_calls()
    harness.fault("session_expired", "read")
    assert await all_orders(connector)
    assert harness.calls()["by_operation"]["getAPISession"] == 1


async def test_a_session_outlived_by_the_clock_is_renewed(harness: ErpHarness, connector: ErpConnector) -> None:
    """A night without work."""
    await connector.check()
    harness.pass_time(48 * 3600)
    assert await all_orders(connector)


@pytest.mark.trait("answers_at_once")
async def test_a_slow_answer_is_abandoned(harness: ErpHarness) -> None:
    """A timeout on every call."""
    connector = harness.connect(timeout_seconds=0.2)
    await connector.check()
    harness.fault("slow", "read", seconds=1)
    with pytest.raises(Unavailable):
        await all_orders(connector)


@pytest.mark.trait("answers_at_once")
async def test_calls_in_flight_are_limited(harness: ErpHarness) -> None:
    """Over all connections to one company: what the ERP's plan allows (reference 6.4)."""
    harness.switch(latency_seconds=0.01)
    connectors = [harness.connect(), harness.connect(credentials={"entity": harness.other_entity})]
    harness.forget_calls()
    await asyncio.gather(*(all_orders(connector) for connector in connectors for _ in range(4)))
    assert harness.calls()["max_in_flight"] <= harness.most_in_flight


@pytest.mark.trait("answers_at_once")
async def test_secrets_are_never_shown(
    harness: ErpHarness, connector: ErpConnector, caplog: pytest.LogCaptureFixture
) -> None:
    """In no log at the lowest level, no exception, no repr."""
    caplog.set_level(logging.DEBUG)
    shown = [repr(connector)]
    for kind in ("unavailable", "malformed", "lost_answer"):
        harness.fault(kind)
        with pytest.raises(ErpError) as caught:
            await connector.check()
        shown += [repr(caught.value), str(caught.value.evidence)]
    await all_orders(connector)
    shown.append(caplog.text)
    assert not [text for text in shown for secret in harness.secrets() if secret in text]
