"""Count the product's files in which a function runs between an API bill and its ERP write.

`python -m bench.walk [intacct|netsuite]`: run one end-to-end test (API, worker and connectors in one process) under a
profiler, from the moment the API gets the bill's request until the connector has created it. Only what this bill needs
counts: a call belongs to the walk if the request, the message behind its answer, the workflows of the order and the
bill, or the activities that match and push it stand below it on the stack. The test's own reads, its waiting, syncs and
the loops of the worker run in the same seconds and do not count. The rooms `models/domain` and `models/messages` count
as one file each: they are the ground that everything stands on.

By this count commit 1e5ffd4 had 57 files on the way to Intacct, and today's tree has about 86. It does not get less,
for reasons that stand: a bill's workflow is a story over parts (`workflows/bill_*.py`, one file before), what the
ERPs' clients share lies in rooms of its own (`erp/transport.py`, `xml_answer.py`, `clock.py`, `time_budgets.py`),
each ERP has the same list of files, and a bill does more on its way: its message goes through the outbox, approvals
and the settings of the push are asked, what each answer means is looked up in a table, the ERP is searched for the
supplier's number before the write. Fewer files would be longer ones. What the figure is good for: a file that is new
on the walk must say why.
"""

import argparse
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

ROOT = Path.cwd()
ROOMS = ("activities", "api", "erp", "matching", "models", "services", "temporal_gateway", "workflows")
GROUND = ("models/domain", "models/messages")
TESTS = {
    "intacct": (
        "tests/end_to_end/in_process/test_billing.py::test_partly_then_fully_and_the_status_comes_back_by_itself",
        "tests/whole/test_billing.py::test_partly_then_fully_and_the_status_comes_back_by_itself",
    ),
    "netsuite": (
        "tests/end_to_end/in_process/netsuite/test_double_sync.py::test_a_sync_in_between_counts_nothing_twice",
        "tests/whole/netsuite/test_double_sync.py::test_a_sync_in_between_counts_nothing_twice",
    ),
}
"""By ERP: today's place of the test, and the one before the rooms were changed."""

CALLERS = ("tests/harness/stack_client.py", "tests/whole/desk.py")
"""Whose `post` sends the bill's request."""

BEGINNINGS = {
    ("services/outbox/delivery.py", "_deliver_new"),
    ("activities/mirror.py", "create_bill"),
    ("activities/erp.py", "push_bill"),
}
"""Functions that other tasks than the request's run for this bill, with all that they call."""

UNTIL = ("bills_out.py", "vendor_invoice.py", "vendor_bill.py")
"""Files whose `create` writes the bill to an ERP."""


class Walk:
    """Collects the files between the first bill's request and its write."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.state = "before"

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event not in ("call", "return") or self.state == "after":
            return
        path = _path(frame)
        if path is None or frame.f_code.co_name == "<module>":
            return
        if self.state == "before":
            if not _is_request(path, frame):
                return
            self.state = "between"
        if path.split("/")[0] not in ROOMS:
            return
        if event == "call":
            self._take(path, frame)
        elif path.startswith("erp/") and path.endswith(UNTIL) and _returns_from(frame, "create"):
            self.state = "after"

    def _take(self, path: str, frame: FrameType) -> None:
        counted = next((room for room in GROUND if path.startswith(room)), path)
        if counted not in self.files and any(_begins(caller) for caller in _up(frame)):
            self.files.add(counted)


def _up(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _path(frame: FrameType) -> str | None:
    """Return the file of a frame, from the root of the tree; None: it is not ours."""
    name = frame.f_code.co_filename
    return name[len(str(ROOT)) + 1 :] if name.startswith(f"{ROOT}/") and "/.venv/" not in name else None


def _begins(frame: FrameType) -> bool:
    path = _path(frame)
    if path is None:
        return False
    if path.startswith("workflows/"):
        # Everything a workflow runs, but for a sync's: the only open order is the bill's.
        return not path.startswith("workflows/sync")
    return (path, frame.f_code.co_name) in BEGINNINGS or _is_request(path, frame)


def _is_request(path: str, frame: FrameType) -> bool:
    return path in CALLERS and frame.f_code.co_name == "post" and str(frame.f_locals.get("path", "")).endswith("/bills")


def _returns_from(frame: FrameType, function: str) -> bool:
    return frame.f_code.co_name == function and not _is_suspended(frame)


def _is_suspended(frame: FrameType) -> bool:
    """Tell a coroutine's pause from its end: the instruction it stands at is a yield."""
    code = frame.f_code.co_code
    return frame.f_lasti >= 0 and code[frame.f_lasti] in _YIELDS


def _yields() -> frozenset[int]:
    import dis

    return frozenset(dis.opmap[name] for name in ("YIELD_VALUE", "SEND") if name in dis.opmap)


_YIELDS = _yields()


def main() -> int:
    """Run the test and print the count by room. Returns pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.walk", description=__doc__)
    parser.add_argument("erp", nargs="?", choices=sorted(TESTS), default="intacct")
    test = next(test for test in TESTS[parser.parse_args().erp] if (ROOT / test.split("::")[0]).exists())
    walk = Walk()
    threading.setprofile(walk)
    sys.setprofile(walk)
    try:
        code = int(pytest.main(["-q", "-p", "no:randomly", "-p", "no:xdist", test]))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    rooms: dict[str, int] = {}
    for path in walk.files:
        rooms[path.split("/")[0]] = rooms.get(path.split("/")[0], 0) + 1
    print(f"files: {len(walk.files)} ({', '.join(f'{room} {count}' for room, count in sorted(rooms.items()))})")
    for path in sorted(walk.files):
        print(f"  {path}")
    if walk.state != "after":
        print(f"the walk did not end: {walk.state}")
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
