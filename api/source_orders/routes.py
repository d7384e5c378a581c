"""Take orders of the caller's own system, and upload them to the ERP as bills or as purchase orders."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.schemas import Event
from api.connections.routes import load, must_be_let_in
from api.http.auth import Accountant, Clerk, Viewer
from api.http.etag import tag
from api.http.exact_json import ExactRoute
from api.http.idempotency import WRITE, Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.problems import Problem as RequestProblem
from api.http.problems import answers, not_found
from api.http.schemas import Cursor, Filter, Id, Limit, Page, columns
from api.http.services import Services
from api.source_orders.schemas import (
    NewUpload,
    ResetForReimport,
    SavedOrder,
    SavedOrders,
    SourceOrder,
    SourceOrders,
    SourceOrderWithHistory,
    Upload,
    UploadOutcome,
    lines_shown,
    problem_shown,
    shown,
    shown_fields,
)
from models.domain.ids import ConnectionId, OrganizationId, SourceOrderId
from models.domain.source_orders import AccountingStatus, Billing, UploadAs, UploadState
from models.store.audit import events
from models.store.audit.outbox import OutboxMessage
from models.store.base.pages import Listing
from models.store.source_orders import orders
from models.store.source_orders.orders import Wanted
from models.tables import SourceOrderRow
from services.source_orders import uploads
from services.source_orders.readiness import readiness
from services.source_orders.uploads import UploadAsked

router = APIRouter(prefix="/v1/source-orders", tags=["source orders"], route_class=ExactRoute)


@router.post(
    "",
    operation_id="saveSourceOrders",
    summary="Send orders of your own system",
    response_model=SavedOrders,
    responses=answers(*WRITE, "UPLOAD_NOT_OFFERED"),
)
async def save(new: SourceOrders, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Store orders, or replace those that are stored under their references: send an order again when it was billed or
    changed. Nothing goes to the ERP by that, and what was uploaded stays as it is.

    An order that is on its way to the ERP is left as it is; the others go on."""

    async def work(session: AsyncSession) -> Answer:
        connection = await load(session, services, caller, new.connection_id)
        must_be_let_in(connection)
        if not connection.capabilities.get("order_upload"):
            raise RequestProblem("UPLOAD_NOT_OFFERED", f"{connection.name} takes no orders of other systems.")
        saved = [
            await orders.save(
                session, caller.organization_id, ConnectionId(connection.id), order.as_new(), actor=caller.actor
            )
            for order in new.orders
        ]
        mirrored = await orders.mirrored(session, [one.row.id for one in saved])
        return answer(
            200,
            SavedOrders(
                orders=[
                    SavedOrder(outcome=one.outcome, order=shown(one.row, mirrored.get(one.row.id))) for one in saved
                ]
            ),
        )

    idempotent = IdempotentRequest(services, caller, key, "POST /v1/source-orders")
    return (await idempotent.run(new.model_dump(mode="json"), work)).response()


