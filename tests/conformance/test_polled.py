"""How an ERP whose program comes by takes failures: it is asked again, nothing is lost, nothing is done twice."""

from collections.abc import Sequence

import pytest

from erp.connector import ErpConnector
from erp.errors import Duplicate, OutcomeUnknown, Unavailable
from models.domain.bills import BillToPush
from models.domain.ids import DocumentId
from models.domain.lists import ListKind
from models.domain.sync import Stream
from sandbox.quickbooks_desktop.switches import UNKIND
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    ErpHarness,
    a_bill_for,
    a_payment_of,
    all_orders,
    push,
    the_order,
)
from tests.harness.checked_bodies import Checked
from tests.harness.vendor_schemas import needs_qbxml_schemas

pytestmark = pytest.mark.trait("polled")

FAILURES: Sequence[str] = (
    "lost_answer", "lost_request", "gateway_timeout", "truncated", "malformed", "unavailable", "html_error", "offline",
    "throttled", "empty_answer", "bad_request",
)  # fmt: skip
"""Kinds of faults, wherever between QuickBooks and us they happen."""


async def bill_created(connector: ErpConnector, bill: BillToPush) -> DocumentId:
    """Create a bill as the activity does: look it up on any doubt."""
    doubted = False
    for _ in range(5):
        try:
            there = await connector.bills.find(bill) if doubted else None
            return there or await connector.bills.create(bill)
        except OutcomeUnknown:
            doubted = True
    raise AssertionError("never got through")


