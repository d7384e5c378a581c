"""The servers the other tests stand on do what they promise."""

import socket
import time
from pathlib import Path

import asyncpg
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from cli.client.endpoints import EndpointsUnreadable, running_stack
from cli.local.processes import ChildProcess
from cli.local.stack import Stack, StackFailed, StackOptions
from models.contract import ATTRIBUTE_TYPES


async def test_postgresql_takes_connections(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        assert await connection.fetchval("select 6 * 7") == 42
    finally:
        await connection.close()


async def test_the_dev_server_knows_our_search_attributes(temporal: Client) -> None:
    nothing = {name: "-1" if kind == "Double" else "'none'" for name, kind in ATTRIBUTE_TYPES.items()}
    query = " and ".join(f"{name} = {value}" for name, value in nothing.items())
    assert [workflow.id async for workflow in temporal.list_workflows(query)] == []


async def test_time_passes_in_a_moment(time_skipping: WorkflowEnvironment) -> None:
    before = await time_skipping.get_current_time()
    await time_skipping.sleep(90 * 24 * 3600)
    assert (await time_skipping.get_current_time() - before).days == 90


def test_workflows_of_another_generation_are_refused_in_one_line_with_the_way_on(tmp_path: Path) -> None:
    """Nobody sees them fail one by one; a new state directory, and one of this generation, are taken."""
    (tmp_path / "temporal.db").touch()
    with pytest.raises(StackFailed) as refused, Stack(StackOptions(tmp_path, use_environment=False)):
        pass
    assert "\n" not in str(refused.value)
    assert f"delete {tmp_path / 'temporal.db'} to start afresh" in str(refused.value)

    (tmp_path / "temporal.db").unlink()
    stack = Stack(StackOptions(tmp_path, use_environment=False))
    stack._check_generation()
    (tmp_path / "temporal.db").touch()
    stack._check_generation()


def test_a_damaged_description_of_the_stack_is_one_line(tmp_path: Path) -> None:
    for content in ("{", '{"where": "of another version"}'):
        (tmp_path / "stack.json").write_text(content)
        with pytest.raises(EndpointsUnreadable, match=r"^[^\n]+ cannot be read: stop `posync up` and start it again$"):
            running_stack(tmp_path)


def test_the_sandbox_is_where_it_was_the_last_time(tmp_path: Path) -> None:
    """Connections keep the address of their ERP; only when somebody else took its port does it move."""
    options = StackOptions(tmp_path, fixed_ports=False)
    port = Stack(options)._sandbox_port()
    assert Stack(options)._sandbox_port() == port
    with socket.create_server(("127.0.0.1", port)):
        moved = Stack(options)._sandbox_port()
    assert moved != port
    assert Stack(options)._sandbox_port() == moved


def test_nobody_else_reads_what_a_server_writes(tmp_path: Path) -> None:
    """H10: `temporal.db`, which holds what workflows carry, was readable by everybody on the machine."""
    written = tmp_path / "temporal.db"
    child = ChildProcess("writer", ["/bin/sh", "-c", f"echo books > {written}"], log=tmp_path / "writer.log")
    child.start()
    while child.exit_code() is None:
        time.sleep(0.01)
    child.stop()
    assert written.stat().st_mode & 0o777 == 0o600
