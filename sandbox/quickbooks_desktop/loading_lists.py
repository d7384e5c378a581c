"""The lists of the neutral format as entries of a company file."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.neutral import Row
from sandbox.quickbooks_desktop.bootstrap import add_account
from sandbox.quickbooks_desktop.company import Company, family_of
from sandbox.quickbooks_desktop.errors import BadRow
from sandbox.quickbooks_desktop.records import FAMILIES, Entry

_ITEM_KINDS = {
    "inventory": "ItemInventory",
    "non-inventory (purchase only)": "ItemNonInventory",
    "non-inventory": "ItemNonInventory",
    "service": "ItemService",
    "other charge": "ItemOtherCharge",
}
_ACCOUNT_TYPES = {"": "Expense", "incomestatement": "Expense", "balancesheet": "OtherCurrentAsset"}


def put(company: Company, kind: str, row: Row) -> Entry:
    """One row of a list: a new entry, or the known one with these values. Raises BadRow."""
    return LISTS[kind](company, row)


def _keep(company: Company, kind: str, key: str, values: dict[str, Any], parent: Entry | None = None) -> Entry:
    given = {name: value for name, value in values.items() if value not in ("", None)}
    known = company.keyed(family_of(kind), key)
    if known is None:
        return company.add_entry(kind, given, key=key, parent=parent)
    known.values.update(given)
    known.parent = parent
    company.touch_entry(known)
    return known


def _active(row: Row) -> bool:
    status = row.get("status") or "active"
    if status not in ("active", "inactive"):
        raise BadRow(f"status {status!r} is not active or inactive")
    return status == "active"


def _known(company: Company, family: str, key: str, what: str) -> Entry:
    entry = company.keyed(family, key)
    if entry is None:
        raise BadRow(f"{what} {key!r} does not exist; load it first")
    return entry


def _free_name(company: Company, family: str, name: str, key: str, longest: int = 31) -> str:
    """The name, short enough, told apart by the key where another entry has it: names are unique here."""
    name = name.replace(":", " ")[:longest]
    others = (one for kind in FAMILIES[family] for one in company.entries[kind].values() if one.key != key)
    if any(one.name.lower() == name.lower() for one in others):
        return f"{name[: longest - len(key) - 3]} ({key})"
    return name


def _class(company: Company, row: Row) -> Entry:
    key = row["class_id"]
    name = _free_name(company, "Class", row.get("name") or key, key)
    parent = _known(company, "Class", row["parent_id"], "parent") if row.get("parent_id") else None
    return _keep(company, "Class", key, {"Name": name, "IsActive": _active(row)}, parent)


def _term(company: Company, row: Row) -> Entry:
    values = {"Name": row["term"][:31], "StdDueDays": int(Decimal(row.get("days") or "0"))}
    return _keep(company, "StandardTerms", row["term"], values)


def _account(company: Company, row: Row) -> Entry:
    key = row["account_no"]
    given = row.get("account_type", "")
    name = _free_name(company, "Account", row.get("title") or key, key)
    if company.keyed("Account", key) is None:
        add_account(company, key[:7], name, _ACCOUNT_TYPES.get(given, given))
        company.keys["Account", key] = company.keys.pop(("Account", key[:7]))
        company.keys["Account", key].key = key
    return _keep(company, "Account", key, {"Name": name, "IsActive": _active(row)})


def _bank_account(company: Company, row: Row) -> Entry:
    key = row["bank_account_id"]
    name = _free_name(company, "Account", row.get("name") or key, key)
    return _keep(company, "Account", key, {"Name": name, "AccountNumber": key[:7], "AccountType": "Bank"})


def _vendor(company: Company, row: Row) -> Entry:
    key, term = row["vendor_id"], row.get("term") or "Net 30"
    if row.get("currency", "USD") not in ("", "USD"):
        raise BadRow(f"currency {row['currency']!r} is not the company's, and it has no other")
    name = _free_name(company, "Vendor", row.get("name") or key, key, 41)
    values = {
        "Name": name,
        "CompanyName": (row.get("name") or key)[:41],
        "AccountNumber": key,
        "IsActive": _active(row),
    }
    return _keep(company, "Vendor", key, {**values, "TermsRef": _known(company, "Terms", term, "term").list_id})


def _item(company: Company, row: Row) -> Entry:
    given = row.get("item_type") or "Non-Inventory (Purchase only)"
    kind = _ITEM_KINDS.get(given.lower())
    if kind is None:
        raise BadRow(f"item_type {given!r} is not Inventory, Non-Inventory, Other Charge or Service")
    key = row["item_id"]
    values: dict[str, Any] = {"Name": key.replace(":", " ")[:31], "PurchaseDesc": row.get("name") or key}
    if row.get("unit_group"):
        values["UnitOfMeasureSetRef"] = _known(company, "UnitOfMeasureSet", row["unit_group"], "unit group").list_id
    if kind == "ItemInventory":
        wanted = (("AssetAccountRef", "1300"), ("IncomeAccountRef", "4000"), ("COGSAccountRef", "5000"))
        values |= {name: _known(company, "Account", number, "account").list_id for name, number in wanted}
    else:
        values["ExpenseAccountRef"] = _known(company, "Account", row.get("gl_account") or "6000", "account").list_id
    return _keep(company, kind, key, values)


def _unit(company: Company, row: Row) -> Entry:
    """Each row is one unit of its group; the one with factor 1 is the base."""
    key, factor = row["unit_group"], Decimal(row["factor"])
    known = company.keyed("UnitOfMeasureSet", key)
    units = {**(known.values["units"] if known is not None else {}), row["unit"]: factor}
    base = next((unit for unit, one in units.items() if one == 1), row["unit"])
    return _keep(company, "UnitOfMeasureSet", key, {"Name": key[:31], "BaseUnit": base, "units": units})


LISTS: Mapping[str, Callable[[Company, Row], Entry]] = {
    "units": _unit,
    "classes": _class,
    "terms": _term,
    "accounts": _account,
    "bank_accounts": _bank_account,
    "vendors": _vendor,
    "items": _item,
}
