"""Enter a credit of a vendor: against a bill, an order or neither. One decision, in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from matching.kernel.exact import Exact, rounded, subtract
from matching.rules.credit_limits import Creditable, CreditLineToMatch, over_credits
from matching.rules.dates import YEARS_AHEAD, YEARS_BACK, years_later
from models.domain.bills import BillKind, BillStatus
from models.domain.ids import BillId, ConnectionId, ErpId, OrganizationId, PurchaseOrderId
from models.domain.invoice_numbers import number_parts
from models.domain.lists import ListKind
from models.domain.outbox import MessageKind
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.base.today import today_in
from models.store.orders import ledger, purchase_orders
from models.store.orders.ledger import LedgerLine
from models.store.payables import bill_reads, bills, duplicate_candidates, entered_credits
from models.store.payables.entered_credits import NewCredit, NewCreditLine
from models.store.sync import list_entries
from models.tables import BillRow, ConnectionRow, PurchaseOrderRow
from services.accounting_settings import coding
from services.approvals.entry import assign_approvers
from services.bills.account_lines import AccountLine, place
from services.bills.matching import ledger_of
from services.refusal import Refused


class RequestedCreditLine(NamedTuple):
    """One line of a requested credit; the amount is above zero."""

    amount: Decimal
    order_line_no: int | None = None
    """The line as it is now."""
    order_line_id: str | None = None
    """The same line, wherever it moves; it counts where both are given."""
    quantity: Decimal | None = None
    account: str | None = None
    description: str = ""
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None


class RequestedCredit(NamedTuple):
    """A credit as it is asked for: against a bill, an order or neither."""

    connection: ConnectionRow
    bill: BillRow | None
    order: PurchaseOrderRow | None
    """The order of its lines: that of the bill, or the one it is against."""
    vendor_id: str
    number: str
    credit_date: date
    posting_date: date
    memo: str
    entity: str | None
    lines: Sequence[RequestedCreditLine]
    apply_when_sent: bool = False
    """It is applied to the bill once the ERP holds it."""


class EnteredCredit(NamedTuple):
    """A credit that was saved, and what its workflow is owed."""

    id: BillId
    message: OutboxMessage


async def enter_credit(
    session: AsyncSession, asked: RequestedCredit, *, organization_id: OrganizationId, request_key: str, actor: str
) -> EnteredCredit:
    """Match a credit with what was billed, and save it with its planned write, or refuse it.

    Raises:
        Refused: CREDIT_DATE_UNLIKELY, CREDIT_EXCEEDS_BILLED, CREDIT_NUMBER_TAKEN, CREDIT_NEEDS_BILL, ORDER_LINE_GONE,
            BILL_NOT_CREDITABLE, or a line has no account to go to.
    """
    connection_id = ConnectionId(asked.connection.id)
    _refuse_unlikely_dates(asked, today_in(asked.connection.time_zone))
    credit_id = bills.bill_id_for(organization_id, request_key, asked.number)
    if asked.order is not None:
        await ledger.lock_lines(session, [PurchaseOrderId(asked.order.id)])
    if asked.bill is not None:
        await entered_credits.lock_bill(session, BillId(asked.bill.id))
        _refuse_bill(asked.bill)
    await duplicate_candidates.lock_number(session, connection_id, asked.vendor_id, number_parts(asked.number))
    other = await entered_credits.taken_number(
        session, connection_id, asked.vendor_id, asked.number, except_id=credit_id
    )
    if other is not None:
        raise Refused("CREDIT_NUMBER_TAKEN", f"The vendor's credit {asked.number} is here already: {other}.")
    order_lines = await _order_lines(session, asked)
    asked = _placed(asked, order_lines)
    _refuse_over_credit(asked, await _creditable(session, asked, order_lines, credit_id))
    lines = await _lines(session, asked, order_lines)
    status = BillStatus.AWAITING_APPROVAL if asked.connection.approvals_enabled else BillStatus.PENDING_PUSH
    total = sum((line.amount for line in asked.lines), Decimal(0))
    reference = asked.bill.number if asked.bill is not None else asked.order.number if asked.order is not None else None
    await entered_credits.create(
        session,
        NewCredit(
            id=credit_id,
            organization_id=organization_id,
            connection_id=connection_id,
            purchase_order_id=None if asked.order is None else PurchaseOrderId(asked.order.id),
            credit_of=None if asked.bill is None else BillId(asked.bill.id),
            reference=reference,
            vendor_id=asked.vendor_id,
            vendor_name=await _vendor_name(session, asked),
            number=asked.number,
            credit_date=asked.credit_date,
            posting_date=asked.posting_date,
            currency=asked.bill.currency if asked.bill is not None else asked.connection.base_currency,
            memo=asked.memo,
            entity=asked.entity,
            total=rounded(total, 2),
            status=status,
            created_by=actor,
            lines=lines,
            apply_when_sent=asked.apply_when_sent,
        ),
        why=f"credited against {reference}" if reference else "credited against no bill",
    )
    if asked.connection.approvals_enabled:
        await assign_approvers(session, asked.connection, credit_id)
    message = await outbox.add(
        session,
        MessageKind.BILL_ACCEPTED,
        credit_id,
        organization_id=organization_id,
        connection_id=connection_id,
        request_key=request_key,
    )
    return EnteredCredit(credit_id, message)


def _refuse_unlikely_dates(asked: RequestedCredit, today: date) -> None:
    """Refuse a year that nobody means: a credit is not held for a person, as a bill is (A9)."""
    earliest, latest = years_later(today, -YEARS_BACK), years_later(today, YEARS_AHEAD)
    for what, day in (("date", asked.credit_date), ("posting date", asked.posting_date)):
        if not earliest <= day <= latest:
            raise Refused("CREDIT_DATE_UNLIKELY", f"The credit's {what} is {day}; {earliest} to {latest} is taken.")


def _refuse_bill(bill: BillRow) -> None:
    status = BillStatus(bill.status)
    if bill.kind != BillKind.BILL or status.is_before_erp or status.is_void or status is BillStatus.RETRACTING:
        raise Refused("BILL_NOT_CREDITABLE", f"Bill {bill.number} is {bill.status.replace('_', ' ')}.")


async def _order_lines(session: AsyncSession, asked: RequestedCredit) -> dict[int, LedgerLine]:
    if asked.order is None:
        return {}
    stored = await ledger.lines(session, PurchaseOrderId(asked.order.id))
    return {line.line_no: line for line in stored}


def _placed(asked: RequestedCredit, order_lines: Mapping[int, LedgerLine]) -> RequestedCredit:
    """Return the credit with the number that each line of the order has now: what names a line by its id means the
    same one after lines were inserted or removed in the ERP.

    Raises:
        Refused: ORDER_LINE_GONE.
    """
    if asked.order is None:
        return asked
    by_id = {line.erp_id: number for number, line in order_lines.items()}
    lines = []
    for position, line in enumerate(asked.lines, start=1):
        number = line.order_line_no if line.order_line_id is None else by_id.get(ErpId(line.order_line_id))
        named = line.order_line_id or line.order_line_no
        if named is not None and number not in order_lines:
            raise Refused("ORDER_LINE_GONE", f"Line {position}: {asked.order.number} has no line {named}.")
        lines.append(line._replace(order_line_no=number))
    return asked._replace(lines=lines)


async def _creditable(
    session: AsyncSession, asked: RequestedCredit, order_lines: Mapping[int, LedgerLine], credit_id: BillId
) -> Creditable:
    quantities: dict[tuple[str, int], Exact] = {}
    amount: Decimal | None = None
    if asked.order is not None:
        order_id = PurchaseOrderId(asked.order.id)
        coming = await entered_credits.on_their_way(session, [order_id], except_id=credit_id)
        for number, line in order_lines.items():
            where = (asked.order.id, number)
            quantities[where] = subtract(ledger_of(line).net_billed, coming.get(where, Decimal(0)))
        amount = await entered_credits.billed_amount_of_order(session, order_id, except_id=credit_id)
    if asked.bill is not None:
        bill_id = BillId(asked.bill.id)
        given = await entered_credits.credited_amount_of_bill(session, bill_id, except_id=credit_id)
        left = asked.bill.total - given
        amount = left if amount is None else min(amount, left)
        for (order_id_, number), billed in (await _billed_by(session, bill_id)).items():
            where = (order_id_, number)
            if where in quantities:
                quantities[where] = min(quantities[where], billed)
        billed_lines = await _billed_by(session, bill_id)
        quantities = {where: value for where, value in quantities.items() if where in billed_lines}
    return Creditable(quantities, amount)


async def _billed_by(session: AsyncSession, bill_id: BillId) -> dict[tuple[str, int], Decimal]:
    """Return what one bill billed, by order line."""
    billed: dict[tuple[str, int], Decimal] = {}
    for line in await bill_reads.lines(session, bill_id):
        if line.purchase_order_id is not None and line.purchase_order_line_no is not None and line.quantity:
            where = (line.purchase_order_id, line.purchase_order_line_no)
            billed[where] = billed.get(where, Decimal(0)) + line.quantity
    return billed


def _refuse_over_credit(asked: RequestedCredit, creditable: Creditable) -> None:
    order_id = "" if asked.order is None else asked.order.id
    wanted = [
        CreditLineToMatch(
            line_no=position,
            order_line=None if line.order_line_no is None else (order_id, line.order_line_no),
            quantity=line.quantity,
            amount=line.amount,
        )
        for position, line in enumerate(asked.lines, start=1)
    ]
    over = over_credits(wanted, creditable)
    if over:
        raise Refused("CREDIT_EXCEEDS_BILLED", " ".join(one.message for one in over))


async def _lines(
    session: AsyncSession, asked: RequestedCredit, order_lines: Mapping[int, LedgerLine]
) -> list[NewCreditLine]:
    """Return the lines to save. Where the ERP's credits name order lines, a quantity goes out as the order's item;
    everything else is an amount on an account."""
    names_orders = bool(asked.connection.capabilities.get("credits_name_orders"))
    as_items = {
        position
        for position, line in enumerate(asked.lines, start=1)
        if names_orders and line.quantity is not None and line.order_line_no is not None
    }
    if as_items and asked.bill is None:
        raise Refused(
            "CREDIT_NEEDS_BILL", "The ERP takes quantities back of a bill's lines only: name the bill that billed them."
        )
    on_accounts = [
        AccountLine(position, line.account)
        for position, line in enumerate(asked.lines, start=1)
        if position not in as_items
    ]
    placed = await place(session, asked.connection, on_accounts, on_order=False)
    lines = []
    for position, line in enumerate(asked.lines, start=1):
        stored = None if line.order_line_no is None else order_lines[line.order_line_no]
        where = placed.get(position)
        lines.append(
            NewCreditLine(
                line_no=position,
                purchase_order_id=None if stored is None or asked.order is None else PurchaseOrderId(asked.order.id),
                order_line_no=line.order_line_no,
                item_id=None if stored is None else stored.item_id,
                account=None if where is None else where.account,
                description=line.description or (stored.description if stored is not None else ""),
                quantity=line.quantity,
                unit="" if stored is None else stored.unit,
                amount=line.amount,
                **coding(asked.connection, line, *([] if stored is None else [stored]))._asdict(),
            )
        )
    return lines


async def _vendor_name(session: AsyncSession, asked: RequestedCredit) -> str:
    if asked.bill is not None:
        return asked.bill.vendor_name
    if asked.order is not None:
        return asked.order.vendor_name
    known = await list_entries.named(session, ConnectionId(asked.connection.id), ListKind.VENDOR, [asked.vendor_id])
    entry = None if known is None else known.get(asked.vendor_id)
    return asked.vendor_id if entry is None else entry.name


async def order_of_bill(session: AsyncSession, bill: BillRow) -> PurchaseOrderRow | None:
    """Return the order that a bill is of, which the lines of a credit against it may name."""
    if bill.purchase_order_id is None:
        return None
    return await purchase_orders.get(session, PurchaseOrderId(bill.purchase_order_id))
