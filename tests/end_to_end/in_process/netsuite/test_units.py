"""Bills in another unit than their order's, in front of NetSuite, which bills an order line in its own unit only."""

from decimal import Decimal

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient


async def test_pieces_of_boxes_are_billed_as_parts_of_the_box(api: StackClient, company: SandboxCompany) -> None:
    """A2: 4 Each at 1.00 of boxes of 12 are 4.00, and a third of a box; the other pieces fill the order."""
    company.load(
        units=[
            {"unit_group": "Boxes", "unit": "Each", "factor": "1"},
            {"unit_group": "Boxes", "unit": "Box12", "factor": "12"},
        ],
        items=[{"item_id": "ITEM-1", "unit": "Box12", "unit_group": "Boxes"}],
    )
    company.order("PO-1", "1", unit="Box12", price="12.00")
    company.does("receive", number="PO-1")
    await api.start()
    in_pieces = {"quantity": "4", "unit": "Each", "price": "1.00"}
    for number in ("A-1", "A-2", "A-3"):
        order = await api.order("PO-1")
        body = {
            "number": number,
            "bill_date": order["ordered_on"],
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "lines": [{"order_line_no": 1, **in_pieces}],
        }
        answer = await api.post(f"/v1/purchase-orders/{order['id']}/bills", body, role="clerk")
        assert answer.status_code == 201, answer.text
        bill = await api.arrived(answer.json()["bill"]["id"])
        assert (bill["total"], bill["lines"][0]["amount"]) == ("4.00", "4.00")
    held = company.held("bills")
    assert [Decimal(line["amount"]) for bill in held for line in bill["lines"]] == [4, 4, 4]
    billed = sum(Decimal(line["quantity"]) for bill in held for line in bill["lines"])
    assert Decimal("0.99999999") <= billed <= 1, "never more than the box"
    order = await api.order("PO-1")
    assert Decimal(order["lines"][0]["remaining"]) == 0, "and all of it is billed here"
    assert await api.issues() == []


async def test_a_part_of_a_box_and_the_rest_of_ten_boxes(api: StackClient, company: SandboxCompany) -> None:
    """A2: ten boxes of 12 at 12.00; 4 Each at 1.00 come to 4.00, and the 116 that are left fill the order."""
    company.load(
        units=[
            {"unit_group": "Boxes", "unit": "Each", "factor": "1"},
            {"unit_group": "Boxes", "unit": "Box12", "factor": "12"},
        ],
        items=[{"item_id": "ITEM-1", "unit": "Box12", "unit_group": "Boxes"}],
    )
    company.order("PO-1", "10", unit="Box12", price="12.00")
    company.does("receive", number="PO-1")
    await api.start()
    for pieces, total in (("4", "4.00"), ("116", "116.00")):
        line = {"order_line_no": 1, "quantity": pieces, "unit": "Each", "price": "1.00"}
        assert (await api.billed("PO-1", {}, lines=[line]))["total"] == total
    await api.order_is("PO-1", "filled")
    over = await api.enter("PO-1", {}, lines=[{"order_line_no": 1, "quantity": "1", "unit": "Each", "price": "1.00"}])
    assert over.status_code == 422, over.text
    held = company.held("bills")
    assert sum(Decimal(line["amount"]) for bill in held for line in bill["lines"]) == 120
    assert Decimal("9.99999999") <= sum(Decimal(one["lines"][0]["quantity"]) for one in held) <= 10
    assert await api.issues() == []
