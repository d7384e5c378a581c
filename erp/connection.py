"""How a connection to an ERP is set up, and what its check reports."""

from collections.abc import Mapping

from erp.capabilities import Capabilities
from models.domain.record import Record


class PreferenceProblem(Record):
    """A sync preference that would make the sync fail, found before it does."""

    code: str
    preference: str
    message: str
    fix: tuple[str, ...]


class ConnectionCheck(Record):
    """What the ERP reported when we signed in."""

    company: str
    entity: str | None
    user: str
    endpoint: str
    """The address the ERP assigned; from now on, calls go there."""
    capabilities: Capabilities
    base_currency: str | None = None
    """The currency that the books of the company, or of the entity, are kept in; None: the ERP does not say."""


LONGEST_TIMEOUT_SECONDS = 300
"""The largest timeout a connection may be set to, in seconds."""


def longest_call_seconds(timeout_seconds: float) -> float:
    """Return how many seconds one whole call may take, if `timeout_seconds` limits each of its steps.

    An answer that arrives in drops stays within every step's limit and would never end. Five times a step is patient
    enough, and no ERP answers after fifteen minutes: that is their own limit.
    """
    return min(timeout_seconds * 5, 900)


class ConnectionSettings(Record):
    """The settings an ERP's connector is built from, besides the credentials."""

    endpoint: str
    preferences: Mapping[str, str] = {}
    """The sync preferences, by the ERP's own names."""
    allow_loopback: bool = False
    """True: accept addresses on this machine, for the sandbox. False: trust only the vendor's own hosts."""
    max_in_flight: int = 1
    timeout_seconds: float = 60
    read_lag_seconds: int = 120
    """How many seconds the ERP's reads may lag behind its writes. After a lost answer, 'not found' counts only after
    this time."""
    facts: Mapping[str, str] = {}
    """What the company said of itself when its program called last; empty for an ERP that is asked."""
    page_size: int | None = None
    """Records per page; None: the API's maximum."""
