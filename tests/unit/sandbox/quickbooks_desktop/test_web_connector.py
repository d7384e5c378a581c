"""One update in the real Web Connector's call sequence: the good case, and each way it ends early."""

import asyncio
from typing import Any

import httpx
import pytest

from sandbox.quickbooks_desktop.computer import OTHER_PATH, PATH
from tests.harness.qbxml_schema import check_qbxml, parsed, soap_schema
from tests.unit.sandbox.quickbooks_desktop.pc import FILE, OWNER, QWC, Pc, bill_add, document, linked

PO_QUERY = (
    '<PurchaseOrderQueryRq requestID="po"><TxnID>{}</TxnID><IncludeLineItems>true</IncludeLineItems>'
    "<IncludeLinkedTxns>true</IncludeLinkedTxns></PurchaseOrderQueryRq>"
)


async def vendor_of(pc: Pc) -> str:
    vendor: str = next(row["record_no"] for row in await pc.held("vendors") if row["key"] == "V-1")
    return vendor


async def test_a_bill_goes_in_by_one_update_of_two_rounds(pc: Pc) -> None:
    order = await pc.order("PO-1", "10")
    await pc.add_application()
    look_up = "<BillQueryRq><RefNumber>INV-1</RefNumber></BillQueryRq>"
    add = bill_add(await vendor_of(pc), "INV-1", linked(order, Quantity="4"))
    pc.service.documents = [
        document(look_up, PO_QUERY.format(order["record_no"]), on_error="continueOnError"),
        document(add, PO_QUERY.format(order["record_no"]), newMessageSetID="set-1"),
    ]
    done = await pc.update()
    assert pc.service.methods == [
        "serverVersion",
        "clientVersion",
        "authenticate",
        "sendRequestXML",
        "receiveResponseXML",
        "sendRequestXML",
        "receiveResponseXML",
        "closeConnection",
    ]
    assert done["status"] == "OK"
    assert done["percent"] == [50, 100]
    looked_up, added = (parsed(text)[0] for text in pc.service.responses)
    assert looked_up[0].get("statusCode") == "1"
    assert looked_up[1].findtext(".//ReceivedQuantity") == "0"
    assert added.get("messageSetStatusCode") == "0"
    assert added[0].get("statusCode") == "0"
    assert added.find(".//BillRet/LinkedTxn") is None  # the answer of an Add does not show its links
    assert added.findtext(".//ReceivedQuantity") == "4"
    assert added.findtext(".//LinkedTxn/RefNumber") == "INV-1"
    assert (await pc.ledger())["payable", "V-1"] == "20"


async def test_the_first_call_says_who_the_company_is(pc: Pc) -> None:
    await pc.add_application()
    pc.service.documents = [document("<HostQueryRq/>"), document("<HostQueryRq/>")]
    await pc.update()
    sent = [arguments for method, arguments in pc.service.calls if method == "sendRequestXML"]
    assert [one["strHCPResponse"] != "" for one in sent] == [True, False]
    check_qbxml(sent[0]["strHCPResponse"])
    told = parsed(sent[0]["strHCPResponse"])
    assert told.findtext(".//CompanyRet/DataExtRet/DataExtValue") == FILE
    assert told.findtext(".//CompanyRet/DataExtRet/OwnerID") == OWNER
    assert told.findtext(".//EnhancedInventoryReceivingEnabled") == "false"
    assert sent[0]["strCompanyFileName"] == PATH
    assert (sent[0]["qbXMLCountry"], sent[0]["qbXMLMajorVers"]) == ("US", "16")


async def test_another_company_file_has_no_file_id(pc: Pc) -> None:
    await pc.add_application()
    await pc.does("open_company_file", path=OTHER_PATH)
    pc.service.documents = [document("<HostQueryRq/>")]
    await pc.update()
    told = parsed(pc.service.arguments_of("sendRequestXML")["strHCPResponse"])
    assert told.find(".//CompanyRet/DataExtRet") is None


