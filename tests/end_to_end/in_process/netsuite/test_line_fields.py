"""An account's own segments, columns and amortization, from an order in NetSuite to its bill there."""

import json
from typing import Any

from tests.harness.account_lines import furnish_netsuite
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, refused

FIELDS = {
    "dimension.Region": "cseg_region",
    "custom.Contract": "custcol_contract",
    "custom.Shipped": "custcol_shipped:date",
    "custom.Amortization": "amortizationSched",
    "custom.Amortization start": "amortizStartDate",
}
VALUES = [
    {"dimension": "cseg_region", "value_id": "7", "name": "North"},
    {"dimension": "cseg_region", "value_id": "8", "name": "South"},
    {"dimension": "amortizationSched", "value_id": "3", "name": "12 months"},
]
OF_THE_ORDER = {"custom.cseg_region": "7", "custom.custcol_contract": "C-12", "custom.custcol_shipped": "2026-11-02"}


async def begun(api: StackClient, company: SandboxCompany) -> Any:
    """The order with its own fields, synced by a connection that has names for them."""
    company.load(dimension_values=VALUES)
    company.order("PO-1", lines={1: OF_THE_ORDER})
    company.does("receive", number="PO-1")
    await api.connect()
    assert (await api.prefer(**FIELDS))["complete"]
    await api.sync()
    return await api.order("PO-1")


async def entered(api: StackClient, order: Any, custom: dict[str, str], number: str = "INV-1") -> Any:
    lines = [{"order_line_no": 1, "quantity": "4", "custom": custom}]
    body = {"number": number, "bill_date": today().isoformat(), "lines": lines}
    return await api.post(f"/v1/purchase-orders/{order['id']}/bills", body)


async def edited(api: StackClient, bill_id: str, custom: dict[str, str]) -> None:
    answer = await api.patch(f"/v1/bills/{bill_id}", {"lines": [{"line_no": 1, "custom": custom}]})
    assert answer.status_code == 200, answer.text

    async def settled() -> Any:
        return not (await api.read_bill(bill_id))["edit_pending"]

    await api.until(settled, "the edit in the ERP")


async def test_segments_columns_and_amortization_go_all_the_way(api: StackClient, company: SandboxCompany) -> None:
    """S5-29..31, S5-101: read with the order and shown, amortization entered on the bill, sent, and edited there."""
    order = await begun(api, company)
    custom = {"Region": "7", "Contract": "C-12", "Shipped": "2026-11-02"}
    assert [line["custom"] for line in order["lines"]] == [custom, {}]
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    assert draft["lines"][0]["custom"] == custom
    wanted = {"Region": "8", "Amortization": "3", "Amortization start": "2026-12-01"}
    answer = await entered(api, order, wanted)
    assert answer.status_code == 201, answer.text
    bill = await api.arrived(answer.json()["bill"]["id"])
    assert bill["lines"][0]["custom"] == custom | wanted
    (line,) = company.one("bills", number="INV-1")["lines"]
    assert line["custom_fields"] == {
        "cseg_region": "8",
        "custcol_contract": "C-12",
        "custcol_shipped": "2026-11-02",
        "amortizationSched": "3",
        "amortizStartDate": "2026-12-01",
    }
    await edited(api, bill["id"], custom | {"Amortization": "3", "Amortization start": "2027-01-01"})
    (line,) = company.one("bills", number="INV-1")["lines"]
    assert (line["custom_fields"]["cseg_region"], line["custom_fields"]["amortizStartDate"]) == ("7", "2027-01-01")
    assert await api.issues() == []


async def test_a_bill_without_an_order_has_them_too(api: StackClient, company: SandboxCompany) -> None:
    """S1-28, S5-101: a direct bill's lines are of a region and are amortized; its edit reaches NetSuite."""
    furnish_netsuite(company)
    await begun(api, company)
    custom = {"Region": "7", "Amortization": "3", "Amortization start": "2026-12-01"}
    line = {"account": "6600", "amount": "1200.00", "custom": custom}
    bill_id = await api.direct_bill([line], vendor_id="Vendor One", number="RENT-1")
    bill = await api.arrived(bill_id)
    assert bill["lines"][0]["custom"] == custom
    (held,) = company.one("bills", number="RENT-1")["lines"]
    sent = {"cseg_region": "7", "amortizationSched": "3", "amortizStartDate": "2026-12-01"}
    assert held["custom_fields"] == sent
    await edited(api, bill_id, custom | {"Region": "8"})
    (held,) = company.one("bills", number="RENT-1")["lines"]
    assert held["custom_fields"] == sent | {"cseg_region": "8"}
    assert await api.issues() == []


