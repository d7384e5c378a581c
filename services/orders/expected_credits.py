"""Work out which credits are expected: goods that were billed, went back to the vendor, and were not credited yet.

A credit that names the return closes it. What is not billed beyond what was kept expects no credit, whatever gave it
back: another credit of goods, or a bill that was entered after the return.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlmodel.ext.asyncio.session import AsyncSession

from matching.kernel.exact import as_decimal, rounded
from matching.rules.credits import expected_credit
from models.domain.bills import BillMatchMode
from models.domain.ids import OrganizationId, PurchaseOrderId
from models.store.base.today import today_in
from models.store.orders import ledger, returns
from models.store.orders.returns import Return, ReturnSort, ReturnsWanted
from services.bills.matching import ledger_of

ZERO = Decimal(0)
MOST_AT_ONCE = 200
"""How many returns are looked at together for those whose credit is expected."""

LineKey = tuple[PurchaseOrderId, int]


@dataclass(frozen=True, slots=True)
class ShownReturn:
    """A return with the credit that is expected for it."""

    returned: Return
    expected: tuple[Decimal, ...]
    """By line, the quantity that a credit is expected for."""
    amount: Decimal
    """What it is worth, at the price that was billed."""
    days: int
    """How long it is waited for; 0: it is not."""


async def show(session: AsyncSession, organization_id: OrganizationId, items: Sequence[Return]) -> list[ShownReturn]:
    """Return these returns, each with the credit that is expected for it."""
    orders = {one.purchase_order_id for one in items if one.purchase_order_id is not None}
    of_same_orders = await returns.of_orders(session, organization_id, orders) if orders else []
    gaps = await _gaps(session, orders)
    expected: dict[str, tuple[Decimal, ...]] = {}
    # The oldest first: what is missing on a line is asked of the return that waits longest.
    for one in of_same_orders:
        expected[one.id] = tuple(_take(one, gaps))
    return [_shown(one, expected.get(one.id, tuple(ZERO for _ in one.lines))) for one in items]


async def page(
    session: AsyncSession,
    wanted: ReturnsWanted,
    *,
    is_open: bool | None,
    sort: ReturnSort = ReturnSort.DATE,
    limit: int,
    cursor: str | None,
) -> tuple[list[ShownReturn], str | None]:
    """Return one page of returns in the order of `sort`, and the cursor of the next; `is_open`: only those whose credit
    is, or is not, expected.

    Raises:
        CursorUnreadable: The cursor is not one of ours, or belongs to another order of the list.
    """
    organization_id = wanted.organization_id
    if is_open is None:
        listing = await returns.page(session, wanted, sort=sort, limit=limit, cursor=cursor)
        return await show(session, organization_id, listing.items), listing.next_cursor
    matches: list[ShownReturn] = []
    while True:
        batch = await returns.page(session, wanted, sort=sort, limit=MOST_AT_ONCE, cursor=cursor)
        shown = await show(session, organization_id, batch.items)
        matches += [one for one in shown if (one.amount > 0) is is_open]
        if len(matches) > limit:
            matches = matches[:limit]
            return matches, returns.cursor_behind(matches[-1].returned, sort)
        if batch.next_cursor is None:
            return matches, None
        cursor = batch.next_cursor


async def _gaps(session: AsyncSession, orders: Iterable[PurchaseOrderId]) -> dict[LineKey, Decimal]:
    """Return what is billed, was returned and is not credited, by order line: in quantity."""
    gaps: dict[LineKey, Decimal] = {}
    for order_id, lines in (await ledger.lines_of(session, orders)).items():
        for line in lines:
            if line.returned:
                quantities = ledger_of(line)
                missing = as_decimal(expected_credit(BillMatchMode.THREE_WAY, quantities))
                gaps[order_id, line.line_no] = missing
    return gaps


def _take(one: Return, gaps: dict[LineKey, Decimal]) -> Iterable[Decimal]:
    """Yield, by line, the quantity that a credit is expected for, and take it off what is missing."""
    worth = sum((line.quantity * line.price for line in one.lines), ZERO)
    uncredited = max(1 - one.credited / worth, ZERO) if worth > 0 else Decimal(0 if one.credited else 1)
    for line in one.lines:
        if not one.three_way or line.purchase_order_id is None or line.order_line_no is None:
            yield ZERO
            continue
        key = (line.purchase_order_id, line.order_line_no)
        quantity = min(rounded(line.quantity * uncredited, 9), gaps.get(key, ZERO))
        gaps[key] = gaps.get(key, ZERO) - quantity
        yield quantity


def _shown(one: Return, expected: tuple[Decimal, ...]) -> ShownReturn:
    amount = sum((quantity * line.price for quantity, line in zip(expected, one.lines, strict=True)), ZERO)
    amount = rounded(amount, 2)
    days = max((today_in(one.time_zone) - one.returned_on).days, 0) if amount > 0 else 0
    return ShownReturn(one, expected, amount, days)
