"""Deletion scans against an Intacct that moves: private records, sessions that end, pages cut in half, costs."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from erp.connector import ErpConnector
from erp.errors import AuthenticationFailed, MalformedAnswer, Stale
from erp.intacct.client import IntacctClient
from erp.roles.changes import DeletionScan
from erp.roles.pages import ScanResult
from models.domain.ids import ErpId
from models.domain.sync import DeletedKind, MirroredIds
from tests.conformance.erp_harness import (
    all_orders,
)
from tests.conformance.intacct_harness import (
    IntacctHarness,
)

SINCE = "2026-01-01 00:00:00"
DOCUMENTS = DeletedKind.PURCHASE_ORDER_DOCUMENT


@pytest.fixture
async def harness(sandbox: Any) -> AsyncIterator[IntacctHarness]:
    """The sample company, whose user may not read the audit trail."""
    created = IntacctHarness(sandbox)
    created.fault("permission_denied", object="AUDITHISTORY", times=None)
    yield created
    for connector in created.connectors:
        await connector.close()


def orders_in(entity: str, *numbers: str) -> dict[str, list[dict[str, str]]]:
    return {
        "purchase_orders": [
            {
                "po_number": number,
                "vendor_id": "V-100",
                "po_date": "2026-01-05",
                "currency": "USD",
                "entity": entity,
                "line_no": "1",
                "item_id": "PAPER-A4",
                "quantity": "2",
                "price": "3.50",
                "location": entity,
            }
            for number in numbers
        ]
    }


async def scan_of(connector: ErpConnector) -> DeletionScan:
    assert await connector.changes.deletions(since=SINCE, after=None) is None
    assert connector.scan is not None
    return connector.scan


def documents(harness: IntacctHarness, *, entities: Iterable[str], by_owner: bool = False) -> list[MirroredIds]:
    """All documents the company holds in these entities, as the mirror would know them."""
    held: dict[str | None, list[ErpId]] = {}
    for kind in ("purchase_orders", "receipts", "vendor_invoices"):
        for document in harness.held(kind):
            if document["entity"] in entities:
                held.setdefault(document["entity"] or None if by_owner else None, []).append(
                    ErpId(document["record_no"])
                )
    return [MirroredIds(DOCUMENTS, owner, numbers) for owner, numbers in held.items()]


def draft_of(harness: IntacctHarness, entity: str) -> dict[str, Any]:
    return next(
        order
        for order in harness.held("purchase_orders")
        if order["entity"] == entity and order["state"] == harness.never_open
    )


async def test_the_connection_says_that_it_scans(harness: IntacctHarness) -> None:
    """Ruling G5, S2-21: the preferences are good all the same."""
    connector = harness.connect()
    assert not (await connector.check()).capabilities.deletions_feed
    assert list(await connector.check_preferences(harness.settings()["preferences"])) == []


async def test_two_deletions_are_found_and_nothing_else(harness: IntacctHarness) -> None:
    """S5-78: what was deleted and only that; one list of all numbers, one query for the missing ones."""
    harness.load(orders_in("100", "D-1", "D-2", "D-3"))
    connector = harness.connect()
    held = documents(harness, entities=("100",))
    scan = await scan_of(connector)
    harness.forget_calls()
    assert await scan.scan(held) == ScanResult([], [])
    assert Counter(harness.calls()["by_operation"]) == {"readByQuery": 1}
    numbers = {number: order.erp_id for number, order in (await all_orders(connector)).items()}
    for number in ("D-1", "D-3"):
        harness.person("delete", kind="purchase_order", number=number)
    harness.forget_calls()
    (gone,) = (await scan.scan(held)).gone
    assert set(gone.erp_ids) == {numbers["D-1"], numbers["D-3"]}
    assert Counter(harness.calls()["by_operation"]) == {"readByQuery": 1, "query": 1}


async def test_a_long_list_is_one_result(harness: IntacctHarness) -> None:
    """Section 2.2: 250 orders in pages of 100 are three calls."""
    harness.load(orders_in("100", *(f"M-{number}" for number in range(250))))
    held = documents(harness, entities=("100",))
    scan = await scan_of(harness.connect(page_size=100))
    harness.forget_calls()
    assert await scan.scan(held) == ScanResult([], [])
    calls = Counter(harness.calls()["by_operation"])
    listed = sum(len(group.erp_ids) for group in held)
    assert calls == {"readByQuery": 1, "readMore": -(-listed // 100) - 1}


async def test_bills_and_payments_that_are_gone(harness: IntacctHarness) -> None:
    """S5-136: a bill of theirs deleted in Accounts Payable, in the one call that lists all kinds."""
    harness.person("add_bill", vendor_id="V-100", number="X-1", amount="10.00", entity="100")
    bills = [bill for bill in harness.held("bills") if bill["entity"] == "100"]
    gone = next(bill for bill in bills if bill["number"] == "X-1")
    held = [MirroredIds(DeletedKind.BILL, None, [ErpId(bill["record_no"]) for bill in bills])]
    payments = [ErpId(payment["record_no"]) for payment in harness.held("payments") if payment["entity"] == "100"]
    held.append(MirroredIds(DeletedKind.PAYMENT, None, payments))
    harness.person("delete", kind="bill", number="X-1")
    result = await (await scan_of(harness.connect())).scan(held)
    assert result == ScanResult([MirroredIds(DeletedKind.BILL, None, (ErpId(gone["record_no"]),))], [])


# --- what must never be taken for a deletion -------------------------------------------------------------------


@pytest.mark.parametrize("by_owner", [True, False])
async def test_private_records_are_not_deleted(harness: IntacctHarness, by_owner: bool) -> None:
    """Section 7.1: readByQuery shows none of them from the top. Found in their entity's session, or, where the owner is
    not known, by the query with private records."""
    harness.load(orders_in("200", "P-1", "P-2"))
    connector = harness.connect(credentials={"entity": ""})
    held = documents(harness, entities=("", "100", "200"), by_owner=by_owner)
    assert any(order["entity"] == "200" for order in harness.held("purchase_orders"))
    scan = await scan_of(connector)
    assert await scan.scan(held) == ScanResult([], [])
    gone = harness.person("delete", kind="purchase_order", number="P-1")
    result = await scan.scan(held)
    assert [number for group in result.gone for number in group.erp_ids] == [gone["record_no"]]


async def test_a_record_whose_owner_we_have_wrong_is_not_deleted(harness: IntacctHarness) -> None:
    """Section 7.1: another entity's session shows nothing of it; the top does."""
    harness.load(orders_in("200", "P-1"))
    (theirs,) = documents(harness, entities=("200",), by_owner=True)
    scan = await scan_of(harness.connect(credentials={"entity": ""}))
    assert await scan.scan([theirs._replace(owner_entity="100")]) == ScanResult([], [])


