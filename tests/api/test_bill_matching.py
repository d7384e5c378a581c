"""A bill tried, put in review, acknowledged, released and abandoned, as a caller of the API sees it."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from models.domain.ids import SYNCER, OrganizationId
from models.store.audit import events
from models.store.base.database import Database
from services.outbox.delivery import OutboxDelivery
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_erp import CAPABILITIES, FakeErp
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    an_order,
    codes_needed,
    connected,
    make_due,
    mirrored,
)
from tests.harness.workflow_client import eventually

WARNED = "BILLED_BEYOND_RECEIVED:line-1"


@pytest.fixture
async def connection_id(api: ApiClient) -> str:
    connection_id = await connected(api)
    three_way = {"enabled": True, "match_mode": "three_way"}
    answer = await api.put(f"/v1/connections/{connection_id}/purchase-orders", three_way)
    assert answer.status_code == 200, answer.text
    return connection_id


@pytest.fixture
async def order_id(database: Database, connection_id: str) -> str:
    """Ten of each line ordered, nothing received."""
    return await mirrored(database, connection_id, an_order("PO-1"))


def a_bill(quantity: str = "4", *, number: str = "INV-1", **values: Any) -> dict[str, Any]:
    line = {"order_line_no": 1, "quantity": quantity, **values.pop("line", {})}
    return {"number": number, "bill_date": "2026-11-20", "lines": [line], **values}


async def tolerate(api: ApiClient, **checks: Any) -> None:
    answer = await api.post("/v1/tolerance-policies", {"scope": {}, "checks": checks})
    assert answer.status_code == 201, answer.text


def runs(temporal: FakeTemporal, bill_id: str) -> None:
    """The bill's workflow is there to be asked."""
    temporal.running[f"bill/{bill_id}"] = "run"


