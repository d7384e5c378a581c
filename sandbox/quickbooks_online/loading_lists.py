"""The lists of the neutral format as records of QuickBooks Online."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.neutral import Row
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import ENTITIES
from sandbox.quickbooks_online.errors import BadRow
from sandbox.quickbooks_online.records import Record
from sandbox.quickbooks_online.writing import create, update

_ITEM_TYPES = {
    "inventory": "Inventory",
    "non-inventory (purchase only)": "NonInventory",
    "non-inventory": "NonInventory",
    "service": "Service",
}
_ACCOUNT_TYPES = {"": "Expense", "incomestatement": "Expense", "balancesheet": "Other Current Asset"}


def put(company: Company, kind: str, row: Row) -> Record:
    """One row of a list: a new record, or the known one with these values. Raises BadRow or Refused."""
    return LISTS[kind](company, row)


def _keep(company: Company, kind: str, key: str, body: dict[str, Any]) -> Record:
    given = {name: value for name, value in body.items() if value not in ("", None)}
    known = company.keyed(kind, key)
    if known is None:
        return create(company, ENTITIES[kind], given, key=key)
    return update(company, ENTITIES[kind], {**given, "Id": known.id, "SyncToken": known.sync_token, "sparse": True})


def _active(row: Row) -> bool:
    status = row.get("status") or "active"
    if status not in ("active", "inactive"):
        raise BadRow(f"status {status!r} is not active or inactive")
    return status == "active"


def _known(company: Company, kind: str, key: str, what: str) -> str:
    record = company.keyed(kind, key)
    if record is None:
        raise BadRow(f"{what} {key!r} does not exist; load it first")
    return record.id


def _free_name(company: Company, kind: str, field: str, name: str, key: str) -> str:
    """The name, told apart by the key where another record has it: names are unique here."""
    held = (record for record in company.records[kind].values() if record.key != key)
    return f"{name} ({key})" if any(str(record[field]).lower() == name.lower() for record in held) else name


def _dimension(kind: str, key: str, title: str) -> Callable[[Company, Row], Record]:
    def keep(company: Company, row: Row) -> Record:
        name = _free_name(company, kind, "Name", row.get(title) or row[key], row[key])
        body: dict[str, Any] = {"Name": name, "Active": _active(row)}
        if row.get("parent_id"):
            body["ParentRef"] = {"value": _known(company, kind, row["parent_id"], "parent")}
        return _keep(company, kind, row[key], body)

    return keep


def _term(company: Company, row: Row) -> Record:
    return _keep(company, "Term", row["term"], {"Name": row["term"], "DueDays": int(Decimal(row.get("days") or "0"))})


def _account(company: Company, row: Row) -> Record:
    given = row.get("account_type", "")
    name = _free_name(company, "Account", "Name", row.get("title") or row["account_no"], row["account_no"])
    body = {"Name": name, "AcctNum": row["account_no"], "AccountType": _ACCOUNT_TYPES.get(given, given)}
    return _keep(company, "Account", row["account_no"], {**body, "Active": _active(row)})


def _bank_account(company: Company, row: Row) -> Record:
    key = row["bank_account_id"]
    name = _free_name(company, "Account", "Name", row.get("name") or key, key)
    return _keep(company, "Account", key, {"Name": name, "AcctNum": key, "AccountType": "Bank"})


def _vendor(company: Company, row: Row) -> Record:
    key, term = row["vendor_id"], row.get("term") or "Net 30"
    money = row.get("currency") or company.home_currency
    if money != company.home_currency and not company.preference("CurrencyPrefs", "MultiCurrencyEnabled"):
        raise BadRow(f"currency {money!r} is not the company's, and it has no other")
    name = _free_name(company, "Vendor", "DisplayName", row.get("name") or key, key)
    body = {"DisplayName": name, "CompanyName": row.get("name") or key, "AcctNum": key, "Active": _active(row)}
    body |= {"TermRef": {"value": _known(company, "Term", term, "term")}, "CurrencyRef": {"value": money}}
    return _keep(company, "Vendor", key, body)


def _item(company: Company, row: Row) -> Record:
    given = row.get("item_type") or "Non-Inventory (Purchase only)"
    kind = _ITEM_TYPES.get(given.lower())
    if kind is None:
        raise BadRow(f"item_type {given!r} is not Inventory, Non-Inventory or Service")
    title = row.get("name") or row["item_id"]
    body: dict[str, Any] = {"Name": row["item_id"], "Sku": row["item_id"], "Type": kind, "PurchaseDesc": title}
    if kind == "Inventory":
        wanted = (("AssetAccountRef", "1300"), ("IncomeAccountRef", "4000"), ("ExpenseAccountRef", "5000"))
        body |= {name: {"value": _known(company, "Account", number, "account")} for name, number in wanted}
        body["InvStartDate"] = "2020-01-01"
    else:
        account = _known(company, "Account", row.get("gl_account") or "6000", "account")
        body["ExpenseAccountRef"] = {"value": account}
    return _keep(company, "Item", row["item_id"], body)


LISTS: Mapping[str, Callable[[Company, Row], Record]] = {
    "locations": _dimension("Department", "location_id", "name"),
    "departments": _dimension("Department", "department_id", "title"),
    "classes": _dimension("Class", "class_id", "name"),
    "terms": _term,
    "accounts": _account,
    "bank_accounts": _bank_account,
    "vendors": _vendor,
    "items": _item,
}
