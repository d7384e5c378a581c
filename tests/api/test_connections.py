"""Connecting an ERP and setting the connection up."""

from datetime import UTC, datetime, timedelta

import pytest

from api.connections import routes
from erp.registry import CREDENTIALS_SPECS
from erp.sign_in import SignInKind
from models.domain.bills import BillStatus, ChargeKind
from models.domain.connections import Erp, MatchMode
from models.domain.ids import ConnectionId
from models.domain.orders import MatchingStatus, PoStatus
from models.domain.sync import Stream
from models.store.base.database import Database
from models.store.connections import connections
from models.store.orders import excluded_records
from models.store.sync import cursors
from services.outbox.delivery import OutboxDelivery
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_erp import CAPABILITIES, FakeErp
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    CREDENTIALS,
    PREFERENCES,
    ApiClient,
    a_problem,
    an_order,
    billed,
    connected,
    make_due,
    mirrored,
    new_connection,
)
from tests.harness.workflow_client import eventually


async def test_a_connection_is_bound_to_its_entity_and_starts_its_first_sync(
    api: ApiClient, fake_temporal: FakeTemporal
) -> None:
    """S2-04, S2-51, S2-54, S2-55, S4-07."""
    body = new_connection(first_import_from="2024-01-01")
    created = await api.post("/v1/connections", body)
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
    await eventually(lambda: fake_temporal.started)
    [(workflow_id, state)] = fake_temporal.started
    assert (workflow_id, state.trigger) == (f"sync/{connection['id']}", "connect")
    read = await api.get(f"/v1/connections/{connection['id']}")
    assert read.json() == connection
    assert read.headers["etag"].startswith(created.headers["etag"][:-1] + "-")


async def test_a_new_connection_syncs_once_a_day_unless_somebody_says_otherwise(
    api: ApiClient, fake_temporal: FakeTemporal
) -> None:
    """S2-56: from when the ERP lets it in, counted from then, so that no scheduled run comes beside the first sync."""
    before = datetime.now(UTC)
    created = (await api.post("/v1/connections", new_connection())).json()
    assert created["sync_every_minutes"] == 1440
    name = f"sync-schedule/{created['id']}"
    await eventually(lambda: name in fake_temporal.schedules)
    (interval,) = fake_temporal.schedules[name].spec.intervals
    assert interval.every == timedelta(days=1)
    counted_from = datetime(1970, 1, 1, tzinfo=UTC) + (before - datetime(1970, 1, 1, tzinfo=UTC)) // interval.every * (
        interval.every
    )
    assert abs(counted_from + interval.offset - before) < timedelta(minutes=1)
    shown = (await api.as_("viewer").get(f"/v1/connections/{created['id']}/schedule")).json()
    assert (shown["id"], shown["every_minutes"], shown["paused"]) == (name, 1440, False)
    assert shown["next_at"] is not None

    asked_for = (await api.post("/v1/connections", new_connection(sync_every_minutes=30))).json()
    name = f"sync-schedule/{asked_for['id']}"
    await eventually(lambda: name in fake_temporal.schedules)
    assert fake_temporal.schedules[name].spec.intervals[0].every == timedelta(minutes=30)
    by_hand = (await api.post("/v1/connections", new_connection(sync_every_minutes=None))).json()
    assert by_hand["sync_every_minutes"] is None
    shown = (await api.get(f"/v1/connections/{by_hand['id']}/schedule")).json()
    assert (shown["every_minutes"], shown["next_at"]) == (None, None)
    a_problem(await api.post("/v1/connections", new_connection(sync_every_minutes=1441)), 422, "VALIDATION_FAILED")


async def test_what_is_offered_can_hang_on_what_is_set(api: ApiClient, erp: FakeErp) -> None:
    """Several sources for a bill, charges on it: the connection shows what the ERP takes with these preferences."""
    connection_id = await connected(api)
    offered = {"several_sources_per_bill": True, "charges": (ChargeKind.FREIGHT,)}
    erp.capabilities = CAPABILITIES.model_copy(update=offered)
    body = {"preferences": {**PREFERENCES, "several_sources": "true", "subtotal.freight": "Freight"}}
    changed = await api.put(f"/v1/connections/{connection_id}/preferences", body)
    shown = changed.json()["connection"]["capabilities"]
    assert (shown["several_sources_per_bill"], shown["charges"]) == (True, ["freight"])


