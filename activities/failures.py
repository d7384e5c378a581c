"""The one place where our errors become Temporal failures (DESIGN section 6).

A failure carries `FailureDetails`, so that a workflow can open an issue without reading message text. `type` is the
error's family, which is what an operator sees first in the Temporal UI.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from pydantic import BaseModel
from temporalio.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory

from erp.errors import ErpError, Rejected

LONGEST_MESSAGE = 4_000
"""Characters of an error's text kept in a history; some ERPs answer with whole pages."""


class FailureDetails(BaseModel):
    """What a failed ERP call tells its workflow."""

    family: str
    code: str
    message: str
    erp_code: str | None = None
    evidence: dict[str, str] = {}

    @property
    def nothing_was_done(self) -> bool:
        """The ERP itself refused; every other failure of a write leaves open whether it was done."""
        return self.family == Rejected.__name__


@contextmanager
def erp_failures() -> Iterator[None]:
    """Turn an `ErpError` into the Temporal failure that says whether, and when, to try again."""
    try:
        yield
    except ErpError as error:
        raise as_failure(error) from error


def as_failure(error: ErpError, *, family: str | None = None) -> ApplicationError:
    """`family` where the error's own would say too much: a refusal to show a document is none of the document."""
    details = FailureDetails(
        family=family or type(error).__name__,
        code=error.code,
        message=error.message[:LONGEST_MESSAGE],
        erp_code=error.erp_code,
        evidence={name: value[:LONGEST_MESSAGE] for name, value in error.evidence.items()},
    )
    return ApplicationError(
        f"{error.code}: {details.message}",
        details,
        type=details.family,
        non_retryable=not error.retryable,
        next_retry_delay=error.retry_after,
    )


def not_yet(
    message: str, *, again_in: timedelta | None, code: str, evidence: Mapping[str, str] | None = None
) -> ApplicationError:
    """Waiting is not a failure: the activity is tried again, and nobody is alarmed. None: at its policy's back-off."""
    return ApplicationError(
        message,
        FailureDetails(family="NotYet", code=code, message=message, evidence=dict(evidence or {})),
        type="NotYet",
        next_retry_delay=again_in,
        category=ApplicationErrorCategory.BENIGN,
    )


def details_of(error: ActivityError) -> FailureDetails:
    """What a workflow learns from an activity that gave up: an ERP's refusal, or that its time ran out.

    An activity whose worker died again and again leaves no word of its own; that has a code too.
    """
    cause: BaseException | None = error.cause
    while cause is not None:
        if isinstance(cause, ApplicationError) and cause.details:
            return FailureDetails.model_validate(cause.details[0])
        cause = cause.__cause__
    return FailureDetails(family="TimedOut", code="GAVE_UP_WAITING", message=str(error.cause or error))
