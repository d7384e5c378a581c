"""The two records that every company has one of: preferences and company information (reference 6.9, 6.10)."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.errors import Refused
from sandbox.quickbooks_online.values import day_of, flag_of, is_empty

_GROUPS: Mapping[str, Mapping[str, Any]] = {
    "AccountingInfoPrefs": {
        "UseAccountNumbers": True,
        "TrackDepartments": True,
        "DepartmentTerminology": "Location",
        "ClassTrackingPerTxn": False,
        "ClassTrackingPerTxnLine": True,
        "FirstMonthOfFiscalYear": "January",
        "TaxYearMonth": "January",
        "CustomerTerminology": "Customers",
    },
    "ProductAndServicesPrefs": {
        "ForSales": True,
        "ForPurchase": True,
        "QuantityWithPriceAndRate": True,
        "QuantityOnHand": True,
    },
    "SalesFormsPrefs": {"CustomTxnNumbers": False},
    "VendorAndPurchasesPrefs": {
        "EnableBills": True,
        "TrackingByCustomer": False,
        "BillableExpenseTracking": False,
        "MsgToVendors": "",
    },
    "TaxPrefs": {"UsingSalesTax": False, "PartnerTaxEnabled": False},
    "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": "USD"}},
    "ReportPrefs": {"ReportBasis": "Accrual"},
}
_OTHERS: Mapping[str, str] = {
    "VendorAndPurchasesPrefs.PurchaseOrderEnabled": "true",
    "VendorAndPurchasesPrefs.UseCustomTxnNumbers": "true",
    "WarnDuplicateBillNumber": "false",
    "WarnDuplicateCheckNumber": "true",
    "WarnDuplicateJournalNumber": "false",
    "AccountingInfoPrefs.ShowAccountNumbers": "true",
    "ProjectsEnabled": "false",
    "Vendor1099Enabled": "true",
    "DateFormatMnemonic": "DateFormat_US_MMddyyyy",
    "Language": "English",
}
_CUSTOM_NAMES = ("Crew #", "Requested by", "Ship via")
_SHORT = {name.rpartition(".")[2]: name for name in _OTHERS}


def found_company(company: Company, name: str) -> None:
    """The preferences and the information of a new company in the United States."""
    values: dict[str, Any] = {group: dict(names) for group, names in _GROUPS.items()}
    values["VendorAndPurchasesPrefs"]["POCustomField"] = _custom_fields()
    values["OtherPrefs"] = {"NameValue": [{"Name": one, "Value": value} for one, value in _OTHERS.items()]}
    company.insert("Preferences", values)
    address = {"Id": "1", "Line1": "2500 Garcia Avenue", "City": "Mountain View", "CountrySubDivisionCode": "CA"}
    information = {
        "CompanyName": name,
        "LegalName": f"{name}, Inc.",
        "CompanyAddr": {**address, "PostalCode": "94043"},
        "CompanyStartDate": "2020-01-01",
        "FiscalYearStartMonth": "January",
        "Country": "US",
        "Email": {"Address": "books@example.com"},
        "SupportedLanguages": "en",
        "DefaultTimeZone": "America/Los_Angeles",
        "NameValue": [
            {"Name": "SubscriptionStatus", "Value": "PAID"},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
            {"Name": "PayrollFeature", "Value": "false"},
            {"Name": "IndustryType", "Value": "Wholesale"},
        ],
    }
    company.insert("CompanyInfo", information)


def _custom_fields() -> list[dict[str, Any]]:
    """The flags that switch custom fields on in one list, their labels in another (reference 6.10)."""
    flags = [
        {"Name": f"PurchasePrefs.UsePurchaseCustom{at}", "Type": "BooleanType", "BooleanValue": True}
        for at in range(1, len(_CUSTOM_NAMES) + 1)
    ]
    labels = [
        {"Name": f"PurchasePrefs.PurchaseCustomName{at}", "Type": "StringType", "StringValue": name}
        for at, name in enumerate(_CUSTOM_NAMES, 1)
    ]
    return [{"CustomField": flags}, {"CustomField": labels}]


def merged_preferences(company: Company, body: Mapping[str, Any]) -> dict[str, Any]:
    """The preferences with what a body names. Raises Refused."""
    values = deepcopy(company.preferences.values)
    for group, given in body.items():
        if not isinstance(given, Mapping) or group not in values:
            continue
        if group == "OtherPrefs":
            for pair in given.get("NameValue") or ():
                set_other(values, str(pair.get("Name")), str(pair.get("Value")))
            continue
        for name, value in given.items():
            _set(values, group, name, value)
    return values


def set_preference(values: dict[str, Any], name: str, value: Any) -> None:
    """One preference by its bare name, wherever it is kept. Raises ValueError."""
    if name in _OTHERS or name in _SHORT:
        set_other(values, name, str(value).lower() if isinstance(value, bool) else str(value))
        return
    for group, names in _GROUPS.items():
        if name in names or (group == "AccountingInfoPrefs" and name == "BookCloseDate"):
            try:
                _set(values, group, name, {"value": value} if name == "HomeCurrency" else value)
            except Refused as error:
                raise ValueError(error.detail) from None
            return
    known = sorted({*_SHORT, "BookCloseDate", *(one for names in _GROUPS.values() for one in names)})
    raise ValueError(f"unknown preference {name!r}; there are {', '.join(known)}")


def set_other(values: dict[str, Any], name: str, value: str) -> None:
    """One of the preferences kept as names and values."""
    full = _SHORT.get(name, name)
    pairs = values["OtherPrefs"]["NameValue"]
    for pair in pairs:
        if pair["Name"] == full:
            pair["Value"] = value
            return
    pairs.append({"Name": full, "Value": value})


def _set(values: dict[str, Any], group: str, name: str, value: Any) -> None:
    kept = values[group]
    if name == "BookCloseDate":
        if is_empty(value):
            kept.pop(name, None)
        else:
            kept[name] = day_of(value, name).isoformat()
    elif name in _GROUPS[group]:
        kept[name] = flag_of(value, name) if isinstance(_GROUPS[group][name], bool) else value
