"""Faults on demand in the company file: by request, with its statuses and HRESULTs (docs/reference/)."""

import pytest

from sandbox.quickbooks_desktop.errors import HResult
from tests.unit.sandbox.quickbooks_desktop.pc import Pc, bill_add, document, linked

ADD = "<VendorAddRq><VendorAdd><Name>{}</Name></VendorAdd></VendorAddRq>"


@pytest.mark.parametrize(
    ("kind", "code"),
    [("permission_denied", "3260"), ("throttled", "3175"), ("offline", "1010"), ("unknown_error", "8642")],
)
async def test_a_request_is_refused_by_its_status(pc: Pc, kind: str, code: str) -> None:
    await pc.breaks(kind, "VendorAdd")
    assert pc.ask(ADD.format("A")).get("statusCode") == code
    assert await pc.held("vendors") == []
    assert pc.ask(ADD.format("A")).get("statusCode") == "0"


async def test_any_status_can_be_asked_for(pc: Pc) -> None:
    await pc.breaks("refused", "writes", errorno="3176", message="Somebody has it.")
    assert pc.ask("<VendorQueryRq/>").get("statusCode") == "1"
    answer = pc.ask(ADD.format("A"))
    assert (answer.get("statusCode"), answer.get("statusMessage")) == ("3176", "Somebody has it.")


@pytest.mark.parametrize("kind", ["error_after_commit", "gateway_timeout"])
async def test_an_error_after_the_work_is_an_hresult(pc: Pc, kind: str) -> None:
    await pc.breaks(kind, "VendorAdd")
    with pytest.raises(HResult) as caught:
        pc.ask(ADD.format("A"))
    assert caught.value.code == "0x80040402"
    assert len(await pc.held("vendors")) == 1


@pytest.mark.parametrize("kind", ["truncated", "malformed", "empty_answer"])
async def test_a_spoiled_answer_hides_work_that_is_done(pc: Pc, kind: str) -> None:
    await pc.breaks(kind, "VendorAdd")
    text = pc.session.process(document(ADD.format("A")))
    assert not text.endswith("</QBXML>")
    assert len(await pc.held("vendors")) == 1


async def test_a_write_may_be_answered_without_its_object(pc: Pc) -> None:
    await pc.breaks("status_missing", "VendorAdd")
    answer = pc.ask(ADD.format("A"))
    assert (answer.get("statusCode"), len(answer)) == ("0", 0)


async def test_objects_of_an_answer_are_tampered_with(pc: Pc) -> None:
    for name in ("A", "B"):
        pc.ask(ADD.format(name))
    asked = "<VendorQueryRq/>"
    second = (await pc.held("vendors"))[1]["record_no"]
    await pc.breaks("duplicate_row", "VendorQuery", object="Vendor", record=second)
    assert [one.findtext("Name") for one in pc.ask(asked)] == ["A", "B", "B"]
    await pc.breaks("short_page", "reads")
    assert [one.findtext("Name") for one in pc.ask(asked)] == ["A"]
    await pc.breaks("missing_field", "VendorQuery")
    assert [one.findtext("Name") for one in pc.ask(asked)] == [None, "B"]
    await pc.breaks("unknown_state", "VendorQuery", record=second)
    text = pc.session.process(document(asked))
    assert text.count("<IsActive>hibernating</IsActive>") == 1
    await pc.breaks("unknown_element", "VendorQuery")
    assert "<BrandNewElement>" in pc.session.process(document(asked))


async def test_a_row_moves_between_two_pages(pc: Pc) -> None:
    await pc.order("PO-1", "1")
    before = (await pc.one("purchase_orders", "PO-1"))["edit_sequence"]
    await pc.breaks("row_moved", "PurchaseOrderQuery")
    pc.ask("<PurchaseOrderQueryRq/>")
    assert (await pc.one("purchase_orders", "PO-1"))["edit_sequence"] != before


async def test_a_link_is_dropped(pc: Pc) -> None:

    order = await pc.order("PO-1", "10")
    await pc.breaks("link_dropped", "BillAdd")
    [vendor] = await pc.held("vendors")
    answer = pc.ask(bill_add(vendor["record_no"], "INV-1", linked(order, Quantity="4")))
    assert answer.get("statusCode") == "530"
    assert (await pc.one("purchase_orders", "PO-1"))["linked"] == []


@pytest.mark.parametrize(("kind", "hresult"), [("unavailable", "0x80040401"), ("session_expired", "0x8004040D")])
async def test_quickbooks_goes_away_between_two_calls(pc: Pc, kind: str, hresult: str) -> None:
    await pc.add_application()
    await pc.breaks(kind, "VendorAdd")
    pc.service.documents = [document(ADD.format("A"))]
    await pc.update()
    assert pc.service.arguments_of("receiveResponseXML")["hresult"] == hresult
    assert await pc.held("vendors") == []


async def test_a_page_of_html_comes_back(pc: Pc) -> None:
    await pc.add_application()
    await pc.breaks("html_error", "VendorAdd")
    pc.service.documents = [document(ADD.format("A"))]
    await pc.update()
    assert pc.service.responses[0].startswith("<html>")
    assert await pc.held("vendors") == []


async def test_quickbooks_cannot_be_started(pc: Pc) -> None:
    await pc.add_application()
    await pc.breaks("unavailable")
    await pc.update()
    assert pc.service.arguments_of("connectionError")["hresult"] == "0x80040408"


async def test_faults_of_this_erp_alone_are_refused_for_others(pc: Pc) -> None:
    answer = await pc.http.post("/sandbox/faults", json={"rules": [{"kind": "killed_before", "erp": "intacct"}]})
    assert answer.status_code == 400


async def test_requests_and_calls_are_counted(pc: Pc) -> None:
    await pc.add_application()
    pc.service.documents = [document(ADD.format("A"), "<VendorQueryRq/>")]
    await pc.update()
    counted = (await pc.http.get("/sandbox/calls")).json()
    assert counted["by_operation"] == {"VendorAdd": 1, "VendorQuery": 1}
    assert counted["requests"] == 6
