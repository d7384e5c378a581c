"""The help of every command on a terminal of 80 columns."""

from collections.abc import Iterator
from typing import Any

import click
import pytest
import typer.main
from click.testing import CliRunner

from cli.main import app

ROOT = typer.main.get_command(app)
"""Built once: it takes a tenth of a second, and there are some two hundred commands."""


def every_command() -> Iterator[tuple[str, ...]]:
    def below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        if isinstance(command, click.Group) or hasattr(command, "list_commands"):
            context = click.Context(command)
            for name in command.list_commands(context):
                yield from below(command.get_command(context, name), (*path, name))

    return below(ROOT, ())


def test_help_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """F4, faults-2 kind 9: the lists of commands told of exceptions, and `connect --help` cut the names of its
    options: `--sender-passwo…`."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    paths = list(every_command())
    assert {("connect", "netsuite"), ("bills", "show")} <= set(paths)
    for path in paths:
        shown = CliRunner().invoke(ROOT, [*path, "--help"])
        assert shown.exit_code == 0, (path, shown.output)
        assert not {"…", "Raises:"} & {*shown.output, *shown.output.split()}, (path, shown.output)
        assert max(map(len, shown.output.splitlines())) <= 80, path
