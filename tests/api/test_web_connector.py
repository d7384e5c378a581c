"""The door of the QuickBooks Web Connector: who calls, which company file is open, what goes out and comes back."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from lxml import etree
from sqlalchemy import text

from erp.errors import Deferred, OutcomeUnknown
from erp.exchanges import LookUp
from erp.quickbooks_desktop import wire
from models.domain.ids import ConnectionId
from models.store.audit import handouts
from models.store.audit.exchanges import Waiter
from models.store.base.database import Database
from models.store.connections import web_connector
from services.connections.upkeep import Upkeep
from services.exchanges import StoredExchanges
from services.web_connector.documents import LOOK_UP_HOLDS
from services.web_connector.door import Door
from services.web_connector.logins import hashed
from settings import Settings
from tests.fakes.web_connector import Dropped, FakeCompany, FakeWebConnector
from tests.harness.activity_harness import NoVault
from tests.harness.api_client import ApiClient, a_problem

QUESTION = wire.request("PurchaseOrderQuery", wire.part("TxnID", "5F3-1"), key="orders")


def bill(number: int) -> str:
    """The request that makes a bill over 4 of the order's first line."""
    return wire.request(
        "BillAdd",
        wire.group(
            "BillAdd",
            wire.reference("VendorRef", "80000012-1"),
            wire.part("RefNumber", f"INV-{number}"),
            wire.part("Memo", f"[posync PSB-{number}]"),
            wire.group(
                "ItemLineAdd",
                wire.part("Quantity", "4"),
                wire.group("LinkToTxn", wire.part("TxnID", "5F3-1"), wire.part("TxnLineID", "5F5-1")),
            ),
        ),
        key="bill",
    )


WRITE = bill(1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "public_url": "https://posync.example.com",
            "web_connector_hold_seconds": 0.0,
            "web_connector_busy_seconds": 0.0,
        }
    )


class Pair:
    """A connection, its Web Connector, and the journal as activities see it."""

    def __init__(self, database: Database, http: httpx.AsyncClient, connection_id: str, password: str, file: str):
        self.database = database
        self.connection_id = ConnectionId(connection_id)
        self.company = FakeCompany(file)
        self.connector = FakeWebConnector(http, connection_id, password, self.company)
        self.waiter = Waiter("", "", "a")
        self.journal = StoredExchanges(database, self.connection_id, lambda: self.waiter)

    async def connection(self) -> Any:
        async with self.database.statement() as s:
            return (await s.execute(text("select * from connections where id = :c"), {"c": self.connection_id})).one()

    async def asked(self, key: str = "orders", request: str = QUESTION) -> None:
        with pytest.raises(Deferred):
            await self.journal.read(key, request)

    async def wrote(self) -> None:
        with pytest.raises(Deferred):
            await self.journal.write("PSB-1", WRITE)

    async def cut(self, step: str, number: int) -> None:
        """A session in which the computer is switched off at a step."""

        def drop(at: str, rounds: int) -> None:
            if (at, rounds) == (step, number):
                raise Dropped

        self.connector.rounds, self.connector.drop = 0, drop
        with pytest.raises(Dropped):
            await self.connector.session()
        self.connector.drop = lambda at, rounds: None


async def new_pair(api: ApiClient, database: Database, http: httpx.AsyncClient) -> Pair:
    created = await api.post(
        "/v1/connections", {"erp": "quickbooks_desktop", "name": "Larkin", "purchase_orders": True}
    )
    assert created.status_code == 201, created.text
    connection_id = created.json()["id"]
    login = await api.post(f"/v1/connections/{connection_id}/web_connector", {"every_minutes": 5})
    assert login.status_code == 201, login.text
    file = await api.get(f"/v1/connections/{connection_id}/qwc")
    mark = etree.fromstring(file.content).findtext("FileID") or ""
    return Pair(database, http, connection_id, login.json()["password"], mark)


