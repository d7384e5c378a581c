"""The door of the QuickBooks Web Connector: who calls, which company file is open, and when it called last."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from lxml import etree
from sqlalchemy import text

from erp.errors import Deferred
from models.store.base.database import Database
from models.store.connections import web_connector
from services.connections.upkeep import Upkeep
from services.web_connector.door import Door
from services.web_connector.logins import hashed
from tests.harness.activity_harness import NoVault
from tests.harness.api_client import ApiClient, a_problem
from tests.harness.paired_web_connector import (
    QUESTION,
    WRITE,
    Pair,
    calls,
    new_pair,
    nobody_waits,
    received,
    said,
    sent,
)


async def test_a_connection_is_let_in_when_its_company_file_is_open(pair: Pair, api: ApiClient) -> None:
    """Issue 12: the Web Connector sets the connection up; what it says of the company is stored."""
    assert (await pair.connection()).state == "pending_authorization"
    assert await pair.connector.session() == "There is nothing more to exchange now."
    row = await pair.connection()
    assert (row.state, row.base_currency) == ("needs_preferences", "USD")
    assert row.company == f"Larkin Cabinets {pair.company.file_id[1:9]}"
    assert row.erp_facts["enhanced_receiving"] == "false"
    seen = (await api.get(f"/v1/connections/{pair.connection_id}/web_connector")).json()
    assert (seen["company_file"], seen["every_minutes"], seen["waiting"]) == ("C:\\books.qbw", 5, 0)
    assert seen["last_contact_at"]


async def test_without_work_a_call_is_none(pair: Pair) -> None:
    await pair.connector.session()
    assert await pair.connector.session() == "none"


async def test_what_the_web_connector_does_not_say_is_asked_first(pair: Pair) -> None:
    """Issue 12: an empty strHCPResponse: host, company and preferences come before anything else."""
    await pair.asked()
    pair.connector.says_company = False
    await pair.connector.session()
    assert [next(iter(etree.fromstring(one.encode())[0])).tag for one in pair.company.documents] == [
        "HostQueryRq",
        "PurchaseOrderQueryRq",
    ]
    assert (await pair.connection()).state == "needs_preferences"


@pytest.mark.parametrize("says_company", [True, False])
async def test_another_company_file_gets_nothing(pair: Pair, says_company: bool) -> None:
    """Issue 12: a company file that was not recognized is never written to."""
    await pair.wrote()
    pair.company.file_id, pair.connector.says_company = "{0000}", says_company
    ended = await pair.connector.session()
    assert "does not carry the mark" in ended
    assert not any("BillAdd" in one for one in pair.company.documents)
    assert (await pair.connection()).state == "pending_authorization"


async def test_a_company_file_without_a_mark_gets_nothing(pair: Pair) -> None:
    await pair.wrote()
    pair.company.owner_id = "{11111111-0000-0000-0000-000000000000}"
    assert "does not carry the mark" in await pair.connector.session()
    assert not pair.company.bills


async def test_a_wrong_password_is_nobody(pair: Pair) -> None:
    pair.connector.password = "wrong"
    assert await pair.connector.session() == "nvu"


async def test_a_new_password_ends_the_one_before(pair: Pair, api: ApiClient) -> None:
    """Issue 12: passwords are made by us, shown once, and stored as SHA-256."""
    key = "same-key"
    path = f"/v1/connections/{pair.connection_id}/web_connector"
    first = (await api.post(path, {}, key=key)).json()
    assert len(first["password"]) >= 27  # 160 bits in base64
    assert (await api.post(path, {}, key=key)).json()["password"] is None
    assert await pair.connector.session() == "nvu"
    pair.connector.password = first["password"]
    assert await pair.connector.session() != "nvu"
    async with pair.database.statement() as s:
        stored = (await s.execute(text("select password_hash from web_connector_logins"))).scalars().all()
    assert first["password"] not in stored
    assert all(len(one) == 64 for one in stored)


async def test_requests_at_once_under_one_key_make_one_password(pair: Pair, api: ApiClient) -> None:
    """G9's brother: each made one, and only the last of them was good. One answer shows it; the others are repeats."""
    path = f"/v1/connections/{pair.connection_id}/web_connector"
    answers = [one.json() for one in await asyncio.gather(*(api.post(path, {}, key="once") for _ in range(8)))]
    (password,) = [one["password"] for one in answers if one["password"] is not None]
    assert len({one["made_at"] for one in answers}) == 1
    pair.connector.password = password
    assert await pair.connector.session() != "nvu"


