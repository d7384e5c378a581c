"""The envelope: what is checked in which order, what is echoed, where a failure shows (reference 1, checklist 1-4)."""

import socket

import pytest

from tests.unit.sandbox.wire import Wire, control, invoice, is_, login, query

APPS = "<get_applications/>"


async def test_only_the_gateway_path_is_answered(wire: Wire) -> None:
    assert (await wire.http.post("/ia/xml/other.phtml", content="<request/>")).status_code == 404


@pytest.mark.parametrize("body", ["not xml", "<request>", "<other/>"])
async def test_what_does_not_parse_or_follow_the_schema_is_not_executed(wire: Wire, body: str) -> None:
    answer = await wire.post(body)
    assert answer.status_code == 200
    assert "<errorno>XL03000003</errorno>" in answer.text
    assert "<operation>" not in answer.text


async def test_a_doctype_with_an_external_entity_stays_untouched(wire: Wire) -> None:
    body = (
        '<!DOCTYPE request [<!ENTITY secret SYSTEM "file:///etc/hostname">]><request>'
        f"{control().replace('t 1', 't &secret;')}<operation><authentication>{login()}</authentication><content>"
        f'<function controlid="1">{APPS}</function></content></operation></request>'
    )
    answer = await wire.post(body)
    assert "success" in answer.text or "XL03000003" in answer.text
    assert f"t {socket.gethostname()}" not in answer.text


async def test_old_doctypes_and_the_old_content_type_are_accepted(wire: Wire) -> None:
    body = (
        f'<!DOCTYPE request SYSTEM "intacct_request.v2.1.dtd"><request>{control()}<operation><authentication>{login()}'
        f'</authentication><content><function controlid="1">{APPS}</function></content></operation></request>'
    )
    answer = await wire.post(body, **{"content-type": "x-intacct-xml-request"})
    assert "<application>PO</application>" in answer.text


async def test_control_fields_function_names_and_control_ids_come_back(wire: Wire) -> None:
    reply = await wire.ask(APPS, query("VENDOR", "RECORDNO"), ids={0: "po:6f1c create", 1: "2"})
    assert reply.http.headers["content-type"].startswith("text/xml")
    assert reply.text("control/status") == "success"
    assert reply.text("control/senderid") == "posync"
    assert reply.text("control/controlid") == "t 1"
    assert reply.text("control/uniqueid") == "false"
    assert reply.text("control/dtdversion") == "3.0"
    assert [result.findtext("function") for result in reply.results] == ["get_applications", "query"]
    assert [result.findtext("controlid") for result in reply.results] == ["po:6f1c create", "2"]
    authentication = reply.root.find("operation/authentication")
    assert authentication is not None
    assert authentication.findtext("userid") == "xml_gateway"
    assert authentication.findtext("companyid") == "ACME"
    assert (authentication.findtext("sessiontimeout") or "").endswith("+00:00")


async def test_uniqueid_absent_means_true(wire: Wire) -> None:
    reply = await wire.ask(APPS, head=control(unique=""))
    assert reply.text("control/uniqueid") == "true"


async def test_an_empty_sender_is_a_400(wire: Wire) -> None:
    reply = await wire.ask(APPS, head=control(sender=""))
    assert reply.http.status_code == 400
    assert reply.errors == ["GW-0011"]


async def test_a_sender_the_company_did_not_authorise_fails_at_sign_in(wire: Wire) -> None:
    reply = await wire.ask(APPS, head=control(sender="unlisted"))
    assert reply.errors == ["XL03000006"]
    assert "Invalid Web Services Authorization" in reply.reasons
    assert reply.text("control/status") == "success"


async def test_an_unknown_transport_policy_is_refused(wire: Wire) -> None:
    head = control().replace("<includewhitespace>", "<policyid>p</policyid><includewhitespace>")
    assert (await wire.ask(APPS, head=head)).errors == ["XL03000006"]


@pytest.mark.parametrize(
    "auth",
    [
        login(user_password="wrong"),
        login(company="OTHER"),
        login("999"),
        "<sessionid>made-up</sessionid>",
    ],
)
async def test_a_failed_sign_in_has_no_result(wire: Wire, auth: str) -> None:
    reply = await wire.ask(APPS, auth=auth)
    assert reply.http.status_code == 200
    assert reply.text("control/status") == "success"
    assert reply.text("operation/authentication/status") == "failure"
    assert reply.root.findtext("operation/errormessage/error/errorno") == "XL03000006"
    assert reply.results == []


