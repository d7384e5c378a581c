"""Connecting an ERP and setting the connection up."""

from datetime import timedelta

import pytest

from models.domain import BillStatus, ChargeKind, MatchingStatus, MatchMode, PoStatus
from models.store.database import Database
from tests.api.desk import (
    CAPABILITIES,
    CREDENTIALS,
    PREFERENCES,
    Office,
    StandInErp,
    StandInTemporal,
    a_problem,
    an_order,
    billed,
    connected,
    mirrored,
    new_connection,
)


async def test_a_connection_is_bound_to_its_entity_and_starts_its_first_sync(
    office: Office, temporal_stand_in: StandInTemporal
) -> None:
    """S2-04, S2-51, S2-54, S2-55, S4-07."""
    body = new_connection(first_import_from="2024-01-01")
    created = await office.post("/v1/connections", body)
    assert created.status_code == 201
    connection = created.json()
    assert created.headers["location"] == f"/v1/connections/{connection['id']}"
    assert (connection["entity"], connection["state"], connection["match_mode"]) == (
        "100",
        "needs_preferences",
        "two_way",
    )
    assert connection["first_import_from"] == "2024-01-01"
    assert connection["base_currency"] == "USD"
    [(workflow_id, state)] = temporal_stand_in.started
    assert (workflow_id, state.trigger) == (f"sync/{connection['id']}", "connect")
    read = await office.get(f"/v1/connections/{connection['id']}")
    assert read.json() == connection
    assert read.headers["etag"] == created.headers["etag"]


async def test_what_is_offered_can_hang_on_what_is_set(office: Office) -> None:
    """Several sources for a bill, charges on it: the connection shows what the ERP takes with these preferences."""
    connection_id = await connected(office)
    offered = {"several_sources_per_bill": True, "charges": (ChargeKind.FREIGHT,)}
    StandInErp.capabilities = CAPABILITIES.model_copy(update=offered)
    body = {"preferences": {**PREFERENCES, "several_sources": "true", "subtotal.freight": "Freight"}}
    changed = await office.put(f"/v1/connections/{connection_id}/preferences", body)
    shown = changed.json()["connection"]["capabilities"]
    assert (shown["several_sources_per_bill"], shown["charges"]) == (True, ["freight"])


async def test_wrong_credentials_are_refused_with_the_erps_reason(office: Office) -> None:
    body = new_connection()
    body["credentials"]["password"] = "wrong"
    problem = a_problem(await office.post("/v1/connections", body), 422, "AUTH_BAD_CREDENTIALS")
    assert problem["evidence"]["erp_code"] == "XL03"
    assert problem["who"] == "administrator"
    assert (await office.get("/v1/connections")).json()["items"] == []


async def test_the_same_company_user_and_entity_is_connected_once(office: Office, other_office: Office) -> None:
    """S2-14: company, user and entity together are unique; another entity is another connection."""
    body = new_connection()
    made = await office.post("/v1/connections", body)
    assert made.status_code == 201
    problem = a_problem(await office.post("/v1/connections", body), 409, "CONNECTION_EXISTS")
    assert problem["evidence"] == {"connection_id": made.json()["id"]}
    theirs = a_problem(await other_office.post("/v1/connections", body), 409, "CONNECTION_EXISTS")
    assert "evidence" not in theirs
    assert (await office.post("/v1/connections", {**body, "entity": "200"})).status_code == 201


async def test_the_entity_is_given_once(office: Office) -> None:
    body = new_connection()
    body["credentials"]["entity"] = "200"
    a_problem(await office.post("/v1/connections", body), 422, "ENTITY_GIVEN_TWICE")


async def test_credentials_are_asked_for_by_the_erps_own_names(office: Office) -> None:
    """S2-51: what is absent, empty or misspelt is named before anybody is called."""
    body = new_connection()
    given = dict(body["credentials"])
    given["sender_pasword"] = given.pop("sender_password")
    problem = a_problem(
        await office.post("/v1/connections", {**body, "credentials": {**given, "user": ""}}),
        422,
        "CREDENTIALS_INCOMPLETE",
    )
    assert problem["detail"] == "Missing: sender_password, user. intacct has no use for: sender_pasword."
    assert problem["fix"] == ["Give exactly these names: sender_id, sender_password, company, user, password."]
    connection_id = (await office.post("/v1/connections", body)).json()["id"]
    answer = await office.put(f"/v1/connections/{connection_id}/credentials", {"credentials": given})
    a_problem(answer, 422, "CREDENTIALS_INCOMPLETE")


