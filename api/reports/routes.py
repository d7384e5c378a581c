"""Report over all order lines: what is received and not billed, and what is billed ahead of its goods."""

import csv
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import IO, Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response

from api.connections.routes import load
from api.http.auth import Caller, Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.schemas import Cursor, Day, Exact, Filter, Limit, Money, columns
from api.http.services import Services, ServiceSet
from api.http.text_files import cell, file_answer, temporary_file
from matching.kernel.exact import money
from models.domain.ids import ConnectionId
from models.store.base.today import today_in
from models.store.connections import connections
from models.store.orders import grni
from models.store.orders.grni import GrniLine as OpenLine
from models.store.orders.grni import GrniScope, GrniTotal

router = APIRouter(prefix="/v1/reports", tags=["reports"], route_class=ExactRoute)

CSV = "text/csv"


class Ageing(Output):
    """The accrual by the age of its receipts, in days counted back from the day of the report."""

    days_0_30: Money
    days_31_60: Money
    days_61_90: Money
    days_over_90: Money


class GrniLine(Output):
    """One order line where the received and the billed quantity differ. Quantities are in the line's unit; money is
    rounded half up to the cent."""

    connection_id: str
    vendor_id: str
    vendor_name: str
    currency: str
    purchase_order_id: str
    purchase_order_number: str
    line_no: int
    item_id: str
    description: str
    unit: str
    closed: bool
    price: Exact
    """The order's price, per the line's unit."""
    ordered: Exact
    received: Exact
    """R: quantity on receipts dated up to the day, less returns."""
    billed: Exact
    """B: quantity on bills posted up to the day."""
    pending: Exact
    """The part of `billed` that is on our bills and that the ERP does not count yet."""
    undated: Exact
    """The part of `billed` for which the ERP reports no bill that we hold. Below zero: bills that the ERP does not
    count."""
    accrual_quantity: Exact
    accrual: Money
    """max(R - B, 0) at the order's price."""
    ageing: Ageing
    oldest_receipt: str | None
    """The day of the oldest receipt that is not wholly billed."""
    oldest_receipt_on: date | None
    prepaid_quantity: Exact
    prepaid: Money
    """max(B - R, 0) at the prices of the newest bills."""


class GrniSums(Output):
    """Sums over lines, in one currency. Accrual and prepaid are never netted against each other."""

    lines: int
    undated_lines: int
    """How many of the lines have an `undated` part."""
    accrual: Money
    ageing: Ageing
    prepaid: Money


class GrniVendor(GrniSums):
    vendor_id: str
    vendor_name: str


class GrniCurrency(GrniSums):
    currency: str
    vendors: list[GrniVendor]


class GrniReport(Output):
    as_of: date
    totals: list[GrniCurrency] | None
    """Totals of the whole report by currency; only on the first page."""
    items: list[GrniLine]
    next_cursor: str | None = None


@router.get(
    "/grni",
    operation_id="reportGrni",
    summary="Goods received and not billed, and billed ahead",
    response_model=GrniReport,
    responses={
        200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "The report, as JSON or as CSV."},
        **answers("NOT_FOUND", "INVALID_CURSOR", "PO_FEATURE_OFF"),
    },
)
async def grni_report(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    vendor: Filter = None,
    as_of: Annotated[
        Day | None, Query(description="The day of the report; default: today, in the connection's time zone.")
    ] = None,
    format: Annotated[
        Literal["json", "csv"] | None,
        Query(description="Overrides the Accept header. CSV has all lines in one answer."),
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response | GrniReport:
    """Report every order line where the received and the billed quantity differ, by vendor and order number, as of a
    day.

    Receipts count from their date, bills from their posting date. Quantities that the ERP reports as billed, but
    without a bill we hold, have no date: they count from the day the goods came, and the line shows them as `undated`.
    """
    of_connection = await _connection(caller, services, connection)
    scope = GrniScope(
        organization_id=caller.organization_id,
        as_of=as_of or await _today(caller, services, of_connection),
        connection_id=of_connection,
        vendor_id=vendor,
    )
    if format == "csv" or (format is None and CSV in accept):
        if cursor is not None:
            raise Problem("VALIDATION_FAILED", "A CSV report has all lines and takes no cursor.")
        name = f"grni-{scope.as_of.isoformat()}.csv"
        return file_answer(await _as_csv(services, scope), name, CSV)
    async with services.database.transaction() as session:
        listing = await grni.page(session, scope, cursor=cursor, limit=limit)
        sums = await grni.totals(session, scope) if cursor is None else None
    return GrniReport(
        as_of=scope.as_of,
        totals=None if sums is None else _by_currency(sums),
        items=[_line(line) for line in listing.items],
        next_cursor=listing.next_cursor,
    )


async def _connection(caller: Caller, services: ServiceSet, connection: str | None) -> ConnectionId | None:
    if connection is None:
        return None
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection)
    if not row.purchase_orders_enabled:
        raise Problem("PO_FEATURE_OFF", status=404)
    return ConnectionId(row.id)


async def _today(caller: Caller, services: ServiceSet, connection_id: ConnectionId | None) -> date:
    """Return which day it is for the connection, or for all of the organization's: the latest day that it is there."""
    async with services.database.transaction() as session:
        rows = await connections.list_for(session, caller.organization_id)
    zones = [row.time_zone for row in rows if connection_id in (None, row.id)]
    return max(map(today_in, zones), default=today_in(None))


def _line(line: OpenLine) -> GrniLine:
    return GrniLine(
        **columns(line, GrniLine),
        purchase_order_number=line.number,
        ageing=Ageing(**columns(line, Ageing)),
        oldest_receipt=line.oldest,
        oldest_receipt_on=line.oldest_on,
    )


def _by_currency(totals: Sequence[GrniTotal]) -> list[GrniCurrency]:
    by_currency: dict[str, list[GrniTotal]] = {}
    for total in totals:
        by_currency.setdefault(total.currency, []).append(total)
    return [
        GrniCurrency(
            currency=currency,
            vendors=[GrniVendor(**_sums([one]), vendor_id=one.vendor_id, vendor_name=one.vendor_name) for one in some],
            **_sums(some),
        )
        for currency, some in by_currency.items()
    ]


def _sums(totals: Sequence[GrniTotal]) -> dict[str, Any]:
    def total(name: str) -> Decimal:
        return sum((getattr(one, name) for one in totals), Decimal(0))

    return {
        "lines": sum(one.lines for one in totals),
        "undated_lines": sum(one.undated_lines for one in totals),
        "accrual": total("accrual"),
        "prepaid": total("prepaid"),
        "ageing": Ageing(**{name: total(name) for name in Ageing.model_fields}),
    }


CSV_COLUMNS = (
    "as_of",
    *(name for name in GrniLine.model_fields if name != "ageing"),
    *Ageing.model_fields,
)
MONEY = {"price", "accrual", "prepaid", *Ageing.model_fields}
"""Columns that hold money, written with cents: 294.00. A price is as the order has it: 0.0125."""


async def _as_csv(services: ServiceSet, scope: GrniScope) -> IO[str]:
    """Write all lines to a temporary file and return it. The header is there even when there are no lines."""
    async with temporary_file() as file, services.database.transaction() as session:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        async for line in grni.stream(session, scope):
            shown = _line(line).model_dump()
            values = {**shown, **shown.pop("ageing"), "as_of": scope.as_of.isoformat()}
            for name in MONEY:
                values[name] = money(Decimal(values[name]))
            writer.writerow([cell(values[name]) for name in CSV_COLUMNS])
    return file
