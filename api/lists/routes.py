"""Make list entries, change them, and decide on changes that the ERP's values stood against."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.bill_entry import as_problem
from api.bills.schemas import Event
from api.connections.routes import load, must_be_let_in
from api.http.auth import Accountant, Caller, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.problems import answers, not_found
from api.http.schemas import Cursor, Id, Input, Limit, Page, Reason, columns, page_of
from api.http.services import Services, ServiceSet
from api.lists.schemas import (
    EntryAccepted,
    EntryChange,
    EntryWithHistory,
    ListChange,
    ListChangeWithHistory,
    NewEntry,
    as_fields,
    shown,
    with_history,
)
from api.sync.routes import listed_entry
from models.domain.ids import ConnectionId, ErpId, ListChangeId
from models.domain.list_changes import ACTIVE, NAME, ListChangeStatus
from models.domain.lists import ListKind
from models.store.audit import events
from models.store.audit.outbox import OutboxMessage
from models.store.sync import list_changes, list_entries, list_history
from models.tables import ListChangeRow
from services.lists.decisions import abandon, reapply
from services.lists.entry import Accepted, AskedEntry, change, make

router = APIRouter(prefix="/v1", tags=["lists"], route_class=ExactRoute)

MOST_CHANGES = 100
MOST_EVENTS = 500
"""How much of an entry's history is shown: the newest."""

FIELDS = ("CONNECTION_PENDING", "LIST_NOT_WRITTEN", "LIST_FIELD_REFUSED", "LIST_VALUE_UNKNOWN")


