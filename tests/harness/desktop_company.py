"""A pretend PC with QuickBooks Desktop and its Web Connector, and how a stack is connected to it: by a `.qwc` file.

Real: the door over HTTP, and the Web Connector's calls. Fake: the PC, as everything in the sandbox.
"""

from datetime import timedelta

from sandbox.server import Sandbox
from tests.harness.sandbox_company import SandboxCompany, SetUp, today
from tests.harness.stack_client import StackClient

DESKTOP = SetUp(
    erp="quickbooks_desktop",
    path="",
    entity="",
    credentials={},
    named="",
    preferences={"bank_account": "BOA"},
)
"""Companies are told apart by the mark that the `.qwc` file puts into them: their names need not differ."""

EVERY_SECONDS = 0.1
"""How often the Web Connector calls by itself."""


def named_desktop(app: Sandbox, name: str) -> None:
    """Give the company file its name."""
    app.quickbooks_desktop.company.name = name


async def connect(api: StackClient, *, mode: str | None = None, **preferences: str) -> None:
    """Connect, add the `.qwc` file to the Web Connector, which calls by itself from then on, and sync once."""
    body = {
        "erp": "quickbooks_desktop",
        "name": "Acme",
        # It is read by windows of a month, and each takes a round.
        "first_import_from": (today() - timedelta(days=28)).isoformat(),
        "purchase_orders": True,
    }
    created = await api.post("/v1/connections", body)
    assert created.status_code == 201, created.text
    api.connection_id = created.json()["id"]
    path = f"/v1/connections/{api.connection_id}"
    login = await api.post(f"{path}/web_connector", {})
    assert login.status_code == 201, login.text
    file = await api.http.get(f"{path}/qwc", headers={"Authorization": f"Bearer {api.keys['admin']}"})
    assert file.status_code == 200, file.text
    switched_on(api.company, file.text, login.json()["password"])

    async def synced_once() -> bool:
        return (await api.connection())["last_synced_at"] is not None

    await api.until(synced_once, "the first sync")
    assert (await api.prefer(**preferences))["complete"]
    if mode is not None:
        await api.match(mode)
    await api.sync()


def switched_on(company: SandboxCompany, qwc: str, password: str) -> None:
    """A person adds the application and ticks Auto-Run."""
    company.switch(run_every_seconds=EVERY_SECONDS)
    company.does_at_once("add_application", qwc=qwc, password=password)
    company.does_at_once("start_auto_run")
