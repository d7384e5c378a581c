"""Export all rows of a kind as one file, as CSV or as JSON lines."""

import csv
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import IO, Annotated, Any

from fastapi import APIRouter, Query, Response

from api.connections.routes import load
from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.problems import answers
from api.http.schemas import Filter, Instant
from api.http.services import Services
from api.http.text_files import cell, file_answer, temporary_file
from matching.kernel.exact import rounded
from models.domain.currencies import DECIMALS
from models.domain.exports import ColumnKind, ExportKind
from models.domain.ids import ConnectionId
from models.store.exports import rows
from models.store.exports.rows import EXPORTS, ExportScope

router = APIRouter(prefix="/v1/exports", tags=["exports"], route_class=ExactRoute)


class ExportFormat(StrEnum):
    """How an export is written."""

    CSV = "csv"
    """One header row, then one row each; a spreadsheet opens it."""
    JSONL = "jsonl"
    """One JSON object in each line."""


MEDIA_TYPES = {ExportFormat.CSV: "text/csv", ExportFormat.JSONL: "application/jsonl"}


@router.get(
    "/{kind}",
    operation_id="exportRows",
    summary="Export orders, bills, credits, payments, issues or events as a file",
    response_class=Response,
    responses={
        200: {
            "content": {media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()},
            "description": "The file, as CSV or as JSON lines.",
        },
        **answers("NOT_FOUND"),
    },
)
async def export_rows(
    kind: ExportKind,
    caller: Viewer,
    services: Services,
    format: Annotated[ExportFormat, Query(description="How the file is written.")] = ExportFormat.CSV,
    connection: Filter = None,
    changed_since: Instant | None = None,
) -> Response:
    """Return every row of one kind in the order in which it came, all of one moment.

    Orders, bills and credits have a row for each line. Money has its currency's decimals, quantities and prices all
    their digits. In CSV, text that a spreadsheet would run as a formula has an apostrophe in front. Orders of
    connections whose purchase order feature is off are left out.
    """
    scope = ExportScope(caller.organization_id, changed_since=changed_since)
    if connection is not None:
        async with services.database.transaction() as session:
            owned = await load(session, services, caller, connection)
        scope = scope._replace(connection_id=ConnectionId(owned.id))
    shown = [(name, _AS_JSON[column]) for name, (column, _) in EXPORTS[kind].columns.items()]
    async with temporary_file() as file, services.database.transaction() as session:
        write = _row_writer(file, format, [name for name, _ in shown])
        async for row in rows.stream(session, kind, scope):
            write({name: None if row[name] is None else show(row[name]) for name, show in shown})
    name = f"{kind}-{datetime.now(UTC).date().isoformat()}.{format}"
    return file_answer(file, name, MEDIA_TYPES[format])


def _row_writer(file: IO[str], format: ExportFormat, names: list[str]) -> Callable[[Mapping[str, Any]], None]:
    """Return a function that writes a row. The header of a CSV file is there even when there are no rows."""
    writer = csv.writer(file)

    def write_csv(row: Mapping[str, Any]) -> None:
        writer.writerow([_csv_cell(row[name]) for name in names])

    def write_json(row: Mapping[str, Any]) -> None:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")

    if format is ExportFormat.JSONL:
        return write_json
    writer.writerow(names)
    return write_csv


def _csv_cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else cell(value)


def _exact(value: Decimal | int) -> str | int:
    return value if isinstance(value, int) else format(value, "f")


_AS_JSON: Mapping[ColumnKind, Callable[[Any], Any]] = {
    ColumnKind.TEXT: str,
    ColumnKind.MONEY: lambda value: format(rounded(value, DECIMALS), "f"),
    ColumnKind.NUMBER: _exact,
    ColumnKind.DAY: lambda value: value.isoformat(),
    ColumnKind.INSTANT: lambda value: value.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    ColumnKind.SWITCH: bool,
    ColumnKind.DETAILS: dict,
}
