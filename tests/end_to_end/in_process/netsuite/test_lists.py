"""The lists that come in from NetSuite: projects, customers and employees are entities there, as vendors are."""

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused


async def test_projects_customers_and_employees_come_in(api: StackClient, company: SandboxCompany) -> None:
    """S2-06, S2-44, S5-46: known by internal id, with the number that people know them by."""
    company.load(
        accounts=[{"account_no": "7100", "title": "Rent", "description": "Offices and stores"}],
        customers=[{"customer_id": "C-1", "name": "Northwind"}],
        projects=[{"project_id": "P-1", "name": "Bridge", "customer_id": "C-1"}],
        employees=[{"employee_id": "E-1", "name": "Ada Byron"}],
        vendors=[{"vendor_id": "V-7", "name": "Pumps", "email": "ap@pumps.example", "phone": "555-0100"}],
    )
    company.order("PO-1", lines={1: {"project": "P-1"}})
    await api.connect()
    lists = f"/v1/connections/{api.connection_id}/lists"
    (customer,) = await api.items(f"{lists}/customer")
    (project,) = await api.items(f"{lists}/project")
    (employee,) = await api.items(f"{lists}/employee")
    assert (project["attributes"]["number"], project["name"]) == ("P-1", "Bridge")
    assert project["attributes"]["customer"] == customer["key"]
    assert employee["name"] == "Ada Byron"
    (vendor,) = await api.items(f"{lists}/vendor", q="V-7")
    assert (vendor["attributes"]["email"], vendor["attributes"]["phone"]) == ("ap@pumps.example", "555-0100")
    (rent,) = await api.items(f"{lists}/gl_account", q="7100")
    assert (rent["name"], rent["attributes"]["description"]) == ("Rent", "Offices and stores")
    assert (await api.prefer())["complete"]
    await api.sync()
    assert (await api.order("PO-1"))["lines"][0]["project"] == project["key"]


async def test_vendors_come_with_their_contact(api: StackClient, company: SandboxCompany) -> None:
    """S5-01, S5-49..59: contact, address and term; account and tax numbers are masked. Items say their type."""
    contact = {"email": "ap@pumps.example", "phone": "555-0100"}
    address = {"street": "1 Quay Street", "city": "Bristol", "state": "CT", "zip": "06010"}
    company.load(
        terms=[{"term": "Net 15", "days": "15"}],
        vendors=[
            {"vendor_id": "V-7", "name": "Pumps", "term": "Net 15", "bank_account": "123456789", **contact, **address}
        ],
        items=[{"item_id": "SVC", "name": "Consulting", "item_type": "Service"}],
    )
    await api.connect()
    lists = f"/v1/connections/{api.connection_id}/lists"
    (vendor,) = await api.items(f"{lists}/vendor", q="V-7")
    (term,) = [one for one in await api.items(f"{lists}/term") if one["name"] == "Net 15"]
    shown = vendor["attributes"]
    assert shown["address"] == "1 Quay Street, Bristol CT 06010"
    assert (shown["term"], shown["account_number"]) == (term["key"], "****6789")
    assert shown | contact == shown
    (item,) = await api.items(f"{lists}/item", q="SVC")
    assert item["attributes"]["item_type"] == "ServicePurchaseItem"


async def test_accounts_show_all_their_entities(api: StackClient, company: SandboxCompany) -> None:
    """S5-13: an account of several subsidiaries, and one of a subsidiary with all below it; a bill of another
    subsidiary is refused the account before anything is saved."""
    company.load(
        entities=[{"entity_id": "EU", "name": "Europe"}, {"entity_id": "UK", "name": "Britain"}],
        vendors=[{"vendor_id": "V-1", "name": "Vendor One"}],
        accounts=[
            {"account_no": "7100", "title": "Two", "description": "Of two", "entities": "EU UK"},
            {"account_no": "7200", "title": "All", "entities": company.set_up.entity, "with_children": "true"},
            {"account_no": "7300", "title": "Any"},
        ],
    )
    await api.connect()
    lists = f"/v1/connections/{api.connection_id}/lists"
    entities = {one["name"]: one["key"] for one in await api.items(f"{lists}/entity")}
    accounts = {one["attributes"]["number"]: one["attributes"] for one in await api.items(f"{lists}/gl_account")}
    two = {entities["Europe"], entities["Britain"]}
    assert (accounts["7100"]["description"], set(accounts["7100"]["entities"].split(","))) == ("Of two", two)
    assert set(accounts["7200"]["entities"].split(",")) == set(entities.values()) > two
    assert "entities" not in accounts["7300"]
    await api.prefer()
    answer = await api.enter_direct([{"account": "7100", "amount": "10.00"}], vendor_id="V-1", number="X-1")
    problem = refused(answer, 422, "ACCOUNT_UNKNOWN")
    assert "'7100' is for" in problem["detail"], problem
