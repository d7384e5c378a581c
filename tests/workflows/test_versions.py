"""How running workflows survive a release: patches, builds, and the histories that a release leaves behind."""

import ast
import asyncio
import hashlib
import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.common import VersioningBehavior
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker
from typer.testing import CliRunner

from activities.connector_pool import Connections
from cli.local.embedded import free_port, temporal_command, temporal_is_ready
from cli.local.processes import ChildProcess
from cli.main import app
from models.store.base.database import Database
from tests.harness.waiting import eventually
from tests.harness.workflow_client import (
    create_bill,
    done,
    order,
)
from tests.harness.workflow_harness import WorkflowHarness
from tests.workflows import save_histories
from tests.workflows.patched_example import FirstRelease, SecondRelease, UnpatchedRelease
from tests.workflows.save_histories import HISTORIES, UNRELEASED
from worker import WORKFLOWS, build_workers
from workflows.runner import strict_runner
from workflows.versioned import VERSIONED_WORKFLOWS

ROOT = Path(__file__).resolve()
while not (ROOT / "pyproject.toml").exists():
    ROOT = ROOT.parent

MANIFEST = "SHA256SUMS"
PATCH_FUNCTIONS = {"patched", "deprecate_patch"}


# --- patches ---------------------------------------------------------------------------------------------------


async def one_run(client: Client, release: type[FirstRelease] | type[SecondRelease]) -> WorkflowHistory:
    queue = f"release-{secrets.token_hex(4)}"
    async with Worker(client, task_queue=queue, workflows=[release], workflow_runner=strict_runner()):
        handle = await client.start_workflow("ReleasedWorkflow", id=queue, task_queue=queue)
        await handle.result()
        return await handle.fetch_history()


def timers(history: WorkflowHistory) -> int:
    return [event.event_type for event in history.events].count(EventType.EVENT_TYPE_TIMER_STARTED)


async def test_a_patched_change_replays_old_histories_and_new_runs_take_it(temporal: Client) -> None:
    old, new = await one_run(temporal, FirstRelease), await one_run(temporal, SecondRelease)
    assert (timers(old), timers(new)) == (1, 2)
    patched = Replayer(workflows=[SecondRelease], workflow_runner=strict_runner())
    assert (await patched.replay_workflow(old)).replay_failure is None
    assert (await patched.replay_workflow(new)).replay_failure is None
    unpatched = Replayer(workflows=[UnpatchedRelease], workflow_runner=strict_runner())
    assert (await unpatched.replay_workflow(old, raise_on_replay_failure=False)).replay_failure is not None


def patches(source: str) -> bool:
    """Whether this code makes a patch, however it imports the function."""
    return any(
        (isinstance(node, ast.Attribute) and node.attr in PATCH_FUNCTIONS)
        or (isinstance(node, ast.ImportFrom) and any(alias.name in PATCH_FUNCTIONS for alias in node.names))
        for node in ast.walk(ast.parse(source))
    )


def test_patches_are_named_in_one_file() -> None:
    """Whoever removes a patch must find all of them."""
    elsewhere = [
        path
        for path in sorted((ROOT / "workflows").rglob("*.py"))
        if path.name != "versions.py" and patches(path.read_text())
    ]
    assert elsewhere == []
    assert patches("workflow.patched('x')")
    assert patches("from temporalio.workflow import patched as p")


# --- builds ----------------------------------------------------------------------------------------------------


async def test_a_worker_without_a_build_id_is_not_versioned(
    time_skipping: WorkflowEnvironment, empty_database_url: str
) -> None:
    """`posync up` sets none: with one, nothing runs before a build was made current."""
    database = Database(empty_database_url)
    connections = Connections(database, _NoVault(), {})
    for build_id, workflows in ((None, WORKFLOWS), ("1.2.3", VERSIONED_WORKFLOWS)):
        workers = build_workers(time_skipping.client, database, connections, build_id=build_id)
        assert list(workers[0].config()["workflows"]) == list(workflows)
        for worker in workers:
            config = worker.config()["deployment_config"]
            assert (config.version.build_id if config else None) == build_id
    await database.close()


def test_versioned_workflows_are_the_same_ones() -> None:
    """PINNED for what ends soon, AUTO_UPGRADE for what outlives a release."""
    plain = {kind.__temporal_workflow_definition.name: kind for kind in WORKFLOWS}
    kept = {kind.__temporal_workflow_definition.name: kind for kind in VERSIONED_WORKFLOWS}
    assert kept.keys() == plain.keys()
    behaviors = {name: kind.__temporal_workflow_definition.versioning_behavior for name, kind in kept.items()}
    assert behaviors == {
        "PurchaseOrderWorkflow": VersioningBehavior.AUTO_UPGRADE,
        "BillWorkflow": VersioningBehavior.AUTO_UPGRADE,
        "PaymentWorkflow": VersioningBehavior.AUTO_UPGRADE,
        "SyncWorkflow": VersioningBehavior.PINNED,
        "ScheduledSyncWorkflow": VersioningBehavior.PINNED,
        "BackfillWorkflow": VersioningBehavior.PINNED,
        "SourceOrderWorkflow": VersioningBehavior.AUTO_UPGRADE,
        "CreditApplicationWorkflow": VersioningBehavior.AUTO_UPGRADE,
        "ListChangeWorkflow": VersioningBehavior.AUTO_UPGRADE,
    }
    for name, kind in kept.items():
        old, new = plain[name].__temporal_workflow_definition, kind.__temporal_workflow_definition
        assert issubclass(kind, plain[name])
        assert (new.signals.keys(), new.queries.keys(), new.updates.keys()) == (
            old.signals.keys(),
            old.queries.keys(),
            old.updates.keys(),
        )


