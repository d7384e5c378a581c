"""Decide on bills in review: people's decisions on the match, and the rematch when facts change.

A bill that was not sent follows the facts: it may go to review, or go on by itself. A bill that the ERP holds does not
change: see `rematch.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from matching.kernel.inputs import BillToMatch
from matching.kernel.result import Finding, MatchResult, Outcome
from matching.rules.decision import Needs, for_saved_bill, is_worse, same_findings
from matching.rules.modes import SMALL
from models.domain.bills import BillKind, BillStatus
from models.domain.ids import SYNCER, BillId, ConnectionId, OrganizationId, PurchaseOrderId
from models.domain.outbox import MessageKind
from models.messages.bills import BillMatched
from models.messages.orders import RematchBills, RematchedBills
from models.store.audit import order_issues, outbox
from models.store.audit.outbox import OutboxMessage
from models.store.connections import connections
from models.store.orders import ledger
from models.store.payables import bill_reads, bills_in_review, kept_quantities
from models.store.payables.bills_in_review import Decided, LineNow
from models.store.policies import match_results
from models.tables import BillRow, ConnectionRow
from services.approvals import waiting as approvals
from services.approvals.decisions import status_now
from services.bills.intake import (
    because,
    codes,
    line_sources,
    order_lines,
    reserved,
    status_after_match,
    to_stored_json,
)
from services.bills.matching import Order, orders_now, run_match
from services.bills.rematch import compare_with_now
from services.refusal import Refused

MOST_NAMED = 20
"""How many findings a refusal names; a bill may have hundreds."""


class Decision(NamedTuple):
    """What became of a person's decision on a bill's match."""

    status: BillStatus
    decided: list[str]
    """The findings that it settled, by id."""
    needs: Mapping[str, Any]
    """What is still open, as answers show it."""
    message: OutboxMessage | None
    """What the bill's workflow is owed; None: nothing changed."""


async def decide(
    session: AsyncSession,
    bill_id: BillId,
    findings: Sequence[str] | None,
    *,
    reason: str,
    actor: str,
    request_key: str,
) -> Decision:
    """Acknowledge findings of a bill's match, or release its holds where `findings` is None.

    Once nothing is left to decide, the bill goes on. The caller has claimed the key in this transaction.

    Raises:
        Refused: The bill waits for no such decision.
    """
    bill = await bills_in_review.lock(session, bill_id)
    assert bill is not None, "the caller has checked that the bill exists"
    if not BillStatus(bill.status).is_in_review:
        raise Refused("BILL_NOT_WAITING", f"The bill is {bill.status.replace('_', ' ')}.")
    result = MatchResult.model_validate((await match_results.latest(session, bill_id)).result)
    acknowledged, released = effective_decisions(result, await bills_in_review.decisions(session, bill_id))
    _, open_needs = status_after_match(result, acknowledged, released)
    kept = _decided_findings(result, open_needs, findings)
    kind = "released" if findings is None else "acknowledged"
    why = reason or "acknowledged"
    stored = [finding.model_dump(mode="json") for finding in kept]
    await bills_in_review.decide(session, bill_id, kind, stored, actor=actor, why=why)
    decided = {finding.id for finding in kept}
    if kind == "released":
        released |= decided
    else:
        acknowledged |= decided
    after_match, open_needs = status_after_match(result, acknowledged, released)
    connection = await connections.get(session, ConnectionId(bill.connection_id))
    assert connection is not None, "a bill's connection is never removed"
    status = await status_now(session, connection, bill, after_match)
    await bills_in_review.set_hold_state(
        session,
        bill,
        status,
        bill.match_outcome or result.outcome,
        kind=f"match_{kind}",
        actor=actor,
        why=why,
        before={},
        after={kind: sorted(decided)},
    )
    message = await outbox.add(
        session,
        MessageKind.BILL_DECIDED,
        bill_id,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        request_key=request_key,
    )
    return Decision(status, sorted(decided), needed(open_needs), message)


