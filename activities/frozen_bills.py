"""Bills the ERP holds: what they would be judged now, and the issue a worse answer opens. They stay as they are.

Only the new terms of the order count: what was ordered, received and agreed. What was billed since, closed books and
changed policies came after the bill and are no fault of it (spec/matching.md 3.6).
"""

from collections.abc import Mapping
from decimal import Decimal

from sqlmodel.ext.asyncio.session import AsyncSession

from activities.billing import as_kept
from activities.judging import Order, ledger_of, orders_now
from erp.issue_codes import issue_code
from matching.bill import match_bill
from matching.credits import expected_credit
from matching.decision import Change, Comparison, compare, for_saved_bill
from matching.exact import multiply, plain, rounded
from matching.inputs import OrderToMatch
from matching.result import MatchResult
from models.domain import BillId, ConnectionId, LineBasis, OrganizationId, PurchaseOrderId
from models.store import events, match_results, sync_issues
from models.store.bills import SYNCER
from models.tables import BillRow


async def compare_with_now(session: AsyncSession, bill: BillRow, why: str, read: dict[PurchaseOrderId, Order]) -> bool:
    """What a bill in the ERP would be judged now, by the order's and receipts' new terms alone: what was billed
    since, closed books and changed policies came after it and are no fault of it. Whether that is worse."""
    bill_id = BillId(bill.id)
    last = await match_results.latest(session, bill_id)
    was = MatchResult.model_validate(last.result)
    for missing in {order.id for order in was.inputs.orders} - read.keys():
        (read[missing],) = await orders_now(session, [missing], without_bill=None)
    terms = [_on_new_terms(order, read[order.id]) for order in was.inputs.orders]
    result = for_saved_bill(match_bill(was.inputs.mode, terms, was.inputs.bill, was.inputs.policies))
    comparison = compare(was, result)
    healed = comparison.change is Change.BETTER and last.why != match_results.ASKED_FOR
    if comparison.change is not Change.WORSE and not healed:
        return False
    await match_results.save(
        session,
        connection_id=ConnectionId(bill.connection_id),
        purchase_order_id=PurchaseOrderId(last.purchase_order_id),
        bill_id=bill_id,
        request_key=f"{bill_id} after {last.id}",
        outcome=result.outcome,
        mode=was.inputs.mode,
        result=as_kept(result),
        why=why,
    )
    if healed:
        await sync_issues.close_for_subject(
            session, ConnectionId(bill.connection_id), "bill", bill_id, ["MATCH_WORSE"], actor=SYNCER
        )
        return False
    await _tell_of_worse(session, bill, was, result, comparison, _credits(was, read), why)
    return True


def _credits(was: MatchResult, read: Mapping[PurchaseOrderId, Order]) -> dict[str, str]:
    """What was billed, went back and is not credited yet, by order line (R01, R03): what to ask the vendor for."""
    expected: dict[str, str] = {}
    for order in was.inputs.orders:
        held = {line.erp_id: line for line in read[order.id].held.values()}
        for line in order.lines:
            now = held.get(line.erp_id or "")
            if now is None:
                continue
            credit = expected_credit(was.inputs.mode, ledger_of(now), received_before=line.ledger.net_received)
            if credit > 0:
                worth = multiply(credit, Decimal(1) if now.basis == LineBasis.AMOUNT else now.price)
                name = f"{order.number} line {now.line_no}"
                expected[name] = f"{plain(credit)} {now.unit}".strip() + f", worth {plain(rounded(worth, 2))}"
    return expected


def _on_new_terms(was: OrderToMatch, now: Order) -> OrderToMatch:
    """The order as the bill met it, with what was ordered, received and agreed by now. Lines are known by the ERP's
    id: their numbers may have moved."""
    held = {line.erp_id: line for line in now.held.values()}
    lines = []
    for line in was.lines:
        fresh = held.get(line.erp_id or "")
        if fresh is None:
            continue
        terms = ledger_of(fresh)
        lines.append(
            line.model_copy(
                update={
                    "price": fresh.price,
                    "ledger": line.ledger.model_copy(
                        update={name: getattr(terms, name) for name in ("ordered", "cancelled", "received", "returned")}
                    ),
                }
            )
        )
    row = now.row
    return was.model_copy(
        update={
            "snapshot": row.snapshot,
            "vendor_id": row.vendor_id,
            "vendor_name": row.vendor_name,
            "currency": row.currency,
            "entity": row.entity,
            "lines": tuple(lines),
        }
    )


async def _tell_of_worse(
    session: AsyncSession,
    bill: BillRow,
    was: MatchResult,
    result: MatchResult,
    comparison: Comparison,
    credits_expected: Mapping[str, str],
    why: str,
) -> None:
    code = issue_code("MATCH_WORSE")
    new = (*comparison.appeared, *comparison.worse)
    before = {"match": was.outcome, "findings": [finding.id for finding in was.findings]}
    after = {"match": result.outcome, "findings": [finding.id for finding in result.findings]}
    await sync_issues.open_issue(
        session,
        organization_id=bill.organization_id,
        connection_id=bill.connection_id,
        subject_kind="bill",
        subject_id=bill.id,
        code=code.code,
        title=f"{code.title}: {bill.number}",
        cause=f"{why[:1].upper()}{why[1:]}. " + " ".join(finding.message for finding in new),
        fix=code.fix,
        who=code.who,
        evidence={
            "before": before,
            "after": after,
            "orders_before": was.inputs.po,
            "orders_after": result.inputs.po,
            "values": {finding.id: dict(finding.values) for finding in new},
            **({"credit_expected": dict(credits_expected)} if credits_expected else {}),
        },
        workflow_id=None,
    )
    await events.record(
        session,
        organization_id=OrganizationId(bill.organization_id),
        connection_id=ConnectionId(bill.connection_id),
        subject_kind="bill",
        subject_id=bill.id,
        kind="match_worse",
        actor=SYNCER,
        why=why,
        before=before,
        after=after,
    )
