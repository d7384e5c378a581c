"""Show a workflow to operators in Temporal's UI: its search attributes and its current details."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from models import contract
from models.domain.waits_for import WaitsFor

with workflow.unsafe.imports_passed_through():
    from models.messages.bills import BillState


class OperatorView:
    """Keeps the search attributes equal to the state, and says in plain words what the workflow waits for.

    A run assumes that the state it was started with is shown already: by its caller, or by the run before it.
    """

    def __init__(self, status: str | None, issue_code: str | None = None, waits_for: WaitsFor | None = None) -> None:
        self._status = status
        self._issue_code = issue_code
        self._waits_for = waits_for

    def show(
        self,
        lines: Iterable[str],
        *,
        status: str,
        issue_code: str | None = None,
        waits_for: WaitsFor | None = None,
    ) -> None:
        """Show the details, and update the search attributes that changed."""
        changes: list[SearchAttributeUpdate[str]] = []
        if status != self._status:
            changes.append(contract.STATUS.value_set(status))
        if issue_code != self._issue_code:
            changes.append(
                contract.ISSUE_CODE.value_set(issue_code) if issue_code else contract.ISSUE_CODE.value_unset()
            )
        if waits_for != self._waits_for:
            changes.append(contract.WAITS_FOR.value_set(waits_for) if waits_for else contract.WAITS_FOR.value_unset())
        if changes:
            workflow.upsert_search_attributes(changes)
        self._status, self._issue_code, self._waits_for = status, issue_code, waits_for
        workflow.set_current_details("\n".join(lines))


def bill_details(state: BillState, waiting_for: str, *, editing: bool) -> Iterator[str]:
    """Return the lines: which bill, its status, what it waits for, which payments it has."""
    yield f"**Bill {state.number}** · {state.vendor} · total {state.total}"
    yield ""
    if state.order_workflow_id:
        yield f"For purchase order {state.order_number} (`{state.order_workflow_id}`)"
    else:
        yield "Without a purchase order"
    yield ""
    place = f", in the ERP as *{state.document_id}*" if state.document_id else ", not in the ERP yet"
    edit = ", an edit on its way to the ERP" if editing else ""
    yield f"Status **{state.status.value.replace('_', ' ')}**{place}{edit}"
    if state.parts:
        yield ""
        for part in state.parts:
            where = f", in the ERP as *{part.document_id}*" if part.document_id else ""
            number = f" under {part.number}" if part.number != state.number else ""
            state_of_part = part.state.value.replace("_", " ")
            yield f"- part {part.part_no} of {part.total} from {part.source}: {state_of_part}{where}{number}"
    if Decimal(state.paid):
        yield from ("", f"Paid {state.paid}, due {state.due}")
    yield from ("", f"Waiting for: {waiting_for}", "")
    if state.status.is_waiting:
        yield from (f"- {message}" for message in state.because)
    for payment in state.payments:
        done = ", done" if payment.done else ", waits for the bill" if payment.waits else ""
        name = contract.payment_workflow_id(payment.payment_id)
        yield f"- payment {payment.amount} on {payment.pay_on}{done}, `{name}`"


def next_payment(state: BillState) -> str:
    """Return what a bill in the ERP waits for."""
    unfinished = [payment for payment in state.payments if not payment.done]
    if unfinished:
        return "the payment of " + ", ".join(f"{payment.amount} on {payment.pay_on}" for payment in unfinished)
    if state.due is not None:
        return f"a payment of the {state.due} still due to be scheduled"
    return "a payment to be scheduled"
