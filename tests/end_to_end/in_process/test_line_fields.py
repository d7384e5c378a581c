"""The company's own dimensions and fields of lines, from an order in Intacct to its bill there."""

from typing import Any

from tests.harness.account_lines import furnish
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, refused

FIELDS = {
    "dimension.Better": "BetterPromotion",
    "custom.Amortization class": "amort_class",
    "custom.Amortization start": "AMORT_START",
}
OF_THE_ORDER = {
    "gldimbetterpromotion": "10021",
    "custom.amort_class": "12 months",
    "custom.amort_start": "11/01/2026",
}


async def begun(api: StackClient, company: SandboxCompany) -> Any:
    """The order with its own fields, synced by a connection that has names for them."""
    company.order("PO-1", lines={1: OF_THE_ORDER})
    await api.connect()
    assert (await api.prefer(**FIELDS))["complete"]
    await api.sync()
    return await api.order("PO-1")


async def entered(api: StackClient, order: Any, custom: dict[str, str], number: str = "INV-1") -> Any:
    lines = [{"order_line_no": 1, "quantity": "4", "custom": custom}]
    body = {"number": number, "bill_date": today().isoformat(), "lines": lines}
    return await api.post(f"/v1/purchase-orders/{order['id']}/bills", body)


async def test_own_dimensions_and_fields_go_all_the_way(api: StackClient, company: SandboxCompany) -> None:
    """S5-101, S5-29..31: read with the order and shown, changed on the bill, sent, and edited there afterwards."""
    order = await begun(api, company)
    custom = {"Better": "10021", "Amortization class": "12 months", "Amortization start": "2026-11-01"}
    assert [line["custom"] for line in order["lines"]] == [custom, {}]
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert draft["lines"][0]["custom"] == custom
    answer = await entered(api, order, {"Better": "10022", "Amortization class": ""})
    assert answer.status_code == 201, answer.text
    bill = await api.arrived(answer.json()["bill"]["id"])
    assert bill["lines"][0]["custom"] == {"Better": "10022", "Amortization start": "2026-11-01"}
    invoice = company.one("vendor_invoices", reference="PO-1")
    sent = {"GLDIMBETTERPROMOTION": "10022", "AMORT_START": "11/01/2026"}
    assert invoice["lines"][0]["custom_fields"] == sent
    change = {"lines": [{"line_no": 1, "custom": {"Better": "10023", "Amortization class": "24 months"}}]}
    edited = await api.patch(f"/v1/bills/{bill['id']}", change)
    assert edited.status_code == 200, edited.text

    async def settled() -> Any:
        return not (await api.read_bill(bill["id"]))["edit_pending"]

    await api.until(settled, "the edit in the ERP")
    (line,) = company.one("vendor_invoices", reference="PO-1")["lines"]
    assert line["custom_fields"] == {"GLDIMBETTERPROMOTION": "10023", "AMORT_CLASS": "24 months"}
    assert await api.issues() == []


async def test_own_fields_that_intacct_did_not_take_are_reported(api: StackClient, company: SandboxCompany) -> None:
    """S5-101: they are read back and compared with what was sent."""
    order = await begun(api, company)
    company.switch(custom_fields_written="leave_out")
    answer = await entered(api, order, {})
    assert answer.status_code == 201, answer.text

    async def reported() -> list[Any]:
        return list(await api.issues())

    (issue,) = await api.until(reported, "the difference")
    assert "line 1, Better: sent 10021, Intacct has nothing" in str(issue), issue


async def test_names_that_nobody_knows_are_refused(api: StackClient, company: SandboxCompany) -> None:
    """S5-32, S5-101: of a value on a bill, of a dimension that Intacct does not have, of a field that is mapped."""
    order = await begun(api, company)
    problem = refused(await entered(api, order, {"Colour": "red"}), 422, "VALIDATION_FAILED")
    assert "no dimension or field 'Colour'. It has Better, Amortization class" in problem["detail"]
    wrong = await api.prefer(**{**FIELDS, "dimension.Worse": "WorsePromotion", "custom.Team": "DEPARTMENTID"})
    said = {one["preference"]: one["message"] for one in wrong["problems"]}
    assert "called WORSEPROMOTION" in said["dimension.Worse"]
    assert "DEPARTMENTID is a field that posync maps already" in said["custom.Team"]


