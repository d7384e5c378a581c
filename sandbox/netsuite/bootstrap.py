"""What an account has before anything is loaded: subsidiaries, currencies, accounts, terms, units, periods."""

from datetime import timedelta
from decimal import Decimal

from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import BadRow
from sandbox.netsuite.records import Record
from sandbox.netsuite.values import Fields, Lines, Ref

BASE_CURRENCY = "USD"
_CURRENCIES = (
    ("USA", "USD", "1"),
    ("British Pound", "GBP", "1.27"),
    ("Canadian Dollar", "CAD", "0.74"),
    ("Euro", "EUR", "1.09"),
)
_ACCOUNTS = (
    ("1000", "Cash", "_bank"),
    ("1300", "Inventory", "_otherCurrentAsset"),
    ("2000", "Accounts Payable", "_accountsPayable"),
    ("5000", "Cost of Goods Sold", "_costOfGoodsSold"),
    ("6000", "Purchases", "_expense"),
)


def bootstrap_company(company: Company) -> None:
    """Fill an empty account with its configuration."""
    for name, symbol, rate in _CURRENCIES:
        add_currency(company, symbol, name, Decimal(rate))
    for key, name in (("100", "United States"), ("200", "United Kingdom")):
        add_subsidiary(company, key, name, BASE_CURRENCY)
    for number, name, kind in _ACCOUNTS:
        add_account(company, number, name, kind)
    add_account(company, "BOA", "Bank of America", "_bank")
    for name, days in (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60)):
        add_term(company, name, days)
    add_unit(company, "Each")
    first = company.today().replace(day=1) - timedelta(days=730)
    for months in range(36):
        company.period_of((first + timedelta(days=31 * months)).replace(day=1))


def top(company: Company) -> Record:
    """The subsidiary above all others."""
    found = company.get("subsidiary", "1")
    assert found is not None
    return found


def add_currency(company: Company, symbol: str, name: str = "", rate: Decimal = Decimal(1)) -> Record:
    """A currency with its rate to the base currency."""
    base = symbol == BASE_CURRENCY
    values = {"name": name or symbol, "symbol": symbol, "isBaseCurrency": base, "isInactive": False}
    return company.insert("currency", {**values, "exchangeRate": rate, "currencyPrecision": "_two"}, key=symbol)


def currency(company: Company, symbol: str) -> Record:
    """A currency by its ISO code, made when it is new."""
    return company.keyed("currency", symbol) or add_currency(company, symbol)


def add_subsidiary(company: Company, key: str, name: str, symbol: str) -> Record:
    """A legal entity; all but the first are below it."""
    values = {"name": name, "isInactive": False, "isElimination": False}
    values["currency"] = company.ref(currency(company, symbol))
    if company.groups["subsidiary"]:
        values["parent"] = company.ref(top(company))
    return company.insert("subsidiary", values, key=key)


def subsidiary(company: Company, key: str) -> Record:
    """A legal entity by its key in the neutral format or its internal id; the top one for an empty key.

    Raises BadRow.
    """
    found = company.keyed("subsidiary", key) or company.get("subsidiary", key) if key else top(company)
    if found is None:
        raise BadRow(f"entity {key!r} does not exist; load it first")
    return found


def add_account(company: Company, number: str, name: str, kind: str) -> Record:
    """A general ledger account."""
    values = {"acctNumber": number, "acctName": name, "acctType": kind, "isInactive": False}
    return company.insert("account", values, key=number)


def add_term(company: Company, name: str, days: int) -> Record:
    """Payment terms counted from the bill's date."""
    values = {"name": name, "daysUntilNetDue": days, "dateDriven": False, "isInactive": False}
    return company.insert("term", values, key=name)


def add_unit(company: Company, name: str, group: str = "", factor: Decimal = Decimal(1)) -> Record:
    """A unit of so many base units, in a units type of the group's name, else of its own."""
    key = group or name
    held = company.keyed("unitsType", key)
    if held is None:
        held = company.insert("unitsType", {"name": key, "isInactive": False, "uomList": Lines()}, key=key)
    for known in held["uomList"]:
        if known["unitName"] == name:
            known["conversionRate"] = factor
            return held
    number = sum(len(one["uomList"]) for one in company.groups["unitsType"].values()) + 1
    unit: dict[str, object] = {"internalId": str(number), "unitName": name, "pluralName": name, "abbreviation": name}
    unit |= {"pluralAbbreviation": name, "conversionRate": factor, "baseUnit": factor == 1}
    held["uomList"].append(Fields("UnitsTypeUom", unit))
    company.touch(held)
    return held


def unit(company: Company, name: str, units_type: Ref | None = None) -> Ref:
    """A unit by its name: the one of a units type where it has it, else one by itself, made when it is new."""
    found = company.groups["unitsType"].get(units_type.internal_id) if units_type is not None else None
    for one in found["uomList"] if found is not None else ():
        if one["unitName"] == name:
            return Ref(one["internalId"], name=name)
    alone = company.keyed("unitsType", name) or add_unit(company, name)
    return Ref(alone["uomList"][0]["internalId"], name=name)


def default_location(company: Company) -> Ref:
    """Where things are received when an order's line says nothing."""
    found = company.keyed("location", "MAIN") or company.insert(
        "location", {"name": "Main Warehouse", "isInactive": False}, key="MAIN"
    )
    return company.ref(found)
