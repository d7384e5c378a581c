"""Translate currencies: references on documents carry an internal id, and the ISO code is the currency's symbol (4)."""

import asyncio
from collections.abc import Mapping

from erp.errors import AuthenticationFailed
from erp.netsuite import wire
from erp.netsuite.reader import Reader
from erp.netsuite.wire import NsRecord


class Currencies:
    """Reads the currencies once per connector, and again when a document names one that was not there yet."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._symbols: Mapping[str, str] | None = None
        self._base = ""
        self._asked: set[str] = set()
        self._reading = asyncio.Lock()

    async def load(self) -> None:
        """Read the currencies before documents are translated: one call in the life of a connector."""
        if self._symbols is None:
            async with self._reading:
                if self._symbols is None:
                    await self._read()

    async def know(self, ids: set[str]) -> None:
        """Read the currencies with these ids, as far as NetSuite has them; each is asked for once."""
        await self.load()
        unknown = ids - (self._symbols or {}).keys() - self._asked
        if unknown:
            async with self._reading:
                self._asked |= unknown
                await self._read()

    async def by_code(self) -> Mapping[str, str]:
        """Return the internal ids of the account's currencies by their ISO codes; empty: it names none."""
        await self.load()
        return {symbol: internal_id for internal_id, symbol in (self._symbols or {}).items() if symbol}

    async def _read(self) -> None:
        symbols: dict[str, str] = {}
        for currency in await self._reader.all_of("currency"):
            symbol = wire.text(currency.fields, "symbol") or ""
            symbols[currency.id] = symbol
            if wire.flag(currency.fields, "isBaseCurrency"):
                self._base = symbol
        self._symbols = symbols

    async def of_the_books(self, subsidiary: NsRecord | None) -> str | None:
        """Return the currency that the books of this subsidiary, or of the whole account, are kept in; None: NetSuite
        does not say, or the role may not read currencies."""
        try:
            await self.load()
        except AuthenticationFailed as error:
            if error.code != "PERMISSION_DENIED":
                raise
            return None
        own = wire.ref(subsidiary.fields, "currency") if subsidiary is not None else None
        if own is not None:
            return (self._symbols or {}).get(own.id) or None
        return self._base or None

    def of(self, fields: wire.Fields) -> str:
        """Return a document's ISO currency code. Without the feature Multiple Currencies documents name none: then it
        is the base currency."""
        reference = wire.ref(fields, "currency")
        if reference is None:
            return self._base
        # A currency nobody knows is shown by its name, so that it is not taken for the base currency.
        return (self._symbols or {}).get(reference.id) or reference.name or reference.id
