"""Find the order lines that the rows of a bill are for: as named in the file, else by the item, else as suggested where
that is sure enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from api.bills.line_suggestions import Guess, LineOfInvoice, LineSuggestion, NewSuggestions, suggest_lines
from api.bills.suggested_draft import NewDraft
from api.bills.suggested_draft import draft as draft_from_invoice
from api.http.auth import Caller
from api.http.services import ServiceSet
from api.imports.orders_meant import UnknownOrder, find_order, vendor_id
from matching.suggest.suggestion import Confidence
from models.domain.ids import ConnectionId, PurchaseOrderId
from models.store.connections import connections
from models.store.orders import ledger
from models.store.orders.ledger import LedgerLine
from services.imports.bill_file import FileBill, FileLine
from services.imports.outcomes import BillOutcome


class Place(NamedTuple):
    order_id: str
    order_line_no: int
    order_line_id: str


class Unplaced(Exception):
    """A bill that is not entered because its order or order line is not known."""

    def __init__(self, outcome: BillOutcome, code: str, detail: str) -> None:
        self.outcome = outcome
        self.code = code
        super().__init__(detail)


class MeantOrder(NamedTuple):
    order_id: str
    lines: Sequence[LedgerLine]


@dataclass
class OrderFinder:
    """Finds the order line of each row, and remembers what one import has looked up."""

    services: ServiceSet
    caller: Caller
    connection: ConnectionId | None
    """The one to search; None: all of the organization, and the only one for rows that name no order."""
    accept: Confidence
    orders: dict[tuple[str, str], MeantOrder | str] = field(default_factory=dict)
    """By vendor and number as the file has them: the order, or why there is none."""

    async def place(self, bill: FileBill, lines: Mapping[int, FileLine]) -> list[Place]:
        """Return the order line of each of these lines, which are named by their line in the file.

        Raises:
            Unplaced: one has no order line that is sure enough.
            Problem: suggestions cannot be made.
        """
        places: dict[int, Place] = {}
        unnamed: dict[str, list[int]] = {}
        for row, line in lines.items():
            number = line.po_number or bill.po_number
            place = _named_on(await self.order(bill, number), line) if number else None
            if place is None:
                unnamed.setdefault(number, []).append(row)
            else:
                places[row] = place
        named = set(places.values())
        for number, rows in unnamed.items():
            asked = [_as_invoice_line(lines[row]) for row in rows]
            placed = await (self._on_order(bill, number, rows, asked) if number else self._anywhere(bill, rows, asked))
            for row, place in zip(rows, placed, strict=True):
                if place in named or lines[row].po_line_no not in (None, place.order_line_no):
                    detail = f"line {row} fits line {place.order_line_no}, which the file contradicts"
                    raise Unplaced(BillOutcome.UNSURE, "LINE_UNSURE", detail)
                places[row] = place
        return [places[row] for row in lines]

    async def order(self, bill: FileBill, number: str) -> MeantOrder:
        """Return the order of this number and the bill's vendor.

        Raises:
            Unplaced: there is none.
        """
        wanted = (bill.vendor_id, number)
        if wanted not in self.orders:
            async with self.services.database.transaction() as session:
                try:
                    row = await find_order(session, self.caller.organization_id, self.connection, *wanted)
                except UnknownOrder as unknown:
                    self.orders[wanted] = str(unknown)
                else:
                    self.orders[wanted] = MeantOrder(row.id, await ledger.lines(session, PurchaseOrderId(row.id)))
        order = self.orders[wanted]
        if isinstance(order, str):
            raise Unplaced(BillOutcome.NO_PURCHASE_ORDER, "UNKNOWN_PO", order)
        return order

    async def the_connection(self) -> ConnectionId:
        """Return the connection that bills without an order number belong to.

        Raises:
            Unplaced: there are several, and none was named.
        """
        if self.connection is None:
            async with self.services.database.transaction() as session:
                known = await connections.in_use(session, self.caller.organization_id)
            if len(known) != 1:
                detail = "the invoice names no purchase order; say which connection it belongs to (`connection`)"
                raise Unplaced(BillOutcome.NO_PURCHASE_ORDER, "NO_PO_NUMBER", detail)
            self.connection = ConnectionId(known[0].id)
        return self.connection

    async def _anywhere(self, bill: FileBill, rows: Sequence[int], asked: list[LineOfInvoice]) -> list[Place]:
        """Return an order line for each row, from all open orders of the vendor."""
        connection = await self.the_connection()
        async with self.services.database.transaction() as session:
            vendor = await vendor_id(session, connection, bill.vendor_id)
        new = NewSuggestions(connection_id=connection, vendor_id=vendor, text=bill.memo, lines=asked)
        result = (await suggest_lines(new, self.caller, self.services)).items
        if not any(item.proposed for item in result):
            guesses = [guess for item in result for guess in item.others[:1]]
            detail = "the invoice names no purchase order, and no open one of the vendor fits"
            nearest = f"; nearest is {_in_words(guesses[0])}" if guesses else ""
            raise Unplaced(BillOutcome.NO_PURCHASE_ORDER, "NO_PO_NUMBER", detail + nearest)
        return [self._sure_enough(row, item) for row, item in zip(rows, result, strict=True)]

    async def _on_order(
        self, bill: FileBill, number: str, rows: Sequence[int], asked: list[LineOfInvoice]
    ) -> list[Place]:
        """Return an order line for each row, from the lines of one order."""
        order = await self.order(bill, number)
        new = NewDraft(lines=asked, text=bill.memo, accept=self.accept)
        draft = await draft_from_invoice(order.order_id, new, self.caller, self.services)
        for item in draft.unassigned:
            self._sure_enough(rows[item.line_no - 1], item)
        return [Place(order.order_id, line.order_line_no, line.order_line_id) for line in draft.lines]

    def _sure_enough(self, row: int, item: LineSuggestion) -> Place:
        proposed = item.proposed
        if proposed is not None and item.confidence.reaches(self.accept):
            return Place(proposed.purchase_order_id, proposed.order_line_no, proposed.order_line_id)
        guess = proposed or (item.others[0] if item.others else None)
        if guess is None:
            raise Unplaced(BillOutcome.UNSURE, "LINE_UNSURE", f"line {row} names no order line, and none fits it")
        detail = f"line {row} names no order line; best guess ({item.confidence}): {_in_words(guess)}"
        raise Unplaced(BillOutcome.UNSURE, "LINE_UNSURE", detail)


def _named_on(order: MeantOrder, row: FileLine) -> Place | None:
    """Return the order's line that a row names by its number as it is now, or else by its item, if only one has it.

    A number that the order does not have is sent as it is, and answered by the match.
    """
    if row.po_line_no is not None:
        lines = [line for line in order.lines if line.line_no == row.po_line_no]
        return Place(order.order_id, row.po_line_no, lines[0].erp_id if lines else "")
    lines = [line for line in order.lines if row.item_id and line.item_id == row.item_id]
    return Place(order.order_id, lines[0].line_no, lines[0].erp_id) if len(lines) == 1 else None


def _as_invoice_line(line: FileLine) -> LineOfInvoice:
    return LineOfInvoice(
        description=line.description,
        item_code=line.item_id,
        quantity=line.quantity,
        unit=line.unit,
        price=line.price,
        amount=line.amount,
    )


def _in_words(guess: Guess) -> str:
    reasons = "; ".join(reason.text for reason in guess.reasons[:3])
    return f"{guess.purchase_order_number} line {guess.order_line_no} ({reasons})"
