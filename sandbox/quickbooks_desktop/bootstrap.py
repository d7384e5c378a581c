"""What a company file has before anything is loaded: accounts and terms."""

from datetime import timedelta

from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.records import Entry

_ACCOUNTS = (
    ("BOA", "Bank of America", "Bank"),
    ("1000", "Checking", "Bank"),
    ("1300", "Inventory Asset", "OtherCurrentAsset"),
    ("2000", "Accounts Payable", "AccountsPayable"),
    ("2100", "Visa", "CreditCard"),
    ("4000", "Sales of Product Income", "Income"),
    ("5000", "Cost of Goods Sold", "CostOfGoodsSold"),
    ("6000", "Purchases", "Expense"),
)
_TERMS = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))


def bootstrap_company(company: Company) -> None:
    """Fill an empty company with the accounts BOA to 6000 and four terms."""
    with company.stamped(company.clock.now() - timedelta(days=730)):
        for number, name, kind in _ACCOUNTS:
            add_account(company, number, name, kind)
        for name, days in _TERMS:
            company.add_entry("StandardTerms", {"Name": name, "StdDueDays": days}, key=name)


def add_account(company: Company, number: str, name: str, kind: str) -> Entry:
    """An account by its number."""
    values = {"Name": name, "AccountNumber": number, "AccountType": kind}
    return company.add_entry("Account", values, key=number)
