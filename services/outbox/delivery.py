"""Deliver the messages of the outbox: right after the answer, by the worker's loop, and by every sync run.

A message may be delivered more than once, by whichever process comes first; a second delivery has no effect. A row is
deleted only after Temporal has taken its message, and no row is locked while that is in progress.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Protocol, assert_never

from models.domain.ids import SYNCER, ConnectionId, OutboxId, SyncIssueId
from models.domain.outbox import MessageKind, NotTaken, WhenNotRunning
from models.messages.outbox import ActivityToRetry, Built, ScheduleToSet, SignalToSend
from models.store.audit import outbox, sync_issues
from models.store.audit.outbox import OutboxMessage
from models.store.base.database import Database, explain_outage
from models.store.base.gathered import Gathered
from services.bills.workflow_start import bill_start
from services.outbox.kinds import DELIVERIES, Delivery
from services.sync.issue_decisions import close_as_decided

log = logging.getLogger(__name__)

READ_AT_ONCE = 4
"""How many messages one process builds at a time: each takes a database connection for a moment."""

SENT_AT_ONCE = 20

BATCH = 100

MOST_BEHIND_ANSWERS = 1_000
"""How many messages one process remembers; beyond that the worker's loop delivers, as after a crash."""

SENDING_MAY_TAKE = timedelta(seconds=10)
"""How long one call to Temporal may take."""

PAUSES_FOR_PARENT = tuple(timedelta(seconds=seconds) for seconds in (0.25, 0.75, 1.5))
"""Before each try to reach a workflow that its parent may be about to start: an operator finds it under its parent.
Few, and none at once, for each try takes time from the parent."""

FIRST_AT_MOST = timedelta(seconds=2)
"""How long requests that come without a pause go before the messages behind answers."""

BEFORE_REQUESTS = 2
"""How many messages at a time are delivered after that, as long as requests still come."""

SETTLING_MAY_TAKE = timedelta(seconds=10)
"""How long a process that stops waits for the messages behind its answers; those that are cut off are in the outbox."""

LOOK_EVERY = timedelta(seconds=5)

LATE_AFTER = timedelta(minutes=1)
"""The age from which a connection shows an undelivered message as late."""

LATE = "HAND_OVER_DELAYED"


class Notifier(Protocol):
    """Sends messages to workflows (`temporal_gateway.notifier`). All raise NotTaken while Temporal is not reached."""

    async def signal(self, signal: SignalToSend) -> bool:
        """Signal the workflow. False: it does not run."""

    async def signal_with_start(self, signal: SignalToSend) -> None:
        """Signal the workflow, or start it with the signal if it does not run."""

    async def set_schedule(self, schedule: ScheduleToSet) -> None:
        """Make, change or remove the schedule of a connection's syncs."""

    async def retry_activity(self, activity: ActivityToRetry) -> None:
        """Have an activity that waits try again now; one that is over needs nothing."""


