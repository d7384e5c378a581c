"""What a company has before anything is loaded: settings, accounts, terms."""

from datetime import timedelta
from typing import Any

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.company_settings import found_company
from sandbox.quickbooks_online.entities import ENTITIES
from sandbox.quickbooks_online.records import Record
from sandbox.quickbooks_online.writing import create

_ACCOUNTS = (
    ("BOA", "Bank of America", "Bank"),
    ("1000", "Checking", "Bank"),
    ("1300", "Inventory Asset", "Other Current Asset"),
    ("2000", "Accounts Payable (A/P)", "Accounts Payable"),
    ("2100", "Visa", "Credit Card"),
    ("4000", "Sales of Product Income", "Income"),
    ("5000", "Cost of Goods Sold", "Cost of Goods Sold"),
    ("6000", "Purchases", "Expense"),
)
_TERMS = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))


def bootstrap_company(company: Company) -> None:
    """Fill an empty company with its settings, the accounts BOA to 6000 and four terms."""
    with company.stamped(company.clock.now() - timedelta(days=730)):
        found_company(company, "Sandbox Trading")
        for number, name, kind in _ACCOUNTS:
            add_account(company, number, name, kind)
        for name, days in _TERMS:
            put(company, "Term", name, {"Name": name, "DueDays": days})


def add_account(company: Company, number: str, name: str, kind: str) -> Record:
    """An account by its number."""
    return put(company, "Account", number, {"Name": name, "AcctNum": number, "AccountType": kind})


def put(company: Company, kind: str, key: str, body: dict[str, Any]) -> Record:
    """A list's record that the neutral format knows by `key`. Raises Refused."""
    return create(company, ENTITIES[kind], body, key=key)
