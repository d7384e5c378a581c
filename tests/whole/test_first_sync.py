"""Connecting: lists first, transactions once the sync preferences are complete."""

from tests.whole.company import Company
from tests.whole.desk import PREFERENCES, Desk, credentials, refused


async def test_the_first_sync_brings_lists_only(desk: Desk, company: Company) -> None:
    """S2-54, S2-55, S2-06."""
    company.order("PO-1")
    await desk.connect()
    vendors = await desk.items(f"/v1/connections/{desk.connection_id}/lists/vendor")
    assert [(vendor["key"], vendor["name"], vendor["active"]) for vendor in vendors] == [("V-1", "Vendor One", True)]
    items = await desk.items(f"/v1/connections/{desk.connection_id}/lists/item")
    assert {item["key"] for item in items} == {"ITEM-1", "ITEM-2"}
    assert await desk.numbers() == set()
    connection = await desk.connection()
    assert (connection["state"], connection["preferences_complete"]) == ("needs_preferences", False)
    # Asking again does not help: the preferences are what is missing.
    await desk.sync()
    assert await desk.numbers() == set()


async def test_template_names_are_case_sensitive(desk: Desk, company: Company) -> None:
    """S4-62, S2-55: a wrong name is named, the right one offered, and nothing syncs until it is right."""
    company.order("PO-1")
    await desk.connect()
    wrong = await desk.prefer(po_template="purchase order")
    assert wrong["complete"] is False
    (problem,) = wrong["problems"]
    assert (problem["code"], problem["preference"]) == ("TEMPLATE_WRONG_CASE", "po_template")
    assert '"Purchase Order"' in problem["message"]
    await desk.sync()
    assert await desk.numbers() == set()
    right = await desk.prefer()
    assert (right["complete"], right["problems"], right["connection"]["state"]) == (True, [], "ready")
    await desk.sync()
    assert await desk.numbers() == {"PO-1"}


async def test_both_template_names_are_needed(desk: Desk, company: Company) -> None:
    """S4-62."""
    await desk.connect()
    path = f"/v1/connections/{desk.connection_id}/preferences"
    only_one = {name: value for name, value in PREFERENCES.items() if name != "vendor_invoice_template"}
    answer = (await desk.put(path, {"preferences": only_one})).json()
    assert answer["complete"] is False
    assert [(problem["code"], problem["preference"]) for problem in answer["problems"]] == [
        ("PREFERENCE_MISSING", "vendor_invoice_template")
    ]


async def test_wrong_credentials_connect_nothing(desk: Desk, company: Company) -> None:
    """S2-51: refused with the reason, nothing is kept, and the right ones connect afterwards."""
    body = {
        "erp": "intacct",
        "name": "Acme",
        "credentials": credentials(company, password="guessed"),
        "entity": "100",
        "endpoint": f"{company.url}/ia/xml/xmlgw.phtml",
        "settings": {"allow_loopback": True},
    }
    problem = refused(await desk.post("/v1/connections", body), 422, "AUTH_BAD_CREDENTIALS")
    assert "guessed" not in str(problem)
    assert await desk.get("/v1/connections") == {"items": []}
    elsewhere = {**body, "credentials": credentials(company), "entity": "999"}
    refused(await desk.post("/v1/connections", elsewhere), 422, "AUTH_ENTITY_NOT_ALLOWED")
    await desk.connect()
    assert (await desk.connection())["user_name"] == "xml_gateway"
