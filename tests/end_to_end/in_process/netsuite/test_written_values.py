"""What a caller writes stands in the ERP's books as it was written, or is refused before it is saved."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient
from tests.harness.written_documents import (
    NETSUITE_BOOKS,
    bills_without_an_order,
    charges_and_dimensions,
    documents,
    furnish,
    payments,
)
from tests.harness.written_documents import Written as Document
from tests.harness.written_values import Written, bills, stands_as_written


@pytest.fixture
async def started(api: StackClient) -> StackClient:
    await api.start()
    return api


@pytest.fixture
async def furnished(api: StackClient, company: SandboxCompany) -> StackClient:
    furnish(company)
    await api.start()
    assert (await api.prefer(**NETSUITE_BOOKS.preferences))["complete"]
    await api.sync()
    return api


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(written=st.lists(bills(8), min_size=10, max_size=10))
async def test_what_was_written_stands_in_the_books(
    started: StackClient, company: SandboxCompany, written: Sequence[Written]
) -> None:
    """Issue 10, kind 1, from `POST bills` to the ERP's books: decimals with zeros and exponents, units, days, texts
    with blanks, line ends and letters of any alphabet."""
    await stands_as_written(started, company, written)


@settings(
    max_examples=2, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
)
@given(written=st.lists(documents(NETSUITE_BOOKS), min_size=6, max_size=6))
async def test_charges_and_dimensions_stand_in_the_books(
    furnished: StackClient, company: SandboxCompany, written: Sequence[Document]
) -> None:
    """Issue 10, kind 1: freight, tax and a discount, and what a line is booked on, from the API to the books, or
    refused before it is saved."""
    await charges_and_dimensions(furnished, company, NETSUITE_BOOKS, written)


@settings(
    max_examples=2, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
)
@given(written=st.lists(documents(NETSUITE_BOOKS), min_size=6, max_size=6))
async def test_bills_without_an_order_stand_in_the_books(
    furnished: StackClient, company: SandboxCompany, written: Sequence[Document]
) -> None:
    """Issue 10, kind 1: accounts, amounts, texts and dimensions, from the API to the books, or refused before it is
    saved."""
    await bills_without_an_order(furnished, company, NETSUITE_BOOKS, written)


@settings(
    max_examples=2, deadline=None, derandomize=True, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
)
@given(written=st.lists(documents(NETSUITE_BOOKS), min_size=6, max_size=6))
async def test_payments_stand_in_the_books(
    furnished: StackClient, company: SandboxCompany, written: Sequence[Document]
) -> None:
    """Issue 10, kind 1: amount, day, account and method, from the API to the books, or refused before it is
    saved."""
    await payments(furnished, company, NETSUITE_BOOKS, written)