@pytest.fixture
async def pair(api: ApiClient, database: Database, http: httpx.AsyncClient) -> Pair:
    return await new_pair(api, database, http)


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


async def test_a_question_is_answered_in_one_session(pair: Pair) -> None:
    await pair.asked()
    await pair.connector.session()
    assert "PO-1007" in await pair.journal.read("orders", QUESTION)


async def test_a_write_is_done_once(pair: Pair) -> None:
    await pair.wrote()
    await pair.connector.session()
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)
    assert len(pair.company.bills) == 1


@pytest.mark.parametrize("step", ["sent", "answered", "received"])
async def test_a_computer_switched_off_at_any_step(pair: Pair, step: str) -> None:
    """Issue 12: after a dead session the unanswered set is asked for before anything else."""
    await pair.wrote()
    await pair.cut(step, 1)
    await pair.asked()
    await pair.connector.session()
    if step == "sent":  # QuickBooks knows nothing of it: its record is looked up before it goes out again
        with pytest.raises(OutcomeUnknown):
            await pair.journal.write("PSB-1", WRITE)
        assert not pair.company.bills
        await pair.journal.release("PSB-1")
        await pair.connector.session()
        sent = [one for one in pair.company.documents if "BillAdd" in one]
        assert len(set(sent)) == 1, "the same bytes"
    if step != "received":
        status = [number for number, one in enumerate(pair.company.documents) if "oldMessageSetID" in one]
        question = [number for number, one in enumerate(pair.company.documents) if "PurchaseOrderQuery" in one]
        assert status[0] < question[0]
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)
    assert len(pair.company.bills) == 1


async def looked_up(pair: Pair) -> LookUp:
    """What the write is decided by: the order, as a session read it."""
    await pair.asked()
    await pair.connector.session()
    return LookUp("orders", await pair.journal.read("orders", QUESTION))


async def decide(pair: Pair, seen: LookUp) -> None:
    with pytest.raises(Deferred):
        await pair.journal.write("PSB-1", WRITE, looked_up=seen)


def names(pair: Pair) -> list[str]:
    """What the company was handed, by the first request of each document."""
    roots = [etree.fromstring(one.encode())[0] for one in pair.company.documents]
    return [str(root[0].tag).removesuffix("Rq") for root in roots if len(root)]


async def test_a_write_goes_out_only_while_its_look_up_still_holds(pair: Pair) -> None:
    """Issue 12: the computer was switched off between the look-up and the bill. In the next session QuickBooks is asked
    once more; as nothing changed, the bill goes out in that session."""
    await decide(pair, await looked_up(pair))
    pair.company.documents.clear()
    await pair.connector.session()
    assert names(pair)[-2:] == ["PurchaseOrderQuery", "BillAdd"]
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)


async def test_a_write_whose_look_up_is_otherwise_now_is_decided_anew(pair: Pair) -> None:
    """Issue 12: between the two a person entered the bill by hand, or received the goods: nothing goes out by what was
    seen days ago, until the activity has seen what is there now."""
    seen = await looked_up(pair)
    await decide(pair, seen)
    pair.company.edition += 1
    pair.company.documents.clear()
    await pair.connector.session()
    assert names(pair)[-1] == "PurchaseOrderQuery"
    assert not pair.company.bills
    assert await pair.journal.awaited("PSB-1") is None
    await decide(pair, seen)  # an attempt that had read the answer before
    assert await pair.connector.session() == "none"
    newer = await pair.journal.read("orders", QUESTION)
    assert "<EditSequence>2<" in newer
    assert newer != seen.answer
    await decide(pair, LookUp("orders", newer))
    await pair.connector.session()
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)
    assert len(pair.company.bills) == 1