async def test_the_file_says_how_to_call(pair: Pair, api: ApiClient) -> None:
    root = etree.fromstring((await api.get(f"/v1/connections/{pair.connection_id}/qwc")).content)
    said = {child.tag: child.text for child in root}
    assert said["AppURL"] == "https://posync.example.com/qbwc"
    assert said["AppSupport"].startswith("https://posync.example.com/")
    assert (said["UserName"], said["QBType"], said["IsReadOnly"]) == (pair.connection_id, "QBFS", "false")
    assert root.findtext("Scheduler/RunEveryNMinutes") == "5"
    assert pair.connector.password not in etree.tostring(root).decode()


async def test_an_old_quickbooks_is_refused(pair: Pair) -> None:
    pair.connector.version = (12, 0)
    assert "13.0 is needed" in await pair.connector.session()


@pytest.mark.parametrize(("theirs", "spoken"), [((13, 0), "13.0"), ((14, 0), "14.0"), ((17, 1), "16.0")])
async def test_the_version_is_negotiated(pair: Pair, theirs: tuple[int, int], spoken: str) -> None:
    await pair.asked()
    pair.connector.version = theirs
    await pair.connector.session()
    assert f'<?qbxml version="{spoken}"?>' in pair.company.documents[-1]


async def test_sessions_of_two_companies_at_once_stay_apart(
    pair: Pair, api: ApiClient, database: Database, http: httpx.AsyncClient
) -> None:
    """Issue 12: several connections at once; a ticket brings and takes the documents of its own connection alone."""
    neighbour = await new_pair(api, database, http)
    await pair.asked()
    await neighbour.wrote()
    first, question = await calls(pair)
    second, write = await calls(neighbour)
    assert "PurchaseOrderQuery" in question
    assert "BillAdd" in write
    assert await received(neighbour, second, neighbour.company.answer(write)) > 0
    assert await received(pair, first, pair.company.answer(question)) > 0
    assert "PO-1007" in await pair.journal.read("orders", QUESTION)
    assert "601-1" in await neighbour.journal.write("PSB-1", WRITE)
    assert (len(pair.company.bills), len(neighbour.company.bills)) == (0, 1)
    for company, secret in ((pair, first), (neighbour, second)):
        assert await sent(company, secret) == ""
        await company.connector.call("closeConnection", ticket=secret)


async def test_a_session_that_is_over_is_unknown(pair: Pair) -> None:
    """Issue 12: a secret reused after its session ended, and one that never was."""
    await pair.asked()
    secret, document = await calls(pair)
    await pair.connector.call("closeConnection", ticket=secret)
    answer = pair.company.answer(document)
    for used in (secret, "never-was"):
        assert await sent(pair, used) == ""
        assert await received(pair, used, answer) == -1
    assert (await pair.connector.call("getLastError", ticket="never-was")).text == "unknown session"
    await pair.connector.session()
    assert "PO-1007" in await pair.journal.read("orders", QUESTION)


async def test_quickbooks_that_does_not_open_is_shown_and_over_by_itself(pair: Pair, api: ApiClient) -> None:
    """Issue 12: an outage is shown like any other; a path that failed is tried once as the open file."""
    await pair.connector.session()
    await pair.asked()
    admitted = await pair.connector.call(
        "authenticate", strUserName=pair.connector.user, strPassword=pair.connector.password
    )
    secret = admitted[0].text or ""
    assert admitted[1].text == "C:\\books.qbw"
    parameters = {"ticket": secret, "hresult": "0x80040414", "message": "A modal dialog is open"}
    assert (await pair.connector.call("connectionError", **parameters)).text is None
    assert (await pair.connector.call("connectionError", **parameters)).text == "done"
    shown = (await api.get(f"/v1/connections/{pair.connection_id}")).json()
    assert (shown["problem"]["code"], shown["outage_since"] is not None) == ("QUICKBOOKS_NOT_OPENED", True)
    await pair.connector.session()
    shown = (await api.get(f"/v1/connections/{pair.connection_id}")).json()
    assert (shown["problem"], shown["outage_since"]) == (None, None)


async def test_an_idle_call_costs_little(pair: Pair) -> None:
    """Issue 12: its four calls together cost at most three statements; two of the calls need none."""
    await pair.connector.session()

    door = Door(pair.database, deliver=nobody_waits, hold_seconds=0, busy_seconds=60)
    before = pair.database.statements
    admitted = await door.authenticate(pair.connector.user, pair.connector.password)
    await door.close(admitted.secret)
    assert admitted.verdict == "none"
    assert pair.database.statements - before <= 3


