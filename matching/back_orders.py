"""One commercial order that the ERP split into a chain of documents (S5-25).

"Close Original and Create Back Order" closes an order after a partial match and makes a new one of what is left. Billed
and received history follows the chain, so a bill on the last document is judged against the whole of it.
"""

from collections.abc import Sequence

from matching.ledger import EXACT, ZERO, LineLedger


def chain_ledger(documents: Sequence[LineLedger]) -> LineLedger:
    """The ledger of the chain, given the same line's ledger in each document, the original first.

    O is the original's. R, T, E, P and C are summed. X is the last document's: what closed originals did not deliver
    is not cancelled, it went on into the back order. Raises ValueError without a document.
    """
    if not documents:
        raise ValueError("a chain has at least one document")
    received = returned = billed = pending = credited = ZERO
    for document in documents:
        received = EXACT.add(received, document.received)
        returned = EXACT.add(returned, document.returned)
        billed = EXACT.add(billed, document.billed)
        pending = EXACT.add(pending, document.pending)
        credited = EXACT.add(credited, document.credited)
    return LineLedger(
        ordered=documents[0].ordered,
        cancelled=documents[-1].cancelled,
        received=received,
        returned=returned,
        billed=billed,
        pending=pending,
        credited=credited,
    )
