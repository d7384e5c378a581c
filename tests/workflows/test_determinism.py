"""Workflow code replays: the strict sandbox refuses what does not, and the code is read for it too."""

import ast
import secrets
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker, WorkflowInstance, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tests.workflows.clock_reader import ClockReader
from workflows import runner
from workflows.runner import WithoutContextRunner, fast_runner, sdk_is_known, strict_runner

ROOT = Path(__file__).resolve()
while not (ROOT / "pyproject.toml").exists():
    ROOT = ROOT.parent

ALSO_RUN_IN_WORKFLOWS = ("contract", "messages", "domain")
"""Parts of `models/` whose code runs inside workflows, each a file or a folder."""

FORBIDDEN_MODULES = {
    "glob",
    "http",
    "httpx",
    "importlib",
    "io",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
FORBIDDEN_CALLS = {"__import__", "eval", "exec", "hash", "id", "input", "open", "print"}
FORBIDDEN_ATTRIBUTES = {
    "asyncio": {"as_completed", "open_connection", "run", "sleep", "to_thread", "wait"},
    "datetime": {"now", "today", "utcnow"},
    "date": {"today"},
}
"""Of `asyncio`: what Temporal has under `workflow` with a summary or a fixed order, and what leaves the event loop."""


def workflow_code() -> Iterator[Path]:
    yield from (ROOT / "workflows").rglob("*.py")
    for name in ALSO_RUN_IN_WORKFLOWS:
        one_file, folder = ROOT / "models" / f"{name}.py", ROOT / "models" / name
        if one_file.exists():
            yield one_file
        yield from folder.rglob("*.py")


def faults_of(source: str) -> list[str]:
    """What in this code does not replay, with its line."""
    return [f"line {line}: {what}" for line, what in sorted(_faults(ast.parse(source)))]


def _names(tree: ast.AST) -> dict[str, str]:
    """What imported modules and classes are really called, by the names that this code gives them."""
    return {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }


def _faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    really = _names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [(node.module or "").split(".")[0]]
            for alias in node.names:
                if alias.name in FORBIDDEN_ATTRIBUTES.get(node.module or "", set()):
                    yield node.lineno, f"{node.module}.{alias.name}"
        else:
            modules = []
            if isinstance(node, ast.Name) and node.id in FORBIDDEN_CALLS:
                yield node.lineno, node.id
            elif isinstance(node, ast.Attribute):
                owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
                owner = really.get(owner, owner)
                if node.attr in FORBIDDEN_ATTRIBUTES.get(owner, set()):
                    yield node.lineno, f"{owner}.{node.attr}"
        for module in modules:
            if module in FORBIDDEN_MODULES:
                yield node.lineno, module


@pytest.mark.parametrize("path", sorted(workflow_code()), ids=lambda path: str(path.relative_to(ROOT)))
def test_workflow_code_reads_no_clock_and_nothing_random(path: Path) -> None:
    """Neither the sandbox nor a replay sees a clock that only changes a summary."""
    assert faults_of(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "import os.path",
        "from os import environ",
        "import random as dice",
        "from uuid import uuid4",
        "import time",
        "import io",
        "open('/etc/hosts')",
        "hash('a')",
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "clock = datetime.now",
        "from datetime import datetime as clock\nclock.now()",
        "import datetime as dt\ndt.date.today()",
        "import asyncio as aio\naio.sleep(1)",
        "asyncio.sleep(1)",
        "from asyncio import sleep",
        "asyncio.wait([task])",
        "def f():\n    from time import monotonic",
    ],
)
def test_the_reader_finds_what_does_not_replay(source: str) -> None:
    assert len(faults_of(source)) == 1


@pytest.mark.parametrize(
    "source", ["workflow.now()", "workflow.sleep(1)", "from datetime import time", "datetime.combine(day, time.min)"]
)
def test_the_reader_lets_pass_what_replays(source: str) -> None:
    assert faults_of(source) == []


@pytest.mark.parametrize(
    ("of_our_modules", "refused"), [(strict_runner, True), (fast_runner, False)], ids=["strict", "fast"]
)
async def test_only_the_strict_sandbox_refuses_a_workflow_that_reads_the_clock(
    temporal: Client, monkeypatch: pytest.MonkeyPatch, of_our_modules: object, *, refused: bool
) -> None:
    """Our tests run under the sandbox that sees it; production's passes our modules through and would not."""
    # As `workflows` is: the fast sandbox passes the workflow's own package through.
    monkeypatch.setattr(runner, "OWN_MODULES", (*runner.OWN_MODULES, "tests"))
    assert callable(of_our_modules)
    sandbox = of_our_modules()
    assert isinstance(sandbox, WorkflowRunner)
    queue = f"clock-{secrets.token_hex(4)}"
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[ClockReader],
        workflow_runner=sandbox,
        workflow_failure_exception_types=[Exception],
    ):
        run = temporal.execute_workflow(ClockReader.run, id=queue, task_queue=queue)
        if not refused:
            assert await run
            return
        with pytest.raises(WorkflowFailureError) as failed:
            await run
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "RestrictedWorkflowAccessError"


def test_an_sdk_of_another_shape_gets_its_own_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast runner answers for internals of the SDK; where those have changed, it does not."""

    class Grown(WorkflowInstance):
        @abstractmethod
        def one_more(self) -> None: ...

    class OtherRunner(SandboxedWorkflowRunner):
        def create_instance(self, det: object, options: object) -> WorkflowInstance:
            raise NotImplementedError

    assert sdk_is_known()
    assert not sdk_is_known(instance=Grown)
    assert not sdk_is_known(runner=OtherRunner)
    assert type(fast_runner()) is WithoutContextRunner
    monkeypatch.setattr(runner, "sdk_is_known", lambda: False)
    assert type(fast_runner()) is SandboxedWorkflowRunner
