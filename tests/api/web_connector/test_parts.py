"""Answers that the Web Connector brings in parts."""

import re

import pytest
from lxml import etree
from sqlalchemy import text

from erp.errors import Deferred
from erp.quickbooks_desktop import wire
from models.messages.outbox import ActivityToRetry
from models.store.audit.exchanges import Waiter
from services.outbox.delivery import OutboxDelivery
from services.web_connector.door import Door
from tests.fakes.fake_notifier import FakeNotifier
from tests.harness.paired_web_connector import Pair, calls, received, sent, woken_by


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
    door = Door(pair.database, deliver=lambda owed: woken.append(woken_by(owed)), hold_seconds=0, busy_seconds=0)
    secret, document = await calls(pair)
    for number, left in ((1, 2), (2, 1), (3, 0)):
        assert woken == []
        assert await door.receive_response(secret, a_part(document, number, left), "", "") > 0
        document = await sent(pair, secret)
    assert woken == [pair.waiter]


async def test_an_activity_is_woken_though_the_process_that_stored_its_answer_died(pair: Pair) -> None:
    """Issue 12: it waited for half an hour, until it looked by itself. The word is stored with the answer, and the
    worker brings it."""
    pair.waiter = Waiter("bill/INV 1", "run", "a")
    request = wire.request("PurchaseOrderQuery", wire.part("MaxReturned", "1"), key="p", iterated=True)
    with pytest.raises(Deferred):
        await pair.journal.read_paged("pages", request)
    dead = Door(pair.database, deliver=lambda _: None, hold_seconds=0, busy_seconds=0)
    secret, document = await calls(pair)
    assert await dead.receive_response(secret, a_part(document, 1, 0), "", "") > 0
    async with pair.database.transaction() as s:
        await s.execute(text("update outbox set next_try = now() where connection_id = :c"), {"c": pair.connection_id})
    notifier = FakeNotifier()
    await OutboxDelivery(pair.database, notifier).deliver_due()
    assert notifier.retried == [ActivityToRetry("bill/INV 1", "run", "a")]


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
