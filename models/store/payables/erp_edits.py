"""Take over what people changed on a bill of ours in the ERP: its vendor, its number, its dates, and its lines.

A line is recognised by the order line that it bills, not by its place. What belongs to no order line is a charge here:
if it comes to another sum, the difference is kept as a charge of its own, so that lines and charges add up to the
total.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain.bills import BillStatus, ErpBill, ErpBillLine
from models.domain.invoice_numbers import number_key, number_parts
from models.store.payables.lines_by_item import named_by_items

ZERO = Decimal(0)
PLACES = 10
CHANGED_THERE = "changed in the accounting system"


class Header(NamedTuple):
    """The fields of a bill of ours that people may change in the ERP, as they are from now on."""

    vendor_id: str
    """Another one where people moved the bill there, or merged two vendors: it is paid to whom it is owed there."""
    number: str
    bill_date: date
    due_date: date | None


class LineNow(NamedTuple):
    """A line of a bill of ours as the ERP has it now. `item_id` and `order_line` are those of a line that is new."""

    bill_id: str
    line_no: int
    quantity: Decimal | None
    exact_quantity: str | None
    billed_quantity: Decimal | None
    price: Decimal | None
    amount: Decimal
    order_line: str = ""
    item_id: str | None = None
    description: str = ""
    account: str | None = None
    """Of a line on no order, the account that it is on now; None: as it was."""


class Followed(NamedTuple):
    """What changes of one bill."""

    bill_id: str
    header: Header | None
    changed: Sequence[LineNow]
    added: Sequence[LineNow]
    removed: Sequence[int]
    charges: Sequence[Mapping[str, str]] | None
    before: Mapping[str, str]
    after: Mapping[str, str]

    @property
    def is_matched_otherwise(self) -> bool:
        """Return whether its match may come out otherwise now."""
        lines = self.changed or self.added or self.removed
        return bool(lines or self.charges is not None or "vendor_id" in self.after)


async def lines_of(connection: AsyncConnection, bill_ids: Sequence[str]) -> dict[str, list[Any]]:
    """Return the lines of these bills, each with the ERP's id of its order line, in their order."""
    rows = await connection.execute(
        text(
            "select l.bill_id, l.line_no, l.quantity, l.exact_quantity, l.billed_quantity, l.price, l.amount,"
            "   jsonb_array_length(l.sources) as sources, o.erp_id as order_line, l.off_order, l.account,"
            "   o.item_id, o.line_no as order_line_no, l.purchase_order_id"
            " from bill_lines l left join purchase_order_lines o"
            "   on o.purchase_order_id = l.purchase_order_id and o.line_no = l.purchase_order_line_no"
            " where l.bill_id = any(cast(:ids as text[])) order by l.bill_id, l.line_no"
        ),
        {"ids": list(bill_ids)},
    )
    lines: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        lines[row.bill_id].append(row)
    return lines


def followed(stored: Any, lines: Sequence[Any], bill: ErpBill) -> Followed | None:
    """Return what of a bill of ours follows the ERP; None: nothing changed there, or the bill is not settled there."""
    status = BillStatus(stored.status)
    if status.is_before_erp or status.is_void:
        return None  # what the ERP has of it is compared by its own push
    if bill.items_name_order_lines:
        bill = named_by_items(lines, bill)
    header = _header(stored, bill)
    # Lines beside their order name none there, so that nobody knows which they are.
    changed, added, removed = ([], [], []) if stored.is_kept else _lines(stored.id, lines, bill)
    charges = None
    if stored.direct:
        changed, removed = _direct_lines(stored.id, lines, bill)
        now = {line.line_no: line.amount for line in changed}
        kept = [line for line in lines if line.line_no not in removed]
        charges = _charges(stored, bill.total - sum((now.get(line.line_no, line.amount) for line in kept), ZERO))
    elif _names_order_lines(bill) and not stored.is_kept:
        on_order = sum((line.amount for line in bill.lines if line.order_line is not None), ZERO)
        off_order = sum((line.amount for line in lines if line.off_order), ZERO)
        charges = _charges(stored, bill.total - on_order - off_order)
    if header is None and not changed and not added and not removed and charges is None:
        return None
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    if header is not None:
        for name, value in header._asdict().items():
            if value != getattr(stored, name):
                before[name], after[name] = str(getattr(stored, name)), str(value)
    by_no = {line.line_no: line for line in lines}
    for line in changed:
        was = by_no[line.line_no]
        before[f"line {line.line_no}"] = f"{was.quantity} at {was.price}: {was.amount}"
        after[f"line {line.line_no}"] = f"{line.quantity} at {line.price}: {line.amount}"
        if line.account is not None:
            before[f"line {line.line_no} account"], after[f"line {line.line_no} account"] = was.account, line.account
    for line in added:
        after[f"line {line.line_no}"] = f"{line.quantity} at {line.price}: {line.amount}"
    for line_no in removed:
        before[f"line {line_no}"] = f"{by_no[line_no].quantity} at {by_no[line_no].price}: {by_no[line_no].amount}"
    return Followed(stored.id, header, changed, added, removed, charges, before, after)


