"""Bills that wait for a person: what people decide about their match, and the match judged again when facts change.

A bill that was not sent follows the facts: it may be kept back, or go on by itself. A bill the ERP holds is frozen:
see `frozen_bills.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from activities.billing import as_kept, because, codes, line_sources, order_lines, reserved, standing
from activities.frozen_bills import compare_with_now
from activities.judging import Order, judge, orders_now
from matching.decision import Needs, for_saved_bill, is_worse
from matching.inputs import BillToMatch
from matching.result import Finding, MatchResult, Outcome
from models.domain import (
    WAITING_FOR_A_PERSON,
    BillId,
    BillStatus,
    ConnectionId,
    MatchMode,
    OrganizationId,
    PurchaseOrderId,
)
from models.messages import BillMatched, BillsMatchedAgain, DecideMatch, DecideMatchAnswer, MatchBillsAgain
from models.store import bill_reads, connections, ledger, match_results, requests, waiting_bills
from models.store.bills import SYNCER
from models.store.database import Database
from models.store.requests import Request
from models.store.waiting_bills import Decided, LineNow
from models.tables import BillRow, ConnectionRow

MOST_NAMED = 20
"""So many findings a refusal names; a bill may have hundreds."""


class RequestedDecision(BaseModel):
    """The stored body of a `POST /v1/bills/{id}/acknowledgements` or `.../release`."""

    model_config = ConfigDict(extra="ignore")

    findings: list[str] | None = None
    """Warnings to acknowledge, by id; None: release the holds."""
    reason: str = ""


class WaitingBillActivities:
    """Decisions about bills that are not sent yet. One instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def decide_match(self, decide: DecideMatch) -> DecideMatchAnswer:
        """Take a person's word on what a bill's match found; once nothing is left to decide, the bill goes on."""
        ref = decide.request
        async with self._database.transaction() as session:
            bill = await waiting_bills.lock(session, decide.bill_id)
            assert bill is not None, "the route checked that the bill exists"
            # Read behind the lock: an earlier run of this activity may have answered.
            request = await requests.get(session, ref.organization_id, ref.key)
            assert request is not None, "the route stored the request before it asked"
            result = MatchResult.model_validate((await match_results.latest(session, decide.bill_id)).result)
            if request.status is None:
                refusal = await self._decided(session, bill, request, result)
                refused = refusal is not None
            else:
                refused = request.status >= 400
            now = await _matched(session, bill, result)
        return DecideMatchAnswer(outcome="refused" if refused else "decided", bill=now)

    async def _decided(
        self, session: AsyncSession, bill: BillRow, request: Request, result: MatchResult
    ) -> Mapping[str, Any] | None:
        """Keep the word and answer the request; gives the refusal where the word does not fit."""
        bill_id = BillId(bill.id)
        asked = RequestedDecision.model_validate(request.body)
        acknowledged, released = words(result, await waiting_bills.decisions(session, bill_id))
        _, open_needs = standing(result, acknowledged, released)
        refusal, findings = _fits(bill, result, open_needs, asked)
        if refusal is not None:
            await requests.answer(
                session, OrganizationId(request.organization_id), request.key, refusal["status"], refusal
            )
            return refusal
        kind = "released" if asked.findings is None else "acknowledged"
        why = asked.reason or "acknowledged"
        kept = [finding.model_dump(mode="json") for finding in findings]
        if kept:
            await waiting_bills.decide(session, bill_id, kind, kept, actor=request.actor, why=why)
        said = {finding.id for finding in findings}
        if kind == "released":
            released |= said
        else:
            acknowledged |= said
        status, open_needs = standing(result, acknowledged, released)
        if kept:
            await waiting_bills.place(
                session,
                bill,
                status,
                bill.match_outcome or result.outcome,
                kind=f"match_{kind}",
                actor=request.actor,
                why=why,
                before={},
                after={kind: sorted(said)},
            )
        answer = {"status": bill.status, kind: sorted(said), "needs": needed(open_needs)}
        await requests.answer(session, OrganizationId(request.organization_id), request.key, 200, answer)
        return None

    @activity.defn
    async def match_bills_again(self, again: MatchBillsAgain) -> BillsMatchedAgain:
        """Judge an order's bills by what holds now. Those not sent follow the result; for those in the ERP a worse one
        opens an issue, once per content. Run twice, the second finds nothing changed."""
        order_id = again.purchase_order_id
        async with self._database.transaction() as session:
            await ledger.lock_lines(session, await waiting_bills.orders_with(session, order_id))
            connection = await connections.get(session, again.connection_id)
            assert connection is not None, "an order's connection is never removed"
            matched = [
                await self._follow(session, connection, bill, again.why)
                for bill in await waiting_bills.not_sent(session, order_id)
            ]
            worse = 0
            read: dict[PurchaseOrderId, Order] = {}
            for bill in await waiting_bills.in_erp(session, order_id):
                worse += await compare_with_now(session, bill, again.why, read)
        return BillsMatchedAgain(bills=matched, worse=worse)

    async def _follow(self, session: AsyncSession, connection: ConnectionRow, bill: BillRow, why: str) -> BillMatched:
        """Match a bill that is not sent anew, without its own reservation, and put it where the result leaves it."""
        bill_id = BillId(bill.id)
        was = MatchResult.model_validate((await match_results.latest(session, bill_id)).result)
        orders = await orders_now(session, [order.id for order in was.inputs.orders], without_bill=bill_id)
        asked = await _as_it_is(session, bill, was.inputs.bill)
        result = for_saved_bill(await judge(session, connection, orders, asked, bill_id=bill_id))
        acknowledged, released = words(result, await waiting_bills.decisions(session, bill_id))
        status, open_needs = standing(result, acknowledged, released)
        await _reserve(session, bill_id, result)
        if status != bill.status or result.findings != was.findings:
            await match_results.save(
                session,
                connection_id=ConnectionId(bill.connection_id),
                purchase_order_id=PurchaseOrderId(bill.purchase_order_id or orders[0].id),
                bill_id=bill_id,
                request_key=f"{bill_id} {bill.version}",
                outcome=result.outcome,
                mode=MatchMode(connection.match_mode),
                result=as_kept(result),
                why=why,
            )
            await waiting_bills.place(
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
        return BillMatched(
            bill_id=bill_id,
            status=status,
            version=bill.version,
            needs=codes(open_needs),
            because=because(open_needs),
        )


def words(result: MatchResult, decided: Sequence[Decided]) -> tuple[set[str], set[str]]:
    """The findings that people acknowledged and released, by id. A word does not count for what got worse since."""
    now = {finding.id: finding for finding in result.findings}
    acknowledged: set[str] = set()
    released: set[str] = set()
    for word in decided:
        was = Finding.model_validate(word.finding)
        if was.id in now and not is_worse(was, now[was.id]):
            (released if word.kind == "released" else acknowledged).add(was.id)
    return acknowledged, released


def needed(open_needs: Needs) -> dict[str, list[dict[str, Any]]]:
    """What a person must still do, as answers show it: by kind, the findings with their fix."""
    return {
        kind: [finding.model_dump(mode="json", include={"id", "code", "message", "who", "fix"}) for finding in findings]
        for kind, findings in open_needs._asdict().items()
    }


def _fits(
    bill: BillRow, result: MatchResult, open_needs: Needs, asked: RequestedDecision
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The findings a word is about, or why it cannot be taken."""
    if bill.status not in WAITING_FOR_A_PERSON:
        return _refusal("BILL_NOT_WAITING", f"The bill is {bill.status.replace('_', ' ')}.", 409), []
    by_id = {finding.id: finding for finding in result.findings}
    if asked.findings is None:
        if open_needs.fix:
            messages = " ".join(finding.message for finding in open_needs.fix)
            steps = [step for finding in open_needs.fix for step in finding.fix]
            return _refusal("HOLD_NEEDS_A_FIX", messages, 409, steps), []
        if not open_needs.release:
            return _refusal("NOTHING_ON_HOLD", "No finding of the bill holds it.", 409), []
        return None, list(open_needs.release)
    unknown = [finding_id for finding_id in asked.findings if finding_id not in by_id]
    if unknown:
        there = ", ".join(sorted(by_id)[:MOST_NAMED]) or "none"
        return _refusal("FINDING_UNKNOWN", f"The bill's match has no finding {unknown[0]!r}; it has {there}.", 422), []
    wanted = [by_id[finding_id] for finding_id in dict.fromkeys(asked.findings)]
    holds = [finding for finding in wanted if finding.severity.rank > Outcome.WARN.rank]
    if holds:
        return _refusal("FINDING_NEEDS_RELEASE", f"{holds[0].id} holds the bill: {holds[0].message}", 409), []
    return None, wanted


def _refusal(code: str, detail: str, status: int, fix: Sequence[str] | None = None) -> dict[str, Any]:
    return {"code": code, "detail": detail, "status": status, "fix": list(fix) if fix else None}


async def _matched(session: AsyncSession, bill: BillRow, result: MatchResult) -> BillMatched:
    bill_id = BillId(bill.id)
    _, open_needs = standing(result, *words(result, await waiting_bills.decisions(session, bill_id)))
    waits = bill.status in WAITING_FOR_A_PERSON
    return BillMatched(
        bill_id=bill_id,
        status=BillStatus(bill.status),
        version=bill.version,
        needs=codes(open_needs) if waits else [],
        because=because(open_needs) if waits else [],
    )


async def _as_it_is(session: AsyncSession, bill: BillRow, asked: BillToMatch) -> BillToMatch:
    """The bill as its supplier wrote it, with the dates people may have corrected and the order lines' numbers now."""
    numbers = {line.line_no: line.purchase_order_line_no for line in await bill_reads.lines(session, BillId(bill.id))}
    lines = tuple(
        line.model_copy(update={"order_line_no": numbers.get(line.line_no) or line.order_line_no})
        for line in asked.lines
    )
    return asked.model_copy(update={"lines": lines, "bill_date": bill.bill_date, "posting_date": bill.posting_date})


async def _reserve(session: AsyncSession, bill_id: BillId, result: MatchResult) -> None:
    """Take what the bill takes now: a unit may be known that was not, a receipt may have come to convert from."""
    matched = order_lines(result)
    sources = line_sources(result)
    held = {line.line_no: line for line in await bill_reads.lines(session, bill_id)}
    changed = []
    for line in result.inputs.bill.lines:
        order_line = matched.get((line.purchase_order_id, line.order_line_no))
        if order_line is None:
            continue
        quantity, exact = reserved(order_line, line)
        now = LineNow(line.line_no, quantity, exact, sources.get(line.line_no, []))
        was = held[line.line_no]
        if (was.quantity, was.exact_quantity, was.sources) != (now.quantity, now.exact_quantity, now.sources):
            changed.append(now)
    await waiting_bills.set_lines(session, bill_id, changed)
