"""`posync up` and the commands that talk to it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from cryptography.fernet import Fernet

from cli.client.endpoints import Endpoints, running_stack
from cli.local.setup import examine
from cli.local.stack import Stack, StackFailed, StackOptions

POSYNC = [sys.executable, "-m", "cli"]


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def up(state_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """`posync up` as a person starts it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "POSYNC_"))}
    log = (state_dir / "up.log").open("w")
    process = subprocess.Popen(
        [*POSYNC, "up", "--state-dir", str(state_dir)],
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment,
        text=True,
    )
    deadline = time.monotonic() + 90
    while running_stack(state_dir) is None:
        assert process.poll() is None, (state_dir / "up.log").read_text()
        assert time.monotonic() < deadline, (state_dir / "up.log").read_text()
        time.sleep(0.1)
    yield process
    if process.poll() is None:
        stack = running_stack(state_dir)
        assert stack is not None
        outside = asyncio.run(examine(stack.database_url))
        process.send_signal(signal.SIGTERM)
        process.wait(100)
        assert list(outside) == [], "whatever the tests did with it, each bill and payment has a way on"
    log.close()


def posync(state_dir: Path, *arguments: str, secrets: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "POSYNC_STATE_DIR": str(state_dir), **(secrets or {}), "COLUMNS": "200"}
    return subprocess.run(
        [*POSYNC, *arguments], capture_output=True, text=True, env=environment, check=False, timeout=90
    )


def answer(ended: subprocess.CompletedProcess[str]) -> Any:
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)


PASSWORDS = {"POSYNC_INTACCT_PASSWORD": "sandbox-user", "POSYNC_SENDER_PASSWORD": "sandbox-sender"}
CONNECT = ["connect", "intacct", "--sandbox", "--company", "ACME", "--user", "xml_gateway", "--sender-id", "posync"]


@pytest.fixture(scope="module")
def connected(up: subprocess.Popen[str], state_dir: Path) -> Path:
    """The README's walk, up to the first sync."""
    assert answer(posync(state_dir, "sandbox", "sample", "--json"))["loaded"]["purchase_orders"] == 34
    created = posync(
        state_dir, *CONNECT, "--entity", "100", "--bank-account", "BOA", "--purchase-orders", secrets=PASSWORDS
    )
    assert created.returncode == 0, created.stdout + created.stderr
    assert "It syncs every 15 minutes." in created.stdout
    assert answer(posync(state_dir, "connection", "schedule", "--json"))["every_minutes"] == 15
    assert answer(posync(state_dir, "sync", "--follow", "--json"))["state"] == "completed"
    return state_dir


def test_a_wrong_password_explains_itself(up: subprocess.Popen[str], state_dir: Path) -> None:
    refused = posync(state_dir, *CONNECT, "--entity", "100", secrets={**PASSWORDS, "POSYNC_INTACCT_PASSWORD": "no"})
    assert refused.returncode == 1
    assert "AUTH_" in refused.stderr
    assert "Who can fix it" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_readmes_walk(connected: Path) -> None:
    """S1-03: list, show, bill by line; the bill reaches the ERP and shows on its order."""
    numbers = [order["number"] for order in answer(posync(connected, "po", "list", "--json"))]
    assert "PO-1007" in numbers
    created = answer(posync(connected, "bills", "create", "PO-1007", "--number", "INV-2041", "--line", "1=1", "--json"))
    assert created["bill"]["number"] == "INV-2041"
    deadline = time.monotonic() + 90
    while True:
        order = answer(posync(connected, "po", "show", "PO-1007", "--json"))
        [bill] = [bill for bill in order["bills"] if bill["number"] == "INV-2041"]
        if bill["status"] == "synced" and order["lines"][0]["pending"] == "0":
            break
        assert time.monotonic() < deadline, order
        time.sleep(0.5)
    assert bill["document_id"]
    assert order["status"] == "partially_filled"
    shown = posync(connected, "po", "show", "PO-1007")
    assert "INV-2041" in shown.stdout
    assert answer(posync(connected, "issues", "list", "--json")) == []


def test_a_file_of_bills_goes_on_past_bad_rows_and_repeats_nothing(connected: Path, tmp_path: Path) -> None:
    path = tmp_path / "bills.csv"
    order = answer(posync(connected, "po", "show", "PO-1007", "--json"))
    row = f"INV-77,{order['vendor_id']},2026-11-20,,PO-1007,2,,1,,,,\n"
    path.write_text(
        "invoice_number,vendor_id,invoice_date,due_date,po_number,po_line_no,item_id,quantity,unit,price,amount,memo\n"
        f"{row}INV-78,V1,yesterday,,PO-1007,1,,1,,,,\nINV-79,V1,2026-11-20,,PO-9999,1,,1,,,,\n"
    )
    first, again = (posync(connected, "bills", "import", str(path), "--json") for _ in range(2))
    assert first.returncode == again.returncode == 1
    imported, repeated = json.loads(first.stdout), json.loads(again.stdout)
    assert [bill["outcome"] for bill in imported["bills"]] == ["accepted", "no_purchase_order"]
    assert [row["line"] for row in imported["unreadable_rows"]] == [3]
    assert repeated["bills"][0]["bill_id"] == imported["bills"][0]["bill_id"]


