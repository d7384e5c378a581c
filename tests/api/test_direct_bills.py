"""Bills without an order, and lines off the order: what the API takes, checks, shows and lets change."""

from typing import Any

import pytest

from models.domain.bills import ChargeKind
from models.store.base.database import Database
from tests.fakes.fake_erp import FakeErp
from tests.harness.api_client import ApiClient, a_problem, an_order, connected, mirrored

BILL = {
    "vendor_id": "V-1",
    "number": "RENT-1",
    "bill_date": "2026-11-20",
    "lines": [{"account": "6600", "amount": "1200.00", "description": "Rent"}],
}


@pytest.fixture
async def connection_id(api: ApiClient, erp: FakeErp) -> str:
    erp.capabilities = erp.capabilities.model_copy(
        update={"account_lines": True, "direct_charges": (ChargeKind.FREIGHT,), "direct_numbers_without": "#"}
    )
    return await connected(api)


async def entered(api: ApiClient, connection_id: str, **more: Any) -> dict[str, Any]:
    created = await api.post("/v1/bills", {"connection_id": connection_id, **BILL, **more})
    assert created.status_code == 201, created.text
    bill: dict[str, Any] = (await api.get(f"/v1/bills/{created.json()['bill']['id']}")).json()
    return bill


async def test_it_is_saved_once_and_shown(api: ApiClient, connection_id: str) -> None:
    """S1-28: the same request, the same bill; lines, charges and sums as they were given."""
    charges = [{"class": "freight", "amount": "5.00"}]
    body = {"connection_id": connection_id, **BILL, "charges": charges, "total": "1205.00"}
    first = await api.post("/v1/bills", body, key="k-1")
    assert (first.status_code, first.json()["bill"]["total"]) == (201, "1205.00"), first.text
    assert (await api.post("/v1/bills", body, key="k-1")).json() == first.json()
    bill = (await api.get(f"/v1/bills/{first.json()['bill']['id']}")).json()
    assert (bill["direct"], bill["purchase_order_id"], bill["reference"]) == (True, None, None)
    (line,) = bill["lines"]
    assert (line["off_order"], line["account"], line["quantity"], line["reserves"]) == (True, "6600", None, False)
    assert [event["why"] for event in bill["events"]] == ["billed without an order"]
    match = (await api.get(f"/v1/bills/{bill['id']}/match")).json()
    assert (match["outcome"], match["recomputed"]["same"]) == ("OK", True)
    assert [one["id"] for one in (await api.get("/v1/bills?number=rent 1")).json()["items"]] == [bill["id"]]


async def test_what_is_wrong_with_it_is_said_before_it_is_saved(api: ApiClient, connection_id: str) -> None:
    """DUPLICATE_EXACT, the sum, what the ERP does not take, and what the connection cannot."""
    body = {"connection_id": connection_id, **BILL}
    tried = await api.post("/v1/bills/match", {**body, "total": "1300.00"})
    assert (tried.json()["outcome"], tried.json()["match"]["findings"][0]["code"]) == ("HOLD", "HEADER_SUM")
    await entered(api, connection_id)
    a_problem(await api.post("/v1/bills", {**body, "number": "rent-1"}), 422, "MATCH_BLOCKED")
    for wrong, what in (
        ({"number": "R#2"}, "body.number"),
        ({"currency": "EUR"}, "body.currency"),
        ({"entity": "E-9"}, "body.entity"),
    ):
        problem = a_problem(await api.post("/v1/bills", {**body, **wrong}), 422, "VALIDATION_FAILED")
        assert problem["detail"].startswith(what)
    taxed = await api.post("/v1/bills", {**body, "number": "R-3", "tax": "10.00"})
    a_problem(taxed, 422, "CHARGES_NOT_TAKEN")
    no_account = [{"amount": "1.00"}]
    a_problem(await api.post("/v1/bills", {**body, "number": "R-4", "lines": no_account}), 422, "ACCOUNT_MISSING")


