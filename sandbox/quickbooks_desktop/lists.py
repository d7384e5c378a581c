"""Adds and changes vendors, and answers what QuickBooks says of itself: host, company, preferences (reference 3.5)."""

from lxml import etree

from sandbox.quickbooks_desktop import elements
from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import Refused, locked, missing_element, not_found, out_of_date
from sandbox.quickbooks_desktop.qbxml import branch, leaf
from sandbox.quickbooks_desktop.records import Entry

_TEXTS = ("Name", "CompanyName", "Phone", "Email", "NameOnCheck", "AccountNumber", "Notes", "VendorTaxIdent")
_EDITIONS = {
    "Pro": "QuickBooks Pro 2023",
    "Premier": "QuickBooks Premier 2023",
    "Enterprise": "QuickBooks Enterprise Solutions 23.0",
}


def add_vendor(company: Company, body: etree._Element) -> Entry:
    """A new vendor. Raises Refused."""
    values = _vendor(company, body)
    if not values.get("Name"):
        raise missing_element("Name")
    check_name(company, "Vendor", str(values["Name"]))
    return company.add_entry("Vendor", values)


def modify_vendor(company: Company, body: etree._Element) -> Entry:
    """A vendor changed; what is not there stays. Raises Refused."""
    list_id, sequence = elements.text(body, "ListID") or "", elements.text(body, "EditSequence") or ""
    entry = company.entries["Vendor"].get(list_id)
    if entry is None:
        raise not_found(list_id)
    if list_id in company.locks:
        raise locked("Vendor")
    if sequence != entry.edit_sequence:
        raise out_of_date(sequence, entry)
    values = _vendor(company, body)
    if "Name" in values:
        check_name(company, "Vendor", str(values["Name"]), but=entry)
    entry.values.update(values)
    company.touch_entry(entry)
    return entry


def check_name(company: Company, kind: str, name: str, but: Entry | None = None) -> None:
    """Raises Refused for a name that another entry of the list has."""
    for entry in company.entries[kind].values():
        if entry is not but and entry.parent is None and entry.name.lower() == name.lower():
            raise Refused(3100, f'The name "{name}" of the list element is already in use. ')


def _vendor(company: Company, body: etree._Element) -> dict[str, object]:
    values: dict[str, object] = {name: elements.text(body, name) for name in _TEXTS if body.find(name) is not None}
    for name in ("IsActive", "IsVendorEligibleFor1099"):
        if body.find(name) is not None:
            values[name] = bool(elements.flag(body, name))
    if body.find("TermsRef") is not None:
        terms = elements.reference(company, body, "TermsRef", "Vendor")
        values["TermsRef"] = terms.list_id if terms is not None else None
    if body.find("VendorAddress") is not None:
        values["VendorAddress"] = elements.address(body, "VendorAddress")
    return values


# What QuickBooks says of itself


def host_text(company: Company) -> str:
    """HostRet."""
    newest = int(company.switches.word("qbxml_version").partition(".")[0])
    versions = [*(f"{number}.0" for number in range(1, newest + 1))]
    return branch(
        "HostRet",
        leaf("ProductName", _EDITIONS[company.switches.word("edition")]),
        leaf("MajorVersion", {13: "24", 14: "31", 15: "32"}.get(newest, "33")),
        leaf("MinorVersion", "0"),
        leaf("Country", "US"),
        *(leaf("SupportedQBXMLVersion", one) for one in versions),
        leaf("IsAutomaticLogin", False),
        leaf("QBFileMode", "MultiUser" if company.multi_user else "SingleUser"),
    )


def company_text(company: Company, owner_ids: list[str]) -> str:
    """CompanyRet; data extensions only of the owners that are asked for."""
    extensions = []
    for owner in owner_ids:
        for name, value in company.extension(owner).items():
            parts = (leaf("OwnerID", owner), leaf("DataExtName", name), leaf("DataExtType", "STR255TYPE"))
            extensions.append(branch("DataExtRet", *parts, leaf("DataExtValue", value)))
    return branch(
        "CompanyRet",
        leaf("IsSampleCompany", False),
        leaf("CompanyName", company.name),
        leaf("LegalCompanyName", f"{company.name}, Inc."),
        branch("Address", leaf("Addr1", "2500 Broadway"), leaf("City", "New York"), leaf("State", "NY")),
        leaf("FirstMonthFiscalYear", "January"),
        leaf("FirstMonthIncomeTaxYear", "January"),
        leaf("TaxForm", "OtherOrNone"),
        *extensions,
    )


def preferences_text(company: Company) -> str:
    """PreferencesRet, as far as purchasing is concerned."""
    kept = company.preferences
    return branch(
        "PreferencesRet",
        branch(
            "AccountingPreferences",
            leaf("IsUsingAccountNumbers", True),
            leaf("IsRequiringAccounts", True),
            leaf("IsUsingClassTracking", kept["IsUsingClassTracking"]),
            leaf("IsUsingAuditTrail", True),
            leaf("IsAssigningJournalEntryNumbers", True),
            leaf("ClosingDate", company.closing_date),
        ),
        branch(
            "PurchasesAndVendorsPreferences",
            leaf("IsUsingInventory", kept["IsUsingInventory"]),
            leaf("DaysBillsAreDue", 10),
            leaf("IsAutomaticallyUsingDiscounts", False),
        ),
        branch(
            "CurrentAppAccessRights",
            leaf("IsAutomaticLoginAllowed", True),
            leaf("AutomaticLoginUserName", "Admin"),
            leaf("IsPersonalDataAccessAllowed", False),
        ),
        branch(
            "ItemsAndInventoryPreferences",
            leaf("EnhancedInventoryReceivingEnabled", company.enhanced),
            leaf("IsTrackingSerialOrLotNumber", "None"),
        ),
    )
