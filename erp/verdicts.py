"""Say what an answer means for a write: done, refused, not yet, or in doubt.

Which answer ends in which error is the table of each ERP (`erp/<name>/answers.py` for HTTP and broken shapes,
`erp/<name>/faults.py` for the ERP's own errors). What the errors mean for a write is decided here, once for all ERPs.
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What is known of a write after one answer."""

    DONE = "done"
    REFUSED = "refused"
    """The ERP refused it, or we did before sending: nothing was done, and a person settles it."""
    NOT_YET = "not_yet"
    """Nothing was done, and the same call may succeed later: it is sent again without a look-up."""
    IN_DOUBT = "in_doubt"
    """It may have been done. Only a look-up that succeeds decides."""


def after_look_up(*, shown: bool, lag_is_over: bool, refused: bool) -> Verdict:
    """Return what a look-up that succeeded says of the write it looked for.

    One that was refused or failed says nothing: the write stays in doubt. Reads may lag behind writes, so an empty
    look-up is believed only once the lag since the send is over. `refused`: the write was answered with a refusal that
    no table knows; then it is not sent again by itself.
    """
    if shown:
        return Verdict.DONE
    if not lag_is_over:
        return Verdict.IN_DOUBT
    return Verdict.REFUSED if refused else Verdict.NOT_YET
