"""Make and change list entries in their ERP; every activity here is safe to run twice."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from temporalio import activity

from activities.connector_pool import Connections, OpenConnection
from activities.exactly_once import ExactlyOnce
from erp.connector import offered
from erp.errors import Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected, UnknownRefusal
from erp.roles.list_writes import ListWrites
from erp.time_budgets import ErpWork
from erp.verdicts import Verdict
from models.domain.ids import SYNCER, ConnectionId, ErpId, ExternalKey
from models.domain.issue_states import IssueState
from models.domain.list_changes import ListAction, ListChangeStatus, ListMaster, fields_of, same
from models.domain.lists import ListEntry, ListKind
from models.messages.list_changes import ListChangeFailed, ListChangePushed, PushListChange
from models.store.audit import writes
from models.store.audit.writes import WriteAttempt
from models.store.base.database import Database
from models.store.sync import list_changes, list_entries
from models.tables import ListChangeRow
from services.lists import issues
from services.lists.conflicts import Settled, settle
from services.lists.decisions import close_issue


class ListChanges:
    """Makes and changes list entries. One instance per worker."""

    def __init__(self, database: Database, connections: Connections) -> None:
        self._database = database
        self._connections = connections
        self._exactly_once = ExactlyOnce(database)

    @activity.defn
    async def push_list_change(self, push: PushListChange) -> ListChangePushed:
        """Make the entry, or adopt what an earlier attempt made; or change it, after reading it again.

        Raises:
            ApplicationError: The ERP refused it, failed, or may or may not have it.
        """
        async with self._connections.open(push.connection_id, ErpWork.WRITE) as connection:
            role = offered(connection.erp.list_writes, "lists that are written from here")
            async with self._database.transaction() as session:
                row = await list_changes.get(session, push.change_id, lock=True)
                assert row is not None, "a change is never removed"
                if row.status != ListChangeStatus.SENDING:  # an earlier attempt's answer to Temporal was lost
                    return ListChangePushed(status=ListChangeStatus(row.status))
                attempt = await writes.begin_attempt(session, ExternalKey(row.external_key))
            settled = Settled(row.wanted, ())
            try:
                if row.action == ListAction.CREATE:
                    entry = await self._create(connection, role, row, attempt)
                else:
                    entry, settled = await self._change(connection, role, row, attempt)
            except (Rejected, NotFound) as error:
                await self._exactly_once.reject(ExternalKey(row.external_key), error)
                raise
        status = ListChangeStatus.SET_ASIDE if settled.set_aside else ListChangeStatus.DONE
        async with self._database.transaction() as session:
            stored = await list_changes.get(session, push.change_id, lock=True)
            assert stored is not None, "a change is never removed"
            await list_entries.upsert(session, ConnectionId(stored.connection_id), [entry])
            stored.erp_id, stored.key = entry.erp_id, entry.key
            await writes.confirm(session, ExternalKey(stored.external_key), entry.erp_id)
            await list_changes.end(session, stored, status, actor=SYNCER, conflicts=settled.conflicts)
            await close_issue(session, stored, IssueState.RESOLVED, actor=SYNCER)
        return ListChangePushed(status=status)

    async def _create(
        self, connection: OpenConnection, role: ListWrites, row: ListChangeRow, attempt: WriteAttempt
    ) -> ListEntry:
        new = list_changes.to_push(row)

        async def is_free(_: WriteAttempt) -> None:
            await role.check_new(new)

        try:
            erp_id = await self._exactly_once.write(
                connection.row,
                new.external_key,
                attempt,
                find=partial(role.find, new),
                create=partial(role.create, new),
                check=is_free,
            )
        except Rejected as error:
            if error.code == "ALREADY_EXISTS":  # said of documents: of an entry, its id or its name is taken
                error.code = "LIST_KEY_TAKEN"
            raise
        try:
            return await role.read(new.kind, erp_id, entity=new.entity)
        except NotFound as error:
            raise OutcomeUnknown("The ERP does not show the new entry yet.", code="OUTCOME_UNKNOWN") from error

    async def _change(
        self, connection: OpenConnection, role: ListWrites, row: ListChangeRow, attempt: WriteAttempt
    ) -> tuple[ListEntry, Settled]:
        """Send what is wanted and not there yet, as far as the master lets it; return what the ERP shows then.

        Raises:
            OutcomeUnknown: The ERP took it, and does not show it yet.
            Rejected: The ERP took it, and shows something else.
        """
        assert row.erp_id is not None, "what is changed is in the ERP"
        kind, erp_id = ListKind(row.kind), ErpId(row.erp_id)
        there = await self._read(role, row, attempt)
        master = ListMaster(connection.row.list_masters.get(row.kind, ListMaster.ERP))
        settled = settle(row.wanted, row.agreed, _fields_of(there), master)
        if not settled.to_send:
            return there, settled
        unknown: UnknownRefusal | None = None
        try:
            # What is sent over other values than before is another write.
            await role.update(list_changes.to_push(row, settled.to_send), edition=f"{row.asks}:{there.revision or ''}")
        except Duplicate:
            pass  # an earlier attempt sent the same
        except UnknownRefusal as error:
            unknown = error  # what the ERP shows says what the words mean
        except ErpError as error:
            await self._forget_unsent(row, attempt, error)
            raise
        shown = await role.read(kind, erp_id, entity=row.entity)
        lost = _not_shown(settled.to_send, _fields_of(shown))
        if not lost:
            return shown, settled
        if unknown is not None:
            raise unknown.refusal() from unknown
        lag = timedelta(seconds=connection.row.settings.get("read_lag_seconds", 120))
        if datetime.now(UTC) - attempt.first_sent_at < lag:
            raise OutcomeUnknown(
                "The ERP took the change and does not show it yet.",
                code="OUTCOME_UNKNOWN",
                retry_after=timedelta(seconds=min(10, lag.total_seconds())),
            )
        shows = "; ".join(f"{field}: {value or 'nothing'}" for field, value in sorted(lost.items()))
        raise Rejected(f"The ERP took the change and shows {shows}.", code="LIST_CHANGE_NOT_KEPT", evidence=lost)

    async def _read(self, role: ListWrites, row: ListChangeRow, attempt: WriteAttempt) -> ListEntry:
        try:
            return await role.read(ListKind(row.kind), ErpId(row.erp_id or ""), entity=row.entity)
        except ErpError as error:
            await self._forget_unsent(row, attempt, error, read=True)
            raise

    async def _forget_unsent(
        self, row: ListChangeRow, attempt: WriteAttempt, error: ErpError, *, read: bool = False
    ) -> None:
        """Record that this attempt wrote nothing, so that the change can still be abandoned."""
        if read or error.verdict is Verdict.NOT_YET:
            async with self._database.transaction() as session:
                await writes.not_sent(session, ExternalKey(row.external_key), attempt.first_sent_at)


class ListChangeRecords:
    """Records in our own database how changes failed. One instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def list_change_failed(self, failed: ListChangeFailed) -> None:
        """Record why a change failed, and open its issue. Twice is once."""
        async with self._database.transaction() as session:
            await issues.change_failed(session, failed)


def _fields_of(entry: ListEntry) -> dict[str, str]:
    return fields_of(entry.name, entry.attributes, active=entry.active)


def _not_shown(sent: Mapping[str, str], shown: Mapping[str, str]) -> dict[str, str]:
    """Return what the ERP shows of the fields that it does not show as they were sent."""
    return {field: shown.get(field, "") for field, value in sent.items() if not same(value, shown.get(field))}
