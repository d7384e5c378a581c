"""Money beyond a bill's lines: it arrives whole or the bill does not (matching rules, H01 to H03)."""

from decimal import Decimal

import pytest

from erp.connector import ErpConnector
from erp.errors import Rejected
from models.domain.bills import ChargeKind
from tests.conformance.charges import charged, with_charges
from tests.conformance.erp_harness import (
    ErpHarness,
    a_bill_for,
    push,
    the_order,
)


@pytest.mark.trait("charges")
async def test_a_total_with_charges_is_read_back(harness: ErpHarness) -> None:
    """Freight, tax and discount count in the totals of the bill and of the payable, not in what is billed of a line."""
    connector = with_charges(harness)
    assert set(connector.capabilities.charges) == {ChargeKind.FREIGHT, ChargeKind.TAX, ChargeKind.DISCOUNT}
    order = await the_order(connector)
    bill = charged(a_bill_for(order, "charged-1"))
    pushed = await push(connector, bill)
    assert (pushed.linked, pushed.differences, pushed.total) == (True, (), bill.total)
    assert pushed.snapshot is not None
    assert pushed.snapshot.purchase_order.lines[0].billed == Decimal(1)
    (payable,) = [
        held
        for held in (await connector.bills.page(since=None, after=None)).records
        if held.erp_id == pushed.payable_id
    ]
    assert (payable.total, payable.due) == (bill.total, bill.total)


@pytest.mark.trait("charges")
async def test_charges_that_were_lost_show_as_a_difference(harness: ErpHarness) -> None:
    """A bill accepted for less than it says is never taken for whole."""
    connector = with_charges(harness)
    bill = a_bill_for(await the_order(connector), "lost-charge-1")
    document = await connector.bills.create(bill)
    (difference,) = (await connector.bills.read_back(charged(bill), document)).differences
    assert "the total" in difference


async def test_money_without_a_place_is_refused(harness: ErpHarness, connector: ErpConnector) -> None:
    """Before anything is sent: the ERP's total would lack it."""
    assert connector.capabilities.charges == ()
    bill = charged(a_bill_for(await the_order(connector), "refused-1"))
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "CHARGES_NOT_TAKEN"
    assert harness.bills_with("refused-1") == []


@pytest.mark.trait("charges")
@pytest.mark.trait("subtotals")
async def test_an_erp_that_has_no_such_subtotal_says_so(harness: ErpHarness) -> None:
    """The person's word was wrong: a refusal with its own code, nothing written."""
    connector = with_charges(harness)
    harness.switch(subtotals="")
    bill = charged(a_bill_for(await the_order(connector), "refused-2"))
    with pytest.raises(Rejected) as refused:
        await connector.bills.create(bill)
    assert refused.value.code == "CHARGES_NOT_TAKEN"
    assert harness.bills_with("refused-2") == []
