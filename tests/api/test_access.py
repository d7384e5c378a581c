"""Who may do what, and that nothing of another organization is visible."""

from typing import Any

import pytest

from models.domain.ids import ConnectionId, OrganizationId
from models.store.audit import notices, sync_issues
from models.store.base.database import Database
from models.store.connections import organizations
from models.store.sync import sync_runs
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    TOMORROW,
    ApiClient,
    a_problem,
    an_order,
    billed,
    connected,
    mirrored,
    new_connection,
)

A_POLICY = {"checks": {"price": {"block": {"pct": "5"}}}}


@pytest.fixture
async def belongings(api: ApiClient, database: Database, fake_temporal: FakeTemporal) -> dict[str, str]:
    """One of everything the organization can hold, by kind."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    bill_id = await billed(api, order_id)
    fake_temporal.running[f"bill/{bill_id}"] = "run"
    paid = await api.post(f"/v1/bills/{bill_id}/payments", {"amount": "1.00", "pay_on": TOMORROW})
    assert paid.status_code == 201, paid.text
    async with database.transaction() as session:
        run_id = await sync_runs.start(session, ConnectionId(connection_id), "person", f"run of {connection_id}")
        issue_id = await sync_issues.open_issue(
            session,
            "ERP_OUTAGE",
            connection_id=ConnectionId(connection_id),
            subject_kind="connection",
            subject_id=connection_id,
            cause="c",
            evidence={},
        )
        notice_id = await notices.add(
            session,
            organization_id=OrganizationId(api.organization.id),
            connection_id=ConnectionId(connection_id),
            code="C",
            subject_kind="bill",
            subject_id=bill_id,
            message="m",
        )
    policy = await api.post("/v1/tolerance-policies", A_POLICY)
    told = {"vendor_id": "V-1", "item_id": "I", "unit": "Each", "order_unit": "Case", "factor": "1/12"}
    factor = await api.put("/v1/unit-factors", {"connection_id": connection_id, **told})
    return {
        "policy": policy.json()["id"],
        "factor": factor.json()["id"],
        "connection": connection_id,
        "order": order_id,
        "bill": bill_id,
        "payment": paid.json()["payment"]["id"],
        "run": run_id,
        "issue": issue_id,
        "notice": notice_id,
    }


READS = [
    "/v1/connections/{connection}",
    "/v1/connections/{connection}/closed-periods",
    "/v1/connections/{connection}/schedule",
    "/v1/connections/{connection}/accounting-settings",
    "/v1/connections/{connection}/sync-runs",
    "/v1/connections/{connection}/skipped-records",
    "/v1/connections/{connection}/lists/vendor",
    "/v1/sync-runs/{run}",
    "/v1/purchase-orders/{order}",
    "/v1/purchase-orders/{order}/bills",
    "/v1/purchase-orders/{order}/receipts",
    "/v1/purchase-orders/{order}/bill-draft",
    "/v1/bills/{bill}",
    "/v1/payments/{payment}",
    "/v1/sync-issues/{issue}",
    "/v1/tolerance-policies/{policy}",
    "/v1/unit-factors/{factor}",
]

A_BILL = {"number": "I", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "1"}]}

WRITES: list[tuple[str, str, Any]] = [
    ("PUT", "/v1/connections/{connection}/credentials", {"credentials": {"user": "u"}}),
    ("PUT", "/v1/connections/{connection}/preferences", {"preferences": {}}),
    ("PUT", "/v1/connections/{connection}/purchase-orders", {"enabled": True}),
    ("PUT", "/v1/connections/{connection}/schedule", {"every_minutes": None}),
    ("PUT", "/v1/connections/{connection}/accounting-settings", {"posting_day": "entry"}),
    ("PUT", "/v1/connections/{connection}/closed-periods", {"closed_through": "2026-03-31"}),
    ("PUT", "/v1/tolerance-policies/{policy}", A_POLICY),
    ("POST", "/v1/connections/{connection}/sync", None),
    ("POST", "/v1/purchase-orders/{order}/bills", A_BILL),
    ("PATCH", "/v1/bills/{bill}", {"memo": "m"}),
    ("POST", "/v1/bills/{bill}/unlink", None),
    ("POST", "/v1/bills/{bill}/link", {"purchase_order_id": "po_1"}),
    ("POST", "/v1/bills/{bill}/payments", {"amount": "1.00", "pay_on": TOMORROW}),
    ("POST", "/v1/bills/{bill}/acknowledgements", {"findings": ["F"]}),
    ("POST", "/v1/bills/{bill}/release", {"reason": "r"}),
    ("POST", "/v1/bills/{bill}/abandon", {"reason": "r"}),
    ("POST", "/v1/sync-issues/{issue}/retry", {}),
    ("POST", "/v1/sync-issues/{issue}/abandon", {}),
    ("POST", "/v1/notices/{notice}/read", None),
]

READS_BY_POST: list[tuple[str, Any]] = [
    ("/v1/purchase-orders/{order}/match", A_BILL),
    ("/v1/purchase-orders/{order}/bill-draft", {"lines": [{"description": "Paper"}]}),
]

LISTS = [
    "/v1/connections",
    "/v1/purchase-orders",
    "/v1/bills",
    "/v1/payments",
    "/v1/sync-issues",
    "/v1/notices",
    "/v1/tolerance-policies",
    "/v1/unit-factors",
]


async def _write(api: ApiClient, method: str, path: str, body: Any) -> Any:
    match method:
        case "POST":
            return await api.post(path, body)
        case "PUT":
            return await api.put(path, body)
        case _:
            return await api.patch(path, body)


async def test_what_is_there_can_be_read(api: ApiClient, belongings: dict[str, str]) -> None:
    for path in READS:
        response = await api.as_("viewer").get(path.format(**belongings))
        assert response.status_code == 200, (path, response.text)
    for path in LISTS:
        assert len((await api.as_("viewer").get(path)).json()["items"]) == 1, path


async def test_another_organization_sees_none_of_it(
    api: ApiClient, other_api: ApiClient, belongings: dict[str, str], fake_temporal: FakeTemporal
) -> None:
    """Not even that it exists: 404, and lists are empty."""
    before = (await api.get("/v1/bills/{bill}".format(**belongings))).json()
    started, signals = len(fake_temporal.started), len(fake_temporal.signals)
    for path in READS:
        a_problem(await other_api.get(path.format(**belongings)), 404, "NOT_FOUND")
    for method, path, body in WRITES:
        a_problem(await _write(other_api, method, path.format(**belongings), body), 404, "NOT_FOUND")
    for path in LISTS:
        assert (await other_api.get(path)).json()["items"] == [], path
    for path in LISTS[1:]:
        assert (await other_api.get(path, connection=belongings["connection"])).json()["items"] == [], path
    a_problem(
        await other_api.get("/v1/purchase-orders", connection=belongings["connection"], vendor="V-1", open=True),
        404,
        "NOT_FOUND",
    )
    assert (await api.get("/v1/bills/{bill}".format(**belongings))).json() == before
    assert (len(fake_temporal.started), len(fake_temporal.signals)) == (started, signals)


async def test_questions_by_post_are_answered_to_viewers_and_to_nobody_else(
    api: ApiClient, other_api: ApiClient, belongings: dict[str, str]
) -> None:
    for path, body in READS_BY_POST:
        answer = await api.as_("viewer").post(path.format(**belongings), body)
        assert answer.status_code == 200, answer.text
        a_problem(await other_api.post(path.format(**belongings), body), 404, "NOT_FOUND")


async def test_what_a_body_or_a_query_names_is_nobody_else_s(
    api: ApiClient, other_api: ApiClient, database: Database, belongings: dict[str, str]
) -> None:
    """An id inside a request opens no more than one in its address."""
    theirs = belongings["connection"]
    own = await connected(other_api)
    own_order = await mirrored(database, own, an_order("PO-9"))
    told = {"vendor_id": "V-1", "item_id": "I", "unit": "Each", "order_unit": "Case", "factor": "1/2"}
    a_problem(await other_api.put("/v1/unit-factors", {"connection_id": theirs, **told}), 404, "NOT_FOUND")
    scoped = {**A_POLICY, "scope": {"connection_id": theirs}}
    a_problem(await other_api.post("/v1/tolerance-policies", scoped), 404, "NOT_FOUND")
    for asked in ({"policy": scoped}, {"policy": A_POLICY, "replaces": belongings["policy"]}):
        a_problem(await other_api.post("/v1/tolerance-policies/preview", asked), 404, "NOT_FOUND")
    lines = {"connection_id": theirs, "vendor_id": "V-1", "lines": [{"description": "Paper"}]}
    a_problem(await other_api.post("/v1/line-suggestions", lines), 404, "NOT_FOUND")
    a_problem(await other_api.get("/v1/reports/grni", connection=theirs), 404, "NOT_FOUND")
    assert (await other_api.get("/v1/reports/grni")).json()["items"] == []
    with_their_line = {**A_BILL, "lines": [{**A_BILL["lines"][0], "purchase_order_id": belongings["order"]}]}
    for route in ("match", "bills"):
        path = f"/v1/purchase-orders/{own_order}/{route}"
        a_problem(await other_api.post(path, with_their_line), 404, "NOT_FOUND")


async def test_who_may_release_and_set_policies(api: ApiClient, belongings: dict[str, str]) -> None:
    """Rules 3.4: holds are released, and policies set, by an accountant; books are closed by an administrator."""
    clerk, accountant = api.as_("clerk"), api.as_("accountant")
    a_problem(await clerk.post("/v1/bills/{bill}/release".format(**belongings), {"reason": "r"}), 403, "ROLE_TOO_LOW")
    a_problem(await clerk.post("/v1/tolerance-policies", A_POLICY), 403, "ROLE_TOO_LOW")
    a_problem(await clerk.put("/v1/tolerance-policies/{policy}".format(**belongings), A_POLICY), 403, "ROLE_TOO_LOW")
    a_problem(await clerk.post("/v1/tolerance-policies/preview", {"policy": A_POLICY}), 403, "ROLE_TOO_LOW")
    books = "/v1/connections/{connection}/closed-periods".format(**belongings)
    a_problem(await accountant.put(books, {"closed_through": "2026-03-31"}), 403, "ROLE_TOO_LOW")


async def test_a_viewer_changes_nothing(api: ApiClient, belongings: dict[str, str]) -> None:
    viewer = api.as_("viewer")
    for method, path, body in WRITES:
        a_problem(await _write(viewer, method, path.format(**belongings), body), 403, "ROLE_TOO_LOW")
    a_problem(await viewer.post("/v1/connections", new_connection()), 403, "ROLE_TOO_LOW")


async def test_only_an_administrator_switches_the_feature(api: ApiClient, belongings: dict[str, str]) -> None:
    """S1-32: an administrator, only, can disable the purchase order feature."""
    path = "/v1/connections/{connection}/purchase-orders".format(**belongings)
    for role in ("viewer", "clerk", "accountant"):
        a_problem(await api.as_(role).put(path, {"enabled": False}), 403, "ROLE_TOO_LOW")
    assert (await api.as_("admin").put(path, {"enabled": False})).json()["purchase_orders_enabled"] is False


async def test_a_clerk_neither_pays_nor_connects(api: ApiClient, belongings: dict[str, str]) -> None:
    """S2-03: the set-up needs the Admin or the Accountant role."""
    clerk = api.as_("clerk")
    pay = "/v1/bills/{bill}/payments".format(**belongings)
    a_problem(await clerk.post(pay, {"amount": "1.00", "pay_on": TOMORROW}), 403, "ROLE_TOO_LOW")
    a_problem(await clerk.post("/v1/connections", new_connection()), 403, "ROLE_TOO_LOW")
    a_problem(await api.as_("accountant").post("/v1/connections", new_connection()), 403, "ROLE_TOO_LOW")
    without = new_connection(purchase_orders=False)
    assert (await api.as_("accountant").post("/v1/connections", without)).status_code == 201


async def test_a_revoked_key_opens_nothing(api: ApiClient, database: Database) -> None:
    async with database.transaction() as session:
        for key in await organizations.list_api_keys(session, api.organization.id):
            await organizations.revoke_api_key(session, api.organization.id, key.id)
    a_problem(await api.get("/v1/connections"), 401, "UNAUTHENTICATED")
