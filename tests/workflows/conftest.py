"""Harnesses on the servers the workflows run on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.harness.temporal_server import temporal_server
from tests.harness.workflow_harness import WorkflowHarness

SUGGEST_AFTER_EVENTS = 25
"""So few that every long-lived workflow must continue as new within one order's life."""


@pytest.fixture(scope="session")
def impatient_temporal_address(server_directory: Path) -> Iterator[str]:
    """A dev server that suggests continue-as-new after a handful of events."""
    limit = {"limit.historyCount.suggestContinueAsNew": str(SUGGEST_AFTER_EVENTS)}
    with temporal_server(server_directory / "temporal-impatient.log", limit) as address:
        yield address


@pytest.fixture
async def impatient_temporal(impatient_temporal_address: str) -> Client:
    return await Client.connect(impatient_temporal_address, data_converter=pydantic_data_converter)


@pytest.fixture
async def harness(time_skipping: WorkflowEnvironment) -> AsyncIterator[WorkflowHarness]:
    """An order on the time-skipping server, with workers that serve it."""
    here = WorkflowHarness(client=time_skipping.client)
    async with here.workers():
        yield here
