"""What connectors do in each of their ways to take a bill back, of an order or without one (S5-07, S5-10)."""

from contextlib import suppress
from decimal import Decimal

import pytest

from erp.connector import ErpConnector, offered
from erp.errors import Duplicate, NotFound, OutcomeUnknown, Rejected
from erp.roles.bills import Retractions
from models.domain.bills import BillToPush, DirectBillToPush, PushedBill
from models.domain.retractions import BillToRetract, RetractBy
from tests.conformance.direct_bill import a_direct_bill
from tests.conformance.erp_harness import ErpHarness, a_bill_for, a_payment_of, push, the_order, to_take_back

pytestmark = pytest.mark.trait("retraction")


def role(connector: ErpConnector) -> Retractions:
    return offered(connector.retractions, "way to take bills back")


async def a_pushed_bill(
    harness: ErpHarness, connector: ErpConnector, kind: str, way: RetractBy, key: str
) -> tuple[BillToPush | DirectBillToPush, PushedBill, BillToRetract]:
    """A bill that the ERP holds, and how it is to be taken back."""
    if way is RetractBy.REVERSE:
        harness.switch(unpaid_bill_reversal=True)
    bill: BillToPush | DirectBillToPush
    if kind == "order":
        bill = a_bill_for(await the_order(connector), key, lines=2)
        pushed = await push(connector, bill)
    else:
        assert connector.direct_bills is not None
        bill = await a_direct_bill(harness, connector, key)
        pushed = await connector.direct_bills.read_back(bill, await connector.direct_bills.create(bill))
    return bill, pushed, to_take_back(bill, pushed, way)


def owed(harness: ErpHarness, bill: BillToPush | DirectBillToPush) -> Decimal:
    """What the ERP owes on the bill and on all that goes with it."""
    return sum((payable.due for payable in harness.payables() if bill.number in payable.number), Decimal(0))


@pytest.mark.ways
async def test_it_owes_nothing_and_is_not_taken_for_its_next_generation(
    harness: ErpHarness, connector: ErpConnector, kind: str, way: RetractBy
) -> None:
    """S5-08, S5-11: neither what is gone nor what stays there as reversed or credited is adopted by the next one."""
    bill, _, asked = await a_pushed_bill(harness, connector, kind, way, "PSB-00000000000000A1")
    assert await role(connector).shows(asked)
    with pytest.raises(OutcomeUnknown):
        await role(connector).read_back(asked)
    await role(connector).take_back(asked)
    assert not await role(connector).shows(asked)
    assert owed(harness, bill) == 0
    await role(connector).read_back(asked)
    again = bill.model_copy(update={"external_key": f"{bill.external_key}-2"})
    if isinstance(again, DirectBillToPush):
        assert connector.direct_bills is not None
        assert await connector.direct_bills.find(again) is None
        return
    earlier = again.model_copy(update={"earlier": (asked.document_id,)})
    assert await connector.bills.find(earlier) is None


@pytest.mark.parametrize("fault", ["lost_answer", "lost_request"])
@pytest.mark.ways
async def test_whatever_is_lost_it_is_taken_back_once(
    harness: ErpHarness, connector: ErpConnector, kind: str, way: RetractBy, fault: str
) -> None:
    """F1, F2: killed between the ERP's commit and its answer, the next attempt finds it done, or does it."""
    bill, _, asked = await a_pushed_bill(harness, connector, kind, way, "PSB-00000000000000A2")
    harness.fault(fault, f"{way}_bill" if way is not RetractBy.REVERSE else "reverse_bill")
    with pytest.raises(OutcomeUnknown):
        await role(connector).take_back(asked)
    for _ in range(2):  # and once more, which does nothing
        with suppress(Duplicate, NotFound, Rejected):
            await role(connector).take_back(asked)
    assert not await role(connector).shows(asked)
    await role(connector).read_back(asked)
    assert owed(harness, bill) == 0
    entries = harness.entries_of(asked)
    assert len(entries) == (1 if way.makes_entry else 0), entries
    assert all(entry == (asked.dated, -bill.total) for entry in entries)


@pytest.mark.ways
async def test_a_bill_without_an_order_that_is_paid_stays(
    harness: ErpHarness, connector: ErpConnector, way: RetractBy
) -> None:
    bill, pushed, asked = await a_pushed_bill(harness, connector, "direct", way, "PSB-00000000000000A3")
    like = a_bill_for(await the_order(connector), "PSB-00000000000000A4")
    payment = a_payment_of(like, pushed, "pay-a3", bill.total)
    await connector.payments.create(payment)
    with pytest.raises(Rejected):
        await role(connector).take_back(asked)
    assert await role(connector).shows(asked)
    assert harness.entries_of(asked) == []


@pytest.mark.ways(RetractBy.REVERSE)
@pytest.mark.parametrize(
    ("on", "tried"), [(True, RetractBy.DELETE), (False, RetractBy.REVERSE)], ids=["delete", "reverse"]
)
async def test_delete_and_reverse_exclude_each_other(
    harness: ErpHarness, connector: ErpConnector, on: bool, tried: RetractBy
) -> None:
    """S2-36: whether unpaid bills are reversed is a setting there; the other way is refused by name."""
    _, _, asked = await a_pushed_bill(harness, connector, "direct", tried, "PSB-00000000000000A5")
    harness.switch(unpaid_bill_reversal=on)
    with pytest.raises(Rejected) as refused:
        await role(connector).take_back(asked)
    assert refused.value.code == ("DELETION_REFUSED" if tried is RetractBy.DELETE else "REVERSAL_REFUSED")
    assert await role(connector).shows(asked)


@pytest.mark.ways(RetractBy.REVERSE)
@pytest.mark.parametrize("same_day", ["accept", "refuse"])
async def test_a_reversal_on_the_posting_date_is_taken_or_refused(
    harness: ErpHarness, connector: ErpConnector, same_day: str
) -> None:
    """Not documented: both are coped with."""
    bill, _, asked = await a_pushed_bill(harness, connector, "direct", RetractBy.REVERSE, "PSB-00000000000000A6")
    harness.switch(reversal_on_posting_date=same_day)
    asked = asked.model_copy(update={"dated": bill.posting_date})
    if same_day == "accept":
        await role(connector).take_back(asked)
    else:
        with pytest.raises(Rejected) as refused:
            await role(connector).take_back(asked)
        assert refused.value.code == "REVERSAL_REFUSED"
    assert await role(connector).shows(asked) == (same_day == "refuse")
