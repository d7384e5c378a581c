"""The states of a bill: which combinations of status, write and open issue exist, and which status follows which.

`docs/reference/states.md` shows both tables to people. A workflow that does not run is started by the next sync run,
so "its workflow" is a way on also after an operator has ended it.
"""

from collections.abc import Mapping

from models.domain.bills import BillStatus
from models.domain.situations import Mover, Situation, Table, WayOn
from models.domain.writes import WriteState

_SENDABLE = (WriteState.PLANNED, WriteState.SENT, WriteState.QUEUED, WriteState.REJECTED)

_NEXT_ATTEMPT = {
    WriteState.PLANNED: "sends it when its turn comes",
    WriteState.SENT: "looks it up in the ERP, and sends it again only if it is not there",
    WriteState.QUEUED: "waits until the ERP has fetched it and answered",
    WriteState.REJECTED: "takes the refusal in: it opens an issue, or sends the bill again after a retry",
    WriteState.CONFIRMED: "reads it back once more",
}

_IN_ERP = {
    BillStatus.SYNCED: WayOn(Mover.PERSON, "schedules a payment, or the ERP shows one"),
    BillStatus.SCHEDULED: WayOn(Mover.WORKFLOW, "sends its payments on their days"),
    BillStatus.PARTIALLY_PAID: WayOn(Mover.PERSON, "schedules another payment, or the ERP shows one"),
    BillStatus.PAID: WayOn(Mover.NOBODY, "acts; a void of its payment, here or in the ERP, opens it again"),
}


def _ways_on() -> Table:
    table: dict[Situation, WayOn] = {}

    def add(status: BillStatus, write: WriteState, way: WayOn, *, stopped: bool = False) -> None:
        table[Situation(status, write, stopped)] = way

    add(BillStatus.AWAITING_ACKNOWLEDGEMENT, WriteState.HELD, WayOn(Mover.PERSON, "acknowledges or abandons it"))
    add(BillStatus.ON_HOLD, WriteState.HELD, WayOn(Mover.PERSON, "releases or abandons it"))
    approval = WayOn(Mover.PERSON, "approves it, names other approvers, or abandons it")
    add(BillStatus.AWAITING_APPROVAL, WriteState.HELD, approval)
    add(
        BillStatus.AWAITING_PAYMENT, WriteState.HELD, WayOn(Mover.PERSON, "schedules its first payment, or abandons it")
    )
    for write in _SENDABLE:
        add(BillStatus.PENDING_PUSH, write, WayOn(Mover.WORKFLOW, _NEXT_ATTEMPT[write]))
    for write in (*_SENDABLE, WriteState.CONFIRMED):
        add(BillStatus.SYNC_ISSUE, write, WayOn(Mover.WORKFLOW, _NEXT_ATTEMPT[write]))
        can_be_abandoned = write in (WriteState.PLANNED, WriteState.REJECTED)
        what = "corrects, retries or abandons it" if can_be_abandoned else "retries"
        add(BillStatus.SYNC_ISSUE, write, WayOn(Mover.PERSON, what), stopped=True)
    add(BillStatus.LINK_MISSING, WriteState.CONFIRMED, WayOn(Mover.WORKFLOW, _NEXT_ATTEMPT[WriteState.CONFIRMED]))
    add(BillStatus.LINK_MISSING, WriteState.CONFIRMED, WayOn(Mover.PERSON, "mends the link and retries"), stopped=True)
    for status, way in _IN_ERP.items():
        add(status, WriteState.CONFIRMED, way)
        add(status, WriteState.CONFIRMED, WayOn(Mover.PERSON, "retries or abandons its edit"), stopped=True)
    closed = WayOn(Mover.WORKFLOW, "abandons the edit and closes the issue")
    add(BillStatus.PAID, WriteState.CONFIRMED, closed, stopped=True)
    add(BillStatus.RETRACTING, WriteState.CONFIRMED, WayOn(Mover.WORKFLOW, "takes it back from the ERP"))
    add(
        BillStatus.RETRACTING,
        WriteState.CONFIRMED,
        WayOn(Mover.PERSON, "retries, or abandons the retraction: the bill then stays in the ERP"),
        stopped=True,
    )
    add(BillStatus.DISPUTED, WriteState.HELD, WayOn(Mover.PERSON, "restores it, or abandons it"))
    add(BillStatus.DRAFT, WriteState.HELD, WayOn(Mover.PERSON, "puts it on an order, or abandons it"))
    add(BillStatus.ABANDONED, WriteState.ABANDONED, WayOn(Mover.NOBODY, "acts; a person may restore it"))
    add(BillStatus.DELETED, WriteState.CONFIRMED, WayOn(Mover.NOBODY, "acts; a person may restore it"))
    return table