@pytest.mark.parametrize(
    ("word", "status"),
    [("none", "No Data Exchange"), ("NVU", "Invalid password for username"), ("busy", "Application Busy")],
)
async def test_what_authenticate_may_say_instead_of_work(pc: Pc, word: str, status: str) -> None:
    await pc.add_application()
    pc.service.authenticated = ["ticket-1", word]
    done = await pc.update()
    assert done["status"] == status
    assert pc.service.methods[-2:] == ["authenticate", "closeConnection"]


async def test_no_op_is_a_pause(pc: Pc) -> None:
    await pc.add_application()
    await pc.switch(noop_seconds=0.0)
    waits = iter(["NoOp", "NoOp", ""])
    said: list[str] = ["", "", document("<HostQueryRq/>")]
    pc.service.answers["sendRequestXML"] = lambda arguments: said.pop(0)
    pc.service.answers["getLastError"] = lambda arguments: next(waits)
    done = await pc.update()
    assert done["noops"] == 2
    assert done["rounds"] == 1
    assert done["status"] == "OK"


async def test_nothing_to_send_ends_with_the_last_error(pc: Pc) -> None:
    await pc.add_application()
    pc.service.answers["getLastError"] = lambda arguments: "This is the wrong company file."
    done = await pc.update()
    assert done["status"] == "This is the wrong company file."
    assert pc.service.methods[-3:] == ["sendRequestXML", "getLastError", "closeConnection"]


async def test_a_negative_answer_ends_with_the_last_error(pc: Pc) -> None:
    await pc.add_application()
    pc.service.documents = [document("<HostQueryRq/>")]
    pc.service.answers["receiveResponseXML"] = lambda arguments: "-101"
    done = await pc.update()
    assert done["percent"] == [-101]
    assert pc.service.methods[-3:] == ["receiveResponseXML", "getLastError", "closeConnection"]


async def test_what_quickbooks_cannot_parse_comes_back_as_an_hresult(pc: Pc) -> None:
    await pc.add_application()
    pc.service.documents = ["<QBXML>", document("<HostQueryRq/>")]
    await pc.update()
    first = next(arguments for method, arguments in pc.service.calls if method == "receiveResponseXML")
    assert first["response"] == ""
    assert first["hresult"] == "0x80040400"
    assert first["message"].startswith("QuickBooks found an error when parsing")


@pytest.mark.parametrize(
    ("action", "arguments", "hresult"),
    [
        ("show_dialog", {}, "0x80040414"),
        ("close_quickbooks", {}, "0x80040416"),
        ("set_permission", {"allowed": False}, "0x8004041A"),
    ],
)
async def test_quickbooks_that_cannot_be_opened(pc: Pc, action: str, arguments: dict[str, Any], hresult: str) -> None:
    await pc.add_application()
    await pc.does(action, **arguments)
    await pc.update()
    assert pc.service.arguments_of("connectionError")["hresult"] == hresult
    assert pc.service.methods[-2:] == ["connectionError", "closeConnection"]


async def test_the_service_may_name_another_file_to_try(pc: Pc) -> None:
    await pc.add_application()
    await pc.does("open_company_file", path=OTHER_PATH)
    pc.service.authenticated = ["ticket-1", PATH]
    pc.service.answers["connectionError"] = lambda arguments: ""
    pc.service.documents = [document("<HostQueryRq/>")]
    done = await pc.update()
    assert pc.service.arguments_of("connectionError")["hresult"] == "0x8004040A"
    assert pc.service.arguments_of("sendRequestXML")["strCompanyFileName"] == OTHER_PATH
    assert done["status"] == "OK"


async def test_a_service_that_names_files_for_ever_is_left(pc: Pc) -> None:
    await pc.add_application()
    await pc.does("show_dialog")
    pc.service.answers["connectionError"] = lambda arguments: PATH
    await pc.update()
    assert pc.service.methods.count("connectionError") == 5
    assert pc.service.methods[-1] == "closeConnection"


