"""Bills that are deleted in QuickBooks: their orders are read again, whether it shows them as changed or not."""

from typing import Any

import pytest

from tests.harness.quickbooks_company import connect
from tests.harness.stack_client import StackClient
from tests.harness.variants import first_of


@pytest.mark.parametrize("stamp", first_of("still", "moves"))
async def test_an_order_is_read_again_after_a_bill_and_after_its_deletion(api: StackClient, stamp: str) -> None:
    """Reference 3.8: the order's own time of change is no promise."""
    company = api.company
    company.switch(linked_order_stamp=stamp)
    company.order("PO-1")
    await connect(api)

    async def billed_is(quantity: str) -> Any:
        order = await api.order("PO-1")
        return order if order["lines"][0]["billed"] == quantity else None

    bill = await api.billed("PO-1", {1: "4"})
    assert (await api.until(lambda: billed_is("4"), "the order shows its bill"))["status"] == "partially_filled"
    await api.sync()
    company.does("delete", kind="bill", number=bill["number"])
    await api.sync()
    assert (await api.until(lambda: billed_is("0"), "the order shows that it is gone"))["status"] == "unfilled"
    assert (await api.read_bill(bill["id"]))["status"] == "deleted"