async def test_a_bill_without_an_order_has_them_too(api: StackClient, company: SandboxCompany) -> None:
    """S1-28, S5-29..31, S5-101: sent with a line on an account, compared, and edited there."""
    furnish(company)
    await begun(api, company)
    custom = {"Better": "10021", "Amortization start": "2026-12-01"}
    line = {"account": "6600", "amount": "1200.00", "custom": custom}
    bill_id = await api.direct_bill([line], number="RENT-1")
    bill = await api.arrived(bill_id)
    assert bill["lines"][0]["custom"] == custom
    (held,) = company.one("bills", number="RENT-1")["lines"]
    assert held["custom_fields"] == {"GLDIMBETTERPROMOTION": "10021", "AMORT_START": "12/01/2026"}
    change = {"lines": [{"line_no": 1, "custom": {"Better": "10022"}}]}
    edited = await api.patch(f"/v1/bills/{bill_id}", change)
    assert edited.status_code == 200, edited.text

    async def settled() -> Any:
        return not (await api.read_bill(bill_id))["edit_pending"]

    await api.until(settled, "the edit in the ERP")
    (held,) = company.one("bills", number="RENT-1")["lines"]
    assert held["custom_fields"] == {"GLDIMBETTERPROMOTION": "10022"}
    assert await api.issues() == []


async def test_values_are_a_list_and_others_are_refused(api: StackClient, company: SandboxCompany) -> None:
    """S2-06, S2-25, S5-101: the values of the company's own dimensions come in and go, and a value that is none of them
    is refused by line. An order that came before its dimension was named has its value afterwards."""
    company.order("PO-1", lines={1: OF_THE_ORDER})
    values = [
        {"dimension": "BetterPromotion", "value_id": value_id, "name": name}
        for value_id, name in (("10021", "Spring"), ("10022", "Autumn"))
    ]
    company.load(dimension_values=values)
    await api.start()
    assert (await api.order("PO-1"))["lines"][0]["custom"] == {}
    assert (await api.prefer(**FIELDS))["complete"]
    await api.sync()
    path = f"/v1/connections/{api.connection_id}/lists/custom_dimension"
    shown = (await api.get(path))["items"]
    assert [(one["attributes"]["dimension"], one["key"], one["name"]) for one in shown] == [
        ("Better", "10021", "Spring"),
        ("Better", "10022", "Autumn"),
    ]
    order = await api.order("PO-1")
    assert order["lines"][0]["custom"]["Better"] == "10021"
    problem = refused(await entered(api, order, {"Better": "10029"}), 422, "VALIDATION_FAILED")
    assert "Better has no value '10029' in the ERP" in problem["detail"]
    company.load(dimension_values=[values[1] | {"status": "inactive"}], vendors=[{"vendor_id": "V-9", "name": "New"}])
    await api.sync()
    assert [one["name"] for one in (await api.get(path))["items"]] == ["Spring"]
    refused(await entered(api, order, {"Better": "10022"}), 422, "VALIDATION_FAILED")


async def test_the_warehouse_goes_all_the_way(api: StackClient, company: SandboxCompany) -> None:
    """S5-91: the order's, shown and in the draft; another one on the bill, sent, compared, and edited there."""
    company.order("PO-1", lines={1: {"warehouse": "WH-1"}, 2: {"warehouse": "WH-2"}})
    await api.start()
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert [line["warehouse"] for line in draft["lines"]] == ["WH-1", "WH-2"]
    lines = [{"order_line_no": 1, "quantity": "4"}, {"order_line_no": 2, "quantity": "1", "warehouse": "WH-1"}]
    body = {"number": "INV-1", "bill_date": today().isoformat(), "lines": lines}
    answer = await api.post(f"/v1/purchase-orders/{order['id']}/bills", body)
    assert answer.status_code == 201, answer.text
    bill = await api.arrived(answer.json()["bill"]["id"])
    assert [line["warehouse"] for line in bill["lines"]] == ["WH-1", "WH-1"]
    assert [one["warehouse"] for one in company.one("vendor_invoices", reference="PO-1")["lines"]] == ["WH-1", "WH-1"]
    edited = await api.patch(f"/v1/bills/{bill['id']}", {"lines": [{"line_no": 1, "warehouse": "WH-2"}]})
    assert edited.status_code == 200, edited.text

    async def settled() -> Any:
        return not (await api.read_bill(bill["id"]))["edit_pending"]

    await api.until(settled, "the edit in the ERP")
    assert [one["warehouse"] for one in company.one("vendor_invoices", reference="PO-1")["lines"]] == ["WH-2", "WH-1"]
    assert await api.issues() == []
