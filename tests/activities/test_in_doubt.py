"""A write in doubt stays in doubt until a look-up has succeeded: neither abandoned nor sent again (G3, G4)."""

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import (
    AuthenticationFailed,
    ErpError,
    MalformedAnswer,
    NotFound,
    Rejected,
    Stale,
    Throttled,
    Unavailable,
    UnknownRefusal,
)
from erp.verdicts import Verdict, after_look_up
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.domain.payments import PaymentStatus
from models.messages.writes import AbandonWrite
from tests.builders.records import an_order
from tests.harness.activity_harness import ActivityHarness, failure


def refusals_of_a_look_up() -> list[ErpError]:
    return [
        Rejected("Nobody knows this.", code="UNKNOWN_ERP_ERROR", erp_code="ZZ99"),
        NotFound("No such thing.", code="RECORD_NOT_FOUND"),
    ]


def failures_of_a_look_up() -> list[ErpError]:
    return [
        MalformedAnswer("The address answered HTTP 400.", code="MALFORMED_ANSWER"),
        Unavailable("down", code="ERP_OUTAGE"),
        Throttled("busy", code="ERP_THROTTLED"),
        AuthenticationFailed("no", code="PERMISSION_DENIED"),
        Stale("changed", code="RECORD_CHANGED"),
    ]


async def abandoned(harness: ActivityHarness, bill_id: BillId) -> bool:
    return (await harness.mirror.abandon_write(AbandonWrite(subject_kind="bill", subject_id=bill_id, actor="ada"))).done


@pytest.mark.parametrize("error", [*refusals_of_a_look_up(), *failures_of_a_look_up()], ids=lambda e: type(e).__name__)
async def test_a_look_up_that_does_not_succeed_decides_nothing(harness: ActivityHarness, error: ErpError) -> None:
    """G3: the answer was lost after the commit; only a look-up that succeeds ends the doubt."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await harness.time_passes()
    harness.erp.trouble = [error]
    with pytest.raises(ApplicationError) as raised:
        await harness.push(bill_id)
    assert raised.value.non_retryable is not error.retryable
    if not error.retryable:
        assert (failure(raised).family, failure(raised).code) == ("LookUpRefused", "LOOK_UP_REFUSED")
        assert error.message in failure(raised).message
    write = await harness.write(bill_id)
    assert write.state == "sent"
    assert write.sent_at is not None
    assert not await abandoned(harness, bill_id)
    assert await harness.tenant.billed_net(order) == 4, "still reserved"
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert harness.erp.calls["create_bill"] == 1
    assert len(harness.erp.invoices) == 1


@pytest.mark.parametrize("error", [*refusals_of_a_look_up(), *failures_of_a_look_up()], ids=lambda e: type(e).__name__)
async def test_the_look_up_after_a_duplicate_decides_nothing_either(harness: ActivityHarness, error: ErpError) -> None:
    """G3, brother: the ERP says that it has one, and refuses to say whether it is ours."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    harness.erp.lose_answers, harness.erp.finds_lag = 1, 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await harness.time_passes()
    find = harness.erp.find_bill
    looked_up = 0

    async def refused(bill: object) -> object:
        nonlocal looked_up
        looked_up += 1
        if looked_up == 2:
            raise error
        return await find(bill)

    harness.erp.find_bill = refused
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    assert (await harness.write(bill_id)).state == "sent"
    assert not await abandoned(harness, bill_id)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert len(harness.erp.invoices) == 1