async def test_what_netsuite_did_not_take_is_reported(api: StackClient, company: SandboxCompany) -> None:
    """S5-101: they are read back and compared with what was sent."""
    order = await begun(api, company)
    company.switch(custom_fields_written="leave_out")
    answer = await entered(api, order, {})
    assert answer.status_code == 201, answer.text

    async def reported() -> list[Any]:
        return list(await api.issues())

    (issue,) = await api.until(reported, "the difference")
    assert "line 1, Region: sent 7, NetSuite has nothing" in str(issue), issue


async def test_values_are_a_list_and_others_are_refused(api: StackClient, company: SandboxCompany) -> None:
    """S2-06, S5-101: the values of segments and of the schedule come in and go; what is none of them is refused by
    line, as is a field that NetSuite does not have."""
    order = await begun(api, company)
    path = f"/v1/connections/{api.connection_id}/lists/custom_dimension"
    shown = (await api.get(path))["items"]
    assert {(one["attributes"]["dimension"], one["key"], one["name"]) for one in shown} == {
        ("Region", "7", "North"),
        ("Region", "8", "South"),
        ("Amortization", "3", "12 months"),
    }
    problem = refused(await entered(api, order, {"Region": "9"}), 422, "VALIDATION_FAILED")
    assert "Region has no value '9' in the ERP" in problem["detail"]
    company.load(dimension_values=[VALUES[1] | {"status": "inactive"}], vendors=[{"vendor_id": "V-9", "name": "New"}])
    for _ in range(2):  # a run looks for changed vendors or items, in turn
        await api.sync()
    shown = (await api.get(path))["items"]
    assert sorted(one["name"] for one in shown) == ["12 months", "North"]
    refused(await entered(api, order, {"Region": "8"}), 422, "VALIDATION_FAILED")
    wrong = await api.prefer(**{**FIELDS, "dimension.Worse": "cseg_worse", "custom.Team": "department"})
    said = {one["preference"]: one["message"] for one in wrong["problems"]}
    assert "no values of cseg_worse" in said["dimension.Worse"]
    assert "'department' is no custom segment" in said["custom.Team"]


async def imported(api: StackClient, *rows: str) -> list[dict[str, Any]]:
    """What becomes of the bills of a file."""
    header = "invoice_number,vendor_id,invoice_date,po_number,po_line_no,quantity,price,account,amount,custom.Region"
    headers = {"Authorization": f"Bearer {api.keys['clerk']}", "Content-Type": "text/csv"}
    path = f"/v1/imports/bills?connection={api.connection_id}"
    answer = await api.http.post(path, content="\n".join([header, *rows, ""]), headers=headers)
    assert answer.status_code == 200, answer.text
    return [one for line in answer.text.splitlines() if (one := json.loads(line))["kind"] == "bill"]


async def test_a_file_gives_them_by_column(api: StackClient, company: SandboxCompany) -> None:
    """S5-101, S5-159: `custom.<Name>` columns of an import, of a line on an order and of one on an account."""
    furnish_netsuite(company)
    await begun(api, company)
    day = today().isoformat()
    rows = [f"INV-1,Vendor One,{day},PO-1,1,2,12.50,,,8", f"RENT-1,Vendor One,{day},,,,,6600,50.00,7"]
    done = await imported(api, *rows)
    assert [one["outcome"] for one in done] == ["accepted"] * 2, done
    for one, region in zip(done, ("8", "7"), strict=True):
        bill = await api.arrived(one["bill_id"])
        (line,) = company.one("bills", number=bill["number"])["lines"]
        assert line["custom_fields"]["cseg_region"] == region
    (wrong,) = await imported(api, f"INV-2,Vendor One,{day},PO-1,1,2,12.50,,,99")
    assert (wrong["outcome"], wrong["code"]) == ("refused", "VALIDATION_FAILED")
    assert "Region has no value '99'" in wrong["detail"]
