"""The table of answers, gone through whole: every HTTP code, every broken shape, every error of NetSuite, for a write
and for its look-up (issue 10, G3, G4)."""

from typing import Any

import httpx
import pytest

from erp.errors import ErpError, Rejected, UnknownRefusal
from erp.netsuite import answers, faults
from erp.netsuite.answers import HTTP, Shape
from erp.transport import Answer
from erp.verdicts import Verdict
from tests.unit.erp.netsuite.bills import a_bill
from tests.unit.erp.netsuite.service import (
    Service,
    envelope_of,
    fault,
    got,
    order,
    order_item,
    refused,
    write_refused,
    written,
)

PAGE_OF_A_PROXY = "<html><body>Bad Request</body></html>"
DONE = envelope_of("add", written("77"))
KNOWN = fault("insufficientPermissionFault", "MAX_RCRDS_EXCEEDED", "Too many.").text
UNKNOWN = fault("somethingNewFault", "NOBODY_MET_THIS", "Hm.").text
BROKEN_READ = (
    '<readResponseList><c:status isSuccess="true"/><readResponse><c:status/></readResponse></readResponseList>'
)
EMPTY_FAULT = (
    "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><e:Fault>{}</e:Fault></e:Body>"
    "</e:Envelope>"
)


def verdict(status: int, body: str) -> Verdict:
    """What the answer to an add says."""
    try:
        answer = answers.read(Answer(status, httpx.Headers(), body.encode()), "addResponse", writing=True)
        answers.name_of(answers.written(answer))
    except ErpError as raised:
        return raised.verdict
    return Verdict.DONE


@pytest.mark.parametrize("body", ["", PAGE_OF_A_PROXY, "<response/>", DONE])
def test_an_http_status_alone_never_says_that_a_write_was_not_done(body: str) -> None:
    """G4: over all HTTP codes. 200 is read by its body; 429 is counted before anything is read."""
    for status in range(100, 600):
        expected = Verdict.NOT_YET if status == 429 else Verdict.IN_DOUBT
        if status == 200:
            expected = Verdict.DONE if body == DONE else Verdict.IN_DOUBT
        assert verdict(status, body) is expected, status


def test_a_soap_fault_counts_with_every_code() -> None:
    """A fault refused the whole request, whatever the code; unknown words are looked up first."""
    for status in range(100, 600):
        assert verdict(status, KNOWN) is Verdict.REFUSED, status
        assert verdict(status, UNKNOWN) is Verdict.IN_DOUBT, status


