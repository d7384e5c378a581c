"""Match bills that the ERP holds again, and say which results are worse. The bills themselves stay as they are.

Only the new terms of the order count: what was ordered, received and agreed. What was billed since, closed books and
changed policies came after the bill and do not count against it (spec/matching.md 3.6).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from matching.bill import match_bill
from matching.kernel.exact import ZERO, add, money, multiply, plain, rounded, subtract
from matching.kernel.inputs import Basis, BillLineToMatch, BillToMatch, ChargeToMatch, OrderLineToMatch, OrderToMatch
from matching.kernel.result import MatchResult
from matching.rules.credits import expected_credit
from matching.rules.decision import Change, Comparison, compare, for_saved_bill
from models.domain.ids import SYNCER, BillId, ConnectionId, ErpId, OrganizationId, PurchaseOrderId
from models.domain.orders import LineBasis
from models.store.audit import events, order_issues, sync_issues
from models.store.orders.ledger import LedgerLine
from models.store.payables import bill_reads
from models.store.policies import match_results
from models.tables import BillLineRow, BillRow
from services.bills.intake import to_stored_json
from services.bills.matching import Order, ledger_of, orders_now

EDITED = "the bill was edited in the ERP"


async def compare_with_now(
    session: AsyncSession, bill: BillRow, why: str, read: dict[PurchaseOrderId, Order]
) -> dict[str, Any] | None:
    """Match a bill in the ERP with the order's and receipts' new terms alone; return what is worse now, as the order's
    issue lists it, or None.

    What was billed since, closed books, changed policies and built-in rules came after the bill and are no fault of it.
    """
    bill_id = BillId(bill.id)
    last, sent = await match_results.latest_and_sent(session, bill_id)
    was, as_sent = (MatchResult.model_validate(one.result) for one in (last, sent))
    for missing in {order.id for order in as_sent.inputs.orders} - read.keys():
        (read[missing],) = await orders_now(session, [missing], without_bill=None)
    as_it_stands = await _as_it_stands(session, bill, as_sent.inputs.bill)
    terms = [_on_new_terms(order, read[order.id], as_it_stands) for order in as_sent.inputs.orders]
    result = for_saved_bill(
        match_bill(was.inputs.mode, terms, as_it_stands, was.inputs.policies, rules=was.inputs.rules)
    )
    comparison = compare(was, result)
    healed = comparison.change is Change.BETTER and last.why != match_results.ASKED_FOR
    if comparison.change is not Change.WORSE and not healed:
        return None
    await match_results.save(
        session,
        connection_id=ConnectionId(bill.connection_id),
        purchase_order_id=None if last.purchase_order_id is None else PurchaseOrderId(last.purchase_order_id),
        bill_id=bill_id,
        request_key=f"{bill_id} after {last.id}",
        outcome=result.outcome,
        mode=result.matched_in,
        result=to_stored_json(result),
        why=why,
    )
    if healed:
        await sync_issues.close_for_subject(
            session, ConnectionId(bill.connection_id), "bill", bill_id, [order_issues.MATCH_WORSE], actor=SYNCER
        )  # of before such issues belonged to the order
        await order_issues.take_bills_off(session, ConnectionId(bill.connection_id), [bill_id])
        return None
    return await _record_worse(session, bill, was, result, comparison, _credits(as_sent, read), why)


def _credits(was: MatchResult, read: Mapping[PurchaseOrderId, Order]) -> dict[str, str]:
    """Return what was billed, was returned and is not credited yet, by order line (R01, R03): what to ask the vendor
    for."""
    expected: dict[str, str] = {}
    for order in was.inputs.orders:
        stored_lines = {line.erp_id: line for line in read[order.id].stored_lines.values()}
        for line in order.lines:
            now = stored_lines.get(line.erp_id or "")
            if now is None:
                continue
            credit = expected_credit(was.matched_in, ledger_of(now), received_before=line.ledger.net_received)
            if credit > 0:
                worth = multiply(credit, Decimal(1) if now.basis == LineBasis.AMOUNT else now.price)
                name = f"{order.number} line {now.line_no}"
                expected[name] = f"{plain(credit)} {now.unit}".strip() + f", worth {money(rounded(worth, 2))}"
    return expected


async def compare_edited(session: AsyncSession, connection_id: ConnectionId, bill_ids: Sequence[BillId]) -> None:
    """Match bills again that people edited in the ERP, and list those that no longer fit on their orders' issues."""
    for bill_id in bill_ids:
        bill = await bill_reads.get(session, bill_id)
        assert bill is not None, "a bill is never removed"
        if bill.purchase_order_id is None:
            continue
        read: dict[PurchaseOrderId, Order] = {}
        worse = await compare_with_now(session, bill, EDITED, read)
        if worse is not None:
            order_id = PurchaseOrderId(bill.purchase_order_id)
            number = read[order_id].row.number
            await order_issues.list_bills(session, connection_id, order_id, number, [worse], why=EDITED)