@router.get(
    "", operation_id="listSourceOrders", summary="List orders of your own system", responses=answers("INVALID_CURSOR")
)
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    contact: Filter = None,
    reference: Filter = None,
    state: UploadState | None = None,
    upload_as: UploadAs | None = None,
    accounting_status: AccountingStatus | None = None,
    billing: Billing | None = None,
    problem: Annotated[
        str | None, Query(max_length=100, description="The code of a problem of the last upload.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[SourceOrder]:
    """Return the organization's source orders, newest first. `state=failed` is the list of errors: correct what each
    problem names, and upload the order again."""
    wanted = Wanted(
        ConnectionId(connection) if connection else None,
        [reference] if reference else None,
        contact,
        state,
        upload_as,
        accounting_status,
        billing,
        problem,
    )
    async with services.database.transaction() as session:
        listing = await orders.page(session, caller.organization_id, wanted, limit=limit, cursor=cursor)
        mirrored = await orders.mirrored(session, [row.id for row in listing.items])
    return Page(items=[shown(row, mirrored.get(row.id)) for row in listing.items], next_cursor=listing.next_cursor)


@router.get(
    "/{source_order_id}",
    operation_id="getSourceOrder",
    summary="Read an order of your own system",
    responses=answers("NOT_FOUND"),
)
async def read(source_order_id: Id, caller: Viewer, services: Services, response: Response) -> SourceOrderWithHistory:
    """Return an order with its lines, with what keeps it from being uploaded now, and with its history."""
    async with services.database.transaction() as session:
        row = await orders.get(session, SourceOrderId(source_order_id), caller.organization_id)
        if row is None:
            raise not_found("source order", source_order_id)
        connection = await load(session, services, caller, row.connection_id)
        blockers = {
            upload_as: [problem_shown(one) for one in ready.problems]
            for upload_as in UploadAs
            for ready in await readiness(session, connection, [row], upload_as)
        }
        mirrored = await orders.mirrored(session, [row.id])
        happened = await events.for_subject(session, caller.organization_id, "source_order", row.id)
    tag(response, row.version)
    return SourceOrderWithHistory(
        **shown_fields(row, mirrored.get(row.id)),
        lines=lines_shown(row),
        blockers=blockers,
        events=[Event(**columns(event, Event)) for event in happened],
    )


@router.post(
    "/uploads",
    operation_id="uploadSourceOrders",
    summary="Upload orders to the ERP, as bills or as purchase orders",
    response_model=Upload,
    responses=answers(
        *WRITE,
        "INVALID_CURSOR",
        "CONNECTION_PENDING",
        "UPLOAD_NOT_OFFERED",
        "UPLOAD_SWITCHED_OFF",
        "CONFIRMATION_NEEDED",
        "UPLOAD_NEEDS_APPROVAL",
    ),
)
async def upload(new: NewUpload, key: IdempotencyKey, caller: Accountant, services: Services) -> JSONResponse:
    """Upload the orders that are named, or all that the filter finds, one page of them for each request. Each order has
    its own outcome: those that cannot be uploaded are told everything that is missing, and the others go on.

    Uploads themselves follow behind the answer. Those that the ERP refuses are listed by `GET /v1/source-orders` with
    `state=failed`; upload them again with `which.state` `failed` or by reference."""
    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        connection = await load(session, services, caller, new.connection_id, lock=True)
        must_be_let_in(connection)
        asked = UploadAsked(new.upload_as, new.confirm_irreversible, new.repeat_numbers, new.reason or "")
        uploads.must_be_offered(connection, asked)
        listing = await _wanted(session, caller.organization_id, new)
        outcomes, due = await uploads.upload(
            session, connection, listing.items, asked, actor=caller.actor, request_key=key
        )
        messages[:] = due
        made = [
            UploadOutcome(
                reference=one.row.reference,
                id=one.row.id,
                outcome="refused" if one.problems else "uploading",
                document_number=one.row.document_number,
                problems=[problem_shown(problem) for problem in one.problems],
            )
            for one in outcomes
        ]
        there = {one.reference for one in made}
        unknown = [reference for reference in new.which.references or () if reference not in there]
        made += [
            UploadOutcome(reference=reference, id=None, outcome="unknown", document_number=None, problems=[])
            for reference in ([] if new.which.state or new.which.problem or new.which.contact else unknown)
        ]
        return answer(
            200,
            Upload(
                outcomes=made,
                uploading=len(due),
                refused=len(made) - len(due),
                next_cursor=listing.next_cursor,
            ),
        )

    idempotent = IdempotentRequest(services, caller, key, "POST /v1/source-orders/uploads")
    done = await idempotent.run(new.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response()


async def _wanted(session: AsyncSession, organization_id: OrganizationId, new: NewUpload) -> Listing[SourceOrderRow]:
    """Return the orders of one page, locked. Without a filter, all are meant that are billed, or unbilled, and not in
    the ERP; of failed ones those that were tried as the same, also where something is missing or too much."""
    which = new.which
    wanted = Wanted(ConnectionId(new.connection_id), which.references, which.contact, which.state)
    wanted = wanted._replace(problem=which.problem)
    if which.state is UploadState.FAILED or which.problem is not None:
        wanted = wanted._replace(upload_as=new.upload_as, upload_state=UploadState.FAILED)
    elif which.references is None:
        wanted = wanted._replace(
            billing=Billing.BILLED if new.upload_as is UploadAs.BILL else Billing.UNBILLED, left_to_upload=True
        )
    return await orders.page(session, organization_id, wanted, limit=new.limit, cursor=new.cursor, lock=True)


@router.post(
    "/{source_order_id}/reset",
    operation_id="resetSourceOrder",
    summary="Reset an imported order, so that its bill may be uploaded once more",
    response_model=SourceOrder,
    responses=answers(*WRITE, "NOT_IMPORTED", "UPLOADED_AS_ORDER"),
)
async def reset(
    source_order_id: Id, new: ResetForReimport, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Set the accounting status to `reset_for_reimport`. The bill of the earlier import stays in the ERP: delete it
    there, else the next upload is refused because its reference is taken."""

    async def work(session: AsyncSession) -> Answer:
        row = await orders.get(session, SourceOrderId(source_order_id), caller.organization_id, lock=True)
        if row is None:
            raise not_found("source order", source_order_id)
        await uploads.reset(session, row, actor=caller.actor, why=new.reason)
        return answer(200, shown(row))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/source-orders/{source_order_id}/reset")
    return (await idempotent.run(new.model_dump(mode="json"), work)).response()