async def rematch(session: AsyncSession, restart: RematchBills) -> RematchedBills:
    """Match an order's bills again with what holds now.

    Bills that are not sent follow the result; those in the ERP with a worse result are listed by one issue of the
    order, once per content. Those that the ERP refused are matched when they are tried again. A repeat finds nothing
    changed.
    """
    order_id = restart.purchase_order_id
    await ledger.lock_lines(session, await bills_in_review.orders_with(session, order_id))
    connection = await connections.get(session, restart.connection_id)
    assert connection is not None, "an order's connection is never removed"
    matched = [
        await rematch_bill(session, connection, bill, restart.why)
        for bill in await bills_in_review.not_sent(session, order_id)
    ]
    worse = []
    read: dict[PurchaseOrderId, Order] = {}
    for bill in await bills_in_review.in_erp(session, order_id):
        if (now := await compare_with_now(session, bill, restart.why, read)) is not None:
            worse.append(now)
    if worse:
        number = read[order_id].row.number
        await order_issues.list_bills(session, restart.connection_id, order_id, number, worse, why=restart.why)
    return RematchedBills(bills=matched, worse=len(worse), refused=await bills_in_review.refused(session, order_id))


async def rematch_bill(session: AsyncSession, connection: ConnectionRow, bill: BillRow, why: str) -> BillMatched:
    """Match a locked, unsent bill again, without its own reservation, and set the status that the result gives it.

    The caller holds the lock of its orders' lines.
    """
    bill_id = BillId(bill.id)
    was = MatchResult.model_validate((await match_results.latest(session, bill_id)).result)
    orders = await orders_now(session, [order.id for order in was.inputs.orders], without_bill=bill_id)
    asked = await _as_it_is(session, bill, was.inputs.bill)
    first = {(order.id, line.erp_id): line.first_no for order in was.inputs.orders for line in order.lines}
    result = for_saved_bill(await run_match(session, connection, orders, asked, bill_id=bill_id, first_numbers=first))
    acknowledged, released = effective_decisions(result, await bills_in_review.decisions(session, bill_id))
    after_match, open_needs = status_after_match(result, acknowledged, released)
    status = await status_now(session, connection, bill, after_match)
    await _reserve(session, bill_id, result)
    bill.small = result.mode_set_by == SMALL
    if status != bill.status or not same_findings(result.findings, was.findings):
        await match_results.save(
            session,
            connection_id=ConnectionId(bill.connection_id),
            purchase_order_id=PurchaseOrderId(bill.purchase_order_id) if bill.purchase_order_id else None,
            bill_id=bill_id,
            request_key=f"{bill_id} {bill.version}",
            outcome=result.outcome,
            mode=result.matched_in,
            result=to_stored_json(result),
            why=why,
        )
        await bills_in_review.set_hold_state(
            session,
            bill,
            status,
            result.outcome,
            kind="matched_again",
            actor=SYNCER,
            why=why,
            before={"findings": [finding.id for finding in was.findings]},
            after={"findings": [finding.id for finding in result.findings]},
        )
    return await _where_it_is(session, bill, open_needs)


async def waits_for(session: AsyncSession, bill_id: BillId) -> BillMatched:
    """Return the status of a bill of ours now, and what a person must still decide on it."""
    bill = await bill_reads.get(session, bill_id)
    assert bill is not None, "a bill is never removed"
    if bill.kind == BillKind.CREDIT:  # it is refused at once, or saved: no match of it waits for anybody
        return await _where_it_is(session, bill, Needs((), (), ()))
    return await _matched(
        session, bill, MatchResult.model_validate((await match_results.latest(session, bill_id)).result)
    )


def effective_decisions(result: MatchResult, decided: Sequence[Decided]) -> tuple[set[str], set[str]]:
    """Return the ids of the findings that people acknowledged and released.

    A decision is void once its finding has worsened.
    """
    now = {finding.id: finding for finding in result.findings}
    acknowledged: set[str] = set()
    released: set[str] = set()
    for decision in decided:
        was = Finding.model_validate(decision.finding)
        if was.id in now and not is_worse(was, now[was.id]):
            (released if decision.kind == "released" else acknowledged).add(was.id)
    return acknowledged, released


def needed(open_needs: Needs) -> dict[str, list[dict[str, Any]]]:
    """Return what a person must still do, as answers show it: by kind of decision, the findings with their fix."""
    return {
        kind: [finding.model_dump(mode="json", include={"id", "code", "message", "who", "fix"}) for finding in findings]
        for kind, findings in open_needs._asdict().items()
    }


