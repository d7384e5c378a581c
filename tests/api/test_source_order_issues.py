"""Failed uploads of source orders are sync issues: listed with their fix, retried or abandoned by a person."""

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from models.domain.ids import ErpId, SourceOrderId
from models.domain.source_orders import UploadedOrder, UploadProblem
from models.store.base.database import Database
from models.store.source_orders import situations
from services.source_orders import issues
from tests.harness.api_client import ApiClient, a_problem
from tests.harness.source_orders import BILLED, connected_for_uploads, link, send, upload


@pytest.fixture
async def connection_id(api: ApiClient, database: Database) -> str:
    return await connected_for_uploads(api, database)


async def failed(
    api: ApiClient, database: Database, connection_id: str, code: str = "PERIOD_CLOSED", write: str = "rejected"
) -> SourceOrderId:
    """An order whose upload the ERP refused, or whose outcome nobody knows."""
    await link(api, connection_id)
    (saved,) = await send(api, connection_id, {"reference": "PO-1", **BILLED})
    order_id = SourceOrderId(saved["order"]["id"])
    await upload(api, connection_id, "PO-1")
    problem = UploadProblem(code=code, message="The books are closed.", evidence={"erp_code": "6200"})
    async with database.transaction() as session:
        await session.execute(
            text("update erp_writes set state = :state where subject_id = :id"), {"id": order_id, "state": write}
        )
        await issues.upload_failed(session, order_id, problem, ask=1)
        await issues.upload_failed(session, order_id, problem, ask=1)
    return order_id


async def open_issues(api: ApiClient) -> list[Any]:
    return list((await api.get("/v1/sync-issues", state="open")).json()["items"])


async def settle(api: ApiClient, issue: Any, decision: str) -> Any:
    return await api.as_("accountant").post(f"/v1/sync-issues/{issue['id']}/{decision}", {"why": "seen"})


async def order(api: ApiClient, order_id: str) -> Any:
    return (await api.get(f"/v1/source-orders/{order_id}")).json()


async def test_a_refused_upload_is_an_issue_and_a_retry_uploads_it_again(
    api: ApiClient, database: Database, connection_id: str
) -> None:
    """As any other write of ours: with cause, evidence and fix; the retry is an upload of the order as it is now."""
    order_id = await failed(api, database, connection_id)
    (issue,) = await open_issues(api)
    assert (issue["code"], issue["subject_kind"], issue["subject_id"]) == ("PERIOD_CLOSED", "source_order", order_id)
    assert issue["occurrences"] == 1
    assert issue["title"].endswith("PO-1")
    assert (issue["cause"], issue["evidence"]) == ("The books are closed.", {"erp_code": "6200"})
    assert issue["fix"]
    answer = await settle(api, issue, "retry")
    assert answer.status_code == 202, answer.text
    assert answer.json()["notified_workflow"]
    after = await order(api, order_id)
    assert (after["upload_state"], after["upload_as"]) == ("uploading", "bill")
    assert await open_issues(api) == []


async def test_a_retry_of_what_cannot_be_uploaded_says_why(
    api: ApiClient, database: Database, connection_id: str
) -> None:
    """The contact was unlinked meanwhile: nothing is sent, and the issue stays open."""
    order_id = await failed(api, database, connection_id)
    await link(api, connection_id, vendor_id=None)
    (issue,) = await open_issues(api)
    problem = a_problem(await settle(api, issue, "retry"), 409, "UPLOAD_REFUSED")
    assert "not linked" in json.dumps(problem)
    assert (await order(api, order_id))["upload_state"] == "failed"
    assert [one["id"] for one in await open_issues(api)] == [issue["id"]]
    a_problem(await api.as_("clerk").post(f"/v1/sync-issues/{issue['id']}/retry", {}), 403, "ROLE_TOO_LOW")


async def test_an_abandoned_upload_leaves_the_list_of_errors(
    api: ApiClient, database: Database, connection_id: str
) -> None:
    """The order can be uploaded later; its number is free."""
    order_id = await failed(api, database, connection_id)
    (issue,) = await open_issues(api)
    assert (await settle(api, issue, "abandon")).status_code == 202
    after = await order(api, order_id)
    assert (after["upload_state"], after["problems"], after["blockers"]["bill"]) == ("none", [], [])
    assert "upload_abandoned" in [event["kind"] for event in after["events"]]
    assert await open_issues(api) == []
    assert (await upload(api, connection_id, "PO-1"))["uploading"] == 1


async def test_what_the_erp_may_hold_is_not_abandoned(api: ApiClient, database: Database, connection_id: str) -> None:
    """It is looked up by a retry."""
    order_id = await failed(api, database, connection_id, "GAVE_UP_WAITING", write="sent")
    (issue,) = await open_issues(api)
    a_problem(await settle(api, issue, "abandon"), 409, "WRITE_IN_DOUBT")
    assert (await settle(api, issue, "retry")).status_code == 202
    assert (await order(api, order_id))["upload_state"] == "uploading"


@pytest.mark.parametrize("differences", [(), ("the total: sent 25, QuickBooks has 24",)])
async def test_what_came_out_different_is_an_issue(
    api: ApiClient, database: Database, connection_id: str, differences: tuple[str, ...]
) -> None:
    """The write's answer is its read-back; a document with other content is for a person."""
    order_id = await failed(api, database, connection_id)
    await upload(api, connection_id, "PO-1")
    result = UploadedOrder(erp_id=ErpId("B7"), document_id="B7", total=Decimal(25), differences=differences)
    async with database.transaction() as session:
        await session.execute(
            text("update erp_writes set state = 'confirmed' where subject_id = :id"), {"id": order_id}
        )
        await issues.upload_done(session, order_id, result)
        await issues.upload_done(session, order_id, result)
    listed = await open_issues(api)
    assert [issue["code"] for issue in listed] == ["CONTENT_CONFLICT"] * len(differences)
    for issue in listed:
        assert differences[0] in issue["cause"]
        assert (await settle(api, issue, "retry")).status_code == 202
    assert (await order(api, order_id))["upload_state"] == "uploaded"
    assert await open_issues(api) == []
    async with database.transaction() as session:
        assert order_id not in {one.id for one in await situations.outside(session)}


async def test_doctor_finds_a_source_order_without_a_way_on(
    api: ApiClient, database: Database, connection_id: str
) -> None:
    """`posync doctor`: an upload under way whose write was never planned."""
    order_id = await failed(api, database, connection_id)
    async with database.transaction() as session:
        assert order_id not in {one.id for one in await situations.outside(session)}
        await session.execute(
            text("update source_orders set upload_state = 'uploading' where id = :id"), {"id": order_id}
        )
        (found,) = [one for one in await situations.outside(session) if one.id == order_id]
    assert (found.kind, found.name, found.status, found.write, found.stopped) == (
        "source order", "PO-1", "uploading", "rejected", True,
    )  # fmt: skip