async def test_credentials_are_never_shown(office: Office) -> None:
    connection_id = await connected(office)
    for path in ("/v1/connections", f"/v1/connections/{connection_id}"):
        assert "right" not in (await office.get(path)).text


async def test_new_credentials_must_be_of_the_same_company(office: Office) -> None:
    body = new_connection()
    connection_id = (await office.post("/v1/connections", body)).json()["id"]
    path = f"/v1/connections/{connection_id}/credentials"
    company = body["credentials"]["company"]
    assert (await office.put(path, {"credentials": {**CREDENTIALS, "company": company}})).status_code == 200
    response = await office.put(path, {"credentials": {**CREDENTIALS, "company": "OTHER"}})
    a_problem(response, 409, "CONNECTION_IDENTITY_CHANGED")
    response = await office.put(path, {"credentials": {**CREDENTIALS, "company": company, "password": "wrong"}})
    a_problem(response, 422, "AUTH_BAD_CREDENTIALS")


async def test_an_edit_needs_the_version_it_is_based_on(office: Office) -> None:
    connection_id = await connected(office)
    path = f"/v1/connections/{connection_id}"
    tag = (await office.get(path)).headers["etag"]
    first = await office.put(f"{path}/preferences", {"preferences": PREFERENCES}, if_match=tag)
    assert first.status_code == 200
    assert first.headers["etag"] != tag
    response = await office.put(f"{path}/preferences", {"preferences": PREFERENCES}, if_match=tag)
    a_problem(response, 412, "PRECONDITION_FAILED")
    assert response.headers["etag"] == first.headers["etag"]


async def test_incomplete_preferences_are_kept_and_explained(office: Office) -> None:
    """S2-55, S4-62: both template names, case-sensitive; until then transactions wait."""
    connection_id = (await office.post("/v1/connections", new_connection())).json()["id"]
    path = f"/v1/connections/{connection_id}/preferences"
    wrong = await office.put(path, {"preferences": {"po_template": "purchase order"}})
    assert wrong.status_code == 200
    assert wrong.json()["complete"] is False
    assert [problem["preference"] for problem in wrong.json()["problems"]] == ["po_template", "vendor_invoice_template"]
    assert wrong.json()["connection"]["state"] == "needs_preferences"
    assert wrong.json()["connection"]["preferences"] == {"po_template": "purchase order"}
    right = await office.put(path, {"preferences": PREFERENCES})
    assert (right.json()["complete"], right.json()["connection"]["state"]) == (True, "ready")


async def test_one_template_of_a_company_belongs_to_one_connection(office: Office) -> None:
    """Field note U-9: two connections on one template would take the same orders in twice."""
    body = new_connection()
    first = (await office.post("/v1/connections", body)).json()["id"]
    body = {**body, "credentials": {**body["credentials"], "user": "second"}}
    second = (await office.post("/v1/connections", body)).json()["id"]
    assert (await office.put(f"/v1/connections/{first}/preferences", {"preferences": PREFERENCES})).status_code == 200
    response = await office.put(f"/v1/connections/{second}/preferences", {"preferences": PREFERENCES})
    assert first in a_problem(response, 409, "TEMPLATE_CLAIMED")["detail"]


async def test_one_way_is_permanent(office: Office) -> None:
    """S2-52, S2-53."""
    connection_id = await connected(office)
    path = f"/v1/connections/{connection_id}/preferences"
    on = await office.put(path, {"preferences": PREFERENCES, "one_way": True})
    assert on.json()["connection"]["one_way"] is True
    a_problem(await office.put(path, {"preferences": PREFERENCES, "one_way": False}), 409, "ONE_WAY_IS_PERMANENT")
    assert (await office.put(path, {"preferences": PREFERENCES})).json()["connection"]["one_way"] is True


