"""What every connector does with a bill that is taken back: gone once, its order open again (S5-07, S5-10)."""

from contextlib import suppress
from decimal import Decimal

import pytest

from erp.connector import ErpConnector, offered
from erp.errors import Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected
from erp.roles.bills import Retractions
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    ErpHarness,
    a_bill_for,
    a_payment_of,
    push,
    the_order,
    to_take_back,
)

pytestmark = pytest.mark.trait("retraction")


def role(connector: ErpConnector) -> Retractions:
    return offered(connector.retractions, "way to take bills back")


def billed(harness: ErpHarness) -> list[Decimal]:
    (order,) = [one for one in harness.orders() if one.number == OPEN_ORDER]
    return [line.billed for line in order.lines]


async def test_a_bill_that_is_taken_back_is_gone_and_its_order_is_open_again(
    harness: ErpHarness, connector: ErpConnector
) -> None:
    before = billed(harness)
    bill = a_bill_for(await the_order(connector), "back-1", lines=2)
    pushed = await push(connector, bill)
    asked = to_take_back(bill, pushed)
    assert await role(connector).shows(asked)
    with pytest.raises(OutcomeUnknown):
        await role(connector).read_back(asked)
    await role(connector).take_back(asked)
    assert not await role(connector).shows(asked)
    assert harness.bills_with("back-1") == []
    assert pushed.payable_id not in [payable.erp_id for payable in harness.payables()]
    readback = await role(connector).read_back(asked)
    assert readback.snapshot is not None
    assert [line.billed for line in readback.snapshot.purchase_order.lines] == before == billed(harness)
    assert pushed.document_id not in [billing.document_number for billing in readback.snapshot.billings]


async def test_a_repeat_finds_that_it_is_gone(harness: ErpHarness, connector: ErpConnector) -> None:
    """DESIGN 5: the second run changes nothing, and says so in an error that is looked up."""
    order = await the_order(connector)
    bill, other = a_bill_for(order, "back-2"), a_bill_for(order, "other-2")
    asked = to_take_back(bill, await push(connector, bill))
    await push(connector, other)
    await role(connector).take_back(asked)
    with suppress(Duplicate, NotFound, Rejected):
        await role(connector).take_back(asked)
    assert not await role(connector).shows(asked)
    assert len(harness.bills_with("other-2")) == 1


@pytest.mark.parametrize("kind", ["lost_answer", "gateway_timeout", "truncated"])
async def test_a_lost_answer_is_repeated_without_harm(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    """F1: gone there, unknown here."""
    bill = a_bill_for(await the_order(connector), "back-3")
    asked = to_take_back(bill, await push(connector, bill))
    harness.fault(kind, "delete_bill")
    with pytest.raises(OutcomeUnknown):
        await role(connector).take_back(asked)
    assert harness.bills_with("back-3") == []
    with suppress(Duplicate, NotFound, Rejected):
        await role(connector).take_back(asked)
    assert not await role(connector).shows(asked)
    await role(connector).read_back(asked)


async def test_a_lost_request_is_sent_again(harness: ErpHarness, connector: ErpConnector) -> None:
    """F2: it never arrived."""
    bill = a_bill_for(await the_order(connector), "back-4")
    asked = to_take_back(bill, await push(connector, bill))
    harness.fault("lost_request", "delete_bill")
    with pytest.raises(ErpError):
        await role(connector).take_back(asked)
    assert await role(connector).shows(asked)
    await role(connector).take_back(asked)
    assert harness.bills_with("back-4") == []


async def test_a_bill_that_something_is_paid_on_stays(harness: ErpHarness, connector: ErpConnector) -> None:
    """S5-07: nothing is taken back that a payment names."""
    bill = a_bill_for(await the_order(connector), "back-5")
    pushed = await push(connector, bill)
    await connector.payments.create(a_payment_of(bill, pushed, "pay-5"))
    with pytest.raises(Rejected) as refused:
        await role(connector).take_back(to_take_back(bill, pushed))
    assert refused.value.code in ("ALREADY_PAID", "DELETION_REFUSED")
    assert len(harness.bills_with("back-5")) == 1


async def test_a_bill_of_a_closed_period_stays(harness: ErpHarness, connector: ErpConnector) -> None:
    bill = a_bill_for(await the_order(connector), "back-6")
    pushed = await push(connector, bill)
    harness.person("close_period", through=bill.posting_date.isoformat())
    with pytest.raises(Rejected) as refused:
        await role(connector).take_back(to_take_back(bill, pushed))
    assert refused.value.code == "PERIOD_CLOSED"
    assert len(harness.bills_with("back-6")) == 1


async def test_the_next_generation_is_another_bill(harness: ErpHarness, connector: ErpConnector) -> None:
    """S5-08, S5-11: what was taken back is not adopted, even where the ERP still shows it."""
    bill = a_bill_for(await the_order(connector), "back-7")
    pushed = await push(connector, bill)
    again = bill.model_copy(update={"external_key": "back-7-2", "earlier": (pushed.document_id,)})
    assert await connector.bills.find(again) is None, "the first one has its number and its source"
    await role(connector).take_back(to_take_back(bill, pushed))
    anew = await push(connector, again)
    assert anew.erp_id != pushed.erp_id
    assert len(harness.bills_with("back-7-2")) == 1
