"""Format output for the terminal: one console, and refusals with their reason and fix."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.panel import Panel
from rich.style import StyleType
from rich.table import Column, Table
from rich.text import Text

from cli.client.api_client import Api, ApiProblem, api_from_environment
from settings import CommandVariable

console = Console()
errors = Console(stderr=True)

StateDir = Annotated[
    Path, typer.Option("--state-dir", envvar=CommandVariable.STATE_DIR, help="Where the local stack keeps its state.")
]
DEFAULT_STATE_DIR = Path(".posync")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def explain(problem: ApiProblem) -> Panel:
    """Return a refusal as a panel: what and where, why, who can fix it and how."""
    text = Text(problem.detail or problem.title)
    for line in problem.named():
        text.append(f"\n  {line}")
    for step in problem.fix:
        text.append(f"\n• {step}")
    if problem.who:
        text.append(f"\nWho can fix it: {problem.who}", style="dim")
    return Panel(text, title=f"{problem.code} · {problem.title}", title_align="left", border_style="red")


def api(state_dir: Path) -> Api:
    """Return the API that the environment names, or that of the running stack."""
    return api_from_environment(state_dir)


class _Plain(Table):
    """A table that shows cells unchanged: in an ERP's own texts, square brackets are no mark-up."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Show the table where its words fit beside each other, else each row as a list: a table that breaks words in
        two cannot be read."""
        room = options.max_width - 3 * len(self.columns) - 1  # a border and two spaces for each column
        widths = _widths(self.columns, room)
        if widths is not None:
            for column, width in zip(self.columns, widths, strict=True):
                column.width = width
            yield from super().__rich_console__(console, options)
            return
        if self.title:
            yield Text(str(self.title), style="bold")
        for row in zip(*(column.cells for column in self.columns), strict=True):
            first, *others = (_text(cell) for cell in row)
            yield Text(first, style="bold")
            for column, said in zip(self.columns[1:], others, strict=True):
                if said:
                    yield Text(f"  {_text(column.header)}: {said}")
        if self.caption:
            yield Text(str(self.caption), style="dim")

    def add_row(self, *cells: RenderableType | None, style: StyleType | None = None, end_section: bool = False) -> None:
        shown = (Text(cell) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*shown, style=style, end_section=end_section)


def first_of(items: Iterable[dict[str, Any]], limit: int) -> tuple[list[dict[str, Any]], str]:
    """Return the first items of a list, and how to see the others; empty: these are all."""
    first = list(islice(items, limit + 1))
    more = f"There are more than these {limit}: --limit {limit * 10} shows more." if len(first) > limit else ""
    return first[:limit], more


def say_more(more: str) -> None:
    """Say behind a list that it has more, beside the output for programs."""
    if more:
        errors.print(more)


def quantity(written: str | None) -> str:
    """Return a quantity without the zeros behind it, however the ERP wrote it: 200.0 and 200 are shown as 200."""
    if written is None:
        return ""
    whole, point, decimals = str(written).partition(".")
    return (whole + point + decimals.rstrip("0")).rstrip(".") if point else whole


def moment(instant: str | None) -> str:
    """Return an instant of the API to the minute, like 2026-11-30 09:15 UTC."""
    return "" if instant is None else f"{instant[:16].replace('T', ' ')} UTC"


def _text(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


def _widths(columns: Sequence[Column], room: int) -> list[int] | None:
    """Return how wide each column is: whole lines where there is room, else at least the longest word; None: not even
    the words fit. The library's own way may come out wider than the terminal."""
    whole = [max(cell_len(_text(cell)) for cell in (column.header, *column.cells)) for column in columns]
    words = [max(_needed(cell, column) for cell in (column.header, *column.cells)) for column in columns]
    left = room - sum(words)
    if left < 0:
        return None
    widths = list(words)
    # The least that is missing first: as many columns as possible show whole lines.
    for place in sorted(range(len(columns)), key=lambda place: whole[place] - words[place]):
        more = min(whole[place] - words[place], left)
        widths[place] += more
        left -= more
    return widths


def _needed(cell: RenderableType, column: Column) -> int:
    """Return how wide a cell must be at least: its longest word, or all of it where it may not wrap."""
    parts = [_text(cell)] if column.no_wrap else _text(cell).split()
    return max((cell_len(part) for part in parts), default=1)


def table(title: str, *columns: str, right: tuple[str, ...] = (), whole: tuple[str, ...] = ("id",)) -> Table:
    """Return a table whose `right` columns hold numbers, which never wrap. `whole` columns are never cut, so that
    what is in them can be copied; on a narrow terminal other columns wrap."""
    made = _Plain(title=Text(title), title_justify="left", header_style="bold", min_width=min(len(title), 70))
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        made.add_column(column, justify=justify, no_wrap=column in (*whole, *right), overflow="fold")
    return made
