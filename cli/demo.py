"""`posync demo`: the whole product on one company's day per ERP, judged at the end by what the ERP really holds."""

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

from cli.api_client import Api, ApiProblem, ApiUnreachable
from cli.companies.company import Check, StoryCompany
from cli.companies.intacct import IntacctCompany
from cli.companies.netsuite import NetSuiteCompany
from cli.processes import tail
from cli.sandbox_control import PretendErp, SandboxControl, SandboxRefused
from cli.screen import console, explain, table
from cli.stack import Stack, StackOptions
from cli.story import Story
from cli.story_checks import bill_rows, judge
from cli.story_desk import PATIENCE_SECONDS, StoryStuck, Told

COMPANIES: tuple[StoryCompany, ...] = (IntacctCompany(), NetSuiteCompany())
"""Whose days can be told, in the order in which they are."""
_NAMES = tuple(company.erp for company in COMPANIES)

KILL_IN = ("sync", "bill", "outage", "lost answer", "pay")
"""The phases in which a worker has something to lose."""
KILL_WITHIN_SECONDS = 2.5
KILL_LATENCY_SECONDS = 0.2
"""An ERP as slow as a real one, so that the kill finds calls on their way."""
PATIENCE_AFTER_KILL_SECONDS = 240.0
"""Temporal gives an activity's worker up only when its time limit is over."""


@dataclass
class Ended:
    """A story that was told to its end, and what was found there."""

    company: StoryCompany
    told: Told
    checks: list[Check]
    seconds: float


class WorkerKiller:
    """Kills the worker with SIGKILL at one random moment; the same seed picks the same story, phase and delay."""

    def __init__(self, stack: Stack, seed: int, companies: Sequence[StoryCompany]) -> None:
        choice = random.Random(seed)
        self.phase = choice.choice(KILL_IN)
        self.delay_seconds = choice.uniform(0, KILL_WITHIN_SECONDS)
        self.erp = choice.choice([company.erp for company in companies])
        self.killed_pid: int | None = None
        self._stack = stack
        self._timer: threading.Timer | None = None

    def begins(self, company: StoryCompany, phase: str) -> None:
        if (company.erp, phase) == (self.erp, self.phase):
            self._timer = threading.Timer(self.delay_seconds, self._kill)
            self._timer.start()

    def _kill(self) -> None:
        self.killed_pid = self._stack.kill("worker")

    def finish(self) -> None:
        """The kill counts only if it fell into the story."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def check(self) -> Check:
        when = f"{self.delay_seconds:.2f} s into “{self.phase}” of {self.erp}"
        return Check("the worker was killed in the middle", self.killed_pid is not None, when)


def demo(
    erp: Annotated[str | None, typer.Option(help="Tell the day of this ERP only: " + ", ".join(_NAMES) + ".")] = None,
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
    companies = [company for company in COMPANIES if erp in (None, company.erp)]
    if not companies:
        raise typer.BadParameter(f"there is {', '.join(_NAMES)}", param_hint="--erp")
    # Ctrl-C is set too: a shell that starts us in the background leaves it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as cleanup:
        directory = state_dir or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="posync-demo-")))
        options = StackOptions(directory, throwaway=True, use_environment=False, fixed_ports=keep)
        stack = cleanup.enter_context(Stack(options, tell=lambda line: console.print(line, style="dim")))
        addresses = stack.addresses
        assert addresses.sandbox_url is not None, "the demo's stack always has a sandbox"
        api = cleanup.enter_context(Api(addresses.api_url, addresses.api_key))
        control = SandboxControl(addresses.sandbox_url)
        console.print(f"Everything runs after {time.monotonic() - began:.1f} seconds. Temporal UI: {addresses.ui_url}")

        killer = WorkerKiller(stack, kill_worker, companies) if kill_worker is not None else None
        ended = [_tell(company, stack, api, control, killer, began) for company in companies]
        if killer is not None:
            ended[-1].checks.append(killer.check())
        for story in ended:
            _show(story, api)
        calls = sorted(control.calls().items(), key=lambda call: -call[1])
        console.print("ERP calls: " + " · ".join(f"{name} {count}" for name, count in calls))
        seconds = time.monotonic() - began
        console.print(f"{seconds:.1f} seconds. Temporal UI: {addresses.ui_url}")
        if report is not None:
            report.write_text(json.dumps(_as_json(ended, seconds, killer), indent=2))
        failed = [check for story in ended for check in story.checks if not check.holds]
        if keep:
            console.print(f"API key: {addresses.api_key}. Ctrl-C stops everything.")
            _until_interrupted()
        if failed:
            console.print("[red]Failed: " + "; ".join(check.name for check in failed) + "[/]")
            raise typer.Exit(1)
        console.print("[green]Every check holds.[/]")


def _tell(
    company: StoryCompany,
    stack: Stack,
    api: Api,
    control: SandboxControl,
    killer: WorkerKiller | None,
    began: float,
) -> Ended:
    """One company's day and what it left behind. Raises typer.Exit when it is stuck."""
    started = time.monotonic()

    def begins(phase: str) -> None:
        console.rule(f"{company.title}: {phase}", align="left")
        if killer is not None:
            killer.begins(company, phase)

    def say(what: Any) -> None:
        line = f"{time.monotonic() - began:5.1f}s  {what}"
        console.print(explain(what) if isinstance(what, ApiProblem) else line)

    erp = PretendErp(control, company.erp)
    story = Story(
        api,
        erp,
        company,
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
        if killer is not None and killer.erp == company.erp:
            killer.finish()
        _show_failure(stack)
    return Ended(company, told, judge(told, api, erp, company), time.monotonic() - started)


def _as_json(ended: Sequence[Ended], seconds: float, killer: WorkerKiller | None) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 1),
        "killed": f"{killer.erp}: {killer.phase} + {killer.delay_seconds:.2f} s" if killer is not None else None,
        "stories": [
            {
                "erp": story.company.erp,
                "seconds": round(story.seconds, 1),
                "bills": len(story.told.bill_ids),
                "payments": len(story.told.payment_ids),
                "phases": [asdict(phase) for phase in story.told.phases],
                "checks": [check._asdict() for check in story.checks],
            }
            for story in ended
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


def _show(story: Ended, api: Api) -> None:
    title = story.company.title
    bills = table(
        f"{title}: bills", "bill", "PO", "ERP document", "attempts", "state", "paid", right=("attempts", "paid")
    )
    for row in bill_rows(story.told, api):
        bills.add_row(*row)
    console.print(bills)

    phases = table(f"{title}: phases", "phase", "seconds", "ERP calls", right=("seconds", "ERP calls"))
    for phase in story.told.phases:
        phases.add_row(phase.name, f"{phase.seconds:.1f}", str(phase.erp_calls))
    console.print(phases)

    judged = table(f"{title}: checks", "", "what", "found")
    for check in story.checks:
        judged.add_row(Text("holds", "green") if check.holds else Text("FAILS", "red"), check.name, check.found)
    console.print(judged)