def _header(stored: Any, bill: ErpBill) -> Header | None:
    number = bill.number
    if not number or number in (bill.external_key, bill.source_document) or _is_numbered_anew(stored, number):
        number = stored.number  # the ERP numbers the payable by itself
    due_date = stored.due_date
    if due_date is not None and bill.due_date is not None and not stored.edit_pending:
        due_date = bill.due_date
    now = Header(bill.vendor_id, number, bill.bill_date, due_date)
    return None if now == (stored.vendor_id, stored.number, stored.bill_date, stored.due_date) else now


def _is_numbered_anew(stored: Any, number: str) -> bool:
    """Return whether the number is the one that a bill made anew was sent under, because the generation before it keeps
    the supplier's number taken in the ERP."""
    return bool(stored.generation > 1 and number == f"{stored.number}-{stored.generation}")


def _names_order_lines(bill: ErpBill) -> bool:
    return any(line.order_line is not None for line in bill.lines)


def _lines(bill_id: str, stored: Sequence[Any], bill: ErpBill) -> tuple[list[LineNow], list[LineNow], list[int]]:
    """Return the lines that changed, those that are new, and the numbers of those that are gone.

    A reading that names no order line at all says nothing of them: the link is what is missing.
    """
    if not _names_order_lines(bill):
        return [], [], []
    theirs: dict[str, list[ErpBillLine]] = defaultdict(list)
    for line in bill.lines:
        if line.order_line is not None:
            theirs[line.order_line].append(line)
    ours: dict[str | None, list[Any]] = defaultdict(list)
    for row in stored:
        ours[row.order_line].append(row)
    changed: list[LineNow] = []
    removed: list[int] = []
    for order_line, rows in ours.items():
        if order_line is None:
            continue
        for row, share in zip(rows, _shares(rows, theirs.pop(order_line, [])), strict=True):
            if not share:
                removed.append(row.line_no)
            elif (now := _now(bill_id, row, share)) is not None:
                changed.append(now)
    last = max((row.line_no for row in stored), default=0)
    added = [
        LineNow(
            bill_id,
            last + place,
            line.quantity,
            None,
            None,
            _price(line.amount, line.quantity),
            line.amount,
            order_line,
            line.item_id,
            line.description,
        )
        for place, (order_line, line) in enumerate(
            ((order_line, line) for order_line, some in theirs.items() for line in some), start=1
        )
    ]
    return changed, added, removed


def _direct_lines(bill_id: str, stored: Sequence[Any], bill: ErpBill) -> tuple[list[LineNow], list[int]]:
    """Return the lines of a bill without an order that changed, and the numbers of those that are gone. They are
    recognised by their place; what stands behind them there are charges."""
    theirs = sorted(bill.lines, key=lambda line: line.line_no)
    changed = []
    for row, line in zip(stored, theirs, strict=False):
        account = line.account if line.account not in (None, row.account) else None
        if line.amount != row.amount or account is not None:
            changed.append(
                LineNow(bill_id, row.line_no, row.quantity, None, None, row.price, line.amount, account=account)
            )
    return changed, [row.line_no for row in stored[len(theirs) :]]


def _shares(rows: Sequence[Any], theirs: Sequence[ErpBillLine]) -> list[Sequence[ErpBillLine]]:
    """Share the ERP's lines of one order line among ours, in their order: each of ours was sent as one line for each of
    its sources. What is more goes to the last."""
    if len(rows) == 1:
        return [theirs]
    shares: list[Sequence[ErpBillLine]] = []
    left = list(theirs)
    as_sent = len(theirs) == sum(max(row.sources, 1) for row in rows)
    for row in rows:
        taken = max(row.sources, 1) if as_sent else 1
        shares.append(left[:taken])
        left = left[taken:]
    shares[-1] = [*shares[-1], *left]
    return shares


def _now(bill_id: str, row: Any, share: Sequence[ErpBillLine]) -> LineNow | None:
    amount = sum((line.amount for line in share), ZERO)
    quantities = [line.quantity for line in share if line.quantity is not None]
    quantity = sum(quantities, ZERO) if quantities else None
    known = {row.quantity, row.billed_quantity, None if row.quantity is None else round(row.quantity, PLACES)}
    if amount == row.amount and (quantity is None or quantity in known):
        return None
    if quantity is None or quantity in known:
        return LineNow(
            bill_id,
            row.line_no,
            row.quantity,
            row.exact_quantity,
            row.billed_quantity,
            _price(amount, row.billed_quantity or row.quantity),
            amount,
        )
    if row.exact_quantity is not None and row.billed_quantity:  # it was sent in the supplier's unit
        exact = Fraction(row.exact_quantity) * Fraction(quantity) / Fraction(row.billed_quantity)
        rounded = round(Decimal(exact.numerator) / Decimal(exact.denominator), 2 * PLACES)
        text_form = f"{exact.numerator}/{exact.denominator}"
        return LineNow(bill_id, row.line_no, rounded, text_form, quantity, _price(amount, quantity), amount)
    billed = None
    if row.billed_quantity is not None and row.quantity:
        billed = row.billed_quantity * quantity / row.quantity
    return LineNow(bill_id, row.line_no, quantity, None, billed, _price(amount, billed or quantity), amount)


