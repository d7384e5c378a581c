"""Find accounts by the names people use in preferences and payments: internal id, number or name."""

import time

from erp.errors import Rejected
from erp.netsuite import wire
from erp.netsuite.lists import BANK, CARD, Lists
from erp.netsuite.wire import NsRecord

KEEP_SECONDS = 600


class Accounts:
    """Finds accounts by type. They are read when one is needed, and kept for a while."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._kept: dict[str, tuple[float, list[NsRecord]]] = {}

    async def find(self, account_type: str, named: str) -> str | None:
        """Return the internal id of an active account of this type ("": any type); None: there is none. An id is tried
        before a number, a number before a name."""
        at, accounts = self._kept.get(account_type, (0.0, []))
        if not accounts or time.monotonic() - at > KEEP_SECONDS:
            accounts = await self._lists.accounts(account_type)
            self._kept[account_type] = (time.monotonic(), accounts)
        for field in (None, "acctNumber", "acctName"):
            for account in accounts:
                if named == (account.id if field is None else wire.text(account.fields, field)):
                    return account.id
        return None

    async def need_money(self, named: str) -> str:
        """Return the bank or card account that a payment names.

        Raises:
            Rejected: ACCOUNT_REFUSED, when there is none.
        """
        return await self.find(CARD, named) or await self.need(BANK, named, "bank or credit card account")

    async def need(self, account_type: str, named: str, what: str) -> str:
        """Return the account as `find` does; `what` names its use, for the error text.

        Raises:
            Rejected: ACCOUNT_REFUSED, when there is none.
        """
        result = await self.find(account_type, named)
        if result is None:
            raise Rejected(
                f"NetSuite has no active {what} {named!r}.", code="ACCOUNT_REFUSED", evidence={"account": named}
            )
        return result