@router.post(
    "/connections/{connection_id}/lists/{kind}",
    status_code=202,
    operation_id="createListEntry",
    summary="Make a list entry",
    response_model=EntryAccepted,
    responses=answers(*WRITE, *FIELDS, "LIST_KEY_REFUSED", "LIST_KEY_TAKEN", "LIST_NAME_TAKEN", "LIST_ENTITY_REFUSED"),
)
async def create(
    connection_id: Id, kind: ListKind, new: NewEntry, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Have a vendor, item, department, location or class made in the ERP, exactly once.

    It belongs to one entity, or to all of them, as the list settings say. `change` shows where it stands; once it is
    done, the entry is in the list."""

    async def work(session: AsyncSession) -> Accepted:
        row = await load(session, services, caller, connection_id)
        must_be_let_in(row)
        fields = {**as_fields(new.attributes), NAME: new.name}
        asked = AskedEntry(fields, key=new.key, entity=new.entity, same_name=new.same_name)
        return await make(session, row, kind, asked, request_key=key, actor=caller.actor)

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/connections/{connection_id}/lists/{kind.value}")
    return await _accept(services, idempotent, new, work)


@router.post(
    "/connections/{connection_id}/lists/{kind}/{erp_id}/changes",
    status_code=202,
    operation_id="changeListEntry",
    summary="Change a list entry",
    response_model=EntryAccepted,
    responses=answers(*WRITE, *FIELDS, "LIST_ENTRY_SHARED", "LIST_CHANGE_UNDER_WAY"),
)
async def change_entry(
    connection_id: Id,
    kind: ListKind,
    erp_id: Id,
    new: EntryChange,
    key: IdempotencyKey,
    caller: Accountant,
    services: Services,
) -> JSONResponse:
    """Have fields of an entry changed in the ERP; `active` false suspends it.

    The ERP's entry is read again before anything is sent. Of a field that was changed there as well, the master's value
    stays: `conflicts` names it, and with the ERP as master yours is set aside and can be applied again. A field that
    the ERP does not have is kept here."""

    async def work(session: AsyncSession) -> Accepted:
        row = await load(session, services, caller, connection_id)
        must_be_let_in(row)
        entry = await list_entries.by_erp_id(session, ConnectionId(row.id), kind, ErpId(erp_id), lock=True)
        if entry is None or entry.deleted_at is not None:
            raise not_found(kind.value.replace("_", " "), erp_id)
        fields = as_fields(new.attributes)
        if new.name is not None:
            fields[NAME] = new.name
        if new.active is not None:
            fields[ACTIVE] = "true" if new.active else "false"
        seen = None if new.seen is None else as_fields(new.seen)
        asked = AskedEntry(fields, seen=seen)
        return await change(session, row, entry, asked, request_key=key, actor=caller.actor)

    path = f"POST /v1/connections/{connection_id}/lists/{kind.value}/{erp_id}/changes"
    return await _accept(services, IdempotentRequest(services, caller, key, path), new, work)


@router.get(
    "/connections/{connection_id}/lists/{kind}/{erp_id}",
    operation_id="getListEntry",
    summary="Read a list entry with its history",
    responses=answers("NOT_FOUND"),
)
async def read_entry(
    connection_id: Id, kind: ListKind, erp_id: Id, caller: Viewer, services: Services
) -> EntryWithHistory:
    """Return one entry by the ERP's id, a deleted one too, with what was asked for here and what happened to it since
    it came in: who changed which field, here or in the ERP, and when."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        entry = await list_entries.by_erp_id(session, ConnectionId(row.id), kind, ErpId(erp_id))
        if entry is None:
            raise not_found(kind.value.replace("_", " "), erp_id)
        changes = await list_changes.of_entry(session, entry, limit=MOST_CHANGES)
        ids = [ListChangeId(one.id) for one in changes]
        happened = await list_history.of_entry(session, entry, ids, limit=MOST_EVENTS)
        return EntryWithHistory(
            **listed_entry(entry).model_dump(),
            changes=[shown(one) for one in changes],
            events=[Event(**columns(one, Event)) for one in happened],
        )


@router.get(
    "/connections/{connection_id}/list-changes",
    operation_id="listListChanges",
    summary="List the changes to lists",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_all(
    connection_id: Id,
    caller: Viewer,
    services: Services,
    kind: ListKind | None = None,
    status: Annotated[list[ListChangeStatus] | None, Query(description="Only those with one of these.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ListChange]:
    """Return the list entries that were made or changed here, newest first, each with what became of it."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        listing = await list_changes.page(
            session, ConnectionId(row.id), kind=kind, statuses=status or (), limit=limit, cursor=cursor
        )
    return page_of(listing, shown)


@router.get(
    "/list-changes/{change_id}",
    operation_id="getListChange",
    summary="Read a change to a list",
    responses=answers("NOT_FOUND"),
)
async def read(change_id: Id, caller: Viewer, services: Services) -> ListChangeWithHistory:
    """Return one change, with the fields that both sides had changed, and what happened to it."""
    async with services.database.transaction() as session:
        row = await _load(session, caller, change_id, lock=False)
        happened = await events.for_subject(session, caller.organization_id, list_changes.SUBJECT, row.id)
    return with_history(row, happened)


class Decision(Input):
    reason: Reason = ""


@router.post(
    "/list-changes/{change_id}/apply",
    operation_id="applyListChange",
    summary="Apply a change again",
    response_model=ListChange,
    responses=answers(*WRITE, "LIST_CHANGE_ENDED", "LIST_CHANGE_UNDER_WAY"),
)
async def apply(
    change_id: Id, asked: Decision, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Send a change once more that was set aside or refused, over the values that the ERP shows now."""
    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await _load(session, caller, change_id)
        with as_problem():
            messages[:] = [await reapply(session, row, request_key=key, actor=caller.actor, why=asked.reason)]
        return answer(200, shown(row))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/list-changes/{change_id}/apply")
    done = await idempotent.run(asked.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()


@router.post(
    "/list-changes/{change_id}/abandon",
    operation_id="abandonListChange",
    summary="Abandon a change",
    response_model=ListChange,
    responses=answers(*WRITE, "LIST_CHANGE_ENDED", "LIST_CHANGE_IN_DOUBT"),
)
async def abandon_change(
    change_id: Id, asked: Decision, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Abandon a change that was set aside or refused, or that the ERP certainly does not have yet."""

    async def work(session: AsyncSession) -> Answer:
        row = await _load(session, caller, change_id)
        with as_problem():
            await abandon(session, row, actor=caller.actor, why=asked.reason)
        return answer(200, shown(row))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/list-changes/{change_id}/abandon")
    return (await idempotent.run(asked.model_dump(mode="json"), work)).response()


async def _accept(
    services: ServiceSet,
    idempotent: IdempotentRequest,
    body: NewEntry | EntryChange,
    work: Callable[[AsyncSession], Awaitable[Accepted]],
) -> JSONResponse:
    """Answer what became of what was asked for, and deliver behind the answer."""
    messages: list[OutboxMessage] = []

    async def decide(session: AsyncSession) -> Answer:
        with as_problem():
            accepted = await work(session)
        messages[:] = accepted.messages
        row = accepted.change
        return answer(
            202,
            EntryAccepted(change=None if row is None else shown(row), kept_here=list(accepted.kept_here)),
        )

    done = await idempotent.run(body.model_dump(mode="json"), decide)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()


async def _load(session: AsyncSession, caller: Caller, change_id: str, *, lock: bool = True) -> ListChangeRow:
    row = await list_changes.get(session, ListChangeId(change_id), caller.organization_id, lock=lock)
    if row is None:
        raise not_found("change", change_id)
    return row
