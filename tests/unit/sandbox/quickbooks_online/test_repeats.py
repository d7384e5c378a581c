"""Batches, and `requestid`: what a repeat gets (reference 3.6, 3.9)."""

import asyncio
from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_online.books import Books, bill_of, code_of


async def test_a_repeat_gets_the_first_answer_byte_for_byte(books: Books) -> None:
    """Reference 3.6: whatever its body says; another id or company does it anew."""
    order = await books.order()
    body = bill_of(order, (1, "4"))
    first = await books.call("POST", "bill", body, requestid="r-1")
    await books.pass_time(60)
    again = await books.call("POST", "bill", {**body, "DocNumber": "INV-2"}, requestid="r-1")
    assert again.content == first.content
    assert len(await books.held("bills")) == 1
    await books.call("POST", "bill", body, requestid="r-2")
    assert len(await books.held("bills")) == 2


async def test_a_refusal_does_not_use_the_id_up(books: Books) -> None:
    """Reference 3.6."""
    order = await books.order()
    body = bill_of(order, (1, "4"))
    assert await books.refused("Bill", {**body, "TxnDate": "soon"}, requestid="r-1") == "2070"
    assert await books.save("Bill", body, requestid="r-1")
    assert await books.refused("Bill", body, requestid="r" * 51) == "2130"


@pytest.mark.parametrize(("position", "later"), [("replay", 1), ("forgotten", 2), ("ignored", 3)])
async def test_whether_an_id_is_remembered(books: Books, position: str, later: int) -> None:
    """Reference 3.6: two payments were created with one id: a switch."""
    await books.switch(request_id=position)
    order = await books.order()
    for seconds in (0, 3600, 24 * 3600):
        await books.pass_time(seconds)
        await books.connect()
        await books.save("Bill", bill_of(order, (1, "1")), requestid="r-1")
    assert len(await books.held("bills")) == later


async def test_a_repeat_waits_while_the_first_is_under_way(books: Books) -> None:
    """Reference 3.6."""
    order = await books.order()
    await books.switch(latency_seconds=0.01)
    body = bill_of(order, (1, "1"))
    answers = await asyncio.gather(*(books.call("POST", "bill", body, requestid="r-1") for _ in range(8)))
    assert len({answer.content for answer in answers}) == 1
    assert len(await books.held("bills")) == 1


async def test_a_lost_answer_is_recovered(books: Books) -> None:
    """Reference 3.6: the reason why there is an id."""
    order = await books.order()
    await books.break_("lost_answer", operation="create", object="Bill", times=1)
    with pytest.raises(Exception, match="without sending a response"):
        await books.save("Bill", bill_of(order, (1, "1")), requestid="r-1")
    assert (await books.save("Bill", bill_of(order, (1, "1")), requestid="r-1"))["Id"] == "1"


async def batch(books: Books, *items: dict[str, Any], **parameters: str) -> list[dict[str, Any]]:
    answer = await books.call("POST", "batch", {"BatchItemRequest": list(items)}, **parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["BatchItemResponse"]
    return found


async def test_items_are_done_one_after_another_without_a_transaction(books: Books) -> None:
    """Reference 3.9."""
    order = await books.order()
    bill = bill_of(order, (1, "4"))
    found = await batch(
        books,
        {"bId": "a", "operation": "create", "Bill": bill},
        {"bId": "b", "operation": "create", "Bill": {**bill, "VendorRef": None}},
        {"bId": "c", "operation": "update", "Bill": {"Id": "1", "SyncToken": "0", "sparse": True, "Memo": "x"}},
        {"bId": "d", "Query": "select * from Bill where Balance > '0'"},
        {"bId": "e", "Query": "select * from Term where Name = 'none'"},
        {"bId": "f", "CDCQuery": {"Entities": "Bill", "ChangedSince": "2026-11-20"}},
        {"bId": "g", "operation": "delete", "Bill": {"Id": "1", "SyncToken": "1"}},
        {"bId": "h", "operation": "create", "Dragon": {}},
        {"bId": "i", "operation": "void", "PurchaseOrder": {"Id": "1", "SyncToken": "0"}},
    )
    assert [item["bId"] for item in found] == list("abcdefghi")
    assert found[0]["Bill"]["Line"][0]["LinkedTxn"][0]["TxnLineId"] == "1"
    assert [item["Fault"]["Error"][0]["code"] for item in found if "Fault" in item] == ["2020", "2000", "500"]
    assert found[3]["QueryResponse"]["Bill"][0]["Memo"] == "x"
    assert (found[4]["QueryResponse"], len(found[5]["CDCResponse"]["QueryResponse"])) == ({}, 1)
    assert found[6]["Bill"] == {"domain": "QBO", "status": "Deleted", "Id": "1"}


async def test_a_batchs_size_order_options_and_id(books: Books) -> None:
    """Reference 3.6, 3.9: the replay is of the batch as a whole."""
    query = {"bId": "1", "Query": "select * from Term"}
    too_big = await books.call("POST", "batch", {"BatchItemRequest": [query] * 31})
    assert (too_big.status_code, code_of(too_big)) == (400, "1040")
    assert code_of(await books.call("POST", "batch", {})) == "2020"
    order = await books.order()
    bill = bill_of(order, (1, "1"))
    await books.act("set_preferences", WarnDuplicateBillNumber=True)
    items = [{"bId": "1", "operation": "create", "Bill": bill}, {"bId": "2", "operation": "create", "Bill": bill}]
    items.append({"bId": "3", "operation": "create", "Bill": bill, "optionsData": "allowduplicatedocnum"})
    for _ in range(2):
        found = await batch(books, *items, requestid="b-1")
        assert ["Fault" in item for item in found] == [False, True, False]
    assert len(await books.held("bills")) == 2
    await books.switch(batch_order="reversed")
    assert [item["bId"] for item in await batch(books, *items)] == ["3", "2", "1"]
    for parameters, item in (({"requestid": "r" * 37}, query), ({"requestid": "r"}, {**query, "bId": "x" * 11})):
        answer = await books.call("POST", "batch", {"BatchItemRequest": [item]}, **parameters)
        assert code_of(answer) == "2130"
