"""A sample of `docs/reference/changes-in-the-erp.md` on the whole stack: what people do in QuickBooks meanwhile."""

from decimal import Decimal

import pytest

from tests.end_to_end.in_process.quickbooks_meanwhile import STORIES, Story
from tests.harness.quickbooks_company import connect
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_what_people_do_there_meanwhile(api: StackClient, company: SandboxCompany, story: Story) -> None:
    """Issue 12, B3, B13: each with its end on both sides."""
    await story(api, company, connect)


async def test_a_copy_of_our_bill_made_there(api: StackClient, company: SandboxCompany) -> None:
    """QuickBooks' own copy of a bill keeps its private note, our key in it: two bills, each with its own money."""
    company.order("PO-1", "10")
    await connect(api)
    bill = await api.billed("PO-1", {1: "4"})
    note = company.one("bills", number=bill["number"])["memo"]
    assert "[posync " in note
    company.does("add_bill", vendor_id="V-1", number="COPY", amount="70.00")
    company.does("edit_bill", number="COPY", memo=note)
    await api.sync()
    listed = {one["number"]: (one["origin"], Decimal(one["total"])) for one in await api.items("/v1/bills")}
    assert listed == {bill["number"]: ("posync", Decimal(50)), "COPY": ("erp", Decimal(70))}


async def test_our_bill_is_moved_to_another_vendor_there(api: StackClient, company: SandboxCompany) -> None:
    """B2's brother: ours kept its first vendor, and QuickBooks refuses the payment of one vendor for another's bill.
    QuickBooks takes the order's link off, and it is as it was once the bill is moved back."""
    company.load(vendors=[{"vendor_id": "V-2", "name": "Vendor Two"}])
    company.order("PO-1", "10")
    await connect(api)
    bill = await api.billed("PO-1", {1: "4"})
    first = (bill["vendor_id"], bill["vendor_name"])
    vendors = {one["name"]: one["key"] for one in await api.items(f"/v1/connections/{api.connection_id}/lists/vendor")}
    company.does("edit_bill", number=bill["number"], vendor_id="V-2")
    await api.sync()
    moved = await api.read_bill(bill["id"])
    assert (moved["vendor_id"], moved["vendor_name"]) == (vendors["Vendor Two"], "Vendor Two") != first
    assert {issue["code"] for issue in await api.issues()} >= {"ORDER_LINK_LOST"}
    # The number is V-2's now.
    again = await api.enter("PO-1", {1: "1"}, number=bill["number"])
    assert again.status_code == 201, again.text


async def test_a_rebate_is_billed_as_drafted(api: StackClient, company: SandboxCompany) -> None:
    """A3: 10 x 100.00 and 1 x -25.00 come to 975.00, and the order is filled."""
    company.order("PO-1", "10", "1", lines={1: {"price": "100.00"}, 2: {"price": "-25.00"}})
    await connect(api)
    order = await api.order("PO-1")
    draft = await api.get(f"/v1/purchase-orders/{order['id']}/bill-draft")
    answer = await api.post(f"/v1/purchase-orders/{order['id']}/bills", {**draft, "number": "INV-1"}, role="clerk")
    assert answer.status_code == 201, answer.text
    bill = await api.arrived(answer.json()["bill"]["id"])
    (held,) = company.held("bills")
    assert (bill["total"], Decimal(held["total"])) == ("975.00", 975)
    await api.order_is("PO-1", "filled")
