"""Counts the SQL statements a stack sends, by PostgreSQL's own log, so that no process needs to be asked."""

import re
from collections import Counter
from pathlib import Path
from types import TracebackType

import asyncpg
from sqlalchemy import make_url

_STATEMENT = re.compile(r"LOG:  (?:execute [^:]*|statement):\s+(\w+)((?:[^\n]*\n\t){0,2}[^\n]*)", re.IGNORECASE)
_FRAME = frozenset({"begin", "commit", "rollback", "savepoint", "release"})


class StatementLog:
    """Switches statement logging on inside `async with`; it slows PostgreSQL down, so never time what it counts."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._from = 0
        self.by_kind: dict[str, int] = {}
        self.by_text: dict[str, int] = {}
        """By their first line, the most frequent first."""

    @property
    def count(self) -> int:
        """Without the frames of transactions."""
        return sum(count for kind, count in self.by_kind.items() if kind not in _FRAME)

    async def __aenter__(self) -> "StatementLog":
        await self._set("all")
        log = await self._log_file()
        self._from = log.stat().st_size
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        log = await self._log_file()
        await self._set("none")
        with log.open("rb") as text:
            text.seek(self._from)
            found = _STATEMENT.findall(text.read().decode(errors="replace"))
        self.by_kind = dict(Counter(term.lower() for term, _ in found))
        self.by_text = dict(Counter(_short(term + rest) for term, rest in found).most_common())

    async def _set(self, what: str) -> None:
        connection = await self._connect()
        try:
            await connection.execute(f"alter system set log_statement = '{what}'")
            await connection.execute("select pg_reload_conf()")
            await connection.execute("select pg_sleep(0.2)")
        finally:
            await connection.close()

    async def _log_file(self) -> Path:
        connection = await self._connect()
        try:
            directory = Path(str(await connection.fetchval("show data_directory")))
        finally:
            await connection.close()
        return directory / "log"

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            host=str(self._url.query["host"]) if "host" in self._url.query else self._url.host,
            port=self._url.port,
            user=self._url.username,
            password=self._url.password or None,
            database=self._url.database,
        )


def _short(statement: str) -> str:
    """Enough of a statement to find it in the source: what it selects says less than where from."""
    words = " ".join(statement.split())
    table = re.search(r" FROM \S+.*", words) if words.upper().startswith("SELECT") else None
    return (f"SELECT ...{table.group()}" if table else words)[:120]
