"""The parts of a bill: where the ERP converts a document from one source, a bill over several sources is one document
per source there.

A bill has parts only while it has several sources; each part has a key of its own, and they are sent in turn.
`docs/reference/bills-in-parts.md` shows people what each event does to a bill and its parts.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from models.domain.bills import BillLineToPush, BillToPush
from models.domain.ids import DocumentId, ExternalKey
from models.domain.record import Record

CENT = Decimal("0.01")


class PartState(StrEnum):
    """Where one part of a bill stands in the ERP."""

    PLANNED = "planned"
    """Not in the ERP: its turn has not come, or its answer is awaited."""
    REFUSED = "refused"
    """The ERP refused it; it waits for a person."""
    IN_ERP = "in_erp"
    """Read back as it was sent."""
    LINK_MISSING = "link_missing"
    """The ERP holds it without the link to its source."""
    DIFFERS = "differs"
    """The ERP holds it otherwise than it was sent."""
    DELETED = "deleted"
    """Somebody deleted it in the ERP; the other parts are still there."""
    TAKEN_BACK = "taken_back"
    """Taken back from here."""

    @property
    def is_there(self) -> bool:
        """Return whether the ERP holds it."""
        return self in (PartState.IN_ERP, PartState.LINK_MISSING, PartState.DIFFERS)


class PartInErp(Record):
    """A part that the ERP holds, as it is looked at before any part of its bill is touched."""

    document_id: DocumentId
    owner_entity: str | None = None


class PartOrder(Record):
    """The order whose lines a part bills."""

    document_id: DocumentId
    number: str
    owner_entity: str | None = None


def sources_of(lines: Sequence[BillLineToPush]) -> tuple[DocumentId, ...]:
    """Return the documents that these lines are converted from, in the order in which the lines name them."""
    return tuple(dict.fromkeys(line.source.document_id for line in lines))


def part_key(bill_key: ExternalKey, part_no: int, times_remade: int = 0) -> ExternalKey:
    """Return the key of a part: the bill's own with the part's number, and a mark for each time it was made again."""
    return ExternalKey(f"{bill_key}-P{part_no}" + "R" * times_remade)


def number_behind(number: str, part_no: int, longest: int | None = None) -> str:
    """Return the number that a part goes out under where the ERP takes a supplier's number only once: the number with
    `-2`, `-3` behind it. `longest` is how many characters the ERP keeps."""
    suffix = f"-{part_no}"
    return (number if longest is None else number[: longest - len(suffix)]) + suffix


def carries_the_rest(bill: BillToPush) -> DocumentId:
    """Return the source whose part carries tax, charges, discount and the lines on no order: the part with the most
    money, so that a discount leaves it above zero; of equal ones the first."""
    sums: dict[DocumentId, Decimal] = {}
    for line in bill.lines:
        sums[line.source.document_id] = sums.get(line.source.document_id, Decimal(0)) + line.amount
    return max(sums, key=lambda document: sums[document])


def part_of(
    bill: BillToPush,
    source: DocumentId,
    *,
    key: ExternalKey,
    number: str,
    order: PartOrder,
) -> BillToPush:
    """Return the part of a bill that is converted from one source, as a document of its own.

    The parts of a bill add up to it to the cent: a line that has several sources was divided by quantity before, with
    what rounding leaves on its last share.
    """
    lines = [line for line in bill.lines if line.source.document_id == source]
    rest = carries_the_rest(bill) == source
    account_lines = bill.account_lines if rest else ()
    charges = bill.charges if rest else ()
    amounts = [line.amount for line in lines]
    amounts += [line.amount for line in account_lines] + [charge.amount for charge in charges]
    return bill.model_copy(
        update={
            "external_key": key,
            "number": number,
            "order_document": order.document_id,
            "order_number": order.number,
            "owner_entity": order.owner_entity,
            "lines": tuple(line.model_copy(update={"line_no": no}) for no, line in enumerate(lines, start=1)),
            "account_lines": account_lines,
            "charges": charges,
            "total": sum(amounts, Decimal(0)),
        }
    )


def shares_of_payment(amount: Decimal, due: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Divide a payment over what is due on each part, in proportion, to the cent; what rounding leaves goes on the
    last. So a payment names every part that has something due, and no part gets more than its due.

    Raises:
        ValueError: More is paid than is due.
    """
    open_parts = {name: open_amount for name, open_amount in due.items() if open_amount > 0}
    total = sum(open_parts.values(), Decimal(0))
    if amount > total:
        raise ValueError(f"{amount} is more than the {total} that is due")
    shares = {
        name: (amount * open_amount / total).quantize(CENT, ROUND_DOWN) for name, open_amount in open_parts.items()
    }
    left = amount - sum(shares.values(), Decimal(0))
    for name in reversed(open_parts):
        more = min(left, open_parts[name] - shares[name])
        shares[name] += more
        left -= more
    return {name: share for name, share in shares.items() if share > 0}


def divided(amount: Decimal, quantity: Decimal, parts: Sequence[Decimal]) -> list[Decimal]:
    """Divide a line's amount over the quantities that it is converted in, to the cent; the last share gets what is
    left."""
    shares: list[Decimal] = []
    left = amount
    for part in parts[:-1]:
        shares.append(round(amount * part / quantity, 2))
        left -= shares[-1]
    return [*shares, left] if parts else []
