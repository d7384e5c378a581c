"""`posync worker --check`: whether a worker of this machine serves, by the word of Temporal and the database."""

import secrets
import socket

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from cli.local.worker_check import WorkerNotServing, check_worker
from models.store.base import workers
from models.store.base.database import Database, DatabaseUnreachable
from settings import Settings
from temporal_gateway.pollers import queues_without_poller
from tests.harness.waiting import eventually


@activity.defn
async def nothing() -> None:
    """Gives a worker something to serve."""


@pytest.fixture
def settings(empty_database_url: str, temporal_address: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    return Settings(database_url=empty_database_url, credential_keys=(Fernet.generate_key().decode(),))


async def test_a_worker_of_this_host_is_found_and_one_of_another_host_does_not_count(temporal: Client) -> None:
    queue = f"checked-{secrets.token_hex(4)}"
    assert await queues_without_poller(temporal, [queue]) == [queue]
    async with Worker(temporal, task_queue=queue, activities=[nothing]):
        assert await _soon_served(temporal, queue)
        assert await queues_without_poller(temporal, [queue], host=socket.gethostname()) == []
        assert await queues_without_poller(temporal, [queue], host="another-host") == [queue]


async def test_no_worker_is_said_with_the_queues_it_should_serve(settings: Settings) -> None:
    with pytest.raises(WorkerNotServing) as missing:
        await check_worker(settings, host="another-host")
    assert str(missing.value) == (
        "no worker of another-host serves posync, posync-intacct, posync-netsuite, posync-quickbooks_online,"
        " posync-quickbooks_desktop: start one with `posync worker`"
    )


async def test_a_worker_whose_loop_hangs_is_said_so(settings: Settings, temporal: Client) -> None:
    """It asks for work still, and gives no sign of life."""
    own = settings.model_copy(update={"queues": ("posync-netsuite",)})
    database = Database(settings.database_url, pool_size=1)
    async with Worker(temporal, task_queue="posync-netsuite", activities=[nothing]):
        assert await _soon_served(temporal, "posync-netsuite")
        assert await check_worker(own) == ("posync-netsuite",), "one of a version that gives no signs counts"
        async with database.statement() as session:
            await workers.sign_of_life(session, temporal.identity)
            assert await check_worker(own) == ("posync-netsuite",)
            await session.execute(text("update workers set alive_at = alive_at - interval '1 minute'"))
        with pytest.raises(WorkerNotServing, match="serves posync-netsuite gives no sign of life: restart it"):
            await check_worker(own)
    await database.close()


async def test_only_the_queues_of_this_worker_count(settings: Settings) -> None:
    with pytest.raises(WorkerNotServing, match="serves posync-netsuite: start one"):
        await check_worker(settings.model_copy(update={"queues": ("posync-netsuite",)}), host="another-host")


async def test_a_worker_without_its_database_cannot_serve(settings: Settings) -> None:
    with pytest.raises(DatabaseUnreachable):
        await check_worker(settings.model_copy(update={"database_url": "postgresql://a:b@127.0.0.1:1/x"}))


async def _soon_served(temporal: Client, queue: str) -> bool:
    async def served() -> bool:
        return not await queues_without_poller(temporal, [queue])

    return await eventually(served)
