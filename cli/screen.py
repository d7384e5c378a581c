"""How things look on the terminal: one console, refusals with their reason and their fix."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from cli.api_client import Api, ApiProblem, api_from_environment

console = Console()
errors = Console(stderr=True)

StateDir = Annotated[
    Path, typer.Option("--state-dir", envvar="POSYNC_STATE_DIR", help="Where the local stack keeps its state.")
]
DEFAULT_STATE_DIR = Path(".posync")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def explain(problem: ApiProblem) -> Panel:
    """A refusal: what, why, who can fix it and how."""
    text = Text(problem.detail or problem.title)
    for step in problem.fix:
        text.append(f"\n• {step}")
    if problem.who:
        text.append(f"\nWho can fix it: {problem.who}", style="dim")
    return Panel(text, title=f"{problem.code} · {problem.title}", title_align="left", border_style="red")


def api(state_dir: Path) -> Api:
    return api_from_environment(state_dir)


class _Plain(Table):
    """Cells are shown as they are: in an ERP's own words, square brackets are no mark-up."""

    def add_row(self, *cells: RenderableType | None, style: StyleType | None = None, end_section: bool = False) -> None:
        shown = (Text(cell) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*shown, style=style, end_section=end_section)


def table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table whose `right` columns hold numbers. Ids stay whole, to be copied; on a narrow terminal others fold."""
    made = _Plain(title=Text(title), title_justify="left", header_style="bold", min_width=min(len(title), 70))
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        made.add_column(column, justify=justify, no_wrap=column == "id", overflow="fold")
    return made
