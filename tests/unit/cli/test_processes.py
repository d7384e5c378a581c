"""Child processes: awaited, logged, stopped, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cli.local.embedded import free_port
from cli.local.processes import GIVE_WAY, ChildProcess, ProcessFailed
from tests.harness.waiting import eventually

SLEEPS = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]


def test_a_child_that_ends_early_is_reported_with_its_log(tmp_path: Path) -> None:
    child = ChildProcess("doomed", [sys.executable, "-c", "raise SystemExit('no such database')"], log=tmp_path / "log")
    child.start()
    with pytest.raises(ProcessFailed) as failed:
        child.wait_until(lambda: False, seconds=20)
    assert "doomed ended with exit code 1" in str(failed.value)
    assert "no such database" in str(failed.value)
    child.stop()


def test_a_child_that_never_gets_ready_is_reported(tmp_path: Path) -> None:
    child = ChildProcess("slow", SLEEPS, log=tmp_path / "log")
    child.start()
    try:
        with pytest.raises(ProcessFailed, match="was not ready after 0 seconds"):
            child.wait_until(lambda: False, seconds=0.2)
    finally:
        child.stop()
    assert child.exit_code() == -signal.SIGTERM


async def test_a_child_that_works_behind_the_answers_gives_way(tmp_path: Path) -> None:
    """Issue 10: on a busy machine those go first for whom somebody waits."""
    says = [sys.executable, "-c", "import os; print(f'nice {os.nice(0)}.', flush=True)"]
    child = ChildProcess("behind", says, log=tmp_path / "log", gives_way=True)
    child.start()
    try:
        await eventually(lambda: "." in child.log.read_text())
    finally:
        child.stop()
    assert f"nice {min(os.nice(0) + GIVE_WAY, 19)}." in child.log.read_text()


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    child = ChildProcess("stubborn", [sys.executable, "-c", stubborn], log=tmp_path / "log")
    child.start()
    child.wait_until(lambda: "ready" in child.log.read_text(), seconds=20)
    child.stop(seconds=0.2)
    assert child.exit_code() == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux only")
def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    parent = (
        "import sys, time; from pathlib import Path; from cli.local.processes import ChildProcess\n"
        f"child = ChildProcess('child', {SLEEPS!r}, log=Path({str(tmp_path / 'log')!r}))\n"
        "child.start(); print(child.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child_pid = int(process.stdout.readline())
    process.stdout.close()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    while _runs(child_pid):
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        # Where nobody reaps orphans the dead child stays in the list as a zombie.
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port
