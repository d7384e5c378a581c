"""Tolerance policies through the API: made, read, replaced, deleted, and tried before (matching rules 3.4)."""

from decimal import Decimal
from typing import Any

import pytest

from models.domain.ids import ConnectionId
from models.store.audit import events
from models.store.base.database import Database
from models.store.policies import rematch_requests
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    an_order,
    connected,
    mirrored,
)

PATH = "/v1/tolerance-policies"
PRICES = {"price": {"warn": {"pct": "2"}, "block": {"pct": "5", "abs": "25.00", "direction": "upper"}}}


def a_policy(**changes: Any) -> dict[str, Any]:
    return {"checks": PRICES, "why": "agreed with the controller", **changes}


async def result(api: ApiClient, **changes: Any) -> dict[str, Any]:
    created = await api.post(PATH, a_policy(**changes))
    assert created.status_code == 201, created.text
    policy: dict[str, Any] = created.json()
    return policy


async def test_a_policy_is_made_read_replaced_and_deleted(api: ApiClient, database: Database) -> None:
    """Every change is kept with who, why, before and after."""
    created = await api.post(PATH, a_policy(scope={"vendor_id": "V-1"}))
    policy = created.json()
    assert (policy["level"], policy["version"], created.headers["etag"]) == ("vendor", 1, '"1"')
    read = await api.get(created.headers["location"])
    assert (read.json(), read.headers["etag"][:3]) == (policy, '"1-')
    assert read.json()["checks"] == {
        "price": {"warn": {"pct": "2"}, "block": {"pct": "5", "abs": "25.00", "direction": "upper"}}
    }
    path = f"{PATH}/{policy['id']}"
    narrower = a_policy(scope={"vendor_id": "V-1", "item_id": "PAPER"}, checks={"qty": {"block": {"abs": "unlimited"}}})
    replaced = await api.put(path, narrower, if_match='"1"')
    assert (replaced.json()["level"], replaced.headers["etag"]) == ("vendor+item", '"2"')
    a_problem(await api.put(path, narrower, if_match='"1"'), 412, "PRECONDITION_FAILED")
    a_problem(await api.delete(path, if_match='"1"'), 412, "PRECONDITION_FAILED")
    assert (await api.delete(path, if_match='"2"', why="not needed")).status_code == 204
    a_problem(await api.get(path), 404, "NOT_FOUND")
    async with database.transaction() as s:
        history = await events.for_subject(s, api.organization.id, "tolerance_policy", policy["id"])
    assert [(event.kind, event.why) for event in history] == [
        ("tolerance_policy_created", "agreed with the controller"),
        ("tolerance_policy_replaced", "agreed with the controller"),
        ("tolerance_policy_deleted", "not needed"),
    ]
    assert history[1].before is not None
    assert history[1].before["scope"] == {"vendor_id": "V-1"}


async def test_the_same_request_makes_one_policy(api: ApiClient) -> None:
    first = await api.post(PATH, a_policy(), key="once")
    again = await api.post(PATH, a_policy(), key="once")
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert len((await api.get(PATH)).json()["items"]) == 1


async def test_one_policy_per_scope(api: ApiClient, other_api: ApiClient) -> None:
    """The refusal names the one there is."""
    policy = await result(api)
    refused = a_problem(await api.post(PATH, a_policy()), 409, "POLICY_EXISTS")
    assert refused["evidence"] == {"policy_id": policy["id"]}
    vendor = await result(api, scope={"vendor_id": "V-1"})
    a_problem(await api.put(f"{PATH}/{vendor['id']}", a_policy()), 409, "POLICY_EXISTS")
    await result(other_api)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"checks": {}}, "POLICY_INVALID"),
        ({"checks": {"price": {}}}, "POLICY_INVALID"),
        ({"checks": {"price": {"warn": {"pct": "5"}, "block": {"pct": "2"}}}}, "POLICY_INVALID"),
        ({"checks": {"qty_value": {"block": {"pct": "5"}}}}, "POLICY_INVALID"),
        ({"scope": {"item_id": "PAPER"}, "checks": {"tax": {"block": {"pct": "5"}}}}, "POLICY_INVALID"),
        ({"scope": {"vendor_id": "V-1", "category": "OFFICE"}}, "POLICY_INVALID"),
        ({"checks": {"price": {"block": {"pct": True}}}}, "VALIDATION_FAILED"),
        ({"checks": {"prize": {"block": {"pct": "1"}}}}, "VALIDATION_FAILED"),
    ],
)
async def test_what_contradicts_itself_is_refused(api: ApiClient, changes: dict[str, Any], code: str) -> None:
    """A percentage without a base, a block band tighter than the warning, a negative limit: told, never saved."""
    problem = a_problem(await api.post(PATH, a_policy(**changes)), 422, code)
    assert all({"where", "message", "rule"} <= set(error) for error in problem["errors"])
    assert (await api.get(PATH)).json()["items"] == []


