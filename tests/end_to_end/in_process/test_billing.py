"""Bills against purchase orders: matched, reserved, in the ERP exactly once, linked, and shown by the order."""

import asyncio
from decimal import Decimal

from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.stack_client import (
    StackClient,
    amounts,
    ledger,
    refused,
)


def figures(ordered: str, received: str, billed: str, pending: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in (ordered, received, billed, pending))


async def test_partly_then_fully_and_the_status_comes_back_by_itself(api: StackClient, company: SandboxCompany) -> None:
    """S4-12, S4-22, S4-24, S4-65..67, S1-23: two bills on one order; the user never syncs a second time."""
    company.order("PO-1")
    await api.start()
    runs = len(await api.items(f"/v1/connections/{api.connection_id}/sync-runs"))
    first = await api.billed("PO-1", {1: "4"})
    order = await api.order_is("PO-1", "partially_filled")
    assert ledger(order) == figures("10", "0", "4", "0")
    invoice = company.one("vendor_invoices", number=first["external_key"])
    assert (invoice["created_from"], invoice["reference"]) == ("Purchase Order-PO-1", "PO-1")
    assert invoice["vendor_number"] == first["number"]
    assert [line["source_document"] for line in invoice["lines"]] == ["Purchase Order-PO-1"]
    assert first["linked_in_erp"] is True
    second = await api.billed("PO-1", {1: "6", 2: "5"})
    order = await api.order_is("PO-1", "filled")
    assert order["erp_status"] == "Converted"
    assert [ledger(order, line_no) for line_no in (1, 2)] == [
        figures("10", "0", "10", "0"),
        figures("5", "0", "5", "0"),
    ]
    assert len(company.held("vendor_invoices")) == len(company.held("bills")) == 2
    assert {bill["id"] for bill in await api.bills_of("PO-1")} == {first["id"], second["id"]}
    listed = [(bill["purchase_order_id"], bill["reference"]) for bill in await api.items("/v1/bills")]
    assert listed == [(order["id"], "PO-1")] * 2  # the list of bills links to their order
    assert len(await api.items(f"/v1/connections/{api.connection_id}/sync-runs")) == runs
    assert await api.issues() == []


async def test_over_the_ceiling_is_refused_with_the_numbers(api: StackClient, company: SandboxCompany) -> None:
    """S4-09, S4-28: nothing is saved, nothing reaches the ERP, and the answer says what is left."""
    company.order("PO-1")
    await api.start()
    await api.billed("PO-1", {1: "7"})
    problem = refused(await api.enter("PO-1", {1: "4"}), 422, "MATCH_BLOCKED")
    (finding,) = problem["match"]["findings"]
    assert (finding["code"], finding["rule"], finding["line"]) == ("QTY_OVER_CEILING", "2WAY.BLOCK", 1)
    assert {name: finding["values"][name] for name in ("O_eff", "B", "b")} == {"O_eff": "10", "B": "7", "b": "4"}
    assert amounts(finding, "limit", "margin", "money_at_stake") == amounts({"l": "3", "m": "-1", "s": "12.5"}, *"lms")
    assert "lower the quantity to 3" in finding["fix"]
    assert len(company.held("vendor_invoices")) == 1
    assert len(await api.bills_of("PO-1")) == 1


async def test_what_is_on_its_way_counts(api: StackClient, company: SandboxCompany) -> None:
    """S4-16: a bill that has not reached the ERP yet holds its quantity."""
    company.order("PO-1")
    await api.start()
    company.breaks("unavailable", times=None)
    waiting = await api.bill("PO-1", {1: "7"})
    assert ledger(await api.order("PO-1")) == figures("10", "0", "0", "7")
    refused(await api.enter("PO-1", {1: "4"}), 422, "MATCH_BLOCKED")
    company.mend()
    await api.arrived(waiting)
    assert ledger(await api.order("PO-1")) == figures("10", "0", "7", "0")


async def test_the_drop_down_of_open_orders(api: StackClient, company: SandboxCompany) -> None:
    """S4-23: the vendor's open orders, most recent first; typing narrows by number."""
    company.order("PO-77", days_ago=30)
    company.order("PO-78", days_ago=3)
    company.order("PO-80", days_ago=10)
    company.order("PO-79", vendor_id="V-2", vendor_name="Vendor Two")
    await api.start()
    await api.billed("PO-80", {1: "10", 2: "5"})
    mine = {"connection": api.connection_id, "vendor": "V-1", "open": "true"}
    assert [order["number"] for order in await api.items("/v1/purchase-orders", **mine)] == ["PO-78", "PO-77"]
    assert [order["number"] for order in await api.items("/v1/purchase-orders", **mine, q="77")] == ["PO-77"]


