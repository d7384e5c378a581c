"""The states of a source order: which combinations of state, write and open issue exist, and which state follows which.

It is read as `bill_states.py` is. The write is that of the last upload; an issue is open where the ERP refused it, gave
no answer, or made something else of it. What an order lacks before it is sent is told to whoever asks for the upload.
"""

from collections.abc import Mapping

from models.domain.situations import Mover, Situation, Table, WayOn
from models.domain.source_orders import UploadState
from models.domain.writes import WriteState

_NEXT_ATTEMPT = {
    WriteState.PLANNED: "sends it",
    WriteState.SENT: "looks it up in the ERP; if it is not there, sends it again, or ends it if the order was changed",
    WriteState.QUEUED: "waits until the ERP has fetched it and answered",
    WriteState.REJECTED: "sends it again as it was corrected",
    WriteState.CONFIRMED: "reads it back",
}


def _ways_on() -> Table:
    table: dict[Situation, WayOn] = {}

    def add(state: UploadState, write: WriteState | None, way: WayOn, *, stopped: bool = False) -> None:
        table[Situation(state, write, stopped)] = way

    upload = WayOn(Mover.PERSON, "uploads it")
    # After a reset or an abandoned upload the write before is still there; what the ERP may hold is never forgotten.
    for before in (None, WriteState.PLANNED, WriteState.REJECTED, WriteState.CONFIRMED):
        add(UploadState.NONE, before, upload)
    for write, what in _NEXT_ATTEMPT.items():
        add(UploadState.UPLOADING, write, WayOn(Mover.WORKFLOW, what))
    corrected = WayOn(Mover.PERSON, "corrects it and uploads it again")
    add(UploadState.FAILED, None, corrected)
    for write in _NEXT_ATTEMPT:
        add(UploadState.FAILED, write, corrected)
        in_doubt = write in (WriteState.SENT, WriteState.QUEUED)
        what = "retries" if in_doubt else "corrects and retries, or abandons the upload"
        add(UploadState.FAILED, write, WayOn(Mover.PERSON, what), stopped=True)
    add(UploadState.UPLOADED, WriteState.CONFIRMED, WayOn(Mover.NOBODY, "acts; a person may reset it for re-import"))
    different = "compares it with the ERP and closes the issue"
    add(UploadState.UPLOADED, WriteState.CONFIRMED, WayOn(Mover.PERSON, different), stopped=True)
    return table


WAYS_ON: Table = _ways_on()
"""Every situation that a source order can be in, with what happens next."""

FIRST = (UploadState.NONE,)
"""The states that a source order can begin in."""

MOVES: Mapping[UploadState, frozenset[UploadState]] = {
    UploadState.NONE: frozenset({UploadState.UPLOADING, UploadState.FAILED}),
    UploadState.UPLOADING: frozenset({UploadState.UPLOADED, UploadState.FAILED, UploadState.NONE}),
    UploadState.UPLOADED: frozenset({UploadState.NONE}),
    UploadState.FAILED: frozenset({UploadState.UPLOADING, UploadState.NONE}),
}
"""Which states may follow each state; the same one again is no move."""