async def saved(api: ApiClient, order_id: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


AMOUNTS = {"money_at_stake", "amount", "total", "tax", "discount", "billed_amount", "paid", "due", "this_bill"}


def amounts(part: Any, name: str = "") -> list[tuple[str, str]]:
    """Every amount of an answer, by the name of its field."""
    if isinstance(part, dict):
        return [one for key, value in part.items() for one in amounts(value, key)]
    if isinstance(part, list):
        return [one for value in part for one in amounts(value, name)]
    return [(name, part)] if name in AMOUNTS and isinstance(part, str) else []


async def test_every_amount_has_the_decimals_of_its_currency(
    api: ApiClient, database: Database, order_id: str, fake_temporal: FakeTemporal
) -> None:
    """A12: money_at_stake was "13941", an amount "37.5", a discount "0"; what an event says was as it was stored."""
    path = f"/v1/purchase-orders/{order_id}"
    answers = [await api.post(f"{path}/match", a_bill("3", line={"price": "12.5", "amount": "37.5"}))]
    answers.append(await api.post(f"{path}/bills", a_bill("3", line={"price": "12.5", "amount": "37.5"})))
    bill_id = answers[-1].json()["bill"]["id"]
    answers.append(await api.post(f"{path}/bills", a_bill("11", number="INV-2")))
    a_problem(answers[-1], 422, "MATCH_BLOCKED")
    async with database.transaction() as session:
        await events.record(
            session,
            organization_id=OrganizationId(api.organization.id),
            connection_id=None,
            subject_kind="bill",
            subject_id=bill_id,
            kind="changed_in_erp",
            actor=SYNCER,
            before={"paid": "0"},
            after={"paid": "37.5"},
        )
    answers += [await api.get(f"/v1/bills/{bill_id}"), await api.get(f"/v1/bills/{bill_id}/match")]
    last = answers[3].json()["events"][-1]
    assert (last["before"], last["after"]) == ({"paid": "0.00"}, {"paid": "37.50"})
    for answer in answers:
        shown = amounts(answer.json())
        assert {"money_at_stake", "amount", "discount", "billed_amount"} <= {name for name, _ in shown}
        assert [(name, value) for name, value in shown if len(value.partition(".")[2]) != 2] == []


async def test_a_try_says_what_a_save_would_and_saves_nothing(api: ApiClient, order_id: str) -> None:
    """Issue 3: same body, same judgement, 200 even when it would be refused; nothing is reserved or kept."""
    path = f"/v1/purchase-orders/{order_id}/match"
    tried = (await api.post(path, a_bill("4"))).json()
    assert (tried["outcome"], tried["status"]) == ("WARN", "awaiting_acknowledgement")
    (open_finding,) = tried["needs"]["acknowledge"]
    assert (open_finding["id"], open_finding["who"]) == (WARNED, "receiving")
    assert "wait for the receipt" in open_finding["fix"]
    blocked = await api.post(path, a_bill("11"))
    assert (blocked.status_code, blocked.json()["outcome"], blocked.json()["status"]) == (200, "BLOCK", None)
    known = (await api.post(path, a_bill("4", acknowledge=[WARNED]))).json()
    assert (known["outcome"], known["status"]) == ("WARN", "pending_push")
    order = (await api.get(f"/v1/purchase-orders/{order_id}")).json()
    assert Decimal(order["lines"][0]["pending"]) == 0
    assert (await api.get("/v1/bills")).json()["items"] == []
    answer = await saved(api, order_id, a_bill("4"))
    assert answer["match"]["findings"] == tried["match"]["findings"]


async def test_what_nobody_acknowledged_waits(api: ApiClient, order_id: str, fake_temporal: FakeTemporal) -> None:
    """Rules 3.4: the answer says that the bill waits and for what; acknowledged by a clerk, it is on its way."""
    answer = await saved(api, order_id, a_bill())
    assert answer["bill"]["status"] == "awaiting_acknowledgement"
    assert [finding["code"] for finding in answer["needs"]["acknowledge"]] == ["BILLED_BEYOND_RECEIVED"]
    bill_id = answer["bill"]["id"]
    clerk = api.as_("clerk")
    runs(fake_temporal, bill_id)
    path = f"/v1/bills/{bill_id}/acknowledgements"
    unknown = a_problem(await clerk.post(path, {"findings": ["NO_SUCH"]}), 422, "FINDING_UNKNOWN")
    assert WARNED in unknown["detail"]
    a_problem(await api.as_("viewer").post(path, {"findings": [WARNED]}), 403, "ROLE_TOO_LOW")
    done = await clerk.post(path, {"findings": [WARNED], "reason": "the goods are in the yard"}, key="ack")
    assert (done.status_code, done.json()["status"], done.json()["decided"]) == (200, "pending_push", [WARNED])
    assert (await clerk.post(path, {"findings": [WARNED], "reason": "the goods are in the yard"}, key="ack")).text == (
        done.text
    )
    a_problem(await clerk.post(path, {"findings": [WARNED]}), 409, "BILL_NOT_WAITING")
    match = (await api.get(f"/v1/bills/{bill_id}/match")).json()
    (decision,) = match["decisions"]
    assert (decision["kind"], decision["finding_id"], decision["why"], decision["counts"]) == (
        "acknowledged",
        WARNED,
        "the goods are in the yard",
        True,
    )
    assert (match["outcome"], match["recomputed"]) == ("WARN", {"outcome": "WARN", "same": True})
    assert match["needs"] == {"acknowledge": [], "release": [], "fix": []}


async def test_a_hold_is_released_by_an_accountant_with_a_reason(
    api: ApiClient, order_id: str, fake_temporal: FakeTemporal
) -> None:
    """Rules 3.4: whoever enters bills does not approve them; the reason is written down, and is asked for."""
    await tolerate(api, price={"block": {"pct": "5"}})
    answer = await saved(api, order_id, a_bill(line={"price": "20"}, acknowledge=[WARNED]))
    bill_id = answer["bill"]["id"]
    assert answer["bill"]["status"] == "on_hold"
    assert [finding["code"] for finding in answer["needs"]["release"]] == ["PRICE_DIFFERS"]
    runs(fake_temporal, bill_id)
    path = f"/v1/bills/{bill_id}/release"
    a_problem(await api.as_("clerk").post(path, {"reason": "mine"}), 403, "ROLE_TOO_LOW")
    accountant = api.as_("accountant")
    a_problem(await accountant.post(path, {"reason": ""}), 422, "VALIDATION_FAILED")
    hold = "PRICE_DIFFERS:bill-line-1"
    word = {"findings": [hold]}
    a_problem(await accountant.post(f"/v1/bills/{bill_id}/acknowledgements", word), 409, "FINDING_NEEDS_RELEASE")
    done = await accountant.post(path, {"reason": "agreed on the phone"})
    assert (done.status_code, done.json()["status"], done.json()["decided"]) == (200, "pending_push", [hold])
    bill = (await api.get(f"/v1/bills/{bill_id}")).json()
    assert [event["kind"] for event in bill["events"]] == ["created", "match_released"]
    assert bill["events"][1]["why"] == "agreed on the phone"
    assert bill["write"]["state"] == "planned"
    match = (await api.get(f"/v1/bills/{bill_id}/match")).json()
    assert [(one["kind"], one["finding_id"]) for one in match["decisions"]] == [
        ("acknowledged", WARNED),
        ("released", hold),
    ]
    assert match["result"]["findings"][-1]["policy"]["level"] == "organization"


async def test_an_edit_may_settle_a_hold(
    api: ApiClient, order_id: str, connection_id: str, fake_temporal: FakeTemporal
) -> None:
    """H07: a bill that posts into closed books is matched again with the posting date it is given."""
    closed = {"entity": "100", "closed_through": "2026-10-31"}
    answer = await api.put(f"/v1/connections/{connection_id}/closed-periods", closed)
    assert answer.status_code == 200, answer.text
    created = await saved(api, order_id, a_bill(posting_date="2026-10-15", acknowledge=[WARNED]))
    assert created["bill"]["status"] == "on_hold"
    assert codes_needed(created) == ["PERIOD_CLOSED"]
    edited = await api.patch(f"/v1/bills/{created['bill']['id']}", {"posting_date": "2026-11-01"})
    assert edited.status_code == 200, edited.text
    await fake_temporal.has_delivered("rematch")

    async def goes_on() -> bool:
        bill = (await api.get(f"/v1/bills/{created['bill']['id']}")).json()
        return bool(bill["status"] == "pending_push")

    await eventually(goes_on)
    assert fake_temporal.signals[-1][1:] == ("rematch", "bill INV-1 was edited")


async def test_an_edit_of_a_waiting_bill_is_saved_even_when_nobody_can_be_told(
    api: ApiClient, order_id: str, connection_id: str, database: Database, fake_temporal: FakeTemporal
) -> None:
    """F9: Temporal is away; the message is kept with the edit, and delivered later."""
    created = await saved(api, order_id, a_bill())
    assert created["bill"]["status"] == "awaiting_acknowledgement"
    fake_temporal.down = True
    edited = await api.patch(f"/v1/bills/{created['bill']['id']}", {"posting_date": "2026-11-01"})
    assert edited.status_code == 200, edited.text
    assert edited.json()["notices"] == []
    fake_temporal.down = False
    await make_due(database)
    await OutboxDelivery(database, WorkflowNotifier(fake_temporal)).deliver_due()
    assert fake_temporal.signals[-1][1:] == ("rematch", "bill INV-1 was edited")


async def test_a_waiting_bill_is_abandoned_with_a_reason(api: ApiClient, order_id: str) -> None:
    bill_id = (await saved(api, order_id, a_bill("10")))["bill"]["id"]
    a_problem(await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill("1", number="B")), 422, "MATCH_BLOCKED")
    done = await api.as_("clerk").post(f"/v1/bills/{bill_id}/abandon", {"reason": "wrong vendor"}, key="gone")
    assert (done.status_code, done.json()["status"]) == (200, "abandoned")
    again = await api.as_("clerk").post(f"/v1/bills/{bill_id}/abandon", {"reason": "wrong vendor"}, key="gone")
    assert again.json() == done.json()
    a_problem(await api.post(f"/v1/bills/{bill_id}/abandon", {"reason": "twice"}), 409, "BILL_IS_CLOSED")
    await saved(api, order_id, a_bill("10"))


