"""Figures with their goals, printed side by side."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured number. `met` is None where it has no goal."""

    name: str
    value: float
    unit: str
    goal: str = ""
    met: bool | None = None
    note: str = ""


def at_least(name: str, value: float, unit: str, goal: float, *, note: str = "") -> Figure:
    return Figure(name, value, unit, f"at least {goal:,g}", value >= goal, note)


def at_most(name: str, value: float, unit: str, goal: float, *, note: str = "") -> Figure:
    return Figure(name, value, unit, f"at most {goal:,g}", value <= goal, note)


@dataclass
class Report:
    """All figures of one run, by section."""

    console: Console
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def add(self, section: str, figures: Sequence[Figure]) -> None:
        """Keep a section and print it at once: a long run shows what it has."""
        self.figures[section] = list(figures)
        table = Table(title=section, title_justify="left")
        for heading in ("figure", "value", "unit", "goal", "", "note"):
            table.add_column(heading, justify="right" if heading == "value" else "left")
        for figure in figures:
            verdict = "" if figure.met is None else ("[green]ok[/]" if figure.met else "[red]missed[/]")
            table.add_row(figure.name, shown(figure.value), figure.unit, figure.goal, verdict, figure.note)
        self.console.print(table)

    @property
    def missed(self) -> list[str]:
        return [figure.name for section in self.figures.values() for figure in section if figure.met is False]

    def save(self, file: Path) -> None:
        sections = {name: [asdict(figure) for figure in figures] for name, figures in self.figures.items()}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"figures": sections, "details": self.details}, indent=2))


def wide_console() -> Console:
    """A console that does not squeeze tables when its output goes to a file."""
    console = Console()
    return console if console.is_terminal else Console(width=132)


def shown(value: float) -> str:
    """Three significant digits are more than a shared machine can promise."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile. Raises ValueError on no values."""
    if not values:
        raise ValueError("no values to take a percentile of")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
