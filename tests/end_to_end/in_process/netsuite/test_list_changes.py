"""Vendors, items, departments, locations and classes are made, changed and suspended here, and stand so in NetSuite."""

from datetime import timedelta

import pytest

from erp.netsuite import changes
from tests.harness.list_changes import ask, change, ended, entry_of, lists_of, make, settings
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused


async def test_a_vendor_made_here_is_in_the_books_once(api: StackClient, company: SandboxCompany) -> None:
    """S2-06, S2-10, S5-48..53: in the connection's subsidiary, under our own external id; the answer is lost, and there
    is no second one. Its id is NetSuite's."""
    company.load(terms=[{"term": "Net 15", "days": "15"}])
    await api.start()
    company.breaks("lost_answer", "add", object="vendor")
    entered = await make(
        api, "vendor", "Pumps & Co", attributes={"email": "ap@pumps.example", "phone": "555-0100", "term": "Net 15"}
    )
    assert company.fired("lost_answer") == 1
    vendor = company.one("vendors", companyName="Pumps & Co")
    assert (vendor["record_no"], vendor["external_id"][:4]) == (entered["erp_id"], "PSL-")
    assert (vendor["email"], vendor["phone"], vendor["terms"]) == ("ap@pumps.example", "555-0100", "Net 15")
    shown = await entry_of(api, "vendor", "Pumps & Co")
    assert (shown["erp_id"], shown["attributes"]["email"]) == (entered["erp_id"], "ap@pumps.example")
    taken = {"name": "Others", "key": "V-150"}
    refused(await api.post(lists_of(api, "vendor"), taken, role="accountant"), 422, "LIST_KEY_REFUSED")
    twin = await make(api, "vendor", "Pumps & Co", status="refused", same_name=True)
    assert ("exists" in twin["problem"], twin["problem_code"]) == (True, "LIST_KEY_TAKEN")


@pytest.mark.parametrize("kind", ["item", "department", "location", "class"])
async def test_the_other_lists_are_written(api: StackClient, company: SandboxCompany, kind: str) -> None:
    """S2-06: each is entered, renamed and made inactive here."""
    await api.start()
    held = {"item": "items", "department": "departments", "location": "locations", "class": "classes"}[kind]
    more: dict[str, str] = {}
    if kind == "item":
        (account, *_) = await api.items(lists_of(api, "gl_account"))
        more = {"item_type": "NonInventoryPurchaseItem", "account": account["key"], "purchase_description": "bolts"}
    entered = await make(api, kind, "First", attributes=more)
    (record,) = [one for one in company.held(held) if one["record_no"] == entered["erp_id"]]
    assert (record.get("name") or record["itemId"], record["isInactive"]) == ("First", False)
    await change(api, await entry_of(api, kind, "First"), name="Second", active=False)
    (record,) = [one for one in company.held(held) if one["record_no"] == entered["erp_id"]]
    assert (record.get("name") or record["itemId"], record["isInactive"]) == ("Second", True)
    assert (await entry_of(api, kind, "Second"))["state"] == "inactive"


async def test_the_master_decides_where_both_sides_changed_a_field(api: StackClient, company: SandboxCompany) -> None:
    """S2-76..80: by field, the ERP by default; what is set aside can be applied again; a field is cleared by its
    name."""
    await api.start()
    await make(api, "vendor", "Pumps", attributes={"email": "old@pumps.example", "phone": "555-0100"})
    vendor = await entry_of(api, "vendor", "Pumps")
    number = vendor["attributes"]["number"]
    company.does("edit_vendor", key=number, email="erp@pumps.example")
    aside = await change(api, vendor, status="set_aside", attributes={"email": "ours@pumps.example", "phone": None})
    assert [(one["field"], one["there"], one["kept"]) for one in aside["conflicts"]] == [
        ("email", "erp@pumps.example", "erp")
    ]
    held = company.one("vendors", companyName="Pumps")
    assert (held["email"], held.get("phone")) == ("erp@pumps.example", None)
    answer = await api.post(f"/v1/list-changes/{aside['id']}/apply", {"reason": "ours is right"}, role="accountant")
    assert answer.status_code == 200, answer.text
    await ended(api, aside)
    assert company.one("vendors", companyName="Pumps")["email"] == "ours@pumps.example"
    await settings(api, masters={"vendor": "posync"})
    company.does("edit_vendor", key=number, email="again@pumps.example")
    sent = await change(api, vendor, attributes={"email": "mine@pumps.example"})
    assert [(one["there"], one["kept"]) for one in sent["conflicts"]] == [("again@pumps.example", "posync")]
    assert company.one("vendors", companyName="Pumps")["email"] == "mine@pumps.example"