async def test_wrong_credentials_are_refused_with_the_erps_reason(api: ApiClient) -> None:
    body = new_connection()
    body["credentials"]["password"] = "wrong"
    problem = a_problem(await api.post("/v1/connections", body), 422, "AUTH_BAD_CREDENTIALS")
    assert problem["evidence"]["erp_code"] == "XL03"
    assert problem["who"] == "administrator"
    assert (await api.get("/v1/connections")).json()["items"] == []


async def test_a_connection_that_is_let_in_later_waits_for_it(
    api: ApiClient, fake_temporal: FakeTemporal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Save, then prove: consent comes from a browser, or a program comes by. Until then nothing syncs; what the ERP
    says of it then makes it the connection it is."""
    later = CREDENTIALS_SPECS[Erp.INTACCT]._replace(kind=SignInKind.OAUTH, company=None)
    monkeypatch.setattr(routes, "CREDENTIALS_SPECS", {Erp.INTACCT: later})
    body = new_connection()
    body["credentials"]["password"] = "not asked for yet"
    created = await api.post("/v1/connections", body)
    assert created.status_code == 201
    connection = created.json()
    assert (connection["state"], connection["company"], connection["user_name"]) == ("pending_authorization", "", "")
    assert fake_temporal.started == []
    path = f"/v1/connections/{connection['id']}"
    a_problem(await api.post(f"{path}/sync"), 409, "CONNECTION_PENDING")
    a_problem(await api.put(f"{path}/schedule", {"every_minutes": 60}), 409, "CONNECTION_PENDING")
    arguments = {"credentials": {**body["credentials"], "entity": "100"}}
    a_problem(await api.put(f"{path}/credentials", arguments), 422, "AUTH_BAD_CREDENTIALS")
    arguments["credentials"]["password"] = "right"
    let_in = (await api.put(f"{path}/credentials", arguments)).json()
    assert (let_in["state"], let_in["company"], let_in["entity"], let_in["id"]) == (
        "needs_preferences",
        body["credentials"]["company"],
        "100",
        connection["id"],
    )
    assert let_in["capabilities"]["po_in"]
    await eventually(lambda: fake_temporal.started)
    assert [started for started, _ in fake_temporal.started] == [f"sync/{connection['id']}"]
    await eventually(lambda: f"sync-schedule/{connection['id']}" in fake_temporal.schedules)


async def test_an_api_that_dies_while_connecting_leaves_one_connection(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, erp: FakeErp
) -> None:
    """It was saved and not proven; the same request again proves it, and nothing is there twice."""
    body = new_connection()
    with monkeypatch.context() as patch:

        async def died(*_: object) -> None:
            raise RuntimeError("the process was killed here")

        patch.setattr(erp, "check", died)
        assert (await api.post("/v1/connections", body, key="connect-1")).status_code == 500
    (left,) = (await api.get("/v1/connections")).json()["items"]
    assert left["state"] == "pending_authorization"
    again = await api.post("/v1/connections", body, key="connect-1")
    assert again.status_code == 201
    (kept,) = (await api.get("/v1/connections")).json()["items"]
    assert (kept["id"], kept["state"]) == (again.json()["id"], "needs_preferences")


async def test_the_same_company_user_and_entity_is_connected_once(api: ApiClient, other_api: ApiClient) -> None:
    """S2-14: company, user and entity together are unique; another entity is another connection."""
    body = new_connection()
    result = await api.post("/v1/connections", body)
    assert result.status_code == 201
    problem = a_problem(await api.post("/v1/connections", body), 409, "CONNECTION_EXISTS")
    assert problem["evidence"] == {"connection_id": result.json()["id"]}
    theirs = a_problem(await other_api.post("/v1/connections", body), 409, "CONNECTION_EXISTS")
    assert "evidence" not in theirs
    assert (await api.post("/v1/connections", {**body, "entity": "200"})).status_code == 201


async def test_the_entity_is_given_once(api: ApiClient) -> None:
    body = new_connection()
    body["credentials"]["entity"] = "200"
    a_problem(await api.post("/v1/connections", body), 422, "ENTITY_GIVEN_TWICE")


async def test_credentials_are_asked_for_by_the_erps_own_names(api: ApiClient) -> None:
    """S2-51: what is absent, empty or misspelt is named before anybody is called."""
    body = new_connection()
    arguments = dict(body["credentials"])
    arguments["sender_pasword"] = arguments.pop("sender_password")
    problem = a_problem(
        await api.post("/v1/connections", {**body, "credentials": {**arguments, "user": ""}}),
        422,
        "CREDENTIALS_INCOMPLETE",
    )
    assert problem["detail"] == "Missing: user, sender_password. intacct has no use for: sender_pasword."
    assert problem["fix"] == ["Give exactly these names: company, user, sender_id, password, sender_password."]
    connection_id = (await api.post("/v1/connections", body)).json()["id"]
    answer = await api.put(f"/v1/connections/{connection_id}/credentials", {"credentials": arguments})
    a_problem(answer, 422, "CREDENTIALS_INCOMPLETE")


async def test_credentials_are_never_shown(api: ApiClient) -> None:
    connection_id = await connected(api)
    for path in ("/v1/connections", f"/v1/connections/{connection_id}"):
        assert "right" not in (await api.get(path)).text


async def test_new_credentials_must_be_of_the_same_company(api: ApiClient) -> None:
    body = new_connection()
    connection_id = (await api.post("/v1/connections", body)).json()["id"]
    path = f"/v1/connections/{connection_id}/credentials"
    company = body["credentials"]["company"]
    assert (await api.put(path, {"credentials": {**CREDENTIALS, "company": company}})).status_code == 200
    response = await api.put(path, {"credentials": {**CREDENTIALS, "company": "OTHER"}})
    a_problem(response, 409, "CONNECTION_IDENTITY_CHANGED")
    response = await api.put(path, {"credentials": {**CREDENTIALS, "company": company, "password": "wrong"}})
    a_problem(response, 422, "AUTH_BAD_CREDENTIALS")


async def test_new_credentials_may_come_with_a_new_address_and_settings(api: ApiClient, database: Database) -> None:
    """C4: the address of a version that is retired, or too many calls at once, can be corrected as the issues say."""
    body = new_connection()
    connection_id = (await api.post("/v1/connections", body)).json()["id"]
    path = f"/v1/connections/{connection_id}"
    renewed = {"credentials": {**CREDENTIALS, "company": body["credentials"]["company"]}}
    change = {"endpoint": "https://erp.example/newer", "settings": {"allow_loopback": True, "max_in_flight": 1}}

    async def stored() -> tuple[str, int]:
        async with database.transaction() as session:
            row = await connections.get(session, ConnectionId(connection_id))
        assert row is not None
        return row.endpoint, row.settings["max_in_flight"]

    before = await stored()
    refused = {"credentials": {**renewed["credentials"], "password": "wrong"}, **change}
    a_problem(await api.put(f"{path}/credentials", refused), 422, "AUTH_BAD_CREDENTIALS")
    assert await stored() == before
    assert (await api.put(f"{path}/credentials", {**renewed, **change})).json()["endpoint"] == change["endpoint"]
    assert await stored() == (change["endpoint"], 1)
    assert (await api.put(f"{path}/credentials", renewed)).status_code == 200
    assert await stored() == (change["endpoint"], 1), "what is left out stays"


async def test_an_edit_needs_the_version_it_is_based_on(api: ApiClient) -> None:
    connection_id = await connected(api)
    path = f"/v1/connections/{connection_id}"
    tag = (await api.get(path)).headers["etag"]
    first = await api.put(f"{path}/preferences", {"preferences": PREFERENCES}, if_match=tag)
    assert first.status_code == 200
    assert first.headers["etag"] != tag
    response = await api.put(f"{path}/preferences", {"preferences": PREFERENCES}, if_match=tag)
    a_problem(response, 412, "PRECONDITION_FAILED")
    assert response.headers["etag"] == first.headers["etag"]


async def test_incomplete_preferences_are_kept_and_explained(api: ApiClient) -> None:
    """S2-55, S4-62: both template names, case-sensitive; until then transactions wait."""
    connection_id = (await api.post("/v1/connections", new_connection())).json()["id"]
    path = f"/v1/connections/{connection_id}/preferences"
    wrong = await api.put(path, {"preferences": {"po_template": "purchase order"}})
    assert wrong.status_code == 200
    assert wrong.json()["complete"] is False
    assert [problem["preference"] for problem in wrong.json()["problems"]] == ["po_template", "vendor_invoice_template"]
    assert wrong.json()["connection"]["state"] == "needs_preferences"
    assert wrong.json()["connection"]["preferences"] == {"po_template": "purchase order"}
    right = await api.put(path, {"preferences": PREFERENCES})
    assert (right.json()["complete"], right.json()["connection"]["state"]) == (True, "ready")


async def test_preferences_that_become_complete_start_a_sync(api: ApiClient, fake_temporal: FakeTemporal) -> None:
    """S2-55: whoever finishes the set-up expects orders, and not only at the next scheduled run."""
    connection_id = (await api.post("/v1/connections", new_connection())).json()["id"]
    await fake_temporal.forget_first_sync(connection_id)
    fake_temporal.started.clear()
    path = f"/v1/connections/{connection_id}/preferences"
    assert not (await api.put(path, {"preferences": {"po_template": "purchase order"}})).json()["complete"]
    assert (await api.put(path, {"preferences": PREFERENCES})).json()["complete"]
    await eventually(lambda: fake_temporal.started)
    assert [started for started, _ in fake_temporal.started] == [f"sync/{connection_id}"]
    fake_temporal.running.clear()
    fake_temporal.started.clear()
    assert (await api.put(path, {"preferences": PREFERENCES})).json()["complete"]  # as it was
    features = f"/v1/connections/{connection_id}/purchase-orders"
    assert (await api.put(features, {"enabled": False})).status_code == 200
    assert fake_temporal.started == []
    assert (await api.put(features, {"enabled": True})).status_code == 200  # orders come in from now on
    await eventually(lambda: fake_temporal.started)


async def test_one_template_of_a_company_belongs_to_one_connection(api: ApiClient) -> None:
    """Field note U-9: two connections on one template would take the same orders in twice."""
    body = new_connection()
    first = (await api.post("/v1/connections", body)).json()["id"]
    body = {**body, "credentials": {**body["credentials"], "user": "second"}}
    second = (await api.post("/v1/connections", body)).json()["id"]
    assert (await api.put(f"/v1/connections/{first}/preferences", {"preferences": PREFERENCES})).status_code == 200
    response = await api.put(f"/v1/connections/{second}/preferences", {"preferences": PREFERENCES})
    assert first in a_problem(response, 409, "TEMPLATE_CLAIMED")["detail"]


async def test_the_currency_of_the_books_is_the_erps_own_word(api: ApiClient, erp: FakeErp) -> None:
    """S1-16, S2-73: asked when the connection is proved, stored and shown; nobody can say otherwise."""
    erp.base_currency = "CAD"
    body = new_connection()
    a_problem(await api.post("/v1/connections", {**body, "base_currency": "USD"}), 422, "BASE_CURRENCY_DIFFERS")
    created = (await api.post("/v1/connections", body)).json()
    assert (created["base_currency"], created["base_currency_from"]) == ("CAD", "erp")
    path = f"/v1/connections/{created['id']}/preferences"
    wrong = await api.put(path, {"preferences": PREFERENCES, "base_currency": "EUR"})
    assert "CAD, not in EUR" in a_problem(wrong, 422, "BASE_CURRENCY_DIFFERS")["detail"]
    assert (await api.put(path, {"preferences": PREFERENCES})).json()["complete"] is True


async def test_a_person_says_the_currency_where_the_erp_does_not(api: ApiClient, erp: FakeErp) -> None:
    """S1-16, S2-73: never a constant. Until somebody has said it, only lists sync."""
    erp.base_currency = None
    created = (await api.post("/v1/connections", new_connection())).json()
    assert (created["base_currency"], created["base_currency_from"]) == ("USD", "assumed")
    path = f"/v1/connections/{created['id']}/preferences"
    asked = (await api.put(path, {"preferences": PREFERENCES})).json()
    assert (asked["complete"], [one["code"] for one in asked["problems"]]) == (False, ["BASE_CURRENCY_UNKNOWN"])
    said = (await api.put(path, {"preferences": PREFERENCES, "base_currency": "EUR"})).json()
    assert (said["complete"], said["problems"]) == (True, [])
    assert (said["connection"]["base_currency"], said["connection"]["base_currency_from"]) == ("EUR", "person")
    assert (await api.put(path, {"preferences": PREFERENCES})).json()["complete"] is True, "it is asked once"
    at_once = (await api.post("/v1/connections", new_connection(base_currency="EUR"))).json()
    assert (at_once["base_currency"], at_once["base_currency_from"]) == ("EUR", "person")


async def test_a_currency_with_other_decimals_is_not_served(api: ApiClient, erp: FakeErp) -> None:
    """A12: every amount has its currency's decimals, and those shown here have two."""
    erp.base_currency = "JPY"
    created = (await api.post("/v1/connections", new_connection())).json()
    answer = (await api.put(f"/v1/connections/{created['id']}/preferences", {"preferences": PREFERENCES})).json()
    assert (answer["complete"], [one["code"] for one in answer["problems"]]) == (False, ["BASE_CURRENCY_NOT_SERVED"])


async def test_what_was_left_out_for_its_currency_is_read_again_when_it_turns_out_to_be_the_right_one(
    api: ApiClient, erp: FakeErp, database: Database
) -> None:
    """S1-16: whoever said dollars before the ERP could be asked."""
    erp.base_currency = None
    created = (await api.post("/v1/connections", new_connection(base_currency="USD"))).json()
    connection_id = ConnectionId(created["id"])
    async with database.transaction() as session:
        await excluded_records.record(
            session, connection_id, Stream.PURCHASE_ORDERS, [("1", "PO-1", "OTHER_CURRENCY", "it is in CAD", "r1")]
        )
        await cursors.move(session, connection_id, Stream.PURCHASE_ORDERS, "2099-01-01 00:00:00")
    erp.base_currency = "CAD"
    await api.put(f"/v1/connections/{connection_id}/preferences", {"preferences": PREFERENCES})
    assert (await api.get(f"/v1/connections/{connection_id}/skipped-records")).json()["items"] == []
    async with database.transaction() as session:
        assert (await cursors.positions(session, connection_id))[Stream.PURCHASE_ORDERS] < "2099"


async def test_a_posting_day_that_the_erp_does_not_have_is_refused(api: ApiClient, erp: FakeErp) -> None:
    """S2-48: an ERP that posts each bill on its own date says so, and the setting stays."""
    path = f"/v1/connections/{await connected(api)}/accounting-settings"
    refused = a_problem(await api.put(path, {"posting_day": "entry"}), 422, "POSTING_DAY_NOT_OFFERED")
    assert "posting_day" in " ".join(refused["fix"])
    shown = (await api.as_("viewer").get(path)).json()
    assert shown["posting_day"] == "bill_date"
    unchanged = await api.put(path, {"dimensions": {"class": True}}, if_match='"0"')
    assert unchanged.status_code == 412


async def test_one_way_is_permanent(api: ApiClient) -> None:
    """S2-52, S2-53."""
    connection_id = await connected(api)
    path = f"/v1/connections/{connection_id}/preferences"
    on = await api.put(path, {"preferences": PREFERENCES, "one_way": True})
    assert on.json()["connection"]["one_way"] is True
    a_problem(await api.put(path, {"preferences": PREFERENCES, "one_way": False}), 409, "ONE_WAY_IS_PERMANENT")
    assert (await api.put(path, {"preferences": PREFERENCES})).json()["connection"]["one_way"] is True


async def test_an_outage_leaves_the_preferences_as_they_were(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, erp: FakeErp
) -> None:
    connection_id = await connected(api)
    before = (await api.get(f"/v1/connections/{connection_id}")).json()

    async def no_answer(preferences: object) -> list[object]:
        raise TimeoutError

    monkeypatch.setattr(erp, "check_preferences", no_answer)
    response = await api.put(f"/v1/connections/{connection_id}/preferences", {"preferences": {}})
    a_problem(response, 503, "ERP_UNAVAILABLE")
    assert (await api.get(f"/v1/connections/{connection_id}")).json() == before


async def test_the_match_mode_gives_every_order_its_new_meaning(api: ApiClient, database: Database) -> None:
    """S4-42, S4-43, S5-102..112: Converted is closed for 2-way matching, active for 3-way."""
    connection_id = await connected(api)
    order = an_order("PO-1", erp_status="Converted")
    order_id = await mirrored(database, connection_id, order, PoStatus.FILLED, MatchingStatus.CLOSED)
    odd = an_order("PO-2", erp_status="Unheard of")
    odd_id = await mirrored(database, connection_id, odd, PoStatus.UNFILLED, MatchingStatus.ACTIVE)
    path = f"/v1/connections/{connection_id}/purchase-orders"
    three = await api.put(path, {"enabled": True, "match_mode": "three_way"})
    assert three.json()["match_mode"] == "three_way"
    assert (await api.get(f"/v1/purchase-orders/{order_id}")).json()["matching_status"] == "active"
    await api.put(path, {"enabled": True, "match_mode": "two_way"})
    assert (await api.get(f"/v1/purchase-orders/{order_id}")).json()["matching_status"] == "closed"
    assert (await api.get(f"/v1/purchase-orders/{odd_id}")).json()["matching_status"] == "active"  # G3


async def test_a_mode_the_erp_does_not_offer_is_refused(api: ApiClient, erp: FakeErp) -> None:
    """S4-08, S4-17, G5: 3-way needs a connector with receipts."""
    erp.capabilities = CAPABILITIES.model_copy(update={"match_modes": (MatchMode.TWO_WAY,)})
    connection_id = await connected(api)
    path = f"/v1/connections/{connection_id}/purchase-orders"
    response = await api.put(path, {"enabled": True, "match_mode": "three_way"})
    a_problem(response, 422, "MATCH_MODE_NOT_OFFERED")


@pytest.mark.parametrize(("lacks", "word"), [("receipt_in", "receipts"), ("po_in", "purchase orders")])
async def test_three_way_needs_what_the_erp_has(api: ApiClient, lacks: str, word: str, erp: FakeErp) -> None:
    """G5: capabilities are read, whatever the list of modes says."""
    erp.capabilities = CAPABILITIES.model_copy(update={lacks: False})
    connection_id = await connected(api)
    response = await api.put(
        f"/v1/connections/{connection_id}/purchase-orders", {"enabled": True, "match_mode": "three_way"}
    )
    problem = a_problem(response, 422, "MATCH_MODE_NOT_OFFERED")
    assert f"no {word}" in problem["detail"]


async def test_the_support_matrix_names_every_erp(api: ApiClient) -> None:
    """S1-04, S4-01: what each ERP offers, before anything is connected."""
    shown = {one["erp"]: one for one in (await api.get("/v1/erps")).json()["items"]}
    assert set(shown) == {erp.value for erp in Erp}
    assert all(one["purchase_orders"] for one in shown.values())
    assert (shown["quickbooks_online"]["match_modes"], shown["quickbooks_online"]["receipts"]) == (["two_way"], False)
    assert "vendor" in shown["netsuite"]["lists_out"]


async def test_orders_are_not_switched_on_where_the_erp_has_none(api: ApiClient, erp: FakeErp) -> None:
    """S1-04: a connection without purchase orders refuses them with the reason, and another ERP is none of those there
    are; what each offers is shown as its capabilities."""
    other = a_problem(await api.post("/v1/connections", new_connection(erp="xero")), 422, "VALIDATION_FAILED")
    assert all(one.value in str(other["errors"]) for one in Erp)
    erp.capabilities = CAPABILITIES.model_copy(update={"po_in": False})
    path = f"/v1/connections/{await connected(api)}/purchase-orders"
    assert (await api.put(path, {"enabled": False})).status_code == 200
    refused = a_problem(await api.put(path, {"enabled": True}), 422, "NO_PURCHASE_ORDERS")
    assert refused["title"] == "This connection has no purchase orders"
    (shown,) = (await api.get("/v1/connections")).json()["items"]
    assert shown["capabilities"]["po_in"] is False


async def test_without_a_connection_there_are_no_purchase_orders(api: ApiClient) -> None:
    """S4-03: nothing syncs, so there is nothing to show, to match or to switch on."""
    assert (await api.get("/v1/purchase-orders")).json()["items"] == []
    a_problem(await api.get("/v1/purchase-orders/po-1"), 404, "NOT_FOUND")
    body = {"number": "I", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "1"}]}
    a_problem(await api.post("/v1/purchase-orders/po-1/bills", body), 404, "NOT_FOUND")
    a_problem(await api.put("/v1/connections/none/purchase-orders", {"enabled": True}), 404, "NOT_FOUND")