async def test_a_bill_that_was_lost_goes_out_again_only_while_its_look_up_still_holds(pair: Pair) -> None:
    """Issue 12: the same for a bill that QuickBooks was handed and knows nothing of, and that was looked up by its key:
    another bill may have been entered by hand."""
    await decide(pair, await looked_up(pair))
    await pair.cut("sent", 2)
    await pair.connector.session()
    with pytest.raises(OutcomeUnknown):
        await pair.journal.write("PSB-1", WRITE)
    await pair.journal.release("PSB-1")
    pair.company.edition += 1
    await pair.connector.session()
    assert not pair.company.bills
    newer = LookUp("orders", await pair.journal.read("orders", QUESTION))
    await decide(pair, newer)
    await pair.connector.session()
    assert len(pair.company.bills) == 1
    assert len({one for one in pair.company.documents if "BillAdd" in one}) == 1, "the same bytes"


async def test_a_computer_that_slept_in_a_session_is_asked_again(pair: Pair) -> None:
    """The session goes on days later, with a bill that was decided by what was seen before."""
    await decide(pair, await looked_up(pair))

    async def sleep() -> None:
        async with pair.database.transaction() as s:
            await s.execute(
                text("update exchanges set answered_at = answered_at - interval '2 days' where connection_id = :c"),
                {"c": pair.connection_id},
            )

    await pair.connector.call("authenticate", strUserName=pair.connector.user, strPassword=pair.connector.password)
    async with pair.database.transaction() as s:
        session = (
            await s.execute(
                text("select id from web_connector_sessions where connection_id = :c and ended_at is null"),
                {"c": pair.connection_id},
            )
        ).scalar_one()
        await s.execute(
            text("update exchanges set handed_to = :s where connection_id = :c and key like 'read/%'"),
            {"c": pair.connection_id, "s": session},
        )
        fresh = await handouts.next_waiting(s, pair.connection_id, session, LOOK_UP_HOLDS)
    assert fresh is not None
    assert fresh.look_up is None
    await sleep()
    async with pair.database.transaction() as s:
        stale = await handouts.next_waiting(s, pair.connection_id, session, LOOK_UP_HOLDS)
    assert stale is not None
    assert stale.look_up is not None


async def test_a_write_in_doubt_is_asked_for_before_another_write_goes_out(pair: Pair) -> None:
    """Issue 12: after a dead session the unanswered set comes first, other writes behind it too."""
    await pair.wrote()
    await pair.cut("answered", 1)
    with pytest.raises(Deferred):
        await pair.journal.write("PSB-2", bill(2))
    await pair.connector.session()
    asked = [number for number, one in enumerate(pair.company.documents) if "oldMessageSetID" in one]
    second = [number for number, one in enumerate(pair.company.documents) if "INV-2" in one]
    assert asked[0] < second[0]
    assert [created["number"] for created in pair.company.bills.values()] == ["INV-1", "INV-2"]
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)
    assert "601-2" in await pair.journal.write("PSB-2", bill(2))


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


async def test_the_answer_to_another_companys_bill_is_not_taken(
    pair: Pair, api: ApiClient, database: Database, http: httpx.AsyncClient
) -> None:
    """Issue 12: a response for another ticket; all that tells two bills' answers apart is their message set."""
    neighbour = await new_pair(api, database, http)
    await pair.wrote()
    await neighbour.wrote()
    first, _ = await calls(pair)
    second, write = await calls(neighbour)
    theirs = neighbour.company.answer(write)
    assert await received(pair, first, theirs) == -1
    assert await received(neighbour, second, theirs) > 0
    with pytest.raises(Deferred):
        await pair.journal.write("PSB-1", WRITE)
    assert "601-1" in await neighbour.journal.write("PSB-1", WRITE)
    assert (len(pair.company.bills), len(neighbour.company.bills)) == (0, 1)


