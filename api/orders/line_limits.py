"""Limit how an order line may be billed: until when, and how much at once."""

from datetime import date

from fastapi import APIRouter, Response
from pydantic import Field

from api.http.auth import Accountant
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers, not_found
from api.http.rematch import match_waiting_bills
from api.http.schemas import Day, Id, Input, Money, UnsignedAmount
from api.http.services import Services
from api.orders.routes import load
from models.domain.ids import ConnectionId, ErpId, OrganizationId, PurchaseOrderId
from models.store.orders import ledger, line_limits
from models.store.policies import rematch_requests

router = APIRouter(
    prefix="/v1/purchase-orders/{purchase_order_id}/lines/{order_line_id}",
    tags=["purchase orders"],
    route_class=ExactRoute,
)


class NewLimits(Input):
    """Both limits anew; null takes one away."""

    ends_on: Day | None = Field(default=None, description="The last bill date that the line accepts.")
    release_cap: UnsignedAmount | None = Field(
        default=None, description="The most that one bill may take of the line, in the order's currency."
    )


class Limits(Output):
    purchase_order_id: str
    order_line_id: str
    ends_on: date | None
    release_cap: Money | None


@router.put(
    "/limits",
    operation_id="setOrderLineLimits",
    summary="Limit how an order line may be billed",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "PO_FEATURE_OFF", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED"),
)
async def set_limits(
    purchase_order_id: Id,
    order_line_id: Id,
    new: NewLimits,
    if_match: IfMatch,
    caller: Accountant,
    services: Services,
    response: Response,
) -> Limits:
    """Set until when a blanket line may be billed, and how much of it one bill may take. The ERP's order says neither.

    A bill beyond a limit is held (`BLANKET_ENDED`, `RELEASE_CAP`); bills that wait are matched again.
    """
    async with services.database.transaction() as session:
        order, connection = await load(session, caller, purchase_order_id, to_write=True)
        order_id, line = PurchaseOrderId(order.id), ErpId(order_line_id)
        if line not in [one.erp_id for one in await ledger.lines(session, order_id)]:
            raise not_found("order line", order_line_id)
        was = await line_limits.get(session, order_id, line)
        check(if_match, was.version)
        now = await line_limits.set_limits(
            session,
            OrganizationId(connection.organization_id),
            ConnectionId(connection.id),
            order_id,
            line,
            was,
            ends_on=new.ends_on,
            release_cap=new.release_cap,
            actor=caller.actor,
        )
        why = f"the limits of a line of {order.number} were set"
        await rematch_requests.request(session, ConnectionId(connection.id), why)
    await match_waiting_bills(services, [ConnectionId(order.connection_id)], why)
    tag(response, now.version)
    return Limits(
        purchase_order_id=order.id, order_line_id=order_line_id, ends_on=now.ends_on, release_cap=now.release_cap
    )
