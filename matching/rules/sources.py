"""Choose the ERP document that each bill line is converted from: receipts first, oldest first, then the order itself.

An ERP converts a bill from one document unless it says otherwise. A bill that would need several gets a finding before
it is saved, with the split that works, instead of failing in the sync.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from matching.kernel.exact import ZERO, Exact, add, plain
from matching.kernel.inputs import BillToMatch, OrderLineToMatch, OrderToMatch
from matching.kernel.lines import in_order_unit
from matching.kernel.receipts import allocate_to_receipts
from matching.kernel.result import FIRST_RULES, RULES, Finding, Outcome
from models.domain.ids import DocumentId, ErpId, PurchaseOrderId


class Source(NamedTuple):
    """A quantity of one bill line, in the order line's unit, and the line in the ERP that it is converted from."""

    document_id: DocumentId
    line: ErpId
    quantity: Exact


def choose_sources(orders: Sequence[OrderToMatch], bill: BillToMatch) -> dict[int, tuple[Source, ...]]:
    """Return the sources of every bill line, by bill line number. What the receipts do not cover comes from the order.

    A line has none if it is on no given order, or if its unit or the ERP's names are unknown.
    """
    by_line: dict[tuple[PurchaseOrderId, int], tuple[OrderToMatch, OrderLineToMatch]] = {
        (order.id, line.line_no): (order, line) for order in orders for line in order.lines
    }
    taken: dict[ErpId, Exact] = {}
    chosen: dict[int, tuple[Source, ...]] = {}
    for bill_line in bill.lines:
        order, line = by_line.get((bill_line.purchase_order_id, bill_line.order_line_no), (None, None))
        quantity = in_order_unit(line, bill_line) if line else None
        if order is None or line is None or quantity is None or order.document_id is None or line.erp_id is None:
            chosen[bill_line.line_no] = ()
            continue
        receipts = [
            receipt.model_copy(update={"consumed": add(receipt.consumed, taken[receipt.line])})
            if receipt.line in taken
            else receipt
            for receipt in line.receipts
        ]
        allocated = allocate_to_receipts(quantity, receipts)
        sources = [Source(*allocation) for allocation in allocated.allocations]
        for source in sources:
            taken[source.line] = add(taken.get(source.line, ZERO), source.quantity)
        if allocated.unallocated > 0:
            sources.append(Source(order.document_id, line.erp_id, allocated.unallocated))
        chosen[bill_line.line_no] = tuple(sources)
    return chosen


def check_in_use(orders: Sequence[OrderToMatch], chosen: Mapping[int, tuple[Source, ...]]) -> Iterator[Finding]:
    """Return a finding for each document of the bill's sources of which a draft is being made in the ERP. The bill is
    saved and waits: it goes on by itself once the draft is posted or gone."""
    needed = {source.document_id for sources in chosen.values() for source in sources}
    in_use: dict[DocumentId, tuple[PurchaseOrderId, str]] = {}
    for order in orders:
        if order.in_use and order.document_id is not None:
            in_use[order.document_id] = order.id, order.in_use
        for receipt in (receipt for line in order.lines for receipt in line.receipts if receipt.in_use):
            in_use[receipt.document_id] = order.id, receipt.in_use
    for document, (order_id, draft) in in_use.items():
        if document in needed:
            yield Finding(
                id=f"SOURCE_IN_USE:{document}",
                code="SOURCE_IN_USE",
                purchase_order_id=order_id,
                severity=Outcome.HOLD,
                message=f"In the accounting system {draft} is made of {document}. Nothing else can be made of it until"
                " that is posted or deleted.",
                rule="SOURCES.IN_USE",
                formula="a draft is made of the source",
                values={"document": document, "draft": draft},
                who="purchasing",
                fix=(f"have {draft} posted or deleted, and sync", "or abandon this bill"),
            )


def check_sources(
    chosen: Mapping[int, tuple[Source, ...]], *, several_allowed: bool, rules: int = RULES
) -> tuple[Finding, ...]:
    """Return a finding if the bill needs several documents and the ERP takes one; it names the split that works.

    The parts keep the invoice's own number, because the supplier's figures are never rewritten.
    """
    by_document: dict[DocumentId, list[str]] = {}
    for line_no, sources in sorted(chosen.items()):
        for source in sources:
            by_document.setdefault(source.document_id, []).append(f"line {line_no}: {plain(source.quantity)}")
    if several_allowed or len(by_document) < 2:
        return ()
    split = tuple(
        f"bill {', '.join(parts)} from {document} on a bill of its own" for document, parts in by_document.items()
    )
    if rules > FIRST_RULES:
        split += ("each under the invoice's one number, the further ones with part_of: the id of the first",)
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
