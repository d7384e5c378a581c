"""The fakes of these tests stand in for the real activities: same names, same messages, same queues."""

from collections.abc import Callable
from typing import Any, get_type_hints

import pytest
from temporalio import activity
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import WithSerializationContext
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.connector_pool import Connections
from models.contract import TASK_QUEUE
from models.domain.connections import Erp
from models.store.base.database import Database
from tests.fakes.fake_activities import (
    FakeCreditApplicationActivities,
    FakeDatabaseActivities,
    FakeErpActivities,
    FakeListChangeActivities,
    FakeSourceOrderActivities,
    FakeSyncActivities,
)
from tests.fakes.fake_order import FakeOrder
from worker import WORKFLOWS, build_workers


def by_name(functions: list[Callable[..., Any]]) -> dict[str, dict[str, Any]]:
    """Each activity's messages, by its name."""
    found: dict[str, dict[str, Any]] = {}
    for function in functions:
        definition = activity._Definition.must_from_callable(function)
        assert definition.name is not None
        found[definition.name] = get_type_hints(function)
    return found


def served(workers: list[Worker]) -> dict[str, dict[str, Any]]:
    return by_name([function for worker in workers for function in worker.config()["activities"]])


async def test_the_fakes_carry_the_names_and_messages_of_the_real_ones(
    time_skipping: WorkflowEnvironment, empty_database_url: str
) -> None:
    """DESIGN 10: what these tests prove of the workflows holds for the activities the worker really registers."""
    database = Database(empty_database_url)
    workers = build_workers(time_skipping.client, database, Connections(database, _NoVault(), {}))
    order = FakeOrder()
    fakes = [
        FakeDatabaseActivities(order),
        FakeErpActivities(order, time_skipping.client),
        FakeSourceOrderActivities(order),
        FakeCreditApplicationActivities(order),
        FakeListChangeActivities(order),
        FakeSyncActivities(order),
    ]
    functions = [
        getattr(fake, name)
        for fake in fakes
        for name in dir(fake)
        if hasattr(getattr(fake, name), "__temporal_activity_definition")
    ]
    assert by_name(functions) == served(workers)
    assert [worker.task_queue for worker in workers] == [
        "posync",
        "posync-intacct",
        "posync-netsuite",
        "posync-quickbooks_online",
        "posync-quickbooks_desktop",
    ]
    await database.close()


async def test_a_process_serves_only_the_queues_it_is_given(
    time_skipping: WorkflowEnvironment, empty_database_url: str
) -> None:
    """DESIGN 7: the calls to one kind of ERP can be scaled and paused apart from the workflows."""
    database = Database(empty_database_url)
    connections = Connections(database, _NoVault(), {})
    (workflows,) = build_workers(time_skipping.client, database, connections, queues=[TASK_QUEUE])
    assert list(workflows.config()["workflows"]) == list(WORKFLOWS)
    (erp,) = build_workers(time_skipping.client, database, connections, queues=["posync-intacct"])
    assert list(erp.config()["workflows"]) == []
    await database.close()


@pytest.mark.parametrize("rate", [None, 0.5])
async def test_the_rate_of_all_workers_is_kept_by_temporal(
    time_skipping: WorkflowEnvironment, empty_database_url: str, rate: float | None
) -> None:
    """HOUSE 4.9: only attempts in an ERP are limited; without the setting nothing is."""
    database = Database(empty_database_url)
    connections = Connections(database, _NoVault(), {})
    workers = build_workers(time_skipping.client, database, connections, erp_attempts_per_second=rate)
    rates = [worker.config().get("max_task_queue_activities_per_second") for worker in workers]
    assert rates == [None, *[rate] * len(Erp)]
    await database.close()


async def test_no_payload_of_ours_depends_on_where_it_belongs(time_skipping: WorkflowEnvironment) -> None:
    """The runner answers for the workflow that it has no serialization context; a codec that wants one ends that."""
    converter = time_skipping.client.data_converter
    assert converter == pydantic_data_converter
    assert converter.payload_codec is None
    parts = [*PydanticPayloadConverter().converters.values(), converter.failure_converter]
    assert not [part for part in parts if isinstance(part, WithSerializationContext)]


class _NoVault:
    def open(self, sealed: bytes) -> dict[str, str]:
        raise AssertionError("nothing is opened here")
