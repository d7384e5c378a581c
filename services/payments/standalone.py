"""Schedule one payment of several bills of a vendor, or of bills that were made in the ERP."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import BillId, OrganizationId, PaymentId, PurchaseOrderId
from models.domain.outbox import MessageKind
from models.domain.payments import PaymentMethod
from models.domain.setup_checks import Breaks
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.orders import ledger
from models.store.payables import bill_reads, payments, standalone_payments
from models.store.payables.payment_credits import CreditShare
from models.store.payables.standalone_payments import BillToShare, NewPayment, Share
from models.tables import ConnectionRow
from services import setup_checks
from services.payments.bank_accounts import account_to_pay_from, check_method
from services.payments.checks import RequestedPayment, check_bill, check_day, check_reference
from services.payments.credits_in_payments import RequestedCreditShare, check_credits
from services.payments.fees import RequestedFee, check_fees, credit_fees
from services.refusal import Refused


class RequestedShare(BaseModel):
    """One bill that a payment is to pay, and how much of it."""

    bill_id: BillId
    amount: Decimal


class RequestedPaymentOfBills(BaseModel):
    """The body of a `POST /v1/payments`."""

    model_config = ConfigDict(extra="ignore")

    bills: Sequence[RequestedShare]
    pay_on: date
    method: PaymentMethod | None = None
    bank_account: str | None = None
    paid_outside: bool = False
    reference: str | None = None
    external_id: str | None = None
    net: Decimal | None = None
    """What the vendor gets of a payment with fees."""
    fees: Sequence[RequestedFee] = ()
    credits: Sequence[RequestedCreditShare] = ()
    """What goes to the bills beside the money."""


class ScheduledWithFees(NamedTuple):
    """A payment that was saved, with the credits that its fees became."""

    payment_id: PaymentId
    messages: Sequence[OutboxMessage]
    """What workflows are owed."""


async def schedule_payment_of_bills(
    session: AsyncSession,
    asked: RequestedPaymentOfBills,
    *,
    organization_id: OrganizationId,
    request_key: str,
    actor: str,
) -> ScheduledWithFees:
    """Schedule one payment of these bills, which exist. The caller has claimed the key in this transaction.

    Raises:
        Refused: The payment cannot be made.
    """
    wanted = {share.bill_id: share.amount for share in asked.bills}
    if len(wanted) < len(asked.bills):
        raise Refused("BILL_NAMED_TWICE", "A payment pays each bill once: give one amount for it.")
    if any(fee.kind.is_credited for fee in asked.fees):
        await _lock_order_lines(session, list(wanted))
    bills = await standalone_payments.lock_bills(session, list(wanted), [one.credit_id for one in asked.credits])
    first = next(iter(bills.values())).bill
    connection = await connections.get(session, first.connection_id)
    assert connection is not None, "a bill's connection is never removed"
    await setup_checks.must_not_break(session, first.connection_id, Breaks.PAYMENTS, datetime.now(UTC))
    _check_together(connection, bills)
    check_day(asked.pay_on, time_zone=connection.time_zone, paid_outside=asked.paid_outside)
    check_reference(connection, asked.reference)
    credited = await check_credits(session, connection, bills, asked.credits, organization_id=organization_id)
    _check_amounts(asked, bills, wanted, credited)
    account, method = await account_to_pay_from(session, connection, asked.bank_account, asked.method)
    check_method(connection, method, paid_outside=asked.paid_outside)
    payment_id = payments.payment_id_for(organization_id, request_key, first.number)
    await standalone_payments.create(
        session,
        payment_id,
        organization_id,
        first.connection_id,
        NewPayment(
            shares=[Share(bill_id, wanted[bill_id]) for bill_id in bills],
            currency=first.currency,
            pay_on=asked.pay_on,
            method=method,
            bank_account=account,
            paid_outside=asked.paid_outside,
            reference=asked.reference,
            external_id=asked.external_id,
            net=asked.net,
            fees=[{"kind": fee.kind.value, "amount": str(fee.amount)} for fee in asked.fees],
            credits=[CreditShare(one.credit_id, one.bill_id, one.amount) for one in asked.credits],
        ),
        actor=actor,
    )
    message = await outbox.add(
        session,
        MessageKind.PAYMENT_DUE,
        payment_id,
        organization_id=organization_id,
        connection_id=first.connection_id,
        request_key=request_key,
    )
    of_fees = await bill_reads.get(session, asked.bills[0].bill_id)
    assert of_fees is not None, "it was locked above"
    credits = await credit_fees(
        session,
        connection,
        of_fees,
        asked.fees,
        payment_key=payments.external_key_for(payment_id),
        dated=asked.pay_on,
        organization_id=organization_id,
        request_key=request_key,
        actor=actor,
    )
    return ScheduledWithFees(payment_id, [message, *credits])


async def _lock_order_lines(session: AsyncSession, bill_ids: Sequence[BillId]) -> None:
    """Lock the lines of the bills' orders, which the credits of fees are matched with: before the bills, as
    everywhere."""
    of_bills = [await bill_reads.get(session, bill_id) for bill_id in bill_ids]
    orders = {PurchaseOrderId(bill.purchase_order_id) for bill in of_bills if bill and bill.purchase_order_id}
    await ledger.lock_lines(session, orders)


def _check_amounts(
    asked: RequestedPaymentOfBills,
    bills: Mapping[BillId, BillToShare],
    wanted: Mapping[BillId, Decimal],
    credited: Mapping[BillId, Decimal],
) -> None:
    """Check that each bill takes its part of the money and of the credits, and that there is money."""
    for bill_id, bill in bills.items():
        check_bill(
            bill.bill,
            RequestedPayment(amount=wanted[bill_id], pay_on=asked.pay_on),
            credited=credited.get(bill_id, Decimal(0)),
        )
        if not bill.in_erp:
            raise Refused(
                "BILL_NOT_PAYABLE",
                f"Bill {bill.bill.number} is not in the ERP yet, or an edit of it is on its way there.",
                ["Pay it by itself: it is then paid once the ERP holds it.", "Or wait until it is synced."],
            )
    if asked.fees or asked.net is not None:
        if len(bills) > 1:
            raise Refused("FEES_OF_ONE_BILL", "A payment with fees pays one bill, which the fees belong to.")
        (bill,) = bills.values()
        check_fees(bill.bill, asked.bills[0].amount, asked.net, asked.fees, credited=sum(credited.values(), Decimal(0)))
    if not any(wanted.values()):
        raise Refused(
            "INVALID_AMOUNT",
            "A payment without money is none: apply the credits to the bills instead.",
            ["Apply each with POST /v1/credits/{id}/apply, or posync credits apply."],
        )


def _check_together(connection: ConnectionRow, bills: Mapping[BillId, BillToShare]) -> None:
    """Check that one payment can pay all these bills.

    Raises:
        Refused: PAYMENT_OF_BILLS_NOT_OFFERED or BILLS_NOT_PAID_TOGETHER.
    """
    if not connection.capabilities.get("pays_several_bills"):
        raise Refused(
            "PAYMENT_OF_BILLS_NOT_OFFERED", f"A payment to {connection.erp} pays one bill that was entered here."
        )
    differ: dict[str, set[str]] = {
        "connection": {bill.bill.connection_id for bill in bills.values()},
        "vendor": {bill.vendor_id for bill in bills.values()},
        "currency": {bill.bill.currency for bill in bills.values()},
        "entity": {bill.owner_entity or "" for bill in bills.values()},
    }
    for what, values in differ.items():
        if len(values) > 1:
            raise Refused(
                "BILLS_NOT_PAID_TOGETHER", f"The bills have more than one {what}: {', '.join(sorted(values))}."
            )
