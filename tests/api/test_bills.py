"""Bills after they were saved: edits, the link to their order, payments."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from models.domain.bills import BillStatus
from models.domain.ids import BillId, ExternalKey
from models.store.audit import writes
from models.store.base.database import Database
from models.store.payables import bill_restart, bills, payments
from services.outbox.delivery import OutboxDelivery
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    TOMORROW,
    ApiClient,
    a_problem,
    an_order,
    billed,
    connected,
    make_due,
    mirrored,
    pushed,
    received,
)


@pytest.fixture
async def order_id(api: ApiClient, database: Database) -> str:
    return await mirrored(database, await connected(api), an_order("PO-1"))


@pytest.fixture
async def bill_id(api: ApiClient, order_id: str) -> str:
    return await billed(api, order_id, quantity="4")


async def the_bill(api: ApiClient, bill_id: str) -> dict[str, Any]:
    bill: dict[str, Any] = (await api.get(f"/v1/bills/{bill_id}")).json()
    return bill


async def test_a_gl_account_given_with_the_bill_is_reminded_of(api: ApiClient, order_id: str) -> None:
    """S1-18: it stays here from the start, so the reminder comes at creation, also to a repeat, and is kept once."""
    line = {"order_line_no": 1, "quantity": "1", "account": "6000"}
    body = {"number": "INV-GL", "bill_date": "2026-11-20", "lines": [line]}
    path = f"/v1/purchase-orders/{order_id}/bills"
    created = await api.post(path, body, key="gl")
    assert created.status_code == 201, created.text
    (reminder,) = created.json()["notices"]
    assert reminder["code"] == "GL_ACCOUNT_NOT_SYNCED"
    assert "line 1 is kept here only" in reminder["message"]
    assert (await api.post(path, body, key="gl")).json() == created.json()
    kept = (await api.get("/v1/notices")).json()["items"]
    assert [(notice["code"], notice["subject_id"]) for notice in kept] == [
        ("GL_ACCOUNT_NOT_SYNCED", created.json()["bill"]["id"])
    ]
    plain = await api.post(path, {**body, "number": "INV-2", "lines": [{"order_line_no": 1, "quantity": "2"}]})
    assert plain.json()["notices"] == []


async def test_before_the_push_everything_may_change(api: ApiClient, bill_id: str) -> None:
    change = {
        "memo": "corrected",
        "posting_date": "2026-12-01",
        "due_date": "2026-12-31",
        "lines": [{"line_no": 1, "account": "6000", "department": "D1"}],
    }
    edited = await api.patch(f"/v1/bills/{bill_id}", change)
    assert edited.status_code == 200
    bill = edited.json()["bill"]
    assert (bill["memo"], bill["posting_date"], bill["due_date"]) == ("corrected", "2026-12-01", "2026-12-31")
    assert (bill["lines"][0]["account"], bill["lines"][0]["department"]) == ("6000", "D1")
    assert [notice["code"] for notice in edited.json()["notices"]] == ["GL_ACCOUNT_NOT_SYNCED"]
    event = bill["events"][-1]
    assert (event["kind"], event["after"]["memo"]) == ("edited", "corrected")
    assert event["actor"].startswith("admin (")
    assert bill["version"] == 2
    assert edited.headers["etag"] == '"2"'
    a_problem(await api.patch(f"/v1/bills/{bill_id}", {"memo": "late"}, if_match='"1"'), 412, "PRECONDITION_FAILED")
    unchanged = await api.patch(f"/v1/bills/{bill_id}", {"memo": "corrected"}, if_match='"2"')
    assert unchanged.json()["bill"]["version"] == 2


async def test_a_line_the_bill_does_not_have_is_named(api: ApiClient, bill_id: str) -> None:
    change = {"lines": [{"line_no": 9, "account": "6000"}]}
    assert "9" in a_problem(await api.patch(f"/v1/bills/{bill_id}", change), 422, "BILL_LINE_UNKNOWN")["detail"]
    assert (await the_bill(api, bill_id))["version"] == 1


async def test_an_edit_after_the_sync_goes_to_the_erp(
    api: ApiClient, database: Database, bill_id: str, fake_temporal: FakeTemporal
) -> None:
    """S1-17, S5-136: all but GL accounts sync; the bill's workflow is told which edition to send."""
    await pushed(database, bill_id)
    fake_temporal.running[f"bill/{bill_id}"] = "run"
    change = {"memo": "x", "due_date": "2026-12-31", "lines": [{"line_no": 1, "department": "D1", "account": "6100"}]}
    edited = await api.patch(f"/v1/bills/{bill_id}", change)
    assert edited.status_code == 200, edited.text
    bill = edited.json()["bill"]
    assert (bill["memo"], bill["status"], bill["edit_pending"]) == ("x", "synced", True)
    assert [notice["code"] for notice in edited.json()["notices"]] == ["GL_ACCOUNT_NOT_SYNCED"]
    assert bill["events"][-1]["after"]["edit_pending"] is True
    await fake_temporal.has_delivered("bill_edited")
    [(workflow_id, signal, word)] = fake_temporal.signals
    assert (workflow_id, signal, word.edition) == (f"bill/{bill_id}", "bill_edited", bill["version"])
    assert (await the_bill(api, bill_id))["edit_pending"] is True