async def test_a_hold_is_ours_alone_and_a_suspension_is_both_sides(api: StackClient, company: SandboxCompany) -> None:
    """S5-02: NetSuite has no vendor hold: it is kept here, said so, and holds bills; suspended here, inactive there,
    and the other way round."""
    company.order("PO-1")
    await api.start()
    vendor = await entry_of(api, "vendor", "Vendor One")
    accepted = await ask(api, vendor, attributes={"on_hold": True})
    assert accepted == {"change": None, "kept_here": ["on_hold"]}
    assert (await entry_of(api, "vendor", "Vendor One"))["kept_here"] == {"on_hold": "true"}
    assert "VENDOR_ON_HOLD" in (await api.enter("PO-1", {1: "1"}, number="HELD-1")).text
    await ask(api, vendor, attributes={"on_hold": False})
    await api.sync()
    await change(api, vendor, active=False)
    assert company.one("vendors", companyName="Vendor One")["isInactive"] is True
    assert (await entry_of(api, "vendor", "Vendor One"))["state"] == "inactive"
    number = vendor["attributes"]["number"]
    company.does("edit_vendor", key=number, status="active")
    await api.sync()
    assert (await entry_of(api, "vendor", "Vendor One"))["state"] == "active"


async def test_what_the_delete_feed_does_not_have_is_found_by_comparing(
    api: StackClient, company: SandboxCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2-25, S5-43: accounts, departments, locations and classes are read whole, and what is missing is asked for;
    vendors and items come from the feed."""
    monkeypatch.setattr(changes, "LISTS_EVERY", timedelta(0))
    company.load(
        vendors=[{"vendor_id": "V-7", "name": "Gone"}],
        accounts=[{"account_no": "7100", "title": "Gone"}, {"account_no": "7200", "title": "Stays"}],
        departments=[{"department_id": "D-7", "title": "Gone"}],
        locations=[{"location_id": "L-7", "name": "Gone"}],
        classes=[{"class_id": "K-7", "name": "Gone"}],
    )
    await api.start()
    keys = {"vendor": "V-7", "gl_account": "7100", "department": "D-7", "location": "L-7", "class": "K-7"}
    for kind, key in keys.items():
        assert len(await api.items(lists_of(api, kind), q="Gone")) == 1, kind
        company.does("delete", kind="account" if kind == "gl_account" else kind, number=key)
    await api.sync()
    for kind in keys:
        assert await api.items(lists_of(api, kind), q="Gone") == [], kind
        (closed,) = await api.items(lists_of(api, kind), q="Gone", closed="true")
        assert closed["state"] == "closed"
    assert len(await api.items(lists_of(api, "gl_account"), q="Stays")) == 1


async def test_a_refused_entry_opens_an_issue_that_closes_when_it_is_made(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-06: NetSuite refuses a second vendor of one name; under another name it is made, and the issue is over."""
    await api.start()
    await make(api, "vendor", "Pumps & Co")
    twin = await make(api, "vendor", "Pumps & Co", status="refused", same_name=True)
    (issue,) = await api.issues()
    assert (issue["code"], issue["subject_id"], issue["subject_kind"]) == ("LIST_KEY_TAKEN", twin["id"], "list_change")
    await api.settle(issue, "retry")
    await ended(api, twin, "refused")
    (again,) = await api.issues()
    await api.settle(again, "abandon")
    await ended(api, twin, "abandoned")
    assert await api.issues() == []
    vendor = await entry_of(api, "vendor", "Pumps & Co")
    company.does("edit_vendor", key=vendor["attributes"]["number"], email="erp@pumps.example")
    for _ in range(2):  # a run looks for changes of vendors and of items in turn
        await api.sync()
    shown = await api.get(f"{lists_of(api, 'vendor')}/{vendor['erp_id']}")
    assert [event["kind"] for event in shown["events"]] == ["asked_for", "done", "changed_in_erp"]
    assert shown["events"][-1]["after"] == {"email": "erp@pumps.example"}


async def test_two_departments_are_made_at_once(api: StackClient, company: SandboxCompany) -> None:
    """S2-06: NetSuite gives both their keys, so that they have none that could be taken."""
    await api.start()
    company.breaks("unavailable", "add", times=None)
    for name in ("North", "South"):
        answer = await api.post(lists_of(api, "department"), {"name": name}, role="accountant")
        assert answer.status_code == 202, answer.text
    company.mend()
    for one in await api.items(f"/v1/connections/{api.connection_id}/list-changes"):
        await ended(api, one)
    assert {"North", "South"} <= {one["name"] for one in company.held("departments")}