@pytest.mark.parametrize("company", ["ACME|100", "CONSOLE|ACME|100"])
async def test_the_entity_may_stand_behind_the_company(wire: Wire, company: str) -> None:
    reply = await wire.ask(APPS, auth=login(None, company=company))
    assert reply.text("operation/authentication/locationid") == "100"


@pytest.mark.parametrize(
    "function",
    [
        "<no_such_function/>",
        "<query><object>VENDOR</object><sort/></query>",
        invoice(None, {1: "1"}).replace("<transactiontype>Vendor Invoice</transactiontype>", ""),
        invoice(None, {1: "1"}).replace("<payto><contactname/></payto>", ""),
        invoice(None, {1: "1"}).replace("<quantity>1</quantity><unit>Each</unit>", "<unit>Each</unit>"),
        invoice(None, {1: "1"}).replace(
            "<quantity>1</quantity><unit>Each</unit>", "<unit>Each</unit><quantity>1</quantity>"
        ),
        invoice(None, {1: "1"}).replace("<currency>USD</currency>", ""),
        invoice(None, {}),
        "<update_potransaction key='x'><state>Closed</state><message>late</message></update_potransaction>",
        "<create_bill><datecreated><year>2026</year><month>1</month><day>1</day></datecreated><vendorid>V</vendorid>"
        "<termname>Net 30</termname><billitems/></create_bill>",
    ],
)
async def test_wrong_order_or_unknown_elements_of_legacy_functions_stop_the_whole_request(
    wire: Wire, function: str
) -> None:
    reply = await wire.ask(APPS, function)
    assert reply.errors == ["XL03000003"]
    assert reply.text("control/status") == "failure"
    assert reply.root.find("operation") is None


async def test_the_schema_is_checked_before_the_sender_and_the_sender_before_the_sign_in(wire: Wire) -> None:
    nobody = control().replace("sandbox-sender", "nope")
    assert (await wire.ask("<no_such_function/>", auth=login("999"), head=nobody)).errors == ["XL03000003"]
    refused = await wire.ask(APPS, auth=login("999"), head=nobody)
    assert refused.reasons.startswith("Incorrect Intacct XML Partner ID")
    assert (await wire.ask("<readMore/>", auth=login("999"))).errors == ["XL03000006"]


async def test_generic_functions_take_their_children_in_any_order(wire: Wire) -> None:
    reply = await wire.ask(
        "<query><pagesize>5</pagesize><select><field>RECORDNO</field></select><object>VENDOR</object></query>"
    )
    assert reply.status == "success"


async def test_getapisession_must_be_alone(wire: Wire) -> None:
    assert (await wire.ask("<getAPISession/>", APPS)).errors == ["XL03000003"]


async def test_a_failing_function_leaves_the_others_alone_without_transaction(wire: Wire) -> None:
    reply = await wire.ask("<readMore><resultId>gone</resultId></readMore>", APPS)
    assert [result.findtext("status") for result in reply.results] == ["failure", "success"]


async def test_errors_carry_a_support_id_and_on_wish_machine_readable_ids(wire: Wire) -> None:
    more = "<showadditionalerrorinfo>true</showadditionalerrorinfo>"
    bad = query("VENDOR", "NOSUCH")
    plain, rich = await wire.ask(bad), await wire.ask(bad, head=control(more=more))
    assert "[Support ID: " in plain.reasons
    assert plain.root.find(".//additionalinfo") is None
    assert rich.root.findtext(".//additionalinfo/errorid") == "XL03000006"


async def test_special_characters_survive_both_ways(wire: Wire) -> None:
    await wire.ask("<create><VENDOR><VENDORID>V&amp;1</VENDORID><NAME>A &lt;B&gt; &amp; Söhne</NAME></VENDOR></create>")
    reply = await wire.ask(query("VENDOR", "VENDORID NAME", is_("VENDORID", "V&amp;1")))
    assert reply.rows == [{"VENDORID": "V&1", "NAME": "A <B> & Söhne"}]