@pytest.mark.parametrize("told", ["E:too old", "W:old", "O:2.3", ""])
async def test_client_version_may_stop_the_update(pc: Pc, told: str) -> None:
    await pc.add_application()
    pc.service.answers["clientVersion"] = lambda arguments: told
    await pc.update()
    assert ("authenticate" in pc.service.methods) == (told != "E:too old")


async def test_strings_of_another_namespace_are_no_answer(pc: Pc) -> None:
    await pc.add_application()
    pc.service.authenticated = []
    done = await pc.update()
    assert "QBWC1012" in done["status"]
    assert pc.service.methods[-1] == "authenticate"


# --- the answer is lost, the program dies ----------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "bills"), [("lost_answer", 1), ("lost_request", 0)])
async def test_a_lost_answer_may_have_been_done(pc: Pc, kind: str, bills: int) -> None:
    order = await pc.order("PO-1", "10")
    await pc.add_application()
    add = bill_add(await vendor_of(pc), "INV-1", linked(order, Quantity="4"))
    pc.service.documents = [document(add, newMessageSetID="set-1")]
    await pc.breaks(kind, "BillAdd")
    done = await pc.update()
    assert done["killed"]
    assert pc.service.methods[-1] == "sendRequestXML"
    assert len(await pc.held("bills")) == bills
    # The next session asks what became of the set before anything else.
    check = document(newMessageSetID="set-1", oldMessageSetID="set-1")
    pc.service.documents = [check]
    await pc.update()
    told = parsed(pc.service.responses[-1])[0]
    assert told.get("messageSetStatusCode") == ("0" if bills else "600")
    assert len(told) == bills


@pytest.mark.parametrize(
    "method",
    ["serverVersion", "clientVersion", "authenticate", "sendRequestXML", "receiveResponseXML", "closeConnection"],
)
@pytest.mark.parametrize("kind", ["killed_before", "killed_after"])
async def test_it_can_die_at_every_step(pc: Pc, method: str, kind: str) -> None:
    await pc.add_application()
    pc.service.documents = [document("<HostQueryRq/>")]
    await pc.breaks(kind, method)
    done = await pc.update()
    assert done["killed"]
    assert method in pc.service.methods or kind == "killed_before"
    assert pc.service.methods[-1:] == ([method] if kind == "killed_after" else pc.service.methods[-1:])
    assert (pc.service.methods.count(method) == 0) == (kind == "killed_before")


async def test_a_pc_that_is_switched_off_makes_no_further_call(pc: Pc) -> None:
    await pc.add_application()
    pc.service.documents = [document("<HostQueryRq/>")] * 3

    def switch_off(arguments: dict[str, str]) -> str:
        pc.computer.powered = False
        return "50"

    pc.service.answers["receiveResponseXML"] = switch_off
    done = await pc.update()
    assert done["status"] == "The PC was switched off"
    assert pc.service.methods[-1] == "receiveResponseXML"


async def test_a_call_may_come_twice(pc: Pc) -> None:
    await pc.add_application()
    pc.service.documents = [document("<HostQueryRq/>")]
    await pc.breaks("repeated_call", "receiveResponseXML")
    await pc.update()
    assert pc.service.methods.count("receiveResponseXML") == 2


async def test_a_call_may_come_after_the_end_or_with_another_ticket(pc: Pc) -> None:
    await pc.add_application()
    pc.service.documents = [document("<HostQueryRq/>")]
    await pc.breaks("late_call", "receiveResponseXML")
    await pc.breaks("other_ticket", "receiveResponseXML")
    await pc.update()
    assert pc.service.methods[-2:] == ["closeConnection", "receiveResponseXML"]
    tickets = [arguments["ticket"] for method, arguments in pc.service.calls if method == "receiveResponseXML"]
    assert tickets == ["nobody", "ticket-1"]


# --- dialects --------------------------------------------------------------------------------------------------------


