"""Sync runs, sync issues, notices, events, and reading bills and payments."""

import secrets
from typing import Any

import pytest

from models.domain.ids import SyncIssueId
from models.domain.payments import PaymentStatus
from models.store.audit import events, notices, sync_issues
from models.store.base.pages import Listing
from models.store.payables import bill_reads, payment_listing, payment_reads
from models.store.payables.payment_listing import PaymentsWanted
from models.store.policies import match_results
from models.store.sync import sync_runs
from tests.builders.records import (
    an_erp_bill,
    an_erp_payment,
    an_order,
)
from tests.harness.tenant import (
    Tenant,
)


async def open_issue(
    tenant: Tenant, *, code: str = "PERIOD_CLOSED", subject: str = "b1", cause: str = "no"
) -> SyncIssueId:
    async with tenant.database.transaction() as s:
        return await sync_issues.open_issue(
            s,
            code,
            connection_id=tenant.connection_id,
            subject_kind="bill",
            subject_id=subject,
            subject_name="INV-1",
            cause=cause,
            evidence={"period": "2026-02"},
            workflow_id="bill/b1",
        )


async def issue(tenant: Tenant, issue_id: SyncIssueId) -> Any:
    async with tenant.database.transaction() as s:
        return await sync_issues.get(s, issue_id, tenant.organization_id)


async def test_a_run_is_there_once_per_workflow_run(tenant: Tenant) -> None:
    workflow_run = secrets.token_hex(8)
    for _ in range(2):
        async with tenant.database.transaction() as s:
            run_id = await sync_runs.start(s, tenant.connection_id, "person", workflow_run)
    assert run_id == sync_runs.sync_run_id(workflow_run)
    async with tenant.database.transaction() as s:
        runs = await sync_runs.page(s, tenant.connection_id)
    assert [(row.id, row.state, row.trigger) for row in runs.items] == [(run_id, "running", "person")]


async def test_a_run_adds_its_counts_up_and_ends_once(tenant: Tenant, other_tenant: Tenant) -> None:
    async with tenant.database.transaction() as s:
        run_id = await sync_runs.start(s, tenant.connection_id, "schedule", secrets.token_hex(8))
        await sync_runs.progress(s, run_id, {"lists.seen": 10, "lists.pages": 1})
        await sync_runs.progress(s, run_id, {"lists.seen": 5, "bills.seen": 2})
        await sync_runs.progress(s, run_id, {})
        await sync_runs.finish(s, run_id, "completed", counts={"notified": 3})
        await sync_runs.finish(s, run_id, "failed", problem_code="LATE", problem_message="too late")
        row = await sync_runs.get(s, run_id, tenant.organization_id)
        assert await sync_runs.get(s, run_id, other_tenant.organization_id) is None
    assert row is not None
    assert row.counts == {"lists.seen": 15, "lists.pages": 1, "bills.seen": 2, "notified": 3}
    assert (row.state, row.problem_code, row.finished_at is not None) == ("completed", None, True)
    (connection,) = await tenant.fetch("select last_synced_at from connections where id = :c")
    assert connection.last_synced_at is not None


async def test_a_failed_run_says_why_and_dates_no_sync(tenant: Tenant) -> None:
    async with tenant.database.transaction() as s:
        run_id = await sync_runs.start(s, tenant.connection_id, "person", secrets.token_hex(8))
        await sync_runs.finish(s, run_id, "failed", problem_code="AUTH_BAD_CREDENTIALS", problem_message="no")
        row = await sync_runs.get(s, run_id)
    assert row is not None
    assert (row.state, row.problem_code, row.problem_message) == ("failed", "AUTH_BAD_CREDENTIALS", "no")
    assert (await tenant.fetch("select last_synced_at from connections where id = :c"))[0].last_synced_at is None


