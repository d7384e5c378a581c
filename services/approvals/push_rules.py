"""When a bill is sent to the ERP: the combinations of settings that hold, and what a bill waits for under them.

The same tables, for people, are in docs/reference/approvals.md.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from models.domain.approvals import ApprovalState, PushWhen
from models.domain.bills import BillStatus
from models.tables import ConnectionRow

# --- the settings ----------------------------------------------------------------------------------------------


class Settings(NamedTuple):
    """What a connection says of approvals."""

    push_when: PushWhen
    enabled: bool
    only_approved: bool
    draft_order_bills: bool = False
    """An order's bill goes out before its approval, as a draft that the approval releases (S5-152)."""


OFF, NOT_OFFERED, PERMANENT = "APPROVALS_ARE_OFF", "PUSH_BEFORE_APPROVAL_NOT_OFFERED", "ONLY_APPROVED_IS_PERMANENT"
NO_DRAFTS = "DRAFTS_OF_ORDER_BILLS_NOT_OFFERED"

MATCHED, APPROVED, SCHEDULED, BEFORE = PushWhen

SETTINGS: Mapping[Settings, PushWhen | str] = {
    Settings(MATCHED, False, False): MATCHED,
    Settings(MATCHED, True, False): APPROVED,
    Settings(MATCHED, True, True): APPROVED,
    Settings(MATCHED, False, True): OFF,
    Settings(APPROVED, False, False): OFF,
    Settings(APPROVED, True, False): APPROVED,
    Settings(APPROVED, True, True): APPROVED,
    Settings(APPROVED, False, True): OFF,
    Settings(SCHEDULED, False, False): SCHEDULED,
    Settings(SCHEDULED, True, False): SCHEDULED,
    Settings(SCHEDULED, True, True): SCHEDULED,
    Settings(SCHEDULED, False, True): OFF,
    Settings(BEFORE, False, False): OFF,
    Settings(BEFORE, True, False): NOT_OFFERED,
    Settings(BEFORE, True, True): PERMANENT,
    Settings(BEFORE, False, True): OFF,
    # With drafts of orders' bills: approvals are on, unapproved bills may go out, and only the approval is awaited.
    Settings(MATCHED, False, False, True): OFF,
    Settings(MATCHED, True, False, True): APPROVED,
    Settings(MATCHED, True, True, True): PERMANENT,
    Settings(MATCHED, False, True, True): OFF,
    Settings(APPROVED, False, False, True): OFF,
    Settings(APPROVED, True, False, True): APPROVED,
    Settings(APPROVED, True, True, True): PERMANENT,
    Settings(APPROVED, False, True, True): OFF,
    Settings(SCHEDULED, False, False, True): OFF,
    Settings(SCHEDULED, True, False, True): NO_DRAFTS,
    Settings(SCHEDULED, True, True, True): PERMANENT,
    Settings(SCHEDULED, False, True, True): OFF,
    Settings(BEFORE, False, False, True): OFF,
    Settings(BEFORE, True, False, True): NO_DRAFTS,
    Settings(BEFORE, True, True, True): PERMANENT,
    Settings(BEFORE, False, True, True): OFF,
}
"""What becomes of each combination that is asked for: the `push_when` that is stored, or the code of the refusal. For a
connection with purchase orders, whose ERP keeps drafts of their bills."""


def becomes(asked: Settings, *, orders: bool, drafts: bool, order_drafts: bool) -> PushWhen | str:
    """Return the `push_when` that is stored, or the code of the refusal.

    `orders`: the connection has purchase orders. `drafts`, `order_drafts`: its ERP keeps drafts of bills without an
    order, of bills on one.
    """
    if asked == Settings(BEFORE, True, False) and drafts and not orders:
        return BEFORE
    result = SETTINGS[asked]
    return NO_DRAFTS if asked.draft_order_bills and isinstance(result, PushWhen) and not order_drafts else result


# --- one bill --------------------------------------------------------------------------------------------------


class WaitsFor(StrEnum):
    """What a bill waits for once its match is settled."""

    NOTHING = "nothing"
    APPROVAL = "approval"
    PAYMENT = "payment"
    """Its first payment: nothing, once that is scheduled."""


_UNDECIDED = (ApprovalState.UNASSIGNED, ApprovalState.ASSIGNED, ApprovalState.APPROVING, ApprovalState.DENIED)


def _row(decided: WaitsFor) -> dict[ApprovalState, WaitsFor]:
    return {
        ApprovalState.NOT_REQUIRED: decided,
        ApprovalState.APPROVED: decided,
        **dict.fromkeys(_UNDECIDED, WaitsFor.APPROVAL),
    }


WAITS_FOR: Mapping[PushWhen, Mapping[ApprovalState, WaitsFor]] = {
    MATCHED: _row(WaitsFor.NOTHING),
    APPROVED: _row(WaitsFor.NOTHING),
    SCHEDULED: _row(WaitsFor.PAYMENT),
    BEFORE: _row(WaitsFor.NOTHING),
}
"""What a bill on an order waits for. `before_approval` sends only bills without an order before they are approved."""

AS_DRAFT: Mapping[ApprovalState, WaitsFor] = {
    **dict.fromkeys(ApprovalState, WaitsFor.NOTHING),
    ApprovalState.DENIED: WaitsFor.APPROVAL,
}
"""What a bill waits for that goes out as a draft, which its approval releases."""

WAITS_FOR_DIRECT: Mapping[PushWhen, Mapping[ApprovalState, WaitsFor]] = {**WAITS_FOR, BEFORE: AS_DRAFT}
"""What a bill without an order waits for: under `before_approval` it goes out as a draft."""


def goes_out_as_draft(connection: ConnectionRow, *, direct: bool) -> bool:
    """Return whether a bill of the connection goes out as a draft until it is approved."""
    return connection.push_when == BEFORE if direct else connection.draft_order_bills


def status_before_push(
    after_match: BillStatus,
    push_when: PushWhen,
    approval: ApprovalState,
    *,
    payment_scheduled: bool,
    direct: bool = False,
    as_draft: bool = False,
) -> BillStatus:
    """Return the status of a bill that was not sent: its match comes first, then its approval, then its payment."""
    if after_match is not BillStatus.PENDING_PUSH:
        return after_match
    waits = AS_DRAFT if as_draft else (WAITS_FOR_DIRECT if direct else WAITS_FOR)[push_when]
    match waits[approval]:
        case WaitsFor.APPROVAL:
            return BillStatus.AWAITING_APPROVAL
        case WaitsFor.PAYMENT if not payment_scheduled:
            return BillStatus.AWAITING_PAYMENT
        case _:
            return BillStatus.PENDING_PUSH


def status_at_entry(connection: ConnectionRow, after_match: BillStatus, *, direct: bool) -> BillStatus:
    """Return the status of a bill that is entered now: nobody has approved it, and no payment of it is scheduled."""
    state = ApprovalState.UNASSIGNED if connection.approvals_enabled else ApprovalState.NOT_REQUIRED
    push_when = PushWhen(connection.push_when)
    as_draft = goes_out_as_draft(connection, direct=direct)
    return status_before_push(after_match, push_when, state, payment_scheduled=False, direct=direct, as_draft=as_draft)
