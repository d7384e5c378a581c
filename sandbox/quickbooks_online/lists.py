"""Vendors, accounts, items, classes, departments and terms: names that are unique, and what each kind needs."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.errors import Refused, business, missing
from sandbox.quickbooks_online.records import Record

_GONE = " (deleted)"
_DEEPEST = 5
_CLASSIFICATIONS = {
    "Bank": "Asset",
    "Accounts Receivable": "Asset",
    "Other Current Asset": "Asset",
    "Fixed Asset": "Asset",
    "Other Asset": "Asset",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
    "Equity": "Equity",
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Cost of Goods Sold": "Expense",
    "Expense": "Expense",
    "Other Expense": "Expense",
    "Non-Posting": "Equity",
}
_SUB_TYPES = {
    "Bank": "Checking",
    "Accounts Receivable": "AccountsReceivable",
    "Other Current Asset": "OtherCurrentAssets",
    "Fixed Asset": "OtherFixedAssets",
    "Other Asset": "OtherLongTermAssets",
    "Accounts Payable": "AccountsPayable",
    "Credit Card": "CreditCard",
    "Other Current Liability": "OtherCurrentLiabilities",
    "Long Term Liability": "OtherLongTermLiabilities",
    "Equity": "OpeningBalanceEquity",
    "Income": "OtherPrimaryIncome",
    "Other Income": "OtherMiscellaneousIncome",
    "Cost of Goods Sold": "SuppliesMaterialsCogs",
    "Expense": "OtherMiscellaneousServiceCost",
    "Other Expense": "OtherMiscellaneousExpense",
    "Non-Posting": "OtherNonPosting",
}
_TYPE_OF_SUB_TYPE = {sub_type: kind for kind, sub_type in _SUB_TYPES.items()}
_SUB_FLAGS = {"Account": "SubAccount", "Item": "SubItem", "Class": "SubClass", "Department": "SubDepartment"}


def check_list_record(company: Company, kind: str, values: dict[str, Any], before: Record | None) -> None:
    """What a list's record needs and what follows from it. Raises Refused."""
    values["Active"] = values.get("Active") is not False
    _CHECKS[kind](company, values, before)
    name_field = "DisplayName" if kind == "Vendor" else "Name"
    _follow_activity(company, kind, values, name_field, before)
    if kind in _SUB_FLAGS:
        _place_in_tree(company, kind, values, before)
    _unique(company, kind, values, before)


def _follow_activity(
    company: Company, kind: str, values: dict[str, Any], name_field: str, before: Record | None
) -> None:
    """A record that is made inactive gives its name free, and takes it back (reference 3.5)."""
    name = str(values[name_field])
    if values["Active"]:
        values[name_field] = name.removesuffix(_GONE)
        return
    if before is not None and kind == "Vendor" and before["Balance"]:
        raise Refused(
            "6220",
            "Account or vendor has a balance",
            "The vendor has a balance and cannot be made inactive.",
            element="Active",
        )
    if not name.endswith(_GONE):
        values[name_field] = name + _GONE


def _place_in_tree(company: Company, kind: str, values: dict[str, Any], before: Record | None) -> None:
    parent = company.get(kind, values.get("ParentRef") or "")
    values[_SUB_FLAGS[kind]] = parent is not None
    values["FullyQualifiedName"] = values["Name"] if parent is None else f"{parent.title}:{values['Name']}"
    depth, above = 1, parent
    while above is not None:
        depth += 1
        if above is before or depth > _DEEPEST:
            raise Refused(
                "6180", "Too many levels", f"A {kind.lower()} has at most {_DEEPEST} levels.", element="ParentRef"
            )
        above = company.get(kind, above["ParentRef"] or "")


def _unique(company: Company, kind: str, values: Mapping[str, Any], before: Record | None) -> None:
    field = "DisplayName" if kind == "Vendor" else "FullyQualifiedName" if kind in _SUB_FLAGS else "Name"
    name = str(values[field]).lower()
    for record in company.records[kind].values():
        if record is not before and str(record[field]).lower() == name:
            raise Refused(
                "6240",
                "Duplicate Name Exists Error",
                f"The name supplied already exists. : Id={record.id}",
                element=field,
            )