async def test_an_erp_that_takes_none_says_so(api: ApiClient, erp: FakeErp) -> None:
    erp.capabilities = erp.capabilities.model_copy(update={"direct_bills": False})
    body = {"connection_id": await connected(api), **BILL}
    a_problem(await api.post("/v1/bills", body), 422, "DIRECT_BILLS_NOT_TAKEN")


async def test_its_account_changes_until_it_is_sent(api: ApiClient, connection_id: str) -> None:
    """S5-68: there is no reminder, because the account is what the ERP gets."""
    bill = await entered(api, connection_id)
    change = {"lines": [{"line_no": 1, "account": "6700"}]}
    edited = await api.patch(f"/v1/bills/{bill['id']}", change)
    assert (edited.json()["bill"]["lines"][0]["account"], edited.json()["notices"]) == ("6700", [])


async def test_a_held_one_is_matched_again_by_its_edit(api: ApiClient, erp: FakeErp) -> None:
    """W1: nobody can release it; the date settles it."""
    erp.capabilities = erp.capabilities.model_copy(update={"due_date_needed": True})
    bill = await entered(api, await connected(api))
    assert bill["status"] == "on_hold"
    release = await api.post(f"/v1/bills/{bill['id']}/release", {"reason": "never mind"})
    a_problem(release, 409, "HOLD_NEEDS_A_FIX")
    edited = await api.patch(f"/v1/bills/{bill['id']}", {"due_date": "2026-12-20"})
    assert edited.json()["bill"]["status"] == "pending_push"


async def test_it_is_put_on_an_order_while_it_is_not_in_the_erp(
    api: ApiClient, database: Database, connection_id: str
) -> None:
    """S1-28: entered anew against the order under its own number; what is not mapped stays off the order."""
    order = an_order("PO-1")
    order_id = await mirrored(database, connection_id, order)
    lines = [{"account": "6600", "amount": "50.00"}, {"account": "7000", "amount": "5.00"}]
    bill = await entered(api, connection_id, lines=lines, memo="as billed")
    path = f"/v1/bills/{bill['id']}/put-on-order"
    mapped = [{"line_no": 1, "order_line_id": order.lines[0].erp_id, "quantity": "40"}]
    to = {"purchase_order_id": order_id, "lines": mapped}
    a_problem(await api.post(path, to), 422, "MATCH_BLOCKED")
    assert (await api.get(f"/v1/bills/{bill['id']}")).json()["status"] == "pending_push"
    put = await api.post(path, {**to, "lines": [{**mapped[0], "quantity": "4"}]})
    assert put.status_code == 201, put.text
    assert (put.json()["purchase_order_id"], put.json()["number"], put.json()["memo"]) == (
        order_id,
        "RENT-1",
        "as billed",
    )
    new = (await api.get(f"/v1/bills/{put.json()['id']}")).json()
    assert [(line["off_order"], line["amount"]) for line in new["lines"]] == [(False, "50.00"), (True, "5.00")]
    assert (await api.get(f"/v1/bills/{bill['id']}")).json()["status"] == "abandoned"


async def test_a_line_off_the_order_takes_nothing_of_it(api: ApiClient, database: Database, connection_id: str) -> None:
    """S1-28: any of it is looked at and more than a tenth is held, unless a policy says otherwise (`off_order`)."""
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/match"
    on = {"order_line_no": 1, "quantity": "8"}

    async def outcome(amount: str) -> str:
        off = {"off_order": True, "account": "7000", "amount": amount}
        body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [on, off]}
        answer = await api.post(path, body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["outcome"])

    assert [await outcome(amount) for amount in ("10.00", "10.01")] == ["WARN", "HOLD"]
    policy = {"scope": {}, "checks": {"off_order": {"block": {"abs": "20.00"}}}}
    assert (await api.post("/v1/tolerance-policies", policy)).status_code == 201
    assert [await outcome(amount) for amount in ("20.00", "20.01")] == ["OK", "HOLD"]
    wrong = {**on, "off_order": True, "amount": "1.00"}
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [wrong]}
    a_problem(await api.post(path, body), 422, "VALIDATION_FAILED")