async def test_bills_of_others_are_not_there(
    api: ApiClient, other_api: ApiClient, order_id: str, database: Database
) -> None:
    """DESIGN 8: no object is visible across organizations, neither is its match."""
    bill_id = (await saved(api, order_id, a_bill()))["bill"]["id"]
    a_problem(await other_api.get(f"/v1/bills/{bill_id}/match"), 404, "NOT_FOUND")
    for action, body in (
        ("acknowledgements", {"findings": [WARNED]}),
        ("release", {"reason": "x"}),
        ("abandon", {"reason": "x"}),
    ):
        a_problem(await other_api.post(f"/v1/bills/{bill_id}/{action}", body), 404, "NOT_FOUND")
    a_problem(await other_api.post(f"/v1/purchase-orders/{order_id}/match", a_bill()), 404, "NOT_FOUND")
    own = await mirrored(database, await connected(other_api), an_order("PO-2"))
    body = a_bill(line={"purchase_order_id": order_id})
    a_problem(await other_api.post(f"/v1/purchase-orders/{own}/match", body), 404, "NOT_FOUND")


async def test_orders_of_two_connections_are_two_bills(api: ApiClient, database: Database, order_id: str) -> None:
    elsewhere = await mirrored(database, await connected(api), an_order("PO-9"))
    body = a_bill()
    body["lines"].append({"purchase_order_id": elsewhere, "order_line_no": 1, "quantity": "1"})
    a_problem(await api.post(f"/v1/purchase-orders/{order_id}/bills", body), 422, "ORDERS_OF_TWO_CONNECTIONS")


