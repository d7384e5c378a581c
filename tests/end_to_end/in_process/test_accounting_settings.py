"""The accounting settings: which dimensions bills carry, the vendor on their lines, and the day they post on."""

from datetime import date, timedelta
from typing import Any

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, refused


async def set_accounting(api: StackClient, role: str = "admin", **settings: Any) -> Any:
    return await api.put(f"/v1/connections/{api.connection_id}/accounting-settings", settings, role=role)


def invoice(company: SandboxCompany, bill: Any) -> dict[str, Any]:
    (one,) = [held for held in company.held("vendor_invoices") if held["number"] == bill["external_key"]]
    return one


async def test_bills_carry_the_dimensions_that_the_company_uses(api: StackClient, company: SandboxCompany) -> None:
    """S2-40, S2-42, S2-43, S2-44: set before the first bill; a line that names what bills do not carry is refused with
    the way to the setting, and nothing of it is sent; each can be switched on again. Where none is sent, Intacct itself
    takes over the department of the order's line."""
    company.order("PO-1", lines={1: {"department": "SALES", "class": "C-1"}})
    company.load(accounts=[{"account_no": "6600", "title": "Rent"}])
    await api.connect()
    refused(await set_accounting(api, "accountant", dimensions={"department": False}), 403, "ROLE_TOO_LOW")
    answer = await set_accounting(api, dimensions={"department": False, "class": False})
    carried = {one["dimension"]: one["carried"] for one in answer.json()["dimensions"]}
    assert carried == {"department": False, "location": True, "class": False, "project": True}
    assert (await api.prefer())["complete"]
    await api.sync()

    order = await api.order("PO-1")
    assert order["lines"][0]["department"] == "SALES", "the order is shown as the ERP has it"
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert (draft["lines"][0]["department"], draft["lines"][0]["location"]) == (None, "100")
    first = await api.billed("PO-1", {1: "4"})
    assert invoice(company, first)["lines"][0]["department"] == "SALES", "Intacct's own doing"

    rent = {"amount": "10.00", "account": "6600"}
    problem = refused(await api.enter_direct([{**rent, "department": "SALES"}]), 422, "VALIDATION_FAILED")
    assert problem["errors"][0]["rule"] == "not_carried"
    assert "accounting-settings" in problem["errors"][0]["message"]
    named = {"lines": [{"order_line_no": 2, "quantity": "1", "class_id": "C-1"}]}
    assert (await api.enter("PO-1", {}, **named)).status_code == 201, "what stands on the order is no mistake"
    bill_id = await api.direct_bill([rent])
    edit = {"lines": [{"line_no": 1, "class_id": "C-1"}]}
    refused(await api.patch(f"/v1/bills/{bill_id}", edit), 422, "VALIDATION_FAILED")

    assert (await set_accounting(api, dimensions={"department": True})).status_code == 200
    alone = await api.arrived(await api.direct_bill([{**rent, "department": "SALES"}]))
    (payable,) = [one for one in company.held("bills") if one["number"] == alone["number"]]
    assert (payable["lines"][0]["department"], payable["lines"][0]["class"] or "") == ("SALES", "")


async def test_without_locations_a_line_goes_to_its_entity(api: StackClient, company: SandboxCompany) -> None:
    """S2-43, S2-11: a location that is named is refused, and the line is the entity's."""
    company.order("PO-1")  # its vendor is who sends the bills
    company.load(
        accounts=[{"account_no": "6600", "title": "Rent"}],
        locations=[{"location_id": "HALL-2", "name": "Hall 2", "entity": "100"}],
    )
    await api.start()
    rent = {"amount": "10.00", "account": "6600"}

    async def in_the_books(**named: str) -> str:
        bill = await api.arrived(await api.direct_bill([{**rent, **named}]))
        (payable,) = [one for one in company.held("bills") if one["number"] == bill["number"]]
        return str(payable["lines"][0]["location"])

    assert await in_the_books(location="HALL-2") == "HALL-2"
    assert (await set_accounting(api, dimensions={"location": False})).status_code == 200
    problem = refused(await api.enter_direct([{**rent, "location": "HALL-2"}]), 422, "VALIDATION_FAILED")
    assert problem["errors"][0]["rule"] == "not_carried"
    assert await in_the_books() == "100"


async def test_the_vendor_stands_on_the_lines_as_the_preference_says(api: StackClient, company: SandboxCompany) -> None:
    """S2-45: on the lines of bills on orders, on those of all, or on none; on the header always."""
    company.order("PO-1")
    company.load(accounts=[{"account_no": "6600", "title": "Rent"}])
    await api.start()
    rent = [{"amount": "10.00", "account": "6600"}]
    seen = {}
    for said in ("", "true", "false"):
        assert (await api.prefer(vendor_on_lines=said))["complete"]
        bill = await api.billed("PO-1", {1: "1"})
        alone = await api.arrived(await api.direct_bill(rent))
        on_order = invoice(company, bill)
        (payable,) = [one for one in company.held("bills") if one["number"] == alone["number"]]
        assert (on_order["vendor_id"], payable["vendor_id"]) == ("V-1", "V-1")
        seen[said] = (on_order["lines"][0]["vendor"] or "", payable["lines"][0]["vendor"] or "")
    assert seen == {"": ("V-1", ""), "true": ("V-1", "V-1"), "false": ("", "")}
    wrong = await api.prefer(vendor_on_lines="maybe")
    assert [problem["preference"] for problem in wrong["problems"]] == ["vendor_on_lines"]
    misspelt = await api.prefer(vendor_on_line="true")
    assert [(one["code"], one["preference"]) for one in misspelt["problems"]] == [
        ("PREFERENCE_UNKNOWN", "vendor_on_line")
    ]


async def test_a_bill_posts_on_the_day_that_the_setting_says(api: StackClient, company: SandboxCompany) -> None:
    """S2-48: its own date, the day of its entry, or the first day of the open books; a day that is given stays."""
    company.order("PO-1")
    await api.start()
    closed = today() - timedelta(days=3)
    company.does("close_period", entity="100", through=closed.isoformat())
    await api.sync()
    long_ago, lately = closed - timedelta(days=2), closed + timedelta(days=2)

    async def posts_on(bill_date: date, **header: str) -> tuple[str, str]:
        bill = await api.billed("PO-1", {1: "1"}, bill_date=bill_date.isoformat(), **header)
        return bill["posting_date"], invoice(company, bill)["posting_date"]

    def is_on(day: date) -> tuple[str, str]:
        return day.isoformat(), f"{day:%m/%d/%Y}"

    assert await posts_on(lately) == is_on(lately)
    assert (await set_accounting(api, posting_day="entry")).status_code == 200
    assert await posts_on(lately) == is_on(today())
    assert (await set_accounting(api, posting_day="open_period")).status_code == 200
    assert await posts_on(long_ago) == is_on(closed + timedelta(days=1))
    assert await posts_on(lately) == is_on(lately)
    assert await posts_on(lately, posting_date=today().isoformat()) == is_on(today())
    listed = await api.get(f"/v1/connections/{api.connection_id}/settings")
    settings = {one["name"]: one for one in listed["items"]}
    assert (settings["posting_day"]["value"], settings["posting_day"]["default"]) == ("open_period", "bill_date")
