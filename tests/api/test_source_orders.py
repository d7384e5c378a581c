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
from tests.harness.source_orders import BILLED, DISPATCHED, connected_for_uploads, link, prefer, send, upload


@pytest.fixture
async def connection_id(api: ApiClient, database: Database) -> str:
    return await connected_for_uploads(api, database)


def codes(problems: Sequence[Any]) -> list[str]:
    return sorted(problem["code"] for problem in problems)


async def blockers(api: ApiClient, order_id: str) -> dict[str, list[str]]:
    found = (await api.as_("viewer").get(f"/v1/source-orders/{order_id}")).json()["blockers"]
    return {upload_as: codes(problems) for upload_as, problems in found.items()}


FIELDS = {"invoice_date": "2026-11-05", "invoice_number": "INV-1-", "dispatch_date": "2026-11-04"}

TABLE: dict[str, tuple[str, set[str], set[str]]] = {
    # which of invoice date, invoice number, dispatch date it has: what it is, what a bill lacks, what an order has
    "---": ("unbilled", {"INVOICE_DATE_MISSING", "INVOICE_NUMBER_MISSING", "DISPATCH_DATE_MISSING"}, set()),
    "--d": ("unclear", {"INVOICE_DATE_MISSING", "INVOICE_NUMBER_MISSING"}, {"DISPATCH_DATE_SET"}),
    "-n-": ("unclear", {"INVOICE_DATE_MISSING", "DISPATCH_DATE_MISSING"}, {"INVOICE_NUMBER_SET"}),
    "-nd": ("unclear", {"INVOICE_DATE_MISSING"}, {"INVOICE_NUMBER_SET", "DISPATCH_DATE_SET"}),
    "i--": ("unclear", {"INVOICE_NUMBER_MISSING", "DISPATCH_DATE_MISSING"}, {"INVOICE_DATE_SET"}),
    "i-d": ("unclear", {"INVOICE_NUMBER_MISSING"}, {"INVOICE_DATE_SET", "DISPATCH_DATE_SET"}),
    "in-": ("unclear", {"DISPATCH_DATE_MISSING"}, {"INVOICE_DATE_SET", "INVOICE_NUMBER_SET"}),
    "ind": ("billed", set(), {"INVOICE_DATE_SET", "INVOICE_NUMBER_SET", "DISPATCH_DATE_SET"}),
}


@pytest.mark.parametrize("setting", ["true", "false", ""], ids=["on", "off", "never set"])
@pytest.mark.parametrize("has", TABLE)
async def test_billed_unbilled_or_neither(
    api: ApiClient, connection_id: str, database: Database, has: str, setting: str
) -> None:
    """S3-01, 07, 12, 20, 21: with only some of the three both flows refuse, and list what is missing or too much; as an
    order nothing goes up while the setting is off. A contact that nobody linked is told beside it."""
    billing, lacks, has_too_much = TABLE[has]
    on = setting == "true"
    await prefer(database, connection_id, upload_purchase_orders=setting)
    fields = {name: value for (name, value), mark in zip(FIELDS.items(), has, strict=True) if mark != "-"}
    (saved,) = await send(api, connection_id, {"reference": "PO-1", **fields})
    order_id = saved["order"]["id"]
    assert saved["order"]["billing"] == billing
    for word in ("billed", "unbilled", "unclear"):
        listed = (await api.get("/v1/source-orders", billing=word)).json()["items"]
        assert len(listed) == (word == billing)

    def as_told(*more: str) -> dict[str, list[str]]:
        switched_off = set() if on else {"UPLOAD_SWITCHED_OFF"}
        return {
            "bill": sorted({*lacks, *more}),
            "purchase_order": sorted({*has_too_much, *switched_off, *more}),
        }

    assert await blockers(api, order_id) == as_told("CONTACT_NOT_LINKED")
    await link(api, connection_id)
    assert await blockers(api, order_id) == as_told()

    # Whoever asks for all of one kind gets only those; whoever names it is told why not.
    order = {"connection_id": connection_id, "upload_as": "purchase_order", "confirm_irreversible": True}
    if not on:
        a_problem(await api.post("/v1/source-orders/uploads", {**order, "which": {}}), 409, "UPLOAD_SWITCHED_OFF")
    asked: tuple[tuple[str, set[str], dict[str, Any]], ...] = (
        ("bill", lacks, {}),
        ("purchase_order", has_too_much, {"confirm_irreversible": True}),
    )
    for upload_as, problems, more in asked[: 2 if on else 1]:
        if not problems:
            continue
        assert (await upload(api, connection_id, as_=upload_as, **more))["outcomes"] == []
        (outcome,) = (await upload(api, connection_id, "PO-1", as_=upload_as, **more))["outcomes"]
        assert (outcome["outcome"], set(codes(outcome["problems"]))) == ("refused", problems)
    for upload_as, problems, more in asked[: 2 if on else 1]:
        if not problems:
            (outcome,) = (await upload(api, connection_id, as_=upload_as, **more))["outcomes"]
            assert (outcome["reference"], outcome["outcome"]) == ("PO-1", "uploading")


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
    billed = [
        {"reference": f"PO-{n}", "invoice_date": "2026-11-05", "invoice_number": f"I{n}-", **DISPATCHED}
        for n in range(4)
    ]
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


