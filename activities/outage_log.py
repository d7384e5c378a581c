"""Log one line for a failure that is expected, and a traceback for every other one.

Temporal's SDK logs each failed attempt of an activity with its traceback. An ERP that is down for an hour makes
hundreds of attempts fail, all as they should; a traceback in the log must mean that somebody has to look at the code.
"""

import logging
from collections.abc import Mapping
from types import TracebackType

from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.failures import FailureDetails
from models.store.base.database import explain_outage

_TEMPORAL_IS_AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED)


class OneLineForOutages(logging.Filter):
    """Removes the traceback from records about outages and refusals, and says in one line what failed and why."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record; shorten those about an expected failure."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        reason = expected_failure(error) if error is not None else None
        if reason is not None:
            record.msg, record.args = f"{_what_was_tried(record)}: {reason}", ()
            record.exc_info = record.exc_text = record.stack_info = None
        return True


def expected_failure(error: BaseException) -> str | None:
    """Return one line that says what failed, or None if the error may be a fault in our own code."""
    if isinstance(error, ApplicationError):
        # Only `activities/failures.py` makes failures with these details, and only from an ERP's answer.
        ours = bool(error.details) and isinstance(error.details[0], FailureDetails)
        return f"{error.type}: {_one_line(error.message)}" if ours else None
    if isinstance(error, RPCError) and error.status in _TEMPORAL_IS_AWAY:
        return f"Temporal does not answer: {_one_line(error.message)}"
    if _passed_through(error.__traceback__, "asyncpg") and (outage := explain_outage(error)):
        return _one_line(outage)
    return None


def _passed_through(traceback: TracebackType | None, package: str) -> bool:
    """Return whether a module of the package is in the traceback: any code may raise an `OSError`."""
    while traceback is not None:
        if str(traceback.tb_frame.f_globals.get("__name__", "")).split(".")[0] == package:
            return True
        traceback = traceback.tb_next
    return False


def _what_was_tried(record: logging.LogRecord) -> str:
    activity = getattr(record, "temporal_activity", None)
    if not isinstance(activity, Mapping):
        return record.getMessage()
    return f"{activity.get('activity_type')} for {activity.get('workflow_id')}, attempt {activity.get('attempt')}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
