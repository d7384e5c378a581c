"""What commit 1e5ffd4 wrote is read over the API of today."""

from collections.abc import AsyncIterator

import pytest

from cli.local.embedded import EmbeddedPostgres
from models.store.base.database import Database
from models.store.connections import organizations
from settings import Settings
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import ApiClient, Organization, served
from tests.harness.old_database import (
    BILL_TO_PAY,
    FILLED_ORDER,
    INTACCT,
    NETSUITE,
    OPEN_ORDER,
    ORGANIZATION,
    REFUSED_BILL,
    restore_demo_end,
)


@pytest.fixture
async def migrated_api(postgres: EmbeddedPostgres, settings: Settings) -> AsyncIterator[ApiClient]:
    """A clerk of the organization that the demo made."""
    url = await restore_demo_end(postgres)
    database = Database(url)
    await database.migrate()
    async with database.transaction() as s:
        key = await organizations.create_api_key(s, ORGANIZATION, "clerk", "clerk")
    own_settings = settings.model_copy(update={"database_url": url})
    async with served(own_settings, FakeTemporal(database)) as http:
        yield ApiClient(http, Organization(ORGANIZATION, {"clerk": key}), "clerk")
    await database.close()


async def test_orders_bills_and_issues_read_as_they_did(migrated_api: ApiClient) -> None:
    """Issue 9, data that exists: figures as that commit's own API gave them."""
    numbers = []
    for connection in (INTACCT, NETSUITE):
        # S4-04: new connections start without orders; those of before keep theirs.
        assert (await migrated_api.get(f"/v1/connections/{connection}")).json()["purchase_orders_enabled"] is True
        # S2-56: none had a schedule, and each has the one of new connections now.
        assert (await migrated_api.get(f"/v1/connections/{connection}/schedule")).json()["every_minutes"] == 1440
        page = (await migrated_api.get("/v1/purchase-orders", connection=connection, limit=100)).json()
        numbers.append(len(page["items"]))
    assert numbers == [14, 16]

    filled = (await migrated_api.get(f"/v1/purchase-orders/{FILLED_ORDER}")).json()
    assert (filled["number"], filled["total"], filled["status"]) == ("PO-1007", "9146.00", "filled")
    ledger = [(line["ordered"], line["billed"], line["pending"], line["remaining"]) for line in filled["lines"]]
    assert ledger == [("4", "4", "0", "0"), ("4", "4", "0", "0"), ("8", "8", "0", "0")]

    waiting = (await migrated_api.get(f"/v1/purchase-orders/{OPEN_ORDER}")).json()
    assert (waiting["status"], waiting["total"]) == ("unfilled", "805.69")
    assert [(line["ordered"], line["pending"], line["remaining"]) for line in waiting["lines"]] == [
        ("24", "1", "23"),
        ("12", "0", "12"),
        ("6", "0", "6"),
    ]

    bill = (await migrated_api.get(f"/v1/bills/{BILL_TO_PAY}")).json()
    assert (bill["status"], bill["total"], bill["paid"], bill["due"], bill["document_id"]) == (
        "scheduled",
        "2859.00",
        "0.00",
        "2859.00",
        "Vendor Invoice-PSB-17C5A9383DD8D667",
    )
    assert [line["quantity"] for line in bill["lines"]] == ["80", "10"]

    (issue,) = (await migrated_api.get("/v1/sync-issues")).json()["items"]
    assert (issue["subject_id"], issue["title"]) == (REFUSED_BILL, "The ERP's period is closed: INV-1033-late")
    assert issue["evidence"]["erp_code"] == "PL03000006"
    assert issue["fix"]
    assert issue["who"] == "accountant"