@pytest.mark.parametrize(
    ("limit", "rule"),
    [
        ("-1", "LIMIT_NEGATIVE"),
        (-1, "LIMIT_NEGATIVE"),
        ("NaN", "LIMIT_NOT_A_NUMBER"),
        ("infinite", "LIMIT_NOT_A_NUMBER"),
        ("", "LIMIT_NOT_A_NUMBER"),
        ("0.000000001", "LIMIT_TOO_PRECISE"),
    ],
)
async def test_what_is_no_limit_is_told_once_and_with_what_would_be_one(api: ApiClient, limit: Any, rule: str) -> None:
    """Bad input of issue 3: a code, the field and a fix; not how a reader tried to read it."""
    checks = {"price": {"block": {"pct": limit}}}
    problem = a_problem(await api.post(PATH, a_policy(checks=checks)), 422, "POLICY_INVALID")
    (error,) = problem["errors"]
    assert (error["where"], error["rule"]) == ("checks.price.block.pct", rule)
    assert len(problem["fix"]) == 1
    a_problem(await api.post(f"{PATH}/preview", {"policy": a_policy(checks=checks)}), 422, "POLICY_INVALID")


async def test_zero_absent_and_unlimited_are_three_things(api: ApiClient) -> None:
    """`0` allows nothing, absent inherits, no limit has to be written out."""
    policy = await result(api, checks={"price": {"block": {"pct": 0, "abs": "unlimited"}}})
    assert policy["checks"]["price"] == {"warn": {}, "block": {"pct": "0", "abs": "unlimited"}}


@pytest.mark.parametrize("role", ["viewer", "clerk"])
async def test_accountants_set_policies_everybody_reads_them(api: ApiClient, role: str) -> None:
    policy = await result(api.as_("accountant"))
    path = f"{PATH}/{policy['id']}"
    lower = api.as_(role)
    a_problem(await lower.post(PATH, a_policy()), 403, "ROLE_TOO_LOW")
    a_problem(await lower.put(path, a_policy()), 403, "ROLE_TOO_LOW")
    a_problem(await lower.delete(path), 403, "ROLE_TOO_LOW")
    a_problem(await lower.post(f"{PATH}/preview", {"policy": a_policy()}), 403, "ROLE_TOO_LOW")
    assert (await lower.get(path)).status_code == 200


async def test_another_organization_s_policies_are_not_there(api: ApiClient, other_api: ApiClient) -> None:
    policy = await result(api)
    path = f"{PATH}/{policy['id']}"
    a_problem(await other_api.get(path), 404, "NOT_FOUND")
    a_problem(await other_api.put(path, a_policy()), 404, "NOT_FOUND")
    a_problem(await other_api.delete(path), 404, "NOT_FOUND")
    a_problem(
        await other_api.post(f"{PATH}/preview", {"policy": a_policy(), "replaces": policy["id"]}), 404, "NOT_FOUND"
    )
    theirs = await connected(api)
    a_problem(await other_api.post(PATH, a_policy(scope={"connection_id": theirs})), 404, "NOT_FOUND")
    assert (await other_api.get(PATH)).json()["items"] == []


async def test_pages_and_filters(api: ApiClient) -> None:
    connection_id = await connected(api)
    ids = [(await result(api, scope={"vendor_id": f"V-{number}"}))["id"] for number in range(3)]
    bound = await result(api, scope={"connection_id": connection_id})
    first = (await api.get(PATH, limit=3)).json()
    rest = (await api.get(PATH, limit=3, cursor=first["next_cursor"])).json()
    assert [item["id"] for item in (*first["items"], *rest["items"])] == [*ids, bound["id"]]
    only = (await api.get(PATH, connection=connection_id)).json()["items"]
    assert [item["id"] for item in only] == [bound["id"]]


# --- trying a policy -------------------------------------------------------------------------------------------


async def bill(api: ApiClient, order_id: str, number: str, price: str) -> Any:
    lines = [{"order_line_no": 1, "quantity": "1", "price": price}]
    dearer = ["PRICE_DIFFERS:bill-line-1"]
    body = {"number": number, "bill_date": "2026-11-20", "lines": lines, "acknowledge": dearer}
    return (await api.post(f"/v1/purchase-orders/{order_id}/bills", body)).json()


