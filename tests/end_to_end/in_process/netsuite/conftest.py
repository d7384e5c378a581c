"""The same whole product in front of a pretend NetSuite account."""

from collections.abc import Iterator

import pytest

from erp.netsuite import soap
from erp.netsuite.auth import Address
from sandbox.server import Sandbox
from tests.harness.sandbox_company import (
    SandboxCompany,
    SetUp,
    open_for_business,
)
from tests.harness.stack_client import StackClient

NETSUITE = SetUp(
    erp="netsuite",
    path="/services/NetSuitePort_2023_2",
    entity="1",
    credentials={"consumer_key": "ck", "consumer_secret": "cs", "token_id": "tk", "token_secret": "ts"},
    named="account",
    preferences={"bank_account": "BOA"},
)


def named_netsuite(app: Sandbox, name: str) -> None:
    app.netsuite.company.account = name


@pytest.fixture
def one_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pretend accounts speak alike: their schemas are read once, not once per port. For these tests only: others,
    in the same process, are about what is kept for which host.
    """

    def name(address: Address) -> str:
        return address.version

    monkeypatch.setattr(soap, "_name", name)


@pytest.fixture
def company(street: None, one_language: None) -> Iterator[SandboxCompany]:
    with open_for_business(NETSUITE, named_netsuite) as created:
        yield created


@pytest.fixture
async def received(api: StackClient, company: SandboxCompany) -> StackClient:
    """PO-1 is received and in the mirror."""
    company.order("PO-1")
    company.does("receive", number="PO-1")
    await api.start()
    return api
