"""Enter the bills of a file: read row by row, and answered row by row."""

import io
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import IO, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from api.connections.routes import load
from api.http.auth import Clerk
from api.http.exact_json import ExactRoute
from api.http.problems import Problem, answers, problem_behind
from api.http.schemas import Filter
from api.http.services import Services
from api.imports.entry import BillEntry, Entered
from api.imports.placement import OrderFinder
from matching.suggest.suggestion import Confidence
from models.domain.ids import ConnectionId
from services.imports.bill_file import FileBill, read_bills
from services.imports.text_rows import LARGEST_FILE_BYTES, FileFormat, UnreadableFile, UnreadableRow

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=ExactRoute)

MEDIA_TYPES = {
    "text/csv": FileFormat.CSV,
    "application/jsonl": FileFormat.JSONL,
    "application/x-ndjson": FileFormat.JSONL,
}
IN_MEMORY = 1_000_000
"""Bytes of a file that are kept in memory; the rest goes to disk."""
ANSWER = "application/jsonl"

_BODY = {"content": {media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES}, "required": True}


@router.post(
    "/bills",
    operation_id="importBills",  # S5-159
    summary="Enter the bills of a file",
    response_class=Response,
    responses={
        200: {
            "content": {ANSWER: {"schema": {"type": "string"}}},
            "description": "One JSON object in each line: a bill (`kind` bill), a row that cannot be read "
            "(`unreadable_row`), and at last `end`.",
        },
        **answers("NOT_FOUND", "ROLE_TOO_LOW", "UNSUPPORTED_MEDIA_TYPE", "PAYLOAD_TOO_LARGE", "IMPORT_FILE_UNREADABLE"),
    },
    openapi_extra={"requestBody": _BODY},
)
async def import_bills(
    request: Request,
    caller: Clerk,
    services: Services,
    connection: Annotated[
        Filter, Query(description="Where orders are looked for; null: in all. Needed where rows name no order.")
    ] = None,
    accept: Annotated[
        Literal["sure", "likely"], Query(description="How sure a suggested order line must be to be used.")
    ] = "sure",
    line_offset: Annotated[
        int, Query(ge=0, le=10**12, description="Added to each line number: of a part of a larger file.")
    ] = 0,
) -> Response:
    """Enter the bills of a CSV file or of JSON lines, in the order of the file, each as `POST` of one bill does.

    All consecutive rows with the same vendor and invoice number are one bill. A bill with a row that cannot be read is
    left out whole, and the others go on. Each bill is one transaction, under a key made of its content: the same file
    sent again enters nothing twice, asks anew for what was refused, and goes on where an import was cut off.

    The answer begins at once and has a line for each bill as soon as it is decided. Its last line is
    `{"kind": "end", "complete": true}`; an import without it did not reach the end: send the file again.
    """
    written_as = _format(request)
    if connection is not None:
        async with services.database.transaction() as session:
            await load(session, services, caller, connection)
    file = await _received(request)
    try:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
        rows = read_bills(text, written_as, line_offset=line_offset)
    except UnreadableFile as error:
        file.close()
        raise Problem("IMPORT_FILE_UNREADABLE", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    searched = ConnectionId(connection) if connection else None
    entry = BillEntry(OrderFinder(services, caller, searched, Confidence(accept)))
    return StreamingResponse(_answer(text, rows, entry), media_type=ANSWER)


def _format(request: Request) -> FileFormat:
    """Return how the body is written.

    Raises:
        Problem: UNSUPPORTED_MEDIA_TYPE or PAYLOAD_TOO_LARGE.
    """
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "')
    if media_type.strip() not in MEDIA_TYPES or charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise Problem(
            "UNSUPPORTED_MEDIA_TYPE",
            f"The body is said to be {request.headers.get('content-type', '')!r}.",
            fix=(f"Send the file itself, in UTF-8, with the header Content-Type: {' or '.join(MEDIA_TYPES)}.",),
            headers={"Accept": ", ".join(MEDIA_TYPES)},
        )
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > LARGEST_FILE_BYTES:
        raise _too_large()
    return MEDIA_TYPES[media_type.strip()]


async def _received(request: Request) -> Any:
    """Return the body as a temporary file that stands at its beginning.

    Raises:
        Problem: PAYLOAD_TOO_LARGE; nothing was entered.
    """
    with ExitStack() as unless_it_is_read:
        file = unless_it_is_read.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))
        try:
            async for part in request.stream():
                file.write(part)
        except Problem as problem:
            raise _too_large() if problem.code == "PAYLOAD_TOO_LARGE" else problem from None
        file.seek(0)
        unless_it_is_read.pop_all()  # the answer closes it
    return file


def _too_large() -> Problem:
    most = LARGEST_FILE_BYTES // 1_000_000
    return Problem(
        "PAYLOAD_TOO_LARGE",
        f"An import takes at most {most} MB. Nothing of the file was entered.",
        fix=(f"Split the file between two invoices, into files of at most {most} MB.",),
        headers={"Connection": "close"},
    )


async def _answer(text: IO[str], rows: Iterator[FileBill | UnreadableRow], entry: BillEntry) -> AsyncIterator[str]:
    """Enter each bill and yield its result; at the end, how often each outcome was. Rows are read in a thread."""
    outcomes: Counter[str] = Counter()
    stopped: dict[str, Any] = {}
    with text:
        while (read := await run_in_threadpool(next, rows, None)) is not None:
            if isinstance(read, UnreadableRow):
                outcomes["unreadable_row"] += 1
                yield _line(kind="unreadable_row", line=read.line, column=read.column, problem=read.problem)
                continue
            try:
                done = await entry.enter(read)
            except Exception as error:  # noqa: BLE001 the answer has begun, so it is said in its last line
                problem = problem_behind(error)
                stopped = {"code": problem.code, "detail": problem.detail, "stopped_at": read.rows}
                break
            outcomes[done.outcome] += 1
            yield _line(**_shown(read, done))
    yield _line(kind="end", complete=not stopped, outcomes=dict(sorted(outcomes.items())), **stopped)


def _shown(bill: FileBill, done: Entered) -> dict[str, Any]:
    return {
        "kind": "bill",
        "number": bill.number,
        "vendor_id": bill.vendor_id,
        "po_number": bill.po_number,
        "rows": bill.rows,
        "outcome": done.outcome,
        "code": done.code,
        "detail": done.detail,
        "findings": list(done.findings),
        "bill_id": done.bill_id,
    }


def _line(**values: Any) -> str:
    return json.dumps(values) + "\n"
