"""Correct a bill that was not sent: its number, dates, lines, figures, and the order that it bills."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.bill_entry import as_problem, check_mode
from api.bills.new_bill import NewBill, requested
from api.bills.order_bills import (
    BillCreated,
    check_bill,
    check_bill_dimensions,
    reminders_of,
    rendered,
)
from api.http.auth import Caller, Clerk
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest
from api.http.problems import answers, not_found
from api.http.schemas import Id
from api.http.services import Services
from api.orders.routes import load
from models.domain.ids import BillId
from models.store.audit.outbox import OutboxMessage
from models.store.base.crossing import rerun_if_crossed
from models.store.payables import bill_reads
from models.tables import BillRow, PurchaseOrderRow
from services.bills.correction import correct_bill
from services.bills.intake import RequestedBill

router = APIRouter(prefix="/v1/purchase-orders/{purchase_order_id}", tags=["bills"], route_class=ExactRoute)


@router.post(
    "/bills/{bill_id}",
    operation_id="correctBill",  # S1-24, S1-26, Q36
    summary="Correct a bill that was not sent",
    response_model=BillCreated,
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "PO_FEATURE_OFF",
        "ORDERS_OF_TWO_CONNECTIONS",
        "NO_PART_OF_THAT_INVOICE",
        "ORDER_LINE_GONE",
        "ORDER_LINE_CHANGED",
        "CHARGES_NOT_TAKEN",
        "LINK_NOT_ALLOWED",
        "MATCH_BLOCKED",
        "EDIT_IN_ERP",
        "BILL_ON_ITS_WAY",
        "BILL_IS_CLOSED",
        "BILL_HAS_PAYMENTS",
        "QUANTITY_STAYS_BILLED",
    ),
)
async def correct(
    purchase_order_id: Id, bill_id: Id, new: NewBill, key: IdempotencyKey, caller: Clerk, services: Services
) -> JSONResponse:
    """Put the body in the place of a bill that the ERP does not hold: number, dates, lines, quantities, prices and
    charges. The order of the path is the one that it bills from now on, so that a bill entered against the wrong order
    is moved. It is matched again as when it was entered; a bill that would be blocked stays as it was, and the answer
    is 422 with the findings. Approvals are asked for anew where its figures change.

    A disputed bill stays disputed, and one that the ERP refused waits for a retry of its issue. After the sync the ERP
    is the system of record: delete or dispute the bill, which takes it back, then correct it.
    """
    route = f"POST /v1/purchase-orders/{purchase_order_id}/bills/{bill_id}"
    idempotent = IdempotentRequest(services, caller, key, route)
    body = requested(purchase_order_id, new)
    asked = RequestedBill.model_validate(body)

    async def decide() -> tuple[Answer, PurchaseOrderRow, list[OutboxMessage]]:
        async with services.database.transaction() as session:
            was = await _must_be_ours(session, caller, bill_id)
            order, connection = await load(session, caller, purchase_order_id, to_write=True)
            await check_bill(session, caller, order, connection, new)
            known = await idempotent.claim(session, body)
            if known is not None:
                return known, order, []
            await check_bill_dimensions(session, order, connection, new)
            with as_problem():
                corrected = await correct_bill(
                    session,
                    BillId(bill_id),
                    asked,
                    organization_id=caller.organization_id,
                    request_key=key,
                    actor=caller.actor,
                )
            check_mode(caller, corrected.answer, before=was.match_mode)
            stored = Answer(422 if corrected.refused else 200, corrected.answer)
            return await idempotent.store(session, stored), order, corrected.messages

    async with services.order_gate.one_at_a_time(asked.orders):
        known, order, messages = await rerun_if_crossed(decide)
    services.outbox.deliver_behind_answer(*messages)
    return rendered(known, order, route, reminders_of(body))


async def _must_be_ours(session: AsyncSession, caller: Caller, bill_id: str) -> BillRow:
    row = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
    if row is None or row.external_key is None:
        raise not_found("bill", bill_id)
    return row
