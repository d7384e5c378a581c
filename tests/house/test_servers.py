"""The servers the other tests stand on do what they promise."""

import socket
from pathlib import Path

import asyncpg
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from cli.stack import Stack, StackOptions
from workflows.contract import SEARCH_ATTRIBUTES


async def test_postgresql_takes_connections(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        assert await connection.fetchval("select 6 * 7") == 42
    finally:
        await connection.close()


async def test_the_dev_server_knows_our_search_attributes(temporal: Client) -> None:
    query = " and ".join(f"{attribute.name} = 'none'" for attribute in SEARCH_ATTRIBUTES)
    assert [workflow.id async for workflow in temporal.list_workflows(query)] == []


async def test_time_passes_in_a_moment(time_skipping: WorkflowEnvironment) -> None:
    before = await time_skipping.get_current_time()
    await time_skipping.sleep(90 * 24 * 3600)
    assert (await time_skipping.get_current_time() - before).days == 90


def test_the_sandbox_is_where_it_was_the_last_time(tmp_path: Path) -> None:
    """Connections keep the address of their ERP; only when somebody else took its port does it move."""
    options = StackOptions(tmp_path, fixed_ports=False)
    port = Stack(options)._sandbox_port()
    assert Stack(options)._sandbox_port() == port
    with socket.create_server(("127.0.0.1", port)):
        moved = Stack(options)._sandbox_port()
    assert moved != port
    assert Stack(options)._sandbox_port() == moved
