"""Sync now, runs, skips and lists; sync issues and how they are settled."""

from datetime import UTC, datetime

from models.domain import ConnectionId, ErpId, ListEntry, ListKind, Stream
from models.messages import SyncProgress
from models.store import list_entries, skipped, sync_issues, sync_runs
from models.store.database import Database
from tests.api.desk import Office, StandInTemporal, a_problem, connected


async def test_sync_now_starts_a_run_or_finds_the_one_that_runs(
    office: Office, temporal_stand_in: StandInTemporal
) -> None:
    """S2-57: by hand at any time; two never overlap."""
    connection_id = await connected(office)
    temporal_stand_in.running.clear()
    first = await office.as_("clerk").post(f"/v1/connections/{connection_id}/sync", key="s1")
    assert first.status_code == 202
    assert first.json()["already_running"] is False
    second = await office.post(f"/v1/connections/{connection_id}/sync", key="s2")
    assert second.status_code == 200
    assert second.json() == {**first.json(), "already_running": True}
    again = await office.post(f"/v1/connections/{connection_id}/sync", key="s1")
    assert (again.status_code, again.json()) == (202, first.json())


async def test_a_run_shows_its_counts_and_its_progress(
    office: Office, database: Database, temporal_stand_in: StandInTemporal
) -> None:
    connection_id = await connected(office)
    temporal_stand_in.running.clear()
    started = (await office.post(f"/v1/connections/{connection_id}/sync")).json()
    path = f"/v1/sync-runs/{started['sync_run_id']}"
    a_problem(await office.get(path), 404, "NOT_FOUND")
    async with database.transaction() as session:
        run_id = await sync_runs.start(session, ConnectionId(connection_id), "person", started["workflow_run_id"])
        await sync_runs.progress(session, run_id, {"lists.seen": 7})
    temporal_stand_in.live[started["workflow_id"]] = SyncProgress(
        run_id=run_id, stream=Stream.BILLS, done=[Stream.LISTS], plan=[Stream.LISTS, Stream.BILLS], counts={"woken": 1}
    )
    run = (await office.get(path)).json()
    assert (run["state"], run["counts"], run["progress"]["stream"]) == ("running", {"lists.seen": 7}, "bills")
    async with database.transaction() as session:
        await sync_runs.finish(session, run_id, "failed", problem_code="ERP_OFFLINE", problem_message="off-line")
    run = (await office.get(path)).json()
    assert (run["state"], run["problem"], run["progress"]) == (
        "failed",
        {"code": "ERP_OFFLINE", "message": "off-line"},
        None,
    )
    listed = (await office.get(f"/v1/connections/{connection_id}/sync-runs")).json()["items"]
    assert [item["id"] for item in listed] == [run_id]


async def test_what_is_left_out_is_listed_with_its_reason(office: Office, database: Database) -> None:
    """S1-16: a non-USD order is not imported and the skip is recorded with its reason."""
    connection_id = await connected(office)
    async with database.transaction() as session:
        await skipped.record(
            session,
            ConnectionId(connection_id),
            Stream.PURCHASE_ORDERS,
            [("1", "PO-1", "NOT_USD", "it is in EUR", "r1"), ("2", "PO-2", "NOT_USD", "it is in GBP", "r1")],
        )
    path = f"/v1/connections/{connection_id}/skipped-records"
    page = (await office.get(path, limit=1)).json()
    rest = (await office.get(path, limit=1, cursor=page["next_cursor"])).json()
    assert {item["number"]: item["reason"] for item in page["items"] + rest["items"]} == {
        "PO-1": "it is in EUR",
        "PO-2": "it is in GBP",
    }


async def test_lists_are_searched(office: Office, database: Database) -> None:
    """S2-06."""
    connection_id = await connected(office)
    vendors = [
        ListEntry(kind=ListKind.VENDOR, erp_id=ErpId(str(number)), key=f"V-{number}", name=name)
        for number, name in enumerate(("Ahorn", "Birke", "Buche"))
    ]
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(connection_id), vendors)
    path = f"/v1/connections/{connection_id}/lists/vendor"
    assert [item["name"] for item in (await office.get(path, q="b")).json()["items"]] == ["Birke", "Buche"]
    assert len((await office.get(path)).json()["items"]) == 3
    a_problem(await office.get(f"/v1/connections/{connection_id}/lists/nonsense"), 422, "VALIDATION_FAILED")


async def an_issue(office: Office, database: Database, connection_id: str, workflow_id: str | None) -> str:
    async with database.transaction() as session:
        return await sync_issues.open_issue(
            session,
            organization_id=office.organization.id,
            connection_id=connection_id,
            subject_kind="bill",
            subject_id=f"bill_{datetime.now(UTC).timestamp()}",
            code="PERIOD_CLOSED",
            title="The period is closed",
            cause="2026-10 is closed in entity 100",
            fix=["Change the posting date."],
            who="accountant",
            evidence={"period": "2026-10"},
            workflow_id=workflow_id,
        )


async def test_a_persons_word_reaches_the_workflow_that_waits(
    office: Office, database: Database, temporal_stand_in: StandInTemporal
) -> None:
    connection_id = await connected(office)
    issue_id = await an_issue(office, database, connection_id, "bill/b1")
    temporal_stand_in.running["bill/b1"] = "run"
    shown = (await office.get(f"/v1/sync-issues/{issue_id}")).json()
    assert (shown["code"], shown["fix"], shown["who"]) == ("PERIOD_CLOSED", ["Change the posting date."], "accountant")
    settled = await office.post(f"/v1/sync-issues/{issue_id}/retry", {"why": "date corrected"}, key="i1")
    assert (settled.status_code, settled.json()["told"]) == (202, "bill/b1")
    assert (await office.post(f"/v1/sync-issues/{issue_id}/retry", {"why": "date corrected"}, key="i1")).json() == (
        settled.json()
    )
    [(workflow_id, signal, word)] = temporal_stand_in.signals
    assert (workflow_id, signal, word.decision, word.why) == ("bill/b1", "settle_issue", "retry", "date corrected")
    assert word.actor.startswith("admin (")
    assert (await office.get(f"/v1/sync-issues/{issue_id}")).json()["state"] == "open"  # until the workflow closes it


async def test_where_nobody_waits_retry_closes_the_issue_and_syncs(
    office: Office, database: Database, temporal_stand_in: StandInTemporal
) -> None:
    connection_id = await connected(office)
    temporal_stand_in.running.clear()
    for workflow_id in (None, "bill/gone"):
        issue_id = await an_issue(office, database, connection_id, workflow_id)
        settled = await office.post(f"/v1/sync-issues/{issue_id}/retry", {})
        assert settled.json()["told"] == f"sync/{connection_id}"
        assert (await office.get(f"/v1/sync-issues/{issue_id}")).json()["state"] == "resolved"
        a_problem(await office.post(f"/v1/sync-issues/{issue_id}/retry", {}), 409, "ISSUE_IS_CLOSED")


async def test_where_nobody_waits_abandon_closes_the_issue(office: Office, database: Database) -> None:
    connection_id = await connected(office)
    issue_id = await an_issue(office, database, connection_id, None)
    settled = await office.post(f"/v1/sync-issues/{issue_id}/abandon", {"why": "not ours"})
    assert settled.json() == {"issue_id": issue_id, "decision": "abandon", "told": None}
    assert [item["id"] for item in (await office.get("/v1/sync-issues", state="abandoned")).json()["items"]] == [
        issue_id
    ]
    assert (await office.get("/v1/sync-issues", state="open")).json()["items"] == []
