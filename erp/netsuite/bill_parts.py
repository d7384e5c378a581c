"""Build the parts of a vendor bill that do not depend on an order: its posting period, and money beyond its lines."""

from collections.abc import Sequence
from datetime import date, timezone
from typing import Any

from erp.errors import Rejected
from erp.netsuite import own_fields, translate, wire
from erp.netsuite.accounts import Accounts
from erp.netsuite.preferences import Preferences
from erp.netsuite.reader import Reader, Search
from erp.netsuite.wire import NsRecord
from erp.netsuite.writer import given, reference
from models.domain.bills import AccountLineToPush, BillLineToPush, ChargeToPush


class BillParts:
    """Builds parts of the vendor bills of one connection."""

    def __init__(self, source: Reader, accounts: Accounts, preferences: Preferences) -> None:
        self._reader = source
        self._accounts = accounts
        self._preferences = preferences

    async def charges(
        self, charges: Sequence[ChargeToPush], *, like: BillLineToPush | AccountLineToPush, zone: timezone
    ) -> list[dict[str, Any]]:
        """Return the money beyond the lines as expenses, on the accounts that the preferences name, with the dimensions
        of the line `like`, those of the company's own too. `zone`: the account's offset.

        Raises:
            Rejected: CHARGES_NOT_TAKEN, when no account is named.
        """
        named = self._preferences.charge_accounts
        unnamed = [charge.kind for charge in charges if charge.kind not in named]
        if unnamed:
            raise Rejected(
                f"No account is named for {', '.join(unnamed)}.",
                code="CHARGES_NOT_TAKEN",
                evidence={"kinds": ", ".join(unnamed)},
            )
        dimensions = own_fields.dimensions_of(self._preferences.line_fields)
        kinds = {charge.kind for charge in charges}
        accounts = {kind: await self._accounts.need("", named[kind], "account") for kind in kinds}
        return [
            given(
                account=reference(accounts[charge.kind]),
                amount=wire.plain(charge.amount),
                memo=wire.carried(charge.description or charge.kind.value),
                department=reference(like.department),
                **{"class": reference(like.class_id)},
                location=reference(like.location),
                **own_fields.sent(like.custom, dimensions, zone),
            )
            for charge in charges
        ]

    async def posting_period(self, bill_date: date, posting_date: date, zone: timezone) -> str | None:
        """Return the period to post in, if it is not the bill date's own.

        Raises:
            Rejected: PERIOD_CLOSED, when there is none.
        """
        if (posting_date.year, posting_date.month) == (bill_date.year, bill_date.month):
            return None
        on = wire.noon(posting_date, zone)
        criteria = {
            "startDate": {"operator": "onOrBefore", "searchValue": on},
            "endDate": {"operator": "onOrAfter", "searchValue": on},
            "isQuarter": {"searchValue": False},
            "isYear": {"searchValue": False},
        }
        for period in await self._reader.all(Search("AccountingPeriodSearchBasic", criteria)):
            if _within(period, posting_date) and not wire.flag(period.fields, "isAdjust"):
                return period.id
        raise Rejected(
            f"NetSuite has no accounting period for {posting_date}.",
            code="PERIOD_CLOSED",
            evidence={"posting_date": posting_date.isoformat()},
        )


def _within(period: NsRecord, on: date) -> bool:
    start, end = translate.optional_day(period, "startDate"), translate.optional_day(period, "endDate")
    return start is not None and end is not None and start <= on <= end