async def test_an_entity_that_was_closed_to_the_user(harness: IntacctHarness) -> None:
    """Section 4: lost permission looks the same; nothing is said of that entity."""
    harness.load(orders_in("200", "P-1"))
    connector = harness.connect(credentials={"entity": ""})
    held = documents(harness, entities=("", "100", "200"), by_owner=True)
    held.append(MirroredIds(DOCUMENTS, "999", [ErpId("123456")]))
    assert await (await scan_of(connector)).scan(held) == ScanResult([], ["999"])


async def test_a_definition_that_is_not_used_any_more(harness: IntacctHarness) -> None:
    """Documents of a template named before are not listed, and found by their numbers."""
    held = documents(harness, entities=("100",))
    preferences = {**harness.settings()["preferences"], "receiver_template": ""}
    assert any(receipt["entity"] == "100" for receipt in harness.held("receipts"))
    assert await (await scan_of(harness.connect(preferences=preferences))).scan(held) == ScanResult([], [])


async def test_a_session_that_ends_in_the_middle(harness: IntacctHarness) -> None:
    """Section 2.2: the result goes with it. The scan is Stale, and whole when it is made again."""
    harness.load(orders_in("100", "D-1"))
    held = documents(harness, entities=("100",))
    gone = harness.person("delete", kind="purchase_order", number="D-1")
    scan = await scan_of(harness.connect(page_size=5))
    harness.fault("session_expired", "readMore")
    with pytest.raises(Stale) as caught:
        await scan.scan(held)
    assert caught.value.code == "SEARCH_EXPIRED"
    (found,) = (await scan.scan(held)).gone
    assert list(found.erp_ids) == [gone["record_no"]]


@pytest.mark.parametrize("operation", ["readByQuery", "readMore"])
@pytest.mark.parametrize("kind", ["truncated", "malformed", "html_error"])
async def test_a_broken_page_finds_nothing(harness: IntacctHarness, operation: str, kind: str) -> None:
    """Fault F13: half a list is no list."""
    held = documents(harness, entities=("100",))
    scan = await scan_of(harness.connect(page_size=5))
    harness.fault(kind, operation)
    with pytest.raises(MalformedAnswer):
        await scan.scan(held)
    assert await scan.scan(held) == ScanResult([], [])


async def test_orders_deleted_while_they_are_listed(harness: IntacctHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result names what was there at its moment; a record that went since makes its page short: no answer."""
    harness.load(orders_in("100", *(f"M-{number}" for number in range(20))))
    held = documents(harness, entities=("100",))
    connector = harness.connect(page_size=5)
    scan = await scan_of(connector)
    read = IntacctClient.read

    async def deleting(client: IntacctClient, functions: Any, *, level: str | None) -> Any:
        answer = await read(client, functions, level=level)
        if "readByQuery" in functions[0]:
            harness.person("delete", kind="purchase_order", number="M-19")
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(IntacctClient, "read", deleting)
        with pytest.raises(MalformedAnswer):
            await scan.scan(held)
    (found,) = (await scan.scan(held)).gone
    assert len(found.erp_ids) == 1


async def test_a_right_lost_on_the_documents_themselves(harness: IntacctHarness) -> None:
    """S2-13: an error for an administrator, never an empty list."""
    held = documents(harness, entities=("100",))
    scan = await scan_of(harness.connect())
    harness.fault("permission_denied", "readByQuery", object="PODOCUMENT")
    with pytest.raises(AuthenticationFailed):
        await scan.scan(held)


async def test_reads_that_lag(harness: IntacctHarness) -> None:
    """What was deleted just now still shows: the next scan finds it."""
    harness.load(orders_in("100", "D-1"))
    held = documents(harness, entities=("100",))
    harness.pass_time(600)
    harness.switch(read_lag_seconds=120)
    scan = await scan_of(harness.connect())
    gone = harness.person("delete", kind="purchase_order", number="D-1")
    assert await scan.scan(held) == ScanResult([], [])
    harness.pass_time(300)
    assert [list(group.erp_ids) for group in (await scan.scan(held)).gone] == [[gone["record_no"]]]
