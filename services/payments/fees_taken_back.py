"""Take back the credits of a payment's fees once it is abandoned or void: nobody was paid, so nothing is kept.

A credit that is applied is unapplied first. Each step that ends calls this again, which then does the next one.
"""

from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillKind
from models.domain.credits import ApplicationStatus
from models.domain.ids import SYNCER, BillId, ConnectionId, CreditApplicationId, OrganizationId, PaymentId
from models.domain.payments import FeeKind, PaymentStatus
from models.domain.retractions import BillEvent
from models.store.audit import notices
from models.store.audit.outbox import OutboxMessage
from models.store.payables import (
    bill_edits,
    bill_reads,
    credit_applications,
    payment_reads,
    payments,
    standalone_payments,
)
from models.tables import BillRow, PaymentRow
from services.bills.retraction import take_event
from services.credits.applying import unapply_credit
from services.payments.fees import OVER, numbers_of, payment_of
from services.refusal import Refused

STAYS = "FEE_NOT_TAKEN_BACK"

_LATER = frozenset({"BILL_ON_ITS_WAY", "RETRACTION_UNDER_WAY"})
"""Refusals that end by themselves: the write that is under way calls this again."""


class _Why(NamedTuple):
    """Who ended a payment, and why."""

    actor: str
    why: str


async def take_back_fees(session: AsyncSession, payment_id: PaymentId, *, request_key: str) -> list[OutboxMessage]:
    """Take back the credits of the fees of a payment that is abandoned or void; return what their workflows are owed.

    What cannot be taken back now has a notice. A payment that goes on, or has no such fees, changes nothing.
    """
    payment = await payment_reads.get(session, payment_id)
    if payment is None or not payment.fees or payment.status not in OVER:
        return []
    await standalone_payments.lock_shared(session, payment_id)
    who = await _who_ended(session, payment)
    messages: list[OutboxMessage] = []
    for credit_id in await _credits(session, payment):
        credit = await bill_edits.lock(
            session, credit_id, OrganizationId(payment.organization_id), kind=BillKind.CREDIT
        )
        if credit is not None:
            messages += await _take_back(session, payment, credit, who, request_key)
    return messages


async def take_back_fee(session: AsyncSession, credit_id: BillId, *, request_key: str) -> list[OutboxMessage]:
    """Take back a credit after a step of it has ended, if it is one of a fee of a payment that is abandoned or void."""
    credit = await bill_reads.get(session, credit_id)
    payment = None if credit is None else await payment_of(session, credit)
    return [] if payment is None else await take_back_fees(session, PaymentId(payment.id), request_key=request_key)


async def ended_with_fees(session: AsyncSession, connection_id: ConnectionId) -> list[PaymentId]:
    """Return the connection's payments that are abandoned or void while a credit of a fee of theirs is still there: the
    ERP showed the void, or whoever ended it did not come to its fees. One whose credit is on its way, was refused by
    the ERP, or was left there by a person, is none of them."""
    rows = await session.execute(
        text(
            "select distinct p.id from payments p join bills k on k.credit_of = p.bill_id and k.kind = 'credit'"
            "   and k.origin = 'posync' and k.connection_id = p.connection_id"
            "   and substr(k.number, strpos(k.number, '-') + 1) = p.external_key"
            "   and k.status not in ('deleted', 'abandoned', 'retracting')"
            " where p.connection_id = :c and p.status in ('abandoned', 'voided') and p.fees <> '[]'"
            "   and not exists (select from credit_applications a where a.credit_id = k.id"
            "        and (a.status in ('applying', 'unapplying')"
            "             or a.status = 'applied' and a.problem_code is not null))"
            "   and not exists (select from bill_retractions r where r.bill_id = k.id)"
            " order by p.id"
        ),
        {"c": connection_id},
    )
    return [PaymentId(payment_id) for payment_id in rows.scalars()]


async def say_that_a_fee_stays(session: AsyncSession, credit_id: BillId, why: str) -> None:
    """Add a notice that the credit of a fee could not be unapplied, if its payment is abandoned or void."""
    credit = await bill_reads.get(session, credit_id)
    payment = None if credit is None else await payment_of(session, credit)
    if credit is not None and payment is not None and payment.status in OVER:
        await _say_that_it_stays(session, payment, credit, why)


async def _who_ended(session: AsyncSession, payment: PaymentRow) -> _Why:
    if payment.status == PaymentStatus.ABANDONED:
        ended = await payments.who_abandoned(session, PaymentId(payment.id))
        return _Why(ended.actor, ended.why)
    return _Why(payment.void_by or SYNCER, payment.void_why or "its payment was voided in the ERP")


async def _credits(session: AsyncSession, payment: PaymentRow) -> list[BillId]:
    """Return the live credits of the payment's fees, by the numbers that they were entered with."""
    numbers = numbers_of([FeeKind(fee["kind"]) for fee in payment.fees], payment.external_key or "")
    rows = await session.execute(
        text(
            "select id from bills where connection_id = :c and kind = 'credit' and origin = 'posync'"
            "   and credit_of = :bill and number = any(cast(:numbers as text[]))"
            "   and status not in ('deleted', 'abandoned', 'retracting') order by id"
        ),
        {"c": payment.connection_id, "bill": payment.bill_id, "numbers": numbers},
    )
    return [BillId(credit_id) for credit_id in rows.scalars()]


async def _take_back(
    session: AsyncSession, payment: PaymentRow, credit: BillRow, who: _Why, request_key: str
) -> list[OutboxMessage]:
    key = f"{request_key} {credit.id}"
    applications = await credit_applications.of_credit(session, BillId(credit.id))
    if any(ApplicationStatus(one.status).is_under_way for one in applications):
        return []  # what is under way calls this again
    messages: list[OutboxMessage] = []
    for one in applications:
        if one.status == ApplicationStatus.APPLIED:
            messages += await unapply_credit(
                session,
                credit,
                CreditApplicationId(one.id),
                organization_id=OrganizationId(credit.organization_id),
                request_key=key,
                actor=who.actor,
                why=who.why,
            )
    if messages:
        return messages
    try:
        messages = await take_event(session, credit, BillEvent.DELETE, actor=who.actor, why=who.why, request_key=key)
    except Refused as refused:
        if refused.code in _LATER:
            return []
        await _say_that_it_stays(session, payment, credit, refused.detail)
        return []
    return messages


async def _say_that_it_stays(session: AsyncSession, payment: PaymentRow, credit: BillRow, why: str) -> None:
    connection_id = ConnectionId(credit.connection_id)
    named = payment.reference or payment.id
    message = f"Payment {named} is {payment.status}, and credit {credit.number} of its fee is still there: {why}"
    if await notices.exists(session, connection_id, STAYS, credit.id, message):
        return
    await notices.add(
        session,
        organization_id=OrganizationId(credit.organization_id),
        connection_id=connection_id,
        code=STAYS,
        subject_kind="bill",
        subject_id=credit.id,
        message=message,
    )
