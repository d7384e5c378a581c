"""Put a bill that was entered without an order on a purchase order."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.bill_entry import as_problem, blocked
from api.bills.schemas import BillSummary, summary
from api.http.auth import Clerk
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.problems import answers, not_found
from api.http.schemas import Id, Input, Name, Quantity, Whole
from api.http.services import Services
from api.orders.routes import load as load_order
from models.domain.ids import BillId, ErpId
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_edits, bill_reads
from services.bills.direct_link import OrderLine, put_on_order

router = APIRouter(prefix="/v1/bills/{bill_id}", tags=["bills"], route_class=ExactRoute)


class LineOnOrder(Input):
    """A line of the bill, and the order line that it bills."""

    line_no: Whole = Field(ge=1, le=100_000)
    order_line_id: Name
    quantity: Quantity | None = Field(
        default=None, description="In the order line's unit; required, unless the order line's basis is its amount."
    )


class PutOn(Input):
    purchase_order_id: Name
    lines: Annotated[list[LineOnOrder], Field(min_length=1, max_length=500)] = Field(
        description="The lines that bill the order; the others stay off it."
    )


@router.post(
    "/put-on-order",
    status_code=201,
    operation_id="putBillOnOrder",  # S1-28
    summary="Put a bill without an order on a purchase order",
    response_model=BillSummary,
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "PO_FEATURE_OFF",
        "LINK_NOT_ALLOWED",
        "LINK_IS_FINAL",
        "BILL_IS_CLOSED",
        "BILL_HAS_PAYMENTS",
        "BILL_LINE_UNKNOWN",
        "ACCOUNT_ITEM_MISSING",
        "MATCH_BLOCKED",
    ),
)
async def put_on(bill_id: Id, to: PutOn, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Put a bill that was entered without an order on a purchase order of its vendor, while nothing of it was sent.

    It is entered anew against the order under its own number: the answer is the new bill, matched and reserved, and the
    old one is abandoned. Where the new one is blocked, the old one stays as it is.
    """
    route = f"POST /v1/bills/{bill_id}/put-on-order"
    messages: list[OutboxMessage] = []

    async def work(session: AsyncSession) -> Answer:
        row = await bill_edits.lock(session, BillId(bill_id), caller.organization_id)
        if row is None:
            raise not_found("bill", bill_id)
        order, _ = await load_order(session, caller, to.purchase_order_id, to_write=True)
        lines = {line.line_no: OrderLine(ErpId(line.order_line_id), line.quantity) for line in to.lines}
        with as_problem():
            put = await put_on_order(session, row, order, lines, actor=caller.actor, request_key=key)
        if put.accepted.bill_id is None:
            raise blocked(Answer(422, put.accepted.answer))
        messages[:] = put.messages
        created = await bill_reads.get(session, put.accepted.bill_id)
        assert created is not None, "it was just saved"
        return answer(201, summary(created))

    done = await IdempotentRequest(services, caller, key, route).run(to.model_dump(mode="json"), work)
    services.outbox.deliver_behind_answer(*messages)
    location = f"/v1/bills/{done.body['id']}" if done.status == 201 else None
    return done.response(location=location)
