"""The states of a payment: which combinations of status, write and open issue exist, and which status follows which.

It is read as `bill_states.py` is.
"""

from collections.abc import Mapping

from models.domain.payments import PaymentStatus
from models.domain.situations import Mover, Situation, Table, WayOn
from models.domain.writes import WriteState

_STARTED = (WriteState.PLANNED, WriteState.SENT, WriteState.QUEUED, WriteState.REJECTED, WriteState.CONFIRMED)

_NEXT_ATTEMPT = {
    WriteState.PLANNED: "sends it again: the attempt before wrote nothing",
    WriteState.SENT: "looks it up in the ERP, and sends it again only if it is not there",
    WriteState.QUEUED: "waits until the ERP has fetched it and answered",
    WriteState.REJECTED: "takes the refusal in: it opens an issue, or sends the payment again after a retry",
    WriteState.CONFIRMED: "reads it again until the ERP has posted it",
}


def _ways_on() -> Table:
    table: dict[Situation, WayOn] = {}

    def add(status: PaymentStatus, write: WriteState, way: WayOn, *, stopped: bool = False) -> None:
        table[Situation(status, write, stopped)] = way

    add(PaymentStatus.SCHEDULED, WriteState.PLANNED, WayOn(Mover.WORKFLOW, "sends it on its day"))
    for write in _STARTED:
        add(PaymentStatus.SUBMITTED, write, WayOn(Mover.WORKFLOW, _NEXT_ATTEMPT[write]))
        add(PaymentStatus.SYNC_ISSUE, write, WayOn(Mover.WORKFLOW, _NEXT_ATTEMPT[write]))
        can_be_abandoned = write in (WriteState.PLANNED, WriteState.REJECTED)
        what = "retries or abandons" if can_be_abandoned else "retries"
        add(PaymentStatus.SYNC_ISSUE, write, WayOn(Mover.PERSON, what), stopped=True)
    add(PaymentStatus.PAID, WriteState.CONFIRMED, WayOn(Mover.NOBODY, "acts; it may be voided, here or in the ERP"))
    add(PaymentStatus.VOIDING, WriteState.CONFIRMED, WayOn(Mover.WORKFLOW, "voids it in the ERP"))
    add(
        PaymentStatus.VOIDING,
        WriteState.CONFIRMED,
        WayOn(Mover.PERSON, "retries, or abandons the void: the payment then stays in the ERP"),
        stopped=True,
    )
    add(PaymentStatus.ABANDONED, WriteState.ABANDONED, WayOn(Mover.NOBODY, "acts: it has ended"))
    add(PaymentStatus.VOIDED, WriteState.CONFIRMED, WayOn(Mover.NOBODY, "acts: it has ended"))
    return table


WAYS_ON: Table = _ways_on()
"""Every situation that a payment of ours can be in, with what happens next."""

FIRST = (PaymentStatus.SCHEDULED,)
"""The statuses that a payment of ours can begin in."""

MOVES: Mapping[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.SCHEDULED: frozenset({PaymentStatus.SUBMITTED, PaymentStatus.SYNC_ISSUE, PaymentStatus.ABANDONED}),
    PaymentStatus.SUBMITTED: frozenset(
        {PaymentStatus.SYNC_ISSUE, PaymentStatus.PAID, PaymentStatus.VOIDED, PaymentStatus.ABANDONED}
    ),
    PaymentStatus.SYNC_ISSUE: frozenset(
        {PaymentStatus.SUBMITTED, PaymentStatus.PAID, PaymentStatus.VOIDED, PaymentStatus.ABANDONED}
    ),
    PaymentStatus.PAID: frozenset({PaymentStatus.VOIDED, PaymentStatus.VOIDING}),
    # Abandoned, the void leaves the payment as the ERP has it.
    PaymentStatus.VOIDING: frozenset({PaymentStatus.VOIDED, PaymentStatus.PAID}),
    PaymentStatus.ABANDONED: frozenset(),
    PaymentStatus.VOIDED: frozenset(),
}
"""Which statuses may follow each status of a payment of ours; the same one again is no move."""

_MADE_IN_ERP = frozenset({PaymentStatus.SUBMITTED, PaymentStatus.PAID, PaymentStatus.VOIDED})

MOVES_MADE_IN_ERP: Mapping[PaymentStatus, frozenset[PaymentStatus]] = {
    status: _MADE_IN_ERP - {status} for status in sorted(_MADE_IN_ERP)
}
"""The same for a payment made in the ERP, which says what it is."""


def may_move(before: PaymentStatus, after: PaymentStatus) -> bool:
    """Return whether a payment of ours may go from one status to the other."""
    return after == before or after in MOVES[before]


def may_be_stopped(status: PaymentStatus, write: WriteState) -> bool:
    """Return whether a payment of ours can wait behind an issue now: one that has ended cannot."""
    after = PaymentStatus.SYNC_ISSUE if may_move(status, PaymentStatus.SYNC_ISSUE) else status
    return Situation(after, write, stopped=True) in WAYS_ON