async def test_an_answer_that_comes_late_is_not_the_next_bills(pair: Pair) -> None:
    """Issue 12: the same response twice, the second time after the next document went out, is harmless."""
    await pair.wrote()
    with pytest.raises(Deferred):
        await pair.journal.write("PSB-2", bill(2))
    secret, document = await calls(pair)
    answer = pair.company.answer(document)
    assert await received(pair, secret, answer) > 0
    following = await sent(pair, secret)
    assert "INV-2" in following
    assert await received(pair, secret, answer) > 0
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)
    with pytest.raises(Deferred):
        await pair.journal.write("PSB-2", bill(2))
    assert await received(pair, secret, pair.company.answer(following)) > 0
    assert "601-2" in await pair.journal.write("PSB-2", bill(2))


async def test_two_questions_alike_are_told_apart(pair: Pair) -> None:
    """Issue 12: the same question of two activities: the first one's answer, brought twice, answers it alone; the
    second one sees what is there when it is asked."""
    await pair.asked("one")
    await pair.asked("two")
    secret, document = await calls(pair)
    answer = pair.company.answer(document)
    assert await received(pair, secret, answer) > 0
    following = await sent(pair, secret)
    assert await received(pair, secret, answer) > 0
    await pair.asked("two")
    pair.company.edition = 7
    assert await received(pair, secret, pair.company.answer(following)) > 0
    assert "<EditSequence>1<" in await pair.journal.read("one", QUESTION)
    assert "<EditSequence>7<" in await pair.journal.read("two", QUESTION)


async def test_an_answer_of_an_earlier_session_is_not_taken(pair: Pair) -> None:
    """Issue 12: the question is the same, but what it is answered with is older."""
    await pair.asked()
    _, document = await calls(pair)
    answer = pair.company.answer(document)
    secret, again = await calls(pair)  # the computer was switched off
    assert await received(pair, secret, answer) == -1
    secret, again = await calls(pair)
    assert await received(pair, secret, pair.company.answer(again)) > 0
    assert "PO-1007" in await pair.journal.read("orders", QUESTION)


async def test_a_refusal_brought_twice_refuses_one_document(pair: Pair) -> None:
    """Issue 12: two refusals look alike: the next document is handed out once more, and refused only if it is."""
    await pair.asked()
    await pair.asked("others")
    refusal = ("", "0x80040400", "QuickBooks found an error when parsing")
    secret, _ = await calls(pair)
    assert await received(pair, secret, *refusal) > 0
    following = await sent(pair, secret)
    assert await received(pair, secret, *refusal) > 0
    assert await sent(pair, secret) == following
    assert await received(pair, secret, pair.company.answer(following)) > 0
    assert (await pair.journal.read("orders", QUESTION)).startswith("refused whole")
    assert "PO-1007" in await pair.journal.read("others", QUESTION)


async def test_two_documents_refused_with_the_same_words_are_both_refused(pair: Pair) -> None:
    await pair.asked()
    await pair.asked("others")
    refusal = ("", "0x80040400", "QuickBooks found an error when parsing")
    secret, _ = await calls(pair)
    assert await received(pair, secret, *refusal) > 0
    for _ in range(2):
        await sent(pair, secret)
        assert await received(pair, secret, *refusal) > 0
    assert (await pair.journal.read("others", QUESTION)).startswith("refused whole")
    assert await sent(pair, secret) == ""


# --- what QuickBooks stored of a write in doubt ---------------------------------------------------------------------


async def in_doubt(pair: Pair) -> tuple[str, str]:
    """A session that was handed the question what became of a write: its secret and that question."""
    await pair.wrote()
    await pair.cut("answered", 1)
    secret, question = await calls(pair)
    assert "oldMessageSetID" in question
    return secret, question


def set_of(document: str) -> str:
    return etree.fromstring(document.encode())[0].get("newMessageSetID") or ""


