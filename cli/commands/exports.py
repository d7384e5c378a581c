"""`posync export`: save all orders, bills, credits, payments, issues or events in a file."""

import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from cli.client.terminal import DEFAULT_STATE_DIR, StateDir, api, errors
from models.domain.exports import ExportKind


class Format(StrEnum):
    """How the file is written."""

    CSV = "csv"
    JSONL = "jsonl"


def export(
    kind: Annotated[ExportKind, typer.Argument(help="What to export.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file; without it, it is printed.")] = None,
    format: Annotated[Format, typer.Option(help="csv for spreadsheets, jsonl for programs.")] = Format.CSV,
    connection: Annotated[str | None, typer.Option(help="Only this connection, by its id.")] = None,
    changed_since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what changed since this day (UTC).")
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Save all orders, bills, credits, payments, issues or events in a file."""
    since = changed_since.replace(tzinfo=UTC).isoformat() if changed_since else None
    query = {"format": format.value, "connection": connection, "changed_since": since}
    with ExitStack() as resources:
        parts = resources.enter_context(api(state_dir)).text(f"/v1/exports/{kind.value}", **query)
        first = next(parts, "")  # a refusal comes here, before a file of that name is touched
        file = resources.enter_context(output.open("w", encoding="utf-8", newline="")) if output else sys.stdout
        for part in chain((first,), parts):
            file.write(part)
    if output is not None:
        errors.print(f"saved {output}")
