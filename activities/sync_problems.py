"""Say since when a sync cannot read, and why: on the connection, and in the workflow of its run."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failures import LONGEST_WHILE_RETRIED, FailureDetails
from erp.errors import Deferred
from models.domain.ids import ConnectionId
from models.messages.sync import SyncWaits
from models.store.base.database import Database
from models.store.connections import connections
from temporal_gateway.notifier import WorkflowNotifier

_log = logging.getLogger(__name__)

UNFORESEEN = "SYNC_FAILED"
"""The code of a problem that no code of ours names: a fault, or a database that is away."""


class SyncProblems:
    """Reports why a reading failed, whatever the reason: it is tried again for days, and nobody looks at a log."""

    def __init__(self, database: Database, notifier: WorkflowNotifier) -> None:
        self._database = database
        self._notifier = notifier

    @asynccontextmanager
    async def reported(self, connection_id: ConnectionId) -> AsyncIterator[None]:
        """Report the error with which the reading inside ends, and raise it on."""
        try:
            yield
        except Exception as error:
            try:
                await self._report(connection_id, error)
            except Exception:  # noqa: BLE001 whatever it is, the reading's own error is the one to raise
                _log.warning("The problem of %s's sync could not be stored.", connection_id, exc_info=True)
            raise

    async def over(self, connection_id: ConnectionId) -> None:
        """Report that the sync can read again."""
        async with self._database.transaction() as session:
            await connections.clear_sync_problem(session, connection_id)

    async def _report(self, connection_id: ConnectionId, error: Exception) -> None:
        code, message = UNFORESEEN, f"{type(error).__name__}: {error}"
        if isinstance(error, ApplicationError) and error.details and isinstance(error.details[0], FailureDetails):
            details = error.details[0]
            if details.family == Deferred.__name__:
                return  # it is queued, and answered later: as it should be
            code, message = details.code, details.message
        message = " ".join(message.split())[:LONGEST_WHILE_RETRIED]
        async with self._database.transaction() as session:
            since, changed = await connections.mark_sync_problem(session, connection_id, code, message)
        # A hiccup is over with the next attempt; the workflow is told of what lasts.
        attempt = activity.info().attempt if activity.in_activity() else 2
        if attempt == 2 or (attempt > 2 and changed):
            await self._notifier.sync_waits(connection_id, SyncWaits(code=code, message=message, since=since))
