"""Whatever people, the ERP, syncs and crashes do, in whatever order: no state without a way on."""

import asyncio
from collections.abc import Iterator
from functools import partial
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from models.domain import bill_states, payment_states
from models.store.base.database import Database
from tests.harness.states_machine import StatesMachine

WALKS = settings(
    max_examples=12,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)

"""Few, so that they are quick; `test_the_walk_finds_a_guard_that_is_gone` says that they are enough."""


@pytest.fixture
def machine(database_url: str) -> Iterator[partial[StatesMachine]]:
    with asyncio.Runner() as runner:

        async def opened() -> Database:
            return Database(database_url, pool_size=4)

        database = runner.run(opened())
        yield partial(StatesMachine, runner, database)
        runner.run(database.close())


def test_every_reachable_combination_has_a_way_on(machine: partial[StatesMachine]) -> None:
    """G15, issue 10: person, ERP, sync and crashes as actors. The guards one by one: `test_guards.py`."""
    run_state_machine_as_test(machine, settings=WALKS)


@pytest.mark.parametrize("states", [bill_states, payment_states])
def test_the_walk_finds_a_guard_that_is_gone(
    machine: partial[StatesMachine], monkeypatch: pytest.MonkeyPatch, states: ModuleType
) -> None:
    """G15: what was abandoned while its refusal was on its way is stopped, and nobody can end it."""
    monkeypatch.setattr(states, "may_be_stopped", lambda *_: True)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=WALKS)
