"""How long things may take and how often they are tried, by name, each with its reason.

Clients never retry (DESIGN section 6): these are the only retries there are. Budgets are times, not counts, so that a
short outage fails nothing; what a person must settle is non-retryable and ends an activity at once.
"""

from datetime import timedelta

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from models.domain import ConnectionId

ERP_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=2),  # an ERP back after six hours is noticed within two minutes
)

DECISION_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=5))

LOST_WORKER_AFTER = timedelta(seconds=10)
"""A worker without a sign of life for so long is gone; another gets its activity (activities/heartbeats.py)."""

WAIT_FOR_PERSON_AFTER = timedelta(days=7)
"""After a week of trying, an ERP that does not answer becomes an issue a person sees."""

NOT_SHOWING_AFTER = timedelta(hours=2)
"""How long an order may fail to show a bill the ERP accepted before a person is told (double sync, S4-65..67)."""


def decide(summary: str) -> LocalActivityConfig:
    """A short transaction in our own database, run inside the workflow task."""
    return LocalActivityConfig(
        start_to_close_timeout=timedelta(seconds=15),  # one short transaction; longer means a lock that will not come
        retry_policy=DECISION_RETRY,
        summary=summary,
    )


def erp_write(connection_id: ConnectionId, task_queue: str, summary: str) -> ActivityConfig:
    """One ERP write with its look-up and read-back; tried through any outage, fair between connections."""
    return ActivityConfig(
        task_queue=task_queue,
        heartbeat_timeout=LOST_WORKER_AFTER,
        start_to_close_timeout=timedelta(minutes=3),  # three calls at the client's time limit of 60 s
        schedule_to_close_timeout=WAIT_FOR_PERSON_AFTER,
        retry_policy=ERP_RETRY,
        priority=Priority(priority_key=2, fairness_key=connection_id),  # writes before reads
        summary=summary,
    )


def order_refresh(connection_id: ConnectionId, task_queue: str, summary: str) -> ActivityConfig:
    """One order read whole, repeated until it shows our bills."""
    return ActivityConfig(
        task_queue=task_queue,
        heartbeat_timeout=LOST_WORKER_AFTER,
        start_to_close_timeout=timedelta(minutes=2),
        schedule_to_close_timeout=NOT_SHOWING_AFTER,
        retry_policy=ERP_RETRY,
        priority=Priority(priority_key=2, fairness_key=connection_id),
        summary=summary,
    )


def sync_read(connection_id: ConnectionId, task_queue: str, summary: str) -> ActivityConfig:
    """One page of a sync run: the ERP's slowest answer (15 minutes is its own ceiling) and the mirror's transaction."""
    return ActivityConfig(
        task_queue=task_queue,
        heartbeat_timeout=LOST_WORKER_AFTER,
        start_to_close_timeout=timedelta(minutes=16),
        schedule_to_close_timeout=WAIT_FOR_PERSON_AFTER,
        retry_policy=ERP_RETRY,
        priority=Priority(priority_key=4, fairness_key=connection_id),
        summary=summary,
    )


def wake(summary: str) -> ActivityConfig:
    """Telling workflows of changed orders."""
    return ActivityConfig(
        heartbeat_timeout=LOST_WORKER_AFTER,
        start_to_close_timeout=timedelta(minutes=5),  # a thousand signals at the slowest rate measured, doubled
        retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)),
        summary=summary,
    )
