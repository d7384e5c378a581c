"""Bring one application of a credit to the ERP exactly once, or undo it, or record why that failed.

apply (key known before the first attempt) ──> applied ──> a person undoes it ──> unapplied
      └── refused: nothing is applied; a person looks at the reason and asks again

A refused application waits for nobody: the next ask is a new run, and what an earlier one may have done is looked up
first.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from models.domain.waits_for import WaitsFor
from workflows import policies
from workflows.operator_view import OperatorView

with workflow.unsafe.imports_passed_through():
    from activities.credit_applications import CreditApplicationRecords, CreditApplications
    from activities.failures import details_of
    from models.domain.credits import ApplicationStatus
    from models.messages.credits import (
        ApplicationAsked,
        ApplicationFailed,
        CreditApplicationState,
        PushApplication,
    )


@workflow.defn
class CreditApplicationWorkflow:
    """One ask to apply a credit to a bill, or to undo that."""

    @workflow.init
    def __init__(self, state: CreditApplicationState) -> None:
        self._state = state
        self._view = OperatorView(state.status, waits_for=WaitsFor.ERP)
        self._asked = state.ask

    @workflow.run
    async def run(self, state: CreditApplicationState) -> ApplicationStatus:
        """Run until the ask has ended; return how."""
        while True:
            ask = self._asked
            ended = await self._push(ask)
            if self._asked == ask:  # else somebody asked again before this run had quite ended
                return ended

    @workflow.signal
    def application_asked(self, asked: ApplicationAsked) -> None:
        """Receive that somebody asked; the mirror has what is to be done."""
        self._asked = max(self._asked, asked.ask)

    async def _push(self, ask: int) -> ApplicationStatus:
        state = self._state
        self._show(state.status, "the ERP to take it")
        try:
            result = await workflow.execute_activity_method(
                CreditApplications.push_credit_application,
                PushApplication(connection_id=state.connection_id, application_id=state.application_id),
                **policies.erp_write(
                    state.connection_id,
                    state.erp,
                    f"{state.status.value} {state.amount} of credit {state.credit_number} on bill {state.bill_number}",
                ),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise  # an operator ends the workflow; the next sync run starts it again, and it looks first
            failure = details_of(error)
            await workflow.execute_local_activity_method(
                CreditApplicationRecords.credit_application_failed,
                ApplicationFailed(
                    application_id=state.application_id, ask=ask, code=failure.code, message=failure.message
                ),
                **policies.decide("record why it failed"),
            )
            self._show(ApplicationStatus.REFUSED, f"a person: {failure.message}", issue_code=failure.code)
            return ApplicationStatus.REFUSED
        self._show(result.status, "nothing: it is done")
        return result.status

    def _show(self, status: ApplicationStatus, waiting_for: str, *, issue_code: str | None = None) -> None:
        state = self._state
        waits = WaitsFor.ERP if status.is_under_way else WaitsFor.PERSON if issue_code else None
        self._view.show(
            [
                f"**{state.amount}** of credit {state.credit_number} on bill {state.bill_number} · {state.vendor}",
                "",
                f"**{status.value}**",
                "",
                f"Waiting for: {waiting_for}",
            ],
            status=status.value,
            issue_code=issue_code,
            waits_for=waits,
        )
