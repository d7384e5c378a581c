"""Build the bill to match and the bill to save from a request: the caller's figures, completed from the orders."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from matching.kernel.exact import Exact, line_amount, rounded
from matching.kernel.inputs import (
    AccountLineToMatch,
    BillLineToMatch,
    BillToMatch,
    ChargeToMatch,
    OrderLineToMatch,
)
from matching.kernel.lines import in_order_unit
from matching.kernel.result import Finding, MatchResult, Outcome
from matching.rules.decision import Needs, needs
from matching.rules.modes import SMALL
from matching.rules.sources import choose_sources
from matching.rules.totals import bill_total
from models.domain.bills import BillMatchMode, BillStatus, ChargeKind
from models.domain.ids import BillId, ConnectionId, ErpId, OrganizationId, PurchaseOrderId
from models.domain.invoice_numbers import number_key
from models.domain.orders import LineBasis
from models.domain.units import unit_key
from models.store.base.today import today_in
from models.store.orders import purchase_orders
from models.store.orders.ledger import LedgerLine
from models.store.payables import bills
from models.store.payables.bills import NewBillLine, NewCharge
from models.store.policies import match_results
from models.tables import ConnectionRow, PurchaseOrderRow
from services.accounting_settings import Coding, coding, posting_date
from services.approvals.push_rules import status_at_entry
from services.bills.account_lines import AccountLine, Placed, place
from services.bills.matching import Order, read_orders, run_match
from services.refusal import Refused

ZERO = Decimal(0)

MESSAGES, MESSAGE_LENGTH = 5, 300
"""How many findings an operator reads in a workflow, and how much of each."""

PLACES = 20
"""Digits stored of a quantity whose decimals do not end, beside the exact fraction."""


class RequestedLine(BaseModel):
    """One line of a requested bill; what is absent comes from the order's line (S1-03). `quantity` is in `unit`.

    A line that is `off_order` bills no order line: it has an amount, and the account that it names.

    `order_line_id` names the order's line whatever its number is now; `order_line_no` means the line as it is now. With
    both, the id counts.
    """

    model_config = ConfigDict(extra="ignore")

    purchase_order_id: PurchaseOrderId | None = None
    order_line_no: int | None = None
    order_line_id: ErpId | None = None
    substitute: str | None = None
    """The item that the supplier billed in the place of the order line's."""
    item_id: str | None = None
    """The item that the caller read on the order's line: another one there now refuses the bill."""
    quantity: Decimal | None = None
    unit: str | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    description: str | None = None
    account: str | None = None
    department: str | None = None
    location: str | None = None
    class_id: str | None = None
    project: str | None = None
    warehouse: str | None = None
    """null: the order line's."""
    custom: dict[str, str] | None = None
    """Values of the company's own dimensions and fields; a name that is absent has the order line's, an empty value
    has none."""
    off_order: bool = False


class RequestedCharge(BaseModel):
    """Money that belongs to no line of an order; `charge_class` is `class` in the API."""

    model_config = ConfigDict(extra="ignore")

    charge_class: str
    amount: Decimal
    description: str = ""


