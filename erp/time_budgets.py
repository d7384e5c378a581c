"""Derive time limits: how many calls one attempt of each kind of work makes at most, per ERP.

An attempt that its time limit cuts off starts again from the beginning. If its calls may properly take longer than the
limit, it never ends. `tests/conformance/test_time_budgets.py` counts the calls.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from erp.connection import LONGEST_TIMEOUT_SECONDS, longest_call_seconds
from models.domain.connections import Erp


class ErpWork(StrEnum):
    """The kinds of work an activity does in an ERP, in one attempt."""

    WRITE = "write"
    """Look up by key and by number, write, look up again after a duplicate, and read back."""
    ORDER = "order"
    """Read one order whole."""
    PAGE = "page"
    """One page of a sync run, with what else is read for its records."""


START_SECONDS: Mapping[Erp, int] = {
    Erp.INTACCT: 0,
    Erp.NETSUITE: 120,
    Erp.QUICKBOOKS_ONLINE: 0,
    Erp.QUICKBOOKS_DESKTOP: 0,
}
"""Seconds that the first call of a process may take in addition: NetSuite's WSDL is loaded."""

# Intacct reads each order whole by itself, up to 50 for one page. A deletion scan may need more calls on a large
# company; where each of them were as slow as is legal, it would not end within its limit.
CALLS: Mapping[Erp, Mapping[ErpWork, int]] = {
    Erp.INTACCT: {ErpWork.WRITE: 10, ErpWork.ORDER: 6, ErpWork.PAGE: 120},
    Erp.NETSUITE: {ErpWork.WRITE: 10, ErpWork.ORDER: 6, ErpWork.PAGE: 16},
    # Each call may be made twice, and a token be refreshed between. A dropped link is repaired in the same attempt.
    Erp.QUICKBOOKS_ONLINE: {ErpWork.WRITE: 26, ErpWork.ORDER: 6, ErpWork.PAGE: 40},
    # A call is a look into the journal of exchanges.
    Erp.QUICKBOOKS_DESKTOP: {ErpWork.WRITE: 2, ErpWork.ORDER: 2, ErpWork.PAGE: 4},
}


def longest_attempt(erp: Erp, work: ErpWork, timeout_seconds: float = LONGEST_TIMEOUT_SECONDS) -> timedelta:
    """Return how long an attempt's calls may take together on a connection with this timeout, in seconds.

    Without a timeout, it is for the slowest connection that the API allows.
    """
    return timedelta(seconds=START_SECONDS[erp] + CALLS[erp][work] * longest_call_seconds(timeout_seconds))
