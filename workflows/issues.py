"""Open and close the issue of a write that the ERP refused."""

from temporalio import workflow

from workflows.policies import decide

with workflow.unsafe.imports_passed_through():
    from activities.database import MirrorActivities
    from activities.failures import FailureDetails
    from models.domain.ids import SYNCER, ConnectionId, SyncIssueId
    from models.domain.issue_states import IssueState, IssueSubject
    from models.messages.issues import CloseIssue, OpenIssue, SettleIssue


async def open_issue(
    connection_id: ConnectionId,
    subject_kind: IssueSubject,
    subject_id: str,
    failure: FailureDetails,
    *,
    title: str,
    keeps_status: bool = False,
) -> SyncIssueId | None:
    """Open an issue for a person to settle; its resolution comes back to this workflow.

    None: its subject has ended meanwhile, or waits for a person already.
    """
    return await workflow.execute_local_activity_method(
        MirrorActivities.open_issue,
        OpenIssue(
            connection_id=connection_id,
            subject_kind=subject_kind,
            subject_id=subject_id,
            code=failure.code,
            message=failure.message,
            erp_code=failure.erp_code,
            evidence=failure.evidence,
            workflow_id=workflow.info().workflow_id,
            title=title,
            keeps_status=keeps_status,
        ),
        **decide(f"open issue {failure.code}"),
    )


async def close_issue(
    issue_id: SyncIssueId, state: IssueState, resolution: SettleIssue | None, *, for_retry: bool
) -> SettleIssue | None:
    """Close the issue in the name of the person who settled it; without a resolution it healed by itself.

    Return the later decision to abandon that keeps an issue open which was to be closed for another attempt.
    """
    return await workflow.execute_local_activity_method(
        MirrorActivities.close_issue,
        CloseIssue(
            issue_id=issue_id,
            state=state,
            actor=resolution.actor if resolution else SYNCER,
            why=resolution.why if resolution else "it healed by itself",
            for_retry=for_retry,
        ),
        **decide(f"close issue: {state}"),
    )
