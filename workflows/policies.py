"""Define time limits and retries by name, each with its reason.

Clients never retry (DESIGN section 6): these are the only retries there are. Budgets are times, not counts, so that a
short outage fails nothing; what a person must settle is non-retryable and ends an activity at once.
"""

from datetime import timedelta

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from activities.time_limits import order_limit, page_limit, write_limit
from models.contract import erp_task_queue
from models.contract import summary as cut_summary
from models.domain.connections import Erp
from models.domain.ids import ConnectionId

ERP_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=2),  # an ERP back after six hours is noticed within two minutes
)

DECISION_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=5))

LOST_WORKER_AFTER = timedelta(seconds=10)
"""A worker that sends no heartbeat for this long is gone; another one gets its activity (activities/heartbeats.py)."""

WAIT_FOR_PERSON_AFTER = timedelta(days=7)
"""After a week of tries, an ERP that does not answer becomes an issue that a person sees."""

TURN_ASKED_AFTER = timedelta(minutes=2)
"""How often a bill that waits for its turn on its order asks by itself; normally the bill before notifies it."""

ORDER_READ_AFTER = timedelta(seconds=10)
"""How long an order is not read again for the bills that are in the ERP while more bills of it are on their way."""

UNCONFIRMED_AFTER = timedelta(hours=2)
"""How long an order may fail to show a bill the ERP accepted before people are notified (double sync, S4-65..67)."""


def _unconfirmed_after(erp: Erp) -> timedelta:
    """Return how long an order may fail to show a bill: where its computer may be off for days, as long as a write may
    wait."""
    return WAIT_FOR_PERSON_AFTER if erp is Erp.QUICKBOOKS_DESKTOP else UNCONFIRMED_AFTER


def decide(summary: str) -> LocalActivityConfig:
    """Return the options of a short transaction in our own database, run inside the workflow task."""
    return LocalActivityConfig(
        start_to_close_timeout=timedelta(seconds=15),  # one short transaction; longer means a lock that will not come
        retry_policy=DECISION_RETRY,
        summary=cut_summary(summary),
    )


def erp_write(connection_id: ConnectionId, erp: Erp, summary: str) -> ActivityConfig:
    """Return the options of one ERP write with look-up and read-back: tried through any outage, fair to connections."""
    return ActivityConfig(
        task_queue=erp_task_queue(erp),
        heartbeat_timeout=LOST_WORKER_AFTER,
        start_to_close_timeout=write_limit(erp),
        schedule_to_close_timeout=WAIT_FOR_PERSON_AFTER,
        retry_policy=ERP_RETRY,
        priority=Priority(priority_key=2, fairness_key=connection_id),  # writes before reads
        summary=cut_summary(summary),
    )


def order_refresh(connection_id: ConnectionId, erp: Erp, summary: str) -> ActivityConfig:
    """Return the options of reading one order whole, repeated until it shows our bills."""
    return ActivityConfig(
        task_queue=erp_task_queue(erp),
        heartbeat_timeout=LOST_WORKER_AFTER,
        start_to_close_timeout=order_limit(erp),
        schedule_to_close_timeout=_unconfirmed_after(erp),
        retry_policy=ERP_RETRY,
        priority=Priority(priority_key=2, fairness_key=connection_id),
        summary=cut_summary(summary),
    )


def sync_read(connection_id: ConnectionId, erp: Erp, summary: str) -> ActivityConfig:
    """Return the options of one page of a sync run: its calls and the mirror's transaction."""
    return ActivityConfig(
        task_queue=erp_task_queue(erp),
        heartbeat_timeout=LOST_WORKER_AFTER,
        start_to_close_timeout=page_limit(erp),
        schedule_to_close_timeout=WAIT_FOR_PERSON_AFTER,
        retry_policy=ERP_RETRY,
        priority=Priority(priority_key=4, fairness_key=connection_id),
        summary=cut_summary(summary),
    )


def setup_checks(connection_id: ConnectionId, erp: Erp) -> ActivityConfig:
    """Return the options of the daily set-up checks: tried twice, as the next run makes them anyway."""
    return ActivityConfig(
        task_queue=erp_task_queue(erp),
        heartbeat_timeout=LOST_WORKER_AFTER,
        start_to_close_timeout=page_limit(erp),
        schedule_to_close_timeout=timedelta(hours=1),
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=2),
        priority=Priority(priority_key=5, fairness_key=connection_id),
        summary="is the ERP still set up as it should be?",
    )


def notify(summary: str) -> ActivityConfig:
    """Return the options of notifying workflows of changed orders."""
    return ActivityConfig(
        heartbeat_timeout=LOST_WORKER_AFTER,
        start_to_close_timeout=timedelta(minutes=5),  # a thousand signals at the slowest rate measured, doubled
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
        summary=cut_summary(summary),
    )