class RequestedBill(BaseModel):
    """The stored body of a `POST /v1/purchase-orders/{id}/bills`, or of a `POST /v1/bills` without an order."""

    model_config = ConfigDict(extra="ignore")

    purchase_order_id: PurchaseOrderId | None = None
    """None: without an order. It then names its connection and its vendor, and all its lines are off orders."""
    connection_id: ConnectionId | None = None
    number: str
    bill_date: date
    posting_date: date | None = None
    due_date: date | None = None
    term: str | None = None
    memo: str = ""
    vendor_id: str | None = None
    currency: str | None = None
    entity: str | None = None
    total: Decimal | None = None
    tax: Decimal | None = None
    expected_tax: Decimal | None = None
    discount: Decimal = ZERO
    part_of: BillId | None = None
    match_mode: BillMatchMode | None = None
    charges: list[RequestedCharge] = []
    acknowledge: list[str] = []
    lines: list[RequestedLine]

    @property
    def lines_with_account(self) -> list[int]:
        """The lines on orders that give a GL account, by number: it stays here (S1-17)."""
        return [position for position, line in enumerate(self.lines, start=1) if line.account and not line.off_order]

    @property
    def account_lines(self) -> list[AccountLine]:
        """Return the lines that are on no order, with the accounts that they name."""
        numbered = enumerate(self.lines, start=1)
        return [AccountLine(position, line.account) for position, line in numbered if line.off_order]

    @property
    def orders(self) -> tuple[PurchaseOrderId, ...]:
        """Return the orders that it bills, its home order first; none of a bill without an order."""
        if self.purchase_order_id is None:
            return ()
        others = (line.purchase_order_id for line in self.lines if line.purchase_order_id is not None)
        return tuple(dict.fromkeys((self.purchase_order_id, *others)))


async def order_rows(session: AsyncSession, home: PurchaseOrderRow, asked: RequestedBill) -> list[PurchaseOrderRow]:
    """Return the mirror's rows of the orders that a bill is requested for: its home order, then those it reads."""
    rows = [home]
    for order_id in asked.orders[1:]:
        row = await purchase_orders.get(session, order_id)
        assert row is not None, "the route checked that the orders exist"
        rows.append(row)
    return rows


def order_line_number(line: RequestedLine, order: Order) -> int:
    """Return the present number of the order line that a requested line means.

    Raises:
        Refused: ORDER_LINE_GONE or ORDER_LINE_CHANGED: the order has no such line any more, or another item on it.
    """
    number = line.order_line_no
    if line.order_line_id is not None:
        number = next((no for no, one in order.stored_lines.items() if one.erp_id == line.order_line_id), None)
        if number is None:
            raise Refused("ORDER_LINE_GONE", f"{order.row.number} has no line {line.order_line_id} any more.")
    assert number is not None, "the route wants one of the two"
    stored = order.stored_lines.get(number)
    if stored is not None and line.item_id is not None and line.item_id != stored.item_id:
        raise Refused(
            "ORDER_LINE_CHANGED",
            f"Line {number} of {order.row.number} is {stored.item_id or 'without an item'} now, not {line.item_id}.",
        )
    return number


def bill_to_match(
    asked: RequestedBill, orders: Sequence[Order], connection: ConnectionRow, placed: Mapping[int, Placed]
) -> BillToMatch:
    """Return the bill to match: the caller's figures, and the order's where the caller gave none.

    Raises:
        Refused: An order has no such line any more, or another item on it.
    """
    home = orders[0].row if orders else None
    by_id = {order.id: order for order in orders}
    lines = []
    for position, line in enumerate(asked.lines, start=1):
        if line.off_order:
            continue
        order_id = line.purchase_order_id or asked.purchase_order_id
        assert order_id is not None, "the lines of a bill without an order are off orders"
        order_line_no = order_line_number(line, by_id[order_id])
        order_line = by_id[order_id].stored_lines.get(order_line_no)
        quantity = line.quantity
        if quantity is None:  # right for an amount-only line; any other line then bills nothing, a finding
            quantity = Decimal(1) if order_line and order_line.basis == LineBasis.AMOUNT else ZERO
        price = line.price
        amount = line.amount
        if price is None and amount is not None and quantity:
            price = amount / quantity
        if price is None:
            price = order_line.price if order_line else ZERO
        if amount is None:
            amount = line_amount(quantity, price)
        lines.append(
            BillLineToMatch(
                line_no=position,
                purchase_order_id=order_id,
                order_line_no=order_line_no,
                quantity=quantity,
                price=price,
                amount=amount,
                unit=line.unit or "",
                substitute=line.substitute,
                all_given=None not in (line.quantity, line.price, line.amount),
            )
        )
    return BillToMatch(
        connection_id=ConnectionId(connection.id),
        vendor_id=asked.vendor_id or (home.vendor_id if home else ""),
        number=asked.number,
        currency=asked.currency or (home.currency if home else connection.base_currency),
        entity=asked.entity or connection.entity or (home.entity if home else None),
        lines=tuple(lines),
        account_lines=tuple(
            AccountLineToMatch(line_no=position, account=placed[position].account, amount=line.amount or ZERO)
            for position, line in enumerate(asked.lines, start=1)
            if line.off_order
        ),
        bill_date=asked.bill_date,
        posting_date=asked.posting_date or asked.bill_date,
        due_date=asked.due_date,
        term=asked.term,
        entered_on=today_in(connection.time_zone),
        part_of=asked.part_of,
        match_mode=asked.match_mode,
        total=asked.total,
        tax=asked.tax,
        expected_tax=asked.expected_tax,
        discount=asked.discount,
        charges=tuple(ChargeToMatch(charge_class=one.charge_class, amount=one.amount) for one in asked.charges),
    )


