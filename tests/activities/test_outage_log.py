"""An ordinary outage is one line in the worker's log; a bug keeps its traceback."""

import asyncio
import logging
import secrets
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.failures import erp_failures
from activities.outage_log import OneLineForOutages, expected_failure
from erp.errors import Unavailable
from models.store.base.database import Database


@activity.defn
async def push(what: str) -> None:
    if what == "bug":
        raise KeyError("a fault of our own")
    if what == "no database":
        database = Database("postgresql://a:b@127.0.0.1:1/x", pool_size=1)
        async with database.transaction() as session:
            await session.execute(text("select 1"))
    with erp_failures():
        raise Unavailable("maintenance until six\nfor all companies", code="ERP_UNAVAILABLE")


@workflow.defn
class Pushing:
    @workflow.run
    async def run(self, what: str) -> None:
        once = RetryPolicy(maximum_attempts=1)
        await workflow.execute_activity(push, what, start_to_close_timeout=timedelta(seconds=20), retry_policy=once)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log as the worker formats it: with our filter on its handler."""
    shortens = OneLineForOutages()
    caplog.handler.addFilter(shortens)
    caplog.set_level(logging.INFO)
    yield caplog
    caplog.handler.removeFilter(shortens)


async def logged(temporal: Client, log: pytest.LogCaptureFixture, what: str) -> str:
    queue = f"pushing-{secrets.token_hex(4)}"
    async with Worker(
        temporal, task_queue=queue, workflows=[Pushing], activities=[push], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        with pytest.raises(WorkflowFailureError):
            await temporal.execute_workflow(Pushing.run, what, id=f"wf-{queue}", task_queue=queue)
        await asyncio.sleep(0)
    formatter = logging.Formatter("%(levelname)s %(message)s")
    return "\n".join(formatter.format(record) for record in log.records if "temporal_activity" in record.__dict__)


async def test_an_outage_of_the_erp_is_one_line(temporal: Client, log: pytest.LogCaptureFixture) -> None:
    said = await logged(temporal, log, "outage")
    assert "\n" not in said
    assert said.startswith("WARNING push for wf-pushing-")
    assert said.endswith(", attempt 1: Unavailable: ERP_UNAVAILABLE: maintenance until six for all companies")


async def test_an_outage_of_the_database_is_one_line(temporal: Client, log: pytest.LogCaptureFixture) -> None:
    said = await logged(temporal, log, "no database")
    assert "\n" not in said
    assert "PostgreSQL, does not answer (Connection refused)" in said


async def test_a_bug_keeps_its_traceback(temporal: Client, log: pytest.LogCaptureFixture) -> None:
    said = await logged(temporal, log, "bug")
    assert "Traceback" in said
    assert "KeyError: 'a fault of our own'" in said


def test_only_what_is_surely_an_outage_is_shortened() -> None:
    """A missing file of ours is an OSError too, and no outage of the database."""
    assert expected_failure(FileNotFoundError(2, "No such file or directory")) is None
    assert expected_failure(ApplicationError("somebody else's", type="Unavailable")) is None
    assert expected_failure(RPCError("no such workflow", RPCStatusCode.NOT_FOUND, b"")) is None
    away = expected_failure(RPCError("connection\nrefused", RPCStatusCode.UNAVAILABLE, b""))
    assert away == "Temporal does not answer: connection refused"
