"""What entering a bill of an order and entering one without an order have in common."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.auth import Caller, Role
from api.http.idempotency import Answer
from api.http.problems import Problem
from api.http.stored_amounts import with_decimals
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.domain.invoice_numbers import number_parts
from models.store.payables import bill_reads
from services.refusal import Refused


@contextmanager
def as_problem() -> Iterator[None]:
    """Answer a refusal of the services with the problem of its code; nothing is stored under the key.

    Raises:
        Problem: the refusal's.
    """
    try:
        yield
    except Refused as refused:
        raise Problem(refused.code, refused.detail, fix=refused.fix) from refused


async def check_part(
    session: AsyncSession, caller: Caller, connection_id: str, part_of: str | None, *, vendor_id: str, number: str
) -> None:
    """Check a further part of a supplier invoice: it has the same vendor and number as the bill it names, and that bill
    is not closed.

    Raises:
        Problem: NO_PART_OF_THAT_INVOICE.
    """
    if part_of is None:
        return
    other = await bill_reads.get(session, BillId(part_of), caller.organization_id)
    what = None
    if other is None or other.connection_id != connection_id:
        what = f"This connection has no bill {part_of}."
    elif other.status in (BillStatus.DELETED, BillStatus.ABANDONED):
        what = f"Bill {part_of} is {other.status}; name a part that is not."
    elif other.vendor_id != vendor_id or number_parts(other.number) != number_parts(number):
        what = f"Bill {part_of} is {other.number} of vendor {other.vendor_id}: no part of the same invoice."
    if what is not None:
        raise Problem("NO_PART_OF_THAT_INVOICE", what)


def check_mode(caller: Caller, answer: Mapping[str, Any], *, before: str | None = None) -> None:
    """Check that an accountant chose the match mode, where the bill has another one than its vendor and connection
    give it: without matching, no finding would hold it. `before`: what the bill had already.

    Raises:
        Problem: ROLE_TOO_LOW; the caller rolls back.
    """
    chosen = answer["match"]["inputs"]["bill"].get("match_mode")
    if chosen not in (None, before) and not caller.role.covers(Role.ACCOUNTANT):
        how = {"two_way": "2-way", "three_way": "3-way", "none": "without matching"}[chosen]
        raise Problem("ROLE_TOO_LOW", f"An accountant chooses that this bill goes {how}.")


def blocked(known: Answer) -> Problem:
    """Return the refusal that a stored match that blocks is, with its findings and their fix steps."""
    match: dict[str, Any] = with_decimals(known.body.get("match", {}))
    blocks = [finding for finding in match.get("findings", []) if finding["severity"] == "BLOCK"]
    detail = " ".join(finding["message"] for finding in blocks)
    return Problem(
        "MATCH_BLOCKED", detail, fix=_steps(match["inputs"]["orders"], blocks) or None, extra={"match": match}
    )


def _steps(orders: Sequence[Mapping[str, Any]], blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the fix steps, each once. A step that does not apply to all findings says which order lines it is for."""
    numbers = {order["id"]: f"{order['number']} " if len(orders) > 1 else "" for order in orders}
    asking: dict[str, list[Mapping[str, Any]]] = {}
    for finding in blocks:
        for step in finding["fix"]:
            asking.setdefault(step, []).append(finding)
    of_lines, of_all = [], []
    for step, findings in asking.items():
        lines = [
            f"{numbers.get(finding['purchase_order_id'], '')}line {finding['line']}"
            for finding in findings
            if finding["line"] is not None
        ]
        if len(findings) < len(blocks) and len(lines) == len(findings):
            of_lines.append(f"{', '.join(dict.fromkeys(lines))}: {step}")
        else:
            of_all.append(step)
    return of_lines + of_all
