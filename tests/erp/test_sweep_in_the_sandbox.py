"""Sweeps against an Intacct that moves: private records, sessions that end, pages cut in half, and what they cost."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from erp.connector import ErpConnector, Page, Sweep, Swept
from erp.errors import AuthenticationFailed, MalformedAnswer, Stale
from erp.intacct.client import IntacctClient
from models.domain import DeletedKind, ErpId, HeldRecords
from tests.conformance.intacct_world import IntacctWorld
from tests.conformance.world import all_orders

SINCE = "2026-01-01 00:00:00"
DOCUMENTS = DeletedKind.PURCHASE_ORDER_DOCUMENT


@pytest.fixture
async def world(sandbox: Any) -> AsyncIterator[IntacctWorld]:
    """The sample company, whose user may not read the audit trail."""
    made = IntacctWorld(sandbox)
    made.fault("permission_denied", object="AUDITHISTORY", times=None)
    yield made
    for connector in made.connectors:
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


async def sweep_of(connector: ErpConnector) -> Sweep:
    found = await connector.deletions(since=SINCE, after=None)
    assert not isinstance(found, Page)
    return found


def documents(world: IntacctWorld, *, entities: Iterable[str], by_owner: bool = False) -> list[HeldRecords]:
    """All documents the company holds in these entities, as the mirror would know them."""
    held: dict[str | None, list[ErpId]] = {}
    for kind in ("purchase_orders", "receipts", "vendor_invoices"):
        for document in world.held(kind):
            if document["entity"] in entities:
                held.setdefault(document["entity"] or None if by_owner else None, []).append(
                    ErpId(document["record_no"])
                )
    return [HeldRecords(DOCUMENTS, owner, numbers) for owner, numbers in held.items()]


def draft_of(world: IntacctWorld, entity: str) -> dict[str, Any]:
    return next(
        order
        for order in world.held("purchase_orders")
        if order["entity"] == entity and order["state"] == world.never_open
    )


async def test_the_connection_says_that_it_sweeps(world: IntacctWorld) -> None:
    """Ruling G5, S2-21: the preferences are good all the same."""
    connector = world.connect()
    assert not (await connector.check()).capabilities.deletions_feed
    assert list(await connector.check_preferences(world.settings()["preferences"])) == []


async def test_two_deletions_are_found_and_nothing_else(world: IntacctWorld) -> None:
    """S5-78: what was deleted and only that; one list of all numbers, one query for the missing ones."""
    world.load(orders_in("100", "D-1", "D-2", "D-3"))
    connector = world.connect()
    held = documents(world, entities=("100",))
    sweep = await sweep_of(connector)
    world.forget_calls()
    assert await sweep.swept(held) == Swept([], [])
    assert Counter(world.calls()["by_operation"]) == {"readByQuery": 1}
    numbers = {number: order.erp_id for number, order in (await all_orders(connector)).items()}
    for number in ("D-1", "D-3"):
        world.person("delete", kind="purchase_order", number=number)
    world.forget_calls()
    (gone,) = (await sweep.swept(held)).gone
    assert set(gone.erp_ids) == {numbers["D-1"], numbers["D-3"]}
    assert Counter(world.calls()["by_operation"]) == {"readByQuery": 1, "query": 1}


async def test_a_long_list_is_one_result(world: IntacctWorld) -> None:
    """Section 2.2: 250 orders in pages of 100 are three calls."""
    world.load(orders_in("100", *(f"M-{number}" for number in range(250))))
    held = documents(world, entities=("100",))
    sweep = await sweep_of(world.connect(page_size=100))
    world.forget_calls()
    assert await sweep.swept(held) == Swept([], [])
    calls = Counter(world.calls()["by_operation"])
    listed = sum(len(group.erp_ids) for group in held)
    assert calls == {"readByQuery": 1, "readMore": -(-listed // 100) - 1}


async def test_bills_and_payments_that_are_gone(world: IntacctWorld) -> None:
    """S5-136: a bill of theirs deleted in Accounts Payable, in the one call that lists all kinds."""
    world.person("add_bill", vendor_id="V-100", number="X-1", amount="10.00", entity="100")
    bills = [bill for bill in world.held("bills") if bill["entity"] == "100"]
    gone = next(bill for bill in bills if bill["number"] == "X-1")
    held = [HeldRecords(DeletedKind.BILL, None, [ErpId(bill["record_no"]) for bill in bills])]
    payments = [ErpId(payment["record_no"]) for payment in world.held("payments") if payment["entity"] == "100"]
    held.append(HeldRecords(DeletedKind.PAYMENT, None, payments))
    world.person("delete", kind="bill", number="X-1")
    swept = await (await sweep_of(world.connect())).swept(held)
    assert swept == Swept([HeldRecords(DeletedKind.BILL, None, (ErpId(gone["record_no"]),))], [])


# --- what must never be taken for a deletion -------------------------------------------------------------------


@pytest.mark.parametrize("by_owner", [True, False])
async def test_private_records_are_not_deleted(world: IntacctWorld, by_owner: bool) -> None:
    """Section 7.1: readByQuery shows none of them from the top. Found in their entity's session, or, where the owner is
    not known, by the query with private records."""
    world.load(orders_in("200", "P-1", "P-2"))
    connector = world.connect(credentials={"entity": ""})
    held = documents(world, entities=("", "100", "200"), by_owner=by_owner)
    assert any(order["entity"] == "200" for order in world.held("purchase_orders"))
    sweep = await sweep_of(connector)
    assert await sweep.swept(held) == Swept([], [])
    gone = world.person("delete", kind="purchase_order", number="P-1")
    swept = await sweep.swept(held)
    assert [number for group in swept.gone for number in group.erp_ids] == [gone["record_no"]]


async def test_a_record_whose_owner_we_have_wrong_is_not_deleted(world: IntacctWorld) -> None:
    """Section 7.1: another entity's session shows nothing of it; the top does."""
    world.load(orders_in("200", "P-1"))
    (theirs,) = documents(world, entities=("200",), by_owner=True)
    sweep = await sweep_of(world.connect(credentials={"entity": ""}))
    assert await sweep.swept([theirs._replace(owner_entity="100")]) == Swept([], [])


