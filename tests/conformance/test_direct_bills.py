"""Bills without an order, by every connector that takes them: once, whatever fails, and read back."""

from datetime import timedelta
from decimal import Decimal

import pytest

from erp.connector import ErpConnector
from erp.errors import Duplicate, OutcomeUnknown
from erp.roles.bills import DirectBills
from tests.conformance.direct_bill import a_direct_bill
from tests.conformance.erp_harness import ErpHarness

pytestmark = pytest.mark.trait("direct_bills")


@pytest.fixture
def direct(connector: ErpConnector) -> DirectBills:
    assert connector.direct_bills is not None
    return connector.direct_bills


async def test_it_is_there_whole(harness: ErpHarness, connector: ErpConnector, direct: DirectBills) -> None:
    """S1-28, S5-60, S5-66..68: accounts, amounts, texts, due date; payable at once; found among the vendor's bills."""
    bill = await a_direct_bill(harness, connector, "PSB-0000000000000001")
    document = await direct.create(bill)
    pushed = await direct.read_back(bill, document)
    assert (pushed.linked, pushed.differences, pushed.total) == (True, (), bill.total)
    assert (pushed.due_date, pushed.payable_id is not None) == (bill.due_date, True)
    (held,) = [payable for payable in harness.payables() if payable.number == bill.number]
    assert (held.erp_id, held.amounts) == (pushed.payable_id, (Decimal("100.00"), Decimal("30.50")))
    (numbered,) = await connector.bills.numbered(bill.vendor_id, bill.number)
    assert (numbered.external_key or "").casefold() == bill.external_key.casefold()
    assert (numbered.order_document, numbered.memo) == (None, bill.memo)


async def test_a_repeat_makes_no_second_one(harness: ErpHarness, connector: ErpConnector, direct: DirectBills) -> None:
    bill = await a_direct_bill(harness, connector, "PSB-0000000000000002")
    document = await direct.create(bill)
    try:
        assert await direct.create(bill) == document
    except Duplicate:
        assert await direct.find(bill) == document
    assert len([payable for payable in harness.payables() if payable.number == bill.number]) == 1


@pytest.mark.parametrize("kind", ["lost_answer", "gateway_timeout", "truncated"])
async def test_a_lost_answer_is_looked_up(
    harness: ErpHarness, connector: ErpConnector, direct: DirectBills, kind: str
) -> None:
    """Committed there, unknown here: found by our key, in one call."""
    bill = await a_direct_bill(harness, connector, "PSB-0000000000000003")
    assert await direct.find(bill) is None
    harness.fault(kind, "create_direct_bill")
    with pytest.raises(OutcomeUnknown):
        await direct.create(bill)
    assert await direct.find(bill) is not None
    assert len([payable for payable in harness.payables() if payable.number == bill.number]) == 1


async def test_an_edit_changes_what_it_names(harness: ErpHarness, connector: ErpConnector, direct: DirectBills) -> None:
    """S5-60, S5-67: memo, due date and a line's text; the rest stays."""
    bill = await a_direct_bill(harness, connector, "PSB-0000000000000004")
    document = await direct.create(bill)
    line = bill.lines[1].model_copy(update={"description": "Heating", "edited": frozenset({"description"})})
    edit = bill.model_copy(
        update={
            "memo": "corrected",
            "due_date": bill.bill_date + timedelta(days=45),
            "edited": frozenset({"memo", "due_date"}),
            "lines": (bill.lines[0], line),
        }
    )
    await direct.update(edit, document, edition=2)
    pushed = await direct.read_back(edit, document)
    assert (pushed.differences, pushed.due_date, pushed.total) == ((), edit.due_date, bill.total)
    with pytest.raises(Duplicate):
        await direct.update(edit, document, edition=2)
    assert await direct.find(edit) == document
