"""Workflows at work on one order: the harness of tests/workflows.

Real: the workflows, the strict sandbox of their worker, the notifier and the Temporal server. Fake: every activity, and
with them the database and the ERP (`FakeOrder`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from models import contract
from models.domain.connections import Erp
from tests.fakes.fake_activities import (
    FakeCreditApplicationActivities,
    FakeDatabaseActivities,
    FakeErpActivities,
    FakeListChangeActivities,
    FakeSourceOrderActivities,
    FakeSyncActivities,
)
from tests.fakes.fake_order import FakeOrder
from worker import CACHED_WORKFLOWS, WORKFLOWS
from workflows.runner import strict_runner
from workflows.versioned import VERSIONED_WORKFLOWS
from workflows.versions import deployment_config

A_LONG_LIFE = timedelta(days=3650)
"""An age limit for workflows on the time-skipping server: without one its clock runs ten years ahead at each end."""


@dataclass
class WorkflowHarness(FakeOrder):
    """An order whose workflows run; what a test asks for and what was recorded is the order's."""

    client: Client = field(kw_only=True)

    @asynccontextmanager
    async def workers(
        self, *, cached_workflows: int = CACHED_WORKFLOWS, build_id: str | None = None
    ) -> AsyncIterator[None]:
        """The two workers of one process, in the strict sandbox."""
        mirror, sync = FakeDatabaseActivities(self), FakeSyncActivities(self)
        erp = FakeErpActivities(self, self.client)
        uploads = FakeSourceOrderActivities(self)
        applications = FakeCreditApplicationActivities(self)
        list_changes = FakeListChangeActivities(self)
        workers = (
            Worker(
                self.client,
                task_queue=contract.TASK_QUEUE,
                workflows=WORKFLOWS if build_id is None else VERSIONED_WORKFLOWS,
                activities=[
                    mirror.bill_on_order,
                    mirror.open_issue,
                    mirror.close_issue,
                    uploads.source_order_failed,
                    applications.credit_application_failed,
                    list_changes.list_change_failed,
                    mirror.abandon_write,
                    mirror.bill_in_review,
                    mirror.rematch_bills,
                    sync.notify_changed_orders,
                    sync.finish_sync_run,
                    sync.finish_backfill,
                ],
                workflow_runner=strict_runner(),
                max_cached_workflows=cached_workflows,
                deployment_config=deployment_config(build_id),
            ),
            Worker(
                self.client,
                task_queue=contract.erp_task_queue(Erp.INTACCT),
                activities=[
                    erp.push_bill,
                    erp.retract_bill,
                    erp.push_bill_edit,
                    erp.push_payment,
                    erp.void_payment,
                    erp.refresh_purchase_order,
                    uploads.push_source_order,
                    applications.push_credit_application,
                    list_changes.push_list_change,
                    sync.plan_sync,
                    sync.check_setup,
                    sync.backfill_page,
                    sync.sync_page,
                ],
                deployment_config=deployment_config(build_id),
            ),
        )
        running = [asyncio.create_task(worker.run()) for worker in workers]
        try:
            yield
        finally:
            await asyncio.gather(*(worker.shutdown() for worker in workers))
            await asyncio.gather(*running)  # a worker that fell over says so here
