"""Decide which receipt a billed quantity belongs to: first in, first out."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from matching.kernel.exact import ZERO, Exact, add, multiply, subtract
from matching.kernel.ledger import LineLedger
from models.domain.ids import DocumentId, ErpId
from models.domain.record import Record


class ReceiptLineToBill(Record):
    """One received line of the order line, in the order line's unit."""

    document_id: DocumentId
    number: str
    received_on: date
    line_no: int
    line: ErpId
    received: Exact
    returned: Exact = ZERO
    """Sent back to the vendor from this receipt."""
    consumed: Exact = ZERO
    """What was billed of it: in the ERP, or by our bills on their way there."""

    in_use: str = ""
    """What draft is made of the receipt in the ERP, in words; empty: none."""

    @property
    def left(self) -> Exact:
        """Return what may still be billed of it; zero if more than all of it was billed."""
        return max(subtract(subtract(self.received, self.returned), self.consumed), ZERO)


class Allocation(NamedTuple):
    """Part of a bill's quantity and the receipt line it is taken from."""

    document_id: DocumentId
    line: ErpId
    quantity: Exact


class Allocated(NamedTuple):
    """The whole quantity of a bill line; `unallocated` is what is billed beyond the receipts."""

    allocations: tuple[Allocation, ...]
    unallocated: Exact


def allocate_to_receipts(quantity: Exact, receipt_lines: Iterable[ReceiptLineToBill]) -> Allocated:
    """Take a quantity from the receipts: oldest date first, then lowest number, never more than a line has left."""
    left = quantity
    allocations: list[Allocation] = []
    for line in sorted(receipt_lines, key=_age):
        taken = min(left, line.left)
        if taken > 0:
            allocations.append(Allocation(line.document_id, line.line, taken))
            left = subtract(left, taken)
    return Allocated(tuple(allocations), left)


def over_received(ledger: LineLedger, tolerated_percent: Decimal = ZERO) -> Exact:
    """Return how much more was received than ordered and tolerated; zero if not. It is a flag, not a refusal."""
    ordered = ledger.effective_ordered
    most = add(ordered, multiply(multiply(ordered, tolerated_percent), _HUNDREDTH))
    return max(subtract(ledger.net_received, most), ZERO)


_HUNDREDTH = Decimal("0.01")


def _age(line: ReceiptLineToBill) -> tuple[date, tuple[tuple[int, str], ...], int]:
    # Receipt 9 comes before receipt 10; sorted as text they would be the other way round.
    parts = re.findall(r"\d+|\D+", line.number)
    natural = tuple((len(part.lstrip("0")), part.lstrip("0")) if part.isdecimal() else (0, part) for part in parts)
    return line.received_on, natural, line.line_no
