"""Where a document is converted from one source: the parts of a bill are documents of their own, paid and taken back as
one bill (W3)."""

from decimal import Decimal

import pytest

from erp.connector import ErpConnector, offered
from erp.errors import Duplicate, OutcomeUnknown
from models.domain.bill_parts import PartOrder, number_behind, part_key, part_of, sources_of
from models.domain.bills import BillLineSource, BillToPush, PushedBill
from models.domain.payments import PaymentPart
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    ErpHarness,
    a_bill_for,
    a_payment_of,
    push,
    the_order,
    to_take_back,
)

pytestmark = pytest.mark.trait("one_source")


async def in_parts(harness: ErpHarness, connector: ErpConnector, key: str) -> list[BillToPush]:
    """A bill of one received and one not received of the first line, as its two parts."""
    order = await the_order(connector)
    harness.person("receive", number=OPEN_ORDER, receipt_number=f"R-{key}", lines=[{"line": 1, "quantity": "1"}])
    receipts = await offered(connector.receipts, "receipts").page(since=None, after=None)
    receipt = next(one for one in receipts.records if one.number == f"R-{key}")
    bill = a_bill_for(order, key)
    (line,) = bill.lines
    source = BillLineSource(document_id=receipt.document_id, line=receipt.lines[0].erp_id)
    lines = (line.model_copy(update={"source": source}), line.model_copy(update={"line_no": 2}))
    whole = bill.model_copy(update={"lines": lines, "total": 2 * bill.total})
    where = PartOrder(document_id=order.document_id, number=order.number, owner_entity=order.owner_entity)
    parts = [
        part_of(whole, document, key=part_key(whole.external_key, part_no), number=whole.number, order=where)
        for part_no, document in enumerate(sources_of(whole.lines), start=1)
    ]
    assert sum(part.total for part in parts) == whole.total
    return parts


async def pushed(harness: ErpHarness, connector: ErpConnector, key: str) -> list[tuple[BillToPush, PushedBill]]:
    return [(part, await push(connector, part)) for part in await in_parts(harness, connector, key)]


async def test_each_part_is_a_document_under_the_supplier_s_number(
    harness: ErpHarness, connector: ErpConnector
) -> None:
    parts = await pushed(harness, connector, "parts-1")
    for part, shown in parts:
        assert (shown.linked, shown.differences) == (True, ())
        (written,) = harness.bills_with(part.external_key)
        assert written.number == "INV-parts-1"
        assert await connector.bills.find(part) == shown.document_id
    assert len({shown.document_id for _, shown in parts}) == 2
    page = (await connector.bills.page(since=None, after=None)).records
    shown_keys = {bill.external_key for bill in page if bill.number == "INV-parts-1"}
    assert shown_keys == {part.external_key for part, _ in parts}


@pytest.mark.parametrize("place", [0, 1], ids=["first part", "second part"])
async def test_a_part_whose_answer_is_lost_is_there_once(
    harness: ErpHarness, connector: ErpConnector, place: int
) -> None:
    parts = await in_parts(harness, connector, f"lost-{place}")
    for at, part in enumerate(parts):
        if at != place:
            await push(connector, part)
            continue
        harness.fault("lost_answer", "create_bill")
        with pytest.raises(OutcomeUnknown):
            await connector.bills.create(part)
        document = await connector.bills.find(part)
        assert document is not None
        assert (await connector.bills.read_back(part, document)).differences == ()
    for part in parts:
        assert len(harness.bills_with(part.external_key)) == 1


async def test_where_a_number_is_taken_once_the_next_part_goes_behind_it(
    harness: ErpHarness, connector: ErpConnector
) -> None:
    """A switch of the company's set-up: the refusal is a Duplicate, and nothing was made."""
    harness.take_numbers_once()
    first, second = await in_parts(harness, connector, "once-1")
    await push(connector, first)
    with pytest.raises(Duplicate) as refused:
        await connector.bills.create(second)
    assert refused.value.code == "ALREADY_EXISTS"
    assert await connector.bills.find(second) is None
    behind = second.model_copy(update={"number": number_behind(second.number, 2)})
    shown = await push(connector, behind)
    assert (shown.linked, shown.differences) == (True, ())
    assert [one.number for one in harness.bills_with(second.external_key)] == ["INV-once-1-2"]


async def test_one_payment_names_every_part(harness: ErpHarness, connector: ErpConnector) -> None:
    parts = await pushed(harness, connector, "paid-parts")
    (bill, first), _ = parts
    shares = [Decimal("0.30"), Decimal("0.20")]
    payment = a_payment_of(bill, first, "p-parts", sum(shares)).model_copy(
        update={
            "parts": tuple(
                PaymentPart(
                    document_id=shown.document_id, erp_id=shown.erp_id, payable_hint=shown.payable_id, amount=share
                )
                for (_, shown), share in zip(parts, shares, strict=True)
            )
        }
    )
    read = await connector.payments.read_back(payment, await connector.payments.create(payment))
    assert [(one.document_id, one.payable_id, one.paid) for one in read.parts] == [
        (shown.document_id, shown.payable_id, share) for (_, shown), share in zip(parts, shares, strict=True)
    ]
    assert [one.due for one in read.parts] == [
        part.total - share for (part, _), share in zip(parts, shares, strict=True)
    ]
    (created,) = harness.payments_with("p-parts")
    assert dict(created.shares) == {shown.payable_id: share for (_, shown), share in zip(parts, shares, strict=True)}
    with pytest.raises(Duplicate):
        await connector.payments.create(payment)


async def test_the_parts_are_taken_back_the_last_first(harness: ErpHarness, connector: ErpConnector) -> None:
    parts = await pushed(harness, connector, "back-parts")
    role = offered(connector.retractions, "way to take bills back")
    for part, shown in reversed(parts):
        asked = to_take_back(part, shown)
        await role.take_back(asked)
        assert not await role.shows(asked)
    assert [harness.bills_with(part.external_key) for part, _ in parts] == [[], []]
