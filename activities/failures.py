"""Turn our errors into Temporal failures, in this one place (DESIGN section 6).

A failure carries `FailureDetails`, so that a workflow can open an issue without reading message text. `type` is the
error's family: an operator sees it first in the Temporal UI.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from pydantic import BaseModel
from temporalio.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory

from erp.errors import Deferred, ErpError, Rejected

LONGEST_MESSAGE = 4_000
"""How many characters of an error's text a history keeps; some ERPs answer with whole pages."""

LONGEST_WHILE_RETRIED = 500
"""The same for an error after which the call is tried again: Temporal shows the last failure of such an activity only
if all of it, with its details and its trace, fits into four kilobytes."""

MOST_EVIDENCE_WHILE_RETRIED = 4
"""How much of the evidence is kept then."""


class FailureDetails(BaseModel):
    """Details of a failed ERP call for its workflow."""

    family: str
    code: str
    message: str
    erp_code: str | None = None
    evidence: dict[str, str] = {}

    @property
    def nothing_was_done(self) -> bool:
        """Return whether the ERP itself refused; every other failure of a write leaves open whether it was done."""
        return self.family == Rejected.__name__


@contextmanager
def erp_failures() -> Iterator[None]:
    """Turn an `ErpError` into the Temporal failure that says whether, and when, to try again.

    Raises:
        ApplicationError: An `ErpError` was raised inside.
    """
    try:
        yield
    except ErpError as error:
        raise as_failure(error) from error


def shortened(evidence: Mapping[str, str]) -> dict[str, str]:
    """Return evidence as it is kept: some ERPs answer with whole pages."""
    return {name: value[:LONGEST_MESSAGE] for name, value in evidence.items()}


def as_failure(error: ErpError, *, family: str | None = None, retryable: bool | None = None) -> ApplicationError:
    """Return the Temporal failure for an ERP error.

    `family` replaces the error's own family where that would say too much: a refusal to show a document is no refusal
    of the document. `retryable` replaces whether it is tried again by itself.
    """
    longest = LONGEST_WHILE_RETRIED if error.retryable else LONGEST_MESSAGE
    evidence = list(error.evidence.items())
    if error.retryable:
        evidence = [(name, value[:200]) for name, value in evidence[:MOST_EVIDENCE_WHILE_RETRIED]]
    details = FailureDetails(
        family=family or type(error).__name__,
        code=error.code,
        message=error.message[:longest],
        erp_code=error.erp_code,
        evidence=shortened(dict(evidence)),
    )
    # An ERP that answers later works as it should.
    benign = isinstance(error, Deferred)
    category = ApplicationErrorCategory.BENIGN if benign else ApplicationErrorCategory.UNSPECIFIED
    return ApplicationError(
        f"{error.code}: {details.message}",
        details,
        type=details.family,
        non_retryable=not (error.retryable if retryable is None else retryable),
        next_retry_delay=error.retry_after,
        category=category,
    )


def not_yet(
    message: str, *, retry_in: timedelta | None, code: str, evidence: Mapping[str, str] | None = None
) -> ApplicationError:
    """Return the failure of an activity that only waits: it is tried again, and nobody is alarmed.

    `retry_in` None: it is tried again at its policy's back-off.
    """
    return ApplicationError(
        message,
        FailureDetails(family="NotYet", code=code, message=message, evidence=dict(evidence or {})),
        type="NotYet",
        next_retry_delay=retry_in,
        category=ApplicationErrorCategory.BENIGN,
    )


def details_of(error: ActivityError) -> FailureDetails:
    """Return the details of an activity that failed for good: an ERP's refusal, or that its time ran out.

    An activity whose worker crashed again and again leaves no details; that has a code too.
    """
    cause: BaseException | None = error.cause
    while cause is not None:
        if isinstance(cause, ApplicationError) and cause.details:
            return FailureDetails.model_validate(cause.details[0])
        cause = cause.__cause__
    return FailureDetails(family="TimedOut", code="GAVE_UP_WAITING", message=str(error.cause or error))