def _price(amount: Decimal, quantity: Decimal | None) -> Decimal | None:
    return amount / quantity if quantity else None


def _charges(stored: Any, wanted: Decimal) -> list[Mapping[str, str]] | None:
    """Return the charges as they are now, if what is on no order line comes to another sum than ours do."""
    kept = [charge for charge in stored.charges if charge["description"] != CHANGED_THERE]
    ours = sum((Decimal(charge["amount"]) for charge in stored.charges), ZERO) + stored.tax - stored.discount
    if ours == wanted:
        return None
    without = sum((Decimal(charge["amount"]) for charge in kept), ZERO) + stored.tax - stored.discount
    if without == wanted:
        return kept
    return [*kept, {"class": "other", "amount": str(wanted - without), "description": CHANGED_THERE}]


async def write(connection: AsyncConnection, changes: Sequence[Followed]) -> None:
    """Store what follows the ERP; the caller has locked the bills and stores their figures."""
    headers = [(one.bill_id, one.header) for one in changes if one.header is not None]
    if headers:
        await connection.execute(
            text(
                "update bills b set vendor_id = n.vendor_id, vendor_name = case when b.vendor_id = n.vendor_id"
                "     then b.vendor_name else coalesce((select v.name from list_entries v"
                "       where v.connection_id = b.connection_id and v.kind = 'vendor' and v.key = n.vendor_id"
                "         and v.deleted_at is null limit 1), '') end,"
                "   number = n.number, number_key = n.number_key, number_parts = n.number_parts,"
                "   bill_date = n.bill_date, due_date = n.due_date,"
                # Another bill may have the number already: the ERP let people give it twice.
                "   repeats_number = b.repeats_number or b.number_parts <> n.number_parts or b.vendor_id <> n.vendor_id"
                " from unnest(cast(:ids as text[]), cast(:vendors as text[]), cast(:numbers as text[]),"
                "   cast(:keys as text[]), cast(:parts as text[]), cast(:dates as date[]), cast(:due as date[]))"
                "   as n(id, vendor_id, number, number_key, number_parts, bill_date, due_date) where b.id = n.id"
            ),
            {
                "ids": [bill_id for bill_id, _ in headers],
                "vendors": [header.vendor_id for _, header in headers],
                "numbers": [header.number for _, header in headers],
                "keys": [number_key(header.number) for _, header in headers],
                "parts": [number_parts(header.number) for _, header in headers],
                "dates": [header.bill_date for _, header in headers],
                "due": [header.due_date for _, header in headers],
            },
        )
    for one in changes:
        if one.charges is not None:
            await connection.execute(
                text("update bills set charges = cast(:charges as jsonb) where id = :id"),
                {"id": one.bill_id, "charges": json.dumps(list(one.charges))},
            )
        for line in one.changed:
            await connection.execute(_UPDATE_LINE, line._asdict())
        for line in one.added:
            await connection.execute(_ADD_LINE, line._asdict())
        if one.removed:
            await connection.execute(
                text("delete from bill_lines where bill_id = :id and line_no = any(cast(:lines as int[]))"),
                {"id": one.bill_id, "lines": list(one.removed)},
            )


_UPDATE_LINE = text(
    "update bill_lines set quantity = :quantity, exact_quantity = :exact_quantity, billed_quantity = :billed_quantity,"
    "   price = :price, amount = :amount, account = coalesce(cast(:account as varchar), account)"
    " where bill_id = :bill_id and line_no = :line_no"
)

_ADD_LINE = text(
    "insert into bill_lines (bill_id, line_no, purchase_order_id, purchase_order_line_no, item_id, description,"
    "   quantity, unit, price, amount, sources, reserves)"
    " select b.id, :line_no, o.purchase_order_id, o.line_no, :item_id, :description, :quantity, coalesce(o.unit, ''),"
    "   :price, :amount, '[]', false"
    " from bills b left join purchase_order_lines o on o.erp_id = :order_line and o.purchase_order_id in ("
    "   select b.purchase_order_id union select purchase_order_id from bill_lines where bill_id = b.id)"
    " where b.id = :bill_id limit 1"
)
