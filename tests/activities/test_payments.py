"""Payments: never more than is due, sent once, and the bill's figures are the ERP's own."""

import asyncio
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected, Unavailable
from models.domain import BillId, BillStatus, PaymentStatus
from models.messages import AbandonWrite
from models.store import requests
from tests.activities.in_memory_erp import WorkerDied
from tests.activities.office import Office, failure
from tests.store.made import an_order


@pytest.fixture
async def bill_id(office: Office) -> BillId:
    """A bill of 100.00 that the ERP holds."""
    order = await office.holds(an_order(lines={1: 10}, price="10.00"))
    bill_id = await office.billed(order, {1: 10}, key="the-bill")
    await office.push(bill_id)
    office.erp.calls.clear()
    office.bell.bills.clear()
    return bill_id


async def refusal(office: Office, key: str) -> str:
    async with office.tenant.database.transaction() as s:
        request = await requests.get(s, office.tenant.organization_id, key)
    assert request is not None
    assert request.status == 422
    assert request.answer is not None
    return str(request.answer["code"])


async def test_a_payment_is_scheduled_pushed_and_closes_the_bill(office: Office, bill_id: BillId) -> None:
    """S5-33..42: scheduled under the bill's lock, sent with our key, read back; the bill is paid by the ERP's word."""
    payment_id = await office.paid(bill_id, "100.00", key="p1")
    assert (await office.tenant.bill_row(bill_id)).status == "scheduled"
    result = await office.push_payment(payment_id)
    assert (result.status, result.bill.status) == (PaymentStatus.PAID, BillStatus.PAID)
    assert (Decimal(result.bill.paid), Decimal(result.bill.due)) == (100, 0)
    (made,) = office.erp.payments_made.values()
    assert (made.payment.amount, made.payment.bank_account) == (Decimal("100.00"), "BANK-1")
    assert await office.mirror.bill_after_payment(payment_id) == result.bill
    assert result.bill.payment_id == payment_id
    assert (await office.payment_write(payment_id)).state == "confirmed"


async def test_run_twice_a_payment_is_made_once(office: Office, bill_id: BillId) -> None:
    """DESIGN 5: schedule and push, each run again, leave one payment, one document, one event of each kind."""
    first = await office.pay(bill_id, "60.00", key="p1")
    assert await office.pay(bill_id, "60.00", key="p1") == first
    assert first.payment_id is not None
    once = await office.push_payment(first.payment_id)
    assert await office.push_payment(first.payment_id) == once
    assert office.erp.calls["create_payment"] == 1
    kinds = [event.kind for event in await office.tenant.events_of(first.payment_id)]
    assert kinds == ["scheduled", "status", "pushed"]


async def test_more_than_is_due_is_refused(office: Office, bill_id: BillId) -> None:
    """S5-40: what is paid and what is promised both count; the refusal says what is still open."""
    await office.paid(bill_id, "70.00", key="p1")
    over = await office.pay(bill_id, "30.01", key="p2")
    assert (over.outcome, over.payment_id) == ("refused", None)
    assert await refusal(office, "p2") == "OVERPAYMENT"
    assert (await office.pay(bill_id, "30.01", key="p2")).outcome == "refused", "the same request, the same answer"
    assert (await office.pay(bill_id, "30.00", key="p3")).outcome == "scheduled"
    assert (await office.pay(bill_id, "0.01", key="p4")).outcome == "refused"


@pytest.mark.parametrize(
    ("amount", "values", "code"),
    [
        ("0", {}, "INVALID_AMOUNT"),
        ("-5", {}, "INVALID_AMOUNT"),
        ("5", {"bank_account": None}, "BANK_ACCOUNT_MISSING"),
    ],
)
async def test_what_cannot_be_paid_is_refused_with_its_reason(
    office: Office, bill_id: BillId, amount: str, values: dict[str, str | None], code: str
) -> None:
    """S5-42: every refusal says why."""
    assert (await office.pay(bill_id, amount, key="p1", **values)).outcome == "refused"
    assert await refusal(office, "p1") == code
    assert (await office.tenant.bill_row(bill_id)).status == "synced"


async def test_twenty_at_once_never_promise_more_than_is_due(office: Office, bill_id: BillId) -> None:
    """S5-40 under load: the bill's lock makes check and promise one."""
    answers = await asyncio.gather(*(office.pay(bill_id, "30.00", key=f"p{n}") for n in range(20)))
    assert [answer.outcome for answer in answers].count("scheduled") == 3


async def test_partial_then_full(office: Office, bill_id: BillId) -> None:
    """S5-33: paid in parts the bill is partially paid until nothing is due."""
    part = await office.push_payment(await office.paid(bill_id, "40.00", key="p1"))
    assert (part.bill.status, Decimal(part.bill.due)) == (BillStatus.PARTIALLY_PAID, 60)
    assert (await office.tenant.bill_row(bill_id)).paid == 40
    whole = await office.push_payment(await office.paid(bill_id, "60.00", key="p2"))
    assert (whole.bill.status, Decimal(whole.bill.due)) == (BillStatus.PAID, 0)
    assert (await office.pay(bill_id, "1.00", key="p3")).outcome == "refused"
    assert await refusal(office, "p3") == "BILL_NOT_PAYABLE"


