"""What an answer to a write is worth: whatever QuickBooks calls it, only a record that it shows is success."""

from typing import Any

import pytest

from erp.errors import ErpError, MalformedAnswer, OutcomeUnknown, Rejected, Stale, Unavailable, UnknownRefusal
from erp.quickbooks_desktop import wire
from erp.quickbooks_desktop.client import Client, record_of
from erp.verdicts import Verdict

BILL = wire.request("BillAdd", wire.group("BillAdd", wire.part("RefNumber", "INV-1")), key="bill")
SHOWN = "<BillRet><TxnID>601-1</TxnID></BillRet>"


class OneAnswer:
    """A journal that holds this answer to every write, and what it means for the write."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.verdict: Verdict | None = None

    async def write(self, key: str, request: str, outcome: Any, *, looked_up: Any = None) -> str:
        self.verdict = outcome(self.answer)
        return self.answer


def answered(status: int, severity: str, inner: str = "", *, of_set: int | None = None) -> str:
    said = "" if of_set is None else f' messageSetStatusCode="{of_set}"'
    return (
        f'<QBXML><QBXMLMsgsRs{said}><BillAddRs requestID="bill" statusCode="{status}" statusSeverity="{severity}"'
        f' statusMessage="Said">{inner}</BillAddRs></QBXMLMsgsRs></QBXML>'
    )


@pytest.mark.parametrize("severity", ["Info", "Warn", "Error"])
@pytest.mark.parametrize(
    ("status", "family"),
    [(3210, Rejected), (3140, Rejected), (3161, Rejected), (3176, Unavailable), (3200, Stale), (8642, UnknownRefusal)],
)
@pytest.mark.parametrize("inner", ["", SHOWN], ids=["nothing", "record"])
async def test_a_number_of_a_thousand_or_more_is_never_success(
    severity: str, status: int, family: type[ErpError], inner: str
) -> None:
    """Issue 12: even as Info, and even beside a record."""
    journal: Any = OneAnswer(answered(status, severity, inner))
    with pytest.raises(family) as refused:
        await Client(journal).write("PSB-1", "BillAdd", BILL)
    assert refused.value.erp_code == str(status)
    assert journal.verdict is not Verdict.DONE


@pytest.mark.parametrize(("status", "severity"), [(0, "Info"), (530, "Warn"), (570, "Warn")])
async def test_a_write_without_its_record_is_in_doubt(status: int, severity: str) -> None:
    """Issue 12: QuickBooks took it and shows nothing: it is looked up, never taken as done."""
    journal: Any = OneAnswer(answered(status, severity))
    with pytest.raises(OutcomeUnknown):
        await Client(journal).write("PSB-1", "BillAdd", BILL)
    assert journal.verdict is Verdict.IN_DOUBT


@pytest.mark.parametrize(("status", "severity"), [(0, "Info"), (530, "Warn")])
async def test_a_record_that_is_shown_is_taken(status: int, severity: str) -> None:
    """A warning leaves the record: what it left out of it, as the link, is found when it is read back."""
    journal: Any = OneAnswer(answered(status, severity, SHOWN))
    answer = await Client(journal).write("PSB-1", "BillAdd", BILL)
    record = record_of(answer.named("BillAdd"))
    assert record is not None
    assert record.findtext("TxnID") == "601-1"
    assert journal.verdict is Verdict.DONE


@pytest.mark.parametrize(
    ("of_set", "family", "verdict"),
    [
        (9001, OutcomeUnknown, Verdict.IN_DOUBT),
        (9003, OutcomeUnknown, Verdict.IN_DOUBT),
        (9004, Rejected, Verdict.REFUSED),
        (9005, OutcomeUnknown, Verdict.IN_DOUBT),
    ],
)
@pytest.mark.parametrize("inner", ["", SHOWN], ids=["nothing", "record"])
async def test_what_is_wrong_with_the_set_is_told(
    of_set: int, family: type[ErpError], verdict: Verdict, inner: str
) -> None:
    """Issue 12: 9001 says that our bytes differ from the ones before, and those may have been done."""
    journal: Any = OneAnswer(answered(0, "Info", inner, of_set=of_set))
    with pytest.raises(family) as refused:
        await Client(journal).write("PSB-1", "BillAdd", BILL)
    assert type(refused.value) is family
    assert (refused.value.code, refused.value.erp_code) == ("MESSAGE_SET_REFUSED", str(of_set))
    assert journal.verdict is verdict


async def test_an_answer_to_something_else_is_none() -> None:
    other = '<QBXML><QBXMLMsgsRs><BillQueryRs requestID="bill" statusCode="0"/></QBXMLMsgsRs></QBXML>'
    journal: Any = OneAnswer(other)
    with pytest.raises(MalformedAnswer):
        await Client(journal).write("PSB-1", "BillAdd", BILL)
    assert journal.verdict is not Verdict.DONE


async def test_elements_that_nobody_knows_do_no_harm() -> None:
    """Issue 12: a newer QuickBooks says more."""
    inner = "<BillRet><Novelty><Kind>new</Kind></Novelty><TxnID>601-1</TxnID><Anders>Zoë</Anders></BillRet>"
    journal: Any = OneAnswer(answered(0, "Info", inner))
    answer = await Client(journal).write("PSB-1", "BillAdd", BILL)
    assert wire.text(record_of(answer.named("BillAdd")), "TxnID") == "601-1"
