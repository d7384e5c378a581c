"""Accounts as people name them in preferences and payments: internal id, number or name."""

import time

from erp.errors import Rejected
from erp.netsuite import wire
from erp.netsuite.lists import Lists
from erp.netsuite.wire import Held

KEEP_SECONDS = 600


class Accounts:
    """Accounts of a type, read when one is needed and kept for a while."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._kept: dict[str, tuple[float, list[Held]]] = {}

    async def find(self, account_type: str, named: str) -> str | None:
        """The internal id of an active account of that type ("": any); an id counts before a number or a name."""
        at, accounts = self._kept.get(account_type, (0.0, []))
        if not accounts or time.monotonic() - at > KEEP_SECONDS:
            accounts = await self._lists.accounts(account_type)
            self._kept[account_type] = (time.monotonic(), accounts)
        for field in (None, "acctNumber", "acctName"):
            for account in accounts:
                if named == (account.id if field is None else wire.text(account.fields, field)):
                    return account.id
        return None

    async def need(self, account_type: str, named: str, what: str) -> str:
        """As `find`. Raises ACCOUNT_REFUSED."""
        found = await self.find(account_type, named)
        if found is None:
            raise Rejected(
                f"NetSuite has no active {what} {named!r}.", code="ACCOUNT_REFUSED", evidence={"account": named}
            )
        return found
