"""Opening, settling and closing sync issues, and abandoning the write behind one."""

from pydantic import BaseModel

from models.domain.ids import ConnectionId, SyncIssueId
from models.domain.issue_states import IssueDecision, IssueState, IssueSubject


class SettleIssue(BaseModel):
    """A person's resolution of an issue: retry (with what was corrected meanwhile), or abandon."""

    issue_id: SyncIssueId
    decision: IssueDecision
    actor: str
    why: str = ""


class OpenIssue(BaseModel):
    """Open a sync issue for a write the ERP refused; the same code on the same subject is counted, not opened twice."""

    connection_id: ConnectionId
    subject_kind: IssueSubject
    subject_id: str
    code: str
    message: str
    erp_code: str | None = None
    evidence: dict[str, str] = {}
    workflow_id: str | None = None
    title: str = ""
    keeps_status: bool = False
    """The subject keeps its status: an edit of it was refused, not the subject itself."""


class CloseIssue(BaseModel):
    """Close a sync issue as resolved or abandoned."""

    issue_id: SyncIssueId
    state: IssueState
    actor: str
    why: str = ""
    for_retry: bool = False
    """Its write is tried again: the issue stays open where a person decided to abandon it meanwhile."""