async def test_a_policy_is_tried_on_the_last_bills(api: ApiClient, database: Database) -> None:
    """P01, P02: at 5 % a price of 12.70 for 12.50 would pass and one of 13.50 be held; nothing is saved."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    fine, dear = await bill(api, order_id, "INV-1", "12.70"), await bill(api, order_id, "INV-2", "13.50")
    asked = {"policy": a_policy(checks={"price": {"block": {"pct": "5"}}})}
    answer = await api.post(f"{PATH}/preview", asked)
    assert answer.status_code == 200, answer.text
    tried = answer.json()
    assert (tried["looked_at"], tried["changed"]) == (2, 1)
    assert (tried["before"], tried["after"]) == ({"OK": 1, "WARN": 1}, {"OK": 1, "HOLD": 1})
    (change,) = tried["changes"]
    assert (change["bill_id"], change["number"]) == (dear["bill"]["id"], "INV-2")
    assert (change["before"], change["after"], change["change"]) == ("WARN", "HOLD", "worse")
    (found,) = change["appeared"]
    assert Decimal(found["limit"]) == Decimal("13.125")
    assert [(gone["id"], gone["policy"]["level"]) for gone in change["gone"]] == [(found["id"], "built-in")]
    assert (await api.get(PATH)).json()["items"] == []
    assert (await api.get(f"/v1/bills/{fine['bill']['id']}")).json()["match_outcome"] == "OK"


async def test_a_replaced_policy_is_left_out_of_the_trial(api: ApiClient, database: Database) -> None:
    """What is held now and would pass with wider limits is the better for it; only the last N are looked at."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    for number in range(3):
        await bill(api, order_id, f"INV-{number}", f"13.3{number}")
    policy = await result(api, checks={"price": {"block": {"pct": "5"}}})
    wider = a_policy(checks={"price": {"block": {"pct": "20"}}})
    asked = {"policy": wider, "replaces": policy["id"], "connection_id": connection_id, "last": 2}
    tried = (await api.post(f"{PATH}/preview", asked)).json()
    assert (tried["looked_at"], tried["before"], tried["after"]) == (2, {"HOLD": 2}, {"OK": 2})
    assert [(change["number"], change["change"], len(change["gone"])) for change in tried["changes"]] == [
        ("INV-2", "better", 1),
        ("INV-1", "better", 1),
    ]
    # Without saying so, a policy of the same scope stands in for the one there is, as saving it would have to.
    same = (await api.post(f"{PATH}/preview", {"policy": wider})).json()
    assert same["after"] == {"OK": 3}


async def test_refused_bills_are_tried_too(api: ApiClient, database: Database) -> None:
    """Q40: with 10 % more quantity allowed, 11 of 10 would not have been refused."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    body = {"number": "I", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "11"}]}
    a_problem(await api.post(f"/v1/purchase-orders/{order_id}/bills", body), 422, "MATCH_BLOCKED")
    wider = {"policy": a_policy(checks={"qty": {"block": {"pct": "10"}}})}
    (change,) = (await api.post(f"{PATH}/preview", wider)).json()["changes"]
    assert (change["bill_id"], change["before"], change["after"]) == (None, "BLOCK", "OK")


async def test_a_broken_policy_is_not_tried(api: ApiClient) -> None:
    asked = {"policy": a_policy(checks={}), "last": 501}
    misspelt = a_problem(await api.post(PATH, {"checks": {"prise": {}}}), 422, "VALIDATION_FAILED")
    assert misspelt["detail"] == "body.checks.prise: There is no such field; is it misspelt?"
    a_problem(await api.post(f"{PATH}/preview", asked), 422, "VALIDATION_FAILED")
    a_problem(await api.post(f"{PATH}/preview", {**asked, "last": 500}), 422, "POLICY_INVALID")


async def test_bills_that_wait_are_matched_again(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """A policy that changes may leave nothing to wait for: the workflows of such orders are rung."""
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    strict = await result(api, checks={"price": {"block": {"pct": "0"}}})
    held = await bill(api, order_id, "INV-1", "14.00")
    assert held["match"]["outcome"] == "HOLD", held
    fake_temporal.signals.clear()
    wider = a_policy(checks={"price": {"block": {"pct": "20"}}})
    assert (await api.put(f"{PATH}/{strict['id']}", wider)).status_code == 200
    [(workflow_id, signal, why)] = fake_temporal.signals
    assert workflow_id.startswith("po/")
    assert (signal, why) == ("rematch", f"tolerance policy {strict['id']}, version 2")


async def test_a_policy_counts_even_when_nobody_can_be_told(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """F9: the policy is kept, and with it the word for the next sync run; a policy that was told of leaves none."""
    connection_id = ConnectionId(await connected(api))
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    strict = await result(api, checks={"price": {"block": {"pct": "0"}}})
    await bill(api, order_id, "INV-1", "14.00")
    async with database.transaction() as session:
        assert await rematch_requests.pending(session, [connection_id]) == []
    fake_temporal.down = True
    wider = a_policy(checks={"price": {"block": {"pct": "20"}}})
    assert (await api.put(f"{PATH}/{strict['id']}", wider)).json()["version"] == 2
    async with database.transaction() as session:
        (word,) = await rematch_requests.pending(session, [connection_id])
    assert word.why == "a tolerance policy replaced"
