"""Which document in the ERP each bill line is converted from: receipts first, oldest first, then the order itself.

An ERP takes a bill from one document unless it says otherwise (field note U-22). A bill that would need several is
told so before it is saved, with the split that would work, instead of failing in the sync.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from matching.inputs import BillLineToMatch
from matching.receipts import ReceiptLineToBill, allocate_to_receipts
from matching.result import Finding, Outcome
from models.domain import DocumentId, ErpId


class Source(NamedTuple):
    """A quantity of one bill line and the line in the ERP it is converted from."""

    document_id: DocumentId
    line: ErpId
    quantity: Decimal


class OrderLineToConvert(NamedTuple):
    """An order line as the ERP converts it: itself, and the receipts made of it."""

    erp_id: ErpId
    receipts: tuple[ReceiptLineToBill, ...]


def choose_sources(
    order_document: DocumentId,
    order_lines: Mapping[int, OrderLineToConvert],
    bill_lines: Iterable[BillLineToMatch],
) -> dict[int, tuple[Source, ...]]:
    """The sources of every bill line, by bill line number. What the receipts do not cover comes from the order."""
    taken: dict[ErpId, Decimal] = {}
    chosen: dict[int, tuple[Source, ...]] = {}
    for bill_line in bill_lines:
        line = order_lines[bill_line.order_line_no]
        receipts = [
            receipt.model_copy(update={"consumed": receipt.consumed + taken.get(receipt.line, Decimal(0))})
            for receipt in line.receipts
        ]
        allocated = allocate_to_receipts(bill_line.quantity, receipts)
        sources = [Source(*allocation) for allocation in allocated.allocations]
        for source in sources:
            taken[source.line] = taken.get(source.line, Decimal(0)) + source.quantity
        if allocated.unallocated > 0:
            sources.append(Source(order_document, line.erp_id, allocated.unallocated))
        chosen[bill_line.line_no] = tuple(sources)
    return chosen


def check_sources(chosen: Mapping[int, tuple[Source, ...]], *, several_allowed: bool) -> tuple[Finding, ...]:
    """A block when the bill needs several documents and the ERP takes one; it names the split that works."""
    by_document: dict[DocumentId, list[str]] = {}
    for line_no, sources in sorted(chosen.items()):
        for source in sources:
            by_document.setdefault(source.document_id, []).append(f"line {line_no}: {source.quantity.normalize():f}")
    if several_allowed or len(by_document) < 2:
        return ()
    split = tuple(
        f"bill {', '.join(parts)} from {document} on a bill of its own" for document, parts in by_document.items()
    )
    return (
        Finding(
            id="SEVERAL_SOURCES",
            code="SEVERAL_SOURCES",
            severity=Outcome.BLOCK,
            message=f"This bill would be converted from {len(by_document)} documents; the ERP takes a bill from one.",
            rule="SOURCES.ONE",
            formula="documents(bill) > 1",
            values={document: "; ".join(parts) for document, parts in by_document.items()},
            who="ap",
            fix=(*split, "or switch on multi-document conversion in the ERP and set the preference several_sources"),
        ),
    )
