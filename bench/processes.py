"""What the processes of a stack use: CPU by process and the worker's memory. The profile beside every figure."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import psutil

NAMES = {"worker": "-m worker", "api": "-m api", "sandbox": "sandbox.server", "bare worker": "bench.bare"}


class CpuMeter:
    """CPU seconds by process between two looks. PostgreSQL's processes count as one, and so do we ourselves."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = str(state_dir)
        self._before: dict[str, float] = {}

    def start(self) -> None:
        self._before = self._now()

    def used(self) -> dict[str, float]:
        """Seconds since `start`, the hungriest first."""
        used = {name: seconds - self._before.get(name, 0.0) for name, seconds in self._now().items()}
        return dict(sorted(used.items(), key=lambda item: -item[1]))

    def _now(self) -> dict[str, float]:
        seconds: dict[str, float] = defaultdict(float)
        for process, name in self._processes():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            seconds[name] += times.user + times.system
            if name == "PostgreSQL":
                # Backends that ended meanwhile are in their parent's account.
                seconds[name] += times.children_user + times.children_system
        return dict(seconds)

    def _processes(self) -> Iterator[tuple[psutil.Process, str]]:
        me = psutil.Process()
        yield me, "bench"
        ours = {child.pid for child in me.children(recursive=True)}
        for process in psutil.process_iter(["cmdline", "name"]):
            command = " ".join(process.info["cmdline"] or ())
            if process.info["name"] == "postgres" and self._belongs(process, command):
                yield process, "PostgreSQL"
            elif process.pid in ours:
                yield process, process_name(command)

    def _belongs(self, process: psutil.Process, command: str) -> bool:
        if self._state_dir in command:
            return True
        try:
            parent = process.parent()
            return parent is not None and self._state_dir in " ".join(parent.cmdline())
        except psutil.NoSuchProcess:  # another program's, which has just ended
            return False


def process_name(command: str) -> str:
    """What we call a process, from its command line."""
    for name, mark in NAMES.items():
        if mark in command:
            return name
    return "Temporal server" if "start-dev" in command else "other"


def child_named(name: str) -> psutil.Process:
    """A process this one started. Raises LookupError."""
    for child in psutil.Process().children(recursive=True):
        if process_name(" ".join(child.cmdline())) == name:
            return child
    raise LookupError(f"no {name} among our processes")


class MemoryWatch:
    """A process's resident memory over time, in MB. Use as a context manager."""

    def __init__(self, process: psutil.Process, *, every_seconds: float = 0.05) -> None:
        self.samples: list[tuple[float, float]] = []
        """Wall clock (seconds since the epoch) and MB."""
        self._process = process
        self._every = every_seconds
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def peak_between(self, begin: float, end: float) -> float:
        """The highest sample within a span; the nearest one where the span is too short to hold any."""
        inside = [megabytes for at, megabytes in self.samples if begin <= at <= end]
        return max(inside) if inside else min(self.samples, key=lambda sample: abs(sample[0] - begin))[1]

    def _watch(self) -> None:
        while not self._done.wait(self._every):
            self.samples.append((time.time(), self._process.memory_info().rss / 1e6))
