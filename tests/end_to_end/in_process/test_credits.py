"""Credits of Intacct's accounts payable: they come in, name their bill or order, and show what is open of them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from settings import Settings
from tests.harness.approval_walk import let_approve, person, set_approvals
from tests.harness.entered_credits import a_credit, entered
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts, refused
from tests.harness.written_values import day_of


async def the_credit(api: StackClient, **query: str) -> dict[str, Any]:
    """The one credit of the organization that the filters name, whole."""
    (credit,) = await api.items("/v1/credits", **query)
    shown: dict[str, Any] = await api.get(f"/v1/credits/{credit['id']}")
    return shown


def debit_memo(company: SandboxCompany, number: str, amount: str, **more: Any) -> dict[str, Any]:
    """Somebody types a debit memo into accounts payable."""
    return company.does("add_adjustment", vendor_id="V-1", number=number, amount=amount, entity="100", **more)


async def test_a_debit_memo_comes_in_with_its_bill_and_what_is_open_of_it(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-69, S5-71..77, S4-64: applied there, seen here; unapplied there, open here again; deleted there, gone here."""
    company.order("PO-1", "10")
    await api.start(mode="two_way")
    bill = await api.billed("PO-1", {1: "10"})
    debit_memo(company, "CM-1", "40.00", reference=bill["number"], memo="two were broken")
    await api.sync()
    credit = await the_credit(api, number="CM-1")
    assert (credit["kind"], credit["origin"], credit["status"]) == ("credit", "erp", "open")
    assert amounts(credit, "total", "applied", "open") == (40, 0, 40)
    assert (credit["credit_of"], credit["purchase_order_id"]) == (bill["id"], bill["purchase_order_id"])
    assert [Decimal(line["amount"]) for line in credit["lines"]] == [40]
    payable = (await api.read_bill(bill["id"]))["payable_id"]

    company.does("apply_adjustment", number="CM-1", bill_record_no=payable, amount="30.00")
    await api.sync()
    credit = await the_credit(api, number="CM-1", open="true")
    assert credit["status"] == "partially_applied"
    assert amounts(credit, "total", "applied", "open") == (40, 30, 10)
    (applied,) = credit["applied_to"]
    assert (applied["bill_id"], Decimal(applied["amount"])) == (bill["id"], 30)
    assert amounts(await api.read_bill(bill["id"]), "paid", "due") == (30, 95)
    assert await api.items("/v1/payments", bill=bill["id"]) == []

    company.does("unapply_adjustment", number="CM-1")
    await api.sync()
    credit = await the_credit(api, number="CM-1")
    assert (credit["status"], credit["applied_to"], Decimal(credit["open"])) == ("open", [], 40)
    assert amounts(await api.read_bill(bill["id"]), "paid", "due") == (0, 125)

    company.does("delete_adjustment", number="CM-1")
    await api.sync()
    assert (await the_credit(api, number="CM-1"))["status"] == "deleted"
    assert await api.items("/v1/credits", open="true") == []
    assert await api.issues() == []


