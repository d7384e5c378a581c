"""Check the credits that go with a payment: what of which credit may go to which of its bills."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillKind, BillStatus
from models.domain.ids import BillId, OrganizationId
from models.store.payables import bill_parts, bill_reads, reserved_amounts
from models.store.payables.standalone_payments import BillToShare
from models.tables import BillRow, ConnectionRow
from services.credits.applying import check_pair
from services.refusal import Refused

ZERO = Decimal(0)


class RequestedCreditShare(BaseModel):
    """A credit that is to go to one bill of a payment."""

    credit_id: BillId
    bill_id: BillId
    amount: Decimal


async def check_credits(
    session: AsyncSession,
    connection: ConnectionRow,
    bills: Mapping[BillId, BillToShare],
    asked: Sequence[RequestedCreditShare],
    *,
    organization_id: OrganizationId,
) -> dict[BillId, Decimal]:
    """Check the credits of a payment of these bills, which the caller has locked with them; return what of credits
    goes to each bill.

    Raises:
        Refused: CREDITS_NOT_TAKEN, CREDIT_NAMED_TWICE, CREDIT_OF_ANOTHER, CREDIT_NOT_OPEN, BILL_NOT_CREDITABLE,
            INVALID_AMOUNT or MORE_THAN_OPEN.
    """
    if not asked:
        return {}
    if not connection.capabilities.get("credits"):
        raise Refused("CREDITS_NOT_TAKEN", f"{connection.name} takes no credits from here.")
    if len({(one.credit_id, one.bill_id) for one in asked}) < len(asked):
        raise Refused("CREDIT_NAMED_TWICE", "A credit is named once for each bill: give one amount for both.")
    of_bill: dict[BillId, Decimal] = {}
    of_credit: dict[BillId, Decimal] = {}
    for one in asked:
        if one.bill_id not in bills:
            raise Refused("CREDIT_OF_ANOTHER", f"The payment does not pay bill {one.bill_id}, which a credit goes to.")
        if one.amount <= 0:
            raise Refused("INVALID_AMOUNT", f"A credit of {one.amount} gives nothing.")
        of_bill[one.bill_id] = of_bill.get(one.bill_id, ZERO) + one.amount
        of_credit[one.credit_id] = of_credit.get(one.credit_id, ZERO) + one.amount
        await _check_share(session, connection, one, organization_id)
    for credit_id, amount in of_credit.items():
        await _check_open(session, credit_id, amount)
    return of_bill


async def _check_share(
    session: AsyncSession, connection: ConnectionRow, one: RequestedCreditShare, organization_id: OrganizationId
) -> None:
    credit = await bill_reads.get(session, one.credit_id, organization_id)
    bill = await bill_reads.get(session, one.bill_id, organization_id)
    assert bill is not None, "its payment has locked it"
    if credit is None or credit.connection_id != connection.id:
        raise Refused("CREDIT_OF_ANOTHER", f"The bills' connection has no credit {one.credit_id}.")
    await check_pair(session, credit, bill)
    if await bill_parts.of_bill(session, one.bill_id):
        raise Refused(
            "BILL_NOT_CREDITABLE",
            f"Bill {bill.number} is several documents in the ERP: a credit in a payment goes to one.",
            ["Pay the bill without the credit, and apply the credit by itself."],
        )


async def _check_open(session: AsyncSession, credit_id: BillId, amount: Decimal) -> None:
    credit = await bill_reads.get(session, credit_id)
    assert credit is not None, "it was just looked at"
    _check_state(credit)
    left = credit.credit_open - await reserved_amounts.of_credit(session, credit_id)
    if amount > left:
        raise Refused(
            "MORE_THAN_OPEN",
            f"{amount} of credit {credit.number} cannot go with the payment: {max(left, ZERO)} is open of it.",
        )


def _check_state(credit: BillRow) -> None:
    if credit.kind != BillKind.CREDIT or not BillStatus(credit.status).is_payable:
        raise Refused("CREDIT_NOT_OPEN", f"The credit is {credit.status.replace('_', ' ')}.")
