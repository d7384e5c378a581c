"""Notices: what a person should know, with nothing waiting for it."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from api.auth import Clerk, Viewer
from api.exact import ExactRoute
from api.idempotency import Answer, IdempotencyKey, Once, answer
from api.problems import answers, not_found
from api.services import Services
from api.shapes import Cursor, Filter, Id, Limit, Page, columns
from models.domain import ConnectionId
from models.store import notices

router = APIRouter(prefix="/v1/notices", tags=["notices"], route_class=ExactRoute)


class Notice(BaseModel):
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
    """Newest first."""
    async with services.database.transaction() as session:
        found = await notices.page(
            session,
            caller.organization_id,
            connection_id=ConnectionId(connection) if connection else None,
            unread=unread,
            limit=limit,
            cursor=cursor,
        )
    items = [Notice(**columns(row, Notice)) for row in found.items]
    return Page(items=items, next_cursor=found.next_cursor)


@router.post(
    "/{notice_id}/read",
    operation_id="readNotice",
    summary="Mark a notice as read",
    response_model=Notice,
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED"),
)
async def mark_read(notice_id: Id, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Reading it twice changes nothing."""

    async def work(session: AsyncSession) -> Answer:
        await notices.mark_read(session, caller.organization_id, notice_id)
        row = await notices.get(session, caller.organization_id, notice_id)
        if row is None:
            raise not_found("notice", notice_id)
        return answer(200, Notice(**columns(row, Notice)))

    return (await Once(services, caller, key, f"POST /v1/notices/{notice_id}/read").run({}, work)).response()