@pytest.mark.parametrize("case", ["another set", "no set", "another company's", "an earlier question's", "cut short"])
async def test_only_the_sets_own_answer_says_what_became_of_a_write(
    pair: Pair, api: ApiClient, database: Database, http: httpx.AsyncClient, case: str
) -> None:
    """Issue 12: an answer of another ticket, session or company's set is not this one's; the write stays in doubt, and
    its record is not made twice."""
    neighbour = await new_pair(api, database, http)
    _, theirs = await in_doubt(neighbour)
    await pair.asked()
    _, question = await calls(pair)
    orders = pair.company.answer(question)
    secret, status = await in_doubt(pair)
    stored = pair.company.answer(status)
    said = {
        "another set": f'<QBXML><QBXMLMsgsRs newMessageSetID="{"0" * 23}" messageSetStatusCode="600"/></QBXML>',
        "no set": "<QBXML><QBXMLMsgsRs/></QBXML>",
        "another company's": neighbour.company.answer(theirs).replace(set_of(theirs), set_of(status)),
        "an earlier question's": orders.replace(
            "<QBXMLMsgsRs>", f'<QBXMLMsgsRs newMessageSetID="{set_of(status)}" messageSetStatusCode="0">'
        ),
        "cut short": stored[: len(stored) // 2],
    }[case]
    assert await received(pair, secret, said) == -1
    with pytest.raises(Deferred):
        await pair.journal.write("PSB-1", WRITE)
    await pair.connector.session()
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)
    assert len(pair.company.bills) == 1


async def test_that_a_set_is_not_stored_is_no_answer_to_its_write(pair: Pair) -> None:
    """Issue 12: "600, I do not know it" of the question before must not refuse the write that follows it."""
    await pair.wrote()
    await pair.cut("sent", 1)
    secret, status = await calls(pair)
    unknown = pair.company.answer(status)
    assert 'messageSetStatusCode="600"' in unknown
    assert await received(pair, secret, unknown) > 0
    with pytest.raises(OutcomeUnknown):
        await pair.journal.write("PSB-1", WRITE)
    await pair.journal.release("PSB-1")
    assert "BillAdd" in await sent(pair, secret)
    assert await received(pair, secret, unknown) > 0, "it was taken before"
    assert await received(pair, secret, unknown.replace("600", "9002")) == -1
    await pair.connector.session()
    with pytest.raises(OutcomeUnknown):
        await pair.journal.write("PSB-1", WRITE)
    assert not pair.company.bills