async def test_a_lost_answer_makes_no_second_payment(office: Office, bill_id: BillId) -> None:
    """F1: money moves once, whatever is lost."""
    payment_id = await office.paid(bill_id, "100.00", key="p1")
    office.erp.lose_answers, office.erp.finds_lag = 1, 2
    for _ in range(3):
        with pytest.raises(ApplicationError) as doubt:
            await office.push_payment(payment_id)
        assert doubt.value.type == "OutcomeUnknown"
    assert (await office.push_payment(payment_id)).status is PaymentStatus.PAID
    assert office.erp.calls["create_payment"] == 1


async def test_a_worker_killed_after_the_erp_paid_makes_no_second_payment(office: Office, bill_id: BillId) -> None:
    """F10: the process dies between the ERP's commit and ours."""
    payment_id = await office.paid(bill_id, "100.00", key="p1")
    office.erp.die_after_writing = 1
    with pytest.raises(WorkerDied):
        await office.push_payment(payment_id)
    assert (await office.push_payment(payment_id)).status is PaymentStatus.PAID
    assert office.erp.calls["create_payment"] == 1


async def test_a_lost_request_is_sent_again_after_the_lag(office: Office, bill_id: BillId) -> None:
    """F2: no gap either."""
    payment_id = await office.paid(bill_id, "100.00", key="p1")
    office.erp.lose_requests = 1
    for _ in range(2):
        with pytest.raises(ApplicationError):
            await office.push_payment(payment_id)
    await office.time_passes()
    assert (await office.push_payment(payment_id)).status is PaymentStatus.PAID
    assert len(office.erp.payments_made) == 1


async def test_a_payment_the_erp_keeps_waiting_is_looked_at_again(office: Office, bill_id: BillId) -> None:
    """S5-33: held for an approval in the ERP it is submitted, not paid, and is read again until it is posted."""
    payment_id = await office.paid(bill_id, "100.00", key="p1")
    office.erp.settled = False
    for _ in range(2):
        with pytest.raises(ApplicationError) as waiting:
            await office.push_payment(payment_id)
        assert (waiting.value.type, failure(waiting).code) == ("NotYet", "PAYMENT_NOT_POSTED")
    (row,) = await office.tenant.payment_rows()
    assert (row.status, row.erp_id) == ("submitted", "500")
    assert (await office.tenant.bill_row(bill_id)).paid == 0
    assert office.bell.bills == []
    office.erp.settled = True
    assert (await office.push_payment(payment_id)).bill.status is BillStatus.PAID
    assert office.erp.calls["create_payment"] == 1


async def test_a_refused_payment_can_be_given_up_and_frees_what_it_promised(office: Office, bill_id: BillId) -> None:
    """DESIGN 5: refused for good it was never sent; given up, the bill is due again, and a new payment goes."""
    payment_id = await office.paid(bill_id, "100.00", key="p1")
    office.erp.refuse_writes = [Rejected("the account is inactive", code="BANK_ACCOUNT_INACTIVE")]
    with pytest.raises(ApplicationError) as refused:
        await office.push_payment(payment_id)
    assert refused.value.non_retryable
    give_up = AbandonWrite(subject_kind="payment", subject_id=payment_id, actor="ada", why="wrong account")
    for _ in range(2):
        abandoned = await office.mirror.abandon_write(give_up)
        assert abandoned.done
        assert abandoned.bill is not None
        assert (abandoned.bill.status, Decimal(abandoned.bill.due)) == (BillStatus.SYNCED, 100)
    assert (await office.push_payment(await office.paid(bill_id, "100.00", key="p2"))).bill.status is BillStatus.PAID


async def test_a_payment_that_may_be_in_the_erp_is_not_given_up(office: Office, bill_id: BillId) -> None:
    """DESIGN 5: in doubt, giving up is refused; the look-up decides."""
    payment_id = await office.paid(bill_id, "100.00", key="p1")
    office.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await office.push_payment(payment_id)
    give_up = AbandonWrite(subject_kind="payment", subject_id=payment_id, actor="ada", why="changed my mind")
    assert not (await office.mirror.abandon_write(give_up)).done
    assert (await office.push_payment(payment_id)).status is PaymentStatus.PAID


async def test_a_refused_read_back_is_no_refused_payment(office: Office, bill_id: BillId) -> None:
    """DESIGN 5: the ERP took the payment and will not show it; it is not given up, and made once."""
    payment_id = await office.paid(bill_id, "100.00", key="p1")
    office.erp.refuse_read_backs = [Rejected("no permission to read payments", code="NO_PERMISSION")]
    with pytest.raises(ApplicationError):
        await office.push_payment(payment_id)
    give_up = AbandonWrite(subject_kind="payment", subject_id=payment_id, actor="ada", why="not sure")
    assert not (await office.mirror.abandon_write(give_up)).done
    assert (await office.push_payment(payment_id)).status is PaymentStatus.PAID
    assert office.erp.calls["create_payment"] == 1


async def test_an_outage_before_sending_leaves_no_doubt(office: Office, bill_id: BillId) -> None:
    """F14: what did not leave is sent at once when the ERP is back."""
    payment_id = await office.paid(bill_id, "100.00", key="p1")
    office.erp.refuse_writes = [Unavailable("maintenance", code="ERP_UNAVAILABLE")]
    with pytest.raises(ApplicationError):
        await office.push_payment(payment_id)
    assert (await office.push_payment(payment_id)).status is PaymentStatus.PAID
    assert office.erp.calls["find_payment"] == 0