async def test_an_edit_is_saved_even_when_nobody_can_be_told(
    api: ApiClient, database: Database, bill_id: str, fake_temporal: FakeTemporal
) -> None:
    """F9: Temporal is away; the edit is saved with its message, which is delivered later."""
    await pushed(database, bill_id)
    fake_temporal.down = True
    edited = await api.patch(f"/v1/bills/{bill_id}", {"memo": "x"})
    assert edited.status_code == 200, edited.text
    assert edited.json()["notices"] == []
    assert (await the_bill(api, bill_id))["edit_pending"] is True
    fake_temporal.down = False
    await make_due(database)
    await OutboxDelivery(database, WorkflowNotifier(fake_temporal)).deliver_due()
    assert [name for _, name, _ in fake_temporal.signals] == ["bill_edited"]


@pytest.mark.parametrize("change", [{"bill_date": "2026-10-01"}, {"posting_date": "2026-12-01"}])
async def test_what_was_matched_or_posted_is_edited_in_the_erp(
    api: ApiClient, database: Database, bill_id: str, change: dict[str, Any]
) -> None:
    """S2-87: the ERP holds it; the same values again are no edit."""
    await pushed(database, bill_id)
    problem = a_problem(await api.patch(f"/v1/bills/{bill_id}", change), 409, "EDIT_IN_ERP")
    assert next(iter(change)) in problem["detail"]
    held = await the_bill(api, bill_id)
    same = {name: held[name] for name in change}
    assert (await api.patch(f"/v1/bills/{bill_id}", same)).json()["bill"]["version"] == held["version"]


async def test_a_bill_made_in_the_erp_is_edited_there(api: ApiClient, database: Database) -> None:
    """S2-87: the accounting system is the system of record."""
    theirs = await enter_in_the_erp(database, api, await connected(api))
    a_problem(await api.patch(f"/v1/bills/{theirs}", {"memo": "x"}), 409, "EDIT_IN_ERP")


async def test_a_bill_with_payments_is_not_edited(
    api: ApiClient, database: Database, bill_id: str, fake_temporal: FakeTemporal
) -> None:
    """Field notes B10, U-8: the ERP makes an edited bill anew, which fails once it is paid."""
    await pushed(database, bill_id)
    fake_temporal.running[f"bill/{bill_id}"] = "run"
    body = {"amount": "20.00", "pay_on": TOMORROW}
    assert (await api.post(f"/v1/bills/{bill_id}/payments", body)).status_code == 201
    problem = a_problem(await api.patch(f"/v1/bills/{bill_id}", {"memo": "x"}), 409, "BILL_HAS_PAYMENTS")
    assert problem["fix"]
    account = {"lines": [{"line_no": 1, "account": "6100"}]}
    assert (await api.patch(f"/v1/bills/{bill_id}", account)).status_code == 200
    other = await billed(api, (await the_bill(api, bill_id))["purchase_order_id"], quantity="1")
    await pushed(database, other, paid="1")
    a_problem(await api.patch(f"/v1/bills/{other}", {"memo": "x"}), 409, "BILL_HAS_PAYMENTS")


