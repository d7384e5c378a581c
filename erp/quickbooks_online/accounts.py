"""Find accounts by the names people use in preferences and payments: id, number or name.

While the month's reads are used up, the accounts are those that the last sync saw: writes go on.
"""

import time

from erp.errors import Rejected, Throttled
from erp.quickbooks_online import wire
from erp.quickbooks_online.quota import QUOTA
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.wire import Entity
from erp.storage import ListMirror
from models.domain.lists import ListEntry, ListKind

KEEP_SECONDS = 600

BANK = "Bank"
CARD = "Credit Card"
PAYABLE = "Accounts Payable"


class Accounts:
    """Finds accounts by type. They are read when one is needed, and kept for a while."""

    def __init__(self, reader: Reader, mirror: ListMirror | None) -> None:
        self._reader = reader
        self._mirror = mirror
        self._read_at = float("-inf")
        self._accounts: list[Entity] = []

    async def find(self, account_type: str, named: str) -> str | None:
        """Return the id of an active account of this type ("": any type); None: there is none. An id is tried before a
        number, a number before a name."""
        wanted = await self._of_type(account_type)
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

    async def only_payable(self) -> str | None:
        """Return the id of the company's accounts payable account; None: it has several, or none is known."""
        payable = await self._of_type(PAYABLE)
        return wire.text(payable[0], "Id") if len(payable) == 1 else None

    async def _of_type(self, account_type: str) -> list[Entity]:
        accounts = await self._all()
        return [one for one in accounts if account_type in ("", wire.text(one, "AccountType"))]

    async def _all(self) -> list[Entity]:
        if time.monotonic() - self._read_at <= KEEP_SECONDS:
            return self._accounts
        try:
            self._accounts = await self._reader.all("Account")
        except Throttled as error:
            mirrored = [] if error.code != QUOTA or self._mirror is None else await self._mirrored(self._mirror)
            if not mirrored:
                raise
            return mirrored
        self._read_at = time.monotonic()
        return self._accounts

    @staticmethod
    async def _mirrored(mirror: ListMirror) -> list[Entity]:
        return [_account(one) for one in await mirror.entries(ListKind.GL_ACCOUNT)]


def _account(entry: ListEntry) -> Entity:
    """Return a mirrored account in QuickBooks' form."""
    return wire.given(
        Id=entry.erp_id,
        AcctNum=entry.attributes.get("number"),
        FullyQualifiedName=entry.name,
        Name=entry.name.rpartition(":")[2],
        AccountType=entry.attributes.get("account_type"),
    )
