"""Work out the money on an order: what is billed, paid, scheduled, owed and outstanding, per line and in total.

billed = E + P - C; paid = posted; scheduled = planned, or waiting for the ERP; outstanding = ordered - billed;
owed = billed - paid.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from matching.kernel.exact import as_decimal, rounded
from models.domain.orders import LineBasis, PoStatus
from models.store.orders.ledger import LedgerLine
from models.store.orders.order_payments import LinePayments, OffLines
from services.bills.matching import ledger_of

ZERO = Decimal(0)
CLOSED_UNBILLED = "CLOSED_UNBILLED"
PERCENT_PLACES = 1


class Figures(NamedTuple):
    """Money of one line, or of the whole order."""

    ordered: Decimal
    """O - X."""
    cancelled: Decimal
    """X: what was not billed when the line, or the order, was closed."""
    received: Decimal
    returned: Decimal
    billed: Decimal
    credited: Decimal
    """What credits took off: for the order also those that give no quantity back."""
    paid: Decimal
    scheduled: Decimal
    outstanding: Decimal
    owed: Decimal
    received_percent: Decimal | None
    """Of what is ordered; None: nothing is."""
    billed_percent: Decimal | None


class LineFigures(NamedTuple):
    """One line's money, and its quantities that the percentages are of."""

    line_no: int
    billed_quantity: Decimal
    received_quantity: Decimal
    returned_quantity: Decimal
    outstanding_quantity: Decimal
    cancelled_quantity: Decimal
    money: Figures
    notices: tuple[str, ...]


class OrderMoney(NamedTuple):
    """The money on an order."""

    lines: Sequence[LineFigures]
    off_lines: Decimal
    """Charges, taxes, discounts and lines off the order on its bills; part of `billed` and `owed` of the whole."""
    whole: Figures
    notices: tuple[str, ...]


def order_money(
    status: PoStatus,
    lines: Sequence[LedgerLine],
    payments: Sequence[LinePayments],
    off: OffLines,
    *,
    filled_is_billed: bool,
) -> OrderMoney:
    """Return the money of an order whose ledger this is. `filled_is_billed`: the ERP calls an order filled once all of
    it is billed, not when it is received."""
    by_line = {one.line_no: one for one in payments}
    done = status is PoStatus.CLOSED or (filled_is_billed and status is PoStatus.FILLED)
    figures = [_line(line, by_line.get(line.line_no), done=done) for line in lines]
    beside = by_line.get(None, LinePayments(None, ZERO, ZERO))
    money = [one.money for one in figures]
    ordered = sum((one.ordered for one in money), ZERO)
    received = sum((one.received for one in money), ZERO)
    on_lines = sum((one.billed for one in money), ZERO)
    billed = on_lines + off.billed - off.credited
    paid = sum((one.paid for one in payments), ZERO)
    whole = Figures(
        ordered=ordered,
        cancelled=sum((one.cancelled for one in money), ZERO),
        received=received,
        returned=sum((one.returned for one in money), ZERO),
        billed=_cents(billed),
        credited=sum((one.credited for one in money), ZERO) + off.credited,
        paid=_cents(paid),
        scheduled=_cents(sum((one.scheduled for one in money), ZERO) + beside.scheduled),
        outstanding=_cents(ordered - on_lines),
        owed=_cents(billed - paid),
        received_percent=_percent(received, ordered),
        billed_percent=_percent(on_lines, ordered),
    )
    notices = tuple(dict.fromkeys(notice for one in figures for notice in one.notices))
    return OrderMoney(figures, _cents(off.billed), whole, notices)


def _line(line: LedgerLine, paid: LinePayments | None, *, done: bool) -> LineFigures:
    sums = ledger_of(line)
    by_amount = line.basis == LineBasis.AMOUNT
    received, billed = as_decimal(sums.net_received), as_decimal(sums.net_billed)
    ordered, wanted = as_decimal(sums.ordered), as_decimal(sums.effective_ordered)
    price, whole = line.price, line.ordered_amount
    if by_amount:
        money_ordered, money_received = wanted, received
    else:
        money_ordered = whole if wanted == ordered else _cents(wanted * price)
        money_received = whole if received == ordered else _cents(received * price)
    money_billed = line.billed_amount + line.pending_amount - line.credited_amount
    paid_money = ZERO if paid is None else paid.paid
    unbilled = (done or line.closed) and billed < (received if line.receivable else ordered)
    return LineFigures(
        line_no=line.line_no,
        billed_quantity=billed,
        received_quantity=received,
        returned_quantity=line.returned,
        outstanding_quantity=max(wanted - billed, ZERO),
        cancelled_quantity=line.cancelled,
        money=Figures(
            ordered=_cents(money_ordered),
            cancelled=_cents(whole - money_ordered),
            received=_cents(money_received),
            returned=_cents(line.returned * price),
            billed=_cents(money_billed),
            credited=_cents(line.credited_amount),
            paid=_cents(paid_money),
            scheduled=_cents(ZERO if paid is None else paid.scheduled),
            outstanding=_cents(money_ordered - money_billed),
            owed=_cents(money_billed - paid_money),
            received_percent=_percent(received, wanted),
            billed_percent=_percent(billed, wanted),
        ),
        notices=(CLOSED_UNBILLED,) if unbilled else (),
    )


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return None if whole == 0 else rounded(part / whole * 100, PERCENT_PLACES)


def _cents(amount: Decimal) -> Decimal:
    return rounded(amount, 2)
