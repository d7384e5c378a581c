"""What comes back through the Web Connector: each answer is taken for its own document, and a broken one is shown."""

import httpx
import pytest

from erp.errors import Deferred
from models.store.base.database import Database
from tests.harness.api_client import ApiClient
from tests.harness.paired_web_connector import QUESTION, WRITE, Pair, bill, calls, new_pair, received, sent


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


async def test_the_same_answer_twice_is_taken_once(pair: Pair) -> None:
    await pair.wrote()
    secret, document = await calls(pair)
    answer = pair.company.answer(document)
    assert await received(pair, secret, answer) > 0
    assert await received(pair, secret, answer) > 0
    assert "601-1" in await pair.journal.write("PSB-1", WRITE)


@pytest.mark.parametrize("hresult", ["--5", "\u00b2", "-", "0x", "9" * 5000, "no number"])
async def test_an_error_whose_number_is_none_is_shown_and_loses_nothing(pair: Pair, hresult: str) -> None:
    """Issue 12: whatever stands in place of a number: the session ends by name, and the question is asked again."""
    await pair.asked()
    secret, _ = await calls(pair)
    assert await received(pair, secret, "", hresult, "Something") == -1
    assert (await pair.connection()).problem_code == "QUICKBOOKS_DID_NOT_ANSWER"
    await pair.connector.session()
    assert "PO-1007" in await pair.journal.read("orders", QUESTION)