async def test_with_the_feature_off_orders_are_hidden_and_links_stay(api: ApiClient, database: Database) -> None:
    """S1-32, S2-85."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    bill_id = await billed(api, order_id)
    path = f"/v1/connections/{connection_id}/purchase-orders"
    assert (await api.put(path, {"enabled": False})).json()["purchase_orders_enabled"] is False
    assert (await api.get("/v1/purchase-orders")).json()["items"] == []
    assert (await api.get("/v1/purchase-orders", connection=connection_id)).json()["items"] == []
    drop_down = await api.get("/v1/purchase-orders", connection=connection_id, vendor="V-1", open=True)
    assert drop_down.json()["items"] == []
    a_problem(await api.get(f"/v1/purchase-orders/{order_id}"), 404, "PO_FEATURE_OFF")
    body = {"number": "I", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "1"}]}
    a_problem(await api.post(f"/v1/purchase-orders/{order_id}/bills", body), 409, "PO_FEATURE_OFF")
    bill = (await api.get(f"/v1/bills/{bill_id}")).json()
    assert (bill["purchase_order_id"], bill["status"]) == (order_id, BillStatus.PENDING_PUSH)
    await api.put(path, {"enabled": True})
    assert (await api.get(f"/v1/purchase-orders/{order_id}")).status_code == 200


async def test_a_schedule_is_made_changed_and_taken_away(api: ApiClient, fake_temporal: FakeTemporal) -> None:
    """S2-56: at least one sync per day."""
    connection_id = await connected(api)
    path = f"/v1/connections/{connection_id}/schedule"
    assert (await api.put(path, {"every_minutes": 60})).json()["sync_every_minutes"] == 60
    await api.put(path, {"every_minutes": 30})

    def every() -> list[timedelta]:
        return [schedule.spec.intervals[0].every for schedule in fake_temporal.schedules.values()]

    await eventually(lambda: every() == [timedelta(minutes=30)])
    a_problem(await api.put(path, {"every_minutes": 2000}), 422, "VALIDATION_FAILED")
    assert (await api.put(path, {"every_minutes": None})).json()["sync_every_minutes"] is None
    await eventually(lambda: every() == [])
    assert (await api.put(path, {"every_minutes": None})).status_code == 200


async def test_a_schedule_is_set_once_temporal_answers(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """Issue 10: the decision is stored and answered, and Temporal follows. Delivered late, it is what holds by then."""
    connection_id = await connected(api)
    await fake_temporal.forget_first_sync(connection_id)
    fake_temporal.down = True
    path = f"/v1/connections/{connection_id}/schedule"
    for minutes in (60, 45):
        response = await api.put(path, {"every_minutes": minutes})
        assert (response.status_code, response.json()["sync_every_minutes"]) == (200, minutes)
    fake_temporal.down = False
    await make_due(database)
    await OutboxDelivery(database, WorkflowNotifier(fake_temporal)).deliver_due()
    [schedule] = fake_temporal.schedules.values()
    assert schedule.spec.intervals[0].every == timedelta(minutes=45)
