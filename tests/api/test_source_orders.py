"""Orders of another system at the API: what each lacks is told at once, each has its own outcome (S3)."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text

from models.domain.ids import ErpId, SourceOrderId
from models.domain.source_orders import UploadedOrder, UploadProblem
from models.store.base.database import Database
from models.store.source_orders import orders
from tests.harness.api_client import ApiClient, a_problem
from tests.harness.source_orders import BILLED, connected_for_uploads, link, prefer, send, upload


@pytest.fixture
async def connection_id(api: ApiClient, database: Database) -> str:
    return await connected_for_uploads(api, database)


def codes(problems: Sequence[Any]) -> list[str]:
    return sorted(problem["code"] for problem in problems)


async def blockers(api: ApiClient, order_id: str) -> dict[str, list[str]]:
    found = (await api.as_("viewer").get(f"/v1/source-orders/{order_id}")).json()["blockers"]
    return {upload_as: codes(problems) for upload_as, problems in found.items()}


@pytest.mark.parametrize(
    ("fields", "as_bill", "as_order"),
    [
        ({}, ["INVOICE_DATE_MISSING", "INVOICE_NUMBER_MISSING"], []),
        (BILLED, [], ["INVOICE_DATE_SET", "INVOICE_NUMBER_SET"]),
        ({"invoice_date": "2026-11-05"}, ["INVOICE_NUMBER_MISSING"], ["INVOICE_DATE_SET"]),
        ({"invoice_number": "I"}, ["INVOICE_DATE_MISSING"], ["INVOICE_NUMBER_SET"]),
        (
            {"dispatch_date": "2026-11-04"},
            ["INVOICE_DATE_MISSING", "INVOICE_NUMBER_MISSING"],
            ["DISPATCH_DATE_SET"],
        ),
    ],
)
async def test_what_is_missing_or_too_much_is_told_at_once(
    api: ApiClient, connection_id: str, fields: dict[str, str], as_bill: list[str], as_order: list[str]
) -> None:
    """S3-07, 21: each by itself, with the contact that nobody linked; with only some of the dates both ways refuse."""
    (saved,) = await send(api, connection_id, {"reference": "PO-1", **fields})
    order_id = saved["order"]["id"]
    missing = ["CONTACT_NOT_LINKED"]
    assert await blockers(api, order_id) == {
        "bill": sorted(missing + as_bill),
        "purchase_order": sorted(missing + as_order),
    }
    await link(api, connection_id)
    assert await blockers(api, order_id) == {"bill": as_bill, "purchase_order": as_order}


async def test_lines_find_their_item_or_account(api: ApiClient, connection_id: str, database: Database) -> None:
    """By id, full name, number, then the default account; each line that finds none is an error of its own."""
    await link(api, connection_id)
    lines = [
        {"item": "11", "amount": "1"},
        {"item": "post", "amount": "1"},
        {"item": "P-1", "amount": "1"},
        {"account": "6400", "amount": "1"},
        {"item": "unheard of", "amount": "1"},
        {"item": "T", "amount": "1"},
        {"description": "nothing named", "amount": "1", "class_name": "North"},
        {"item": "11", "amount": "1", "class_name": "South"},
    ]
    (saved,) = await send(api, connection_id, {"reference": "PO-1", "lines": lines, **BILLED})
    outcome = (await upload(api, connection_id, "PO-1"))["outcomes"][0]
    assert [(one["code"], one["line_no"]) for one in outcome["problems"]] == [
        ("LINE_WITHOUT_ACCOUNT", 5),
        ("LINE_NAME_AMBIGUOUS", 6),
        ("LINE_WITHOUT_ACCOUNT", 7),
        ("LINE_CLASS_UNKNOWN", 8),
    ]
    await prefer(database, connection_id, default_expense_account="Freight")
    lines = [line for line in lines if line.get("item") != "T" and line.get("class_name") != "South"]
    await send(api, connection_id, {"reference": "PO-1", "lines": lines, **BILLED})
    assert (await upload(api, connection_id, "PO-1"))["uploading"] == 1
    async with database.transaction() as session:
        sent = await orders.to_push(session, SourceOrderId(saved["order"]["id"]))
    assert sent is not None
    assert [line.item_id or line.account_id for line in sent.lines] == ["11", "11", "11", "77", "77", "77"]
    assert sent.lines[5].class_id == "5"


async def test_uploads_have_their_own_outcomes_and_all_is_page_by_page(
    api: ApiClient, connection_id: str, database: Database
) -> None:
    """S3-16..19: those that cannot be are listed as errors, the others go on; a repeat of the request does nothing."""
    await link(api, connection_id)
    billed = [{"reference": f"PO-{n}", "invoice_date": "2026-11-05", "invoice_number": f"I{n}-"} for n in range(4)]
    await send(api, connection_id, *billed, {"reference": "PO-9", "contact": "Nobody", **BILLED}, {"reference": "PO-U"})
    first = await upload(api, connection_id, limit=3, key="all-1")
    assert await upload(api, connection_id, limit=3, key="all-1") == first
    second = await upload(api, connection_id, limit=3, cursor=first["next_cursor"])
    outcomes = {one["reference"]: one["outcome"] for page in (first, second) for one in page["outcomes"]}
    assert outcomes == {**{f"PO-{n}": "uploading" for n in range(4)}, "PO-9": "refused"}
    assert second["next_cursor"] is None
    failed = (await api.get("/v1/source-orders", state="failed", problem="CONTACT_NOT_LINKED")).json()["items"]
    assert [one["reference"] for one in failed] == ["PO-9"]
    assert (await api.get("/v1/source-orders", problem="VENDOR_GONE")).json()["items"] == []
    (again,) = (await upload(api, connection_id, "PO-1"))["outcomes"]
    assert codes(again["problems"]) == ["UPLOAD_UNDER_WAY"]
    (unknown,) = (await upload(api, connection_id, "PO-77"))["outcomes"]
    assert (unknown["outcome"], unknown["id"]) == ("unknown", None)
    (saved,) = await send(api, connection_id, {"reference": "PO-1", "memo": "changed", **BILLED})
    assert saved["outcome"] == "uploading"


async def test_references_that_begin_alike(api: ApiClient, connection_id: str) -> None:
    """H05, S3-06: 21 characters are kept; the second is told, also within one request, and a person may let it
    through, with a reason."""
    await link(api, connection_id)
    same = {"invoice_date": "2026-11-05", "invoice_number": "INV-2026-000123"}
    await send(api, connection_id, *({"reference": f"PO-10004{n}-A", **same} for n in (5, 6)))
    answer = await upload(api, connection_id)
    assert sorted(one["outcome"] for one in answer["outcomes"]) == ["refused", "uploading"]
    (refused,) = [one for one in answer["outcomes"] if one["outcome"] == "refused"]
    assert refused["problems"][0]["evidence"]["number"] == "INV-2026-000123PO-100"
    body = {"connection_id": connection_id, "upload_as": "bill", "repeat_numbers": True, "which": {}}
    a_problem(await api.post("/v1/source-orders/uploads", body), 422, "VALIDATION_FAILED")
    more = {"repeat_numbers": True, "reason": "both are right"}
    (let_through,) = (await upload(api, connection_id, refused["reference"], **more))["outcomes"]
    assert let_through["outcome"] == "uploading"


async def test_the_other_way_is_ruled_out_and_a_failure_frees_it(
    api: ApiClient, connection_id: str, database: Database
) -> None:
    """S3-14: for good once the ERP has, or may have, the order; a refusal by the ERP leaves both ways open."""
    await link(api, connection_id)
    (saved,) = await send(api, connection_id, {"reference": "PO-1"})
    order_id = SourceOrderId(saved["order"]["id"])
    body = {"connection_id": connection_id, "upload_as": "purchase_order", "which": {}}
    a_problem(await api.post("/v1/source-orders/uploads", body), 409, "CONFIRMATION_NEEDED")
    more = {"as_": "purchase_order", "confirm_irreversible": True}
    assert (await upload(api, connection_id, "PO-1", **more))["uploading"] == 1
    async with database.transaction() as session:
        await session.execute(text("update erp_writes set state = 'sent' where subject_id = :id"), {"id": order_id})
        await orders.failed(session, order_id, UploadProblem(code="GAVE_UP_WAITING", message="no answer"), ask=1)
    await send(api, connection_id, {"reference": "PO-1", **BILLED})
    assert (await blockers(api, order_id))["bill"] == ["UPLOADED_AS_ORDER"], "the ERP may hold it"
    async with database.transaction() as session:
        await session.execute(text("update erp_writes set state = 'rejected' where subject_id = :id"), {"id": order_id})
        await session.execute(
            text("update source_orders set upload_state = 'uploading' where id = :id"), {"id": order_id}
        )
        await orders.failed(session, order_id, UploadProblem(code="PERIOD_CLOSED", message="closed"), ask=1)
    assert (await blockers(api, order_id))["bill"] == []
    await send(api, connection_id, {"reference": "PO-1", "memo": "unbilled again"})
    assert (await upload(api, connection_id, "PO-1", **more))["uploading"] == 1
    async with database.transaction() as session:
        done = UploadedOrder(erp_id=ErpId("190"), document_id="190", total=saved["order"]["total"])
        await orders.uploaded(session, order_id, done)
        await orders.uploaded(session, order_id, done)
    await send(api, connection_id, {"reference": "PO-1", **BILLED})
    assert await blockers(api, order_id) == {"bill": ["UPLOADED_AS_ORDER"], "purchase_order": ["UPLOADED_AS_ORDER"]}
    shown = (await api.get(f"/v1/source-orders/{order_id}")).json()
    assert (shown["changed_since_upload"], shown["accounting_status"]) == (True, "not_imported")
    reset = await api.as_("accountant").post(f"/v1/source-orders/{order_id}/reset", {"reason": "no"})
    a_problem(reset, 409, "UPLOADED_AS_ORDER")


async def test_what_the_erp_may_hold_is_sent_under_its_number(
    api: ApiClient, connection_id: str, database: Database
) -> None:
    """Reference 8: the look-up goes by the number; an order that was edited while in doubt would be made twice."""
    await link(api, connection_id)
    (saved,) = await send(api, connection_id, {"reference": "PO-1", **BILLED})
    order_id = SourceOrderId(saved["order"]["id"])
    await upload(api, connection_id, "PO-1")
    async with database.transaction() as session:
        await session.execute(text("update erp_writes set state = 'sent' where subject_id = :id"), {"id": order_id})
        await orders.failed(session, order_id, UploadProblem(code="GAVE_UP_WAITING", message="no answer"), ask=1)
    await send(api, connection_id, {"reference": "PO-1", **BILLED, "invoice_number": "OTHER-"})
    assert (await blockers(api, order_id))["bill"] == ["UPLOAD_IN_DOUBT"]
    await send(api, connection_id, {"reference": "PO-1", **BILLED, "memo": "the number as it was"})
    assert (await upload(api, connection_id, "PO-1"))["uploading"] == 1


async def test_what_holds_for_the_whole_connection(api: ApiClient, connection_id: str, database: Database) -> None:
    """Nothing is uploaded round approvals, or where the ERP or its setting does not take it."""
    await send(api, connection_id, {"reference": "PO-1", **BILLED})
    body = {"connection_id": connection_id, "upload_as": "bill", "which": {}}
    async with database.transaction() as session:
        await session.execute(
            text("update connections set push_when = 'approved' where id = :id"), {"id": connection_id}
        )
    a_problem(await api.post("/v1/source-orders/uploads", body), 409, "UPLOAD_NEEDS_APPROVAL")
    await prefer(database, connection_id, upload_purchase_orders="false")
    other = {**body, "upload_as": "purchase_order", "confirm_irreversible": True}
    a_problem(await api.post("/v1/source-orders/uploads", other), 409, "UPLOAD_SWITCHED_OFF")
    a_problem(await api.as_("clerk").post("/v1/source-orders/uploads", body), 403, "ROLE_TOO_LOW")
    async with database.transaction() as session:
        await session.execute(text("update connections set capabilities = '{}' where id = :id"), {"id": connection_id})
    a_problem(await api.post("/v1/source-orders/uploads", body), 409, "UPLOAD_NOT_OFFERED")


async def test_contacts_are_linked_by_a_person(api: ApiClient, connection_id: str) -> None:
    """S3-15: search, suggest with a score, confirm; nothing is linked silently, and an inactive vendor is none."""
    await send(api, connection_id, {"reference": "PO-1", "contact": "Norton Lumber, Inc."})
    path = f"/v1/connections/{connection_id}/contacts"
    suggested = (await api.get(f"{path}/suggestions", contact="NORTON LUMBER Inc")).json()["vendors"]
    assert [one["vendor_id"] for one in suggested] == ["56", "57"]
    assert suggested[0]["score"] == 1.0 > suggested[1]["score"]
    (listed,) = (await api.get(path, linked="false")).json()["items"]
    assert (listed["contact"], listed["orders"], listed["vendor_id"]) == ("Norton Lumber, Inc.", 1, None)
    a_problem(await api.post(path, {"contact": "Norton Lumber, Inc.", "vendor_id": "59"}), 422, "VENDOR_UNKNOWN")
    await link(api, connection_id, "Norton Lumber, Inc.")
    (listed,) = (await api.get(path, linked="true", q="lumber")).json()["items"]
    assert (listed["vendor_name"], listed["vendor_active"]) == ("Norton Lumber", True)
    await link(api, connection_id, "Norton Lumber, Inc.", None)
    assert (await api.get(path, linked="true")).json()["items"] == []


async def test_another_organization_sees_nothing(api: ApiClient, other_api: ApiClient, connection_id: str) -> None:
    (saved,) = await send(api, connection_id, {"reference": "PO-1"})
    assert (await other_api.get("/v1/source-orders")).json()["items"] == []
    for answer in (
        await other_api.get(f"/v1/source-orders/{saved['order']['id']}"),
        await other_api.get(f"/v1/connections/{connection_id}/contacts"),
        await other_api.post(f"/v1/source-orders/{saved['order']['id']}/reset", {"reason": "no"}),
    ):
        a_problem(answer, 404, "NOT_FOUND")