async def test_a_gl_account_changed_after_the_sync_leaves_a_reminder(
    api: ApiClient, database: Database, bill_id: str
) -> None:
    """S1-17, S1-18: it does not sync; an alert reminds to update the Vendor Invoice."""
    await pushed(database, bill_id)
    change = {"lines": [{"line_no": 1, "account": "6100"}]}
    edited = (await api.patch(f"/v1/bills/{bill_id}", change)).json()
    assert [notice["code"] for notice in edited["notices"]] == ["GL_ACCOUNT_NOT_SYNCED"]
    assert edited["bill"]["lines"][0]["account"] == "6100"
    [notice] = (await api.get("/v1/notices", unread=True)).json()["items"]
    assert (notice["code"], notice["subject_id"]) == ("GL_ACCOUNT_NOT_SYNCED", bill_id)
    assert (await api.post(f"/v1/notices/{notice['id']}/read")).json()["read_at"] is not None
    assert (await api.get("/v1/notices", unread=True)).json()["items"] == []
    assert len((await api.get("/v1/notices")).json()["items"]) == 1


async def test_a_bill_on_its_way_is_left_alone(api: ApiClient, database: Database, bill_id: str) -> None:
    async with database.transaction() as session:
        await writes.begin_attempt(session, ExternalKey(bills.external_key_for(BillId(bill_id))))
    a_problem(await api.patch(f"/v1/bills/{bill_id}", {"memo": "x"}), 409, "BILL_ON_ITS_WAY")
    problem = a_problem(await api.post(f"/v1/bills/{bill_id}/unlink"), 409, "LINK_IS_FINAL")
    assert "on its way" in problem["detail"]


async def test_a_refused_bill_can_be_corrected(api: ApiClient, database: Database, bill_id: str) -> None:
    async with database.transaction() as session:
        key = ExternalKey(bills.external_key_for(BillId(bill_id)))
        await writes.begin_attempt(session, key)
        await writes.reject(session, key, "PERIOD_CLOSED")
    assert (await api.patch(f"/v1/bills/{bill_id}", {"posting_date": "2026-12-01"})).status_code == 200


async def test_who_is_about_to_edit_is_reminded(api: ApiClient, database: Database, bill_id: str) -> None:
    """S4-73: the refusal came when the edit was saved, and nothing was said before."""

    async def said() -> str:
        return str((await the_bill(api, bill_id))["editable"]["why"])

    assert await said() == "", "it is ours alone still"
    async with database.transaction() as session:
        await session.execute(text("update bills set status = 'synced' where id = :id"), {"id": bill_id})
        await session.execute(text("update erp_writes set state = 'confirmed' where subject_id = :id"), {"id": bill_id})
    assert "edited there" in await said()
    async with database.transaction() as session:
        await session.execute(text("update bills set origin = 'erp' where id = :id"), {"id": bill_id})
    assert "system of record" in await said()


async def test_before_the_first_sync_a_bill_can_be_unlinked(
    api: ApiClient, bill_id: str, order_id: str, fake_temporal: FakeTemporal
) -> None:
    """S1-24: its quantities are free again, and both workflows hear of it."""
    order = (await api.get(f"/v1/purchase-orders/{order_id}")).json()
    bill_workflow, order_workflow = f"bill/{bill_id}", f"po/{order['connection_id']}/PO-1/{order['erp_id']}"
    fake_temporal.running[bill_workflow] = "run"
    unlinked = await api.post(f"/v1/bills/{bill_id}/unlink")
    assert unlinked.status_code == 200
    assert (unlinked.json()["bill"]["status"], unlinked.json()["bill"]["purchase_order_id"]) == ("draft", None)
    line = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["lines"][0]
    assert (Decimal(line["pending"]), Decimal(line["remaining"])) == (0, 10)
    await fake_temporal.has_delivered("bill_matched")
    await fake_temporal.has_delivered("bill_pushed")
    told = {(workflow_id, signal, word.status) for workflow_id, signal, word in fake_temporal.signals}
    assert told == {(bill_workflow, "bill_matched", "draft"), (order_workflow, "bill_pushed", "draft")}
    kinds = [event["kind"] for event in (await the_bill(api, bill_id))["events"]]
    assert kinds[-1] == "unlinked"
    assert (await api.patch(f"/v1/bills/{bill_id}", {"memo": "x"})).status_code == 200


