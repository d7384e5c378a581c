"""Recognize the company file that QuickBooks has open, and read what it says of itself (reference 1.5, 3.5)."""

from erp.quickbooks_desktop import translate, wire
from erp.quickbooks_desktop.auth import OWNER_ID
from erp.quickbooks_desktop.connector import ENHANCED
from erp.quickbooks_desktop.envelope import Answer

QUESTIONS = (
    wire.request("HostQuery", key="host")
    + wire.request("CompanyQuery", wire.part("OwnerID", OWNER_ID), key="company")
    + wire.request("PreferencesQuery", key="preferences")
)
"""What a Web Connector asks by itself at the first call of a session; some leave it to us."""

HOME_CURRENCIES = {"US": "USD", "CA": "CAD", "UK": "GBP", "AU": "AUD"}


def is_ours(answer: Answer, file_id: str) -> bool | None:
    """Return whether the company file carries this connection's mark; None: the answer says nothing of marks."""
    company = answer.named("CompanyQuery")
    if company is None or company.element.find("CompanyRet") is None:
        return None
    marks = [
        (wire.text(mark, "OwnerID") or "", wire.text(mark, "DataExtValue") or "")
        for mark in company.element.iterfind("CompanyRet/DataExtRet")
        if (wire.text(mark, "DataExtName") or "").casefold() == "fileid"
    ]
    ours = [value for owner, value in marks if owner.casefold() == OWNER_ID.casefold()]
    if not ours:
        return None
    return any(_plain(value) == _plain(file_id) for value in ours)


def _plain(guid: str) -> str:
    return guid.strip("{} ").casefold()


def facts(answer: Answer) -> dict[str, str]:
    """Return what the company says of itself, as it is stored with the connection."""
    values: dict[str, str | None] = {}
    company, host, preferences = map(answer.named, ("CompanyQuery", "HostQuery", "PreferencesQuery"))
    if company is not None:
        values["company"] = wire.text(company.element, "CompanyRet/CompanyName") or "QuickBooks company"
    if host is not None:
        values["product"] = wire.text(host.element, "HostRet/ProductName")
        values["country"] = wire.text(host.element, "HostRet/Country")
        values["home_currency"] = HOME_CURRENCIES.get((values["country"] or "US").upper())
    if preferences is not None:
        element = preferences.element
        enhanced = wire.text(element, ".//ItemsAndInventoryPreferences/EnhancedInventoryReceivingEnabled")
        values[ENHANCED] = (enhanced or "false").lower()
        home = wire.text(element, ".//MultiCurrencyPreferences/HomeCurrencyRef/FullName")
        if home is not None:
            values["home_currency"] = translate.CURRENCIES.get(home)
    return {name: value for name, value in values.items() if value}
