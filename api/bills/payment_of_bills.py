"""Schedule one payment of several bills of a vendor, also of bills that were made in the ERP."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.schemas import Payment, about_payments, payment_shown
from api.http.auth import Accountant
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import answers, not_found
from api.http.schemas import Amount, Code, Day, Input, Name, Number, PositiveAmount
from api.http.services import Services
from models.domain.ids import BillId
from models.domain.payments import FeeKind, PaymentMethod
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_reads, payment_reads
from services.payments.standalone import RequestedPaymentOfBills, schedule_payment_of_bills

router = APIRouter(prefix="/v1/payments", tags=["payments"], route_class=ExactRoute)

MOST_BILLS = 200


class ShareToPay(Input):
    bill_id: Name
    amount: Amount = Field(description="In money; zero: `credits` alone go to it.")


class CreditToGive(Input):
    credit_id: Name
    bill_id: Name = Field(description="One of the bills of the payment.")
    amount: PositiveAmount


class Fee(Input):
    kind: FeeKind = Field(
        description="`transaction_fee` and `withholding` become credits on the bill; `payment_service_fee` and"
        " `exchange_fee` are part of the payment."
    )
    amount: PositiveAmount
    account: Code | None = Field(
        default=None, description="The GL account of the credit; null: the connection's `expense_account`."
    )


class NewPaymentOfBills(Input):
    bills: list[ShareToPay] = Field(min_length=1, max_length=MOST_BILLS)
    pay_on: Day = Field(
        description="The day it is submitted to the ERP, today or later. Paid outside: the day it was paid.",
        examples=["2026-11-30"],
    )
    method: PaymentMethod | None = Field(default=None, description="null: card from a card account, else eft.")
    bank_account: Code | None = Field(default=None, description="null: the one in the sync preferences.")
    paid_outside: bool = Field(default=False, description="True: the money went out already; it is only recorded.")
    reference: Number | None = Field(
        default=None, description="Its number for people: of a cheque, or the bank's.", examples=["10412"]
    )
    external_id: Code | None = Field(default=None, description="What your own system calls it.")
    net: Amount | None = Field(default=None, description="With fees: what the vendor gets.", examples=["990.00"])
    fees: list[Fee] = Field(
        default=[],
        max_length=10,
        description="Of a payment of one bill. `net` and the fees that are part of the payment come to its amount.",
    )

    credits: list[CreditToGive] = Field(
        default=[],
        max_length=MOST_BILLS,
        description="What of open credits goes to the bills beside the money, in the same payment in the ERP.",
    )


class PaymentOfBillsAccepted(Output):
    payment: Payment


@router.post(
    "",
    status_code=201,
    operation_id="schedulePaymentOfBills",  # S4-25
    summary="Schedule one payment of several bills",
    response_model=PaymentOfBillsAccepted,
    responses=answers(
        *WRITE,
        "BILL_NOT_PAYABLE",
        "BILL_REJECTED_IN_ERP",
        "BILL_NOT_APPROVED",
        "BILL_NAMED_TWICE",
        "BILLS_NOT_PAID_TOGETHER",
        "PAYMENT_OF_BILLS_NOT_OFFERED",
        "OVERPAYMENT",
        "FEES_DO_NOT_ADD_UP",
        "FEES_OF_ONE_BILL",
        "CREDITS_NOT_TAKEN",
        "CREDIT_NAMED_TWICE",
        "CREDIT_NOT_OPEN",
        "CREDIT_OF_ANOTHER",
        "BILL_NOT_CREDITABLE",
        "MORE_THAN_OPEN",
        "CREDIT_EXCEEDS_BILLED",
        "ACCOUNT_MISSING",
        "ACCOUNT_UNKNOWN",
        "PAY_ON_IS_PAST",
        "PAID_OUTSIDE_IN_FUTURE",
        "INVALID_AMOUNT",
        "REFERENCE_TOO_LONG",
        "SETUP_CHECK_FAILED",
        "METHOD_NOT_OFFERED",
        "METHOD_NOT_PAID_OUTSIDE",
        "BANK_ACCOUNT_MISSING",
        "BANK_ACCOUNT_UNKNOWN",
        "BANK_ACCOUNT_INACTIVE",
        "BANK_ACCOUNT_OF_OTHER_TYPE",
    ),
)
async def pay_bills(
    payment: NewPaymentOfBills, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Schedule one payment of several bills of a vendor, each in whole or in part: bills that the ERP holds, entered
    here or made there. On its day it is submitted to the ERP, and reaches it exactly once, as one payment."""
    asked = RequestedPaymentOfBills.model_validate(payment.model_dump())
    messages: Sequence[OutboxMessage] = ()

    async def work(session: AsyncSession) -> Answer:
        nonlocal messages
        for share in payment.bills:
            if await bill_reads.get(session, BillId(share.bill_id), caller.organization_id) is None:
                raise not_found("bill", share.bill_id)
        payment_id, messages = await schedule_payment_of_bills(
            session, asked, organization_id=caller.organization_id, request_key=key, actor=caller.actor
        )
        row = await payment_reads.get(session, payment_id)
        assert row is not None, "it was saved just now"
        shown = payment_shown(row, await about_payments(session, [row.id]))
        return answer(201, PaymentOfBillsAccepted(payment=shown))

    idempotent = IdempotentRequest(services, caller, key, "POST /v1/payments")
    done = await idempotent.run(payment.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response(location=f"/v1/payments/{done.body['payment']['id']}" if done.status == 201 else None)
