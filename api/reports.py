"""Reports over all order lines: what is received and not billed, and what is billed ahead of its goods."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from api.auth import Caller, Viewer
from api.connections import load
from api.exact import ExactRoute
from api.problems import Problem, answers
from api.services import Services, ServiceSet
from api.shapes import Cursor, Day, Exact, Filter, Limit, columns
from matching.exact import money
from models.domain import ConnectionId
from models.store import grni
from models.store.grni import GrniLine as OpenLine
from models.store.grni import GrniScope, GrniTotal

router = APIRouter(prefix="/v1/reports", tags=["reports"], route_class=ExactRoute)

CSV = "text/csv"
IN_MEMORY = 2_000_000
"""Bytes of a CSV report that are kept in memory; the rest is on disk."""
PART = 64_000


class Ageing(BaseModel):
    """The accrual by the age of its receipts in days, counted back from the day of the report."""

    days_0_30: Exact
    days_31_60: Exact
    days_61_90: Exact
    days_over_90: Exact


class GrniLine(BaseModel):
    """One order line where received and billed differ. Quantities in the line's unit, money unrounded."""

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
    """The order's."""
    ordered: Exact
    received: Exact
    """R: by receipts dated up to the day, returns taken off."""
    billed: Exact
    """B: by bills posted up to the day."""
    pending: Exact
    """The part of `billed` on our bills that the ERP does not count yet."""
    undated: Exact
    """The part of `billed` the ERP reports without a bill we hold; below zero: bills it does not count."""
    accrual_quantity: Exact
    accrual: Exact
    """max(R - B, 0) at the order's price."""
    ageing: Ageing
    oldest_receipt: str | None
    """The oldest receipt that is not wholly billed."""
    oldest_receipt_on: date | None
    prepaid_quantity: Exact
    prepaid: Exact
    """max(B - R, 0) at the prices of the newest bills."""


class GrniSums(BaseModel):
    """Sums over lines. Accrual and prepaid are never netted."""

    lines: int
    undated_lines: int
    """How many of the lines have an `undated` part."""
    accrual: Exact
    ageing: Ageing
    prepaid: Exact


class GrniVendor(GrniSums):
    vendor_id: str
    vendor_name: str


class GrniCurrency(GrniSums):
    currency: str
    vendors: list[GrniVendor]


class GrniReport(BaseModel):
    as_of: date
    totals: list[GrniCurrency] | None
    """Of the whole report, by currency; on its first page only."""
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
    as_of: Annotated[Day | None, Query(description="The day it is drawn up for; today (UTC) without it.")] = None,
    format: Annotated[
        Literal["json", "csv"] | None, Query(description="Instead of the Accept header. CSV has all lines at once.")
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response | GrniReport:
    """Every order line where received and billed differ, by vendor and order number, as it stood on a day.

    Receipts count from their date, bills from their posting date. Quantities the ERP reports as billed without a bill
    we hold have no date: they count from the day the goods came, and the line shows them as `undated`.
    """
    scope = GrniScope(
        organization_id=caller.organization_id,
        as_of=as_of or datetime.now(UTC).date(),
        connection_id=await _connection(caller, services, connection),
        vendor_id=vendor,
    )
    if format == "csv" or (format is None and CSV in accept):
        if cursor is not None:
            raise Problem("VALIDATION_FAILED", "A CSV report has all lines and takes no cursor.")
        name = f"grni-{scope.as_of.isoformat()}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(
            _parts(await _as_csv(services, scope)), media_type=f"{CSV}; charset=utf-8", headers=headers
        )
    async with services.database.transaction() as session:
        found = await grni.page(session, scope, cursor=cursor, limit=limit)
        sums = await grni.totals(session, scope) if cursor is None else None
    return GrniReport(
        as_of=scope.as_of,
        totals=None if sums is None else _by_currency(sums),
        items=[_line(line) for line in found.items],
        next_cursor=found.next_cursor,
    )


async def _connection(caller: Caller, services: ServiceSet, connection: str | None) -> ConnectionId | None:
    if connection is None:
        return None
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection)
    if not row.purchase_orders_enabled:
        raise Problem("PO_FEATURE_OFF", status=404)
    return ConnectionId(row.id)


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
"""Unrounded, but with cents: 294.00 and 0.0125."""


async def _as_csv(services: ServiceSet, scope: GrniScope) -> IO[str]:
    """All lines in a temporary file; the header is there even when there are none.

    A slow reader of a long report would else hold a database connection for minutes, and the API has few.
    """
    with ExitStack() as unfinished:
        file = unfinished.enter_context(
            SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+", newline="", encoding="utf-8")
        )
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        async with services.database.transaction() as session:
            async for line in grni.stream(session, scope):
                shown = _line(line).model_dump()
                values = {**shown, **shown.pop("ageing"), "as_of": scope.as_of.isoformat()}
                for name in MONEY:
                    values[name] = money(Decimal(values[name]))
                writer.writerow([_cell(values[name]) for name in CSV_COLUMNS])
        file.seek(0)
        unfinished.pop_all()
    return file


def _parts(file: IO[str]) -> Iterator[str]:
    with file:
        while part := file.read(PART):
            yield part


def _cell(value: Any) -> str:
    """Numbers and dates as they are. Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        try:
            Decimal(value)
        except ArithmeticError:
            return f"'{value}"
    return str(value)