class OutboxDelivery:
    """Delivers the messages of one database. One instance per process."""

    def __init__(
        self,
        database: Database,
        notifier: Notifier,
        *,
        let_others_go_first: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`let_others_go_first` returns once nobody waits for an answer: messages behind answers wait so long, though
        never for ever. None: there are no such others."""
        self._database = database
        self._notifier = notifier
        self._let_others_go_first = let_others_go_first
        self._before_requests = asyncio.Semaphore(BEFORE_REQUESTS)
        self._delivered = Gathered(self._forget)
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
        self._sending = asyncio.Semaphore(SENT_AT_ONCE)
        self._behind_answers: set[asyncio.Task[None]] = set()

    # --- behind the answer ------------------------------------------------------------------------------------

    def deliver_behind_answer(self, *messages: OutboxMessage) -> None:
        """Deliver messages that were just committed, without keeping their caller waiting."""
        for message in messages:
            if len(self._behind_answers) < MOST_BEHIND_ANSWERS:
                task = asyncio.create_task(self._deliver_behind(message))
                self._behind_answers.add(task)
                task.add_done_callback(self._behind_answers.discard)

    async def deliver_new(self, messages: Sequence[OutboxMessage]) -> None:
        """Deliver messages that were just committed; those that fail are left to the worker's loop."""
        await asyncio.gather(*(self._deliver_new(message) for message in messages))

    async def settle(self) -> None:
        """Wait a short while until the messages behind answers are delivered; the worker's loop delivers the rest."""
        under_way = set(self._behind_answers)
        if under_way:
            _, cut = await asyncio.wait(under_way, timeout=SETTLING_MAY_TAKE.total_seconds())
            for task in cut:
                task.cancel()
            await asyncio.gather(*cut, return_exceptions=True)

    async def _deliver_behind(self, message: OutboxMessage) -> None:
        """Deliver a message when no request waits; at the latest after a short while, and then few at a time, since
        each takes time from the requests."""
        if self._let_others_go_first is None:
            return await self._deliver_new(message)
        if await self._is_quiet(FIRST_AT_MOST):
            return await self._deliver_new(message)
        async with self._before_requests:
            return await self._deliver_new(message)

    async def _is_quiet(self, within: timedelta) -> bool:
        assert self._let_others_go_first is not None, "the caller has looked"
        try:
            async with asyncio.timeout(within.total_seconds()):
                await self._let_others_go_first()
        except TimeoutError:
            return False
        return True

    async def _deliver_new(self, message: OutboxMessage) -> None:
        try:
            await self._deliver(message)
        except Exception as error:  # the row is still there, and the worker's loop delivers it later
            if outage := explain_outage(error):
                log.warning("message %s is left to the worker's loop: %s", message.id, outage)
            else:
                log.exception("message %s is left to the worker's loop", message.id)

    # --- what was left ----------------------------------------------------------------------------------------

    async def keep_delivering(self, stop: asyncio.Event) -> None:
        """Deliver what other processes left and show what is late, every few seconds until `stop`.

        The two do not wait for each other: while Temporal is away, a pass through many messages takes long.
        """
        await asyncio.gather(_repeat(self.deliver_due, stop), _repeat(self.show_late, stop))

    async def deliver_due(self) -> None:
        """Deliver the messages that are due; one that fails is due again later."""
        while await self._deliver_batch(None) == BATCH:
            pass

    async def deliver_left_over(self, connection_id: ConnectionId) -> None:
        """Deliver the messages of one connection that the processes which decided them left, due or not."""
        await self._deliver_batch(connection_id)

    async def _deliver_batch(self, connection_id: ConnectionId | None) -> int:
        async with self._database.transaction() as session:
            taken = await outbox.take_due(session, limit=BATCH, connection_id=connection_id)
        await asyncio.gather(*(self._deliver(message) for message in taken))
        return len(taken)

    async def _deliver(self, message: OutboxMessage) -> None:
        try:
            delivery = DELIVERIES[MessageKind(message.kind)]
            built = await self._build(message, delivery)
            if built is not None:
                if isinstance(built, ScheduleToSet):
                    await self._set_schedule(message, delivery, built)
                elif isinstance(built, ActivityToRetry):
                    async with self._in_turn():
                        await self._notifier.retry_activity(built)
                else:
                    await self._send(message, built, delivery.when_not_running)
        except Exception as error:  # a fault in one row must not stop the others
            if reason := (str(error) if isinstance(error, NotTaken) else explain_outage(error)):
                log.warning("%s %s is not delivered yet: %s", message.kind, message.subject_id, reason)
            else:
                log.exception("%s %s is not delivered yet", message.kind, message.subject_id)
            async with self._database.statement() as session:
                await outbox.failed(session, message.id, f"{type(error).__name__}: {error}")
        else:
            await self._delivered.ask(message.id)

    async def _forget(self, messages: Sequence[OutboxId]) -> Sequence[None]:
        async with self._database.statement() as session:
            await outbox.delivered(session, messages)
        return [None] * len(messages)

    async def _build(self, message: OutboxMessage, delivery: Delivery) -> Built:
        # No transaction: what changes between two of its reads is told by a message of its own.
        async with self._reading, self._database.statement() as session:
            return await delivery.build(session, message.subject_id)

    async def _set_schedule(
        self,
        message: OutboxMessage,
        delivery: Delivery,
        schedule: Built,
    ) -> None:
        """Set a schedule until it is as the connection has it: a later change may have been delivered in between."""
        done = None
        while isinstance(schedule, ScheduleToSet) and schedule != done:
            async with self._in_turn():
                await self._notifier.set_schedule(schedule)
            done, schedule = schedule, await self._build(message, delivery)

    async def _send(self, message: OutboxMessage, signal: SignalToSend, when_not_running: WhenNotRunning) -> None:
        match when_not_running:
            case WhenNotRunning.START:
                if signal.starts_bill is not None:
                    if await self._signal_running_bill(signal):
                        return
                    async with self._reading, self._database.transaction() as session:
                        signal = signal._replace(start=await bill_start(session, signal.starts_bill))
                if signal.start is None:
                    await self._signal(signal)
                else:
                    async with self._in_turn():
                        await self._notifier.signal_with_start(signal)
            case WhenNotRunning.CLOSE_ISSUE:
                if not await self._signal(signal):
                    await self._close_issue(message)
            case WhenNotRunning.DROP:
                await self._signal(signal)
            case _:
                assert_never(when_not_running)

    async def _signal(self, signal: SignalToSend) -> bool:
        async with self._in_turn():
            return await self._notifier.signal(signal)

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """Take one of the places for sending, for one call to Temporal.

        A message that waits for a parent takes none meanwhile: it may wait for what another message has to bring.

        Raises:
            NotTaken: Temporal did not take it in time.
        """
        try:
            async with self._sending, asyncio.timeout(SENDING_MAY_TAKE.total_seconds()):
                yield
        except TimeoutError as error:
            raise NotTaken(f"Temporal did not take it within {SENDING_MAY_TAKE.total_seconds():.0f} s") from error

    async def _close_issue(self, message: OutboxMessage) -> None:
        async with self._database.transaction() as session:
            sync = await close_as_decided(session, SyncIssueId(message.subject_id), request_key=message.request_key)
        if sync is not None:
            self.deliver_behind_answer(sync)

    async def _signal_running_bill(self, signal: SignalToSend) -> bool:
        """Signal a bill's workflow. False: it does not run, and its order did not start it in time."""
        for pause in PAUSES_FOR_PARENT if signal.parent_starts_it else (timedelta(0),):
            await asyncio.sleep(pause.total_seconds())
            if await self._signal(signal):
                return True
        return False

    # --- what is late -----------------------------------------------------------------------------------------

    async def show_late(self) -> None:
        """Open an issue on each connection that has a late message, and close it once there is none."""
        async with self._database.transaction() as session:
            late = {result.connection_id: result for result in await outbox.late(session, LATE_AFTER)}
            shown = await sync_issues.open_on_connections(session, LATE)
            for connection_id in late.keys() - shown:
                result = late[connection_id]
                await sync_issues.open_issue(
                    session,
                    LATE,
                    connection_id=connection_id,
                    subject_kind="connection",
                    subject_id=connection_id,
                    evidence={
                        "messages": result.messages,
                        "oldest": result.oldest.isoformat(),
                        "last_error": result.last_error or "none",
                    },
                )
            for connection_id in shown - late.keys():
                await sync_issues.close_for_subject(
                    session, connection_id, "connection", connection_id, [LATE], actor=SYNCER
                )


async def _repeat(work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await work()
        except Exception as error:  # no database for a while: the next pass finds every row still there
            if outage := explain_outage(error):
                log.warning("the outbox was not looked through, trying again in %s: %s", LOOK_EVERY, outage)
            else:
                log.exception("the outbox was not looked through; trying again in %s", LOOK_EVERY)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_EVERY.total_seconds())