async def test_an_unlinked_bill_is_a_draft_that_is_put_on_the_right_order(
    api: ApiClient, database: Database, bill_id: str, order_id: str, fake_temporal: FakeTemporal
) -> None:
    """C10, S1-24, S1-26: unlinked, a bill is kept as a draft: never sent or paid. Its quantities are free, what it said
    is kept, and it is put on another order of the vendor, or on its first one again, as it is."""
    before = await the_bill(api, bill_id)
    other = await mirrored(database, before["connection_id"], an_order("PO-2"))
    assert (await api.post(f"/v1/bills/{bill_id}/unlink", key="unlink")).status_code == 200
    again = await api.post(f"/v1/bills/{bill_id}/unlink", key="unlink")
    assert (again.status_code, again.json()["bill"]["status"]) == (200, "draft")
    problem = await api.post(f"/v1/bills/{bill_id}/link", {"purchase_order_id": other})
    a_problem(problem, 422, "LINK_NOT_ALLOWED")
    payment = {"amount": "1.00", "pay_on": datetime.now(UTC).date().isoformat(), "bank_account": "B-1"}
    a_problem(await api.post(f"/v1/bills/{bill_id}/payments", payment), 409, "BILL_NOT_PAYABLE")

    kept = await the_bill(api, bill_id)
    said = ("number", "bill_date", "total", "currency", "charges")
    assert [kept[field] for field in said] == [before[field] for field in said]
    assert [line["quantity"] for line in kept["lines"]] == [line["quantity"] for line in before["lines"]]

    asked = await api.get(f"/v1/bills/{bill_id}/draft", purchase_order_id=other)
    assert asked.status_code == 200, asked.text
    draft = asked.json()
    assert (draft["number"], draft["unassigned"], draft["charges"]) == (before["number"], [], before["charges"])
    moved = await api.post(f"/v1/purchase-orders/{other}/bills/{bill_id}", draft)
    assert (moved.status_code, moved.json()["bill"]["status"]) == (200, "pending_push"), moved.text
    now = await the_bill(api, bill_id)
    assert [now[field] for field in said] == [before[field] for field in said]
    assert now["purchase_order_id"] == other
    for field in ("item_id", "quantity", "price", "amount", "description", "account"):
        assert [line[field] for line in now["lines"]] == [line[field] for line in before["lines"]], field
    assert (await api.post(f"/v1/bills/{now['id']}/unlink")).status_code == 200

    for one in (other, order_id):  # also against its first order, where that was right after all
        put = await api.post(
            f"/v1/purchase-orders/{one}/bills/{bill_id}",
            {
                "number": kept["number"],
                "bill_date": kept["bill_date"],
                "lines": [{"order_line_no": 1, "quantity": "4"}],
            },
            key=f"put-{one}",
        )
        assert put.status_code == 200, put.text
        assert (put.json()["match"]["findings"], put.json()["bill"]["status"]) == ([], "pending_push")
        line = (await api.get(f"/v1/purchase-orders/{one}")).json()["lines"][0]
        assert (Decimal(line["pending"]), Decimal(line["remaining"])) == (4, 6)
    line = (await api.get(f"/v1/purchase-orders/{other}")).json()["lines"][0]
    assert Decimal(line["pending"]) == 0, "it was moved"


async def test_after_the_sync_the_link_is_final(api: ApiClient, database: Database, bill_id: str) -> None:
    """S1-24, S1-25, S1-26, S4-27: the accounting system is the system of record; delete there, make a new bill."""
    await pushed(database, bill_id)
    problem = a_problem(await api.post(f"/v1/bills/{bill_id}/unlink"), 409, "LINK_IS_FINAL")
    assert "system of record" in problem["detail"]
    assert "/delete" in problem["fix"][0]
    lines = [{"order_line_no": 1, "quantity": "4"}]
    body = {"number": "INV-9", "bill_date": "2026-11-01", "lines": lines}
    order = (await the_bill(api, bill_id))["purchase_order_id"]
    a_problem(await api.post(f"/v1/purchase-orders/{order}/bills/{bill_id}", body), 409, "EDIT_IN_ERP")


