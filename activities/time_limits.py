"""Compute how long one attempt of an activity may take: its ERP calls, each at the limit of the slowest connection that
we allow, and our own transactions.

A worker that is gone is noticed by its heartbeat long before. These limits only end an attempt that hangs, so they may
be long; they must never cut off an attempt that works as it should.
"""

from datetime import timedelta

from erp.connection import LONGEST_TIMEOUT_SECONDS
from erp.time_budgets import ErpWork, longest_attempt
from models.domain.connections import Erp

OWN_WORK = timedelta(minutes=1)
"""Time for the transactions and signals of one attempt."""


def attempt_limit(erp: Erp, work: ErpWork, timeout_seconds: float = LONGEST_TIMEOUT_SECONDS) -> timedelta:
    """Return how long an attempt may take with our own work, on a connection with this timeout, in seconds.

    An attempt keeps its own connection's limit (`connector_pool.py`). Temporal's, below, are those of the slowest
    connection: a workflow lives for months, and would carry the timeout of a connection that was changed since.
    """
    return longest_attempt(erp, work, timeout_seconds) + OWN_WORK


def write_limit(erp: Erp) -> timedelta:
    """Return the limit of one ERP write with its look-up and read-back."""
    return attempt_limit(erp, ErpWork.WRITE)


def order_limit(erp: Erp) -> timedelta:
    """Return the limit of reading one order whole."""
    return attempt_limit(erp, ErpWork.ORDER)


def page_limit(erp: Erp) -> timedelta:
    """Return the limit of one page of a sync run."""
    return attempt_limit(erp, ErpWork.PAGE)
