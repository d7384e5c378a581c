"""The same whole product in front of a pretend NetSuite account."""

from collections.abc import Iterator

import pytest

from erp.netsuite import soap
from erp.netsuite.address import Address
from sandbox.server import Sandbox
from tests.whole.company import Company, SetUp, open_for_business

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


@pytest.fixture(scope="session")
def one_language() -> Iterator[None]:
    """All pretend accounts speak alike: their schemas are read once, not once per port."""

    def name(address: Address) -> str:
        return address.version

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soap, "_name", name)
        yield


@pytest.fixture
def company(street: None, one_language: None) -> Iterator[Company]:
    with open_for_business(NETSUITE, named_netsuite) as made:
        yield made
