"""Orders of another system, through the whole product: billed ones to bills, unbilled ones to orders (S3)."""

from typing import Any

import pytest

from tests.harness.quickbooks_company import connect
from tests.harness.stack_client import StackClient, refused
from tests.harness.variants import first_of

ORDER = {"contact": "Vendor One Inc.", "ordered_on": "2026-11-02"}
DISPATCHED = {"dispatch_date": "2026-11-04"}
LINES = [
    {"item": "ITEM-1", "quantity": "4", "price": "12.50"},
    {"account": "6400", "description": "Freight", "amount": "15"},
    {"description": "No account named", "amount": "5.25"},
]


async def send(api: StackClient, reference: str, **fields: Any) -> Any:
    order = {**ORDER, "lines": LINES, "reference": reference, **fields}
    answer = await api.post("/v1/source-orders", {"connection_id": api.connection_id, "orders": [order]})
    assert answer.status_code == 200, answer.text
    return answer.json()["orders"][0]["order"]


async def upload(api: StackClient, as_: str, *references: str, **more: Any) -> list[Any]:
    which = {"references": list(references)} if references else {}
    body = {"connection_id": api.connection_id, "upload_as": as_, "which": which, **more}
    answer = await api.post("/v1/source-orders/uploads", body)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["outcomes"])


async def ended(api: StackClient, order_id: str) -> Any:
    async def there() -> Any:
        order = await api.get(f"/v1/source-orders/{order_id}")
        return order if order["upload_state"] in ("uploaded", "failed") else None

    return await api.until(there, "the upload's end")


def codes(problems: list[Any]) -> set[str]:
    return {one["code"] for one in problems}


async def test_billed_orders_become_bills_and_unbilled_ones_orders(api: StackClient) -> None:
    """S3-01..15, 20, 21, 23: linked by a person, each once, and the one way rules out the other."""
    company = api.company
    company.order("PO-1")  # a vendor and an item, as the company has them
    company.load(accounts=[{"account_no": "6400", "name": "Freight in", "type": "expense"}])
    await connect(api, default_expense_account="6400", upload_purchase_orders="true")
    billed = await send(
        api,
        "PO-100045-A",
        invoice_date="2026-11-05",
        invoice_number="INV-2026-000123",
        due_date="2026-12-05",
        **DISPATCHED,
    )
    assert (billed["accounting_status"], billed["billing"]) == ("not_imported", "billed")

    # The contact is a person's to link (S3-15).
    (outcome,) = await upload(api, "bill", "PO-100045-A")
    assert (outcome["outcome"], codes(outcome["problems"])) == ("refused", {"CONTACT_NOT_LINKED"})
    contacts = f"/v1/connections/{api.connection_id}/contacts"
    (suggested,) = (await api.get(f"{contacts}/suggestions", contact="Vendor One Inc."))["vendors"]
    assert suggested["score"] == 1.0
    linked = await api.post(contacts, {"contact": "Vendor One Inc.", "vendor_id": suggested["vendor_id"]})
    assert linked.status_code == 200, linked.text

    (outcome,) = await upload(api, "bill", "PO-100045-A")
    assert (outcome["outcome"], outcome["document_number"]) == ("uploading", "INV-2026-000123PO-100")
    done = await ended(api, billed["id"])
    assert (done["upload_state"], done["accounting_status"], done["problems"]) == ("uploaded", "imported", [])
    bill = company.one("bills", number="INV-2026-000123PO-100")
    assert (bill["total"], bill["date"], bill["due_date"]) == ("70.25", "2026-11-05", "2026-12-05")
    assert [line["account"] for line in bill["lines"]] == [None, "6400", "6400"]
    assert "INV-2026-000123PO-100045-A" in bill["memo"]

    # The same first 21 characters are told before anything is sent; an imported order is not sent again (H05, S3-11).
    await send(api, "PO-100046-A", invoice_date="2026-11-05", invoice_number="INV-2026-000123", **DISPATCHED)
    refusals = await upload(api, "bill", "PO-100046-A", "PO-100045-A")
    by_reference = {one["reference"]: codes(one["problems"]) for one in refusals}
    assert by_reference == {"PO-100046-A": {"REFERENCE_TAKEN"}, "PO-100045-A": {"IMPORTED_ALREADY"}}

    # An unbilled order becomes an order of QuickBooks, once it is confirmed that this is for good.
    unbilled = await send(api, "PO-7")
    body = {"connection_id": api.connection_id, "upload_as": "purchase_order", "which": {}}
    refused(await api.post("/v1/source-orders/uploads", body), 409, "CONFIRMATION_NEEDED")
    (outcome,) = await upload(api, "purchase_order", confirm_irreversible=True)  # all that are unbilled
    assert (outcome["reference"], outcome["outcome"]) == ("PO-7", "uploading")
    assert (await ended(api, unbilled["id"]))["upload_state"] == "uploaded"
    assert company.one("purchase_orders", number="PO-7")["total"] == "70.25"

    # Its bill cannot be uploaded any more; what comes back is recognised, and can be billed here.
    await send(api, "PO-7", invoice_date="2026-11-08", invoice_number="INV-9", dispatch_date="2026-11-07")
    (outcome,) = await upload(api, "bill", "PO-7")
    assert codes(outcome["problems"]) == {"UPLOADED_AS_ORDER"}
    assert "by hand" in outcome["problems"][0]["message"]
    assert "a bill against the mirrored purchase order" in outcome["problems"][0]["message"]
    company.pass_time(2)
    await api.sync()
    shown = await api.get(f"/v1/source-orders/{unbilled['id']}")
    assert shown["mirrored_id"] == (await api.order("PO-7"))["id"]
    assert len(company.held("purchase_orders")) == 2
    arrived = await api.billed("PO-7", {1: "4"})
    assert arrived["status"] == "synced"

    # The bill of the import is mirrored too, and is no order's.
    mirrored = (await api.get(f"/v1/source-orders/{billed['id']}"))["mirrored_id"]
    assert (await api.read_bill(mirrored))["origin"] == "erp"

    # Reset by a person, with a reason: the reference is free once the earlier bill is gone (S3-08, S3-11).
    reset = await api.post(f"/v1/source-orders/{billed['id']}/reset", {"reason": "wrong class"}, role="accountant")
    assert reset.json()["accounting_status"] == "reset_for_reimport"
    (outcome,) = await upload(api, "bill", "PO-100045-A")
    assert codes(outcome["problems"]) == {"REFERENCE_TAKEN"}
    company.does("delete", kind="bill", number="INV-2026-000123PO-100")
    await api.sync()
    (outcome,) = await upload(api, "bill", "PO-100045-A")
    assert outcome["outcome"] == "uploading", outcome
    assert (await ended(api, billed["id"]))["accounting_status"] == "imported"
    assert len(company.held("bills")) == 2


