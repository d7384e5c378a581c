"""Limits of blanket lines: set by people, kept by the line's id, and what they refuse."""

from models.store.base.database import Database
from tests.harness.api_client import ApiClient, a_problem, an_order, connected, mirrored


async def test_end_and_cap_hold_bills_beyond_them(api: ApiClient, database: Database) -> None:
    """Rules 3.6: a bill after the end, and one that takes more than the cap, are held; without limits both pass."""
    order = an_order("PO-1")
    order_id = await mirrored(database, await connected(api), order)
    line = f"/v1/purchase-orders/{order_id}/lines/{order.lines[0].erp_id}/limits"
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}

    async def held() -> list[str]:
        answer = await api.post(f"/v1/purchase-orders/{order_id}/match", body)
        return [finding["code"] for finding in answer.json()["match"]["findings"]]

    assert await held() == []
    set_both = await api.put(line, {"ends_on": "2026-11-19", "release_cap": "49.99"})
    assert (set_both.status_code, set_both.headers["etag"]) == (200, '"1"'), set_both.text
    assert await held() == ["BLANKET_ENDED", "RELEASE_CAP"]
    shown = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["lines"][0]
    assert (shown["ends_on"], shown["release_cap"]) == ("2026-11-19", "49.99")
    a_problem(await api.put(line, {}, if_match='"0"'), 412, "PRECONDITION_FAILED")
    assert (await api.put(line, {"ends_on": "2026-11-20", "release_cap": "50.00"})).status_code == 200
    assert await held() == []
    a_problem(await api.put(f"/v1/purchase-orders/{order_id}/lines/none/limits", {}), 404, "NOT_FOUND")


async def test_a_bill_that_waits_goes_on_when_the_limit_is_lifted(api: ApiClient, database: Database) -> None:
    """The limit is raised: who waits for it is matched again without anybody asking."""
    order = an_order("PO-1")
    order_id = await mirrored(database, await connected(api), order)
    line = f"/v1/purchase-orders/{order_id}/lines/{order.lines[0].erp_id}/limits"
    await api.put(line, {"release_cap": "10.00"})
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 1, "quantity": "4"}]}
    created = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
    assert created.json()["bill"]["status"] == "on_hold", created.text
    assert (await api.put(line, {"release_cap": "50.00"})).status_code == 200