async def test_a_payment_in_doubt_is_neither_abandoned_nor_made_twice(harness: ActivityHarness) -> None:
    """G3: paid twice, it would be money."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    await harness.push(bill_id)
    payment_id = await harness.paid(bill_id, "4.00", key="pay-1")
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push_payment(payment_id)
    harness.erp.trouble = [Rejected("Nobody knows this.", code="UNKNOWN_ERP_ERROR")]
    with pytest.raises(ApplicationError) as raised:
        await harness.push_payment(payment_id)
    assert failure(raised).code == "LOOK_UP_REFUSED"
    assert (await harness.payment_write(payment_id)).state == "sent"
    abandon = AbandonWrite(subject_kind="payment", subject_id=payment_id, actor="ada")
    assert not (await harness.mirror.abandon_write(abandon)).done
    (bill,) = await harness.tenant.fetch("select total from bills where id = :id", id=bill_id)
    assert (await harness.pay(bill_id, str(bill.total), key="pay-2")).outcome == "refused", (
        "what is in doubt is claimed"
    )
    assert (await harness.push_payment(payment_id)).status is PaymentStatus.PAID
    assert len(harness.erp.created_payments) == 1


@pytest.mark.parametrize("committed", [False, True])
async def test_a_refusal_in_unknown_words_is_looked_up_once(harness: ActivityHarness, committed: bool) -> None:
    """Issue 10: not there after the read lag, it is refused in the ERP's own words, and not sent again by itself."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4})
    words = UnknownRefusal("Ask Mary first.", code="UNKNOWN_ERP_ERROR", erp_code="ZZ99", evidence={"error_1": "ZZ99"})
    create = harness.erp.create_bill

    async def refused(bill: object) -> object:
        if committed:
            await create(bill)
        raise words

    harness.erp.create_bill = refused
    with pytest.raises(ApplicationError) as raised:
        await harness.push(bill_id)
    assert (raised.value.type, raised.value.non_retryable) == ("UnknownRefusal", False)
    wait = raised.value.next_retry_delay
    assert wait is not None
    assert 110 < wait.total_seconds() <= 121, "the read lag"
    assert (await harness.write(bill_id)).state == "sent"
    assert not await abandoned(harness, bill_id)
    harness.erp.create_bill = create
    await harness.time_passes()
    if committed:
        assert (await harness.push(bill_id)).status is BillStatus.SYNCED
        assert (await harness.write(bill_id)).unknown_words is None
        return
    with pytest.raises(ApplicationError) as raised:
        await harness.push(bill_id)
    assert raised.value.non_retryable
    assert (failure(raised).family, failure(raised).code, failure(raised).erp_code) == (
        "Rejected",
        "UNKNOWN_ERP_ERROR",
        "ZZ99",
    )
    assert (failure(raised).message, failure(raised).evidence) == ("Ask Mary first.", {"error_1": "ZZ99"})
    assert harness.erp.calls["create_bill"] == 0
    assert harness.erp.calls["find_bill"] == 1
    write = await harness.write(bill_id)
    assert (write.state, write.problem_code, write.unknown_words) == ("rejected", "UNKNOWN_ERP_ERROR", None)
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED, "a retry sends it"


async def test_every_verdict_leads_to_its_state(harness: ActivityHarness) -> None:
    """The table is the code: what an answer's verdict is, is what the write becomes."""
    states = {Verdict.REFUSED: "rejected", Verdict.NOT_YET: "planned", Verdict.IN_DOUBT: "sent"}
    for number, error in enumerate([*refusals_of_a_look_up(), *failures_of_a_look_up()]):
        order = await harness.holds(an_order(2000 + number, lines={1: 10}))
        bill_id = await harness.billed(order, {1: 4}, number=f"A-{number}")
        harness.erp.refuse_writes = [error]
        with pytest.raises(ApplicationError):
            await harness.push(bill_id)
        assert (await harness.write(bill_id)).state == states[error.verdict], type(error)
        assert await abandoned(harness, bill_id) is (error.verdict is not Verdict.IN_DOUBT)


def test_what_a_look_up_says() -> None:
    """Shown is done; not shown is believed after the lag; unknown words are not answered by a repeat."""
    assert after_look_up(shown=True, lag_is_over=False, refused=True) is Verdict.DONE
    assert after_look_up(shown=False, lag_is_over=False, refused=True) is Verdict.IN_DOUBT
    assert after_look_up(shown=False, lag_is_over=True, refused=True) is Verdict.REFUSED
    assert after_look_up(shown=False, lag_is_over=True, refused=False) is Verdict.NOT_YET