async def test_a_bill_from_another_vendor_or_in_another_currency(api: ApiClient, order_id: str) -> None:
    """Rules 3.5: what the caller says of the invoice is compared with the order."""
    path = f"/v1/purchase-orders/{order_id}/match"
    other_vendor = (await api.post(path, a_bill(vendor_id="V-2"))).json()
    assert "VENDOR_MISMATCH" in [finding["code"] for finding in other_vendor["needs"]["release"]]
    refused = (await api.post(path, a_bill(currency="EUR"))).json()
    assert refused["status"] is None
    assert "CURRENCY_MISMATCH" in [finding["code"] for finding in refused["match"]["findings"]]


async def test_what_the_erp_cannot_link_is_not_released(api: ApiClient, database: Database, erp: FakeErp) -> None:
    """B12: a bill of another vendor than the order's was held, released, and then refused by the ERP."""
    erp.capabilities = CAPABILITIES.model_copy(update={"bills_of_other_vendors": False})
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    tried = (await api.post(f"/v1/purchase-orders/{order_id}/match", a_bill(vendor_id="V-2"))).json()
    assert "VENDOR_MISMATCH" in [finding["code"] for finding in tried["needs"]["fix"]]
    assert "VENDOR_MISMATCH" not in [finding["code"] for finding in tried["needs"]["release"]]
    bill = (await saved(api, order_id, a_bill(vendor_id="V-2")))["bill"]
    released = await api.post(f"/v1/bills/{bill['id']}/release", {"reason": "one group"})
    a_problem(released, 409, "HOLD_NEEDS_A_FIX")


async def test_lines_of_one_order_line_agree_where_the_erp_has_one_line(
    api: ApiClient, database: Database, erp: FakeErp
) -> None:
    """Issue 12: QuickBooks Desktop links an order's line once per bill; one of two classes would be lost."""
    erp.capabilities = CAPABILITIES.model_copy(update={"one_line_per_order_line": True})
    order_id = await mirrored(database, await connected(api), an_order("PO-1"))
    at = f"/v1/purchase-orders/{order_id}/bills"
    first, second = ({"order_line_no": 1, "quantity": "1", "class_id": one} for one in ("A", "B"))

    def body(*lines: dict[str, str], number: str = "INV-1") -> dict[str, Any]:
        return {"number": number, "bill_date": "2026-11-20", "lines": list(lines)}

    for wrong in (body(first, second), body(first, {"order_line_no": 1, "quantity": "1"})):
        problem = a_problem(await api.post(at, wrong), 422, "VALIDATION_FAILED")
        assert [(one["where"], one["rule"]) for one in problem["errors"]] == [
            ("body.lines.1.class_id", "one_line_each")
        ]
    await saved(api, order_id, body(first, {**second, "order_line_no": 2}, number="INV-2"))
    bill = (await saved(api, order_id, body(first, first, number="INV-3")))["bill"]
    path = f"/v1/bills/{bill['id']}"
    one = await api.patch(path, {"lines": [{"line_no": 2, "class_id": "B"}]})
    assert a_problem(one, 422, "VALIDATION_FAILED")["errors"][0]["where"] == "body.lines.0.class_id"
    both = {"lines": [{"line_no": 1, "class_id": "B"}, {"line_no": 2, "class_id": "B"}]}
    assert (await api.patch(path, both)).status_code == 200


