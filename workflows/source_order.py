"""Run one upload of a source order: send it to the ERP exactly once, or record why that failed.

push (key known before the first attempt) ──> read back ──> uploaded
      └── refused, or unanswered for a week ──> failed, with why; a person corrects the order and uploads it again

A failed upload waits for nobody: the next one is a new run, and what an earlier one may have done is looked up first.
"""

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from models.domain.waits_for import WaitsFor
from workflows import policies
from workflows.operator_view import OperatorView

with workflow.unsafe.imports_passed_through():
    from activities.failures import details_of
    from activities.source_orders import SourceOrderRecords, SourceOrderUploads
    from models.domain.source_orders import UploadState
    from models.messages.source_orders import PushSourceOrder, SourceOrderFailed, SourceOrderState, UploadAskedFor


@workflow.defn
class SourceOrderWorkflow:
    """One upload of a source order."""

    @workflow.init
    def __init__(self, state: SourceOrderState) -> None:
        self._state = state
        self._view = OperatorView(UploadState.UPLOADING, waits_for=WaitsFor.ERP)
        self._asked = state.ask

    @workflow.run
    async def run(self, state: SourceOrderState) -> UploadState:
        """Run until the upload has ended; return how."""
        while True:
            ask = self._asked
            ended = await self._upload(ask)
            # Somebody may have corrected the order and asked again before this run had quite ended.
            if self._asked == ask or ended is UploadState.UPLOADED:
                return ended

    @workflow.signal
    def upload_asked(self, asked: UploadAskedFor) -> None:
        """Receive that somebody asked for the upload; the mirror has what is to be sent."""
        self._asked = max(self._asked, asked.ask)

    async def _upload(self, ask: int) -> UploadState:
        state = self._state
        self._show(UploadState.UPLOADING, "the ERP to take it")
        try:
            result = await workflow.execute_activity_method(
                SourceOrderUploads.push_source_order,
                PushSourceOrder(connection_id=state.connection_id, source_order_id=state.source_order_id),
                **policies.erp_write(state.connection_id, state.erp, f"upload {state.reference} and read it back"),
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise  # an operator ends the workflow; the next sync run starts it again, and it looks first
            failure = details_of(error)
            await workflow.execute_local_activity_method(
                SourceOrderRecords.source_order_failed,
                SourceOrderFailed(
                    source_order_id=state.source_order_id,
                    ask=ask,
                    code=failure.code,
                    message=failure.message,
                    evidence=failure.evidence,
                ),
                **policies.decide("record why the upload failed"),
            )
            self._show(UploadState.FAILED, f"a person: {failure.message}", issue_code=failure.code)
            return UploadState.FAILED
        self._show(result.state, "nothing: the upload is done")
        return result.state

    def _show(self, status: UploadState, waiting_for: str, *, issue_code: str | None = None) -> None:
        state = self._state
        waits = {UploadState.UPLOADING: WaitsFor.ERP, UploadState.FAILED: WaitsFor.PERSON}.get(status)
        self._view.show(
            [
                f"**{state.reference}** · {state.contact} · total {state.amount}",
                "",
                f"Upload as {state.upload_as.value.replace('_', ' ')}: **{status.value}**",
                "",
                f"Waiting for: {waiting_for}",
            ],
            status=status.value,
            issue_code=issue_code,
            waits_for=waits,
        )
