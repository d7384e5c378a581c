"""Start one of our processes with one guard of the promise switched off, so that the proof can be seen to fail.

`python -P -m bench.without_guard GUARD MODULE ARGUMENTS...` is what `bench.proof_without_guards` starts in the place of
`python -P -m MODULE ARGUMENTS...`. Nothing of the product knows of it.
"""

import runpy
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from unittest.mock import patch

from activities.exactly_once import ExactlyOnce
from api.http.order_gate import OrderGate
from models.domain.ids import DocumentId, OutboxId
from models.domain.outbox import MessageKind
from models.store.audit import outbox
from models.store.audit.outbox import OutboxMessage
from models.store.orders import ledger


class Guard(StrEnum):
    """What keeps the promise, as far as killed processes and a crowd of callers can show it."""

    OUTBOX_ROW = "outbox-row"
    LOOK_UP = "look-up"
    LINE_LOCK = "line-lock"


def _without_the_outbox_row() -> None:
    """Let a decision be committed without the row that says who is to be told of it."""

    async def add(_: object, kind: MessageKind, subject_id: str, *, request_key: str, **__: object) -> OutboxMessage:
        return OutboxMessage(OutboxId(0), kind, subject_id, request_key)

    patch.object(outbox, "add", add).start()


def _without_the_look_up() -> None:
    """Let a write that may have been done be sent again unseen."""

    async def nothing_there(_: ExactlyOnce, __: Callable[[], Awaitable[DocumentId | None]]) -> None:
        return None

    patch.object(ExactlyOnce, "_look_up", nothing_there).start()


def _without_the_lock_of_the_lines() -> None:
    """Let decisions on one order be made side by side; the queue before them would hide it in a single process."""

    async def nothing(*_: object) -> None:
        return None

    @asynccontextmanager
    async def all_at_once(*_: object) -> AsyncIterator[None]:
        yield

    patch.object(ledger, "lock_lines", nothing).start()
    patch.multiple(OrderGate, one_at_a_time=all_at_once, read_in_turn=all_at_once).start()


SWITCH_OFF: Mapping[Guard, Callable[[], None]] = {
    Guard.OUTBOX_ROW: _without_the_outbox_row,
    Guard.LOOK_UP: _without_the_look_up,
    Guard.LINE_LOCK: _without_the_lock_of_the_lines,
}


def main() -> None:
    """Switch the guard off, then be the module."""
    guard, module = sys.argv[1:3]
    SWITCH_OFF[Guard(guard)]()
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