async def test_a_refusal_says_for_which_line_a_step_is(api: ApiClient, order_id: str) -> None:
    """DESIGN 1: two lines are too much by different quantities; what helps both is told once."""
    lines = [{"order_line_no": 1, "quantity": "11"}, {"order_line_no": 2, "quantity": "4"}]
    saved_first = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 2, "quantity": "7"}]}
    await saved(api, order_id, saved_first)
    body = {"number": "INV-2", "bill_date": "2026-11-20", "lines": lines}
    problem = a_problem(await api.post(f"/v1/purchase-orders/{order_id}/bills", body), 422, "MATCH_BLOCKED")
    assert problem["fix"] == [
        "line 1: lower the quantity to 10",
        "line 2: lower the quantity to 3",
        "or have the order raised in the accounting system and sync",
    ]


@pytest.mark.parametrize("path", ["match", "bills"])
async def test_a_line_in_another_unit_takes_no_price_from_the_order(api: ApiClient, order_id: str, path: str) -> None:
    """U05: 12.50 is for one Each; what a Carton costs only the supplier says."""
    at = f"/v1/purchase-orders/{order_id}/{path}"
    problem = a_problem(await api.post(at, a_bill("1", line={"unit": "Carton"})), 422, "VALIDATION_FAILED")
    assert [error["where"] for error in problem["errors"]] == ["body.lines.0.price"]
    for said in ({"unit": "Carton", "price": "40"}, {"unit": "Carton", "amount": "40"}, {"unit": "each"}):
        assert (await api.post(at, a_bill("1", number=str(said), line=said))).is_success


async def test_a_line_without_a_quantity_bills_nothing(api: ApiClient, order_id: str) -> None:
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "amount": "50.00"}]}
    problem = a_problem(await api.post(f"/v1/purchase-orders/{order_id}/bills", body), 422, "MATCH_BLOCKED")
    assert [finding["code"] for finding in problem["match"]["findings"]] == ["INVALID_QTY"]


async def test_the_suppliers_total_must_add_up(api: ApiClient, order_id: str) -> None:
    """H03, H04: what the invoice says it comes to is compared with its lines, to the cent per line."""
    path = f"/v1/purchase-orders/{order_id}/match"
    right = (await api.post(path, a_bill("4", total="50.01"))).json()
    assert right["outcome"] == "WARN"
    wrong = (await api.post(path, a_bill("4", total="50.02"))).json()
    assert "HEADER_SUM" in [finding["code"] for finding in wrong["needs"]["release"]]


async def test_the_tax_is_compared_with_what_a_tax_engine_says(
    api: ApiClient, database: Database, connection_id: str, order_id: str
) -> None:
    """Rules 3.4: only where a policy sets a tolerance."""
    async with database.transaction() as session:
        taxes = {"capabilities": '{"charges": ["tax"]}', "id": connection_id}
        change = "update connections set capabilities = capabilities || cast(:capabilities as jsonb) where id = :id"
        await session.execute(text(change), taxes)
    path = f"/v1/purchase-orders/{order_id}/match"
    body = a_bill(tax="5.00", expected_tax="4.00")
    assert (await api.post(path, body)).json()["outcome"] == "WARN"
    await tolerate(api, tax={"block": {"pct": "10"}})
    held = (await api.post(path, body)).json()
    assert [finding["code"] for finding in held["needs"]["release"]] == ["TAX_DIFFERS"]


