"""List and read returns of goods to vendors, each with the credit that is expected for it."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query

from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers, not_found
from api.http.schemas import Cursor, Day, Exact, Filter, Id, Limit, Money, Page
from api.http.services import Services
from models.domain.ids import ConnectionId, PurchaseOrderId
from models.store.orders import returns
from models.store.orders.returns import ReturnSort, ReturnsWanted
from services.orders.expected_credits import ShownReturn, page, show

router = APIRouter(prefix="/v1/returns", tags=["returns"], route_class=ExactRoute)


class ReturnLine(Output):
    """What went back of one order line. Quantities are in the line's unit."""

    line_no: int
    purchase_order_id: str | None
    purchase_order_line_no: int | None
    """null: the order is not in posync, or the ERP's record names no line of it."""
    item_id: str
    description: str
    unit: str
    quantity: Exact
    expected_quantity: Exact
    """What of it a credit is expected for."""
    price: Exact
    """What the line was billed at, on the average."""


class Return(Output):
    """Goods that went back to the vendor, as the ERP has them."""

    id: str
    connection_id: str
    number: str
    vendor_id: str
    vendor_name: str
    purchase_order_id: str | None
    purchase_order_number: str | None
    entity: str | None
    returned_on: date
    currency: str
    memo: str
    lines: list[ReturnLine]
    credits: list[str]
    """The numbers of the credits that name it."""
    credited: Money
    """What those come to."""
    expected_credit: Money
    """What was billed, went back and is not credited yet, at the price that was billed. 0: nothing is waited for."""
    days_waiting: int
    """Days since the return, while a credit is expected."""


@router.get("", operation_id="listReturns", summary="List returns", responses=answers("INVALID_CURSOR"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    purchase_order: Filter = None,
    number: Annotated[str | None, Query(max_length=100, description="The ERP's number of the return.")] = None,
    vendor: Annotated[str | None, Query(max_length=200, description="The vendor's id or name.")] = None,
    date_from: Annotated[Day | None, Query(description="First day.")] = None,
    date_to: Annotated[Day | None, Query(description="Last day.")] = None,
    is_open: Annotated[bool | None, Query(alias="open", description="true: a credit is expected for it.")] = None,
    sort: Annotated[ReturnSort, Query(description="`-` puts the last one first.")] = ReturnSort.DATE,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Return]:
    """Return the organization's returns of goods to vendors, the oldest first unless `sort` says otherwise: `open=true`
    is what to ask vendors for.

    A credit is expected of what was billed, went back and was not credited. The credit that names the return closes it.
    """
    wanted = ReturnsWanted(
        organization_id=caller.organization_id,
        connection_id=ConnectionId(connection) if connection else None,
        purchase_order_id=PurchaseOrderId(purchase_order) if purchase_order else None,
        number=number,
        vendor=vendor,
        date_from=date_from,
        date_to=date_to,
    )
    async with services.database.transaction() as session:
        shown, following = await page(session, wanted, is_open=is_open, sort=sort, limit=limit, cursor=cursor)
    return Page(items=[_return(one) for one in shown], next_cursor=following)


@router.get("/{return_id}", operation_id="getReturn", summary="Read a return", responses=answers("NOT_FOUND"))
async def read(return_id: Id, caller: Viewer, services: Services) -> Return:
    """Return one return of goods, with the credit that is expected for it."""
    async with services.database.transaction() as session:
        one = await returns.get(session, caller.organization_id, return_id)
        if one is None:
            raise not_found("return", return_id)
        (shown,) = await show(session, caller.organization_id, [one])
    return _return(shown)


def _return(shown: ShownReturn) -> Return:
    one = shown.returned
    return Return(
        id=one.id,
        connection_id=one.connection_id,
        number=one.number,
        vendor_id=one.vendor_id,
        vendor_name=one.vendor_name,
        purchase_order_id=one.purchase_order_id,
        purchase_order_number=one.order_number,
        entity=one.entity,
        returned_on=one.returned_on,
        currency=one.currency,
        memo=one.memo,
        lines=[
            ReturnLine(
                line_no=line.line_no,
                purchase_order_id=line.purchase_order_id,
                purchase_order_line_no=line.order_line_no,
                item_id=line.item_id,
                description=line.description,
                unit=line.unit,
                quantity=line.quantity,
                expected_quantity=expected,
                price=round(Decimal(line.price), 10),
            )
            for line, expected in zip(one.lines, shown.expected, strict=True)
        ],
        credits=list(one.credits),
        credited=one.credited,
        expected_credit=shown.amount,
        days_waiting=shown.days,
    )