async def enter_in_the_erp(database: Database, api: ApiClient, connection_id: str, *, source: str | None = None) -> str:
    """A bill that came in from the ERP without a link, converted from `source` if given."""
    bill_id = f"bill_{datetime.now(UTC).timestamp()}"
    async with database.transaction() as session:
        connection = await session.connection()
        await connection.execute(
            text(
                "insert into bills (id, organization_id, connection_id, vendor_id, vendor_name, number, number_key,"
                " origin, status, bill_date, posting_date, currency, memo, total, linked_in_erp, manual_both_sides,"
                " created_by, version) values (:id, :o, :c, 'V-1', 'Vendor One', 'E-1', 'e1', 'erp', 'synced',"
                " '2026-11-01', '2026-11-01', 'USD', '', 50, false, false, 'erp', 1)"
            ),
            {"id": bill_id, "o": api.organization.id, "c": connection_id},
        )
        await connection.execute(
            text(
                "insert into bill_lines (bill_id, line_no, description, unit, amount, sources, reserves)"
                " values (:id, 1, '', '', 50, cast(:sources as jsonb), false)"
            ),
            {"id": bill_id, "sources": "[]" if source is None else f'[{{"document_id": "{source}", "line": "1"}}]'},
        )
    return bill_id


async def test_a_bill_behind_a_receipt_is_linked_by_hand_and_marked(api: ApiClient, database: Database) -> None:
    """S1-20, S1-21, S1-22: edits are made by hand in both systems from then on."""
    connection_id = await connected(api)
    order = an_order("PO-7")
    order_id = await mirrored(database, connection_id, order)
    await received(database, connection_id, order, "4")
    bill_id = await enter_in_the_erp(database, api, connection_id, source="PO Receiver-PO-7")
    linked = await api.post(f"/v1/bills/{bill_id}/link", {"purchase_order_id": order_id})
    assert linked.status_code == 200
    assert (linked.json()["purchase_order_id"], linked.json()["manual_both_sides"]) == (order_id, True)
    edited = await api.patch(f"/v1/bills/{bill_id}", {"memo": "as in the ERP"})
    assert [notice["code"] for notice in edited.json()["notices"]] == ["EDIT_BOTH_SIDES"]
    other_id = await mirrored(database, connection_id, an_order("PO-8"))
    response = await api.post(f"/v1/bills/{bill_id}/link", {"purchase_order_id": other_id})
    a_problem(response, 409, "BILL_ALREADY_LINKED")


async def test_only_what_belongs_together_is_linked(api: ApiClient, database: Database, bill_id: str) -> None:
    connection_id = await connected(api)
    strange_id = await mirrored(database, connection_id, an_order("PO-9", vendor_id="V-2"))
    theirs = await enter_in_the_erp(database, api, connection_id)
    response = await api.post(f"/v1/bills/{theirs}/link", {"purchase_order_id": strange_id})
    a_problem(response, 422, "LINK_NOT_ALLOWED")
    plain_id = await mirrored(database, connection_id, an_order("PO-10"))
    linked = await api.post(f"/v1/bills/{theirs}/link", {"purchase_order_id": plain_id})
    assert linked.json()["manual_both_sides"] is False
    assert (await api.post(f"/v1/bills/{bill_id}/unlink")).status_code == 200
    response = await api.post(f"/v1/bills/{bill_id}/link", {"purchase_order_id": plain_id})
    a_problem(response, 422, "LINK_NOT_ALLOWED")
    await api.put(f"/v1/connections/{connection_id}/purchase-orders", {"enabled": False})
    response = await api.post(f"/v1/bills/{theirs}/link", {"purchase_order_id": plain_id})
    a_problem(response, 409, "PO_FEATURE_OFF")


