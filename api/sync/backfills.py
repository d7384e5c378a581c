"""Backfills: bring in older orders at any time, and see how far that is."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections.routes import load, must_be_let_in
from api.http.auth import Accountant, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers, not_found
from api.http.schemas import ConnectionProblem, Day, Id, Input, Named
from api.http.services import Services
from models.domain.backfills import BackfillState, BackfillWanted
from models.domain.ids import BackfillId, ConnectionId
from models.domain.invoice_numbers import number_key
from models.domain.outbox import MessageKind
from models.store.audit import events, outbox
from models.store.audit.outbox import OutboxMessage
from models.store.sync import backfills
from models.tables import BackfillRow, ConnectionRow
from services.capabilities import has_purchase_orders

router = APIRouter(prefix="/v1", tags=["syncs"], route_class=ExactRoute)

FIRST_DAY = date(2000, 1, 1)
"""From when on orders are looked at where a vendor or numbers are given and no day is."""


class NewBackfill(Input):
    ordered_from: Day | None = Field(
        default=None,
        description="The first order date; null with a vendor or numbers: however old.",
        examples=["2024-01-01"],
    )
    vendor_id: Named | None = Field(default=None, description="Only orders of this vendor, by the ERP's id.")
    numbers: Annotated[list[Named], Field(max_length=5000)] = Field(
        default_factory=list, description="Only these order numbers, however they are typed. Empty: any number."
    )


class Backfill(Output):
    id: str
    connection_id: str
    ordered_from: date
    vendor_id: str | None
    numbers: int
    """How many numbers were asked for; 0: any number."""
    not_seen: list[str]
    """The numbers that the ERP has not shown; final once the backfill is completed."""
    state: BackfillState
    pages: int
    counts: dict[str, int]
    """Orders read, wanted, changed here, left out and unreadable, so far."""
    problem: ConnectionProblem | None
    asked_by: str
    started_at: datetime
    finished_at: datetime | None


class Backfills(Output):
    items: list[Backfill]


@router.post(
    "/connections/{connection_id}/backfills",
    status_code=202,
    operation_id="startBackfill",
    summary="Bring in older orders",
    response_model=Backfill,
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "CONNECTION_PENDING",
        "NO_PURCHASE_ORDERS",
        "PO_FEATURE_OFF",
        "PREFERENCES_INCOMPLETE",
    ),
)
async def start(
    connection_id: Id, new: NewBackfill, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Bring in open orders that no sync brings, because they are older than the first import: by date, vendor and
    number. It runs beside the syncs, through outages, and an order that cannot be read stops nothing."""
    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/connections/{connection_id}/backfills")
    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await load(session, services, caller, connection_id)
        _must_have_orders(row)
        first = new.ordered_from or (FIRST_DAY if new.numbers or new.vendor_id else None)
        if first is None:
            raise Problem("VALIDATION_FAILED", "Give ordered_from, a vendor, or numbers.")
        wanted = BackfillWanted(ordered_from=first, vendor_id=new.vendor_id, numbers=tuple(new.numbers))
        backfill_id = backfills.backfill_id_for(caller.organization_id, key)
        stored = await backfills.create(session, backfill_id, ConnectionId(row.id), wanted, caller.actor)
        await events.record(
            session,
            organization_id=caller.organization_id,
            connection_id=ConnectionId(row.id),
            subject_kind="connection",
            subject_id=row.id,
            kind="backfill_asked",
            actor=caller.actor,
            after={"backfill": backfill_id, **wanted.model_dump(mode="json", exclude={"numbers"})},
        )
        messages.append(
            await outbox.add(
                session,
                MessageKind.BACKFILL_ASKED,
                backfill_id,
                organization_id=caller.organization_id,
                connection_id=ConnectionId(row.id),
                request_key=key,
            )
        )
        return answer(202, _shown(stored))

    done = await idempotent.run(new.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    return done.response(location=f"/v1/backfills/{done.body.get('id')}")


def _must_have_orders(row: ConnectionRow) -> None:
    must_be_let_in(row)
    if not has_purchase_orders(row):
        raise Problem("NO_PURCHASE_ORDERS")
    if not row.purchase_orders_enabled:
        raise Problem("PO_FEATURE_OFF")
    if not row.preferences_complete:
        raise Problem("PREFERENCES_INCOMPLETE")


@router.get(
    "/connections/{connection_id}/backfills",
    operation_id="listBackfills",
    summary="List a connection's backfills",
    responses=answers("NOT_FOUND"),
)
async def list_all(connection_id: Id, caller: Viewer, services: Services) -> Backfills:
    """Return the last 200 backfills, newest first."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        rows = await backfills.of_connection(session, ConnectionId(row.id))
    return Backfills(items=[_shown(one) for one in rows])


@router.get(
    "/backfills/{backfill_id}",
    operation_id="getBackfill",
    summary="Read a backfill",
    responses=answers("NOT_FOUND"),
)
async def read(backfill_id: Id, caller: Viewer, services: Services) -> Backfill:
    """Return a backfill with what it counted so far."""
    async with services.database.transaction() as session:
        row = await backfills.get(session, BackfillId(backfill_id), caller.organization_id)
    if row is None:
        raise not_found("backfill", backfill_id)
    return _shown(row)


def _shown(row: BackfillRow) -> Backfill:
    wanted = BackfillWanted.model_validate(row.wanted)
    return Backfill(
        id=row.id,
        connection_id=row.connection_id,
        ordered_from=wanted.ordered_from,
        vendor_id=wanted.vendor_id,
        numbers=len(wanted.numbers),
        not_seen=[number for number in wanted.numbers if number_key(number) not in row.seen_numbers],
        state=BackfillState(row.state),
        pages=row.pages,
        counts=dict(row.counts),
        problem=None
        if row.problem_code is None
        else ConnectionProblem(code=row.problem_code, message=row.problem_message or ""),
        asked_by=row.asked_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
