"""Which receipt a billed quantity belongs to: first in, first out (matching rules 3.6)."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from matching.exact import ZERO, Exact, add, multiply, subtract
from matching.ledger import LineLedger
from models.domain import DocumentId, ErpId, Record


class ReceiptLineToBill(Record):
    """One received line of the order line in question, in the order line's unit."""

    document_id: DocumentId
    number: str
    received_on: date
    line_no: int
    line: ErpId
    received: Exact
    returned: Exact = ZERO
    """Sent back to the vendor out of this receipt."""
    consumed: Exact = ZERO
    """What was billed of it: in the ERP, or by bills of ours on their way there."""

    @property
    def left(self) -> Exact:
        """What may still be billed of it; not below zero where it was billed beyond itself."""
        return max(subtract(subtract(self.received, self.returned), self.consumed), ZERO)


class Allocation(NamedTuple):
    """Part of a bill's quantity and the receipt line it is taken from."""

    document_id: DocumentId
    line: ErpId
    quantity: Exact


class Allocated(NamedTuple):
    """All of a bill line's quantity; `unallocated` is what is billed beyond the receipts."""

    allocations: tuple[Allocation, ...]
    unallocated: Exact


def allocate_to_receipts(quantity: Exact, receipt_lines: Iterable[ReceiptLineToBill]) -> Allocated:
    """Take a quantity from the receipts, oldest date first, then lowest number; never more than a line has left."""
    left = quantity
    allocations: list[Allocation] = []
    for line in sorted(receipt_lines, key=_age):
        taken = min(left, line.left)
        if taken > 0:
            allocations.append(Allocation(line.document_id, line.line, taken))
            left = subtract(left, taken)
    return Allocated(tuple(allocations), left)


def over_received(ledger: LineLedger, tolerated_percent: Decimal = ZERO) -> Exact:
    """How much more arrived than was ordered and tolerated; zero if not (R08). A flag, not a refusal."""
    ordered = ledger.effective_ordered
    most = add(ordered, multiply(multiply(ordered, tolerated_percent), _HUNDREDTH))
    return max(subtract(ledger.net_received, most), ZERO)


_HUNDREDTH = Decimal("0.01")


def _age(line: ReceiptLineToBill) -> tuple[date, tuple[tuple[int, str], ...], int]:
    # Receipt 9 comes before receipt 10, which plain text order would turn round.
    parts = re.findall(r"\d+|\D+", line.number)
    natural = tuple((len(part.lstrip("0")), part.lstrip("0")) if part.isdecimal() else (0, part) for part in parts)
    return line.received_on, natural, line.line_no
