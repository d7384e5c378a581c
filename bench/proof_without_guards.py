"""The proof must fail where a guard of the promise is missing: each is switched off in turn, and the books must differ.

`python -m bench.proof_without_guards`. A stack of its own for each guard, whose processes run without it:

| guard | what is done |
|---|---|
| the outbox row, stored with the decision | the API is killed when the decision is committed |
| the look-up before a repeat | the worker is killed when the ERP has the bill and keeps its answer |
| the lock of the order's lines | twenty callers want ten pieces; the API's queue, which hides the lock, is off too |

Ends with 1 where the books agree all the same. The guards that no kill and no crowd can show (an older reading, a
refused look-up, a late refusal, a message delivered twice, a workflow that an operator ended) are switched off one by
one in `tests/activities/test_guards.py`.
"""

import asyncio
import sys
from functools import partial
from unittest.mock import patch

from bench.company import Bench, running_bench
from bench.proof import Proof
from bench.proof_by_steps import Steps, prove_by_steps
from bench.report import Report, wide_console
from bench.without_guard import Guard
from cli.local import stack
from cli.local.processes import our_program

LONG_ENOUGH = {Guard.OUTBOX_ROW: 60.0, Guard.LOOK_UP: 150.0, Guard.LINE_LOCK: 30.0}
"""Seconds after which the books agree with every guard in its place. A killed worker is missed after a minute."""


def _command(guard: Guard, module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules without a guard."""
    return our_program("bench.without_guard", guard.value, module, *arguments)


async def _broken(bench: Bench, report: Report, guard: Guard) -> list[str]:
    connection_id = bench.connect(read_lag_seconds=1)
    if guard is Guard.OUTBOX_ROW:
        kills = [("api", Steps.decision_committed)]
        return await prove_by_steps(bench, report, connection_id, kills, patience=LONG_ENOUGH[guard])
    if guard is Guard.LOOK_UP:
        return await prove_by_steps(
            bench, report, connection_id, [("worker", Steps.erp_committed)], patience=LONG_ENOUGH[guard]
        )
    proof = Proof(bench, report, connection_id, seed=1, patience=LONG_ENOUGH[guard])
    try:
        await proof.burst("20 callers want 10", callers=20, quantity=10)
    finally:
        await proof.close()
    return proof.broken


def what_breaks_without(guard: Guard, report: Report) -> list[str]:
    """Return what does not hold without a guard; nothing: the proof does not see that it is missing."""
    with patch.object(stack, "our_program", partial(_command, guard)):
        try:
            with running_bench(report.console.print, restart_temporal=True) as bench:
                return asyncio.run(_broken(bench, report, guard))
        except (AssertionError, RuntimeError) as failure:  # a step that cannot be reached, rows without a way on
            return [str(failure)]


def main() -> int:
    """Switch off one guard after another; return 1 where the proof does not fail."""
    report = Report(wide_console())
    unseen = []
    for guard in Guard:
        broken = what_breaks_without(guard, report)
        if not broken:
            unseen.append(guard)
        report.console.print(
            f"without the {guard.value} it fails, as it must: {broken[0]}"
            if broken
            else f"[red]without the {guard.value} the books agree: the proof does not see it[/]"
        )
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