@pytest.mark.parametrize("step", ["next_waiting", "hand_out", "answer_whole", "waiting"])
async def test_an_api_that_dies_at_any_step(pair: Pair, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Issue 12: what a call did not commit is not there; the next session asks, and the bill is made once."""
    await pair.wrote()
    whole = getattr(handouts, step)
    deaths: list[str] = []

    async def dies(*parameters: Any) -> Any:
        if not deaths:
            deaths.append(step)
            raise RuntimeError("the process was killed")
        return await whole(*parameters)

    monkeypatch.setattr(handouts, step, dies)
    with pytest.raises(AssertionError):  # the door did not answer
        await pair.connector.session()
    assert deaths
    for _ in range(3):
        await pair.connector.session()
        try:
            answer = await pair.journal.write("PSB-1", WRITE)
            break
        except OutcomeUnknown:
            await pair.journal.release("PSB-1")
        except Deferred:
            continue
    assert "601-1" in answer
    assert len(pair.company.bills) == 1


async def calls(pair: Pair) -> tuple[str, str]:
    """A session with one document handed out: its secret and the document."""
    admitted = await pair.connector.call(
        "authenticate", strUserName=pair.connector.user, strPassword=pair.connector.password
    )
    secret = admitted[0].text or ""
    asked = "".join(f'<{one}Rq requestID="1"/>' for one in ("HostQuery", "CompanyQuery", "PreferencesQuery"))
    said = pair.company.answer(f"<QBXML><QBXMLMsgsRq>{asked}</QBXMLMsgsRq></QBXML>")
    return secret, await sent(pair, secret, said)


async def sent(pair: Pair, secret: str, said: str = "") -> str:
    document = await pair.connector.call(
        "sendRequestXML", ticket=secret, strHCPResponse=said, strCompanyFileName="C:\\books.qbw", qbXMLCountry="US",
        qbXMLMajorVers="16", qbXMLMinorVers="0",
    )  # fmt: skip
    return document.text or ""


async def received(pair: Pair, secret: str, response: str, hresult: str = "", message: str = "") -> int:
    done = await pair.connector.call(
        "receiveResponseXML", ticket=secret, response=response, hresult=hresult, message=message
    )
    return int(done.text or "")


BAD_ANSWERS = [
    ("", "0x80040402", "Unexpected error"),
    ("<QBXML><QBXMLMsgsRs><PurchaseOrderQueryRs", "", ""),
    ("no xml", "", ""),
    ("<QBXML></QBXML>", "", ""),
    ('<QBXML><QBXMLMsgsRs><Strange requestID="orders"/></QBXMLMsgsRs></QBXML>', "", ""),
    (
        '<QBXML><QBXMLMsgsRs><BillQueryRs requestID="other" statusCode="0" statusSeverity="Info"/></QBXMLMsgsRs>'
        "</QBXML>",
        "",
        "",
    ),
    (
        '<QBXML><QBXMLMsgsRs><PurchaseOrderQueryRs requestID="orders" statusCode="x"/></QBXMLMsgsRs></QBXML>',
        "",
        "",
    ),
]


@pytest.mark.parametrize(("response", "hresult", "message"), BAD_ANSWERS)
async def test_an_answer_that_is_none_ends_the_session_and_loses_nothing(
    pair: Pair, response: str, hresult: str, message: str
) -> None:
    """Issue 12: malformed or truncated answers, errors of QuickBooks, unknown elements, another document's answer."""
    await pair.asked()
    secret, _ = await calls(pair)
    assert await received(pair, secret, response, hresult, message) == -1
    error = (await pair.connector.call("getLastError", ticket=secret)).text or ""
    assert "QuickBooks" in error
    assert await sent(pair, secret) == ""
    await pair.connector.session()
    assert "PO-1007" in await pair.journal.read("orders", QUESTION)


@pytest.mark.parametrize(("response", "hresult", "message"), BAD_ANSWERS)
async def test_an_answer_that_is_none_is_shown_until_an_exchange_goes_well(
    pair: Pair, api: ApiClient, response: str, hresult: str, message: str
) -> None:
    """Issue 12: not on the customer's computer only: the connection has an outage and an issue, and what waits says so;
    a session that only recognizes the company file ends neither."""
    await pair.connector.session()
    await pair.asked()
    code = "QUICKBOOKS_DID_NOT_ANSWER" if hresult else "QUICKBOOKS_ANSWER_BROKEN"
    for _ in range(2):
        secret, _ = await calls(pair)
        assert await received(pair, secret, response, hresult, message) == -1
        shown = (await api.get(f"/v1/connections/{pair.connection_id}")).json()
        assert (shown["problem"]["code"], shown["outage_since"] is not None) == (code, True)
        seen = (await api.get(f"/v1/connections/{pair.connection_id}/web_connector")).json()
        assert seen["problem"]["code"] == code
        assert await open_codes(pair, api) == [code]
        with pytest.raises(Deferred, match=code):
            await pair.journal.read("orders", QUESTION)
    await pair.connector.session()
    assert "PO-1007" in await pair.journal.read("orders", QUESTION)
    shown = (await api.get(f"/v1/connections/{pair.connection_id}")).json()
    assert (shown["problem"], shown["outage_since"]) == (None, None)
    assert (await api.get(f"/v1/connections/{pair.connection_id}/web_connector")).json()["problem"] is None
    assert await open_codes(pair, api) == []


async def open_codes(pair: Pair, api: ApiClient) -> list[str]:
    issues = (await api.get("/v1/sync-issues", state="open")).json()["items"]
    return [one["code"] for one in issues if one["connection_id"] == pair.connection_id]


async def test_an_answer_to_another_question_about_the_company_is_not_taken(pair: Pair, api: ApiClient) -> None:
    """Issue 12: it says nothing of the company file that is open: not that it is the wrong one, either."""
    await pair.asked()
    _, question = await calls(pair)
    orders = pair.company.answer(question)
    admitted = await pair.connector.call(
        "authenticate", strUserName=pair.connector.user, strPassword=pair.connector.password
    )
    secret = admitted[0].text or ""
    assert "CompanyQuery" in await sent(pair, secret)
    assert await received(pair, secret, orders) == -1
    assert await open_codes(pair, api) == ["QUICKBOOKS_ANSWER_BROKEN"]


async def test_an_answer_to_nothing_is_named(pair: Pair, api: ApiClient) -> None:
    await pair.asked()
    secret, document = await calls(pair)
    assert await received(pair, secret, pair.company.answer(document)) > 0
    assert await received(pair, secret, pair.company.answer(QUESTION_OF_NOBODY)) == -1
    assert await open_codes(pair, api) == ["QUICKBOOKS_ANSWER_BROKEN"]


QUESTION_OF_NOBODY = f"<QBXML><QBXMLMsgsRq>{QUESTION}</QBXMLMsgsRq></QBXML>"


async def test_a_document_that_quickbooks_cannot_read_is_not_sent_again(pair: Pair) -> None:
    """Issue 12: 0x80040400 is a fault of ours: the request is refused, and the session goes on."""
    await pair.asked()
    secret, _ = await calls(pair)
    assert await received(pair, secret, "", "-2147220480", "QuickBooks found an error when parsing") > 0
    answer = await pair.journal.read("orders", QUESTION)
    assert answer.startswith("refused whole -2147220480")


async def test_the_same_answer_twice_is_taken_once(pair: Pair) -> None:
    await pair.wrote()
    secret, document = await calls(pair)
    answer = pair.company.answer(document)
    assert await received(pair, secret, answer) > 0
    assert await received(pair, secret, answer) > 0
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)


