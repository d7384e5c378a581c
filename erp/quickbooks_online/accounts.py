"""Find accounts by the names people use in preferences and payments: id, number or name."""

import time

from erp.errors import Rejected
from erp.quickbooks_online import wire
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.wire import Entity

KEEP_SECONDS = 600

BANK = "Bank"
CARD = "Credit Card"
PAYABLE = "Accounts Payable"


class Accounts:
    """Finds accounts by type. They are read when one is needed, and kept for a while."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._read_at = float("-inf")
        self._accounts: list[Entity] = []

    async def find(self, account_type: str, named: str) -> str | None:
        """Return the id of an active account of this type ("": any type); None: there is none. An id is tried before a
        number, a number before a name."""
        if time.monotonic() - self._read_at > KEEP_SECONDS:
            self._accounts = await self._reader.all("Account")
            self._read_at = time.monotonic()
        wanted = [one for one in self._accounts if account_type in ("", wire.text(one, "AccountType"))]
        for field in ("Id", "AcctNum", "FullyQualifiedName", "Name"):
            for account in wanted:
                if wire.text(account, field) == named:
                    return wire.text(account, "Id")
        return None

    async def need(self, account_type: str, named: str, what: str) -> str:
        """Return the account as `find` does; `what` names its use, for the error text.

        Raises:
            Rejected: ACCOUNT_REFUSED, when there is none.
        """
        result = await self.find(account_type, named)
        if result is None:
            raise Rejected(
                f"QuickBooks has no active {what} {named!r}.", code="ACCOUNT_REFUSED", evidence={"account": named}
            )
        return result
