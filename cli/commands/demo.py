"""`posync demo`: play one company's day per ERP with the whole product, then check what the ERP really holds."""

import asyncio
import json
import random
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cli.client.api_client import Api, ApiProblem, ApiUnreachable
from cli.client.sandbox_control import PretendErp, SandboxControl, SandboxRefused
from cli.client.terminal import console, explain, table
from cli.demo.checks import bill_rows, run_checks
from cli.demo.demo_erp import Check, DemoErp
from cli.demo.intacct import IntacctCompany
from cli.demo.netsuite import NetSuiteCompany
from cli.demo.quickbooks_desktop import DesktopCompany
from cli.demo.quickbooks_online import QuickBooksCompany
from cli.demo.record import DemoRecord
from cli.demo.scenario import Scenario
from cli.demo.session import PATIENCE_SECONDS, ScenarioStuck
from cli.local import setup
from cli.local.processes import tail
from cli.local.stack import Stack, StackOptions

COMPANIES: tuple[DemoErp, ...] = (IntacctCompany(), NetSuiteCompany(), QuickBooksCompany(), DesktopCompany())
"""The companies whose days can be played, in this order."""
_SHORT = {"quickbooks_online": "qbo", "quickbooks_desktop": "qbd"}
_NAMES = {_SHORT.get(company.erp, company.erp): company for company in COMPANIES}
"""By the name that people type."""

KILL_IN = ("sync", "bill", "outage", "lost answer", "pay")
"""The phases in which a worker has work to lose; the chapters that only one ERP has are among them, too."""
KILL_WITHIN_SECONDS = 2.5
KILL_LATENCY_SECONDS = 0.2
"""Makes the ERP as slow as a real one, so that the kill hits calls in flight."""
PATIENCE_AFTER_KILL_SECONDS = 240.0
"""Temporal notices that an activity's worker is gone only when the activity's time limit is over."""


@dataclass
class Ended:
    """A scenario that ran to its end, and what its checks found."""

    company: DemoErp
    record: DemoRecord
    checks: list[Check]
    seconds: float