async def test_an_entity_that_was_closed_to_the_user(world: IntacctWorld) -> None:
    """Section 4: lost permission looks the same; nothing is said of that entity."""
    world.load(orders_in("200", "P-1"))
    connector = world.connect(credentials={"entity": ""})
    held = documents(world, entities=("", "100", "200"), by_owner=True)
    held.append(HeldRecords(DOCUMENTS, "999", [ErpId("123456")]))
    assert await (await sweep_of(connector)).swept(held) == Swept([], ["999"])


async def test_a_definition_that_is_not_used_any_more(world: IntacctWorld) -> None:
    """Documents of a template named before are not listed, and found by their numbers."""
    held = documents(world, entities=("100",))
    preferences = {**world.settings()["preferences"], "receiver_template": ""}
    assert any(receipt["entity"] == "100" for receipt in world.held("receipts"))
    assert await (await sweep_of(world.connect(preferences=preferences))).swept(held) == Swept([], [])


async def test_a_session_that_ends_in_the_middle(world: IntacctWorld) -> None:
    """Section 2.2: the result goes with it. The sweep is Stale, and whole when it is made again."""
    world.load(orders_in("100", "D-1"))
    held = documents(world, entities=("100",))
    gone = world.person("delete", kind="purchase_order", number="D-1")
    sweep = await sweep_of(world.connect(page_size=5))
    world.fault("session_expired", "readMore")
    with pytest.raises(Stale) as caught:
        await sweep.swept(held)
    assert caught.value.code == "SEARCH_EXPIRED"
    (found,) = (await sweep.swept(held)).gone
    assert list(found.erp_ids) == [gone["record_no"]]


@pytest.mark.parametrize("operation", ["readByQuery", "readMore"])
@pytest.mark.parametrize("kind", ["truncated", "malformed", "html_error"])
async def test_a_broken_page_finds_nothing(world: IntacctWorld, operation: str, kind: str) -> None:
    """Fault F13: half a list is no list."""
    held = documents(world, entities=("100",))
    sweep = await sweep_of(world.connect(page_size=5))
    world.fault(kind, operation)
    with pytest.raises(MalformedAnswer):
        await sweep.swept(held)
    assert await sweep.swept(held) == Swept([], [])


async def test_orders_deleted_while_they_are_listed(world: IntacctWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result names what was there at its moment; a record that went since makes its page short: no answer."""
    world.load(orders_in("100", *(f"M-{number}" for number in range(20))))
    held = documents(world, entities=("100",))
    connector = world.connect(page_size=5)
    sweep = await sweep_of(connector)
    read = IntacctClient.read

    async def deleting(client: IntacctClient, functions: Any, *, level: str | None) -> Any:
        answer = await read(client, functions, level=level)
        if "readByQuery" in functions[0]:
            world.person("delete", kind="purchase_order", number="M-19")
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(IntacctClient, "read", deleting)
        with pytest.raises(MalformedAnswer):
            await sweep.swept(held)
    (found,) = (await sweep.swept(held)).gone
    assert len(found.erp_ids) == 1


async def test_a_right_lost_on_the_documents_themselves(world: IntacctWorld) -> None:
    """S2-13: an error for an administrator, never an empty list."""
    held = documents(world, entities=("100",))
    sweep = await sweep_of(world.connect())
    world.fault("permission_denied", "readByQuery", object="PODOCUMENT")
    with pytest.raises(AuthenticationFailed):
        await sweep.swept(held)


async def test_reads_that_lag(world: IntacctWorld) -> None:
    """What was deleted just now still shows: the next sweep finds it."""
    world.load(orders_in("100", "D-1"))
    held = documents(world, entities=("100",))
    world.pass_time(600)
    world.switch(read_lag_seconds=120)
    sweep = await sweep_of(world.connect())
    gone = world.person("delete", kind="purchase_order", number="D-1")
    assert await sweep.swept(held) == Swept([], [])
    world.pass_time(300)
    assert [list(group.erp_ids) for group in (await sweep.swept(held)).gone] == [[gone["record_no"]]]
