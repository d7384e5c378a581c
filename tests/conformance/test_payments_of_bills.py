"""One payment over several bills and a credit, and its void, by every connector that makes them: once each."""

from contextlib import suppress
from decimal import Decimal
from typing import NamedTuple

import pytest

from erp.connector import ErpConnector
from erp.errors import Duplicate, NotFound, OutcomeUnknown, Rejected
from models.domain.credits import CreditToPush
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.payments import PaymentCredit, PaymentPart, PaymentToPush, PaymentToVoid
from tests.conformance.credit import a_credit, as_shown
from tests.conformance.direct_bill import a_direct_bill
from tests.conformance.erp_harness import ErpHarness

pytestmark = [pytest.mark.trait("credits"), pytest.mark.trait("direct_bills")]


class Paid(NamedTuple):
    """A payment to push over two bills and a credit of one vendor, with the credit."""

    payment: PaymentToPush
    credit: CreditToPush


async def two_bills_and_a_credit(harness: ErpHarness, connector: ErpConnector, number: int) -> Paid:
    """Return a payment of all of one bill of 130.50, and of 30.00 with 20.50 of a credit of another."""
    assert connector.direct_bills is not None
    assert connector.credits is not None
    credit = await a_credit(harness, connector, f"PSB-000000000000{number}1")
    pushed = await connector.credits.read_back(credit, await connector.credits.create(credit))
    parts: list[PaymentPart] = []
    for place, amount in ((2, "130.50"), (3, "30.00")):
        bill = await a_direct_bill(harness, connector, f"PSB-000000000000{number}{place}")
        document = await connector.direct_bills.create(bill)
        read = await connector.direct_bills.read_back(bill, document)
        parts.append(
            PaymentPart(document_id=document, erp_id=read.erp_id, payable_hint=read.payable_id, amount=Decimal(amount))
        )
    of_credit = PaymentCredit(
        credit_erp_id=ErpId(pushed.payable_id or ""),
        document_id=parts[1].document_id,
        payable_id=ErpId(parts[1].payable_hint or ""),
        amount=Decimal("20.50"),
    )
    payment = PaymentToPush(
        external_key=ExternalKey(f"PSP-000000000000{number}0"),
        vendor_id=credit.vendor_id,
        bill_document=DocumentId(parts[0].document_id),
        bill_erp_id=parts[0].erp_id,
        payable_hint=parts[0].payable_hint,
        amount=Decimal("160.50"),
        currency="USD",
        paid_on=credit.credit_date,
        method="eft",
        bank_account="BOA",
        owner_entity=harness.entity,
        parts=tuple(parts),
        credits=(of_credit,),
    )
    return Paid(payment, credit)


async def test_it_is_one_payment_with_its_credit(harness: ErpHarness, connector: ErpConnector) -> None:
    """S5-40, S5-70: sent twice it is there once; every bill is paid by its share, one of them with the credit."""
    payment, credit = await two_bills_and_a_credit(harness, connector, 1)
    created = await connector.payments.create(payment)
    with suppress(Duplicate, Rejected):  # by its key, or because the first bill is paid
        assert await connector.payments.create(payment) == created
    assert await connector.payments.find(payment) == created
    read = await connector.payments.read_back(payment, created)
    assert (read.amount, read.settled) == (Decimal("160.50"), True)
    assert [(part.paid, part.due) for part in read.parts] == [(Decimal("130.50"), 0), (Decimal("50.50"), 80)]
    assert len(harness.payments_with(payment.external_key)) == 1
    shown = await as_shown(connector, credit)
    assert (shown.paid, shown.due) == (Decimal("-20.50"), Decimal("-20.00"))


@pytest.mark.parametrize("kind", ["lost_answer", "truncated"])
async def test_its_lost_answer_is_looked_up(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    """Committed there, unknown here: found by our key, and its credit is used once."""
    payment, credit = await two_bills_and_a_credit(harness, connector, 2)
    harness.fault(kind, "create_payment")
    with pytest.raises(OutcomeUnknown):
        await connector.payments.create(payment)
    assert await connector.payments.find(payment) is not None
    assert (await as_shown(connector, credit)).paid == Decimal("-20.50")


async def test_its_void_restores_bills_and_credit_once(harness: ErpHarness, connector: ErpConnector) -> None:
    """S4-26, S5-70: asked for twice, everything is due and open as before, and the credit is applied to nothing."""
    assert connector.payment_voids is not None
    payment, credit = await two_bills_and_a_credit(harness, connector, 3)
    created = await connector.payments.create(payment)
    # An ERP may choose to which of the payment's bills it applies the credit; the mirror knows it by then.
    chosen = tuple(
        payment.credits[0].model_copy(update={"payable_id": share.bill_erp_id, "amount": share.amount})
        for share in (await as_shown(connector, credit)).applied
    )
    void = PaymentToVoid(
        external_key=ExternalKey("PSV-0000000000000030"),
        payment_erp_id=created,
        dated=payment.paid_on,
        why="paid twice",
        owner_entity=harness.entity,
        parts=payment.parts,
        credits=chosen,
    )
    assert await connector.payment_voids.shows(void)
    await connector.payment_voids.void(void)
    await connector.payment_voids.free_credits(void)
    with suppress(Duplicate, NotFound, Rejected):
        await connector.payment_voids.void(void)
    await connector.payment_voids.free_credits(void)
    assert not await connector.payment_voids.shows(void)
    restored = await connector.payment_voids.read_back(void)
    assert [(part.paid, part.due) for part in restored] == [(0, Decimal("130.50"))] * 2
    shown = await as_shown(connector, credit)
    assert (shown.paid, shown.due, shown.applied) == (0, Decimal("-40.50"), ())
