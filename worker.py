"""Run one worker process: build its clients once, register workflows and activities, serve, drain on SIGTERM.

Run as many as you like: Temporal shares the work between them. POSYNC_QUEUES (separated by commas; default: all) says
which queues one process serves, so that the calls to one kind of ERP can be scaled on their own (DESIGN section 7). A
worker does not start without its database and Temporal; if one of them goes away later, it waits for it.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker, WorkflowRunner

from activities.backfill import BackfillActivities, BackfillRecords
from activities.bill_edits import BillEditActivities
from activities.bill_review import (
    BillReviewActivities,
)
from activities.connector_pool import Connections
from activities.credit_applications import CreditApplicationRecords, CreditApplications
from activities.database import MirrorActivities
from activities.erp import ErpActivities
from activities.heartbeats import Heartbeats
from activities.list_changes import ListChangeRecords, ListChanges
from activities.notify import NotifyActivities
from activities.outage_log import OneLineForOutages
from activities.payments import PaymentActivities
from activities.retraction import RetractionActivities
from activities.setup_checks import SetupCheckActivities
from activities.source_orders import SourceOrderRecords, SourceOrderUploads
from activities.sync import SyncActivities
from erp.quickbooks_online.oauth import OAuthServer
from erp.registry import app_of, connectors
from models.contract import TASK_QUEUE, erp_task_queue
from models.domain.connections import Erp
from models.store.base.database import Database, DatabaseUnreachable
from models.store.connections.credentials import CredentialVault
from services.connections.upkeep import Upkeep
from services.outbox.delivery import OutboxDelivery
from services.sign_of_life import keep_giving
from settings import InvalidSettings, Settings, TemporalUnreachable, read_settings, temporal_client
from temporal_gateway.notifier import WorkflowNotifier
from workflows.backfill import BackfillWorkflow
from workflows.bill import BillWorkflow
from workflows.credit_application import CreditApplicationWorkflow
from workflows.list_change import ListChangeWorkflow
from workflows.payment import PaymentWorkflow
from workflows.purchase_order import PurchaseOrderWorkflow
from workflows.runner import fast_runner, strict_runner
from workflows.source_order import SourceOrderWorkflow
from workflows.sync import ScheduledSyncWorkflow, SyncWorkflow
from workflows.versioned import VERSIONED_WORKFLOWS
from workflows.versions import deployment_config

WORKFLOWS = (
    PurchaseOrderWorkflow,
    BillWorkflow,
    PaymentWorkflow,
    SourceOrderWorkflow,
    CreditApplicationWorkflow,
    ListChangeWorkflow,
    SyncWorkflow,
    ScheduledSyncWorkflow,
    BackfillWorkflow,
)

CACHED_WORKFLOWS = 10_000
"""More than the orders that are open at a time; a smaller cache is three times slower (reference/limits.md)."""

DRAIN = timedelta(seconds=20)
"""How long running activities may take to end after SIGTERM; what is cut off is safe to run again."""


def build_workers(
    client: Client,
    database: Database,
    connections: Connections,
    *,
    queues: Sequence[str] | None = None,
    cached_workflows: int = CACHED_WORKFLOWS,
    keep_answers: timedelta = timedelta(days=30),
    runner: WorkflowRunner | None = None,
    build_id: str | None = None,
    erp_attempts_per_second: float | None = None,
) -> list[Worker]:
    """Build the workers of one process: one for workflows and the mirror, one per kind of ERP.

    `runner` is the workflow sandbox; the default is the fast one. With a `build_id` the workers are versioned. Temporal
    keeps `erp_attempts_per_second` for each ERP queue, over all workers.
    """
    deployment = deployment_config(build_id)
    notifier = WorkflowNotifier(client)
    on_erp_queues = _erp_activities(database, connections, notifier)
    workers: list[Worker] = []
    if queues is None or TASK_QUEUE in queues:
        workers.append(
            Worker(
                client,
                task_queue=TASK_QUEUE,
                workflows=WORKFLOWS if build_id is None else VERSIONED_WORKFLOWS,
                activities=_own_activities(database, notifier, keep_answers),
                workflow_runner=runner or fast_runner(),
                max_cached_workflows=cached_workflows,
                interceptors=[Heartbeats()],
                graceful_shutdown_timeout=DRAIN,
                deployment_config=deployment,
            )
        )
    for kind in Erp:
        if queues is None or erp_task_queue(kind) in queues:
            workers.append(
                Worker(
                    client,
                    task_queue=erp_task_queue(kind),
                    activities=on_erp_queues,
                    max_task_queue_activities_per_second=erp_attempts_per_second,
                    interceptors=[Heartbeats()],
                    graceful_shutdown_timeout=DRAIN,
                    deployment_config=deployment,
                )
            )
    return workers


def _own_activities(
    database: Database, notifier: WorkflowNotifier, keep_answers: timedelta
) -> list[Callable[..., Any]]:
    """Return the activities that touch our own database and Temporal only."""
    mirror = MirrorActivities(database)
    waiting = BillReviewActivities(database)
    notifying = NotifyActivities(database, notifier, keep_answers=keep_answers)
    return [
        mirror.bill_on_order,
        mirror.abandon_write,
        mirror.open_issue,
        mirror.close_issue,
        SourceOrderRecords(database).source_order_failed,
        CreditApplicationRecords(database).credit_application_failed,
        ListChangeRecords(database).list_change_failed,
        waiting.bill_in_review,
        waiting.rematch_bills,
        notifying.notify_changed_orders,
        notifying.finish_sync_run,
        BackfillRecords(database).finish_backfill,
    ]


def _erp_activities(
    database: Database, connections: Connections, notifier: WorkflowNotifier
) -> list[Callable[..., Any]]:
    """Return the activities that call an ERP."""
    erp = ErpActivities(database, connections, notifier)
    edits = BillEditActivities(database, connections)
    payments = PaymentActivities(database, connections, notifier)
    sync = SyncActivities(database, connections, notifier)
    retraction = RetractionActivities(database, connections, notifier)
    return [
        retraction.retract_bill,
        erp.push_bill,
        edits.push_bill_edit,
        payments.push_payment,
        payments.void_payment,
        erp.refresh_purchase_order,
        SourceOrderUploads(database, connections).push_source_order,
        CreditApplications(database, connections, notifier).push_credit_application,
        ListChanges(database, connections).push_list_change,
        sync.plan_sync,
        sync.sync_page,
        SetupCheckActivities(database, connections).check_setup,
        BackfillActivities(database, connections).backfill_page,
    ]


def served_queues(settings: Settings) -> tuple[str, ...]:
    """Return the task queues that a worker with these settings serves.

    Raises:
        InvalidSettings: POSYNC_QUEUES names a queue that does not exist.
    """
    every = (TASK_QUEUE, *(erp_task_queue(kind) for kind in Erp))
    unknown = [queue for queue in settings.queues if queue not in every]
    if unknown:
        raise InvalidSettings(f"POSYNC_QUEUES names {', '.join(unknown)}, which is no queue: give {', '.join(every)}")
    return settings.queues or every


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Raises:
        InvalidSettings: POSYNC_QUEUES names a queue that does not exist.
        DatabaseUnreachable: The database cannot be used.
        TemporalUnreachable: Temporal does not answer.
    """
    database = Database(settings.database_url, pool_size=settings.pool_size)
    app = app_of(settings.qbo_client_id, settings.qbo_client_secret)
    vault = CredentialVault(settings.credential_keys)
    connections = Connections(database, vault, connectors(app))
    stop = asyncio.Event()
    for_signs = Database(settings.database_url, pool_size=1)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        queues = served_queues(settings)
        await database.check()
        client = await temporal_client()
        workers = build_workers(
            client,
            database,
            connections,
            queues=queues,
            keep_answers=settings.keep_answers,
            runner=strict_runner() if settings.strict_workflows else fast_runner(),
            build_id=settings.build_id,
            erp_attempts_per_second=settings.erp_attempts_per_second,
        )
        running = [asyncio.create_task(worker.run()) for worker in workers]
        outbox = OutboxDelivery(database, WorkflowNotifier(client))
        delivering = asyncio.create_task(outbox.keep_delivering(stop))
        keeping_up = asyncio.create_task(Upkeep(database, vault, partial(OAuthServer, app)).keep_looking(stop))
        living = asyncio.create_task(keep_giving(for_signs, client.identity, stop))
        stopping = asyncio.create_task(stop.wait())
        logging.info("worker serves %s", ", ".join(worker.task_queue for worker in workers))
        await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        stop.set()  # also when a worker failed
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(delivering, keeping_up, living, *running)  # a worker that failed raises here
    finally:
        await connections.close()
        await for_signs.close()
        await database.close()


def main() -> None:
    """Run one worker; end with one line and exit code 1 when it cannot start."""
    # A page makes ten thousand objects that live until its end: collecting less often saves a fifth of its CPU.
    gc.set_threshold(100_000, 50, 50)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per ERP call; Temporal's UI shows more of each
    for handler in logging.getLogger().handlers:
        handler.addFilter(OneLineForOutages())
    try:
        asyncio.run(run(read_settings()))
    except (InvalidSettings, DatabaseUnreachable, TemporalUnreachable) as failure:
        sys.exit(f"posync worker: {failure}")


if __name__ == "__main__":
    main()
