"""What a company needs for bills without an order, and lines of them."""

from tests.harness.sandbox_company import SandboxCompany

RENT = {"account": "6600", "amount": "1200.00", "description": "Rent", "location": "100", "department": "OPS"}
POWER = {"account": "6700", "amount": "80.50", "description": "Power", "location": "100"}


def furnish(company: SandboxCompany, *, term: str = "Net 30") -> None:
    """A vendor, accounts and a department to bill on."""
    company.load(
        vendors=[{"vendor_id": "V-1", "name": "Vendor One", "term": term}],
        accounts=[
            {"account_no": number, "title": title, "account_type": "incomestatement", "normal_balance": "debit"}
            for number, title in (("6600", "Rent"), ("6700", "Utilities"), ("7000", "Freight"), ("9999", "Unallocated"))
        ],
        departments=[{"department_id": "OPS", "title": "Operations"}],
        locations=[{"location_id": "100", "name": "Main", "entity": "100"}],
    )


def furnish_netsuite(company: SandboxCompany) -> None:
    """A vendor with a term, and accounts to bill on."""
    company.load(
        vendors=[{"vendor_id": "V-1", "name": "Vendor One", "term": "Net 30"}],
        terms=[{"term": "Net 30", "days": "30"}],
        accounts=[
            {"account_no": "6600", "title": "Rent", "account_type": "_expense"},
            {"account_no": "6700", "title": "Utilities", "account_type": "_expense"},
        ],
    )
