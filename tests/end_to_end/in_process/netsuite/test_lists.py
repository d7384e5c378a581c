"""The lists that come in from NetSuite: projects, customers and employees are entities there, as vendors are."""

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient


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
