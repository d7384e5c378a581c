"""Write one record to an ERP exactly once: looked up on any doubt, sent only when it is certainly not there.

What each answer means for the write is decided by its error (`erp/verdicts.py`), what a look-up means by
`after_look_up`. A look-up that is refused or fails decides nothing: the write stays in doubt, and what is in doubt is
neither abandoned nor sent again.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from temporalio.exceptions import ApplicationError

from activities.failures import as_failure, shortened
from erp.errors import Deferred, Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected, UnknownRefusal
from erp.verdicts import Verdict, after_look_up
from models.domain.ids import ExternalKey
from models.domain.writes import UnknownWords, WriteState
from models.store.audit import writes
from models.store.audit.writes import WriteAttempt
from models.store.base.database import Database
from models.tables import ConnectionRow

T = TypeVar("T")


class ExactlyOnce:
    """Writes under keys whose attempts are recorded in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(
        self,
        connection: ConnectionRow,
        key: ExternalKey,
        attempt: WriteAttempt,
        *,
        find: Callable[[], Awaitable[T | None]],
        create: Callable[[], Awaitable[T]],
        check: Callable[[WriteAttempt], Awaitable[None]] | None = None,
    ) -> T:
        """Create the record in the ERP, or adopt the one that an earlier attempt under this key created.

        `check` comes right before the create, when it is certain that the ERP holds nothing under the key.

        Raises:
            ErpError: The ERP refused the write, failed, or may or may not have it.
            ApplicationError: The ERP refused the look-up, or calls a duplicate what an earlier attempt may have made.
        """
        doubted = attempt.in_doubt
        if attempt.state is WriteState.CONFIRMED or doubted:
            readback = await self._look_up(find)
            verdict = after_look_up(
                shown=readback is not None,
                lag_is_over=_lag_left(connection, attempt) <= timedelta(0),
                refused=attempt.unknown_words is not None,
            )
            if readback is not None:
                return readback
            attempt = await self._after_empty_look_up(connection, key, attempt, verdict)
        if check is not None:
            await self._before_sending(key, attempt, check)
        try:
            return await create()
        except Duplicate as error:
            readback = await self._look_up(find)
            if readback is None and doubted:
                raise _perhaps_ours(error) from error
            if readback is None:
                raise _not_ours(error) from error
            return readback
        except UnknownRefusal as error:
            await self._keep_words(key, error)
            # One look-up is enough, once what it says can be believed.
            error.retry_after = max(_lag_left(connection, attempt), timedelta(0)) + timedelta(milliseconds=100)
            raise
        except Deferred:
            async with self._database.transaction() as session:
                await writes.queue(session, key, attempt.first_sent_at)
            raise
        except ErpError as error:
            if error.verdict is Verdict.NOT_YET:
                await self._not_sent(key, attempt)
            raise

    async def _before_sending(
        self, key: ExternalKey, attempt: WriteAttempt, check: Callable[[WriteAttempt], Awaitable[None]]
    ) -> None:
        """Run the check. While it cannot be made, nothing of the write is sent, so the next attempt looks nothing up.

        Raises:
            ErpError: The check failed, and is repeated, or it refused the write.
        """
        try:
            await check(attempt)
        except OutcomeUnknown:  # the record is there already: a look-up shows it
            raise
        except ErpError as error:
            if error.retryable:
                await self._not_sent(key, attempt)
            raise

    async def _look_up(self, find: Callable[[], Awaitable[T | None]]) -> T | None:
        """Look up what an earlier attempt may have done.

        Raises:
            ErpError: The look-up failed, and is repeated.
            ApplicationError: The ERP refused the look-up: a person is notified, and the write stays in doubt.
        """
        try:
            return await find()
        except ErpError as error:
            if error.retryable:
                raise
            raise _look_up_refused(error) from error

    async def _after_empty_look_up(
        self, connection: ConnectionRow, key: ExternalKey, attempt: WriteAttempt, verdict: Verdict
    ) -> WriteAttempt:
        """Return the attempt as a new first one after the look-up found nothing.

        Raises:
            OutcomeUnknown: It is too early to believe it.
            Rejected: The write is not sent again by itself: the ERP refused it in unknown words, or had it once.
        """
        if verdict is Verdict.IN_DOUBT:
            left = _lag_left(connection, attempt)
            raise OutcomeUnknown(
                f"{key} was sent and its answer was lost; the ERP does not show it yet",
                code="OUTCOME_UNKNOWN",
                retry_after=min(left + timedelta(milliseconds=100), timedelta(seconds=30)),
            )
        if attempt.state is WriteState.CONFIRMED:
            raise Rejected(
                f"{key} was confirmed before and is no longer in the ERP", code="DELETED_IN_ERP", evidence={"key": key}
            )
        if attempt.unknown_words is not None:
            words = attempt.unknown_words
            raise Rejected(words.message, code=words.code, erp_code=words.erp_code, evidence=words.evidence)
        async with self._database.transaction() as session:
            return await writes.resend(session, key, attempt)

    async def reject(self, key: ExternalKey, error: Rejected | NotFound) -> str | None:
        """Record that the ERP refused the write; return the subject whose turn it is now."""
        async with self._database.transaction() as session:
            return await writes.reject(session, key, error.code)

    async def _not_sent(self, key: ExternalKey, attempt: WriteAttempt) -> None:
        async with self._database.transaction() as session:
            await writes.not_sent(session, key, attempt.first_sent_at)

    async def _keep_words(self, key: ExternalKey, error: UnknownRefusal) -> None:
        words = UnknownWords(
            message=error.message, code=error.code, erp_code=error.erp_code, evidence=shortened(error.evidence)
        )
        async with self._database.transaction() as session:
            await writes.keep_words(session, key, words)


def _lag_left(connection: ConnectionRow, attempt: WriteAttempt) -> timedelta:
    lag = timedelta(seconds=connection.settings.get("read_lag_seconds", 120))
    return lag - (datetime.now(UTC) - attempt.first_sent_at)


def _not_ours(error: Duplicate) -> Rejected:
    return Rejected(
        f"{error.message} It is not a record posync made.",
        code=error.code,
        erp_code=error.erp_code,
        evidence=error.evidence,
    )


def _look_up_refused(error: ErpError) -> ApplicationError:
    """Return the failure of a write in doubt that the ERP refuses to show: nobody knows whether it was done."""
    refusal = Rejected(
        f"It was sent, and nobody knows whether the ERP has it: the look-up was refused. {error.message}",
        code="LOOK_UP_REFUSED",
        erp_code=error.erp_code,
        evidence={**error.evidence, "refusal": error.code},
    )
    return as_failure(refusal, family="LookUpRefused")


def _perhaps_ours(error: Duplicate) -> ApplicationError:
    """Return the failure for a duplicate that an earlier attempt of ours may have made.

    A person is notified, but the write stays in doubt, because what the ERP may hold is not abandoned.
    """
    return as_failure(
        Rejected(
            f"{error.message} An earlier attempt may have made it; the ERP does not show it under our key.",
            code=error.code,
            erp_code=error.erp_code,
            evidence=error.evidence,
        )
    )