BROKEN: dict[Shape, list[str]] = {
    Shape.NOT_XML: ["", "{}", DONE[: len(DONE) // 2], "<!DOCTYPE a><a/>"],
    Shape.OTHER_XML: [PAGE_OF_A_PROXY, "<response/>", "<Envelope/>"],
    Shape.OTHER_OPERATION: [
        EMPTY_FAULT.replace("<e:Fault>{}</e:Fault>", ""),
        envelope_of("update", written("77")),
        envelope_of("getList", got()),
    ],
    Shape.FAULT_WITHOUT_DETAIL: [
        EMPTY_FAULT.format("<faultstring>Oops</faultstring>"),
        EMPTY_FAULT.format("<faultstring>Oops</faultstring><detail/>"),
        EMPTY_FAULT.format("<faultstring>java.lang.X</faultstring><detail><hostname>a</hostname></detail>"),
    ],
    Shape.NO_STATUS: [
        envelope_of("add", ""),
        envelope_of("add", "<writeResponse/>"),
        envelope_of("add", "<writeResponse><c:status/></writeResponse>"),
        envelope_of("add", '<writeResponse><c:status isSuccess="maybe"/></writeResponse>'),
        envelope_of("add", '<writeResponse><baseRef internalId="77"/></writeResponse>'),
    ],
    Shape.NO_ID: [
        envelope_of("add", '<writeResponse><c:status isSuccess="true"/></writeResponse>'),
        envelope_of("add", '<writeResponse><c:status isSuccess="true"/><baseRef type="vendorBill"/></writeResponse>'),
    ],
}


def test_every_broken_shape_leaves_a_write_in_doubt() -> None:
    """G4: after the commit, an answer may lose any of its parts."""
    assert BROKEN.keys() == set(Shape)
    for shape, bodies in BROKEN.items():
        for body in bodies:
            assert verdict(200, body) is Verdict.IN_DOUBT, (shape, body)


@pytest.mark.parametrize("body", [body for bodies in BROKEN.values() for body in bodies])
async def test_a_broken_shape_is_looked_up_after_a_write(service: Service, body: str) -> None:
    """G4, through the connector."""
    service.script |= {"getList": got(order(lines=[order_item()])), "add": httpx.Response(200, text=body)}
    with pytest.raises(ErpError) as caught:
        await service.connect().bills.create(a_bill())
    assert (caught.value.code, caught.value.retryable) == ("OUTCOME_UNKNOWN", True)


@pytest.mark.parametrize(
    "meaning",
    [*faults.CODES.items(), *((f"{code} {words}", said) for code, words, said in faults.TEXTS)],
    ids=lambda m: m[0],
)
def test_every_known_error_says_one_thing_of_a_write(meaning: tuple[str, faults.Meaning]) -> None:
    """NetSuite's own errors: what was refused and what may be repeated was not done; the rest is looked up."""
    family = meaning[1].on_write or meaning[1].family
    assert family.verdict is not Verdict.DONE
    assert family.verdict is not Verdict.IN_DOUBT or family.retryable or meaning[1].code == "ALREADY_EXISTS"


@pytest.mark.parametrize("answer", [UNKNOWN, write_refused("NOBODY_MET_THIS"), write_refused("", "")])
async def test_a_refusal_in_unknown_words_is_looked_up_before_it_counts(service: Service, answer: str) -> None:
    """Issue 10: well-formed and unknown: its words are kept, and nothing is sent again by itself."""
    body: Any = httpx.Response(500, text=answer) if answer == UNKNOWN else answer
    service.script |= {"getList": got(order(lines=[order_item()])), "add": body}
    with pytest.raises(UnknownRefusal) as caught:
        await service.connect().bills.create(a_bill())
    assert (caught.value.verdict, caught.value.code) == (Verdict.IN_DOUBT, "UNKNOWN_ERP_ERROR")


async def test_a_look_up_is_done_only_by_a_whole_answer(service: Service) -> None:
    """Only `RCRD_DSNT_EXIST` says that the bill is not there; a proxy, an outage and unknown words say nothing."""
    connector = service.connect()
    service.script["getList"] = got(refused("RCRD_DSNT_EXIST"))
    assert await connector.bills.find(a_bill()) is None
    for status in (*HTTP, 400, 204, 302, 500, 524):
        service.script["getList"] = httpx.Response(status, text=PAGE_OF_A_PROXY)
        with pytest.raises(ErpError) as caught:
            await connector.bills.find(a_bill())
        assert caught.value.retryable, status
    for inner in (BROKEN_READ, "<readResponseList/>", got()):
        service.script["getList"] = inner
        with pytest.raises(ErpError) as caught:
            await connector.bills.find(a_bill())
        assert caught.value.retryable, inner
    service.script["getList"] = got(refused("NOBODY_MET_THIS"))
    with pytest.raises(Rejected):
        await connector.bills.find(a_bill())


async def test_our_own_checks_before_sending_are_refusals(service: Service) -> None:
    """The order is read before the bill is built: what that shows refuses the bill, and nothing was sent."""
    service.script["getList"] = got(refused("RCRD_DSNT_EXIST"))
    with pytest.raises(Rejected) as caught:
        await service.connect().bills.create(a_bill())
    assert caught.value.verdict is Verdict.REFUSED
    assert not service.sent("add")
