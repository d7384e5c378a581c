"""Know the company: its name, its currency, and what its preferences allow (reference 6.9, 6.10)."""

import time
from datetime import date
from typing import NamedTuple

from erp.quickbooks_online import wire
from erp.quickbooks_online.client import QuickBooksClient
from erp.quickbooks_online.wire import Entity

KEEP_SECONDS = 3600


class Company(NamedTuple):
    """What a company's preferences say."""

    home_currency: str
    """Empty: it does not say; companies without other currencies need not."""
    takes_orders: bool
    """Purchase orders are switched on."""
    several_currencies: bool
    classes_on_lines: bool
    locations: bool
    closed_through: date | None
    own_numbers: bool
    """QuickBooks gives purchase orders no number of its own."""


class Companies:
    """Reads the preferences of one connection's company, once an hour."""

    def __init__(self, client: QuickBooksClient) -> None:
        self._client = client
        self._read_at = float("-inf")
        self._company: Company | None = None

    async def name(self) -> str:
        """Return the company's name, proving that the tokens are good for it."""
        answer = await self._client.get(f"companyinfo/{self._client.realm}", "CompanyInfo")
        info = wire.part(answer, "CompanyInfo")
        return wire.text(info, "CompanyName") or wire.text(info, "LegalName") or self._client.realm

    async def country(self) -> str:
        """Return the country of the company's edition, as QuickBooks writes it; empty: it does not say."""
        answer = await self._client.get(f"companyinfo/{self._client.realm}", "CompanyInfo")
        return wire.text(wire.part(answer, "CompanyInfo"), "Country") or ""

    async def current(self) -> Company:
        """Return the company's preferences as of the last hour."""
        if self._company is None or time.monotonic() - self._read_at > KEEP_SECONDS:
            await self.read()
        assert self._company is not None, "it was just read"
        return self._company

    async def read(self) -> Company:
        """Read the preferences now."""
        self.take_in(wire.part(await self._client.get("preferences", "Preferences"), "Preferences"))
        assert self._company is not None, "it was just taken in"
        return self._company

    def take_in(self, preferences: Entity) -> None:
        """Keep preferences that came in with other records."""
        self._company = _company(preferences)
        self._read_at = time.monotonic()


def _company(preferences: Entity) -> Company:
    accounting = wire.part(preferences, "AccountingInfoPrefs")
    purchases = wire.part(preferences, "VendorAndPurchasesPrefs")
    currency = wire.part(preferences, "CurrencyPrefs")
    other = {
        wire.text(pair, "Name") or "": wire.text(pair, "Value") or ""
        for pair in wire.parts(wire.part(preferences, "OtherPrefs"), "NameValue")
    }

    def purchase(name: str, default: bool) -> bool:
        said = wire.text(purchases, name) or other.get(f"VendorAndPurchasesPrefs.{name}", "")
        return said.casefold() == "true" if said else default

    closed = wire.text(accounting, "BookCloseDate") or other.get("AccountingInfoPrefs.BookCloseDate")
    return Company(
        home_currency=wire.ref(currency, "HomeCurrency") or "",
        takes_orders=purchase("PurchaseOrderEnabled", True),
        several_currencies=wire.flag(currency, "MultiCurrencyEnabled"),
        classes_on_lines=wire.flag(accounting, "ClassTrackingPerTxnLine"),
        locations=wire.flag(accounting, "TrackDepartments"),
        closed_through=_day(closed),
        own_numbers=purchase("UseCustomTxnNumbers", False),
    )


def _day(value: str | None) -> date | None:
    try:
        return wire.day(value) if value else None
    except ValueError:
        return None
