"""The same whole product in front of a pretend QuickBooks Online company."""

from collections.abc import Iterator

import pytest

from tests.harness.quickbooks_company import QUICKBOOKS, named_quickbooks
from tests.harness.sandbox_company import SandboxCompany, open_for_business


@pytest.fixture
def company(street: None) -> Iterator[SandboxCompany]:
    with open_for_business(QUICKBOOKS, named_quickbooks) as created:
        created.load(accounts=[{"account_no": "1000", "name": "BOA", "type": "bank"}])
        yield created
