"""Enter credits through the API and wait for them."""

from typing import Any

from tests.harness.sandbox_company import today
from tests.harness.stack_client import StackClient


def a_credit(bill: dict[str, Any], number: str, *lines: dict[str, Any]) -> dict[str, Any]:
    return {"bill_id": bill["id"], "number": number, "credit_date": today().isoformat(), "lines": list(lines)}


async def entered(api: StackClient, body: dict[str, Any]) -> dict[str, Any]:
    """Enter a credit and wait until the ERP holds it."""
    answer = await api.post("/v1/credits", body, role="clerk")
    assert answer.status_code == 201, answer.text
    credit_id = answer.json()["id"]

    async def is_there() -> bool:
        return bool((await api.get(f"/v1/credits/{credit_id}"))["status"] == "open")

    await api.until(is_there, "the credit in the ERP")
    shown: dict[str, Any] = await api.get(f"/v1/credits/{credit_id}")
    return shown
