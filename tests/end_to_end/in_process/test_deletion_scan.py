"""A web services user without the right to the audit trail: what is deleted in Intacct is found all the same."""

from datetime import timedelta

import pytest

from models.store.sync import mirrored_ids
from services.sync import deletion_scan as deletion_scan
from tests.harness.sandbox_company import (
    SandboxCompany,
)
from tests.harness.stack_client import (
    StackClient,
)
from tests.harness.variants import first_of


@pytest.fixture
def days_fly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sync is the first one of its day."""
    monkeypatch.setattr(deletion_scan, "SCAN_EVERY", timedelta(0))


def deny(company: SandboxCompany) -> None:
    company.breaks("permission_denied", times=None, object="AUDITHISTORY")


async def feed(api: StackClient) -> bool:
    return bool((await api.connection())["capabilities"]["deletions_feed"])


async def test_two_deleted_orders_are_found_without_the_audit_trail(
    api: StackClient, company: SandboxCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S5-78, S2-21: the sync runs, people are told how, once a day the orders are compared, and in between a sync
    without news is one call."""
    deny(company)
    company.orders("PO-1", "PO-2", "PO-3")
    await api.start()
    assert await api.numbers() == {"PO-1", "PO-2", "PO-3"}
    assert not await feed(api)
    notices = await api.items("/v1/notices", connection=api.connection_id)
    assert [notice["code"] for notice in notices] == ["DELETIONS_BY_SCAN"]
    assert await api.issues() == []
    for number in ("PO-1", "PO-3"):
        company.does("delete", number=number)
    company.forget_calls()
    await api.sync()
    calls = company.calls()
    assert calls["requests"] <= 3
    assert "readByQuery" not in calls["by_operation"]
    assert len(await api.numbers()) == 3, "the day is not over"
    monkeypatch.setattr(deletion_scan, "SCAN_EVERY", timedelta(0))
    company.forget_calls()
    run = await api.sync()
    calls = company.calls()
    assert await api.numbers() == {"PO-2"}
    # The question for changes, the audit trail once more, the list of all numbers, the query for the two it lacks, and
    # the lists.
    assert (calls["requests"], calls["by_operation"]["readByQuery"]) == (5, 1)
    assert run["counts"]["deletions.changed"] == 2
    assert len(await api.items("/v1/notices", connection=api.connection_id)) == 1


async def test_a_right_that_comes_and_goes(api: StackClient, company: SandboxCompany) -> None:
    """S2-13: taken away, the next sync scans at once; given back, the audit trail tells again."""
    company.orders("PO-1", "PO-2", "PO-3")
    await api.start()
    assert await feed(api)
    deny(company)
    company.does("delete", number="PO-1")
    await api.sync()
    assert (await api.numbers(), await feed(api)) == ({"PO-2", "PO-3"}, False)
    company.mend()
    company.does("delete", number="PO-2")
    company.forget_calls()
    await api.sync()
    assert (await api.numbers(), await feed(api)) == ({"PO-3"}, True)
    assert "readByQuery" not in company.calls()["by_operation"]
    assert (await api.connection())["state"] == "ready"


async def test_private_orders_stay_while_others_are_found_gone(
    api: StackClient, company: SandboxCompany, days_fly: None
) -> None:
    """S2-04: from the top level every entity's orders are looked for in that entity."""
    deny(company)
    company.orders("PO-1", "PO-2")
    company.orders("PO-3", "PO-4", entity="200", location="200")
    await api.start(entity=None)
    assert await api.numbers() == {"PO-1", "PO-2", "PO-3", "PO-4"}
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2", "PO-3", "PO-4"}
    company.does("delete", number="PO-3")
    company.does("delete", number="PO-2")
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-4"}


@pytest.mark.parametrize("entity", first_of("100", None))
async def test_a_credit_that_is_deleted_there_is_gone_here(
    api: StackClient, company: SandboxCompany, days_fly: None, entity: str | None
) -> None:
    """S5-69: adjustments are objects of their own, and are looked for as such; others stay."""
    deny(company)
    company.orders("PO-1")
    await api.start(entity=entity)
    for number in ("CM-1", "CM-2"):
        company.does("add_adjustment", vendor_id="V-1", number=number, amount="40.00", entity="100")
    await api.sync()

    async def statuses() -> dict[str, str]:
        return {one["number"]: one["status"] for one in await api.items("/v1/credits")}

    assert await statuses() == {"CM-1": "open", "CM-2": "open"}
    company.does("delete_adjustment", number="CM-1")
    await api.sync()
    assert await statuses() == {"CM-1": "deleted", "CM-2": "open"}