@pytest.fixture
def own_temporal_address(tmp_path: Path) -> Iterator[str]:
    """A server of its own: a current build is a setting of the whole namespace."""
    port = free_port()
    command = temporal_command(port=port, ui_port=None, database=None)
    server = ChildProcess("temporal", command, log=tmp_path / "temporal.log")
    server.start()
    try:
        server.wait_until(lambda: temporal_is_ready(f"127.0.0.1:{port}"))
        yield f"127.0.0.1:{port}"
    finally:
        server.stop()


def command(*words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(app, ["deployment", *words], catch_exceptions=False)
    return ran.exit_code, ran.output


async def test_nothing_runs_before_its_build_is_current(
    own_temporal_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that makes a build current is what starts a versioned installation."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", own_temporal_address)
    client = await Client.connect(own_temporal_address, data_converter=pydantic_data_converter)
    harness = WorkflowHarness(client=client)
    code, said = await _in_thread(command, "set-current", "build-7")
    assert code == 1
    assert "Start a worker with this POSYNC_BUILD_ID first" in said
    async with harness.workers(build_id="build-7"):

        async def known() -> bool:
            return "build-7" in (await _in_thread(command, "show"))[1]

        await eventually(known)
        handle = await client.start_workflow(
            "PurchaseOrderWorkflow", harness.order_state(), id=harness.order_workflow, task_queue="posync"
        )
        kinds = [event.event_type for event in (await handle.fetch_history()).events]
        assert EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED not in kinds
        assert await _in_thread(command, "set-current", "build-7") == (0, "Build build-7 is current.\n")
        assert "current" in (await _in_thread(command, "show"))[1]
        assert (await create_bill(harness, harness.bill_request("k1", 10))).outcome == "OK"
        await done(order(harness))
        versioning = (await order(harness).describe()).raw_description.workflow_execution_info.versioning_info
    assert versioning.behavior == VersioningBehavior.AUTO_UPGRADE.value
    assert harness.calls["push_bill"] == 1


async def _in_thread(call: object, *words: str) -> tuple[int, str]:
    """The command runs an event loop of its own."""
    assert callable(call)
    answer: tuple[int, str] = await asyncio.to_thread(call, *words)
    return answer


# --- histories of releases -------------------------------------------------------------------------------------


def rewritten(histories: Path) -> list[str]:
    """Saved histories of releases that are not what the release saved."""
    found = []
    for release in sorted(path for path in histories.iterdir() if path.is_dir() and path.name != UNRELEASED.name):
        kept = dict(line.split("  ", 1)[::-1] for line in (release / MANIFEST).read_text().splitlines())
        now = {
            str(path.relative_to(release)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in release.rglob("*.json")
        }
        found += [f"{release.name}/{name}" for name in sorted({*kept, *now}) if kept.get(name) != now.get(name)]
    return found


def test_the_histories_of_a_release_are_never_rewritten() -> None:
    """A bill waits months for its payment: what a release started must replay under every later one."""
    assert rewritten(HISTORIES) == []


def test_every_tagged_release_has_its_histories() -> None:
    """Freezing them is part of a release (`python -m tests.workflows.save_histories --release X`)."""
    tags = subprocess.run(["git", "tag", "--list", "v*"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [tag for tag in tags.split() if not (HISTORIES / tag / MANIFEST).exists()] == []


def test_a_changed_added_or_lost_history_of_a_release_is_found(tmp_path: Path) -> None:
    release = tmp_path / "v1.0.0"
    release.mkdir()
    (tmp_path / UNRELEASED.name).mkdir()
    for name in ("a.json", "b.json"):
        (release / name).write_text(json.dumps({"history": name}))
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in release.glob("*.json")]
    (release / MANIFEST).write_text("".join(sums))
    assert rewritten(tmp_path) == []
    (release / "a.json").write_text("{}")
    (release / "b.json").unlink()
    (release / "c.json").write_text("{}")
    assert rewritten(tmp_path) == ["v1.0.0/a.json", "v1.0.0/b.json", "v1.0.0/c.json"]


def test_what_a_release_freezes_is_what_it_finds_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(save_histories, "HISTORIES", tmp_path)
    save_histories.freeze("v1.0.0")
    assert rewritten(tmp_path) == []
    assert len(list((tmp_path / "v1.0.0").glob("*.json"))) == len(list(UNRELEASED.glob("*.json")))
    assert (tmp_path / "v1.0.0" / "message_schemas" / "BillState.json").exists()
    with pytest.raises(FileExistsError):
        save_histories.freeze("v1.0.0")


class _NoVault:
    def open(self, sealed: bytes) -> dict[str, str]:
        raise AssertionError("nothing is opened here")