async def test_a_lost_answer_and_a_refusal(api: StackClient) -> None:
    """S3-18, 19, 23: a lost answer makes no second document; a refused order is listed, corrected and uploaded, and the
    others go on."""
    company = api.company
    company.order("PO-1")
    await connect(api, default_expense_account="1000")
    vendor = (await api.items(f"/v1/connections/{api.connection_id}/lists/vendor"))[0]["erp_id"]
    contacts = f"/v1/connections/{api.connection_id}/contacts"
    await api.post(contacts, {"contact": "Vendor One Inc.", "vendor_id": vendor})
    lines = [{"item": "ITEM-1", "quantity": "1", "price": "10"}]
    orders = {
        name: await send(api, name, invoice_date="2026-11-05", invoice_number=f"N-{name}-", lines=lines, **DISPATCHED)
        for name in ("A", "B")
    }
    company.breaks("lost_answer", "create", object="Bill")
    assert [one["outcome"] for one in await upload(api, "bill", "A")] == ["uploading"]
    assert (await ended(api, orders["A"]["id"]))["upload_state"] == "uploaded"
    assert company.fired("lost_answer") == 1
    assert len(company.held("bills")) == 1
    company.breaks("refused", "create", object="Bill", errorno="6200")
    await upload(api, "bill", "B")
    failed = await ended(api, orders["B"]["id"])
    assert (failed["upload_state"], codes(failed["problems"])) == ("failed", {"PERIOD_CLOSED"})
    listed = await api.items("/v1/source-orders", state="failed", problem="PERIOD_CLOSED")
    assert [one["reference"] for one in listed] == ["B"]
    company.mend()
    body = {"connection_id": api.connection_id, "upload_as": "bill", "which": {"state": "failed"}}
    assert (await api.post("/v1/source-orders/uploads", body)).json()["uploading"] == 1
    assert (await ended(api, orders["B"]["id"]))["upload_state"] == "uploaded"
    assert len(company.held("bills")) == 2