async def test_a_payment_is_scheduled_for_its_day(
    api: ApiClient, database: Database, bill_id: str, fake_temporal: FakeTemporal
) -> None:
    """S4-25, S5-33..42: whole or in part, once per key, never more than is open."""
    await pushed(database, bill_id)
    fake_temporal.running[f"bill/{bill_id}"] = "run"
    path = f"/v1/bills/{bill_id}/payments"
    body = {"amount": "20.00", "pay_on": TOMORROW}
    first = await api.post(path, body, key="pay-1")
    assert first.status_code == 201, first.text
    assert first.headers["location"] == f"/v1/payments/{first.json()['payment']['id']}"
    assert (await api.post(path, body, key="pay-1")).json() == first.json()
    payment = (await api.get(first.headers["location"])).json()
    assert (payment["status"], Decimal(payment["amount"]), payment["pay_on"]) == ("scheduled", 20, TOMORROW)
    assert (payment["bank_account"], payment["write"]["state"]) == ("BOA", "planned")
    refused = await api.post(path, {"amount": "30.01", "pay_on": TOMORROW}, key="pay-2")
    problem = a_problem(refused, 422, "OVERPAYMENT")
    assert "30" in problem["detail"]
    assert (await api.post(path, {"amount": "30.01", "pay_on": TOMORROW}, key="pay-2")).json() == problem
    assert len((await api.get("/v1/payments", bill=bill_id)).json()["items"]) == 1
    assert (await the_bill(api, bill_id))["payments"][0]["id"] == payment["id"]
    assert (await api.get("/v1/payments", status="paid")).json()["items"] == []


async def test_a_payment_is_not_dated_back(api: ApiClient, database: Database, bill_id: str) -> None:
    """A8: more than a day before today in UTC is refused; where it is still yesterday, yesterday is taken."""
    await pushed(database, bill_id)
    path = f"/v1/bills/{bill_id}/payments"
    today = datetime.now(UTC).date()
    for past in ("2020-01-01", (today - timedelta(days=2)).isoformat()):
        a_problem(await api.post(path, {"amount": "1.00", "pay_on": past}), 422, "PAY_ON_IS_PAST")
    yesterday = (today - timedelta(days=1)).isoformat()
    answer = await api.post(path, {"amount": "1", "pay_on": yesterday})
    assert answer.status_code == 201, answer.text
    assert answer.json()["payment"]["amount"] == "1.00", "with the currency's decimals (A12)"


async def test_a_bill_that_is_open_again_gets_a_workflow_with_its_payment(
    api: ApiClient, database: Database, bill_id: str, fake_temporal: FakeTemporal
) -> None:
    """S4-25, S4-26: its workflow ended when it was paid; the payment was voided in the ERP meanwhile."""
    await pushed(database, bill_id)
    body = {"amount": "20.00", "pay_on": TOMORROW}
    first = await api.post(f"/v1/bills/{bill_id}/payments", body)
    assert first.status_code == 201, first.text
    await fake_temporal.has_delivered("payment_scheduled")
    (started,) = [state for workflow_id, state in fake_temporal.started if workflow_id == f"bill/{bill_id}"]
    assert (started.status, started.document_id, started.due) == (BillStatus.SCHEDULED, "Vendor Invoice-1", "50.00")
    assert started.order_workflow_id == (await fake_temporal.delivered(bill_id))[0]
    async with database.transaction() as session:
        again = await bill_restart.restart_state(session, BillId(bill_id))
        assert again is not None
        assert [(one.amount, one.waits) for one in again.payments] == [("20.00", True)], "what is on its way is known"
        await session.execute(text("update bills set status = 'paid' where id = :id"), {"id": bill_id})
        assert await bill_restart.restart_state(session, BillId(bill_id)) is None


async def test_a_scheduled_payment_is_abandoned(
    api: ApiClient, other_api: ApiClient, database: Database, bill_id: str, fake_temporal: FakeTemporal
) -> None:
    """S5-33: before it is sent; once per key, with who and why, and what it promised is open again."""
    await pushed(database, bill_id)
    fake_temporal.running[f"bill/{bill_id}"] = "run"
    whole = {"amount": "50.00", "pay_on": TOMORROW}
    paid = (await api.post(f"/v1/bills/{bill_id}/payments", whole)).json()["payment"]["id"]
    fake_temporal.running[f"payment/{paid}"] = "run"
    path, why = f"/v1/payments/{paid}/abandon", {"reason": "the supplier owes us"}
    a_problem(await api.as_("clerk").post(path, why), 403, "ROLE_TOO_LOW")
    a_problem(await other_api.post(path, why), 404, "NOT_FOUND")
    first = await api.post(path, why, key="give-up")
    assert (first.status_code, first.json()["status"]) == (200, "abandoned"), first.text
    assert (await api.post(path, why, key="give-up")).json() == first.json()
    await fake_temporal.has_delivered("abandoned")
    told = [(to, name, word) for to, name, word in fake_temporal.signals if name == "abandoned"]
    assert [to for to, _, _ in told] == [f"payment/{paid}"]
    assert (told[0][2].why, told[0][2].bill.due, told[0][2].bill.payment_id) == (why["reason"], "50.00", paid)
    shown = (await api.get(f"/v1/payments/{paid}")).json()
    assert (shown["write"]["state"], shown["events"][-1]["why"]) == ("abandoned", why["reason"])
    assert (await the_bill(api, bill_id))["status"] == "synced"
    assert (await api.post(f"/v1/bills/{bill_id}/payments", whole)).status_code == 201


