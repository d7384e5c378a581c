"""Vendors, items, departments, locations and classes are made, changed and suspended here, and stand so in Intacct."""

import asyncio
from functools import partial

from tests.harness.list_changes import ask, change, ended, entry_of, lists_of, make, settings, why_of
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused
from tests.harness.typed_commands import Typed


async def test_a_vendor_made_here_is_in_the_books_once(api: StackClient, company: SandboxCompany) -> None:
    """S2-06, S2-10, S2-33, S5-01, S5-48..59: with its contact and term, in the connection's entity alone; the answer is
    lost, and there is no second one."""
    company.load(terms=[{"term": "Net 15", "days": "15"}])
    await api.start()
    company.breaks("lost_answer", "create", object="VENDOR")
    contact = {
        "term": "Net 15", "email": "ap@pumps.example", "phone": "555-0100", "company_name": "Pumps & Co",
        "first_name": "Ada", "middle_name": "K", "last_name": "Byron", "street_1": "1 Quay Street",
        "street_2": "Floor 2", "city": "Bristol", "state": "CT", "zip": "06010",
    }  # fmt: skip
    entered = await make(api, "vendor", "Pumps & Co", key="V-150", attributes=contact)
    assert company.fired("lost_answer") == 1
    vendor = company.one("vendors", vendorid="V-150")
    assert (vendor["name"], vendor.get("megaentityid", ""), vendor["status"]) == ("Pumps & Co", "100", "active")
    assert vendor["displaycontact.mailaddress.city"] == "Bristol"
    assert (vendor["displaycontact.email1"], vendor["displaycontact.cellphone"]) == ("ap@pumps.example", "555-0100")
    shown = await entry_of(api, "vendor", "V-150")
    assert (entered["erp_id"], shown["erp_id"], shown["state"]) == (vendor["recordno"], vendor["recordno"], "active")
    assert {name: shown["attributes"].get(name) for name in contact} == contact
    taken = {"name": "Others", "key": "V-150"}
    refused(await api.post(lists_of(api, "vendor"), taken, role="accountant"), 409, "LIST_KEY_TAKEN")
    twin = {"name": "Pumps & Co", "key": "V-151"}
    refused(await api.post(lists_of(api, "vendor"), twin, role="accountant"), 409, "LIST_NAME_TAKEN")
    refused(await api.post(lists_of(api, "vendor"), {"name": "No id"}, role="accountant"), 422, "LIST_KEY_REFUSED")
    refused(await api.post(lists_of(api, "vendor"), twin, role="clerk"), 403, "ROLE_TOO_LOW")


async def test_a_vendor_that_intacct_numbers_is_made_once(api: StackClient, company: SandboxCompany) -> None:
    """S2-32, S2-34, S2-46: it has no id that we know before, and is found by our own key; its answer is lost."""
    await api.start()
    await settings(api, vendor_ids="erp")
    problem = refused(
        await api.post(lists_of(api, "vendor"), {"name": "Pumps", "key": "V-9"}, role="accountant"),
        422,
        "LIST_KEY_REFUSED",
    )
    assert "the ERP numbers vendors" in problem["detail"]
    company.breaks("lost_answer", "create", object="VENDOR")
    entered = await make(api, "vendor", "Pumps")
    vendor = company.one("vendors", name="Pumps")
    assert (entered["key"], entered["erp_id"]) == (vendor["vendorid"], vendor["recordno"])
    assert vendor["vendorid"].startswith("V0")
    second = await make(api, "vendor", "Pumps", same_name=True)
    assert second["key"] != entered["key"]
    assert len([one for one in company.held("vendors") if one["name"] == "Pumps"]) == 2


async def test_five_people_make_the_same_vendor_at_once(api: StackClient, company: SandboxCompany) -> None:
    """S2-33: where Intacct numbers vendors, nothing there would mind five of one name."""
    await api.start()
    await settings(api, vendor_ids="erp")
    asked = (api.post(lists_of(api, "vendor"), {"name": "Pumps & Co"}, role="accountant") for _ in range(5))
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if not answer.is_success} == {"LIST_NAME_TAKEN"}
    (accepted,) = [answer.json()["change"] for answer in answers if answer.is_success]
    await ended(api, accepted)
    assert len([one for one in company.held("vendors") if one["name"] == "Pumps & Co"]) == 1


