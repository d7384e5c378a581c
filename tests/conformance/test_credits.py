"""Credits that go out, by every connector that takes them: once, whatever fails; applied without money, and undone."""

from contextlib import suppress
from decimal import Decimal

import pytest

from erp.connector import ErpConnector
from erp.errors import Duplicate, OutcomeUnknown
from erp.roles.credits import Credits
from models.domain.bills import BillKind
from models.domain.credits import ApplicationToPush
from models.domain.ids import ErpId, ExternalKey
from tests.conformance.credit import a_credit, as_shown
from tests.conformance.direct_bill import a_direct_bill
from tests.conformance.erp_harness import ErpHarness

pytestmark = pytest.mark.trait("credits")


@pytest.fixture
def credits(connector: ErpConnector) -> Credits:
    assert connector.credits is not None
    return connector.credits


async def test_it_is_there_whole(harness: ErpHarness, connector: ErpConnector, credits: Credits) -> None:
    """S5-72..77: amounts, texts, day; it comes back below zero, open, with our key."""
    credit = await a_credit(harness, connector, "PSB-0000000000000001")
    pushed = await credits.read_back(credit, await credits.create(credit))
    assert (pushed.total, pushed.differences) == (-credit.total, ())
    shown = await as_shown(connector, credit)
    assert (shown.kind, shown.total, shown.paid, shown.due) == (BillKind.CREDIT, -credit.total, 0, -credit.total)
    assert (shown.erp_id, (shown.external_key or "").casefold()) == (pushed.payable_id, credit.external_key.casefold())


async def test_a_repeat_makes_no_second_one(harness: ErpHarness, connector: ErpConnector, credits: Credits) -> None:
    credit = await a_credit(harness, connector, "PSB-0000000000000002")
    document = await credits.create(credit)
    try:
        assert await credits.create(credit) == document
    except Duplicate:
        assert await credits.find(credit) == document
    await as_shown(connector, credit)


@pytest.mark.parametrize("kind", ["lost_answer", "gateway_timeout", "truncated"])
async def test_a_lost_answer_is_looked_up(
    harness: ErpHarness, connector: ErpConnector, credits: Credits, kind: str
) -> None:
    """Committed there, unknown here: found by our key."""
    credit = await a_credit(harness, connector, "PSB-0000000000000003")
    assert await credits.find(credit) is None
    harness.fault(kind, "credit_bill")
    with pytest.raises(OutcomeUnknown):
        await credits.create(credit)
    assert await credits.find(credit) is not None
    await as_shown(connector, credit)


@pytest.mark.trait("direct_bills")
async def test_it_is_applied_without_money_and_set_free(
    harness: ErpHarness, connector: ErpConnector, credits: Credits
) -> None:
    """S5-70, S5-71: once though asked twice; the bill is paid by it; undone, both are open again."""
    credit = await a_credit(harness, connector, "PSB-0000000000000004")
    pushed = await credits.read_back(credit, await credits.create(credit))
    assert connector.direct_bills is not None
    bill = await a_direct_bill(harness, connector, "PSB-0000000000000005")
    await connector.direct_bills.create(bill)
    (owed,) = [one for one in harness.payables() if one.number == bill.number]
    application = ApplicationToPush(
        external_key=ExternalKey("PSC-0000000000000001"),
        credit_erp_id=ErpId(pushed.payable_id or ""),
        bill_erp_id=ErpId(owed.erp_id),
        vendor_id=credit.vendor_id,
        currency="USD",
        entity=harness.entity,
        dated=credit.credit_date,
        amount=Decimal("30.00"),
        on_bill=Decimal("30.00"),
    )
    assert await credits.find_application(application) is None
    applied = await credits.apply(application)
    with suppress(Duplicate):
        await credits.apply(application)
    assert await credits.find_application(application) == applied
    shown = await as_shown(connector, credit)
    assert (shown.paid, shown.due) == (Decimal("-30.00"), Decimal("-10.50"))
    assert [(share.bill_erp_id, share.amount) for share in shown.applied] == [(owed.erp_id, Decimal("30.00"))]
    (paid,) = [one for one in harness.payables() if one.number == bill.number]
    assert (paid.paid, paid.due) == (Decimal("30.00"), Decimal("100.50"))
    undo = application.model_copy(update={"payment": applied.payment})
    await credits.unapply(undo)
    with pytest.raises(Duplicate):
        await credits.unapply(undo)
    assert await credits.find_application(application) is None
    shown = await as_shown(connector, credit)
    assert (shown.paid, shown.applied) == (0, ())