@pytest.mark.parametrize("lost", first_of("lost_answer", "lost_request"))
async def test_an_order_that_is_billed_while_its_upload_is_in_doubt_has_a_way_out(api: StackClient, lost: str) -> None:
    """S3-14: a retry asks QuickBooks for what was sent, whatever the order is by now. There: it is an order for good;
    not there: it is free, and its bill goes up. Nothing is made twice."""
    company = api.company
    company.order("PO-1")
    await connect(api, default_expense_account="1000", upload_purchase_orders="true")
    vendor = (await api.items(f"/v1/connections/{api.connection_id}/lists/vendor"))[0]["erp_id"]
    contacts = f"/v1/connections/{api.connection_id}/contacts"
    await api.post(contacts, {"contact": "Vendor One Inc.", "vendor_id": vendor})
    lines = [{"item": "ITEM-1", "quantity": "1", "price": "10"}]
    sent = await send(api, "PO-7", lines=lines)
    company.breaks(lost, "create", object="PurchaseOrder")
    company.breaks("unknown_error", "query", times=None, after=1, object="PurchaseOrder")  # the look-up after the write
    await upload(api, "purchase_order", "PO-7", confirm_irreversible=True)
    issue = await api.issue("LOOK_UP_REFUSED")
    assert company.fired(lost) == 1

    billed = {"invoice_date": "2026-11-08", "invoice_number": "INV-9-", **DISPATCHED}
    await send(api, "PO-7", lines=lines, **billed)
    for as_ in ("bill", "purchase_order"):  # a refusal changes nothing of what it was sent as
        (outcome,) = await upload(api, as_, "PO-7", confirm_irreversible=True)
        (told,) = [one for one in outcome["problems"] if one["code"] == "UPLOAD_IN_DOUBT"]
        assert "as purchase order PO-7" in told["message"]
        assert "Retry its sync issue" in told["message"]
    abandon = await api.post(f"/v1/sync-issues/{issue['id']}/abandon", {"why": "no"}, role="accountant")
    refused(abandon, 409, "WRITE_IN_DOUBT")

    company.mend()
    await api.settle(issue, "retry")

    async def looked_up() -> Any:
        order = await api.get(f"/v1/source-orders/{sent['id']}")
        return order if order["upload_state"] != "uploading" else None

    order = await api.until(looked_up, "the look-up's end")
    assert await api.issues() == []
    (outcome,) = await upload(api, "bill", "PO-7")
    if lost == "lost_answer":
        assert (order["upload_state"], order["upload_as"]) == ("uploaded", "purchase_order")
        assert order["changed_since_upload"] is True
        assert codes(outcome["problems"]) == {"UPLOADED_AS_ORDER"}
    else:
        assert (order["upload_state"], order["blockers"]["bill"]) == ("none", [])
        assert outcome["outcome"] == "uploading", outcome
        assert (await ended(api, sent["id"]))["upload_state"] == "uploaded"
    numbers = [one["number"] for kind in ("purchase_orders", "bills") for one in company.held(kind)]
    assert numbers == ["PO-1", "PO-7" if lost == "lost_answer" else "INV-9-PO-7"]


async def test_a_copied_note_in_the_memo_is_only_text(api: StackClient) -> None:
    """A person pastes the private note of another document, our key in it: no conflict, and each document stays the one
    that it is, also when its answer is lost."""
    company = api.company
    company.order("PO-1")
    await connect(api, default_expense_account="1000")
    first = await api.billed("PO-1", {1: "2"}, number="INV-1")
    note = company.one("bills", number="INV-1")["memo"]
    assert "[posync " in note
    company.breaks("lost_answer", "create", object="Bill")
    second = await api.billed("PO-1", {1: "2"}, number="INV-2", memo=f"see {note} there")
    assert company.fired("lost_answer") == 1
    company.pass_time(2)
    await api.sync()
    assert await api.issues() == []
    for bill in (first, second):
        assert (await api.read_bill(bill["id"]))["status"] == "synced"
    assert [one["number"] for one in company.held("bills")] == ["INV-1", "INV-2"]
