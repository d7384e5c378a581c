"""Payments: never more than is due, sent once, and the bill's figures are the ERP's own."""

import asyncio
from datetime import date
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected, Unavailable
from models.domain.bills import BillStatus
from models.domain.ids import BillId, DocumentId
from models.domain.payments import PartPaid, PaymentStatus
from models.messages.writes import AbandonWrite
from models.store.audit import requests
from models.store.payables import payment_voids, standalone_payments
from tests.builders.records import (
    an_order,
)
from tests.fakes.fake_erp import (
    WorkerDied,
)
from tests.harness.activity_harness import (
    ActivityHarness,
    failure,
)


@pytest.fixture
async def bill_id(harness: ActivityHarness) -> BillId:
    """A bill of 100.00 that the ERP holds."""
    order = await harness.holds(an_order(lines={1: 10}, price="10.00"))
    bill_id = await harness.billed(order, {1: 10}, key="the-bill")
    await harness.push(bill_id)
    harness.erp.calls.clear()
    harness.notifier.bills.clear()
    return bill_id


async def refusal(harness: ActivityHarness, key: str) -> str:
    async with harness.tenant.database.transaction() as s:
        request = await requests.get(s, harness.tenant.organization_id, key)
    assert request is not None
    assert request.status == 422
    assert request.answer is not None
    return str(request.answer["code"])


async def test_a_payment_is_scheduled_pushed_and_closes_the_bill(harness: ActivityHarness, bill_id: BillId) -> None:
    """S5-33..42: scheduled under the bill's lock, sent with our key, read back; the bill is paid by the ERP's word."""
    payment_id = await harness.paid(bill_id, "100.00", key="p1")
    assert (await harness.tenant.bill_row(bill_id)).status == "scheduled"
    result = await harness.push_payment(payment_id)
    assert (result.status, result.bill.status) == (PaymentStatus.PAID, BillStatus.PAID)
    assert (Decimal(result.bill.paid), Decimal(result.bill.due)) == (100, 0)
    (created,) = harness.erp.created_payments.values()
    assert (created.payment.amount, created.payment.bank_account) == (Decimal("100.00"), "BANK-1")
    assert harness.notifier.bills == [(bill_id, result.bill)], "reported to the bill's workflow"
    assert result.bill.payment_id == payment_id
    assert (await harness.payment_write(payment_id)).state == "confirmed"


async def test_run_twice_a_payment_is_made_once(harness: ActivityHarness, bill_id: BillId) -> None:
    """DESIGN 5: schedule and push, each run again, leave one payment, one document, one event of each kind."""
    first = await harness.pay(bill_id, "60.00", key="p1")
    again = await harness.pay(bill_id, "60.00", key="p1")
    assert (again.payment_id, again.message) == (first.payment_id, None), "the message was left the first time"
    assert first.payment_id is not None
    once = await harness.push_payment(first.payment_id)
    assert await harness.push_payment(first.payment_id) == once
    assert harness.erp.calls["create_payment"] == 1
    kinds = [event.kind for event in await harness.tenant.events_of(first.payment_id)]
    assert kinds == ["scheduled", "status", "pushed"]


async def test_a_void_that_was_asked_for_survives_a_repeated_push(harness: ActivityHarness, bill_id: BillId) -> None:
    """DESIGN 5: the answer of the push was lost, a person voids what the mirror shows as paid, the push runs again."""
    payment_id = await harness.paid(bill_id, "60.00", key="p1")
    once = await harness.push_payment(payment_id)
    async with harness.tenant.database.transaction() as session:
        await standalone_payments.lock_shared(session, payment_id)
        assert await payment_voids.ask(session, payment_id, day=date(2026, 12, 1), actor="ana", why="twice")
    assert await harness.push_payment(payment_id) == once
    async with harness.tenant.database.transaction() as session:
        status, _ = await payment_voids.load(session, payment_id)
    assert status is PaymentStatus.VOIDING


async def test_more_than_is_due_is_refused(harness: ActivityHarness, bill_id: BillId) -> None:
    """S5-40: what is paid and what is promised both count; the refusal says what is still open."""
    await harness.paid(bill_id, "70.00", key="p1")
    over = await harness.pay(bill_id, "30.01", key="p2")
    assert (over.outcome, over.payment_id) == ("refused", None)
    assert await refusal(harness, "p2") == "OVERPAYMENT"
    assert (await harness.pay(bill_id, "30.01", key="p2")).outcome == "refused", "the same request, the same answer"
    assert (await harness.pay(bill_id, "30.00", key="p3")).outcome == "scheduled"
    assert (await harness.pay(bill_id, "0.01", key="p4")).outcome == "refused"


