"""Define what can go wrong between us and an ERP, as a small closed family of errors.

    ErpError
    ├── AuthenticationFailed   an administrator must act; work waits and resumes
    ├── Throttled              the ERP asks us to slow down; carries retry_after
    ├── Unavailable            outage or maintenance; retried for days
    ├── Deferred               queued: the ERP answers when it comes by, minutes or days later
    ├── OutcomeUnknown         a write whose answer was lost; look it up before anything else
    │   └── UnknownRefusal     a write was refused in words nobody knows; look it up once before it counts as refused
    ├── Stale                  the record changed meanwhile; re-read, then retry
    ├── NotFound               the ERP does not have it
    ├── MalformedAnswer        the answer breaks the protocol: cut short, not XML, mandatory fields missing
    └── Rejected               a business rule refused it: a person settles it
        └── Duplicate          something with our key or number exists: look it up, it may be ours

Each error carries `code`, our own stable issue code (its fix steps are in `models/domain/issues.py`), and `erp_code`,
the ERP's. Whether a repeat may help is a property of the class, and so is what the error says of a write that ended in
it (`erp/verdicts.py`). Only `activities/failures.py` turns these errors into Temporal failures; clients never retry.
"""

from collections.abc import Mapping
from datetime import timedelta

from erp.verdicts import Verdict


class ErpError(Exception):
    """The base of all errors of an ERP. `retryable` says whether the same call may succeed later without anybody
    acting. `verdict` is what it says of a write that was sent and ended in it; of an earlier write that was looked up,
    no error says anything."""

    retryable: bool = False
    verdict: Verdict = Verdict.IN_DOUBT

    def __init__(
        self,
        message: str,
        *,
        code: str,
        erp_code: str | None = None,
        retry_after: timedelta | None = None,
        evidence: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.erp_code = erp_code
        self.retry_after = retry_after
        self.evidence = dict(evidence or {})


class AuthenticationFailed(ErpError):
    """The ERP refused the credentials, the sender, the entity or the session. Work waits for an administrator, then
    goes on by itself."""

    retryable = True
    verdict = Verdict.NOT_YET


class Throttled(ErpError):
    """The ERP got too many calls; `retry_after` says when to call again."""

    retryable = True
    verdict = Verdict.NOT_YET


class Unavailable(ErpError):
    """The ERP does not answer, or says that it is off-line. This call wrote nothing."""

    retryable = True
    verdict = Verdict.NOT_YET


class Deferred(ErpError):
    """The question is queued: the ERP answers when its program calls us. This is neither an outage nor in doubt: the
    journal of exchanges has what was asked and whether it was answered."""

    retryable = True


class OutcomeUnknown(ErpError):
    """A write was sent and its answer was lost, so it is in doubt: it may have been committed. The next attempt looks
    it up first."""

    retryable = True


class UnknownRefusal(OutcomeUnknown):
    """The ERP refused a write, well-formed and in words that no table knows. It is looked up once, after the read lag:
    if it is not there, it counts as refused with these words, and is not sent again by itself."""

    def refusal(self) -> "Rejected":
        """Return the refusal that it is, once a look-up has shown that nothing was done."""
        return Rejected(self.message, code=self.code, erp_code=self.erp_code, evidence=self.evidence)


class Stale(ErpError):
    """The record changed while we worked on it. Read it again, then retry."""

    retryable = True
    verdict = Verdict.NOT_YET


class MalformedAnswer(ErpError):
    """The answer is not to be trusted: cut short, not the protocol, or without mandatory parts. Reads are repeated."""

    retryable = True


class NotFound(ErpError):
    """The ERP does not have the record, or this user may not see it."""

    verdict = Verdict.REFUSED


class Rejected(ErpError):
    """A business rule of the ERP refused the write. It becomes a sync issue."""

    verdict = Verdict.REFUSED


class Duplicate(Rejected):
    """The ERP already has a record with this key or number. Look it up, and take it as ours if it carries our key."""

    verdict = Verdict.IN_DOUBT
