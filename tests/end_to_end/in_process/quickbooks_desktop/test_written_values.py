"""What a caller writes stands in QuickBooks Desktop's books as it was written, or is refused before anything is."""

from collections.abc import Sequence

import pytest

from tests.harness.desktop_company import connect
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient
from tests.harness.written_documents import (
    DESKTOP_BOOKS,
    charges_and_dimensions,
    documents,
    furnish,
    payments,
)
from tests.harness.written_documents import Written as Document
from tests.harness.written_values import WINDOWS_LETTERS, Written, bills, stands_as_written, tried_with


@pytest.fixture
async def started(api: StackClient) -> StackClient:
    await connect(api)
    return api


@pytest.fixture
async def furnished(api: StackClient, company: SandboxCompany) -> StackClient:
    furnish(company)
    await connect(api)
    assert (await api.prefer(**DESKTOP_BOOKS.preferences))["complete"]
    await api.sync()
    return api


@tried_with(bills(5, letters=WINDOWS_LETTERS), size=10, times=4)
async def test_what_was_written_stands_in_the_books(
    started: StackClient, company: SandboxCompany, written: Sequence[Written]
) -> None:
    """Issue 10, kind 1, issue 12, from `POST bills` to the company file: decimals with zeros and exponents, units,
    days, texts with blanks, line ends and every letter that QuickBooks stores."""
    await stands_as_written(started, company, written)


@tried_with(documents(DESKTOP_BOOKS), size=6, times=2)
async def test_charges_and_dimensions_stand_in_the_books(
    furnished: StackClient, company: SandboxCompany, written: Sequence[Document]
) -> None:
    """Issue 10, kind 1: freight, tax and a discount, and what a line is booked on, from the API to the books, or
    refused before it is saved."""
    await charges_and_dimensions(furnished, company, DESKTOP_BOOKS, written)


@tried_with(documents(DESKTOP_BOOKS), size=6, times=2)
async def test_payments_stand_in_the_books(
    furnished: StackClient, company: SandboxCompany, written: Sequence[Document]
) -> None:
    """Issue 10, kind 1: amount, day, account and method, from the API to the books, or refused before it is
    saved."""
    await payments(furnished, company, DESKTOP_BOOKS, written)


async def test_a_letter_that_quickbooks_does_not_store_is_told_before_the_push(
    api: StackClient, company: SandboxCompany
) -> None:
    """Issue 12: the bill waits for a person, and nothing of it is in the books."""
    company.order("PO-1", "10")
    await connect(api)
    bill_id = await api.bill("PO-1", {1: "4"}, memo="Złoty")
    issue = await api.issue("TEXT_NOT_TAKEN")
    assert (issue["evidence"]["code"], company.held("bills")) == ("U+0142", [])
    assert (await api.read_bill(bill_id))["status"] == "sync_issue"
