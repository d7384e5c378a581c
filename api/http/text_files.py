"""Answer with a file of text: written whole to a temporary file first, then sent in parts.

Without the temporary file, a slow reader of a long file would hold a database connection for minutes, and the API has
few; and an error in the middle could no longer be answered as an error.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from fastapi.responses import StreamingResponse

IN_MEMORY = 2_000_000
"""Bytes of a file that are kept in memory; the rest goes to disk."""
PART = 64_000
FORMULA_BEGINS = tuple("=+-@\t\r\n＝＋－＠")
"""What a formula begins with; some spreadsheets take the wide forms for the plain ones."""


@asynccontextmanager
async def temporary_file() -> AsyncIterator[IO[str]]:
    """Open a temporary file to write; afterwards it stands at its beginning, for `file_answer`. An error closes it."""
    with ExitStack() as unfinished:
        file = unfinished.enter_context(
            SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+", newline="", encoding="utf-8")
        )
        yield file
        file.seek(0)
        unfinished.pop_all()


def file_answer(file: IO[str], name: str, media_type: str) -> StreamingResponse:
    """Return the answer that sends a temporary file under a name, and closes it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_parts(file), media_type=f"{media_type}; charset=utf-8", headers=headers)


def _parts(file: IO[str]) -> Iterator[str]:
    with file:
        while part := file.read(PART):
            yield part


def cell(value: Any) -> str:
    """Return a value as CSV text. Numbers and dates stay as they are; text that a spreadsheet would run as a formula
    gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value[:1] in FORMULA_BEGINS:
        try:
            Decimal(value)
        except ArithmeticError:
            return f"'{value}"
    return str(value)
