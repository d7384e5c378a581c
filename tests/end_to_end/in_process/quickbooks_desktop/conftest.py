"""The same whole product in front of a PC with QuickBooks Desktop, whose Web Connector calls the door over HTTP."""

from collections.abc import Iterator

import pytest

from settings import Settings
from tests.harness.checked_bodies import checked_documents
from tests.harness.desktop_company import DESKTOP, named_desktop
from tests.harness.sandbox_company import SandboxCompany, open_for_business
from tests.harness.serving import served


@pytest.fixture(scope="session")
def door_settings(whole_settings: Settings, whole_worker: None, temporal_address: str) -> Iterator[Settings]:
    """Settings by whose `public_url` Web Connectors come to a door that is served."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TEMPORAL_ADDRESS", temporal_address)  # read when it starts
        with served(whole_settings) as url:
            yield whole_settings.model_copy(update={"public_url": url.replace("127.0.0.1", "localhost")})


@pytest.fixture
def api_settings(door_settings: Settings) -> Settings:
    return door_settings


@pytest.fixture
def company(street: None) -> Iterator[SandboxCompany]:
    """The company, whose documents are compared with the vendor's schemas, both ways."""
    with checked_documents() as checked, open_for_business(DESKTOP, named_desktop) as created:
        created.load(bank_accounts=[{"bank_account_id": "BOA", "name": "BOA"}])
        yield created
        created.does_at_once("stop_auto_run")
    assert not checked.wrong, checked.wrong[0]