def _decided_findings(result: MatchResult, open_needs: Needs, asked: Sequence[str] | None) -> list[Finding]:
    """Return the findings that a decision is about.

    Raises:
        Refused: There are no such findings, or they need another decision.
    """
    if asked is None:
        if open_needs.fix:
            steps = [step for finding in open_needs.fix for step in finding.fix]
            raise Refused("HOLD_NEEDS_A_FIX", " ".join(finding.message for finding in open_needs.fix), steps)
        if not open_needs.release:
            raise Refused("NOTHING_ON_HOLD", "No finding of the bill holds it.")
        return list(open_needs.release)
    by_id = {finding.id: finding for finding in result.findings}
    unknown = [finding_id for finding_id in asked if finding_id not in by_id]
    if unknown:
        there = ", ".join(sorted(by_id)[:MOST_NAMED]) or "none"
        raise Refused("FINDING_UNKNOWN", f"The bill's match has no finding {unknown[0]!r}; it has {there}.")
    wanted = [by_id[finding_id] for finding_id in dict.fromkeys(asked)]
    holds = [finding for finding in wanted if finding.severity.rank > Outcome.WARN.rank]
    if holds:
        raise Refused("FINDING_NEEDS_RELEASE", f"{holds[0].id} holds the bill: {holds[0].message}")
    return wanted


async def _matched(session: AsyncSession, bill: BillRow, result: MatchResult) -> BillMatched:
    bill_id = BillId(bill.id)
    _, open_needs = status_after_match(
        result, *effective_decisions(result, await bills_in_review.decisions(session, bill_id))
    )
    return await _where_it_is(session, bill, open_needs)


async def _where_it_is(session: AsyncSession, bill: BillRow, open_needs: Needs) -> BillMatched:
    """Return the bill's status, and what it waits for: its match comes first, then its approval and its payment."""
    waits = await approvals.waits_for(session, bill)
    if BillStatus(bill.status).is_in_review:
        waits = approvals.Waits(codes(open_needs), because(open_needs))
    return BillMatched(
        bill_id=BillId(bill.id),
        status=BillStatus(bill.status),
        version=bill.version,
        needs=waits.needs,
        because=waits.because,
    )


async def _as_it_is(session: AsyncSession, bill: BillRow, asked: BillToMatch) -> BillToMatch:
    """Return the bill as its supplier wrote it, with people's corrected dates and the order lines' current numbers.

    Item and unit are those that the order's lines had when the bill was entered: what people change there since is not
    what the supplier billed.
    """
    stored = {line.line_no: line for line in await bill_reads.lines(session, BillId(bill.id))}
    lines = tuple(
        line.model_copy(
            update={
                "order_line_no": row.purchase_order_line_no or line.order_line_no,
                "item_id": row.item_id or None,
                "unit": line.unit or row.billed_unit or row.unit,
            }
        )
        if (row := stored.get(line.line_no)) is not None
        else line
        for line in asked.lines
    )
    return asked.model_copy(
        update={
            "lines": lines,
            "bill_date": bill.bill_date,
            "posting_date": bill.posting_date,
            "due_date": bill.due_date,
        }
    )


async def _reserve(session: AsyncSession, bill_id: BillId, result: MatchResult) -> None:
    """Store what the bill takes now: a unit may have become known, or a receipt to convert from may have arrived."""
    matched = order_lines(result)
    sources = line_sources(result)
    stored_lines = {line.line_no: line for line in await bill_reads.lines(session, bill_id)}
    changed = []
    for line in result.inputs.bill.lines:
        order_line = matched.get((line.purchase_order_id, line.order_line_no))
        if order_line is None:
            continue
        quantity, exact = reserved(order_line, line)
        other_unit = bool(line.unit) and line.unit != order_line.unit
        now = LineNow(
            line.line_no,
            quantity,
            exact,
            order_line.unit,
            line.quantity if other_unit else None,
            line.unit if other_unit else None,
            sources.get(line.line_no, []),
        )
        was = stored_lines[line.line_no]
        if any(getattr(was, name) != value for name, value in now._asdict().items()):
            changed.append(now)
    await bills_in_review.set_lines(session, bill_id, changed)
    await kept_quantities.mark(session, bill_id)