async def test_the_same_issue_is_counted_not_repeated(tenant: Tenant) -> None:
    first = await open_issue(tenant)
    assert await open_issue(tenant, cause="still no") == first
    row = await issue(tenant, first)
    assert (row.occurrences, row.cause, row.state) == (2, "still no", "open")
    assert (row.subject_name, row.evidence, row.workflow_id) == ("INV-1", {"period": "2026-02"}, "bill/b1")
    assert await open_issue(tenant, code="OTHER") != first
    assert await open_issue(tenant, subject="b2") != first


async def test_a_settled_issue_opens_anew_as_another_one(tenant: Tenant) -> None:
    first = await open_issue(tenant)
    async with tenant.database.transaction() as s:
        assert await sync_issues.close(s, first, "abandoned", "someone")
        assert not await sync_issues.close(s, first, "resolved", "other")
    row = await issue(tenant, first)
    assert (row.state, row.closed_by, row.closed_at is not None) == ("abandoned", "someone", True)
    assert await open_issue(tenant) != first


async def test_a_subject_that_is_right_again_closes_its_issues(tenant: Tenant) -> None:
    mine, other, code = (
        await open_issue(tenant),
        await open_issue(tenant, subject="b2"),
        await open_issue(tenant, code="OTHER"),
    )
    async with tenant.database.transaction() as s:
        closed = await sync_issues.close_for_subject(
            s, tenant.connection_id, "bill", "b1", ["PERIOD_CLOSED"], actor="posync"
        )
    assert closed == 1
    assert [(await issue(tenant, one)).state for one in (mine, other, code)] == ["resolved", "open", "open"]
    async with tenant.database.transaction() as s:
        assert await sync_issues.close_for_subject(s, tenant.connection_id, "bill", "b1", actor="posync") == 1


async def test_issues_are_paged_filtered_and_kept_apart(tenant: Tenant, other_tenant: Tenant) -> None:
    ids = {await open_issue(tenant, subject=f"b{number}") for number in range(5)}
    stranger = await open_issue(other_tenant)
    found: set[str] = set()
    cursor = None
    while True:
        async with tenant.database.transaction() as s:
            page = await sync_issues.page(s, tenant.organization_id, state="open", limit=2, cursor=cursor)
        found |= {row.id for row in page.items}
        if (cursor := page.next_cursor) is None:
            break
    assert found == ids
    assert await issue(tenant, stranger) is None
    async with tenant.database.transaction() as s:
        one = await sync_issues.page(
            s, tenant.organization_id, subject_kind="bill", subject_id="b3", code="PERIOD_CLOSED"
        )
        none = await sync_issues.page(s, tenant.organization_id, state="resolved")
    assert (len(one.items), len(none.items)) == (1, 0)


async def test_a_notice_is_read_once_by_its_own_organization(tenant: Tenant, other_tenant: Tenant) -> None:
    """S1-18: the reminder to update the Vendor Invoice in Intacct."""
    async with tenant.database.transaction() as s:
        notice_id = await notices.add(
            s,
            organization_id=tenant.organization_id,
            connection_id=tenant.connection_id,
            code="GL_ACCOUNT_NOT_SYNCED",
            subject_kind="bill",
            subject_id="b1",
            message="Update the vendor invoice too.",
        )
        assert not await notices.mark_read(s, other_tenant.organization_id, notice_id)
        unread = await notices.page(s, tenant.organization_id, unread=True)
        assert [row.id for row in unread.items] == [notice_id]
        assert await notices.mark_read(s, tenant.organization_id, notice_id)
        first = await notices.get(s, tenant.organization_id, notice_id)
        assert first is not None
        read_at = first.read_at
        assert await notices.mark_read(s, tenant.organization_id, notice_id)
        again = await notices.get(s, tenant.organization_id, notice_id)
        assert again is not None
        assert again.read_at == read_at
        assert (await notices.page(s, tenant.organization_id, unread=True)).items == []
        assert len((await notices.page(s, tenant.organization_id, connection_id=tenant.connection_id)).items) == 1
        assert await notices.get(s, other_tenant.organization_id, notice_id) is None


