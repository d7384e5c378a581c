"""Bring one change to a list entry to the ERP exactly once, or record why that failed.

make or change (key known before the first attempt) ──> done
      ├── both sides changed it and the ERP is the master: set aside; a person may apply it again
      └── refused: nothing is changed; an issue says why, and a person retries it or abandons the change

A change that ended so waits for nobody: the next ask is a new run, and what an earlier one may have done is looked up
first.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from models.domain.waits_for import WaitsFor
from workflows import policies
from workflows.operator_view import OperatorView

with workflow.unsafe.imports_passed_through():
    from activities.failures import details_of
    from activities.list_changes import ListChangeRecords, ListChanges
    from models.domain.list_changes import ListChangeStatus
    from models.messages.list_changes import ListChangeAsked, ListChangeFailed, ListChangeState, PushListChange


@workflow.defn
class ListChangeWorkflow:
    """One ask to make or change a list entry."""

    @workflow.init
    def __init__(self, state: ListChangeState) -> None:
        self._state = state
        self._view = OperatorView(ListChangeStatus.SENDING, waits_for=WaitsFor.ERP)
        self._asked = state.ask

    @workflow.run
    async def run(self, state: ListChangeState) -> ListChangeStatus:
        """Run until the ask has ended; return how."""
        while True:
            ask = self._asked
            ended = await self._push(ask)
            if self._asked == ask:  # else somebody asked again before this run had quite ended
                return ended

    @workflow.signal
    def list_change_asked(self, asked: ListChangeAsked) -> None:
        """Receive that somebody asked; the mirror has what is to be done."""
        self._asked = max(self._asked, asked.ask)

    async def _push(self, ask: int) -> ListChangeStatus:
        state = self._state
        self._show(ListChangeStatus.SENDING, "the ERP to take it", WaitsFor.ERP)
        try:
            result = await workflow.execute_activity_method(
                ListChanges.push_list_change,
                PushListChange(connection_id=state.connection_id, change_id=state.change_id),
                **policies.erp_write(state.connection_id, state.erp, f"{state.action.value} {self._what}"),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise  # an operator ends the workflow; the next sync run starts it again, and it looks first
            failure = details_of(error)
            await workflow.execute_local_activity_method(
                ListChangeRecords.list_change_failed,
                ListChangeFailed(
                    change_id=state.change_id,
                    ask=ask,
                    code=failure.code,
                    message=failure.message,
                    evidence={**failure.evidence, **({"erp_code": failure.erp_code} if failure.erp_code else {})},
                ),
                **policies.decide("record why it failed"),
            )
            self._show(ListChangeStatus.REFUSED, f"a person: {failure.message}", WaitsFor.PERSON, failure.code)
            return ListChangeStatus.REFUSED
        if result.status is ListChangeStatus.SET_ASIDE:
            self._show(result.status, "a person: the ERP's values were kept", WaitsFor.PERSON)
        else:
            self._show(result.status, "nothing: it is done", None)
        return result.status

    @property
    def _what(self) -> str:
        return f"{self._state.kind.value.replace('_', ' ')} {self._state.name}"

    def _show(
        self, status: ListChangeStatus, waiting_for: str, waits: WaitsFor | None, issue_code: str | None = None
    ) -> None:
        lines = [f"{self._state.action.value} **{self._what}**", "", f"**{status.value}**", ""]
        self._view.show(
            [*lines, f"Waiting for: {waiting_for}"], status=status.value, issue_code=issue_code, waits_for=waits
        )
