"""Exactly-once writes: what QuickBooks does with newMessageSetID and oldMessageSetID (reference 3.4)."""

import pytest
from lxml import etree

from sandbox.quickbooks_desktop.errors import HResult
from tests.harness.qbxml_schema import parsed
from tests.unit.sandbox.quickbooks_desktop.pc import Pc, document

ADD = "<VendorAddRq><VendorAdd><Name>{}</Name></VendorAdd></VendorAddRq>"


def sent(pc: Pc, text: str) -> etree._Element:
    """QBXMLMsgsRs of a document's very bytes."""
    return parsed(pc.session.process(text))[0]


def code(answer: etree._Element) -> str | None:
    return answer.get("messageSetStatusCode")


async def vendors(pc: Pc) -> int:
    return len(await pc.held("vendors"))


async def test_the_same_bytes_are_not_executed_twice(pc: Pc) -> None:
    text = document(ADD.format("A"), newMessageSetID="X")
    first, second = sent(pc, text), sent(pc, text)
    assert code(first) == code(second) == "0"
    assert etree.tostring(first) == etree.tostring(second)
    assert await vendors(pc) == 1


async def test_other_bytes_under_a_stored_id_are_9001(pc: Pc) -> None:
    sent(pc, document(ADD.format("A"), newMessageSetID="X"))
    answer = sent(pc, document(ADD.format("B"), newMessageSetID="X"))
    assert (code(answer), len(answer)) == ("9001", 0)
    # One more space is other bytes, too.
    spaced = document(ADD.format("A"), newMessageSetID="X").replace("<VendorAdd>", "<VendorAdd> ")
    assert code(sent(pc, spaced)) == "9001"
    assert await vendors(pc) == 1


@pytest.mark.parametrize(("word", "full"), [("full", True), ("ids_only", False)])
async def test_a_status_check_shows_the_stored_outcome(pc: Pc, word: str, full: bool) -> None:
    await pc.switch(status_check_answer=word)
    sent(pc, document(ADD.format("A"), newMessageSetID="X"))
    answer = sent(pc, document(newMessageSetID="X", oldMessageSetID="X"))
    assert code(answer) == "0"
    assert (answer.find("VendorAddRs/VendorRet") is not None) == full
    assert (answer.find("VendorAddRs/ErrorRecovery/ListID") is not None) != full


@pytest.mark.parametrize("word", ["600", "9002"])
async def test_a_set_that_is_not_stored_was_never_processed(pc: Pc, word: str) -> None:
    await pc.switch(unknown_set_code=word)
    answer = sent(pc, document(newMessageSetID="X", oldMessageSetID="X"))
    assert (code(answer), len(answer)) == (word, 0)


async def test_clearing_forgets(pc: Pc) -> None:
    text = document(ADD.format("A"), newMessageSetID="X")
    sent(pc, text)
    assert code(sent(pc, document(oldMessageSetID="X"))) == "0"
    assert code(sent(pc, document(oldMessageSetID="X"))) == "600"
    repeated = sent(pc, text)
    assert repeated[0].get("statusCode") == "3100"  # executed again
    sent(pc, document(oldMessageSetID="ClearAllMessageSets"))
    assert await pc.held("message_sets") == []


async def test_a_new_set_may_clear_the_old_one(pc: Pc) -> None:
    sent(pc, document(ADD.format("A"), newMessageSetID="X"))
    answer = sent(pc, document(ADD.format("B"), newMessageSetID="Y", oldMessageSetID="X"))
    assert code(answer) == "0"
    assert [one["id"] for one in await pc.held("message_sets")] == ["Y"]


@pytest.mark.parametrize("limit", [23, 24])
async def test_a_long_id_is_9004(pc: Pc, limit: int) -> None:
    await pc.switch(message_set_id_limit=limit)
    assert code(sent(pc, document(ADD.format("A"), newMessageSetID="x" * limit))) == "0"
    assert code(sent(pc, document(ADD.format("B"), newMessageSetID="x" * (limit + 1)))) == "9004"
    assert await vendors(pc) == 1


async def test_a_refusal_is_stored_too(pc: Pc) -> None:
    sent(pc, document(ADD.format("A")))
    text = document(ADD.format("A"), newMessageSetID="X")
    assert sent(pc, text)[0].get("statusCode") == "3100"
    assert sent(pc, document(newMessageSetID="X", oldMessageSetID="X"))[0].get("statusCode") == "3100"


async def test_what_cannot_be_parsed_is_not_stored(pc: Pc) -> None:
    with pytest.raises(HResult):
        sent(pc, document("<NobodyKnowsRq/>", newMessageSetID="X"))
    assert code(sent(pc, document(newMessageSetID="X", oldMessageSetID="X"))) == "600"


async def test_a_restored_backup_has_forgotten_sets_and_documents(pc: Pc) -> None:
    await pc.does("back_up")
    text = document(ADD.format("A"), newMessageSetID="X")
    first = sent(pc, text)
    await pc.does("restore_backup")
    assert await vendors(pc) == 0
    assert code(sent(pc, document(newMessageSetID="X", oldMessageSetID="X"))) == "600"
    second = sent(pc, text)
    # The new document has the number that the lost one had.
    numbers = [one.findtext(".//ListID", "").partition("-")[0] for one in (first, second)]
    assert numbers[0] == numbers[1]


async def test_without_recovery_there_is_no_code(pc: Pc) -> None:
    assert code(sent(pc, document(ADD.format("A")))) is None


async def test_include_none_leaves_the_status_alone(pc: Pc) -> None:
    answer = sent(pc, document(ADD.format("A"), responseData="includeNone"))
    assert answer[0].get("statusCode") == "0"
    assert len(answer[0]) == 0