async def test_an_outage_leaves_the_preferences_as_they_were(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    connection_id = await connected(office)
    before = (await office.get(f"/v1/connections/{connection_id}")).json()

    async def no_answer(self: StandInErp, preferences: object) -> list[object]:
        raise TimeoutError

    monkeypatch.setattr(StandInErp, "check_preferences", no_answer)
    response = await office.put(f"/v1/connections/{connection_id}/preferences", {"preferences": {}})
    a_problem(response, 503, "ERP_UNAVAILABLE")
    assert (await office.get(f"/v1/connections/{connection_id}")).json() == before


async def test_the_match_mode_gives_every_order_its_new_meaning(office: Office, database: Database) -> None:
    """S4-42, S4-43, S5-102..112: Converted is closed for 2-way matching, active for 3-way."""
    connection_id = await connected(office)
    order = an_order("PO-1", erp_status="Converted")
    order_id = await mirrored(database, connection_id, order, PoStatus.FILLED, MatchingStatus.CLOSED)
    odd = an_order("PO-2", erp_status="Unheard of")
    odd_id = await mirrored(database, connection_id, odd, PoStatus.UNFILLED, MatchingStatus.ACTIVE)
    path = f"/v1/connections/{connection_id}/purchase-orders"
    three = await office.put(path, {"enabled": True, "match_mode": "three_way"})
    assert three.json()["match_mode"] == "three_way"
    assert (await office.get(f"/v1/purchase-orders/{order_id}")).json()["matching_status"] == "active"
    await office.put(path, {"enabled": True, "match_mode": "two_way"})
    assert (await office.get(f"/v1/purchase-orders/{order_id}")).json()["matching_status"] == "closed"
    assert (await office.get(f"/v1/purchase-orders/{odd_id}")).json()["matching_status"] == "active"  # G3


async def test_a_mode_the_erp_does_not_offer_is_refused(office: Office) -> None:
    """S4-08, S4-17, G5: 3-way needs a connector with receipts."""
    StandInErp.capabilities = CAPABILITIES.model_copy(update={"match_modes": (MatchMode.TWO_WAY,)})
    connection_id = await connected(office)
    path = f"/v1/connections/{connection_id}/purchase-orders"
    response = await office.put(path, {"enabled": True, "match_mode": "three_way"})
    a_problem(response, 422, "MATCH_MODE_NOT_OFFERED")


async def test_with_the_feature_off_orders_are_hidden_and_links_stay(office: Office, database: Database) -> None:
    """S1-32, S2-85."""
    connection_id = await connected(office)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    bill_id = await billed(office, order_id)
    path = f"/v1/connections/{connection_id}/purchase-orders"
    assert (await office.put(path, {"enabled": False})).json()["purchase_orders_enabled"] is False
    assert (await office.get("/v1/purchase-orders")).json()["items"] == []
    assert (await office.get("/v1/purchase-orders", connection=connection_id)).json()["items"] == []
    drop_down = await office.get("/v1/purchase-orders", connection=connection_id, vendor="V-1", open=True)
    assert drop_down.json()["items"] == []
    a_problem(await office.get(f"/v1/purchase-orders/{order_id}"), 404, "PO_FEATURE_OFF")
    body = {"number": "I", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "1"}]}
    a_problem(await office.post(f"/v1/purchase-orders/{order_id}/bills", body), 409, "PO_FEATURE_OFF")
    bill = (await office.get(f"/v1/bills/{bill_id}")).json()
    assert (bill["purchase_order_id"], bill["status"]) == (order_id, BillStatus.PENDING_PUSH)
    await office.put(path, {"enabled": True})
    assert (await office.get(f"/v1/purchase-orders/{order_id}")).status_code == 200


async def test_a_schedule_is_made_changed_and_taken_away(office: Office, temporal_stand_in: StandInTemporal) -> None:
    """S2-56: at least one sync per day."""
    connection_id = await connected(office)
    path = f"/v1/connections/{connection_id}/schedule"
    assert (await office.put(path, {"every_minutes": 60})).json()["sync_every_minutes"] == 60
    await office.put(path, {"every_minutes": 30})
    [schedule] = temporal_stand_in.schedules.values()
    assert schedule.spec.intervals[0].every == timedelta(minutes=30)
    a_problem(await office.put(path, {"every_minutes": 2000}), 422, "VALIDATION_FAILED")
    assert (await office.put(path, {"every_minutes": None})).json()["sync_every_minutes"] is None
    assert temporal_stand_in.schedules == {}
    assert (await office.put(path, {"every_minutes": None})).status_code == 200


async def test_a_schedule_temporal_refused_is_not_claimed(office: Office, temporal_stand_in: StandInTemporal) -> None:
    connection_id = await connected(office)
    temporal_stand_in.down = True
    response = await office.put(f"/v1/connections/{connection_id}/schedule", {"every_minutes": 60})
    a_problem(response, 503, "TEMPORAL_UNAVAILABLE")
    assert (await office.get(f"/v1/connections/{connection_id}")).json()["sync_every_minutes"] is None