async def _as_it_stands(session: AsyncSession, bill: BillRow, asked: BillToMatch) -> BillToMatch:
    """Return the bill with the vendor, lines and charges that the ERP has of it now: people may have edited it
    there."""
    first = {line.line_no: line for line in asked.lines}
    rows = await bill_reads.lines(session, BillId(bill.id))
    lines = [line for row in rows if (line := _line_now(row, first.get(row.line_no))) is not None]
    charges = tuple(ChargeToMatch(charge_class=one["class"], amount=Decimal(one["amount"])) for one in bill.charges)
    as_sent = [(line.quantity, line.amount) for line in asked.lines] == [(line.quantity, line.amount) for line in lines]
    same_charges = sum((one.amount for one in charges), ZERO) == sum((one.amount for one in asked.charges), ZERO)
    moved = {"vendor_id": bill.vendor_id, "vendor_name": bill.vendor_name, "vendor_state": None}
    return asked.model_copy(
        update={
            **(moved if bill.vendor_id != asked.vendor_id else {}),
            "lines": tuple(lines),
            "charges": asked.charges if same_charges else charges,
            # What the supplier wrote as the sum is that of what he wrote.
            "total": asked.total if as_sent and same_charges else None,
        }
    )


def _line_now(row: BillLineRow, first: BillLineToMatch | None) -> BillLineToMatch | None:
    """Return a line of a bill in the ERP as it is to be matched now; None: it is on no order line any more."""
    if row.purchase_order_line_no is None or row.purchase_order_id is None:
        return None
    quantity = row.quantity if row.billed_quantity is None else row.billed_quantity
    same = first is not None and first.amount == row.amount and quantity in (None, first.quantity)
    if first is not None and same:
        return first.model_copy(
            update={
                "order_line_no": row.purchase_order_line_no,
                "item_id": row.item_id or None,
                "unit": first.unit or row.billed_unit or row.unit,
            }
        )
    return BillLineToMatch(
        line_no=row.line_no,
        purchase_order_id=PurchaseOrderId(row.purchase_order_id),
        order_line_no=row.purchase_order_line_no,
        quantity=quantity or ZERO,
        price=row.price or ZERO,
        amount=row.amount,
        unit=row.billed_unit or row.unit,
        item_id=row.item_id or None,
    )


def _on_new_terms(was: OrderToMatch, now: Order, bill: BillToMatch) -> OrderToMatch:
    """Return the order as the bill met it, but with what is ordered, received and agreed now.

    Lines are recognised by the ERP's id: their numbers may have changed. A line that the bill took only in the ERP is
    as it is now, without the bill.
    """
    met = {line.erp_id: line for line in was.lines}
    taken: dict[int, list[BillLineToMatch]] = defaultdict(list)
    for line in bill.lines:
        if line.purchase_order_id == was.id:
            taken[line.order_line_no].append(line)
    lines = []
    for line_no, billed in taken.items():
        fresh = now.stored_lines.get(line_no)
        if fresh is None:
            continue
        first = met.get(ErpId(fresh.erp_id))
        lines.append(_without(fresh, billed) if first is None else _line_on_new_terms(first, fresh))
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


def _line_on_new_terms(first: OrderLineToMatch, fresh: LedgerLine) -> OrderLineToMatch:
    terms = ledger_of(fresh)
    # Goods that went back and were credited are no fault of the bill: nobody has to ask the vendor for anything. What
    # is not billed beyond what was kept needs no credit, whichever credit or other bill that is owed to.
    asked_for = min(fresh.returned, max(subtract(terms.net_billed, terms.net_received), ZERO))
    credited = max(subtract(fresh.returned, asked_for), min(fresh.returned, fresh.returned_by_credits))
    settled = min(credited, max(subtract(first.ledger.net_received, terms.net_received), ZERO))
    terms = terms.model_copy(update={"received": add(terms.received, settled)})
    return first.model_copy(
        update={
            "line_no": fresh.line_no,
            "known_as": None if first.first_no == fresh.line_no else first.first_no,
            "item_id": fresh.item_id,
            "unit": fresh.unit,
            "units": first.units if fresh.unit == first.unit else (),
            "price": fresh.price,
            "ledger": first.ledger.model_copy(
                update={name: getattr(terms, name) for name in ("ordered", "cancelled", "received", "returned")}
            ),
        }
    )


def _without(fresh: LedgerLine, billed: Sequence[BillLineToMatch]) -> OrderLineToMatch:
    """Return an order line as it is without these lines of a bill, which the ERP counts as billed already."""
    by_amount = fresh.basis == LineBasis.AMOUNT
    own = sum((line.amount if by_amount else line.quantity for line in billed), ZERO)
    terms = ledger_of(fresh)
    return OrderLineToMatch(
        line_no=fresh.line_no,
        item_id=fresh.item_id,
        unit=fresh.unit,
        price=fresh.price,
        ledger=terms.model_copy(update={"billed": max(subtract(terms.billed, own), ZERO)}),
        basis=Basis(fresh.basis),
        erp_id=ErpId(fresh.erp_id),
    )


async def _record_worse(
    session: AsyncSession,
    bill: BillRow,
    was: MatchResult,
    result: MatchResult,
    comparison: Comparison,
    credits_expected: Mapping[str, str],
    why: str,
) -> dict[str, Any]:
    new = (*comparison.appeared, *comparison.worse)
    before = {"match": was.outcome, "findings": [finding.id for finding in was.findings]}
    after = {"match": result.outcome, "findings": [finding.id for finding in result.findings]}
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
    return {
        "bill_id": bill.id,
        "number": bill.number,
        "before": before,
        "after": after,
        "says": [finding.message for finding in new],
        "orders_before": was.inputs.po,
        "orders_after": result.inputs.po,
        "values": {finding.id: dict(finding.values) for finding in new},
        **({"credit_expected": dict(credits_expected)} if credits_expected else {}),
    }
