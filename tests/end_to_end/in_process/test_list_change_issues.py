"""What Intacct refuses of a list stays in sight until it is settled, and an entry's history says who changed what."""

from typing import Any

from tests.harness.list_changes import change, ended, entry_of, lists_of, make, settings
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused
from tests.harness.typed_commands import Typed

WORDS = {"errorno": "BL03000019", "message": "The e-mail address is not valid"}
"""A refusal in words that no table knows."""


async def about(api: StackClient, entered: dict[str, Any], state: str = "open") -> list[dict[str, Any]]:
    """The issues of one change."""
    return [one for one in await api.issues(state) if one["subject_id"] == entered["id"]]


async def history(api: StackClient, kind: str, erp_id: str) -> list[tuple[str, str]]:
    """What happened to an entry, and who did it."""
    shown = await api.get(f"{lists_of(api, kind)}/{erp_id}")
    return [(event["kind"], event["actor"].partition(":")[0]) for event in shown["events"]]


async def test_a_refused_vendor_opens_an_issue_that_closes_when_it_is_made(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-06: the issue says what Intacct said and what to do; a retry sends it once more, and the history tells it."""
    company.switch(vendor_sequence=False)
    await api.start()
    await settings(api, vendor_ids="erp")
    entered = await make(api, "vendor", "Pumps", status="refused")
    (issue,) = await about(api, entered)
    assert (issue["code"], issue["subject_kind"], issue["subject_name"]) == (
        "REQUIRED_FIELD_MISSING", "list_change", "vendor Pumps",
    )  # fmt: skip
    assert "VENDORID" in issue["cause"]
    assert any("retry" in step.lower() for step in issue["fix"])
    assert "another one of the same entry" in issue["fix"][-1]
    await api.settle(issue, "retry")
    await ended(api, entered, "refused")
    (second,) = await about(api, entered)
    assert second["id"] != issue["id"]
    company.switch(vendor_sequence=True)
    await api.settle(second, "retry")
    done = await ended(api, entered)
    assert await about(api, entered) == []
    assert len([one for one in company.held("vendors") if one["name"] == "Pumps"]) == 1
    kinds = [kind for kind, _ in await history(api, "vendor", done["erp_id"])]
    assert kinds == ["asked_for", "refused", "asked_anew", "refused", "asked_anew", "done"]
    assert [event["kind"] for event in (await api.get(f"/v1/list-changes/{entered['id']}"))["events"]] == kinds


async def test_a_refused_change_is_abandoned_or_another_takes_its_place(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-06, S2-76: both end the issue; a change of other fields leaves it open."""
    await api.start()
    await make(api, "vendor", "Pumps", key="V-150")
    vendor = await entry_of(api, "vendor", "V-150")
    company.breaks("refused", "update", **WORDS, times=3, object="VENDOR")
    first = await change(api, vendor, status="refused", attributes={"email": "first@pumps.example"})
    (issue,) = await about(api, first)
    await api.settle(issue, "abandon")
    await ended(api, first, "abandoned")
    (left,) = await about(api, first, "abandoned")
    assert left["id"] == issue["id"]
    refused(await api.post(f"/v1/sync-issues/{issue['id']}/retry", {}, role="accountant"), 409, "ISSUE_IS_CLOSED")

    second = await change(api, vendor, status="refused", attributes={"email": "second@pumps.example"})
    other = await change(api, vendor, status="refused", attributes={"phone": "555"})
    assert len(await about(api, second)) == 1
    company.mend()
    await change(api, vendor, attributes={"email": "third@pumps.example", "city": "Bristol"})
    assert await about(api, second) == []
    assert (await api.get(f"/v1/list-changes/{second['id']}"))["status"] == "abandoned"
    assert len(await about(api, other)) == 1
    held = company.one("vendors", vendorid="V-150")
    assert (held["displaycontact.email1"], held.get("displaycontact.cellphone", "")) == ("third@pumps.example", "")


async def test_what_was_refused_here_and_done_in_the_erp_is_settled_by_the_next_sync(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-06: nobody has to close the issue of a change that stands in the books by now, or whose entry is gone."""
    await api.start()
    for key in ("V-150", "V-151"):
        await make(api, "vendor", f"Pumps {key}", key=key)
    vendor, gone = await entry_of(api, "vendor", "V-150"), await entry_of(api, "vendor", "V-151")
    company.breaks("refused", "update", **WORDS, times=2, object="VENDOR")
    company.breaks("refused", "create", **WORDS, times=1, object="VENDOR")
    by_hand = await change(api, vendor, status="refused", attributes={"email": "ap@pumps.example"})
    of_gone = await change(api, gone, status="refused", attributes={"email": "ap@pumps.example"})
    new = await make(api, "vendor", "By hand", key="V-152", status="refused")
    assert len(await api.issues()) == 3
    company.does("edit_master", object="VENDOR", key="V-150", fields={"DISPLAYCONTACT.EMAIL1": "ap@pumps.example"})
    company.does("delete", kind="vendor", number="V-151")
    company.load(vendors=[{"vendor_id": "V-152", "name": "By hand"}])
    await api.sync()
    assert await api.issues() == []
    ends = {one["id"]: one["status"] for one in await api.items(f"/v1/connections/{api.connection_id}/list-changes")}
    assert (ends[by_hand["id"]], ends[of_gone["id"]], ends[new["id"]]) == ("done", "abandoned", "abandoned")


async def test_an_id_that_is_taken_in_the_erp_is_said_so(api: StackClient, company: SandboxCompany) -> None:
    """S2-33: somebody entered it there since the last sync."""
    await api.start()
    company.load(vendors=[{"vendor_id": "V-7", "name": "Theirs"}])
    taken = await make(api, "vendor", "Ours", key="V-7", status="refused")
    (issue,) = await about(api, taken)
    assert (issue["code"], issue["who"]) == ("LIST_KEY_TAKEN", "accountant")
    assert company.one("vendors", vendorid="V-7")["name"] == "Theirs"


async def test_an_entry_shows_what_was_changed_here_and_in_the_erp(
    api: StackClient, company: SandboxCompany, typed: Typed
) -> None:
    """S2-76, S2-78: by field, with who and when, also after it was deleted; a list that came in has no history."""
    company.load(vendors=[{"vendor_id": "V-7", "name": "Came in"}])
    await api.start()
    came_in = await entry_of(api, "vendor", "V-7")
    assert await history(api, "vendor", came_in["erp_id"]) == []
    await make(api, "vendor", "Pumps", key="V-150", attributes={"email": "ap@pumps.example"})
    vendor = await entry_of(api, "vendor", "V-150")
    await change(api, vendor, name="Pumps & Co")
    company.does("edit_master", object="VENDOR", key="V-150", fields={"DISPLAYCONTACT.EMAIL1": "erp@pumps.example"})
    await api.sync()
    shown = await api.get(f"{lists_of(api, 'vendor')}/{vendor['erp_id']}")
    assert [(one["action"], one["status"]) for one in shown["changes"]] == [("change", "done"), ("create", "done")]
    last = shown["events"][-1]
    assert (last["kind"], last["before"], last["after"]) == (
        "changed_in_erp", {"email": "ap@pumps.example"}, {"email": "erp@pumps.example"},
    )  # fmt: skip
    company.does("delete", kind="vendor", number="V-150")
    assert "email: ap@pumps.example -> erp@pumps.example" in " ".join(
        (await typed("lists", "show", "vendor", "V-150")).split()
    )
    await api.sync()
    assert (await history(api, "vendor", vendor["erp_id"]))[-1][0] == "deleted_in_erp"
    refused_entry = await api.http.get(
        f"{lists_of(api, 'vendor')}/nobody", headers={"Authorization": f"Bearer {api.keys['viewer']}"}
    )
    assert refused_entry.status_code == 404
