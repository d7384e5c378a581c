"""Lists of the neutral format as masters: vendors, items, accounts and the rest."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from sandbox.intacct.company import SYSTEM, Company
from sandbox.intacct.errors import invalid
from sandbox.intacct.formats import number, plain
from sandbox.intacct.objects import OBJECTS
from sandbox.intacct.tables import Record
from sandbox.neutral import Row

Fields = dict[str, str]


def put_master(company: Company, kind: str, row: Row) -> Record:
    """Make the master of a row, or bring the existing one up to date. Raises FunctionError."""
    object_name, fields_of = LISTS[kind]
    if kind == "bank_accounts":
        object_name = _money_object(row)
    fields = {name: value for name, value in fields_of(company, row).items() if value}
    existing = company[object_name].first(OBJECTS[object_name].key, fields[OBJECTS[object_name].key])
    if existing is None:
        return company.add_master(object_name, fields)
    company.change(object_name, existing, fields, SYSTEM)
    return existing


def add_unit(company: Company, group: Record, unit: str, factor: Decimal = Decimal(1)) -> None:
    """One more unit of a group, worth `factor` of its base unit."""
    fields = {"GRPKEY": group["RECORDNO"], "UNIT": unit, "ABBREVIATION": unit, "CONVFACTOR": plain(factor)}
    company.add_master("UOMDETAIL", fields | {"ISBASE": str(unit == group["BASEUNIT"]).lower()})


def put_units(company: Company, name: str, rows: Sequence[Row]) -> None:
    """A group of units that convert into each other; the one of factor 1 is the base. Raises FunctionError."""
    factors = {row["unit"]: number(row["factor"]) for row in rows}
    wrong = next((unit for unit, factor in factors.items() if factor <= 0), None)
    if wrong is not None:
        raise invalid(f"factor of unit {wrong!r} is not above zero")
    group = company["UOM"].first("NAME", name)
    if group is None:
        base = next((unit for unit, factor in factors.items() if factor == 1), None)
        if base is None:
            raise invalid(f"unit group {name!r} needs a base unit: one whose factor is 1")
        group = company.add_master("UOM", {"NAME": name, "INVTYPE": "Count", "BASEUNIT": base})
    held = {detail["UNIT"]: detail for detail in company["UOMDETAIL"].find("GRPKEY", group["RECORDNO"])}
    for unit, factor in factors.items():
        if unit not in held:
            add_unit(company, group, unit, factor)
        else:
            company.change("UOMDETAIL", held[unit], {"CONVFACTOR": plain(factor)}, SYSTEM)


def _group_of(company: Company, row: Row) -> str:
    name, unit = row.get("unit_group", ""), row.get("unit", "")
    if not name:
        return _unit_group(company, unit or "Each")
    group = company["UOM"].first("NAME", name)
    if group is None:
        raise invalid(f"unit_group {name!r} does not exist; load its units first")
    units = {detail["UNIT"] for detail in company["UOMDETAIL"].find("GRPKEY", group["RECORDNO"])}
    if unit and unit not in units:
        raise invalid(f"unit {unit!r} is not a unit of group {name!r}")
    return name


def _unit_group(company: Company, unit: str) -> str:
    if company["UOM"].first("NAME", unit) is None:
        group = company.add_master("UOM", {"NAME": unit, "INVTYPE": "Count", "BASEUNIT": unit})
        add_unit(company, group, unit)
    return unit


def _status(row: Row) -> Fields:
    status = (row.get("status") or "active").lower()
    if status not in ("active", "inactive"):
        raise invalid(f"status {status!r} is not active or inactive")
    return {"STATUS": status}


def _location(company: Company, row: Row) -> Fields:
    name = row.get("name") or row["location_id"]
    fields = {"LOCATIONID": row["location_id"], "NAME": name, "PARENTID": row.get("parent_id", "")}
    return fields | {"ENTITY": row.get("entity", "")} | _status(row)


def _department(company: Company, row: Row) -> Fields:
    title = row.get("title") or row["department_id"]
    fields = {"DEPARTMENTID": row["department_id"], "TITLE": title, "PARENTID": row.get("parent_id", "")}
    return fields | _status(row)


def _class(company: Company, row: Row) -> Fields:
    name = row.get("name") or row["class_id"]
    return {"CLASSID": row["class_id"], "NAME": name, "PARENTID": row.get("parent_id", "")} | _status(row)


def _term(company: Company, row: Row) -> Fields:
    if not (row.get("days") or "0").isdigit():
        raise invalid(f"days {row['days']!r} is not a whole number")
    fields = {"NAME": row["term"], "DESCRIPTION": row.get("description", ""), "DUEDATE": row.get("days") or "0"}
    return fields | {"DUEFROM": "from bill date"}


def _account(company: Company, row: Row) -> Fields:
    fields = {"ACCOUNTNO": row["account_no"], "TITLE": row.get("title") or row["account_no"]}
    fields["ACCOUNTTYPE"] = row.get("account_type") or "incomestatement"
    fields["NORMALBALANCE"] = row.get("normal_balance") or "debit"
    return fields | _status(row)


def _money_object(row: Row) -> str:
    kind = row.get("type") or "checking"
    if kind not in MONEY_OBJECTS:
        raise invalid(f"type {kind!r} is not one of {', '.join(MONEY_OBJECTS)}")
    return MONEY_OBJECTS[kind]


def _bank_account(company: Company, row: Row) -> Fields:
    kind = row.get("type") or "checking"
    if kind == "card":
        card = {"CARDID": row["bank_account_id"], "DESCRIPTION": row.get("name") or row["bank_account_id"]}
        card |= {"CURRENCY": row.get("currency") or company.base_currency, "LIABACCTNO": row.get("gl_account", "")}
        return card | {"LIABILITYTYPE": "Credit"} | _status(row)
    fields = {"BANKACCOUNTID": row["bank_account_id"], "BANKNAME": row.get("name") or row["bank_account_id"]}
    fields |= {"CURRENCY": row.get("currency") or company.base_currency, "GLACCOUNTNO": row.get("gl_account") or "1000"}
    return fields | {"BANKACCOUNTTYPE": kind, "BANKACCOUNTNO": row.get("account_number", "")} | _status(row)


def _vendor(company: Company, row: Row) -> Fields:
    fields = {"VENDORID": row["vendor_id"], "NAME": row.get("name") or row["vendor_id"]}
    fields |= {"TERMNAME": row.get("term") or "Net 30", "CURRENCY": row.get("currency") or company.base_currency}
    fields |= {"DISPLAYCONTACT.CONTACTNAME": f"{fields['NAME']}(V{fields['VENDORID']})"}
    fields |= {"DISPLAYCONTACT.PRINTAS": fields["NAME"], "DISPLAYCONTACT.COMPANYNAME": fields["NAME"]}
    contact = {"EMAIL1": "email", "PHONE1": "phone", "MAILADDRESS.ADDRESS1": "street", "MAILADDRESS.CITY": "city"}
    contact |= {"MAILADDRESS.STATE": "state", "MAILADDRESS.ZIP": "zip"}
    fields |= {f"DISPLAYCONTACT.{theirs}": row.get(ours, "") for theirs, ours in contact.items()}
    fields |= {"ACHACCOUNTNUMBER": row.get("bank_account", "")}
    return fields | {"ONHOLD": "false"} | company.entity_fields(row.get("entity", "")) | _status(row)


def _customer(company: Company, row: Row) -> Fields:
    fields = {"CUSTOMERID": row["customer_id"], "NAME": row.get("name") or row["customer_id"]}
    return fields | company.entity_fields(row.get("entity", "")) | _status(row)


def _project(company: Company, row: Row) -> Fields:
    fields = {"PROJECTID": row["project_id"], "NAME": row.get("name") or row["project_id"]}
    fields |= {"PARENTID": row.get("parent_id", ""), "CUSTOMERID": row.get("customer_id", "")}
    fields |= {"PROJECTCATEGORY": "Internal", "PROJECTSTATUS": "In Progress"}
    return fields | company.entity_fields(row.get("entity", "")) | _status(row)


def _employee(company: Company, row: Row) -> Fields:
    name = row.get("name") or row["employee_id"]
    if company["CONTACT"].first("CONTACTNAME", name) is None:
        company.add_master("CONTACT", {"CONTACTNAME": name, "PRINTAS": name})
    fields = {"EMPLOYEEID": row["employee_id"], "PERSONALINFO.CONTACTNAME": name}
    return fields | company.entity_fields(row.get("entity", "")) | _status(row)


def _item(company: Company, row: Row) -> Fields:
    return {
        "ITEMID": row["item_id"],
        "NAME": row.get("name") or row["item_id"],
        "ITEMTYPE": row.get("item_type") or "Non-Inventory (Purchase only)",
        "UOMGRP": _group_of(company, row),
        "PRODUCTLINEID": row.get("category", ""),
        "GLGROUP": row.get("gl_account") or "6000",
    }


MONEY_OBJECTS = {"checking": "CHECKINGACCOUNT", "savings": "SAVINGSACCOUNT", "card": "CREDITCARD"}
"""The object behind each type of account that payments are made from."""

LISTS: Mapping[str, tuple[str, Callable[[Company, Row], Fields]]] = {
    "locations": ("LOCATION", _location),
    "departments": ("DEPARTMENT", _department),
    "classes": ("CLASS", _class),
    "terms": ("APTERM", _term),
    "accounts": ("GLACCOUNT", _account),
    "bank_accounts": ("CHECKINGACCOUNT", _bank_account),
    "vendors": ("VENDOR", _vendor),
    "customers": ("CUSTOMER", _customer),
    "projects": ("PROJECT", _project),
    "employees": ("EMPLOYEE", _employee),
    "items": ("ITEM", _item),
}
