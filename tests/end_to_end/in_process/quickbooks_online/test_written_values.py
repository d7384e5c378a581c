"""What a caller writes stands in the ERP's books as it was written, or is refused before it is saved."""

from collections.abc import Sequence

import pytest

from tests.harness.quickbooks_company import connect
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient
from tests.harness.written_documents import (
    QUICKBOOKS_BOOKS,
    charges_and_dimensions,
    documents,
    furnish,
    payments,
)
from tests.harness.written_documents import Written as Document
from tests.harness.written_values import Written, bills, stands_as_written, tried_with


@pytest.fixture
async def started(api: StackClient) -> StackClient:
    await connect(api)
    return api


@pytest.fixture
async def furnished(api: StackClient, company: SandboxCompany) -> StackClient:
    furnish(company)
    await connect(api)
    assert (await api.prefer(**QUICKBOOKS_BOOKS.preferences))["complete"]
    await api.sync()
    return api


@tried_with(bills(7, units=(None,)), size=10, times=4)
async def test_what_was_written_stands_in_the_books(
    started: StackClient, company: SandboxCompany, written: Sequence[Written]
) -> None:
    """Issue 10, kind 1, from `POST bills` to the ERP's books: decimals with zeros and exponents, days, texts with
    blanks, line ends and letters of any alphabet. Lines have no unit there."""
    await stands_as_written(started, company, written)


@tried_with(documents(QUICKBOOKS_BOOKS), size=6, times=2)
async def test_charges_and_dimensions_stand_in_the_books(
    furnished: StackClient, company: SandboxCompany, written: Sequence[Document]
) -> None:
    """Issue 10, kind 1: freight, tax and a discount, and what a line is booked on, from the API to the books, or
    refused before it is saved."""
    await charges_and_dimensions(furnished, company, QUICKBOOKS_BOOKS, written)


@tried_with(documents(QUICKBOOKS_BOOKS), size=6, times=2)
async def test_payments_stand_in_the_books(
    furnished: StackClient, company: SandboxCompany, written: Sequence[Document]
) -> None:
    """Issue 10, kind 1: amount, day, account and method, from the API to the books, or refused before it is
    saved."""
    await payments(furnished, company, QUICKBOOKS_BOOKS, written)