async def test_only_the_call_itself_does_not_wait_for_the_disk(pair: Pair) -> None:
    """That somebody called may be lost in a crash of the database, and nothing else that the connection stores."""
    await pair.connector.session()
    async with pair.database.statement() as s:
        await s.execute(text("set synchronous_commit = on"))
        caller = await web_connector.call(
            s, pair.connector.user, hashed(pair.connector.password), alive=timedelta(seconds=60)
        )
        assert caller is not None
        assert (await s.execute(text("show synchronous_commit"))).scalar_one() == "on"
        await s.execute(text("reset synchronous_commit"))


async def test_what_waits_says_when_the_web_connector_called_last(pair: Pair) -> None:
    """Issue 12: Temporal's UI shows this text at the activity that waits."""
    with pytest.raises(Deferred) as never:
        await pair.journal.read("orders", QUESTION)
    assert "called last" not in never.value.message
    await pair.connector.call("authenticate", strUserName=pair.connector.user, strPassword=pair.connector.password)
    with pytest.raises(Deferred) as since:
        await pair.journal.read("orders", QUESTION)
    async with pair.database.statement() as s:
        found = await s.execute(
            text("select last_contact_at from web_connector_logins where connection_id = :c"), {"c": pair.connection_id}
        )
        at = found.scalar_one()
    assert f"which called last at {at:%Y-%m-%d %H:%M} UTC" in since.value.message


async def test_a_second_web_connector_comes_later(pair: Pair) -> None:
    """Reference 1.4: one session at a time; one that does not call keeps others out for a while only."""
    await pair.connector.session()
    await pair.wrote()

    def door(busy_seconds: float) -> Door:
        return Door(pair.database, deliver=nobody_waits, hold_seconds=0, busy_seconds=busy_seconds)

    who = (pair.connector.user, pair.connector.password)
    first = await door(60).authenticate(*who)
    assert first.verdict not in ("none", "nvu", "busy")
    second = await door(60).authenticate(*who)
    assert second.verdict == "busy"
    assert await door(60).send_request(second.secret, "", "", 16, 0) == ""
    await door(60).close(second.secret)
    assert (await door(60).authenticate(*who)).verdict == "busy"
    third = await door(0).authenticate(*who)  # the first does not call any more
    assert third.verdict == first.verdict
    await door(60).close(third.secret)
    assert (await door(60).authenticate(*who)).verdict == first.verdict


async def test_a_silent_web_connector_is_an_issue_until_it_calls(pair: Pair, api: ApiClient) -> None:
    """Issue 12: silent for longer than its schedule allows; closed by itself."""
    await pair.connector.session()
    upkeep = Upkeep(pair.database, NoVault(), lambda settings: None)
    now = datetime.now(UTC)

    async def silent() -> bool:
        issues = (await api.get("/v1/sync-issues", state="open")).json()["items"]
        return any(one["code"] == "WEB_CONNECTOR_SILENT" for one in issues)

    await upkeep.look(now + timedelta(minutes=19))
    assert not await silent()
    await upkeep.look(now + timedelta(minutes=21))
    assert await silent()
    shown = (await api.get(f"/v1/connections/{pair.connection_id}")).json()
    assert (shown["problem"]["code"], shown["outage_since"] is not None) == ("WEB_CONNECTOR_SILENT", True)
    await pair.connector.session()
    await upkeep.look(datetime.now(UTC))
    assert not await silent()
    assert (await api.get(f"/v1/connections/{pair.connection_id}")).json()["outage_since"] is None


async def test_other_connections_have_no_web_connector(api: ApiClient) -> None:
    created = await api.post("/v1/connections", {"erp": "quickbooks_online", "name": "Online"})
    path = f"/v1/connections/{created.json()['id']}"
    a_problem(await api.post(f"{path}/web_connector", {}), 409, "NO_WEB_CONNECTOR")
    a_problem(await api.get(f"{path}/qwc"), 409, "NO_WEB_CONNECTOR")


@pytest.mark.parametrize("version", ["\u00b2", "9" * 5000, "-1", "sixteen", ""])
async def test_a_version_that_is_no_number_is_too_old(pair: Pair, version: str) -> None:
    """Issue 12: a named answer; nothing is handed out."""
    await pair.asked()
    admitted = await pair.connector.call(
        "authenticate", strUserName=pair.connector.user, strPassword=pair.connector.password
    )
    secret = admitted[0].text or ""
    document = await pair.connector.call("sendRequestXML", ticket=secret, strHCPResponse=said(pair),
        strCompanyFileName="C:\\books.qbw", qbXMLCountry="US", qbXMLMajorVers=version, qbXMLMinorVers="0")  # fmt: skip
    assert document.text is None
    told = await pair.connector.call("getLastError", ticket=secret)
    assert "13.0 is needed" in (told.text or "")