@pytest.mark.parametrize(
    ("amount", "values", "code"),
    [
        ("0", {}, "INVALID_AMOUNT"),
        ("-5", {}, "INVALID_AMOUNT"),
        ("5", {"bank_account": None}, "BANK_ACCOUNT_MISSING"),
    ],
)
async def test_what_cannot_be_paid_is_refused_with_its_reason(
    harness: ActivityHarness, bill_id: BillId, amount: str, values: dict[str, str | None], code: str
) -> None:
    """S5-42: every refusal says why."""
    assert (await harness.pay(bill_id, amount, key="p1", **values)).outcome == "refused"
    assert await refusal(harness, "p1") == code
    assert (await harness.tenant.bill_row(bill_id)).status == "synced"


async def test_twenty_at_once_never_promise_more_than_is_due(harness: ActivityHarness, bill_id: BillId) -> None:
    """S5-40 under load: the bill's lock makes check and promise one."""
    answers = await asyncio.gather(*(harness.pay(bill_id, "30.00", key=f"p{n}") for n in range(20)))
    assert [answer.outcome for answer in answers].count("scheduled") == 3


@pytest.mark.parametrize("again", ["pushed", "voided"])
async def test_a_retraction_that_was_asked_for_survives_a_repeated_payment_or_void(
    harness: ActivityHarness, bill_id: BillId, again: str
) -> None:
    """DESIGN 5: the answer was lost, a person takes the bill back meanwhile, and the activity runs again."""
    payment_id = await harness.paid(bill_id, "60.00", key="p1")
    await harness.push_payment(payment_id)
    await harness.tenant.execute("update bills set status = 'retracting' where id = :id", id=bill_id)
    if again == "pushed":
        await harness.push_payment(payment_id)
    else:
        bill = await harness.tenant.bill_row(bill_id)
        part = PartPaid(document_id=DocumentId(bill.document_id or ""), payable_id=bill.payable_id or "",
                        paid=Decimal(0), due=Decimal(100), revision="9")  # fmt: skip
        async with harness.tenant.database.transaction() as session:
            await payment_voids.voided(session, payment_id, [part])
    assert (await harness.tenant.bill_row(bill_id)).status == "retracting"


async def test_partial_then_full(harness: ActivityHarness, bill_id: BillId) -> None:
    """S5-33: paid in parts the bill is partially paid until nothing is due."""
    part = await harness.push_payment(await harness.paid(bill_id, "40.00", key="p1"))
    assert (part.bill.status, Decimal(part.bill.due)) == (BillStatus.PARTIALLY_PAID, 60)
    assert (await harness.tenant.bill_row(bill_id)).paid == 40
    whole = await harness.push_payment(await harness.paid(bill_id, "60.00", key="p2"))
    assert (whole.bill.status, Decimal(whole.bill.due)) == (BillStatus.PAID, 0)
    assert (await harness.pay(bill_id, "1.00", key="p3")).outcome == "refused"
    assert await refusal(harness, "p3") == "BILL_NOT_PAYABLE"


async def test_a_lost_answer_makes_no_second_payment(harness: ActivityHarness, bill_id: BillId) -> None:
    """F1: money moves once, whatever is lost."""
    payment_id = await harness.paid(bill_id, "100.00", key="p1")
    harness.erp.lose_answers, harness.erp.finds_lag = 1, 2
    for _ in range(3):
        with pytest.raises(ApplicationError) as doubt:
            await harness.push_payment(payment_id)
        assert doubt.value.type == "OutcomeUnknown"
    assert (await harness.push_payment(payment_id)).status is PaymentStatus.PAID
    assert harness.erp.calls["create_payment"] == 1


async def test_a_worker_killed_after_the_erp_paid_makes_no_second_payment(
    harness: ActivityHarness, bill_id: BillId
) -> None:
    """F10: the process dies between the ERP's commit and ours."""
    payment_id = await harness.paid(bill_id, "100.00", key="p1")
    harness.erp.die_after_writing = 1
    with pytest.raises(WorkerDied):
        await harness.push_payment(payment_id)
    assert (await harness.push_payment(payment_id)).status is PaymentStatus.PAID
    assert harness.erp.calls["create_payment"] == 1


