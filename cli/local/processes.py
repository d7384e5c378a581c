"""Run child processes with a log file each, which never outlive us."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from settings import inherited_environment

GIVE_WAY = 5
"""How much nicer than we are processes are that work behind the answers."""

STOP_SECONDS = 20.0
"""Seconds a process may take to finish what it is doing; then it is killed."""


class ProcessFailed(Exception):
    """A child process ended or did not get ready. The message has the end of its log."""

    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}\n{tail(log)}\nThe whole log: {log}")
        self.name = name
        self.log = log


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log file."""
    if not log.exists():
        return "(no log was written)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if sys.platform == "linux" else None


_LIBC = _libc()
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """Make Linux stop the child if we are killed and cannot stop it ourselves."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_with_parent_and_give_way() -> None:
    _end_with_parent()
    os.nice(GIVE_WAY)


def our_program(module: str, *arguments: str) -> list[str]:
    """Return the command that runs one of our modules, whatever is in the directory it is started in.

    Without `-P` Python looks for the module in the current directory first, so a `worker.py` there would run with our
    credentials in its environment.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


class ChildProcess:
    """One program we start: command, environment, log file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        gives_way: bool = False,
    ) -> None:
        """`gives_way`: where the processors are busy, those who keep somebody waiting for an answer go first."""
        self.name = name
        self.command = list(command)
        self.log = log
        self.environment = dict(environment or {})
        self.directory = directory
        self.gives_way = gives_way
        self.started_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._log_file: IO[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return its process id; None: it was not started."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the process in a process group of its own: a terminal's Ctrl-C then reaches only us, and we stop it in
        order."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._log_file = self.log.open("ab")
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=self._log_file,
            stderr=subprocess.STDOUT,
            env=inherited_environment(self.environment),
            cwd=self.directory,
            process_group=0,
            preexec_fn=_end_with_parent_and_give_way if self.gives_way else _end_with_parent,
            umask=0o077,  # what it writes is of our books: nobody else on this machine reads it
        )

    def exit_code(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._process.poll() if self._process is not None else None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 60, every_seconds: float = 0.1) -> None:
        """Wait until `ready`.

        Raises:
            ProcessFailed: it ended before, or takes too long.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            code = self.exit_code()
            if code is not None:
                raise ProcessFailed(self.name, f"ended with exit code {code} before it was ready.", self.log)
            if time.monotonic() > deadline:
                raise ProcessFailed(self.name, f"was not ready after {seconds:.0f} seconds.", self.log)
            time.sleep(every_seconds)

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL: the process gets no chance to finish anything."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Ask it to stop, wait, and kill it in the end. Calling it twice is safe."""
        self.ask_to_stop()
        if self._process is not None:
            try:
                self._process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._log_file is not None:
            self._log_file.close()
            self._log_file = None
