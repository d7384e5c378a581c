"""A backfill from NetSuite: what was received and billed of an older order comes with it."""

from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient


async def test_an_older_order_comes_with_its_receipts(api: StackClient, company: SandboxCompany) -> None:
    """S1-13, S5-113: long after the connection was made; its receipts are older than those that syncs read."""
    company.order("PO-OLD", days_ago=400)
    day = company.one("purchase_orders", number="PO-OLD")["date"][:10]
    company.load(
        receipts=[
            {"receipt_number": "IR-1", "po_number": "PO-OLD", "po_line_no": "1", "receipt_date": day, "quantity": "4"}
        ]
    )
    await api.start(mode="three_way")
    assert await api.numbers() == set()
    asked = await api.post(f"/v1/connections/{api.connection_id}/backfills", {"numbers": ["PO-OLD"]})
    path = f"/v1/backfills/{asked.json()['id']}"

    async def is_over() -> Any:
        shown = await api.get(path)
        return shown if shown["state"] != "running" else None

    done = await api.until(is_over, "the end of the backfill")
    assert (done["state"], done["not_seen"]) == ("completed", [])
    line = (await api.order("PO-OLD"))["lines"][0]
    assert Decimal(line["received"]) == 4
    assert today().isoformat() > day
