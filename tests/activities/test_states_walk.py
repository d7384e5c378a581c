"""Whatever people, the ERP, syncs and crashes do, in whatever order: no state without a way on."""

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from models.store.base.database import Database
from tests.harness.states_machine import StatesMachine

WALKS = settings(
    max_examples=12,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.fixture
def machine(database_url: str) -> Iterator[partial[StatesMachine]]:
    with asyncio.Runner() as runner:

        async def opened() -> Database:
            return Database(database_url, pool_size=4)

        database = runner.run(opened())
        yield partial(StatesMachine, runner, database)
        runner.run(database.close())


def test_every_reachable_combination_has_a_way_on(machine: partial[StatesMachine]) -> None:
    """G15, issue 10: person, ERP, sync and crashes as actors. What happens with the guard off: `test_guards.py`."""
    run_state_machine_as_test(machine, settings=WALKS)
