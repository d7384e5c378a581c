"""The lists that come in: projects, customers, employees, and vendors with their contact."""

from tests.harness.account_lines import RENT, furnish
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused


async def test_projects_customers_and_employees_come_in(api: StackClient, company: SandboxCompany) -> None:
    """S2-06, S2-07, S2-44: they come in with the first sync, and what was changed, made inactive or made since with
    the next."""
    company.load(
        customers=[{"customer_id": "C-1", "name": "Northwind"}],
        projects=[{"project_id": "P-1", "name": "Bridge", "customer_id": "C-1"}, {"project_id": "P-2", "name": "Dam"}],
        employees=[{"employee_id": "E-1", "name": "Ada Byron", "entity": "100"}],
    )
    await api.connect()
    lists = f"/v1/connections/{api.connection_id}/lists"
    projects = await api.items(f"{lists}/project")
    assert [(one["key"], one["name"], one["attributes"].get("customer")) for one in projects] == [
        ("P-1", "Bridge", "C-1"),
        ("P-2", "Dam", None),
    ]
    (customer,) = await api.items(f"{lists}/customer")
    (employee,) = await api.items(f"{lists}/employee")
    assert (customer["key"], employee["name"], employee["entity"]) == ("C-1", "Ada Byron", "100")
    company.load(projects=[{"project_id": "P-2", "name": "Dam", "status": "inactive"}, {"project_id": "P-3"}])
    await api.sync()
    assert [one["key"] for one in await api.items(f"{lists}/project", active="true")] == ["P-1", "P-3"]
    assert [one["key"] for one in await api.items(f"{lists}/project", active="false")] == ["P-2"]


async def test_vendors_come_with_their_contact(api: StackClient, company: SandboxCompany) -> None:
    """S5-01, S5-02, S5-49..59: term, contact and address; a vendor made inactive in the ERP is inactive here."""
    address = {"street": "1 Quay Street", "city": "Bristol", "state": "CT", "zip": "06010"}
    row = {"vendor_id": "V-7", "name": "Pumps", "term": "Net 15", "email": "ap@pumps.example", "phone": "555-0100"}
    company.load(vendors=[{**row, **address}])
    await api.connect()
    path = f"/v1/connections/{api.connection_id}/lists/vendor"
    (vendor,) = await api.items(path, q="V-7")
    shown = vendor["attributes"]
    assert (shown["term"], shown["email"], shown["phone"]) == ("Net 15", "ap@pumps.example", "555-0100")
    assert [shown[name] for name in ("street_1", "city", "state", "zip")] == list(address.values())
    company.load(vendors=[{**row, **address, "status": "inactive"}])
    await api.sync()
    assert [one["active"] for one in await api.items(path, q="V-7")] == [False]


async def test_odd_lists_come_in_whole(api: StackClient, company: SandboxCompany) -> None:
    """S2-06: names of 200 characters, names that repeat, ids that differ in case only, and departments that stand
    above each other: each is an entry of its own, and nothing stops."""
    long = "Long " * 40
    company.load(
        vendors=[
            {"vendor_id": "V-LONG", "name": long.strip()},
            {"vendor_id": "V-8", "name": "Same name"},
            {"vendor_id": "v-8", "name": "Same name"},
        ],
        departments=[
            {"department_id": "UP", "title": "Up", "parent_id": "DOWN"},
            {"department_id": "DOWN", "title": "Down", "parent_id": "UP"},
        ],
    )
    await api.connect()
    lists = f"/v1/connections/{api.connection_id}/lists"
    vendors = {one["key"]: one["name"] for one in await api.items(f"{lists}/vendor")}
    assert vendors == {"V-LONG": long.strip(), "V-8": "Same name", "v-8": "Same name"}
    parents = {one["key"]: one["attributes"]["parent"] for one in await api.items(f"{lists}/department")}
    assert parents == {"UP": "DOWN", "DOWN": "UP"}
    assert not await api.issues()


async def test_accounts_and_projects_follow_the_erp(api: StackClient, company: SandboxCompany) -> None:
    """S5-43, S5-44, S5-45, S5-47, S2-25: what is added, renamed or deleted there is so here with the next sync."""
    company.load(
        accounts=[{"account_no": "7100", "title": "Rent"}, {"account_no": "7200", "title": "Power"}],
        projects=[{"project_id": "P-1", "name": "Bridge"}],
    )
    await api.start()
    lists = f"/v1/connections/{api.connection_id}/lists"
    (rent,) = await api.items(f"{lists}/gl_account", q="7100")
    assert (rent["key"], rent["name"], rent["erp_id"] != "7100") == ("7100", "Rent", True)
    company.does("edit_master", object="GLACCOUNT", key="7100", fields={"TITLE": "Rent and rates"})
    company.does("delete", kind="glaccount", number="7200")
    company.does("delete", kind="project", number="P-1")
    company.load(accounts=[{"account_no": "7300", "title": "Water"}])
    await api.sync()
    shown = {one["key"]: one["name"] for one in await api.items(f"{lists}/gl_account", q="7")}
    assert {key: shown.get(key) for key in ("7100", "7200", "7300")} == {
        "7100": "Rent and rates", "7200": None, "7300": "Water",
    }  # fmt: skip
    assert await api.items(f"{lists}/project") == []


async def test_an_unknown_or_inactive_project_is_refused_by_line(api: StackClient, company: SandboxCompany) -> None:
    """Issue 13.7, S2-12: found when the bill is saved, on an order and without one, not when Intacct refuses it."""
    furnish(company)
    company.load(
        customers=[{"customer_id": "C-1", "name": "Northwind"}],
        projects=[{"project_id": "P-1", "name": "Bridge"}, {"project_id": "P-2", "name": "Dam", "status": "inactive"}],
    )
    company.order("PO-1")
    await api.start()
    wrong = ("P-2", "inactive"), ("P-9", "unknown"), ("C-1", "unknown")
    for project, rule in wrong:
        on_order = await api.enter("PO-1", {}, lines=[{"order_line_no": 1, "quantity": "1", "project": project}])
        direct = await api.enter_direct([{**RENT, "project": project}])
        for answer in (on_order, direct):
            problem = refused(answer, 422, "VALIDATION_FAILED")
            assert [(one["where"], one["rule"]) for one in problem["errors"]] == [("body.lines.0.project", rule)]
    bill = await api.arrived(await api.direct_bill([{**RENT, "project": "P-1"}], number="RENT-7"))
    assert [line["project"] for line in bill["lines"]] == ["P-1"]
    (line,) = company.one("bills", number="RENT-7")["lines"]
    assert line["project"] == "P-1"
