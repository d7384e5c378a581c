"""Connecting: lists first, transactions once the sync preferences are complete."""

from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    PREFERENCES,
    StackClient,
    credentials,
    refused,
)


async def test_the_first_sync_brings_lists_only(api: StackClient, company: SandboxCompany) -> None:
    """S2-54, S2-55, S2-06."""
    company.order("PO-1")
    await api.connect()
    vendors = await api.items(f"/v1/connections/{api.connection_id}/lists/vendor")
    assert [(vendor["key"], vendor["name"], vendor["active"]) for vendor in vendors] == [("V-1", "Vendor One", True)]
    items = await api.items(f"/v1/connections/{api.connection_id}/lists/item")
    assert {item["key"] for item in items} == {"ITEM-1", "ITEM-2"}
    assert await api.numbers() == set()
    connection = await api.connection()
    assert (connection["state"], connection["preferences_complete"]) == ("needs_preferences", False)
    # Asking again does not help: the preferences are what is missing.
    await api.sync()
    assert await api.numbers() == set()


async def test_the_last_step_of_the_set_up_brings_orders_in(api: StackClient, company: SandboxCompany) -> None:
    """S2-55: once the preferences are complete, and once an administrator switches orders on, nobody has to ask."""
    company.order("PO-1")
    await api.connect(purchase_orders=False)
    path = f"/v1/connections/{api.connection_id}"
    assert (await api.put(f"{path}/preferences", {"preferences": PREFERENCES})).json()["complete"]

    async def bills_were_read() -> bool:
        runs = await api.items(f"{path}/sync-runs")
        return len(runs) == 2 and runs[0]["state"] == "completed"

    await api.until(bills_were_read, "the sync that the preferences begin")
    assert await api.numbers() == set()
    assert (await api.put(f"{path}/purchase-orders", {"enabled": True})).status_code == 200

    async def orders_came_in() -> bool:
        return await api.numbers() == {"PO-1"}

    await api.until(orders_came_in, "the sync that purchase orders begin")


async def test_whoever_asks_during_the_first_sync_gets_the_orders_too(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-57, fault kind 9: the run under way began before the preferences were complete, and reads lists only."""
    company.order("PO-1")
    await api.connect()
    company.breaks("slow", "query", seconds=4)
    of_lists = await api.ask_for_sync()

    async def reads() -> bool:
        return bool(company.fired("slow"))

    await api.until(reads, "the run to read")
    assert (await api.prefer())["complete"]
    asked = await api.ask_for_sync()
    assert (asked["sync_run_id"], asked["already_running"]) == (of_lists["sync_run_id"], True)
    await api.sync_workflow(asked).result()
    assert await api.numbers() == {"PO-1"}


async def test_template_names_are_case_sensitive(api: StackClient, company: SandboxCompany) -> None:
    """S4-62, S2-55: a wrong name is named, the right one offered, and nothing syncs until it is right."""
    company.order("PO-1")
    await api.connect()
    wrong = await api.prefer(po_template="purchase order")
    assert wrong["complete"] is False
    (problem,) = wrong["problems"]
    assert (problem["code"], problem["preference"]) == ("TEMPLATE_WRONG_CASE", "po_template")
    assert '"Purchase Order"' in problem["message"]
    await api.sync()
    assert await api.numbers() == set()
    right = await api.prefer()
    assert (right["complete"], right["problems"], right["connection"]["state"]) == (True, [], "ready")
    await api.sync()
    assert await api.numbers() == {"PO-1"}


async def test_both_template_names_are_needed(api: StackClient, company: SandboxCompany) -> None:
    """S4-62."""
    await api.connect()
    path = f"/v1/connections/{api.connection_id}/preferences"
    only_one = {name: value for name, value in PREFERENCES.items() if name != "vendor_invoice_template"}
    answer = (await api.put(path, {"preferences": only_one})).json()
    assert answer["complete"] is False
    assert [(problem["code"], problem["preference"]) for problem in answer["problems"]] == [
        ("PREFERENCE_MISSING", "vendor_invoice_template")
    ]


async def test_wrong_credentials_connect_nothing(api: StackClient, company: SandboxCompany) -> None:
    """S2-51: refused with the reason, nothing is kept, and the right ones connect afterwards."""
    body = {
        "erp": "intacct",
        "name": "Acme",
        "credentials": credentials(company, password="guessed"),
        "entity": "100",
        "endpoint": f"{company.url}/ia/xml/xmlgw.phtml",
        "settings": {"allow_loopback": True},
    }
    problem = refused(await api.post("/v1/connections", body), 422, "AUTH_BAD_CREDENTIALS")
    assert "guessed" not in str(problem)
    assert await api.get("/v1/connections") == {"items": []}
    elsewhere = {**body, "credentials": credentials(company), "entity": "999"}
    refused(await api.post("/v1/connections", elsewhere), 422, "AUTH_ENTITY_NOT_ALLOWED")
    await api.connect()
    assert (await api.connection())["user_name"] == "xml_gateway"
