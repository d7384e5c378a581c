"""What can go wrong between us and an ERP, as a small closed family.

    ErpError
    ├── AuthenticationFailed   an administrator must act; work waits and resumes
    ├── Throttled              the ERP asks us to slow down; carries retry_after
    ├── Unavailable            outage or maintenance; retried for days
    ├── OutcomeUnknown         a write whose answer was lost; look it up before anything else
    ├── Stale                  the record moved under us; re-read, then retry
    ├── NotFound               the ERP does not have it
    ├── MalformedAnswer        the answer breaks the protocol: cut short, not XML, mandatory fields missing
    └── Rejected               a business rule said no: a person settles it
        └── Duplicate          something with our key or number exists: look it up, perhaps it is ours

Each error carries `code`, our own stable issue code (see `erp/issue_codes.py` for its fix steps), and `erp_code`,
the ERP's. Whether it is worth repeating is a property of the class. Only `activities/failures.py` turns these into
Temporal failures; clients never retry (DESIGN section 6).
"""

from collections.abc import Mapping
from datetime import timedelta


class ErpError(Exception):
    """The root. `retryable` says whether the same call may succeed later with nobody acting."""

    retryable: bool = False

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
    """Credentials, sender, entity or session refused. Waits for an administrator, then goes on by itself."""

    retryable = True


class Throttled(ErpError):
    """Too many calls; `retry_after` says when to come back."""

    retryable = True


class Unavailable(ErpError):
    """The ERP does not answer, or says that it is off-line. Nothing was written by this call."""

    retryable = True


class OutcomeUnknown(ErpError):
    """A write was sent and its answer lost: it may have been committed. The next attempt looks it up first."""

    retryable = True


class Stale(ErpError):
    """The record changed under us. Re-read, then try again."""

    retryable = True


class MalformedAnswer(ErpError):
    """The answer cannot be trusted: cut in half, not the protocol, mandatory parts missing. Reads are repeated."""

    retryable = True


class NotFound(ErpError):
    """The ERP does not have the record, or this user may not see it."""


class Rejected(ErpError):
    """A business rule of the ERP refused the write. Becomes a sync issue."""


class Duplicate(Rejected):
    """The ERP already has a record with this key or number; look it up and adopt it if it is ours."""