def test_a_second_stack_on_the_same_state_is_refused(up: subprocess.Popen[str], state_dir: Path) -> None:
    with pytest.raises(StackFailed, match="in use by another posync"), Stack(StackOptions(state_dir)):
        pass
    assert running_stack(state_dir) is not None


def left_behind(endpoints: Endpoints, state_dir: Path) -> list[str]:
    """Processes that still serve this stack."""
    marks = (str(state_dir), endpoints.api_url.rsplit(":", 1)[1], endpoints.temporal_address.rsplit(":", 1)[1])
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(
            mark in argument for argument in command for mark in marks
        ):
            found.append(" ".join(command))
    return found


def test_ctrl_c_leaves_nothing_behind_and_keeps_the_state(tmp_path: Path) -> None:
    # As a shell starts it in the background: with Ctrl-C ignored until it says otherwise.
    process = subprocess.Popen(
        [*POSYNC, "up", "--state-dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    deadline = time.monotonic() + 90
    while (endpoints := running_stack(tmp_path)) is None:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert left_behind(endpoints, tmp_path) != []
    process.send_signal(signal.SIGINT)
    assert process.wait(100) == 0
    assert [command for command in left_behind(endpoints, tmp_path) if "pytest" not in command] == []
    assert running_stack(tmp_path) is None
    assert (tmp_path / "postgres" / "PG_VERSION").exists()
    assert {path.name for path in (tmp_path / "logs").iterdir()} == {
        "api.log",
        "sandbox.log",
        "temporal.log",
        "worker.log",
    }


def test_given_servers_are_used_and_a_crash_is_reported(
    tmp_path: Path, temporal_address: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)
    monkeypatch.setenv("POSYNC_DATABASE_URL", empty_database_url)
    monkeypatch.delenv("POSYNC_CREDENTIAL_KEYS", raising=False)
    said: list[str] = []
    with Stack(StackOptions(tmp_path, fixed_ports=False), report=said.append) as stack:
        assert stack.endpoints.temporal_address == temporal_address
        assert stack.endpoints.database_url == empty_database_url
        assert stack.endpoints.ui_url is None
        assert not (tmp_path / "postgres").exists()
        assert {path.name for path in stack.logs.iterdir()} == {"api.log", "sandbox.log", "worker.log"}
        assert (tmp_path / "credential-keys").stat().st_mode & 0o077 == 0, "others may not read the keys"

        killed = stack.kill("worker")
        wait_for(lambda: any("worker was killed by SIGKILL; started again" in line for line in said))
        assert stack.failure is None
        assert killed is not None

        stack.kill("sandbox")
        wait_for(lambda: stack.failure is not None)
        assert "sandbox was killed by SIGKILL" in str(stack.failure)
        assert str(stack.logs / "sandbox.log") in str(stack.failure)


def test_our_files_run_whatever_lies_in_the_directory_it_is_started_in(tmp_path: Path) -> None:
    """The children have our database URL and credential keys in their environment: no other program may get them."""
    house, state = tmp_path / "house", tmp_path / "state"
    taken = "import pathlib; pathlib.Path(__file__).with_suffix('.taken').touch(); raise SystemExit('not ours')\n"
    for name in ("worker.py", "settings.py", "uvicorn.py", "typer.py", "api", "cli", "models", "sandbox"):
        path = house / name if name.endswith(".py") else house / name / "__init__.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(taken)
    (house / "api" / "app.py").write_text(taken)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "POSYNC_"))}
    with (tmp_path / "up.log").open("w") as log:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "posync", "up", "--state-dir", str(state)],
            cwd=house,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        deadline = time.monotonic() + 90
        while running_stack(state) is None:
            assert process.poll() is None, (tmp_path / "up.log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "up.log").read_text()
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(100) == 0
    assert list(house.rglob("*.taken")) == []


@pytest.mark.parametrize("command", ["worker", "api", "sandbox serve"])
def test_a_single_process_is_ours_too(command: str, tmp_path: Path) -> None:
    """Each gets as far as our own program's last words: its database is away, or its port is taken."""
    for name in ("worker.py", "settings.py", "api.py", "sandbox.py", "uvicorn.py"):
        (tmp_path / name).write_text("raise SystemExit('not ours')\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "POSYNC_"))}
    environment["POSYNC_DATABASE_URL"] = "postgresql://posync@127.0.0.1:1/posync"
    environment["POSYNC_CREDENTIAL_KEYS"] = Fernet.generate_key().decode()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = [] if command == "worker" else ["--port", str(taken.getsockname()[1])]
        ended = subprocess.run(
            [Path(sys.executable).parent / "posync", *command.split(), *port],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.returncode != 0
    last_words = "posync worker: PostgreSQL at 127.0.0.1:1" if command == "worker" else "address already in use"
    assert last_words in ended.stderr, ended.stderr


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)