async def test_a_document_asked_for_twice_is_the_same(pair: Pair) -> None:
    await pair.wrote()
    secret, document = await calls(pair)
    assert document == await sent(pair, secret)


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


def a_part(document: str, number: int, left: int, code: int = 0) -> str:
    """One part of an answer to a document, with one order."""
    asked = etree.fromstring(document.encode())[0][0].get("requestID")
    return (
        f'<QBXML><QBXMLMsgsRs><PurchaseOrderQueryRs requestID="{asked}" statusCode="{code}" statusSeverity="Info"'
        f' iteratorRemainingCount="{left}" iteratorID="{{it-1}}"><PurchaseOrderRet><TxnID>{number}</TxnID>'
        "</PurchaseOrderRet></PurchaseOrderQueryRs></QBXMLMsgsRs></QBXML>"
    )


def untagged(document: str) -> str:
    return re.sub(r'(requestID="[^"~]*)~[^"]*', r"\1", document)


@pytest.mark.parametrize("repeated", [False, True], ids=["once", "each part twice"])
async def test_an_answer_in_parts_is_stored_in_parts_and_read_anew_after_a_dead_session(
    pair: Pair, repeated: bool
) -> None:
    """Issue 12: the door goes on with an iterator itself; its id lives in the session only. A part that is brought
    twice is stored once."""
    request = wire.request("PurchaseOrderQuery", wire.part("MaxReturned", "1"), key="p", iterated=True)
    with pytest.raises(Deferred):
        await pair.journal.read_paged("pages", request)

    secret, first = await calls(pair)
    assert 'iterator="Start"' in first
    assert await received(pair, secret, a_part(first, 1, 2)) > 0
    assert 'iterator="Continue" iteratorID="{it-1}"' in await sent(pair, secret)
    secret, document = await calls(pair)  # the computer was switched off
    assert untagged(document) == untagged(first)
    for number, left in ((1, 2), (2, 1), (3, 0)):
        said = a_part(document, number, left)
        assert await received(pair, secret, said) > 0
        document = await sent(pair, secret)
        if repeated:  # between the parts, and behind the last one
            assert await received(pair, secret, said) > 0
    answer = await pair.journal.read_paged("pages", request)
    assert answer.pages == 3
    shown = [await pair.journal.page(answer.name, number) for number in (1, 2, 3, 4)]
    assert [one is not None and f"<TxnID>{number}<" in one for number, one in enumerate(shown, 1)] == [
        True, True, True, False,
    ]  # fmt: skip