async def test_events_tell_the_story_of_one_subject_in_order(tenant: Tenant, other_tenant: Tenant) -> None:
    """DESIGN section 7: who, when, why, before and after."""
    async with tenant.database.transaction() as s:
        for organization, kind in (
            (tenant.organization_id, "created"),
            (other_tenant.organization_id, "created"),
            (tenant.organization_id, "status"),
        ):
            await events.record(
                s,
                organization_id=organization,
                connection_id=tenant.connection_id,
                subject_kind="bill",
                subject_id="b77",
                kind=kind,
                actor="someone",
                why="because",
                before=None if kind == "created" else {"status": "pending_push"},
                after={"status": "synced"},
            )
        story = await events.for_subject(s, tenant.organization_id, "bill", "b77")
    assert [(event.kind, event.before, event.after, event.actor) for event in story] == [
        ("created", None, {"status": "synced"}, "someone"),
        ("status", {"status": "pending_push"}, {"status": "synced"}, "someone"),
    ]
    (nulls,) = await tenant.fetch(
        "select count(*) as n from events where subject_id = 'b77' and kind = 'created' and before is null"
    )
    assert nulls.n == 2


async def test_a_bill_is_read_by_its_organization_alone(tenant: Tenant, other_tenant: Tenant) -> None:
    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    async with tenant.database.transaction() as s:
        assert await bill_reads.get(s, bill_id, tenant.organization_id) is not None
        assert await bill_reads.get(s, bill_id, other_tenant.organization_id) is None
        assert [line.quantity for line in await bill_reads.lines(s, bill_id)] == [4]
        assert await bill_reads.match_result(s, bill_id) is None


async def test_the_match_a_bill_was_saved_with_is_kept(tenant: Tenant) -> None:
    from models.domain.connections import MatchMode

    await tenant.page(an_order())
    bill_id = await tenant.bill(an_order(), {1: 4})
    async with tenant.database.transaction() as s:
        await match_results.save(
            s,
            connection_id=tenant.connection_id,
            purchase_order_id=tenant.id_of(an_order()),
            bill_id=bill_id,
            request_key="k1",
            outcome="OK",
            mode=MatchMode.TWO_WAY,
            result={"outcome": "OK"},
            why=match_results.ASKED_FOR,
        )
        row = await bill_reads.match_result(s, bill_id)
    assert row is not None
    assert row.result == {"outcome": "OK"}


async def test_payments_are_read_by_filter_and_page(tenant: Tenant, other_tenant: Tenant) -> None:
    await tenant.bills_in(an_erp_bill(901), an_erp_bill(902))
    await tenant.payments_in(
        an_erp_payment(700, shares={"901": "10"}),
        an_erp_payment(701, shares={"901": "10"}, voided=True),
        an_erp_payment(702, shares={"902": "10"}),
    )
    first_bill = (await tenant.bill_rows())[0].id

    async def found(*, limit: int = 50, cursor: str | None = None, **filters: Any) -> Listing[Any]:
        wanted = PaymentsWanted(organization_id=tenant.organization_id, **filters)
        async with tenant.database.transaction() as s:
            return await payment_listing.page(s, wanted, limit=limit, cursor=cursor)

    assert len((await found()).items) == 3
    assert len((await found(bill_id=first_bill)).items) == 2
    assert len((await found(status=PaymentStatus.VOIDED, connection_id=tenant.connection_id)).items) == 1
    page = await found(limit=2)
    rest = await found(limit=2, cursor=page.next_cursor)
    assert len({row.id for row in [*page.items, *rest.items]}) == 3
    async with tenant.database.transaction() as s:
        one = page.items[0].id
        assert await payment_reads.get(s, one, tenant.organization_id) is not None
        assert await payment_reads.get(s, one, other_tenant.organization_id) is None


@pytest.mark.parametrize(("asked", "values"), [(0, 1), (-5, 1), (10_000, 500), (7, 7)])
def test_a_page_is_never_empty_by_request_nor_endless(asked: int, values: int) -> None:
    from models.store.base.pages import page_size

    assert page_size(asked) == values
