"""`posync demo`: the whole product on one company's day, judged at the end by what the ERP really holds."""

import json
import random
import signal
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.api_client import Api, ApiProblem, ApiUnreachable
from cli.processes import tail
from cli.sandbox_control import SandboxControl, SandboxRefused
from cli.screen import console, explain, table
from cli.stack import Stack, StackOptions
from cli.story import PATIENCE_SECONDS, Story, StoryStuck, Told
from cli.story_checks import Check, bill_rows, judge

KILL_IN = ("sync", "bill", "outage", "lost answer", "pay")
"""The phases in which a worker has something to lose."""
KILL_WITHIN_SECONDS = 2.5
KILL_LATENCY_SECONDS = 0.2
"""An ERP as slow as a real one, so that the kill finds calls on their way."""
PATIENCE_AFTER_KILL_SECONDS = 240.0
"""Temporal gives an activity's worker up only when its time limit is over."""


class WorkerKiller:
    """Kills the worker with SIGKILL at one random moment; the same seed picks the same phase and delay."""

    def __init__(self, stack: Stack, seed: int) -> None:
        choice = random.Random(seed)
        self.phase = choice.choice(KILL_IN)
        self.delay_seconds = choice.uniform(0, KILL_WITHIN_SECONDS)
        self.killed_pid: int | None = None
        self._stack = stack
        self._timer: threading.Timer | None = None

    def begins(self, phase: str) -> None:
        if phase == self.phase:
            self._timer = threading.Timer(self.delay_seconds, self._kill)
            self._timer.start()

    def _kill(self) -> None:
        self.killed_pid = self._stack.kill("worker")

    def finish(self) -> None:
        """The kill counts only if it fell into the story."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")] = False,
    kill_worker: Annotated[
        int | None, typer.Option("--kill-worker", metavar="SEED", help="SIGKILL the worker at a random moment.")
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="Keep state and logs here; without it they go when the demo ends.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Also write what was found here, as JSON.")] = None,
) -> None:
    """Connect, sync, bill, lose the ERP, recover, pay; then count what the ERP holds. Ends with 1 if a check fails."""
    began = time.monotonic()
    # Ctrl-C is set too: a shell that starts us in the background leaves it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as cleanup:
        directory = state_dir or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="posync-demo-")))
        options = StackOptions(directory, throwaway=True, use_environment=False, fixed_ports=keep)
        stack = cleanup.enter_context(Stack(options, tell=lambda line: console.print(line, style="dim")))
        started = time.monotonic() - began
        addresses = stack.addresses
        assert addresses.sandbox_url is not None, "the demo's stack always has a sandbox"
        api = cleanup.enter_context(Api(addresses.api_url, addresses.api_key))
        sandbox = SandboxControl(addresses.sandbox_url)
        console.print(f"Everything runs after {started:.1f} seconds. Temporal UI: {addresses.ui_url}")

        killer = WorkerKiller(stack, kill_worker) if kill_worker is not None else None

        def begins(phase: str) -> None:
            console.rule(phase, align="left")
            if killer is not None:
                killer.begins(phase)

        def say(what: Any) -> None:
            line = f"{time.monotonic() - began:5.1f}s  {what}"
            console.print(explain(what) if isinstance(what, ApiProblem) else line)

        story = Story(
            api,
            sandbox,
            say=say,
            begins=begins,
            patience_seconds=PATIENCE_SECONDS if killer is None else PATIENCE_AFTER_KILL_SECONDS,
            erp_latency_seconds=0.0 if killer is None else KILL_LATENCY_SECONDS,
        )
        try:
            told = story.tell()
        except (ApiProblem, ApiUnreachable, SandboxRefused, StoryStuck, TimeoutError) as stuck:
            console.print(f"[red]The story is stuck: {stuck}[/]")
            console.print(f"The end of the worker's log:\n{tail(stack.logs / 'worker.log')}", markup=False)
            raise typer.Exit(1) from stuck
        finally:
            if killer is not None:
                killer.finish()
            _keep_logs_of_failure(stack)
        checks = judge(told, api, sandbox)
        if killer is not None:
            checks.append(_killed(killer))
        _show(told, checks, api, sandbox, started)
        seconds = time.monotonic() - began
        console.print(f"{seconds:.1f} seconds. Temporal UI: {addresses.ui_url}")
        if report is not None:
            report.write_text(json.dumps(_as_json(told, checks, seconds, killer), indent=2))
        failed = [check for check in checks if not check.holds]
        if keep:
            console.print(f"API key: {addresses.api_key}. Ctrl-C stops everything.")
            _until_interrupted()
        if failed:
            console.print("[red]Failed: " + "; ".join(check.name for check in failed) + "[/]")
            raise typer.Exit(1)
        console.print("[green]Every check holds.[/]")


def _as_json(told: Told, checks: list[Check], seconds: float, killer: WorkerKiller | None) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 1),
        "killed": f"{killer.phase} + {killer.delay_seconds:.2f} s" if killer is not None else None,
        "bills": len(told.bill_ids),
        "payments": len(told.payment_ids),
        "phases": [asdict(phase) for phase in told.phases],
        "checks": [check._asdict() for check in checks],
    }


def _killed(killer: WorkerKiller) -> Check:
    when = f"{killer.delay_seconds:.2f} s into “{killer.phase}”"
    return Check("the worker was killed in the middle", killer.killed_pid is not None, when)


def _keep_logs_of_failure(stack: Stack) -> None:
    if stack.failure is not None:
        console.print(f"[red]{stack.failure}[/]")


def _until_interrupted() -> None:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("Stopping.")


def _show(told: Told, checks: list[Check], api: Api, sandbox: SandboxControl, started: float) -> None:
    bills = table("Bills", "bill", "PO", "ERP document", "attempts", "state", "paid", right=("attempts", "paid"))
    for row in bill_rows(told, api):
        bills.add_row(*row)
    console.print(bills)

    phases = table("Phases", "phase", "seconds", "ERP calls", right=("seconds", "ERP calls"))
    phases.add_row("start", f"{started:.1f}", "")
    for phase in told.phases:
        phases.add_row(phase.name, f"{phase.seconds:.1f}", str(phase.erp_calls))
    console.print(phases)
    calls = sorted(sandbox.calls().items(), key=lambda call: -call[1])
    console.print("ERP calls: " + " · ".join(f"{name} {count}" for name, count in calls))

    judged = table("Checks", "", "what", "found")
    for check in checks:
        judged.add_row("[green]holds[/]" if check.holds else "[red]FAILS[/]", check.name, check.found)
    console.print(judged)