async def test_before_its_bill_is_sent_a_payments_end_is_told_to_the_bill(
    api: ApiClient, bill_id: str, fake_temporal: FakeTemporal
) -> None:
    """S5-33: no workflow of the payment runs yet."""
    fake_temporal.running[f"bill/{bill_id}"] = "run"
    body = {"amount": "50.00", "pay_on": TOMORROW}
    paid = (await api.post(f"/v1/bills/{bill_id}/payments", body)).json()["payment"]["id"]
    await fake_temporal.has_delivered("payment_scheduled")
    assert (await api.post(f"/v1/payments/{paid}/abandon", {"reason": "twice"})).status_code == 200
    await fake_temporal.has_delivered("bill_changed")
    to, name, now = fake_temporal.signals[-1]
    assert (to, name, now.payment_id) == (f"bill/{bill_id}", "bill_changed", paid)


async def test_a_payment_that_was_sent_is_not_abandoned(
    api: ApiClient, database: Database, bill_id: str, fake_temporal: FakeTemporal
) -> None:
    """DESIGN 5: the ERP may hold it. Nobody knows until it was looked up, so nothing but its issue is offered."""
    await pushed(database, bill_id)
    fake_temporal.running[f"bill/{bill_id}"] = "run"
    body = {"amount": "50.00", "pay_on": TOMORROW}
    paid = (await api.post(f"/v1/bills/{bill_id}/payments", body)).json()["payment"]["id"]
    async with database.transaction() as session:
        await writes.begin_attempt(session, payments.external_key_for(paid))
    response = await api.post(f"/v1/payments/{paid}/abandon", {"reason": "too late"})
    problem = a_problem(response, 409, "WRITE_IN_DOUBT")
    assert "looked up first" in problem["fix"][0]
    assert (await api.get(f"/v1/payments/{paid}")).json()["status"] == "scheduled"


async def test_a_bill_made_in_the_erp_is_paid_there(api: ApiClient, database: Database) -> None:
    connection_id = await connected(api)
    bill_id = await enter_in_the_erp(database, api, connection_id)
    response = await api.post(f"/v1/bills/{bill_id}/payments", {"amount": "1.00", "pay_on": TOMORROW})
    a_problem(response, 409, "BILL_NOT_PAYABLE")


@pytest.mark.parametrize("amount", ["0.001", "1e400", "NaN", "-1e30", True, None])
async def test_an_amount_that_is_no_money_is_refused(api: ApiClient, bill_id: str, amount: Any) -> None:
    response = await api.post(f"/v1/bills/{bill_id}/payments", {"amount": amount, "pay_on": TOMORROW})
    a_problem(response, 422, "VALIDATION_FAILED")


async def test_bills_are_listed_by_what_they_belong_to(api: ApiClient, database: Database, order_id: str) -> None:
    first = await billed(api, order_id, quantity="1")
    second = await billed(api, order_id, quantity="1")
    await pushed(database, second)
    listed = (await api.get("/v1/bills", purchase_order=order_id)).json()["items"]
    assert [item["id"] for item in listed] == [second, first]
    assert [item["id"] for item in (await api.get("/v1/bills", status="synced")).json()["items"]] == [second]
    page = (await api.get("/v1/bills", vendor="V-1", limit=1)).json()
    rest = (await api.get("/v1/bills", vendor="V-1", limit=1, cursor=page["next_cursor"])).json()
    assert [page["items"][0]["id"], rest["items"][0]["id"]] == [second, first]