def status_after_match(
    result: MatchResult, acknowledged: Collection[str] = (), released: Collection[str] = ()
) -> tuple[BillStatus, Needs]:
    """Return the status of a saved bill by its match and people's decisions, and what people must still settle."""
    open_needs = needs(result, acknowledged, released)
    if open_needs.release or open_needs.fix:
        return BillStatus.ON_HOLD, open_needs
    if open_needs.acknowledge:
        return BillStatus.AWAITING_ACKNOWLEDGEMENT, open_needs
    return BillStatus.PENDING_PUSH, open_needs


def codes(open_needs: Needs) -> list[str]:
    """Return the codes of the findings that keep a bill in review, worst first, each code once."""
    return list(dict.fromkeys(finding.code for finding in _open_findings(open_needs)))


def because(open_needs: Needs) -> list[str]:
    """Return the texts of the same findings, cut to what a workflow may carry: the match result has them in full."""
    return [finding.message[:MESSAGE_LENGTH] for finding in _open_findings(open_needs)[:MESSAGES]]


def _open_findings(open_needs: Needs) -> Sequence[Finding]:
    return (*open_needs.fix, *open_needs.release, *open_needs.acknowledge)


def order_lines(result: MatchResult) -> dict[tuple[PurchaseOrderId, int], OrderLineToMatch]:
    """Return the order lines that a match looked at, by order and line number."""
    return {(order.id, line.line_no): line for order in result.inputs.orders for line in order.lines}


def reserved(order_line: OrderLineToMatch, line: BillLineToMatch) -> tuple[Decimal, str | None]:
    """Return what a bill line takes of its order line: the quantity in the order's unit, and the fraction if that is
    rounded.

    For a unit that nobody has entered nothing is known, so nothing is taken (the bill is on hold).
    """
    quantity = line.quantity if order_line.basis == "amount" else in_order_unit(order_line, line)
    if quantity is None:
        return ZERO, None
    return number(quantity)


def number(quantity: Exact) -> tuple[Decimal, str | None]:
    """Return a quantity as a column stores it, and the fraction `n/d` if its decimals do not end."""
    if isinstance(quantity, Fraction):
        return rounded(quantity, PLACES), f"{quantity.numerator}/{quantity.denominator}"
    return quantity, None


def line_sources(result: MatchResult) -> dict[int, list[dict[str, str]]]:
    """Return what each bill line is converted from in the ERP, by line number, as the line stores it.

    Each source is a dict with `document_id`, `line` and `quantity`.
    """
    sources: dict[int, list[dict[str, str]]] = {}
    for line_no, chosen in choose_sources(result.inputs.orders, result.inputs.bill).items():
        kept = []
        for source in chosen:
            quantity, exact = number(source.quantity)
            one = {"document_id": str(source.document_id), "line": str(source.line), "quantity": f"{quantity:f}"}
            kept.append(one if exact is None else {**one, "exact": exact})
        sources[line_no] = kept
    return sources


