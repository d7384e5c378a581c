"""The account's currencies: references on documents carry an internal id, the ISO code is the currency's symbol (4)."""

import asyncio
from collections.abc import Mapping

from erp.netsuite import wire
from erp.netsuite.reader import Reader


class Currencies:
    """Read once per connector, and again when a document names one that was not there yet."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._symbols: Mapping[str, str] | None = None
        self._base = ""
        self._asked: set[str] = set()
        self._reading = asyncio.Lock()

    async def load(self) -> None:
        """Have them before documents are translated. One call in the life of a connector."""
        if self._symbols is None:
            async with self._reading:
                if self._symbols is None:
                    await self._read()

    async def know(self, ids: set[str]) -> None:
        """Make sure that these ids are known, as far as NetSuite knows them; each is asked for once."""
        await self.load()
        unknown = ids - (self._symbols or {}).keys() - self._asked
        if unknown:
            async with self._reading:
                self._asked |= unknown
                await self._read()

    async def _read(self) -> None:
        symbols: dict[str, str] = {}
        for currency in await self._reader.all_of("currency"):
            symbol = wire.text(currency.fields, "symbol") or ""
            symbols[currency.id] = symbol
            if wire.flag(currency.fields, "isBaseCurrency"):
                self._base = symbol
        self._symbols = symbols

    def of(self, fields: wire.Fields) -> str:
        """A document's ISO code. Without the feature Multiple Currencies documents name none: it is the base."""
        reference = wire.ref(fields, "currency")
        if reference is None:
            return self._base
        # A currency nobody knows is shown by its name, so that it is not taken for the base currency.
        return (self._symbols or {}).get(reference.id) or reference.name or reference.id
