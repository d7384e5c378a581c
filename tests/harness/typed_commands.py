"""Commands as a person types them in a terminal of 80 columns, against an API over HTTP. Real: the whole command."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from typer.testing import CliRunner

from cli.main import app

Typed = Callable[..., Awaitable[str]]
"""Type `posync WORDS`: `role` or `key` says who does, `answer` what is typed where the command asks, `code` how it
ends. Returns what it prints, on one line."""


def terminal(url: str, keys: Mapping[str, str]) -> Typed:
    """Return what types commands; `keys` has one for each role."""

    async def typed(
        *words: str, role: str = "clerk", key: str | None = None, answer: str | None = None, code: int = 0
    ) -> str:
        env = {"POSYNC_API_URL": url, "POSYNC_API_KEY": key or keys[role], "COLUMNS": "80"}
        done = await asyncio.to_thread(CliRunner().invoke, app, list(words), input=answer, env=env)
        assert done.exit_code == code, (done.output, done.exception)
        assert max(map(len, done.output.splitlines()), default=0) <= 80, done.output
        return " ".join(done.output.split())

    return typed
