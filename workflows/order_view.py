"""Say what an operator sees of a purchase order in Temporal: its facts, our open bills, and what it waits for."""

from decimal import Decimal

from temporalio import workflow

from models import contract

with workflow.unsafe.imports_passed_through():
    from models.domain.bills import BillStatus
    from models.domain.waits_for import WaitsFor, bill_waits_for
    from models.messages.orders import OrderFacts, PurchaseOrderState


def details_of(state: PurchaseOrderState, facts: OrderFacts, waiting_for: str) -> list[str]:
    """Return the lines of the workflow's details, as Markdown."""
    lines = [
        f"**Purchase order {facts.number}** · {facts.vendor}",
        "",
        f"Status **{facts.status.value.replace('_', ' ')}** (the ERP says *{facts.erp_status}*)",
        "",
        _our_bills(state),
        "",
        f"Waiting for: {waiting_for}",
        "",
    ]
    lines += [
        f"- bill {bill.number} ({bill.total}): {bill.status.value.replace('_', ' ')}, "
        f"`{contract.bill_workflow_id(bill.bill_id)}`"
        for bill in state.bills
    ]
    if state.finished_bills:
        lines += ["", f"{state.finished_bills} of our bills are settled."]
    return lines


def _our_bills(state: PurchaseOrderState) -> str:
    """Return the sentence on our bills, in money: quantities of different lines do not add up to anything."""
    groups = {
        "waiting for a person": [bill for bill in state.bills if bill_waits_for(bill.status, None) is WaitsFor.PERSON],
        "on the way to the ERP": [bill for bill in state.bills if bill.status is BillStatus.PENDING_PUSH],
        "in the ERP": [bill for bill in state.bills if not bill.status.is_before_erp],
    }
    parts = [
        f"{len(bills)} {where} ({sum((Decimal(bill.total) for bill in bills), Decimal(0))})"
        for where, bills in groups.items()
        if bills
    ]
    return f"Of our open bills {', '.join(parts)}." if parts else "No bill of ours is open."


def waits_for(state: PurchaseOrderState, *, is_read: bool) -> WaitsFor | None:
    """Return whom the order waits for; `is_read`: it is being read until the ERP shows our bills.

    Who approves a bill is asked for by the bill's own workflow alone.
    """
    if state.issue is not None or any(
        bill_waits_for(bill.status, None) is WaitsFor.PERSON and bill.status is not BillStatus.AWAITING_APPROVAL
        for bill in state.bills
    ):
        return WaitsFor.PERSON
    return WaitsFor.ERP if is_read else None


def waiting_for(state: PurchaseOrderState, *, is_read: bool, is_done: bool) -> str:
    """Return in words what the order waits for; `is_done`: for nothing any more."""
    if state.issue is not None:
        return f"a person: issue {state.issue}, the ERP does not show our bill"
    if is_read:
        return "the ERP to show our bills on the order (double sync)"
    waiting = [bill for bill in state.bills if bill.status.is_waiting]
    if waiting:
        return "a person: " + "; ".join(f"bill {bill.number}: {', '.join(bill.needs)}" for bill in waiting)
    if state.bills:
        return "our bills to reach the ERP"
    return "nothing: the order is done" if is_done else "a bill, or a change in the ERP"
