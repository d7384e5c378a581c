"""The lists of the neutral format as NetSuite records."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from sandbox.netsuite import bootstrap
from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import BadRow
from sandbox.netsuite.records import RECORD_TYPES, Record, Values
from sandbox.netsuite.values import Lines, Ref
from sandbox.neutral import Row

_ITEM_TYPES = {
    "inventory": "inventoryItem",
    "non-inventory (purchase only)": "nonInventoryPurchaseItem",
    "non-inventory": "nonInventoryPurchaseItem",
    "service": "servicePurchaseItem",
}


def put(company: Company, kind: str, row: Row) -> Record:
    """One row of a list: a new record, or the known one with these values. Raises BadRow."""
    return LISTS[kind](company, row)


def _keep(company: Company, type_name: str, key: str, values: Values) -> Record:
    group = RECORD_TYPES[type_name].group
    known = company.keyed(group, key)
    if known is None:
        return company.insert(type_name, values, key=key)
    known.values |= values
    company.touch(known)
    return known


def _inactive(row: Row) -> bool:
    status = row.get("status") or "active"
    if status not in ("active", "inactive"):
        raise BadRow(f"status {status!r} is not active or inactive")
    return status == "inactive"


def _parent(company: Company, group: str, key: str) -> Ref:
    found = company.keyed(group, key)
    if found is None:
        raise BadRow(f"parent {key!r} does not exist; load it first")
    return company.ref(found)


def _entity(company: Company, row: Row) -> Record:
    known = company.keyed("subsidiary", row["entity_id"])
    name, symbol = row.get("name") or row["entity_id"], row.get("currency") or bootstrap.BASE_CURRENCY
    if known is None:
        return bootstrap.add_subsidiary(company, row["entity_id"], name, symbol)
    known.values |= {"name": name, "currency": company.ref(bootstrap.currency(company, symbol))}
    company.touch(known)
    return known


def _dimension(type_name: str, key: str, title: str) -> Callable[[Company, Row], Record]:
    def keep(company: Company, row: Row) -> Record:
        values: Values = {"name": row.get(title) or row[key], "isInactive": _inactive(row)}
        if row.get("parent_id"):
            values["parent"] = _parent(company, type_name, row["parent_id"])
        if row.get("entity"):
            values["subsidiaryList"] = Lines([company.ref(bootstrap.subsidiary(company, row["entity"]))])
        return _keep(company, type_name, row[key], values)

    return keep


def _term(company: Company, row: Row) -> Record:
    values = {"name": row["term"], "daysUntilNetDue": int(Decimal(row.get("days") or "0")), "isInactive": False}
    return _keep(company, "term", row["term"], values)


def _account(company: Company, row: Row) -> Record:
    kind = "_expense" if (row.get("account_type") or "incomestatement") == "incomestatement" else "_otherCurrentAsset"
    kind = row["account_type"] if row.get("account_type", "").startswith("_") else kind
    values: Values = {
        "acctNumber": row["account_no"],
        "acctName": row.get("title") or row["account_no"],
        "acctType": kind,
    }
    values["description"] = row.get("description") or None
    if row.get("entities"):
        named = [company.ref(bootstrap.subsidiary(company, one)) for one in row["entities"].split()]
        values |= {"subsidiaryList": Lines(named), "includeChildren": row.get("with_children") == "true"}
    return _keep(company, "account", row["account_no"], {**values, "isInactive": _inactive(row)})


def _bank_account(company: Company, row: Row) -> Record:
    values: Values = {"acctNumber": row["bank_account_id"], "acctName": row.get("name") or row["bank_account_id"]}
    kinds = {"": "_bank", "checking": "_bank", "savings": "_bank", "card": "_creditCard"}
    if row.get("type", "") not in kinds:
        raise BadRow(f"type {row['type']!r} is not one of checking, savings, card")
    values |= {"acctType": kinds[row.get("type", "")], "isInactive": _inactive(row)}
    return _keep(company, "account", row["bank_account_id"], values)


def _vendor(company: Company, row: Row) -> Record:
    term = row.get("term") or "Net 30"
    known = company.keyed("term", term)
    if known is None:
        raise BadRow(f"term {term!r} does not exist; load it first")
    subsidiary = bootstrap.subsidiary(company, row.get("entity", ""))
    now = company.now()
    values = {
        "entityId": row["vendor_id"],
        "isPerson": False,
        "companyName": row.get("name") or row["vendor_id"],
        "isInactive": _inactive(row),
        "lastModifiedDate": now,
        "dateCreated": now,
        "subsidiary": company.ref(subsidiary),
        "terms": company.ref(known),
        "currency": company.ref(bootstrap.currency(company, row.get("currency") or bootstrap.BASE_CURRENCY)),
    }
    values |= {name: row[name] for name in ("email", "phone") if row.get(name)}
    written = [row.get("street"), " ".join(row[name] for name in ("city", "state", "zip") if row.get(name))]
    if any(written):
        values["defaultAddress"] = "\n".join(line for line in written if line)
    if row.get("bank_account"):
        values["accountNumber"] = row["bank_account"]
    return _keep(company, "vendor", row["vendor_id"], values)


def _person_or_party(type_name: str, key: str) -> Callable[[Company, Row], Record]:
    """Customers, projects and employees: entities, as vendors are. Their keys are kept apart by a prefix."""

    def keep(company: Company, row: Row) -> Record:
        now = company.now()
        name = row.get("name") or row[key]
        values: Values = {"entityId": row[key], "altName": name, "isInactive": _inactive(row)}
        values |= {"dateCreated": now, "lastModifiedDate": now}
        values["subsidiary"] = company.ref(bootstrap.subsidiary(company, row.get("entity", "")))
        if type_name != "employee":
            values["companyName"] = name
        if type_name == "job" and row.get("customer_id"):
            values["parent"] = _parent(company, "entity", f"customer:{row['customer_id']}")
        elif row.get("parent_id"):
            values["parent"] = _parent(company, "entity", f"{type_name}:{row['parent_id']}")
        return _keep(company, type_name, f"{type_name}:{row[key]}", values)

    return keep


def _item(company: Company, row: Row) -> Record:
    given = row.get("item_type") or "Non-Inventory (Purchase only)"
    type_name = _ITEM_TYPES.get(given.lower())
    if type_name is None:
        raise BadRow(f"item_type {given!r} is not Inventory, Non-Inventory or Service")
    account = company.keyed("account", row.get("gl_account") or "6000")
    if account is None:
        raise BadRow(f"account {row['gl_account']!r} does not exist; load it first")
    now = company.now()
    name = row.get("name") or row["item_id"]
    values: Values = {"createdDate": now, "lastModifiedDate": now, "purchaseDescription": name, "displayName": name}
    values |= {"itemId": row["item_id"], "isInactive": False, "cost": Decimal(0)}
    unit = row.get("unit") or "Each"
    units_type = bootstrap.add_unit(company, unit, row.get("unit_group", ""), _factor(company, row, unit))
    values["unitsType"] = company.ref(units_type)
    values["purchaseUnit"] = bootstrap.unit(company, unit, values["unitsType"])
    if type_name == "inventoryItem":
        asset, cost = company.keyed("account", "1300"), company.keyed("account", "5000")
        values["assetAccount"] = company.ref(asset) if asset is not None else None
        values["cogsAccount"] = company.ref(cost) if cost is not None else None
    else:
        values["expenseAccount"] = company.ref(account)
        waits = row.get("receivable") or ("false" if type_name == "servicePurchaseItem" else "true")
        values["isFulfillable"] = waits.lower() == "true"
    return _keep(company, type_name, row["item_id"], values)


def _factor(company: Company, row: Row, name: str) -> Decimal:
    """What a unit is worth in its group, where it is known already."""
    group = company.keyed("unitsType", row.get("unit_group") or name)
    for unit in group["uomList"] if group is not None else ():
        if unit["unitName"] == name:
            return Decimal(unit["conversionRate"])
    return Decimal(1)


def _unit(company: Company, row: Row) -> Record:
    return bootstrap.add_unit(company, row["unit"], row["unit_group"], Decimal(row["factor"]))


LISTS: Mapping[str, Callable[[Company, Row], Record]] = {
    "entities": _entity,
    "locations": _dimension("location", "location_id", "name"),
    "departments": _dimension("department", "department_id", "title"),
    "classes": _dimension("classification", "class_id", "name"),
    "terms": _term,
    "accounts": _account,
    "bank_accounts": _bank_account,
    "vendors": _vendor,
    "customers": _person_or_party("customer", "customer_id"),
    "projects": _person_or_party("job", "project_id"),
    "employees": _person_or_party("employee", "employee_id"),
    "units": _unit,
    "items": _item,
}
