"""What every write does when the ERP refuses it: open an issue, wait for a person's word, close the issue."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.failures import FailureDetails
    from activities.mirror import MirrorActivities
    from models.domain import ConnectionId, SyncIssueId
    from models.messages import CloseIssue, OpenIssue, SettleIssue
    from workflows.policies import decide


async def open_issue(
    connection_id: ConnectionId,
    subject_kind: str,
    subject_id: str,
    failure: FailureDetails,
    *,
    title: str,
    keeps_status: bool = False,
) -> SyncIssueId:
    """Put the refusal before a person, with a way back to this workflow."""
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


async def close_issue(issue_id: SyncIssueId, state: str, word: SettleIssue | None) -> None:
    """Close it in the name of whoever settled it; without a person's word it healed by itself."""
    await workflow.execute_local_activity_method(
        MirrorActivities.close_issue,
        CloseIssue(
            issue_id=issue_id,
            state=state,
            actor=word.actor if word else "posync",
            why=word.why if word else "it healed by itself",
        ),
        **decide(f"close issue: {state}"),
    )
