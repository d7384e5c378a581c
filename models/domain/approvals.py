"""The approval of a bill: its states, and what lets a bill go out to the ERP."""

from enum import StrEnum


class ApprovalState(StrEnum):
    """How far the approval of a bill is."""

    NOT_REQUIRED = "not_required"
    """Approvals were off when it was entered."""
    UNASSIGNED = "unassigned"
    """No rule applied: an accountant names the approvers."""
    ASSIGNED = "assigned"
    """Approvers are named, and none has approved."""
    APPROVING = "approving"
    """Some steps are approved, not all."""
    APPROVED = "approved"
    DENIED = "denied"

    @property
    def is_open(self) -> bool:
        """Return whether an approver's decision is awaited."""
        return self in (ApprovalState.ASSIGNED, ApprovalState.APPROVING)


class PushWhen(StrEnum):
    """What a bill waits for before it is sent to the ERP."""

    MATCHED = "matched"
    """Nothing but its match. Only while approvals are off."""
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    """Its approval, where approvals are on, and its first payment: planned, submitted or made."""
    BEFORE_APPROVAL = "before_approval"
    """Nothing, where it is on no order: the ERP takes it as not approved yet."""
