"""Stop a write that the ERP refused: open an issue, wait for its resolution, settle it.

The open issue and the decision on it are part of the workflow's state, so that a workflow can continue as new while it
waits; the next run waits on, behind the same issue.
"""

from collections.abc import Callable
from typing import Protocol

from temporalio import workflow

from workflows import issues

with workflow.unsafe.imports_passed_through():
    from activities.failures import FailureDetails
    from models.domain.ids import ConnectionId, SyncIssueId
    from models.domain.issue_states import IssueDecision, IssueState, IssueSubject
    from models.messages.issues import SettleIssue


class StateWithIssue(Protocol):
    """The part of a workflow's state that belongs to its issue."""

    connection_id: ConnectionId
    issue: SyncIssueId | None
    issue_code: str | None
    issue_message: str
    decision: SettleIssue | None


def nobody_else() -> SettleIssue | None:
    """Return None: nothing but a person settles the issue."""
    return None


class IssueGate:
    """Stops one subject's write behind a sync issue until somebody, or something, resolves it."""

    def __init__(self, state: StateWithIssue, subject: IssueSubject, subject_id: str) -> None:
        self._state = state
        self._subject = subject
        self._subject_id = subject_id

    @property
    def is_open(self) -> bool:
        """Return whether an issue stops the write."""
        return self._state.issue is not None

    @property
    def waits_for(self) -> str:
        """Return the text that an operator reads of the open issue."""
        return f"issue {self._state.issue} ({self._state.issue_code})"

    def take_decision(self, decision: SettleIssue) -> None:
        """Keep a person's decision. It may arrive while its issue is still being opened, or belong to an older one."""
        self._state.decision = decision

    async def open(self, failure: FailureDetails, *, title: str, keeps_status: bool = False) -> bool:
        """Open the issue; with `keeps_status` its subject keeps its status.

        Return False when there is nothing to stop: the subject has ended meanwhile, or is back in review. The next
        attempt learns which.
        """
        state = self._state
        state.decision = None
        state.issue = await issues.open_issue(
            state.connection_id, self._subject, self._subject_id, failure, title=title, keeps_status=keeps_status
        )
        if state.issue is None:
            return False
        state.issue_code = failure.code
        state.issue_message = failure.message
        return True

    def resolution(self, settled_by: Callable[[], SettleIssue | None] = nobody_else) -> SettleIssue | None:
        """Return the decision on the open issue: a person's, or else the one that `settled_by` returns."""
        decision = self._state.decision
        if decision is not None and decision.issue_id == self._state.issue:
            return decision
        return settled_by() if self.is_open else None

    async def wait_for_resolution(
        self, *, until: Callable[[], bool], settled_by: Callable[[], SettleIssue | None] = nobody_else
    ) -> bool:
        """Wait until the issue is resolved or `until` holds.

        Return False when the workflow should continue as new first.
        """

        def is_over() -> bool:
            return self.resolution(settled_by) is not None or until()

        await workflow.wait_condition(lambda: is_over() or workflow.info().is_continue_as_new_suggested())
        return is_over()

    async def settle(self, state: IssueState, resolution: SettleIssue | None) -> bool:
        """Close the issue in the name of the person who resolved it; without a resolution it healed by itself.

        Return False where a retry comes too late: a person decided meanwhile to abandon, and that is the resolution
        now.
        """
        assert self._state.issue is not None, "only an open issue is settled"
        # The order's issue has one resolution: its workflow looks at the ERP once more, whatever was decided.
        is_retry = resolution is not None and resolution.decision is IssueDecision.RETRY
        for_retry = is_retry and self._subject is not IssueSubject.PURCHASE_ORDER
        later = await issues.close_issue(self._state.issue, state, resolution, for_retry=for_retry)
        if later is not None:
            self._state.decision = later
            return False
        self._state.issue = None
        self._state.issue_code = None
        self._state.issue_message = ""
        self._state.decision = None
        return True