WAYS_ON: Table = _ways_on()
"""Every situation that a bill of ours can be in, with what happens next."""

FIRST = (
    BillStatus.AWAITING_ACKNOWLEDGEMENT,
    BillStatus.ON_HOLD,
    BillStatus.AWAITING_APPROVAL,
    BillStatus.AWAITING_PAYMENT,
    BillStatus.PENDING_PUSH,
)
"""The statuses that a bill of ours can begin in."""

_UNSENT = frozenset(FIRST)
_WAITING = tuple(status for status in FIRST if status.is_waiting)
_UNSENT_ENDS = frozenset({BillStatus.ABANDONED, BillStatus.DISPUTED, BillStatus.DRAFT})
_TAKEN_BACK = frozenset({BillStatus.DELETED, BillStatus.DISPUTED, *_WAITING})
"""What a bill becomes once the ERP holds it no more."""
_PAYABLE = frozenset(_IN_ERP)
_READ_BACK = frozenset({BillStatus.SYNC_ISSUE, BillStatus.LINK_MISSING, BillStatus.SYNCED})

MOVES: Mapping[BillStatus, frozenset[BillStatus]] = {
    **{status: (_UNSENT | _UNSENT_ENDS) - {status} for status in _WAITING},
    BillStatus.PENDING_PUSH: (_UNSENT | _READ_BACK | _UNSENT_ENDS) - {BillStatus.PENDING_PUSH},
    # One that the ERP refused is matched again, and asked for its approval again, before it is sent again.
    # One in parts, of which the ERP refused one, is taken back.
    BillStatus.SYNC_ISSUE: (
        _UNSENT | _READ_BACK | {BillStatus.ABANDONED, BillStatus.DELETED, BillStatus.DRAFT, BillStatus.RETRACTING}
    )
    - {BillStatus.SYNC_ISSUE},
    BillStatus.LINK_MISSING: (_READ_BACK | {BillStatus.DELETED}) - {BillStatus.LINK_MISSING},
    **{status: (_PAYABLE | {BillStatus.DELETED}) - {status} for status in _IN_ERP},
    # Somebody deleted one of its parts in the ERP.
    **{
        status: (_PAYABLE | {BillStatus.DELETED, BillStatus.SYNC_ISSUE}) - {status}
        for status in (BillStatus.SCHEDULED, BillStatus.PARTIALLY_PAID)
    },
    BillStatus.SYNCED: (_PAYABLE | {BillStatus.DELETED, BillStatus.RETRACTING, BillStatus.SYNC_ISSUE})
    - {BillStatus.SYNCED},
    # Abandoned, the retraction leaves the bill as the ERP has it.
    BillStatus.RETRACTING: _PAYABLE | _TAKEN_BACK | {BillStatus.SYNC_ISSUE},
    # A restored bill is made anew: it is matched, and asked for its approval, before it is sent again.
    BillStatus.DISPUTED: _UNSENT | {BillStatus.ABANDONED, BillStatus.DRAFT},
    BillStatus.DRAFT: _UNSENT | {BillStatus.ABANDONED},
    BillStatus.ABANDONED: _UNSENT,
    BillStatus.DELETED: _UNSENT,
}
"""Which statuses may follow each status of a bill of ours; the same one again is no move."""

_MADE_IN_ERP = (_PAYABLE - {BillStatus.SCHEDULED}) | {BillStatus.DELETED}

MOVES_MADE_IN_ERP: Mapping[BillStatus, frozenset[BillStatus]] = {
    status: _MADE_IN_ERP - {status} for status in sorted(_MADE_IN_ERP)
}
"""The same for a bill made in the ERP, which says what it is; a deleted one may be shown again."""


def may_move(before: BillStatus, after: BillStatus) -> bool:
    """Return whether a bill of ours may go from one status to the other."""
    return after == before or after in MOVES[before]


def may_be_stopped(status: BillStatus, write: WriteState) -> bool:
    """Return whether a bill of ours can wait behind an issue now: one that has ended or is in review cannot."""
    after = BillStatus.SYNC_ISSUE if may_move(status, BillStatus.SYNC_ISSUE) else status
    return Situation(after, write, stopped=True) in WAYS_ON