async def test_a_draft_is_filled_in_from_the_order(api: StackClient, company: SandboxCompany) -> None:
    """S1-03, S4-36: vendor, currency, due date by the term, lines with what is left of them; fully billed lines out."""
    company.order("PO-1", memo="Two desks")
    await api.start()
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert (draft["vendor_id"], draft["currency"], draft["memo"]) == ("V-1", "USD", "Two desks")
    assert draft["bill_date"] == today().isoformat()
    assert draft["due_date"] > draft["bill_date"]
    assert [(line["order_line_no"], Decimal(line["quantity"])) for line in draft["lines"]] == [(1, 10), (2, 5)]
    assert Decimal(draft["total"]) == Decimal("187.50")
    await api.billed("PO-1", {1: "10", 2: "2"})
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert [(line["order_line_no"], Decimal(line["quantity"])) for line in draft["lines"]] == [(2, 3)]
    assert [(line["order_line_no"], line["code"]) for line in draft["left_out"]] == [(1, "FULLY_BILLED")]


async def test_the_same_request_makes_one_bill(api: StackClient, company: SandboxCompany) -> None:
    """S4-24: a caller who lost the answer asks again with the same key."""
    company.order("PO-1")
    await api.start()
    order = await api.order("PO-1")
    body = {"number": "INV-SAME", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}
    answers = [await api.post(f"/v1/purchase-orders/{order['id']}/bills", body, key="once") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    await api.arrived(answers[0].json()["bill"]["id"])
    again = refused(await api.post(f"/v1/purchase-orders/{order['id']}/bills", body), 422, "MATCH_BLOCKED")
    assert [finding["code"] for finding in again["match"]["findings"]] == ["DUPLICATE_EXACT"]
    assert len(company.held("vendor_invoices")) == 1


async def test_two_people_cannot_bill_the_same_goods(api: StackClient, company: SandboxCompany) -> None:
    """S4-28, S4-16: five bills at the same moment, two of which fit: exactly two are taken."""
    company.order("PO-1", "10")
    await api.start()
    answers = await asyncio.gather(*(api.enter("PO-1", {1: "4"}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 422, 422, 422]
    for answer in answers:
        if answer.status_code == 201:
            await api.arrived(answer.json()["bill"]["id"])
    assert ledger(await api.order("PO-1")) == figures("10", "0", "8", "0")
    assert len(company.held("vendor_invoices")) == 2


async def test_from_the_top_every_bill_goes_to_the_entity_of_its_order(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-11, S2-12, S5-99, S5-146: one connection over all entities; each document is made where its order is."""
    company.order("PO-100")
    company.order("PO-200", entity="200", location="200")
    await api.start(entity=None)
    assert await api.numbers() == {"PO-100", "PO-200"}
    for number, entity in (("PO-100", "100"), ("PO-200", "200")):
        assert (await api.order(number))["entity"] == entity
        bill = await api.billed(number, {1: "8"})
        invoice = company.one("vendor_invoices", number=bill["external_key"])
        assert (invoice["entity"], {line["location"] for line in invoice["lines"]}) == (entity, {entity})
        await api.payment_is(await api.pay(bill["id"], "100.00"), "paid")
        assert company.one("bills", record_no=bill["payable_id"])["due"] in ("0", "0.00")
    await api.sync()
    assert {bill["status"] for bill in await api.items("/v1/bills")} == {"paid"}
    assert await api.issues() == []


async def test_a_lost_answer_makes_no_second_bill(api: StackClient, company: SandboxCompany) -> None:
    """S4-24: the write is looked up before it is sent again, also where reads lag behind."""
    company.order("PO-1")
    await api.start(settings={"read_lag_seconds": 2})
    company.switch(read_lag_seconds=1)
    company.breaks("lost_answer", "create_potransaction")
    bill = await api.billed("PO-1", {1: "4"})
    assert company.fired("lost_answer") == 1
    assert len(company.held("vendor_invoices")) == len(company.held("bills")) == 1
    assert bill["write"]["attempts"] >= 2
    assert await api.issues() == []


async def test_unlinking_before_the_first_sync_frees_the_order(api: StackClient, company: SandboxCompany) -> None:
    """S1-24: while the bill never left, its link may be taken away; the ERP never hears of it."""
    company.order("PO-1")
    await api.start()
    company.breaks("unavailable", times=None)
    first = await api.bill("PO-1", {1: "4"})
    second = await api.bill("PO-1", {1: "6", 2: "5"})  # waits for its turn behind the first
    answer = await api.post(f"/v1/bills/{second}/unlink", role="clerk")
    assert answer.status_code == 200, answer.text
    assert answer.json()["bill"]["purchase_order_id"] is None
    assert [ledger(await api.order("PO-1"), line_no)[3] for line_no in (1, 2)] == [4, 0]
    company.mend()
    third = await api.billed("PO-1", {1: "6"})
    ours = [(await api.read_bill(first))["external_key"], third["external_key"]]
    assert [invoice["number"] for invoice in company.held("vendor_invoices")] == ours
    assert (await api.read_bill(second))["status"] == "draft"


async def test_unlinking_after_the_sync_is_refused_with_the_reason(api: StackClient, company: SandboxCompany) -> None:
    """S1-24, S1-25, S1-26, S4-27."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "4"})
    problem = refused(await api.post(f"/v1/bills/{bill['id']}/unlink", role="clerk"), 409, "LINK_IS_FINAL")
    assert "system of record" in problem["detail"]
    assert "/delete" in problem["fix"][0]


async def test_orders_are_view_only(api: StackClient, company: SandboxCompany) -> None:
    """S1-01, S1-29, S2-86, S4-20: no call creates, edits, deletes or approves an order, here or in the ERP."""
    company.order("PO-1")
    await api.start()
    order = await api.order("PO-1")
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await api.http.request(
            method,
            f"/v1/purchase-orders/{order['id']}",
            json={"memo": "x"},
            headers={"Authorization": f"Bearer {api.keys['admin']}", "Idempotency-Key": method, "If-Match": "*"},
        )
        refused(answer, 405, "PO_IS_VIEW_ONLY")
    refused(await api.post("/v1/purchase-orders", {"number": "PO-2"}), 405, "PO_IS_VIEW_ONLY")
    await api.billed("PO-1", {1: "4"})
    written = {"create", "update", "delete", "update_potransaction", "delete_potransaction", "approve", "decline"}
    assert not written & company.calls()["by_operation"].keys()


async def test_a_gl_account_changed_here_stays_here_with_a_reminder(api: StackClient, company: SandboxCompany) -> None:
    """S1-17, S1-18, S2-47: given at the entry or later, it never leaves; the item's own account counts there."""
    company.order("PO-1")
    await api.start()
    coded = [{"order_line_no": 2, "quantity": "1", "account": "2000"}]
    answer = await api.enter("PO-1", {}, lines=coded, number="INV-2000")
    assert [one["code"] for one in answer.json()["notices"]] == ["GL_ACCOUNT_NOT_SYNCED"], answer.text
    await api.arrived(answer.json()["bill"]["id"])
    assert "2000" not in {line["account"] for one in company.held("bills") for line in one["lines"]}
    bill = await api.billed("PO-1", {1: "4"})
    before = company.one("vendor_invoices", number=bill["external_key"])
    edited = await api.patch(f"/v1/bills/{bill['id']}", {"lines": [{"line_no": 1, "account": "2000"}]}, role="clerk")
    assert edited.status_code == 200, edited.text
    assert [notice["code"] for notice in edited.json()["notices"]] == ["GL_ACCOUNT_NOT_SYNCED"]
    await api.sync()
    assert (await api.read_bill(bill["id"]))["lines"][0]["account"] == "2000"
    assert company.one("vendor_invoices", number=bill["external_key"]) == before
    notices = await api.items("/v1/notices")
    assert {notice["code"] for notice in notices} == {"GL_ACCOUNT_NOT_SYNCED"}


async def test_an_unknown_order_is_not_found(api: StackClient, company: SandboxCompany) -> None:
    """S4-22: also one of another organization is simply not there."""
    await api.start()
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "1"}]}
    refused(await api.post("/v1/purchase-orders/po_nowhere/bills", body), 404, "NOT_FOUND")