class MatchedBill(NamedTuple):
    """A requested bill with its match: what it would be saved as."""

    asked: RequestedBill
    connection: ConnectionRow
    orders: Sequence[Order]
    """The home order comes first; none of a bill without an order."""
    placed: Mapping[int, Placed]
    """Where its lines on no order go, by number."""
    result: MatchResult
    status: BillStatus
    needs: Needs

    @property
    def home(self) -> PurchaseOrderRow | None:
        """Return the row of the bill's home order; None: it is without an order."""
        return self.orders[0].row if self.orders else None

    @property
    def refused(self) -> bool:
        """Return whether the bill is not saved at all."""
        return self.result.outcome is Outcome.BLOCK


async def match_requested(
    session: AsyncSession,
    connection: ConnectionRow,
    home: PurchaseOrderRow | None,
    asked: RequestedBill,
    *,
    bill_id: BillId | None,
) -> MatchedBill:
    """Match a requested bill with what holds now: the same for a dry run and for a save. `home`: the row of its home
    order; None: it is without an order.

    Raises:
        Refused: An order has no such line any more, or a line on no order has no account to go to.
    """
    of_entity = asked.entity or connection.entity or (home.entity if home is not None else None)
    placed = await place(session, connection, asked.account_lines, on_order=home is not None, entity=of_entity)
    if asked.posting_date is None:
        entity = asked.entity or (home.entity if home is not None else None)
        day = await posting_date(session, connection, asked.bill_date, entity=entity)
        asked = asked.model_copy(update={"posting_date": day})
    orders = (
        [] if home is None else await read_orders(session, await order_rows(session, home, asked), without_bill=bill_id)
    )
    bill = bill_to_match(asked, orders, connection, placed)
    result = await run_match(session, connection, orders, bill, bill_id=bill_id)
    after_match, open_needs = status_after_match(result, asked.acknowledge)
    return MatchedBill(
        asked,
        connection,
        orders,
        placed,
        result,
        status_at_entry(connection, after_match, direct=not orders),
        open_needs,
    )


async def match_and_store(
    session: AsyncSession,
    connection: ConnectionRow,
    home: PurchaseOrderRow | None,
    asked: RequestedBill,
    *,
    bill_id: BillId,
    request_key: str,
) -> tuple[MatchedBill, dict[str, Any]]:
    """Match a requested bill and store the result, that of a refused one without the bill; return both, the latter as
    the JSON that is answered.

    Raises:
        Refused: as `match_requested`.
    """
    matched = await match_requested(session, connection, home, asked, bill_id=bill_id)
    result = dict(to_stored_json(matched.result))
    await match_results.save(
        session,
        connection_id=ConnectionId(connection.id),
        purchase_order_id=asked.purchase_order_id,
        bill_id=None if matched.refused else bill_id,
        request_key=request_key,
        outcome=matched.result.outcome,
        mode=matched.result.matched_in,
        result=result,
        why=match_results.ASKED_FOR,
    )
    return matched, result


