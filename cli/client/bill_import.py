"""Send a file of bills to the API, and return what became of each bill and of each row that cannot be read."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from cli.client.api_client import Api
from services.imports.outcomes import BillOutcome
from services.imports.parts import split
from services.imports.text_rows import LARGEST_FILE_BYTES, FileFormat, UnreadableRow

MEDIA_TYPES = {FileFormat.CSV: "text/csv", FileFormat.JSONL: "application/jsonl"}


@dataclass(frozen=True)
class Imported:
    """The result of one bill."""

    number: str
    vendor_id: str
    po_number: str
    rows: list[int]
    """Its lines of the file."""
    outcome: BillOutcome
    code: str
    detail: str
    findings: list[str]
    """The codes of all findings of its match; `code` is that of the worst."""
    bill_id: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON for programs."""
        return asdict(self)


@dataclass(frozen=True)
class Stopped:
    """The import did not reach the end of the file, and why."""

    code: str
    detail: str


def import_bills(
    client: Api, path: Path, *, connection: str | None = None, accept: str = "sure"
) -> Iterator[Imported | UnreadableRow | Stopped]:
    """Send the file, and return each result as soon as it is decided. A name that ends with `.jsonl` is JSON lines.

    For bills that name no order, the orders of `connection` are searched; it may be left out if there is only one.
    `accept` is the lowest confidence at which a suggestion is used: sure or likely.

    A file that is larger than the API takes is sent in parts, one after the other.

    Raises:
        ApiProblem: the API refuses the file.
    """
    written_as = FileFormat.JSONL if path.suffix.lower() in (".jsonl", ".ndjson") else FileFormat.CSV
    query: dict[str, str | None] = {"connection": connection, "accept": accept}
    with path.open("rb") as file:
        if path.stat().st_size <= LARGEST_FILE_BYTES:
            yield from _send(client, file, written_as, query)
            return
        for part in split(file, written_as, LARGEST_FILE_BYTES):
            if isinstance(part, UnreadableRow):
                yield part
                continue
            of_part = {**query, "line_offset": str(part.line_offset)}
            with part.content as content:
                for said in _send(client, content, written_as, of_part):
                    yield said
                    if isinstance(said, Stopped):
                        return


def _send(
    client: Api, file: IO[bytes], written_as: FileFormat, query: Mapping[str, str | None]
) -> Iterator[Imported | UnreadableRow | Stopped]:
    for said in client.upload("/v1/imports/bills", file, MEDIA_TYPES[written_as], **query):
        kind = said.pop("kind")
        if kind == "bill":
            yield Imported(**said | {"outcome": BillOutcome(said["outcome"])})
        elif kind == "unreadable_row":
            yield UnreadableRow(**said)
        else:
            if not said["complete"]:
                yield Stopped(said["code"], said["detail"])
            return
    yield Stopped("IMPORT_CUT_OFF", "the answer ended before the end of the file")