async def test_a_reference_names_an_order_and_an_adjustment_that_raises_the_debt_is_no_credit(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-85, S4-64: the order's number in the reference; a credit memo is shown, and counts as nothing."""
    company.order("PO-1", "10")
    await api.start(mode="two_way")
    debit_memo(company, "CM-2", "12.50", reference="PO-1")
    debit_memo(company, "DM-1", "99.00", reference="PO-1", raises=True)
    await api.sync()
    order = await api.order("PO-1")
    credit = await the_credit(api, purchase_order=order["id"])
    assert (credit["number"], credit["reference"], credit["credit_of"]) == ("CM-2", "PO-1", None)
    assert [one["number"] for one in await api.items("/v1/credits")] == ["CM-2"]
    (raised,) = await api.items("/v1/credits", kind="adjustment")
    assert (raised["number"], raised["reference"], raised["purchase_order_id"]) == ("DM-1", "PO-1", None)
    assert amounts(raised, "total", "applied", "open") == (99, 0, 0)
    await api.billed("PO-1", {1: "10"})


async def test_without_orders_the_number_in_the_reference_shows_on_bill_and_credit(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-85, S4-71: with the feature off no order is to be seen; its number in the reference of a bill, and of a
    credit, made in Intacct is shown on them."""
    company.order("PO-1", "10")
    await api.start(purchase_orders=False)
    company.does("add_bill", vendor_id="V-1", number="S-2", amount="125.00", po_number="PO-1", entity="100")
    debit_memo(company, "CM-2", "12.50", reference="PO-1")
    await api.sync()
    assert await api.items("/v1/purchase-orders") == []
    (bill,) = [one for one in await api.items("/v1/bills") if one["number"] == "S-2"]
    assert (bill["reference"], bill["purchase_order_id"]) == ("PO-1", None)
    credit = await the_credit(api, number="CM-2")
    assert (credit["reference"], credit["purchase_order_id"]) == ("PO-1", None)


async def test_a_credit_against_an_order_has_its_number_as_the_reference(
    api: StackClient, company: SandboxCompany
) -> None:
    """S4-64: what is entered here against an order, and against a bill, says so in Intacct's books; read again, it is
    the order's still."""
    company.order("PO-1", "10")
    await api.start(mode="two_way")
    bill = await api.billed("PO-1", {1: "10"})
    line = {"account": "6000", "amount": "10.00"}
    order = {**a_credit(bill, "CM-1", line), "purchase_order_id": bill["purchase_order_id"]}
    del order["bill_id"]
    await entered(api, order)
    await entered(api, a_credit(bill, "CM-2", line))
    there = {memo["number"]: memo["reference"] for memo in company.held("adjustments")}
    assert there == {"CM-1": "PO-1", "CM-2": bill["number"]}
    await api.sync()
    of_order = await api.items("/v1/credits", purchase_order=bill["purchase_order_id"])
    assert {one["number"] for one in of_order} == {"CM-1", "CM-2"}


async def test_a_credit_entered_here_reaches_the_books_once_and_gives_its_quantity_back(
    api: StackClient, company: SandboxCompany
) -> None:
    """R09, S5-69, S5-72..77: refused beyond what was billed; sent once though an answer is lost; billed again by lines.
    Total, currency, day, number, and each line's amount and description stand in the books."""
    company.order("PO-1", "10")
    await api.start(mode="two_way")
    bill = await api.billed("PO-1", {1: "10"})
    over = a_credit(bill, "CM-9", {"account": "6000", "amount": "137.50", "order_line_no": 1, "quantity": "11"})
    problem = refused(await api.post("/v1/credits", over, role="clerk"), 422, "CREDIT_EXCEEDS_BILLED")
    assert "of which 10 is billed" in problem["detail"]
    refused(
        await api.post("/v1/credits", a_credit(bill, "CM-9", {"account": "6000", "amount": "125.01"}), role="clerk"),
        422,
        "CREDIT_EXCEEDS_BILLED",
    )
    company.breaks("lost_answer", "create_apadjustment")
    pieces = {"account": "6000", "amount": "30.00", "order_line_no": 1, "quantity": "4", "description": "Broken"}
    money = {"account": "6000", "amount": "20.00", "description": "Goodwill"}
    day = today() - timedelta(days=1)
    credit = await entered(api, {**a_credit(bill, "CM-9", pieces, money), "credit_date": day.isoformat()})
    assert company.fired("lost_answer") == 1
    (memo,) = company.held("adjustments")
    assert (memo["number"], memo["total"], memo["reference"]) == ("CM-9", "-50.00", bill["number"])
    assert (memo["currency"], day_of(memo["date"])) == ("USD", day)
    lines = [(line["description"], Decimal(line["amount"])) for line in memo["lines"]]
    assert lines == [("Broken", -30), ("Goodwill", -20)]
    assert (credit["origin"], credit["credit_of"], Decimal(credit["open"])) == ("posync", bill["id"], 50)
    line = (await api.order("PO-1"))["lines"][0]
    assert amounts(line, "billed", "pending", "credited", "remaining") == (10, 0, 4, 4)
    refused(
        await api.post(
            "/v1/credits",
            a_credit(bill, "CM-10", {"account": "6000", "amount": "87.50", "order_line_no": 1, "quantity": "7"}),
            role="clerk",
        ),
        422,
        "CREDIT_EXCEEDS_BILLED",
    )
    refused(
        await api.post("/v1/credits", a_credit(bill, "cm9", {"account": "6000", "amount": "1"}), role="clerk"),
        409,
        "CREDIT_NUMBER_TAKEN",
    )
    company.does("apply_adjustment", number="CM-9", bill_record_no=(await api.read_bill(bill["id"]))["payable_id"])
    await api.sync()
    shown = await api.get(f"/v1/credits/{credit['id']}")
    assert (shown["status"], [one["bill_id"] for one in shown["applied_to"]]) == ("applied", [bill["id"]])
    assert amounts(shown, "total", "applied", "open") == (50, 50, 0)
    (payment,) = [one["record_no"] for one in company.held("payments")]
    delete = f"/v1/credits/{credit['id']}/delete"
    problem = refused(await api.post(delete, {"reason": "no"}, role="accountant"), 409, "CREDIT_IS_APPLIED")
    assert f"by payment {payment}" in problem["detail"]
    assert len(await api.items("/v1/credits")) == 1
    assert len(company.held("adjustments")) == 1

    company.does("unapply_adjustment", number="CM-9")
    await api.sync()
    answer = await api.post(delete, {"reason": "the vendor withdrew it"}, role="accountant")
    assert (answer.status_code, answer.json()["status"]) == (200, "retracting"), answer.text

    async def is_gone() -> bool:
        return bool((await api.get(f"/v1/credits/{credit['id']}"))["status"] == "deleted")

    await api.until(is_gone, "the credit gone from the ERP")
    assert company.held("adjustments") == []
    line = (await api.order("PO-1"))["lines"][0]
    assert amounts(line, "billed", "credited", "remaining") == (10, 0, 0)
    assert await api.issues() == []


async def test_from_the_top_a_credit_stays_in_its_entity(api: StackClient, company: SandboxCompany) -> None:
    """S5-70: over all entities: a credit of one is not applied to a bill on an order of another, and does
    not go with its payment; to one of its own it is."""
    company.order("PO-100", "10")
    company.order("PO-200", "10", entity="200", location="200")
    await api.start(mode="two_way", entity=None)
    own, other = [await api.billed(number, {1: "10"}) for number in ("PO-200", "PO-100")]
    company.does("add_adjustment", vendor_id="V-1", number="CM-2", amount="40.00", entity="200")
    await api.sync()
    credit = await the_credit(api, number="CM-2")
    apply = f"/v1/credits/{credit['id']}/apply"
    wrong = {"bills": [{"bill_id": other["id"], "amount": "10.00"}]}
    problem = refused(await api.post(apply, wrong, role="accountant"), 409, "CREDIT_OF_ANOTHER")
    assert "another entity" in problem["detail"]
    share = {"bill_id": other["id"], "amount": "10.00"}
    with_it = {"bills": [share], "credits": [{"credit_id": credit["id"], **share}], "pay_on": today().isoformat()}
    refused(await api.post("/v1/payments", with_it), 409, "CREDIT_OF_ANOTHER")
    right = {"bills": [{"bill_id": own["id"], "amount": "10.00"}]}
    assert (await api.post(apply, right, role="accountant")).status_code == 200
    await api.application_is(f"/v1/credits/{credit['id']}", "applied")
    assert amounts(company.one("bills", record_no=own["payable_id"]), "paid", "due") == (10, 115)


async def test_a_credit_waits_for_its_approvers(
    api: StackClient, company: SandboxCompany, whole_settings: Settings
) -> None:
    """S5-69: the same approval as a bill; nothing reaches the books before it; the deciding total is the credit's."""
    company.order("PO-1", "10")
    await api.start(mode="two_way")
    ben = await person(api, whole_settings.database_url, "Ben")
    await let_approve(api, [ben])
    await set_approvals(api, enabled=True, push_when="approved", only_approved=False)
    lines = [{"account": "6000", "amount": "70.00"}]
    body = {"connection_id": api.connection_id, "vendor_id": "V-1", "number": "CM-3", "lines": lines}
    answer = await api.post("/v1/credits", {**body, "credit_date": today().isoformat()}, role="clerk")
    assert (answer.status_code, answer.json()["status"]) == (201, "awaiting_approval"), answer.text
    assert company.held("adjustments") == []
    credit_id = answer.json()["id"]
    approved = await ben.approve(credit_id)
    assert approved.status_code == 200, approved.text

    async def is_there() -> bool:
        return bool((await api.get(f"/v1/credits/{credit_id}"))["status"] == "open")

    await api.until(is_there, "the credit in the ERP")
    assert [memo["number"] for memo in company.held("adjustments")] == ["CM-3"]


async def test_the_figures_after_an_application_are_read_whatever_comes_in_between(
    api: StackClient, company: SandboxCompany
) -> None:
    """S5-71: the attempt that applied the credit ends before it has read the figures; the next attempt reads them."""
    company.order("PO-1", "10")
    await api.start(mode="two_way")
    bill = await api.billed("PO-1", {1: "10"})
    debit_memo(company, "CM-1", "40.00")
    await api.sync()
    credit = await the_credit(api, number="CM-1")
    company.breaks("unavailable", "query", object="APADJUSTMENT")
    ten = {"bills": [{"bill_id": bill["id"], "amount": "10.00"}]}
    answer = await api.post(f"/v1/credits/{credit['id']}/apply", ten, role="accountant")
    assert answer.status_code == 200, answer.text

    async def is_read() -> bool:
        return amounts(await the_credit(api, number="CM-1"), "applied", "open", "reserved") == (10, 30, 0)

    await api.until(is_read, "the credit's own figures, without a sync")
    assert amounts(await api.read_bill(bill["id"]), "paid", "due", "reserved") == (10, 115, 0)
    assert company.fired("unavailable")
    assert len(company.held("payments")) == 1


async def test_a_credit_is_applied_without_money_once_and_unapplied(api: StackClient, company: SandboxCompany) -> None:
    """S5-70, S5-71: a lost answer is looked up; seen again on reading as the same one; undone here, and there."""
    company.order("PO-1", "10")
    await api.start(mode="two_way")
    bill = await api.billed("PO-1", {1: "10"})
    debit_memo(company, "CM-1", "40.00")
    debit_memo(company, "CM-2", "500.00")
    await api.sync()
    credit = await the_credit(api, number="CM-1")
    other = await the_credit(api, number="CM-2")
    apply = f"/v1/credits/{credit['id']}/apply"
    over = {"bills": [{"bill_id": bill["id"], "amount": "40.01"}]}
    refused(await api.post(apply, over, role="accountant"), 409, "MORE_THAN_OPEN")
    company.breaks("lost_answer", "create")
    thirty = {"bills": [{"bill_id": bill["id"], "amount": "30.00"}], "reason": "as agreed"}
    answer = await api.post(apply, thirty, role="accountant")
    assert answer.status_code == 200, answer.text
    assert amounts(answer.json(), "open", "reserved") == (40, 30)
    all_of_it = {"amount": "125.00", "pay_on": today().isoformat()}
    payments = f"/v1/bills/{bill['id']}/payments"
    refused(await api.post(payments, all_of_it, role="accountant"), 422, "OVERPAYMENT")

    async def application() -> dict[str, Any]:
        (one,) = (await api.get(f"/v1/credits/{credit['id']}"))["applications"]
        return dict(one)

    async def it_is(status: str) -> None:
        async def so() -> bool:
            return bool((await application())["status"] == status)

        await api.until(so, f"an application that is {status}")

    await it_is("applied")
    (entry,) = company.held("payments")
    assert (entry["amount"], (await application())["payment"]) == ("0.00", entry["record_no"])

    async def is_reread() -> bool:
        return amounts(await the_credit(api, number="CM-1"), "applied", "open", "reserved") == (30, 10, 0)

    await api.until(is_reread, "the credit's own figures, without a sync")
    assert amounts(await api.read_bill(bill["id"]), "paid", "due", "reserved") == (30, 95, 0)
    await api.sync()
    credit = await the_credit(api, number="CM-1")
    assert amounts(credit, "applied", "open", "reserved") == (30, 10, 0)
    assert [one["payment"] for one in credit["applied_to"]] == [entry["record_no"]]
    assert amounts(await api.read_bill(bill["id"]), "paid", "due") == (30, 95)
    more = {"bills": [{"bill_id": bill["id"]}]}
    rest = await api.post(f"/v1/credits/{other['id']}/apply", more, role="accountant")
    assert [one["amount"] for one in rest.json()["applications"]] == ["95.00"]

    undo = {"application_id": (await application())["id"], "reason": "the wrong bill"}
    answer = await api.post(f"/v1/credits/{credit['id']}/unapply", undo, role="accountant")
    assert answer.status_code == 200, answer.text
    await it_is("unapplied")

    async def the_rest_is_applied() -> bool:
        (one,) = (await api.get(f"/v1/credits/{other['id']}"))["applications"]
        return bool(one["status"] == "applied")

    await api.until(the_rest_is_applied, "the other credit's application")
    await api.sync()
    assert amounts(await the_credit(api, number="CM-1"), "applied", "open") == (0, 40)
    company.does("unapply_adjustment", number="CM-2")
    await api.sync()
    other = await the_credit(api, number="CM-2")
    assert [one["status"] for one in other["applications"]] == ["unapplied"]
    shown = await api.read_bill(bill["id"])
    assert amounts(shown, "paid", "due") == (0, 125)
    told = [
        (one["kind"], one["why"], one["after"]["credit"], Decimal(one["after"]["amount"]))
        for one in shown["events"]
        if one["kind"].startswith("credit_")
    ]
    assert sorted(told[:3]) == sorted(
        [
            ("credit_applied", "as agreed", "CM-1", Decimal(30)),
            ("credit_unapplied", "the wrong bill", "CM-1", Decimal(30)),
            ("credit_applied", "", "CM-2", Decimal(95)),
        ]
    )
    assert told[3:] == [("credit_unapplied", "in the ERP", "CM-2", Decimal(95))]
    assert await api.issues() == []
