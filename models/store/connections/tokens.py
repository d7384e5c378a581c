"""Store tokens that an ERP changes while they are used: of all workers, only one at a time asks for new ones."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.store.base.database import Database


class Vault(Protocol):
    """Encrypts and decrypts values (`credentials.CredentialVault`)."""

    def seal(self, values: Mapping[str, str]) -> bytes: ...

    def open(self, sealed: bytes) -> dict[str, str]: ...


class _Sealed(NamedTuple):
    """The stored tokens, or the credentials if these are newer."""

    value: bytes
    credentials_version: int


_CURRENT = text(
    """
    select case when t.credentials_version = c.credentials_version then coalesce(t.sealed, c.credentials)
                else c.credentials end as value,
           c.credentials_version
      from connections c left join connection_tokens t on t.connection_id = c.id where c.id = :id
    """
)


class StoredTokens:
    """The tokens of one connection in the database: a `TokenStore` (erp/tokens.py).

    Until they are rotated for the first time, and again after new credentials are saved, the tokens are the
    credentials.
    """

    def __init__(self, database: Database, vault: Vault, connection_id: ConnectionId) -> None:
        self._database = database
        self._vault = vault
        self._connection_id = connection_id

    async def current(self) -> Mapping[str, str]:
        """Return the tokens to use now."""
        async with self._database.statement() as session:
            return self._vault.open((await self._stored(session)).value)

    async def rotate(
        self, old: Mapping[str, str], refresh: Callable[[Mapping[str, str]], Awaitable[Mapping[str, str]]]
    ) -> Mapping[str, str]:
        """Return newer tokens than `old`: those that another worker stored meanwhile, or else those that `refresh`
        returns.

        The row is locked while the ERP is asked: the second caller waits for the answer and does not ask too.
        """
        async with self._database.transaction() as session:
            await session.execute(
                text(
                    "insert into connection_tokens (connection_id, credentials_version) select id, credentials_version"
                    " from connections where id = :id on conflict (connection_id) do nothing"
                ),
                {"id": self._connection_id},
            )
            await session.execute(
                text("select from connection_tokens where connection_id = :id for update"), {"id": self._connection_id}
            )
            stored = await self._stored(session)
            tokens = self._vault.open(stored.value)
            if tokens != dict(old):
                return tokens
            new = await refresh(tokens)
            await session.execute(
                text(
                    "update connection_tokens set sealed = :sealed, credentials_version = :version, changed_at = now()"
                    " where connection_id = :id"
                ),
                {
                    "id": self._connection_id,
                    "sealed": self._vault.seal(new),
                    "version": stored.credentials_version,
                },
            )
        return new

    async def _stored(self, session: AsyncSession) -> _Sealed:
        row = (await session.execute(_CURRENT, {"id": self._connection_id})).one()
        return _Sealed(row.value, row.credentials_version)
