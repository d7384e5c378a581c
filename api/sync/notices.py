"""List notices and mark them as read: messages a person should know, for which nothing waits."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.auth import Clerk, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import answers, not_found
from api.http.schemas import Cursor, Filter, Id, Limit, Page, columns, columns_as, page_of
from api.http.services import Services
from models.domain.ids import ConnectionId
from models.store.audit import notices

router = APIRouter(prefix="/v1/notices", tags=["notices"], route_class=ExactRoute)


class Notice(Output):
    id: str
    connection_id: str | None
    code: str
    subject_kind: str
    subject_id: str
    message: str
    created_at: datetime
    read_at: datetime | None


@router.get("", operation_id="listNotices", summary="List notices", responses=answers("INVALID_CURSOR"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    unread: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Notice]:
    """Return the notices, newest first."""
    async with services.database.transaction() as session:
        listing = await notices.page(
            session,
            caller.organization_id,
            connection_id=ConnectionId(connection) if connection else None,
            unread=unread,
            limit=limit,
            cursor=cursor,
        )
    return page_of(listing, columns_as(Notice))


@router.post(
    "/{notice_id}/read",
    operation_id="readNotice",
    summary="Mark a notice as read",
    response_model=Notice,
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED"),
)
async def mark_read(notice_id: Id, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Mark a notice as read. Marking it twice changes nothing."""

    async def work(session: AsyncSession) -> Answer:
        await notices.mark_read(session, caller.organization_id, notice_id)
        row = await notices.get(session, caller.organization_id, notice_id)
        if row is None:
            raise not_found("notice", notice_id)
        return answer(200, Notice(**columns(row, Notice)))

    return (
        await IdempotentRequest(services, caller, key, f"POST /v1/notices/{notice_id}/read").run({}, work)
    ).response()
