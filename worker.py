"""One worker process: builds its clients once, registers workflows and activities, runs, drains on SIGTERM.

Run as many as you like: Temporal shares the work out. Which queues one process serves is in POSYNC_QUEUES (comma
separated; default: all), so that the calls to one kind of ERP can be scaled apart (DESIGN section 7).
"""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Sequence
from datetime import timedelta

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import Worker, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info as WorkflowInfo

from activities.connections import Connections
from activities.doorbell import Doorbell
from activities.erp import ErpActivities
from activities.heartbeats import Heartbeats
from activities.mirror import MirrorActivities
from activities.sync import SyncActivities
from activities.waiting_bills import WaitingBillActivities
from activities.waking import WakingActivities
from erp.registry import CONNECTORS
from models.domain import Erp
from models.store.credentials import CredentialVault
from models.store.database import Database
from settings import Settings, settings_from_environment, temporal_client
from workflows.bill import BillWorkflow
from workflows.contract import TASK_QUEUE, erp_task_queue
from workflows.payment import PaymentWorkflow
from workflows.purchase_order import PurchaseOrderWorkflow
from workflows.sync import ScheduledSyncWorkflow, SyncWorkflow

WORKFLOWS = (PurchaseOrderWorkflow, BillWorkflow, PaymentWorkflow, SyncWorkflow, ScheduledSyncWorkflow)

OWN_MODULES = ("activities", "erp", "matching", "models", "workflows", "pydantic", "sqlalchemy", "sqlmodel")
"""Passed through the workflow sandbox: importing them anew per workflow costs 4 ms of CPU each (DESIGN section 7). What
keeps the workflow files deterministic is the import contract and the replay tests."""

CACHED_WORKFLOWS = 10_000
"""More than the orders open at a time; a cache under the active set is three times slower (reference/limits.md)."""

DRAIN = timedelta(seconds=20)
"""How long activities under way may take to end after SIGTERM; what is cut is safe to run again."""


class WithoutContext(WorkflowInstance):
    """A sandboxed workflow whose payloads are converted without regard to where they belong.

    For every payload the SDK asks the workflow for such a context, and each question enters the sandbox: an eighth of
    the CPU of a lifecycle. Our converter takes no context (a test says so), so the answer is known outside.
    """

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        return self._sandboxed.activate(act)

    def get_serialization_context(self, command_info: object) -> None:
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> WorkflowInfo:
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        return self._sandboxed.get_thread_id()


class WithoutContextRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox, asked less."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return WithoutContext(super().create_instance(det))


def sandboxed_runner(*passed_through: str) -> SandboxedWorkflowRunner:
    """The runner of every worker of ours; modules passed through are ours unless others are named."""
    modules = passed_through or OWN_MODULES
    return WithoutContextRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*modules))


def build_workers(
    client: Client,
    database: Database,
    connections: Connections,
    *,
    queues: Sequence[str] | None = None,
    cached_workflows: int = CACHED_WORKFLOWS,
    keep_answers: timedelta = timedelta(days=30),
) -> list[Worker]:
    """The workers of one process: one for workflows and the mirror, one per kind of ERP."""
    doorbell = Doorbell(client)
    mirror = MirrorActivities(database)
    waiting = WaitingBillActivities(database)
    waking = WakingActivities(database, doorbell, keep_answers=keep_answers)
    erp = ErpActivities(database, connections, doorbell)
    sync = SyncActivities(database, connections, doorbell)
    workers: list[Worker] = []
    if queues is None or TASK_QUEUE in queues:
        workers.append(
            Worker(
                client,
                task_queue=TASK_QUEUE,
                workflows=WORKFLOWS,
                activities=[
                    mirror.create_bill,
                    mirror.abandon_write,
                    mirror.schedule_payment,
                    mirror.bill_after_payment,
                    mirror.open_issue,
                    mirror.close_issue,
                    waiting.decide_match,
                    waiting.match_bills_again,
                    waking.wake_purchase_orders,
                    waking.finish_sync_run,
                ],
                workflow_runner=sandboxed_runner(),
                max_cached_workflows=cached_workflows,
                interceptors=[Heartbeats()],
                graceful_shutdown_timeout=DRAIN,
            )
        )
    for kind in Erp:
        if queues is None or erp_task_queue(kind) in queues:
            workers.append(
                Worker(
                    client,
                    task_queue=erp_task_queue(kind),
                    activities=[
                        erp.push_bill,
                        erp.push_bill_edit,
                        erp.push_payment,
                        erp.refresh_purchase_order,
                        sync.plan_sync,
                        sync.sync_page,
                    ],
                    interceptors=[Heartbeats()],
                    graceful_shutdown_timeout=DRAIN,
                )
            )
    return workers


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    database = Database(settings.database_url, pool_size=settings.pool_size)
    connections = Connections(database, CredentialVault(settings.credential_keys), CONNECTORS)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    queues = [queue.strip() for queue in os.environ.get("POSYNC_QUEUES", "").split(",") if queue.strip()] or None
    try:
        client = await temporal_client()
        workers = build_workers(client, database, connections, queues=queues, keep_answers=settings.keep_answers)
        running = [asyncio.create_task(worker.run()) for worker in workers]
        stopping = asyncio.create_task(stop.wait())
        logging.info("worker serves %s", ", ".join(worker.task_queue for worker in workers))
        await asyncio.wait([stopping, *running], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*running)  # a worker that fell over says so here
    finally:
        await connections.close()
        await database.close()


def main() -> None:
    # A page makes ten thousand records that live to its end: rarer collections of young ones save a fifth of its CPU.
    gc.set_threshold(100_000, 50, 50)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line per ERP call; Temporal's UI tells of each with more
    asyncio.run(run(settings_from_environment()))


if __name__ == "__main__":
    main()
