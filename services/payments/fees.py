"""Take the fees and the withholding of a payment: what of them stays in it, and what becomes a credit on the bill.

A transaction fee and what is withheld are kept by us: each becomes a credit of the vendor against the bill, applied to
it once the ERP holds it. A fee of the payment service or of an exchange goes out with the money, so the payment is the
net amount and those.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from pydantic import BaseModel
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillKind
from models.domain.ids import BillId, ConnectionId, CreditApplicationId, ExternalKey, OrganizationId
from models.domain.payments import FeeKind, PaymentStatus
from models.store.audit import notices
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_reads, payments
from models.tables import BillRow, ConnectionRow, PaymentRow
from services.credits.applying import Wanted, apply_credit
from services.credits.entry import RequestedCredit, RequestedCreditLine, enter_credit, order_of_bill
from services.refusal import Refused

ZERO = Decimal(0)

NAMES = {FeeKind.TRANSACTION: ("FEE", "Transaction fee"), FeeKind.WITHHOLDING: ("WHT", "Withholding")}
"""What the number of a fee's credit begins with, and what its line says."""


OVER = (PaymentStatus.ABANDONED, PaymentStatus.VOIDED)
"""Where a payment pays nobody any more, so that nothing of its fees is kept."""


def numbers_of(kinds: Sequence[FeeKind], payment_key: str) -> list[str]:
    """Return the numbers of the credits that fees of these kinds become."""
    credited = [kind for kind in kinds if kind.is_credited]
    return [f"{NAMES[kind][0]}{position}-{payment_key}" for position, kind in enumerate(credited, start=1)]


async def payment_of(session: AsyncSession, credit: BillRow) -> PaymentRow | None:
    """Return the payment whose fee a credit is; None: it is of no fee."""
    if credit.kind != BillKind.CREDIT or not credit.number.startswith(tuple(begins for begins, _ in NAMES.values())):
        return None
    statement = select(PaymentRow).where(
        col(PaymentRow.connection_id) == credit.connection_id,
        col(PaymentRow.external_key) == credit.number.partition("-")[2],
    )
    return (await session.exec(statement, execution_options={"populate_existing": True})).one_or_none()


class RequestedFee(BaseModel):
    """One fee of a payment."""

    kind: FeeKind
    amount: Decimal
    account: str | None = None
    """The GL account of a credit; None: the connection's `expense_account`."""


def check_fees(
    bill: payments.BillToPay,
    amount: Decimal,
    net: Decimal | None,
    fees: Sequence[RequestedFee],
    *,
    credited: Decimal = ZERO,
) -> None:
    """Check that net and fees come to the payment, and that the bill has room for the payment, the fees' credits, and
    `credited` by the credits that go with the payment.

    Raises:
        Refused: FEES_DO_NOT_ADD_UP.
    """
    if net is None:
        raise Refused("FEES_DO_NOT_ADD_UP", "A payment with fees says what the vendor gets net.")
    kept = sum((fee.amount for fee in fees if not fee.kind.is_credited), ZERO)
    if net + kept != amount:
        raise Refused(
            "FEES_DO_NOT_ADD_UP",
            f"{net} net and {kept} of fees that go out with the money are {net + kept}, and the payment is {amount}.",
            ["A transaction fee and what is withheld are no part of the payment: they become credits on the bill."],
        )
    credited += sum((fee.amount for fee in fees if fee.kind.is_credited), ZERO)
    if amount + credited > bill.open:
        raise Refused(
            "FEES_DO_NOT_ADD_UP",
            f"The payment of {amount} and {credited} of credits are more than the {bill.open} still open on the bill.",
        )


async def credit_fees(
    session: AsyncSession,
    connection: ConnectionRow,
    bill: BillRow,
    fees: Sequence[RequestedFee],
    *,
    payment_key: ExternalKey,
    dated: date,
    organization_id: OrganizationId,
    request_key: str,
    actor: str,
) -> list[OutboxMessage]:
    """Enter the credits that these fees become, to be applied to the bill once the ERP holds them; return what their
    workflows are owed.

    Raises:
        Refused: CREDITS_NOT_TAKEN, or a credit cannot be entered.
    """
    credited = [fee for fee in fees if fee.kind.is_credited]
    if credited and not connection.capabilities.get("credits"):
        raise Refused("CREDITS_NOT_TAKEN", f"{connection.name} takes no credits from here.")
    order = await order_of_bill(session, bill)
    messages = []
    numbers = numbers_of([fee.kind for fee in credited], payment_key)
    for position, (fee, number) in enumerate(zip(credited, numbers, strict=True), start=1):
        _, says = NAMES[fee.kind]
        asked = RequestedCredit(
            connection=connection,
            bill=bill,
            order=order,
            vendor_id=bill.vendor_id,
            number=number,
            credit_date=dated,
            posting_date=dated,
            memo=f"{says} of payment {payment_key}",
            entity=bill.entity or (order.owner_entity if order is not None else None) or connection.entity,
            lines=[RequestedCreditLine(amount=fee.amount, account=fee.account, description=says)],
            apply_when_sent=True,
        )
        entered = await enter_credit(
            session, asked, organization_id=organization_id, request_key=f"{request_key} fee {position}", actor=actor
        )
        messages.append(entered.message)
    return messages


async def apply_sent(session: AsyncSession, connection: ConnectionRow, credit_id: BillId) -> list[CreditApplicationId]:
    """Apply a credit of a fee that the ERP holds now to its bill; return the applications. Done once, nothing is done
    again. Where the bill has no room any more the credit stays open, and a notice says so; one whose payment is
    abandoned or void is not applied."""
    credit = await bill_reads.get(session, credit_id)
    if credit is None or not credit.apply_when_sent or credit.credit_of is None:
        return []
    credit.apply_when_sent = False
    session.add(credit)
    await session.flush()
    payment = await payment_of(session, credit)
    if payment is not None and payment.status in OVER:
        return []
    organization_id = OrganizationId(credit.organization_id)
    try:
        messages = await apply_credit(
            session,
            connection,
            credit,
            [Wanted(BillId(credit.credit_of), -credit.total)],
            organization_id=organization_id,
            request_key=f"fee {credit_id}",
            actor=credit.created_by,
            why=credit.memo,
        )
    except Refused as refused:
        await notices.add(
            session,
            organization_id=organization_id,
            connection_id=ConnectionId(credit.connection_id),
            code="FEE_NOT_APPLIED",
            subject_kind="bill",
            subject_id=credit_id,
            message=f"Credit {credit.number} of a fee is in the ERP and was not applied: {refused.detail} Apply it to"
            " what is open, or delete it.",
        )
        return []
    return [CreditApplicationId(message.subject_id) for message in messages]