def new_bill(
    matched: MatchedBill, bill_id: BillId, *, created_by: str, due_on: date | None, terms: str | None = None
) -> bills.NewBill:
    """Return the bill to save: matched lines, completed with the accounts and dimensions of the order's lines, and the
    lines on no order."""
    asked, connection, result = matched.asked, matched.connection, matched.result
    home, bill = matched.home, result.inputs.bill
    return bills.NewBill(
        id=bill_id,
        organization_id=OrganizationId(connection.organization_id),
        connection_id=ConnectionId(connection.id),
        purchase_order_id=None if home is None else PurchaseOrderId(home.id),
        order_number="" if home is None else home.number,
        vendor_id=bill.vendor_id,
        vendor_name=home.vendor_name
        if home is not None and bill.vendor_id == home.vendor_id
        else bill.vendor_name or bill.vendor_id,
        number=asked.number,
        number_key=number_key(asked.number),
        bill_date=asked.bill_date,
        posting_date=asked.posting_date or asked.bill_date,
        due_date=due_on,
        currency=(bill.currency or connection.base_currency) if home is None else home.currency,
        memo=asked.memo,
        total=rounded(bill_total(bill), 2),
        invoice_total=asked.total,
        charges=[
            NewCharge(kind=ChargeKind(one.charge_class), amount=one.amount, description=one.description)
            for one in asked.charges
        ],
        tax=asked.tax or ZERO,
        discount=asked.discount,
        match_outcome=result.outcome,
        matched_terms=terms,
        part_of=bill.part_of,
        repeats_number=bill.part_of is not None or any(one.code == "DUPLICATE_NUMBER" for one in result.findings),
        created_by=created_by,
        lines=_lines_to_save(matched),
        status=matched.status,
        entity=bill.entity if home is None else None,
        term=asked.term,
        match_mode=bill.match_mode,
        small=result.mode_set_by == SMALL,
    )


def _lines_to_save(matched: MatchedBill) -> list[NewBillLine]:
    asked, orders, result = matched.asked, matched.orders, matched.result
    stored_lines = {(order.id, no): line for order in orders for no, line in order.stored_lines.items()}
    ordered = order_lines(result)
    sources = line_sources(result)
    lines = [
        _account_line(position, line, matched.placed[position], coding(matched.connection, line))
        for position, line in enumerate(asked.lines, start=1)
        if line.off_order
    ]
    for line in result.inputs.bill.lines:
        wanted = asked.lines[line.line_no - 1]
        where = (line.purchase_order_id, line.order_line_no)
        order_line = stored_lines[where]
        quantity, exact_quantity = reserved(ordered[where], line)
        other_unit = bool(line.unit) and unit_key(line.unit) != unit_key(order_line.unit)
        lines.append(
            NewBillLine(
                line_no=line.line_no,
                purchase_order_id=line.purchase_order_id,
                order_line_no=line.order_line_no,
                item_id=order_line.item_id,
                description=_description(wanted, order_line),
                substitute=line.substitute,
                quantity=quantity,
                exact_quantity=exact_quantity,
                unit=order_line.unit,
                billed_quantity=line.quantity if other_unit else None,
                billed_unit=line.unit if other_unit else None,
                price=line.price,
                amount=line.amount,
                account=wanted.account,
                **coding(matched.connection, wanted, order_line)._asdict(),
                warehouse=wanted.warehouse or order_line.warehouse,
                custom=_own_fields({**order_line.custom, **(wanted.custom or {})}),
                sources=sources.get(line.line_no, []),
            )
        )
    return sorted(lines, key=lambda line: line.line_no)


def _own_fields(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _description(wanted: RequestedLine, order_line: LedgerLine) -> str:
    """Return the line's text: the caller's, else the order's; the ERP's bill has the order's item, so it names a
    substitute."""
    if wanted.description is not None:
        return wanted.description
    if wanted.substitute is None:
        return order_line.description
    return f"{wanted.substitute} in the place of {order_line.description or order_line.item_id}"


def _account_line(position: int, line: RequestedLine, where: Placed, coded: Coding) -> NewBillLine:
    return NewBillLine(
        line_no=position,
        order_line_no=None,
        item_id=where.item_id,
        description=line.description or "",
        quantity=None,
        unit="",
        price=None,
        amount=line.amount or ZERO,
        account=where.account,
        **coded._asdict(),
        custom=_own_fields(line.custom or {}),
        sources=[],
        off_order=True,
    )


def to_stored_json(result: MatchResult) -> Mapping[str, Any]:
    """Return the result as JSON, as it is stored and answered."""
    return result.model_dump(mode="json")