def _named(values: Mapping[str, Any], *forbidden: str) -> None:
    if not values.get("Name"):
        raise missing("Name")
    if any(sign in values["Name"] for sign in forbidden):
        raise Refused("2040", "Invalid String", f"Name must not contain {' or '.join(forbidden)}", element="Name")


def _vendor(company: Company, values: dict[str, Any], before: Record | None) -> None:
    parts = [values.get(name) for name in ("GivenName", "MiddleName", "FamilyName")]
    if not values.get("DisplayName"):
        values["DisplayName"] = " ".join(part for part in parts if part) or values.get("CompanyName")
    if not values["DisplayName"]:
        raise Refused("6080", "No name given", "At least one of the name fields must be given.", element="DisplayName")
    if any(sign in values["DisplayName"] for sign in ":\t\n"):
        raise Refused(
            "2040", "Invalid String", "DisplayName must not contain a colon, tab or new line", element="DisplayName"
        )
    values["PrintOnCheckName"] = values.get("PrintOnCheckName") or values["DisplayName"]
    fixed = before["CurrencyRef"] if before is not None else None
    values["CurrencyRef"] = fixed or values.get("CurrencyRef") or company.home_currency
    values["Vendor1099"] = bool(values.get("Vendor1099"))
    values["Balance"] = before["Balance"] if before is not None else Decimal(0)
    if values.get("TaxIdentifier") and "X" not in values["TaxIdentifier"]:
        values["TaxIdentifier"] = "XXXXXXX" + values["TaxIdentifier"][-4:]


def _account(company: Company, values: dict[str, Any], before: Record | None) -> None:
    _named(values, ":", '"')
    kind = values.get("AccountType") or _TYPE_OF_SUB_TYPE.get(values.get("AccountSubType") or "")
    if not kind:
        raise missing("AccountType")
    if before is not None and before["AccountType"] != kind and kind == "Accounts Payable":
        raise Refused("6010", "Account type cannot be changed", "The type of an account in use cannot be changed.")
    values["AccountType"] = kind
    values["AccountSubType"] = values.get("AccountSubType") or _SUB_TYPES[kind]
    values["Classification"] = _CLASSIFICATIONS[kind]
    values["CurrencyRef"] = values.get("CurrencyRef") or company.home_currency
    number = values.get("AcctNum")
    for record in company.records["Account"].values():
        if number and record is not before and record["AcctNum"] == number:
            raise Refused(
                "6150",
                "Duplicate account number",
                f"The account number {number} is in use. : Id={record.id}",
                element="AcctNum",
            )


def _item(company: Company, values: dict[str, Any], before: Record | None) -> None:
    _named(values, ":", "\t", "\n")
    values["Type"] = values.get("Type") or "Service"
    if values["Type"] == "Inventory":
        for name in ("AssetAccountRef", "ExpenseAccountRef", "IncomeAccountRef", "InvStartDate"):
            if not values.get(name):
                raise missing(name)
        values["TrackQtyOnHand"] = True
        values["QtyOnHand"] = values.get("QtyOnHand") or Decimal(0)
    elif values["Type"] in ("Service", "NonInventory"):
        values["TrackQtyOnHand"] = False
        if not values.get("IncomeAccountRef") and not values.get("ExpenseAccountRef"):
            raise business("You need an income or an expense account for this product or service.")
    values["UnitPrice"] = values.get("UnitPrice") or Decimal(0)
    values["PurchaseCost"] = values.get("PurchaseCost") or Decimal(0)


def _plain(company: Company, values: dict[str, Any], before: Record | None) -> None:
    _named(values, ":")


def _term(company: Company, values: dict[str, Any], before: Record | None) -> None:
    _named(values)
    values["Type"] = "DATE_DRIVEN" if values.get("DayOfMonthDue") else "STANDARD"
    if values["Type"] == "STANDARD":
        values["DueDays"] = int(values.get("DueDays") or 0)
        if not 0 <= values["DueDays"] <= 999:
            raise Refused("2140", "Number is out of range", "DueDays is from 0 to 999", element="DueDays")


_CHECKS: Mapping[str, Callable[[Company, dict[str, Any], Record | None], None]] = {
    "Vendor": _vendor,
    "Account": _account,
    "Item": _item,
    "Class": _plain,
    "Department": _plain,
    "Term": _term,
}
