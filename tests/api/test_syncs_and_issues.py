"""Sync now, runs, skips and lists; sync issues and how they are settled."""

from datetime import UTC, datetime

from models.domain.ids import ConnectionId, ErpId, SyncIssueId
from models.domain.issues import ISSUE_CODES
from models.domain.lists import ListEntry, ListKind
from models.domain.sync import Stream
from models.messages.sync import SyncProgress
from models.store.audit import sync_issues
from models.store.base.database import Database
from models.store.orders import excluded_records
from models.store.sync import list_entries, sync_runs
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    connected,
)
from tests.harness.workflow_client import eventually


async def test_sync_now_starts_a_run_or_finds_the_one_that_runs(api: ApiClient, fake_temporal: FakeTemporal) -> None:
    """S2-57: by hand at any time; two never overlap."""
    connection_id = await connected(api)
    await fake_temporal.forget_first_sync(connection_id)
    first = await api.as_("clerk").post(f"/v1/connections/{connection_id}/sync", key="s1")
    assert first.status_code == 202
    assert first.json()["already_running"] is False
    second = await api.post(f"/v1/connections/{connection_id}/sync", key="s2")
    assert second.status_code == 200
    assert second.json() == {**first.json(), "already_running": True}
    again = await api.post(f"/v1/connections/{connection_id}/sync", key="s1")
    assert (again.status_code, again.json()) == (202, first.json())


async def test_a_run_shows_its_counts_and_its_progress(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    connection_id = await connected(api)
    await fake_temporal.forget_first_sync(connection_id)
    started = (await api.post(f"/v1/connections/{connection_id}/sync")).json()
    run_id = started["sync_run_id"]
    path = f"/v1/sync-runs/{run_id}"
    assert (await api.get(path)).json()["state"] == "running", "G14: it is there with the answer"
    async with database.transaction() as session:
        assert await sync_runs.start(session, ConnectionId(connection_id), "x", started["workflow_run_id"]) == run_id
        await sync_runs.progress(session, run_id, {"lists.seen": 7})
    fake_temporal.live[started["workflow_id"]] = SyncProgress(
        run_id=run_id,
        stream=Stream.BILLS,
        done=[Stream.LISTS],
        plan=[Stream.LISTS, Stream.BILLS],
        counts={"notified": 1},
    )
    run = (await api.get(path)).json()
    assert (run["state"], run["counts"], run["progress"]["stream"]) == ("running", {"lists.seen": 7}, "bills")
    async with database.transaction() as session:
        await sync_runs.finish(session, run_id, "failed", problem_code="ERP_OFFLINE", problem_message="off-line")
    run = (await api.get(path)).json()
    assert (run["state"], run["problem"], run["progress"]) == (
        "failed",
        {"code": "ERP_OFFLINE", "message": "off-line"},
        None,
    )
    listed = (await api.get(f"/v1/connections/{connection_id}/sync-runs")).json()["items"]
    assert [item["id"] for item in listed] == [run_id]


async def test_what_is_left_out_is_listed_with_its_reason(api: ApiClient, database: Database) -> None:
    """S1-16: a non-USD order is not imported and the skip is recorded with its reason."""
    connection_id = await connected(api)
    async with database.transaction() as session:
        await excluded_records.record(
            session,
            ConnectionId(connection_id),
            Stream.PURCHASE_ORDERS,
            [
                ("1", "PO-1", "OTHER_CURRENCY", "it is in EUR", "r1"),
                ("2", "PO-2", "OTHER_CURRENCY", "it is in GBP", "r1"),
            ],
        )
    path = f"/v1/connections/{connection_id}/skipped-records"
    page = (await api.get(path, limit=1)).json()
    rest = (await api.get(path, limit=1, cursor=page["next_cursor"])).json()
    assert {item["number"]: item["reason"] for item in page["items"] + rest["items"]} == {
        "PO-1": "it is in EUR",
        "PO-2": "it is in GBP",
    }


async def test_lists_are_searched(api: ApiClient, database: Database) -> None:
    """S2-06."""
    connection_id = await connected(api)
    vendors = [
        ListEntry(kind=ListKind.VENDOR, erp_id=ErpId(str(number)), key=f"V-{number}", name=name)
        for number, name in enumerate(("Ahorn", "Birke", "Buche"))
    ]
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(connection_id), vendors)
    path = f"/v1/connections/{connection_id}/lists/vendor"
    assert [item["name"] for item in (await api.get(path, q="b")).json()["items"]] == ["Birke", "Buche"]
    assert len((await api.get(path)).json()["items"]) == 3
    a_problem(await api.get(f"/v1/connections/{connection_id}/lists/nonsense"), 422, "VALIDATION_FAILED")