class WorkerKiller:
    """Kills the worker with SIGKILL at one random moment. The same seed picks the same scenario, phase and delay."""

    def __init__(self, stack: Stack, seed: int, companies: Sequence[DemoErp]) -> None:
        choice = random.Random(seed)
        company = choice.choice(companies)
        self.erp = company.erp
        self.phase = choice.choice((*KILL_IN, *(chapter.name for chapter in company.chapters())))
        self.delay_seconds = choice.uniform(0, KILL_WITHIN_SECONDS)
        self.killed_pid: int | None = None
        self._stack = stack
        self._timer: threading.Timer | None = None

    def begins(self, company: DemoErp, phase: str) -> None:
        """Start the timer if this is the chosen phase of the chosen company."""
        if (company.erp, phase) == (self.erp, self.phase):
            self._timer = threading.Timer(self.delay_seconds, self._kill)
            self._timer.start()

    def _kill(self) -> None:
        self.killed_pid = self._stack.kill("worker")

    def finish(self) -> None:
        """Stop the timer: a kill counts only during the scenario."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def check(self) -> Check:
        """Return the check that the worker was killed."""
        when = f"{self.delay_seconds:.2f} s into “{self.phase}” of {self.erp}"
        return Check("the worker was killed in the middle", self.killed_pid is not None, when)


def demo(
    erp: Annotated[str | None, typer.Option(help="Only this ERP: " + ", ".join(_NAMES) + ".")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")] = False,
    kill_worker: Annotated[
        int | None, typer.Option("--kill-worker", metavar="SEED", help="SIGKILL the worker at a random moment.")
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="Keep state and logs here; default: they are deleted at the end.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Also write the findings to this file, as JSON.")] = None,
) -> None:
    """Connect, sync, bill, approve, lose the ERP, recover, pay; then check what the ERP holds.

    The exit code is 1 if a check fails."""
    began = time.monotonic()
    companies = [company for name, company in _NAMES.items() if erp in (None, name, company.erp)]
    if not companies:
        raise typer.BadParameter(f"there is {', '.join(_NAMES)}", param_hint="--erp")
    # Ctrl-C is set too: a shell that starts us in the background makes us ignore it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as cleanup:
        directory = state_dir or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="posync-demo-")))
        options = StackOptions(directory, throwaway=True, use_environment=False, fixed_ports=keep)
        stack = cleanup.enter_context(Stack(options, report=lambda line: console.print(line, style="dim")))
        endpoints = stack.endpoints
        assert endpoints.sandbox_url is not None, "the demo's stack always has a sandbox"
        api = cleanup.enter_context(Api(endpoints.api_url, endpoints.api_key))
        control = SandboxControl(endpoints.sandbox_url)
        console.print(f"Everything runs after {time.monotonic() - began:.1f} seconds. Temporal UI: {endpoints.ui_url}")

        killer = WorkerKiller(stack, kill_worker, companies) if kill_worker is not None else None
        ended = [_run_scenario(company, stack, api, control, killer, began) for company in companies]
        if killer is not None:
            ended[-1].checks.append(killer.check())
        ended[-1].checks.append(_states(endpoints.database_url))
        for scenario in ended:
            _show(scenario, api)
        calls = table("Calls of the ERPs", "operation", "calls", right=("calls",))
        for name, count in sorted(control.calls().items(), key=lambda call: -call[1]):
            calls.add_row(name, str(count))
        console.print(calls)
        seconds = time.monotonic() - began
        console.print(f"The demo took {seconds:.1f} seconds.")
        if report is not None:
            report.write_text(json.dumps(_as_json(ended, seconds, killer), indent=2))
        failed = [check for scenario in ended for check in scenario.checks if not check.holds]
        if keep:
            console.print(f"Everything runs on; Ctrl-C stops it. Temporal UI: {endpoints.ui_url}")
            console.print(
                "Look around from another terminal, with `posync po list` for example, after these two lines:"
            )
            console.print(f"export POSYNC_API_URL={endpoints.api_url}", soft_wrap=True)
            console.print(f"export POSYNC_API_KEY={endpoints.api_key}", soft_wrap=True)
            _until_interrupted()
        else:
            console.print("Everything is stopped. To look around: `posync demo --keep`, or `posync up` for your own.")
        if failed:
            console.print("[red]Failed: " + "; ".join(check.name for check in failed) + "[/]")
            raise typer.Exit(1)
        console.print("[green]Every check holds.[/]")


def _run_scenario(
    company: DemoErp,
    stack: Stack,
    api: Api,
    control: SandboxControl,
    killer: WorkerKiller | None,
    began: float,
) -> Ended:
    """Play one company's day, and return what it left behind.

    Raises:
        typer.Exit: the scenario is stuck.
    """
    started = time.monotonic()

    def begins(phase: str) -> None:
        console.rule(f"{company.title}: {phase}", align="left")
        if killer is not None:
            killer.begins(company, phase)

    def say(what: Any) -> None:
        line = f"{time.monotonic() - began:5.1f}s  {what}"
        console.print(explain(what) if isinstance(what, ApiProblem) else line)

    erp = PretendErp(control, company.erp)
    scenario = Scenario(
        api,
        erp,
        company,
        say=say,
        begins=begins,
        patience_seconds=PATIENCE_SECONDS if killer is None else PATIENCE_AFTER_KILL_SECONDS,
        erp_latency_seconds=0.0 if killer is None else KILL_LATENCY_SECONDS,
    )
    try:
        record = scenario.run()
    except (ApiProblem, ApiUnreachable, SandboxRefused, ScenarioStuck, TimeoutError) as stuck:
        console.print(f"[red]The scenario is stuck: {stuck}[/]")
        console.print(f"The end of the worker's log:\n{tail(stack.logs / 'worker.log')}", markup=False)
        raise typer.Exit(1) from stuck
    finally:
        if killer is not None and killer.erp == company.erp:
            killer.finish()
        _show_failure(stack)
    return Ended(company, record, run_checks(record, api, erp, company), time.monotonic() - started)


def _states(database_url: str) -> Check:
    """Check what `posync doctor` checks."""
    outside = asyncio.run(setup.examine(database_url))
    shown = ", ".join(f"{one.kind} {one.name} is {one.status}" for one in outside)
    return Check("every document is in a state with a way on", not outside, shown or "all are")


def _as_json(ended: Sequence[Ended], seconds: float, killer: WorkerKiller | None) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 1),
        "killed": f"{killer.erp}: {killer.phase} + {killer.delay_seconds:.2f} s" if killer is not None else None,
        "stories": [
            {
                "erp": scenario.company.erp,
                "seconds": round(scenario.seconds, 1),
                "bills": len(scenario.record.bill_ids),
                "payments": len(scenario.record.payment_ids),
                "phases": [asdict(phase) for phase in scenario.record.phases],
                "checks": [check._asdict() for check in scenario.checks],
            }
            for scenario in ended
        ],
    }


def _show_failure(stack: Stack) -> None:
    if stack.failure is not None:
        console.print(f"[red]{stack.failure}[/]")


def _until_interrupted() -> None:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("Stopping.")


def _show(scenario: Ended, api: Api) -> None:
    title = scenario.company.title
    bills = table(
        f"{title}: bills", "bill", "PO", "ERP document", "attempts", "state", "paid", right=("attempts", "paid")
    )
    for row in bill_rows(scenario.record, api):
        bills.add_row(*row)
    console.print(bills)

    phases = table(f"{title}: phases", "phase", "seconds", "ERP calls", right=("seconds", "ERP calls"))
    for phase in scenario.record.phases:
        phases.add_row(phase.name, f"{phase.seconds:.1f}", str(phase.erp_calls))
    console.print(phases)

    judged = table(f"{title}: checks", "", "what", "found")
    for check in scenario.checks:
        judged.add_row(Text("holds", "green") if check.holds else Text("FAILS", "red"), check.name, check.evidence)
    console.print(judged)