async def test_twenty_callers_at_once_never_pass_the_ceiling(api: ApiClient, order_id: str) -> None:
    """Issue 3: through the API too, each loser gets its reason."""
    path = f"/v1/purchase-orders/{order_id}/bills"
    answers = await asyncio.gather(
        *(api.post(path, a_bill("1", number=f"INV-{number}")) for number in range(20)),
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [422] * 10
    for answer in answers:
        if answer.status_code == 422:
            problem = a_problem(answer, 422, "MATCH_BLOCKED")
            assert "only 0 is left" in problem["detail"]
    order = (await api.get(f"/v1/purchase-orders/{order_id}")).json()
    assert Decimal(order["lines"][0]["pending"]) == 10


@pytest.mark.parametrize("day", ["0001-01-01", "0999-12-31", "9000-01-01", "9999-12-31"])
async def test_a_day_nobody_can_count_on_from_is_refused(api: ApiClient, order_id: str, day: str) -> None:
    """Bad input of issue 3: a validation error with a code, never an exception, and never in a workflow."""
    for field in ("bill_date", "posting_date", "due_date"):
        for path in ("match", "bills"):
            answer = await api.post(f"/v1/purchase-orders/{order_id}/{path}", {**a_bill(), field: day})
            problem = a_problem(answer, 422, "VALIDATION_FAILED")
            assert "1000-01-01 to 8999-12-31" in problem["detail"]
    a_problem(await api.get("/v1/reports/grni", as_of=day), 422, "VALIDATION_FAILED")


@pytest.mark.parametrize("day", ["1000-01-01", "8999-12-31"])
async def test_the_first_and_the_last_day_can_be_counted_with(api: ApiClient, order_id: str, day: str) -> None:
    tried = await api.post(f"/v1/purchase-orders/{order_id}/match", a_bill(bill_date=day, posting_date=day))
    assert tried.status_code == 200, tried.text
    created = await saved(api, order_id, a_bill(bill_date=day, posting_date=day))
    assert created["bill"]["status"] == "on_hold"
    assert codes_needed(created) == ["BILLED_BEYOND_RECEIVED", "DATE_UNLIKELY"]
    assert (await api.get("/v1/reports/grni", as_of=day)).status_code == 200


async def test_eight_requests_at_once_are_one_decision(
    api: ApiClient, order_id: str, fake_temporal: FakeTemporal
) -> None:
    """G9, issue 10: claim, decision and answer are one transaction, and nobody waits for the bill's workflow."""
    bill_id = (await saved(api, order_id, a_bill("4")))["bill"]["id"]
    path, body = f"/v1/bills/{bill_id}/acknowledgements", {"findings": [WARNED]}
    arguments = await asyncio.gather(*(api.post(path, body, key="once") for _ in range(8)))
    assert {(one.status_code, one.text) for one in arguments} == {(200, arguments[0].text)}
    assert arguments[0].json()["status"] == "pending_push"
    await fake_temporal.has_delivered("bill_matched")
    decided = (await api.get(f"/v1/bills/{bill_id}/match")).json()["decisions"]
    assert [one["finding_id"] for one in decided] == [WARNED]


async def test_a_release_of_a_paid_bill_is_refused_without_asking_anybody(
    api: ApiClient, database: Database, order_id: str
) -> None:
    """H9."""
    bill_id = (await saved(api, order_id, a_bill("4")))["bill"]["id"]
    async with database.transaction() as session:
        await session.execute(text("update bills set status = 'paid' where id = :id"), {"id": bill_id})
    response = await api.post(f"/v1/bills/{bill_id}/release", {"reason": "late"})
    assert a_problem(response, 409, "BILL_NOT_WAITING")["detail"] == "The bill is paid."
    async with database.statement() as session:
        owed = await session.execute(text("select kind from outbox where subject_id = :id"), {"id": bill_id})
        assert set(owed.scalars()) <= {"bill_accepted"}