async def an_issue(api: ApiClient, database: Database, connection_id: str, workflow_id: str | None) -> str:
    async with database.transaction() as session:
        return await sync_issues.open_issue(
            session,
            "PERIOD_CLOSED",
            connection_id=connection_id,
            subject_kind="bill",
            subject_id=f"bill_{datetime.now(UTC).timestamp()}",
            subject_name="INV-7",
            cause="2026-10 is closed in entity 100",
            evidence={"period": "2026-10"},
            workflow_id=workflow_id,
        )


async def test_a_persons_word_reaches_the_workflow_that_waits(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    connection_id = await connected(api)
    issue_id = await an_issue(api, database, connection_id, "bill/b1")
    fake_temporal.running["bill/b1"] = "run"
    shown = (await api.get(f"/v1/sync-issues/{issue_id}")).json()
    words = ISSUE_CODES["PERIOD_CLOSED"]
    assert (shown["code"], shown["title"]) == ("PERIOD_CLOSED", f"{words.title}: INV-7")
    assert (shown["fix"], shown["who"]) == (list(words.fix), "accountant")
    assert shown["cause"] == "2026-10 is closed in entity 100"
    assert (await api.get("/v1/sync-issues")).json()["items"] == [shown]
    settled = await api.post(f"/v1/sync-issues/{issue_id}/retry", {"why": "date corrected"}, key="i1")
    assert (settled.status_code, settled.json()["notified_workflow"]) == (202, "bill/b1")
    assert (await api.post(f"/v1/sync-issues/{issue_id}/retry", {"why": "date corrected"}, key="i1")).json() == (
        settled.json()
    )
    await fake_temporal.has_delivered("settle_issue")
    [(workflow_id, signal, word)] = fake_temporal.signals
    assert (workflow_id, signal, word.decision, word.why) == ("bill/b1", "settle_issue", "retry", "date corrected")
    assert word.actor.startswith("admin (")
    assert (await api.get(f"/v1/sync-issues/{issue_id}")).json()["state"] == "open"  # until the workflow closes it


async def test_what_is_being_abandoned_is_not_retried(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """The later of two decisions counts or is refused: abandoning takes a retry's place for good."""
    connection_id = await connected(api)
    issue_id = await an_issue(api, database, connection_id, "bill/b1")
    fake_temporal.running["bill/b1"] = "run"
    path = f"/v1/sync-issues/{issue_id}"
    for decision in ("retry", "retry", "abandon", "abandon"):
        assert (await api.post(f"{path}/{decision}", {})).status_code == 202, decision
    refused = await api.post(f"{path}/retry", {})
    a_problem(refused, 409, "ISSUE_BEING_ABANDONED")
    assert "decided to abandon it" in refused.json()["detail"]
    async with database.transaction() as session:
        row = await sync_issues.get(session, SyncIssueId(issue_id))
    assert row is not None
    assert (row.state, row.decision) == ("open", "abandon")


async def test_where_nobody_waits_retry_closes_the_issue_and_syncs(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    connection_id = await connected(api)
    await fake_temporal.forget_first_sync(connection_id)
    for workflow_id in (None, "bill/gone"):
        issue_id = await an_issue(api, database, connection_id, workflow_id)
        settled = await api.post(f"/v1/sync-issues/{issue_id}/retry", {})
        assert settled.json()["notified_workflow"] == (workflow_id or f"sync/{connection_id}")

        async def is_resolved(issue_id: str = issue_id) -> bool:
            return bool((await api.get(f"/v1/sync-issues/{issue_id}")).json()["state"] == "resolved")

        await eventually(is_resolved)
        a_problem(await api.post(f"/v1/sync-issues/{issue_id}/retry", {}), 409, "ISSUE_IS_CLOSED")
        await eventually(lambda: f"sync/{connection_id}" in fake_temporal.running)
        fake_temporal.running.clear()


async def test_where_nobody_waits_abandon_closes_the_issue(api: ApiClient, database: Database) -> None:
    connection_id = await connected(api)
    issue_id = await an_issue(api, database, connection_id, None)
    settled = await api.post(f"/v1/sync-issues/{issue_id}/abandon", {"why": "not ours"})
    assert settled.json() == {"issue_id": issue_id, "decision": "abandon", "notified_workflow": None}
    assert [item["id"] for item in (await api.get("/v1/sync-issues", state="abandoned")).json()["items"]] == [issue_id]
    assert (await api.get("/v1/sync-issues", state="open")).json()["items"] == []