@pytest.mark.parametrize("kind", first_of("session_expired", "truncated"))
async def test_a_scan_that_breaks_in_the_middle_is_made_again(
    api: StackClient, company: SandboxCompany, days_fly: None, kind: str
) -> None:
    """S2-51: the result is gone with its session, or half a page came: nothing is believed of it."""
    deny(company)
    company.orders("PO-1", "PO-2", "PO-3", "PO-4", "PO-5")
    await api.start(settings={"page_size": 2})
    company.does("delete", number="PO-2")
    company.breaks(kind, "readMore")
    await api.sync()
    assert company.fired(kind) == 1
    assert await api.numbers() == {"PO-1", "PO-3", "PO-4", "PO-5"}
    assert await api.issues() == []


async def test_a_bill_of_ours_that_was_deleted(
    api: StackClient, company: SandboxCompany, days_fly: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2-25: told as the audit trail would have told it; until its writing is two hours old it is let alone."""
    deny(company)
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "10"})
    company.does("delete", kind="vendor_invoice", number=bill["external_key"])
    await api.sync()
    assert (await api.read_bill(bill["id"]))["status"] == "synced"
    monkeypatch.setattr(mirrored_ids, "READ_LAG", timedelta(0))
    await api.sync()
    await api.bill_is(bill["id"], "deleted")
    told = [one["subject_id"] for one in await api.items("/v1/notices") if one["code"] == "DELETED_IN_ERP"]
    assert told == [bill["id"]]
    await api.billed("PO-1", {1: "10"})


async def test_sweeps_by_choice(api: StackClient, company: SandboxCompany, days_fly: None) -> None:
    """An audit trail that does not log Purchasing tells nothing; the preference makes deletions be found."""
    company.switch(audit_documents=False)
    company.orders("PO-1", "PO-2")
    await api.connect()
    assert (await api.prefer(deletes="sweep"))["complete"]
    assert not await feed(api)
    await api.sync()
    company.does("delete", number="PO-1")
    company.forget_calls()
    await api.sync()
    assert await api.numbers() == {"PO-2"}
    assert company.calls()["by_operation"]["readByQuery"] == 1
    assert (await api.prefer(deletes="sweeping"))["problems"][0]["code"] == "PREFERENCE_UNKNOWN"


async def test_deleted_list_entries_are_found_without_the_audit_trail(
    api: StackClient, company: SandboxCompany, days_fly: None
) -> None:
    """S2-25, S5-03: departments, locations, vendors, accounts, classes, customers, items, projects and employees; of a
    list that may not be read any more nothing is marked."""
    deny(company)
    company.load(
        vendors=[{"vendor_id": "V-7", "name": "Gone"}, {"vendor_id": "V-8", "name": "Stays"}],
        accounts=[{"account_no": "7100", "title": "Gone"}],
        items=[{"item_id": "I-7", "name": "Gone"}],
        departments=[{"department_id": "D-7", "title": "Gone"}],
        locations=[{"location_id": "L-7", "name": "Gone"}],
        classes=[{"class_id": "K-7", "name": "Gone"}],
        customers=[{"customer_id": "C-7", "name": "Gone"}],
        projects=[{"project_id": "P-7", "name": "Gone"}],
        employees=[{"employee_id": "E-7", "name": "Gone"}],
    )
    await api.start()
    path = f"/v1/connections/{api.connection_id}/lists"
    keys = {
        "vendor": "V-7", "gl_account": "7100", "item": "I-7", "department": "D-7", "location": "L-7", "class": "K-7",
        "customer": "C-7", "project": "P-7", "employee": "E-7",
    }  # fmt: skip
    for kind, key in keys.items():
        assert len(await api.items(f"{path}/{kind}", q=key)) == 1, kind
        company.does("delete", kind="glaccount" if kind == "gl_account" else kind, number=key)
    company.breaks("permission_denied", times=None, object="PROJECT")
    deny(company)
    await api.sync()
    for kind, key in keys.items():
        left = await api.items(f"{path}/{kind}", q=key)
        closed = [one["state"] for one in await api.items(f"{path}/{kind}", q=key, closed="true")]
        assert (len(left), closed) == ((1, []) if kind == "project" else (0, ["closed"])), kind
    assert [one["key"] for one in await api.items(f"{path}/vendor", q="V-8")] == ["V-8"]
    assert await api.issues() == []
