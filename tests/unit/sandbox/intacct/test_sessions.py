"""Sessions: the returned endpoint, sliding expiry, entity levels (reference 1.5, 7.1, checklist 4)."""

from tests.unit.sandbox.wire import Wire, is_, login, query

APPS = "<get_applications/>"


async def open_session(wire: Wire, function: str = "<getAPISession/>", auth: str | None = None) -> tuple[str, str]:
    reply = await wire.ask(function, auth=auth)
    return reply.data.findtext("api/sessionid") or "", reply.data.findtext("api/locationid") or ""


def by_session(session: str) -> str:
    return f"<sessionid>{session}</sessionid>"


async def test_the_endpoint_returned_is_the_url_that_was_called(wire: Wire) -> None:
    reply = await wire.ask("<getAPISession/>", auth=login(""))
    assert reply.data.findtext("api/endpoint") == "http://sandbox.test:8900/ia/xml/xmlgw.phtml"
    assert reply.data.findtext("api/locationid") == ""


async def test_a_session_works_instead_of_a_login_and_keeps_its_level(wire: Wire) -> None:
    session, entity = await open_session(wire)
    assert entity == "100"
    reply = await wire.ask(APPS, auth=by_session(session))
    assert reply.status == "success"
    assert reply.text("operation/authentication/locationid") == "100"


async def test_a_session_is_refused_at_another_endpoint(wire: Wire) -> None:
    session, _ = await open_session(wire)
    wire.http.base_url = "http://other.test"
    assert (await wire.ask(APPS, auth=by_session(session))).errors == ["XL03000006"]


async def test_sessions_slide_and_expire(wire: Wire) -> None:
    await wire.switch(session_seconds=600)
    session, _ = await open_session(wire)
    await wire.room("/clock", {"advance_seconds": 500})
    first = await wire.ask(APPS, auth=by_session(session))
    await wire.room("/clock", {"advance_seconds": 500})
    second = await wire.ask(APPS, auth=by_session(session))
    assert second.status == "success"
    timeout = "operation/authentication/sessiontimeout"
    assert second.text(timeout) > first.text(timeout)
    await wire.room("/clock", {"advance_seconds": 601})
    late = await wire.ask(APPS, auth=by_session(session))
    assert late.text("operation/authentication/status") == "failure"
    assert late.errors == ["XL03000006"]
    assert late.text("operation/authentication/userid") == ""


async def test_sliding_to_an_entity_and_back_to_the_top(wire: Wire) -> None:
    top, _ = await open_session(wire, auth=login(""))
    slide = "<getAPISession><locationid>200</locationid></getAPISession>"
    low, entity = await open_session(wire, slide, by_session(top))
    assert entity == "200"
    _, back = await open_session(wire, "<getAPISession><locationid/></getAPISession>", by_session(low))
    assert back == ""


async def test_sliding_may_be_forbidden(wire: Wire) -> None:
    await wire.switch(entity_slide=False)
    reply = await wire.ask("<getAPISession><locationid>200</locationid></getAPISession>", auth=login(""))
    assert reply.status == "failure"
    assert reply.errors == ["XL03000006"]
    prefs = await wire.ask('<get_companyprefs application="ME"/>')
    values = {pref.findtext("preference"): pref.findtext("prefvalue") for pref in prefs.data}
    assert values["DISABLEENTITYSLIDEIN"] == "true"


async def test_what_each_level_sees(wire: Wire) -> None:
    await wire.order("PO-100")
    await wire.order("PO-200", entity="200")
    await wire.order("PO-TOP", entity="")
    orders = query("PODOCUMENT", "DOCNO", is_("DOCPARID", "Purchase Order"))
    shared_only = query("PODOCUMENT", "DOCNO", is_("DOCPARID", "Purchase Order"), private=False)

    async def seen(function: str, entity: str) -> list[str]:
        return [row["DOCNO"] for row in (await wire.ask(function, auth=login(entity))).rows]

    assert await seen(orders, "100") == ["PO-100", "PO-TOP"]
    assert await seen(orders, "200") == ["PO-200", "PO-TOP"]
    assert await seen(orders, "") == ["PO-100", "PO-200", "PO-TOP"]
    assert await seen(shared_only, "") == ["PO-TOP"]


async def test_records_made_in_an_entity_are_private_to_it(wire: Wire) -> None:
    await wire.ask("<create><VENDOR><VENDORID>V-9</VENDORID><NAME>Nine</NAME></VENDOR></create>", auth=login("200"))
    vendors = query("VENDOR", "VENDORID MEGAENTITYID", is_("VENDORID", "V-9"))
    assert (await wire.ask(vendors, auth=login("200"))).rows == [{"VENDORID": "V-9", "MEGAENTITYID": "200"}]
    assert (await wire.ask(vendors, auth=login("100"))).rows == []