@pytest.mark.parametrize("kind", FAILURES)
async def test_a_bill_is_made_once_whatever_fails(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    bill = a_bill_for(await the_order(connector), "once-1")
    harness.fault(kind, "create_bill")
    created = await bill_created(connector, bill)
    assert (await connector.bills.read_back(bill, created)).linked
    assert [one.document_id for one in harness.bills_with("once-1")] == [created]


@pytest.mark.parametrize("kind", ["lost_answer", "lost_request", "truncated"])
async def test_a_payment_is_made_once_whatever_fails(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    bill = a_bill_for(await the_order(connector), "once-2")
    payment = a_payment_of(bill, await push(connector, bill), "PSP-ONCE")
    harness.fault(kind, "create_payment")
    created = None
    for _ in range(5):
        try:
            created = created or await connector.payments.create(payment)
            break
        except OutcomeUnknown:
            created = await connector.payments.find(payment)
    assert created is not None
    assert (await connector.payments.read_back(payment, created)).bill_due == 0
    assert [one.erp_id for one in harness.payments_with("PSP-ONCE")] == [created]


@pytest.mark.parametrize("kind", ["lost_answer", "lost_request", "truncated"])
async def test_an_edit_is_made_whatever_fails(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    bill = a_bill_for(await the_order(connector), "once-3")
    pushed = await push(connector, bill)
    edit = bill.model_copy(update={"memo": "another memo", "edited": frozenset({"memo"})})
    harness.fault(kind, "update_bill")
    for _ in range(5):
        try:
            await connector.bills.update(edit, pushed.document_id, edition=2)
            break
        except OutcomeUnknown:
            continue
        except Duplicate:
            break
    assert (await connector.bills.read_back(edit, pushed.document_id)).differences == ()


@pytest.mark.parametrize("kind", FAILURES)
async def test_what_is_read_is_whole_whatever_fails(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    before = await all_orders(connector)
    harness.fault(kind, "read")
    again = harness.connect(page_size=7)
    try:
        read = await all_orders(again)
    except Unavailable:  # QuickBooks said itself that it cannot now: the activity asks again
        read = await all_orders(again)
    assert read.keys() == before.keys()


CALLS_GONE_WRONG = (
    ("repeated_call", "receiveResponseXML"),
    ("repeated_call", "sendRequestXML"),
    ("repeated_call", "authenticate"),
    ("late_call", "receiveResponseXML"),
    ("late_call", "sendRequestXML"),
    ("other_ticket", "receiveResponseXML"),
    ("other_ticket", "sendRequestXML"),
)


@pytest.mark.parametrize(("kind", "call"), CALLS_GONE_WRONG)
async def test_a_call_that_comes_twice_late_or_with_anothers_ticket_changes_nothing(
    harness: ErpHarness, connector: ErpConnector, kind: str, call: str
) -> None:
    """Issue 12: the same response twice, a ticket used after its session ended, a response for another ticket: of a
    bill and of an answer in parts."""
    before = await all_orders(connector)
    bill = a_bill_for(before[OPEN_ORDER], "once-4")
    harness.sandbox.post("/faults", {"rules": [{"erp": harness.name, "kind": kind, "operation": call, "times": 2}]})
    created = await bill_created(connector, bill)
    assert (await connector.bills.read_back(bill, created)).linked
    assert [one.document_id for one in harness.bills_with("once-4")] == [created]
    harness.sandbox.post("/faults", {"rules": [{"erp": harness.name, "kind": kind, "operation": call, "times": 2}]})
    assert (await all_orders(harness.connect(page_size=7))).keys() == before.keys()
    assert sum(one["fired"] for one in harness.sandbox.get("/faults")["rules"])


@pytest.mark.parametrize("operation", ["PurchaseOrderQuery", "VendorQuery", "BillQuery", "BillAdd"])
async def test_elements_that_nobody_knows_are_passed_over(
    harness: ErpHarness, connector: ErpConnector, operation: str
) -> None:
    """Issue 12: a newer QuickBooks says more of a record than we know."""
    rule = {"erp": harness.name, "kind": "unknown_element", "operation": operation, "times": None}
    harness.sandbox.post("/faults", {"rules": [rule]})
    bill = a_bill_for(await the_order(connector), "once-5")
    pushed = await connector.bills.read_back(bill, await bill_created(connector, bill))
    assert (pushed.linked, pushed.differences) == (True, ())
    page = await connector.lists.page([ListKind.VENDOR], since=None, after=None)
    assert page.records
    assert not page.bad


async def test_what_changed_is_seen(harness: ErpHarness, connector: ErpConnector) -> None:
    """An order and a vendor edited, a bill added and paid, an order deleted, a vendor added."""
    orders = connector.orders
    assert orders is not None
    headers = await orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    pages = {
        Stream.LISTS: await connector.lists.page(list(ListKind), since=None, after=None),
        Stream.PURCHASE_ORDERS: headers,
        Stream.BILLS: await connector.bills.page(since=None, after=None),
        Stream.PAYMENTS: await connector.payments.page(since=None, after=None),
    }
    cursors = {stream: page.high_water for stream, page in pages.items() if page.high_water is not None}
    cursors[Stream.DELETIONS] = max(cursors.values())
    before = (await all_orders(connector))[OPEN_ORDER]
    harness.pass_time(4 * 3600)
    harness.person("edit_purchase_order", number=OPEN_ORDER, memo="changed")
    harness.person("edit_vendor", vendor_id="V-100", name="Renamed")
    harness.person("add_bill", vendor_id="V-100", number="X-1", amount="10.00")
    harness.person("pay_bill", number="X-1")
    gone = next(one for one in harness.orders() if one.status == harness.never_open)
    harness.person("delete", kind="purchase_order", number=gone.number)
    harness.load({"vendors": [{"vendor_id": "V-NEW", "name": "New"}]})
    changes = await connector.changes.detect_changes(cursors)
    shown = {(one.stream, one.erp_id): one.revision for one in changes.record_versions}
    assert shown[Stream.PURCHASE_ORDERS, before.erp_id] > before.revision
    assert (Stream.DELETIONS, gone.erp_id) in shown
    assert {stream for stream, _ in shown} == {*cursors}
    page = await connector.lists.page([ListKind.VENDOR], since=cursors[Stream.LISTS], after=None)
    assert {"New", "Renamed"} <= {entry.name for entry in page.records}
    assert "X-1" in {one.number for one in (await connector.bills.page(since=None, after=None)).records}


@needs_qbxml_schemas
async def test_every_body_is_what_the_vendors_schemas_say(
    harness: ErpHarness, connector: ErpConnector, checked: Checked
) -> None:
    """Issue 12: both directions, qbXML 13.0 and 16.0, SOAP by the WSDL; what does not hold fails any case of the suite,
    and here something is there to hold."""
    bill = a_bill_for(await the_order(connector), "schema-1")
    await connector.bills.read_back(bill, await bill_created(connector, bill))
    await connector.lists.page(list(ListKind), since=None, after=None)
    assert min(checked.documents, checked.answers, checked.soap) > 0
    assert not checked.wrong


async def test_names_and_texts_outside_ascii_go_through_the_door(harness: ErpHarness, connector: ErpConnector) -> None:
    """Issue 12: non-ASCII text in names, in and out, whatever encoding an answer's declaration names."""
    harness.load({"vendors": [{"vendor_id": "V-NEW", "name": "Señor Müller & Çelik <é>"}]})
    page = await connector.lists.page([ListKind.VENDOR], since=None, after=None)
    assert "Señor Müller & Çelik <é>" in {entry.name for entry in page.records}
    bill = a_bill_for(await the_order(connector), "text-1").model_copy(update={"memo": "Für Zoë – 5 € & <mehr>"})
    pushed = await connector.bills.read_back(bill, await bill_created(connector, bill))
    assert pushed.differences == ()
    (held,) = [one for one in harness.held("bills") if "text-1" in (one["memo"] or "")]
    assert held["memo"] == "Für Zoë – 5 € & <mehr> [posync text-1]"


async def test_with_every_switch_in_its_unkindest_position(harness: ErpHarness) -> None:
    """The whole way through the door: remote procedure style, no first answer, other encodings, ids in place of
    records, answers newest first."""
    harness.switch(**UNKIND)
    connector = harness.connect(page_size=7)
    order = await the_order(connector)
    bill = a_bill_for(order, "unkind-1", lines=2)
    harness.fault("lost_answer", "create_bill")
    created = await bill_created(connector, bill)
    pushed = await connector.bills.read_back(bill, created)
    assert (pushed.linked, pushed.differences) == (True, ())
    payment = a_payment_of(bill, pushed, "PSP-UNKIND")
    assert (await connector.payments.read_back(payment, await connector.payments.create(payment))).bill_due == 0
    assert len(harness.bills_with("unkind-1")) == 1