async def test_a_company_without_a_sequence_refuses_a_vendor_without_an_id(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-32, S2-33: the refusal says why; after the company changed its mind, the same change is applied."""
    company.switch(vendor_sequence=False)
    await api.start()
    await settings(api, vendor_ids="erp")
    entered = await make(api, "vendor", "Pumps", status="refused")
    assert "VENDORID" in entered["problem"]
    assert entered["problem_code"] == "REQUIRED_FIELD_MISSING"
    assert not [one for one in company.held("vendors") if one["name"] == "Pumps"]
    company.switch(vendor_sequence=True)
    answer = await api.post(f"/v1/list-changes/{entered['id']}/apply", {"reason": "numbered now"}, role="accountant")
    assert answer.status_code == 200, answer.text
    await ended(api, entered)
    assert len([one for one in company.held("vendors") if one["name"] == "Pumps"]) == 1


async def test_a_look_up_that_is_refused_leaves_a_new_vendor_in_doubt(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-06: nobody abandons what Intacct may have, and nothing is made twice."""
    await api.start()
    await settings(api, vendor_ids="erp")
    company.breaks("lost_answer", "create", object="VENDOR")
    company.breaks("unknown_error", "query", times=None, object="VENDOR")
    entered = (await api.post(lists_of(api, "vendor"), {"name": "Pumps"}, role="accountant")).json()["change"]
    path = f"/v1/list-changes/{entered['id']}"

    async def says_so() -> bool:
        return "nobody knows whether" in (await api.get(path))["problem"]

    await api.until(says_so, "it is in doubt")
    assert (await api.get(path))["status"] == "sending"
    refused(await api.post(f"{path}/abandon", {"reason": "no"}, role="accountant"), 409, "LIST_CHANGE_IN_DOUBT")
    company.mend()
    assert (await api.post(f"{path}/apply", {"reason": "it answers"}, role="accountant")).status_code == 200
    await ended(api, entered)
    assert len([one for one in company.held("vendors") if one["name"] == "Pumps"]) == 1


async def test_items_departments_locations_and_classes_are_written(api: StackClient, company: SandboxCompany) -> None:
    """S2-06, S2-10: each is entered, renamed and made inactive here, in the entity."""
    await api.start()
    kinds = {"item": "items", "department": "departments", "location": "locations", "class": "classes"}
    for kind, held in kinds.items():
        more = {"item_type": "Non-Inventory", "purchase_description": "bolts"} if kind == "item" else {}
        entered = await make(api, kind, "First", key=f"NEW-{kind}", attributes=more)
        (record,) = [one for one in company.held(held) if one["recordno"] == entered["erp_id"]]
        owner = record["parentid"] if kind == "location" else record["megaentityid"]
        assert (owner, record["status"]) == ("100", "active")
        entry = await entry_of(api, kind, f"NEW-{kind}")
        await change(api, entry, name="Second", active=False)
        (record,) = [one for one in company.held(held) if one["recordno"] == entered["erp_id"]]
        assert (record.get("name") or record["title"], record["status"]) == ("Second", "inactive")
        shown = await entry_of(api, kind, f"NEW-{kind}")
        assert (shown["name"], shown["state"]) == ("Second", "inactive")
    child = await make(api, "department", "Below", key="BELOW", attributes={"parent": "NEW-department"})
    assert company.one("departments", departmentid="BELOW")["parentid"] == "NEW-department"
    above = await entry_of(api, "department", "NEW-department")
    path = f"{lists_of(api, 'department')}/{above['erp_id']}/changes"
    circle = await api.post(path, {"attributes": {"parent": "BELOW"}}, role="accountant")
    assert "itself, or below it" in refused(circle, 422, "LIST_FIELD_REFUSED")["detail"]
    assert child["status"] == "done"


async def test_shared_entries_are_changed_in_the_erp_unless_the_setting_says_otherwise(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-08, S2-09, S2-10, S2-80: what all entities share is refused here, and the check fails while posync is its
    master; with level top it is changed at the top, and new entries are shared."""
    company.load(vendors=[{"vendor_id": "V-7", "name": "Shared"}])
    await api.start()
    shared = await entry_of(api, "vendor", "V-7")
    assert shared["entity"] is None
    path = f"{lists_of(api, 'vendor')}/{shared['erp_id']}/changes"
    refused(await api.post(path, {"name": "Ours"}, role="accountant"), 409, "LIST_ENTRY_SHARED")
    await settings(api, masters={"vendor": "posync"})
    checks = f"/v1/connections/{api.connection_id}/checks"

    async def check_says() -> str:
        answer = await api.post(checks)
        assert answer.status_code in (200, 202), answer.text
        return str(next(one for one in answer.json()["items"] if one["code"] == "LIST_MASTERS")["state"])

    assert await check_says() == "fail"
    await settings(api, level="top")
    assert await check_says() == "pass"
    await change(api, shared, name="Ours")
    vendor = company.one("vendors", vendorid="V-7")
    assert (vendor["name"], vendor.get("megaentityid", "")) == ("Ours", "")
    await make(api, "vendor", "For all", key="V-8")
    assert company.one("vendors", vendorid="V-8").get("megaentityid", "") == ""


async def test_the_master_decides_where_both_sides_changed_a_field(api: StackClient, company: SandboxCompany) -> None:
    """S2-76, S2-77, S2-78, S2-79, S2-80: by field; the ERP by default. What is set aside is logged, and can be applied
    again; with posync as master ours is sent, after the ERP's was read again."""
    await api.start()
    await make(api, "vendor", "Pumps", key="V-150", attributes={"email": "old@pumps.example", "phone": "1"})
    vendor = await entry_of(api, "vendor", "V-150")
    company.does("edit_master", object="VENDOR", key="V-150", fields={"DISPLAYCONTACT.EMAIL1": "erp@pumps.example"})
    aside = await change(
        api, vendor, status="set_aside", attributes={"email": "ours@pumps.example", "phone": "2", "city": "Bristol"}
    )
    (conflict,) = aside["conflicts"]
    assert conflict == {
        "field": "email", "agreed": "old@pumps.example", "here": "ours@pumps.example", "there": "erp@pumps.example",
        "kept": "erp",
    }  # fmt: skip
    held = company.one("vendors", vendorid="V-150")
    assert (held["displaycontact.email1"], held["displaycontact.cellphone"]) == ("erp@pumps.example", "2")
    assert held["displaycontact.mailaddress.city"] == "Bristol"
    assert (await entry_of(api, "vendor", "V-150"))["attributes"]["email"] == "erp@pumps.example"
    answer = await api.post(f"/v1/list-changes/{aside['id']}/apply", {"reason": "ours is right"}, role="accountant")
    assert answer.status_code == 200, answer.text
    await ended(api, aside)
    assert await why_of(api, aside, "asked_anew") == ["ours is right"]
    assert company.one("vendors", vendorid="V-150")["displaycontact.email1"] == "ours@pumps.example"

    await settings(api, masters={"vendor": "posync"})
    company.does("edit_master", object="VENDOR", key="V-150", fields={"DISPLAYCONTACT.EMAIL1": "again@pumps.example"})
    sent = await change(api, vendor, attributes={"email": "mine@pumps.example"})
    (conflict,) = sent["conflicts"]
    assert (conflict["there"], conflict["kept"]) == ("again@pumps.example", "posync")
    assert company.one("vendors", vendorid="V-150")["displaycontact.email1"] == "mine@pumps.example"

    bank = {"attributes": {"bank_account": "12345678"}}
    path = f"{lists_of(api, 'vendor')}/{vendor['erp_id']}/changes"
    assert (
        "belong to the ERP"
        in refused(await api.post(path, bank, role="accountant"), 422, "LIST_FIELD_REFUSED")["detail"]
    )
    unknown = {"attributes": {"shoe_size": "44"}}
    assert "shoe_size" in refused(await api.post(path, unknown, role="accountant"), 422, "LIST_FIELD_REFUSED")["detail"]
    term = {"attributes": {"term": "Net 99"}}
    refused(await api.post(path, term, role="accountant"), 422, "LIST_VALUE_UNKNOWN")


async def test_a_vendor_is_suspended_and_held_from_both_sides(api: StackClient, company: SandboxCompany) -> None:
    """S5-02, S5-03: suspended here, inactive there, and the other way round; a bill for it is blocked; deleted there,
    closed here."""
    company.order("PO-1", vendor_id="V-150", vendor_name="Pumps")
    await api.start()
    await settings(api, level="top")
    vendor = await entry_of(api, "vendor", "V-150")
    await change(api, vendor, active=False, attributes={"on_hold": True})
    held = company.one("vendors", vendorid="V-150")
    assert (held["status"], held["onhold"]) == ("inactive", "true")
    assert (await entry_of(api, "vendor", "V-150"))["state"] == "inactive"
    assert "VENDOR_INACTIVE" in (await api.enter("PO-1", {1: "1"})).text
    company.does("edit_master", object="VENDOR", key="V-150", fields={"STATUS": "active", "ONHOLD": "false"})
    await api.sync()
    assert (await entry_of(api, "vendor", "V-150"))["state"] == "active"
    await make(api, "vendor", "Brief", key="V-9")
    company.does("delete", kind="vendor", number="V-9")
    await api.sync()
    assert await api.items(lists_of(api, "vendor"), q="V-9") == []
    (closed,) = await api.items(lists_of(api, "vendor"), q="V-9", closed="true")
    assert closed["state"] == "closed"


async def test_a_change_whose_answer_is_lost_is_made_once_and_one_that_is_there_needs_nothing(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-06: read again before it is repeated."""
    await api.start()
    await make(api, "vendor", "Pumps", key="V-150")
    vendor = await entry_of(api, "vendor", "V-150")
    company.breaks("lost_answer", "update", object="VENDOR")
    await change(api, vendor, name="Pumps & Co")
    assert company.fired("lost_answer") == 1
    assert company.one("vendors", vendorid="V-150")["name"] == "Pumps & Co"
    now = await entry_of(api, "vendor", "V-150")
    nothing = await ask(api, now, name="Pumps & Co")
    assert nothing == {"change": None, "kept_here": []}


async def test_the_command_line_makes_and_changes_a_vendor(
    api: StackClient, company: SandboxCompany, typed: Typed
) -> None:
    """S2-06, S2-76, S2-80: `posync lists`, from the first word to the books."""
    await api.start()
    lists = partial(typed, "lists", role="admin")

    async def last_one_ends() -> None:
        changes = await api.items(f"/v1/connections/{api.connection_id}/list-changes")
        await ended(api, changes[0])

    shown = await lists("new", "vendor", "Pumps & Co", "--key", "V-150", "--set", "phone=555-0100")
    assert "vendor V-150 · sending" in shown
    await last_one_ends()
    assert company.one("vendors", vendorid="V-150")["displaycontact.cellphone"] == "555-0100"
    assert "sending" in await lists("change", "vendor", "V-150", "--suspend")
    await last_one_ends()
    assert company.one("vendors", vendorid="V-150")["status"] == "inactive"
    shown = await lists("settings", "--master", "vendor=posync", "--level", "top")
    assert "vendor: the master is posync" in shown
    assert "item: the master is erp" in shown
    assert "level: top" in shown
    assert "item can be changed in: name, active, purchase_description" in shown
    assert "needed when it is made: item_type" in shown
    shown = await lists("changes")
    assert (shown.count("done"), "sending" in shown) == (2, False)