async def test_the_errors_are_tried_again_one_some_or_all(api: ApiClient, connection_id: str) -> None:
    """S3-16, 17, 19, 22, 23: those tried as bills and as orders are lists of their own; by reference, by code or all,
    what is still missing is told once more and never passed over in silence."""
    await link(api, connection_id)
    await send(
        api,
        connection_id,
        {"reference": "PO-1", "invoice_date": "2026-11-05", "invoice_number": "I1-"},
        {"reference": "PO-2", "contact": "Nobody", **BILLED, "invoice_number": "I2-"},
        {"reference": "PO-3", **DISPATCHED},
    )
    await upload(api, connection_id, "PO-1", "PO-2")
    await upload(api, connection_id, "PO-3", as_="purchase_order", confirm_irreversible=True)

    async def errors(**filters: str) -> list[str]:
        listed = (await api.get("/v1/source-orders", state="failed", **filters)).json()["items"]
        return sorted(one["reference"] for one in listed)

    assert await errors(upload_as="bill") == ["PO-1", "PO-2"]
    assert await errors(upload_as="bill", contact="Nobody") == ["PO-2"]
    assert await errors(upload_as="bill", problem="DISPATCH_DATE_MISSING") == ["PO-1"]
    assert await errors(upload_as="purchase_order") == ["PO-3"]

    async def again(as_: str = "bill", **which: Any) -> dict[str, Any]:
        body = {"connection_id": connection_id, "upload_as": as_, "confirm_irreversible": True, "which": which}
        answer = await api.as_("accountant").post("/v1/source-orders/uploads", body)
        assert answer.status_code == 200, answer.text
        return {one["reference"]: codes(one["problems"]) for one in answer.json()["outcomes"]}

    missing = {"PO-1": ["DISPATCH_DATE_MISSING"], "PO-2": ["CONTACT_NOT_LINKED"]}
    assert await again(state="failed") == missing
    assert await again(problem="DISPATCH_DATE_MISSING") == {"PO-1": ["DISPATCH_DATE_MISSING"]}
    assert await again("purchase_order", state="failed") == {"PO-3": ["DISPATCH_DATE_SET"]}
    await link(api, connection_id, "Nobody")
    assert await again(references=["PO-2"]) == {"PO-2": []}
    await send(api, connection_id, {"reference": "PO-1", **BILLED})
    assert await again(state="failed") == {"PO-1": []}


async def test_references_that_begin_alike(api: ApiClient, connection_id: str) -> None:
    """H05, S3-06: 21 characters are kept; the second is told, also within one request, and a person may let it
    through, with a reason."""
    await link(api, connection_id)
    same = {"invoice_date": "2026-11-05", "invoice_number": "INV-2026-000123", **DISPATCHED}
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
    assert (await blockers(api, order_id))["bill"] == ["UPLOAD_IN_DOUBT"], "the ERP may hold it"
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