async def test_a_lost_request_is_sent_again_after_the_lag(harness: ActivityHarness, bill_id: BillId) -> None:
    """F2: no gap either."""
    payment_id = await harness.paid(bill_id, "100.00", key="p1")
    harness.erp.lose_requests = 1
    for _ in range(2):
        with pytest.raises(ApplicationError):
            await harness.push_payment(payment_id)
    await harness.time_passes()
    assert (await harness.push_payment(payment_id)).status is PaymentStatus.PAID
    assert len(harness.erp.created_payments) == 1


async def test_a_payment_the_erp_keeps_waiting_is_looked_at_again(harness: ActivityHarness, bill_id: BillId) -> None:
    """S5-33: held for an approval in the ERP it is submitted, not paid, and is read again until it is posted."""
    payment_id = await harness.paid(bill_id, "100.00", key="p1")
    harness.erp.settled = False
    for _ in range(2):
        with pytest.raises(ApplicationError) as waiting:
            await harness.push_payment(payment_id)
        assert (waiting.value.type, failure(waiting).code) == ("NotYet", "PAYMENT_NOT_POSTED")
    (row,) = await harness.tenant.payment_rows()
    assert (row.status, row.erp_id) == ("submitted", "500")
    assert (await harness.tenant.bill_row(bill_id)).paid == 0
    assert harness.notifier.bills == []
    harness.erp.settled = True
    assert (await harness.push_payment(payment_id)).bill.status is BillStatus.PAID
    assert harness.erp.calls["create_payment"] == 1


async def test_a_refused_payment_can_be_abandoned_and_frees_what_it_promised(
    harness: ActivityHarness, bill_id: BillId
) -> None:
    """DESIGN 5: refused for good it was never sent; abandoned, the bill is due again, and a new payment goes."""
    payment_id = await harness.paid(bill_id, "100.00", key="p1")
    harness.erp.refuse_writes = [Rejected("the account is inactive", code="BANK_ACCOUNT_INACTIVE")]
    with pytest.raises(ApplicationError) as refused:
        await harness.push_payment(payment_id)
    assert refused.value.non_retryable
    abandon = AbandonWrite(subject_kind="payment", subject_id=payment_id, actor="ada", why="wrong account")
    for _ in range(2):
        abandoned = await harness.mirror.abandon_write(abandon)
        assert abandoned.done
        assert abandoned.bill is not None
        assert (abandoned.bill.status, Decimal(abandoned.bill.due)) == (BillStatus.SYNCED, 100)
    assert (await harness.push_payment(await harness.paid(bill_id, "100.00", key="p2"))).bill.status is BillStatus.PAID


async def test_a_payment_that_may_be_in_the_erp_is_not_abandoned(harness: ActivityHarness, bill_id: BillId) -> None:
    """DESIGN 5: in doubt, abandoning is refused; the look-up decides."""
    payment_id = await harness.paid(bill_id, "100.00", key="p1")
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push_payment(payment_id)
    abandon = AbandonWrite(subject_kind="payment", subject_id=payment_id, actor="ada", why="changed my mind")
    assert not (await harness.mirror.abandon_write(abandon)).done
    assert (await harness.push_payment(payment_id)).status is PaymentStatus.PAID


async def test_a_refused_read_back_is_no_refused_payment(harness: ActivityHarness, bill_id: BillId) -> None:
    """DESIGN 5: the ERP took the payment and will not show it; it is not abandoned, and made once."""
    payment_id = await harness.paid(bill_id, "100.00", key="p1")
    harness.erp.refuse_read_backs = [Rejected("no permission to read payments", code="NO_PERMISSION")]
    with pytest.raises(ApplicationError):
        await harness.push_payment(payment_id)
    abandon = AbandonWrite(subject_kind="payment", subject_id=payment_id, actor="ada", why="not sure")
    assert not (await harness.mirror.abandon_write(abandon)).done
    assert (await harness.push_payment(payment_id)).status is PaymentStatus.PAID
    assert harness.erp.calls["create_payment"] == 1


async def test_an_outage_before_sending_leaves_no_doubt(harness: ActivityHarness, bill_id: BillId) -> None:
    """F14: what did not leave is sent at once when the ERP is back."""
    payment_id = await harness.paid(bill_id, "100.00", key="p1")
    harness.erp.refuse_writes = [Unavailable("maintenance", code="ERP_UNAVAILABLE")]
    with pytest.raises(ApplicationError):
        await harness.push_payment(payment_id)
    assert (await harness.push_payment(payment_id)).status is PaymentStatus.PAID
    assert harness.erp.calls["find_payment"] == 0