async def test_rpc_style_has_prefixed_calls_and_unqualified_parameters(pc: Pc) -> None:
    pc.service.rpc = True
    await pc.add_application(style="RPC")
    pc.service.documents = [document("<HostQueryRq/>")]
    done = await pc.update()
    assert done["status"] == "OK"
    assert pc.service.arguments_of("authenticate") == {"strUserName": "acme-main", "strPassword": "s3cret"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "none"])
async def test_the_declaration_inside_may_name_another_encoding(pc: Pc, encoding: str) -> None:
    await pc.add_application()
    await pc.switch(inner_encoding=encoding)
    pc.service.documents = [document("<HostQueryRq/>")]
    await pc.update()
    assert pc.service.responses[0].startswith("<QBXML>" if encoding == "none" else "<?xml")
    assert parsed(pc.service.responses[0])[0][0].get("statusCode") == "0"


# --- the schedule ----------------------------------------------------------------------------------------------------


async def test_auto_run_polls_until_it_is_stopped(pc: Pc) -> None:
    await pc.add_application()
    await pc.switch(run_every_seconds=0.02)
    pc.service.authenticated = ["ticket-1", "none"]
    await pc.does("start_auto_run")
    while pc.service.methods.count("authenticate") < 3:
        await pc.http.get("/sandbox/health")
        await asyncio.sleep(0.01)
    await pc.does("stop_auto_run")
    assert not pc.computer.automatic


async def test_postponements_hold_for_automatic_updates_alone(pc: Pc) -> None:
    await pc.add_application()
    pc.service.authenticated = ["ticket-1", "", "3600", "120"]
    pc.service.documents = [document("<HostQueryRq/>")]
    assert (await pc.update())["rounds"] == 1
    done = await pc.computer.run_update(automatic=True)
    assert done.status == "Update postponed by application"
    [application] = await pc.held("applications")
    assert application["postponed_until"] is not None
    assert application["interval_seconds"] == 900.0


# --- the .qwc file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("http://localhost:8000/qbwc", "http://sync.example.com/qbwc", "QBWC1001"),
        ("http://localhost:8000/qbwc", "https://10.0.0.7/qbwc", "QBWC1002"),
        ("http://localhost:8000/qbwc", "https://sync.example.com/qbwc", "QBWC1000"),
        (OWNER, "6f1c7b52", "QBWC1039"),
        ("<QBType>QBFS</QBType>", "", "QBWC1039"),
        ("Document", "Polite", "QBWC1039"),
    ],
)
async def test_a_qwc_file_that_is_not_taken(pc: Pc, before: str, after: str, code: str) -> None:

    text = QWC.format(owner=OWNER, file=FILE, style="Document", read_only="false").replace(before, after)
    target = "/sandbox/companies/quickbooks_desktop/actions"
    answer = await pc.http.post(target, json={"action": "add_application", "qwc": text, "password": "x"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(code)


@pytest.mark.parametrize(("code", "support"), [("", 200), ("QBWC1004", 404), ("", 202)])
async def test_the_pages_of_a_service_may_be_checked(pc: Pc, code: str, support: int) -> None:
    answers = {"/qbwc": 200, "/support": support}
    pc.computer.transport = httpx.MockTransport(lambda request: httpx.Response(answers[request.url.path]))
    await pc.switch(pages_checked=True)
    text = QWC.format(owner=OWNER, file=FILE, style="Document", read_only="false")
    target = "/sandbox/companies/quickbooks_desktop/actions"
    answer = await pc.http.post(target, json={"action": "add_application", "qwc": text, "password": "x"})
    assert answer.status_code == (400 if code else 200)
    assert not code or answer.json()["error"].startswith(code)


async def test_every_body_holds_against_the_vendors_wsdl(pc: Pc) -> None:
    await pc.add_application()
    pc.service.documents = [document("<HostQueryRq/>")]
    await pc.update()
    assert pc.service.checked == (12 if soap_schema() is not None else 0)