async def test_an_activity_is_woken_per_window_and_not_per_part(pair: Pair) -> None:
    """Issue 12: the parts of a window's answer wake nobody; its end wakes the activity once."""
    pair.waiter = Waiter("sync/1", "run", "a")
    request = wire.request("PurchaseOrderQuery", wire.part("MaxReturned", "1"), key="p", iterated=True)
    with pytest.raises(Deferred):
        await pair.journal.read_paged("pages", request)
    woken: list[Waiter] = []
    door = Door(pair.database, notify=woken.append, deliver=lambda owed: None, hold_seconds=0, busy_seconds=0)
    secret, document = await calls(pair)
    for number, left in ((1, 2), (2, 1), (3, 0)):
        assert woken == []
        assert await door.receive_response(secret, a_part(document, number, left), "", "") > 0
        document = await sent(pair, secret)
    assert woken == [pair.waiter]


async def test_a_lost_place_in_an_answer_starts_it_anew(pair: Pair) -> None:
    """Reference 2.4: 3391."""
    request = wire.request("PurchaseOrderQuery", wire.part("MaxReturned", "1"), key="p", iterated=True)
    with pytest.raises(Deferred):
        await pair.journal.read_paged("pages", request)
    secret, first = await calls(pair)
    assert await received(pair, secret, a_part(first, 1, 1)) > 0
    second = await sent(pair, secret)
    assert await received(pair, secret, a_part(second, 0, 0, code=3391)) > 0
    anew = await sent(pair, secret)
    assert untagged(anew) == untagged(first)
    assert await received(pair, secret, a_part(anew, 1, 0)) > 0
    assert (await pair.journal.read_paged("pages", request)).pages == 1


async def test_a_place_that_is_lost_again_and_again_is_told(pair: Pair) -> None:
    """Reference 2.4, 3391: the session would go on for ever; the activity asks later, and Temporal shows why."""
    request = wire.request("PurchaseOrderQuery", wire.part("MaxReturned", "1"), key="p", iterated=True)
    with pytest.raises(Deferred):
        await pair.journal.read_paged("pages", request)
    secret, document = await calls(pair)
    for _ in range(3 + 1):
        assert document
        assert await received(pair, secret, a_part(document, 1, 1)) > 0
        assert await received(pair, secret, a_part(await sent(pair, secret), 0, 0, code=3391)) > 0
        document = await sent(pair, secret)
    assert document == ""
    answer = await pair.journal.read_paged("pages", request)
    last = await pair.journal.page(answer.name, answer.pages)
    assert last is not None
    assert 'statusCode="3391"' in last


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

    def notify(waiter: Waiter) -> None:
        raise AssertionError("nobody waits")

    door = Door(pair.database, notify=notify, deliver=lambda owed: None, hold_seconds=0, busy_seconds=60)
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

    def notify(waiter: Waiter) -> None:
        raise AssertionError("nobody waits")

    def door(busy_seconds: float) -> Door:
        return Door(pair.database, notify=notify, deliver=lambda owed: None, hold_seconds=0, busy_seconds=busy_seconds)

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
    upkeep = Upkeep(pair.database, NoVault(), lambda settings: None)  # type: ignore[arg-type,return-value]
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
