"""The table of answers, gone through whole: every HTTP code, every broken shape, every error of the gateway.

Each for a write and for its look-up (issue 10, G3, G4).
"""

import httpx
import pytest

from erp.errors import ErpError, Rejected, UnknownRefusal
from erp.intacct import answers, faults
from erp.intacct.answers import HTTP, Shape
from erp.transport import Answer
from erp.verdicts import Verdict
from tests.builders.outgoing_bills import a_bill
from tests.fakes.intacct_gateway import CONTROL, Gateway, error, failed, page, response, result

PAGE_OF_A_PROXY = "<html><body>Bad Request</body></html>"
KNOWN, UNKNOWN = error("GW-0011", "Invalid request"), error("ZZ99", "Nobody knows this")
REFUSED_KNOWN = f"<response><control><status>failure</status></control>{KNOWN}</response>"
REFUSED_UNKNOWN = f"<response><control><status>failure</status></control>{UNKNOWN}</response>"
DONE = response(result("<key>Vendor Invoice-b-1</key>", "create_potransaction"))


def verdict(status: int, body: str, *, writing: bool = True) -> Verdict:
    """What the answer to one function says."""
    answer = Answer(status, httpx.Headers(), body.encode())
    try:
        (found,) = answers.results(answers.read(answer, writing=writing), 1, writing=writing)
    except ErpError as raised:
        return raised.verdict
    return Verdict.DONE if found.fault is None else found.fault.verdict


@pytest.mark.parametrize(
    "body", ["", PAGE_OF_A_PROXY, "<response/>", "<error><errorno>GW-0011</errorno></error>", DONE]
)
def test_an_http_status_alone_never_says_that_a_write_was_not_done(body: str) -> None:
    """G4: over all HTTP codes. 200 is read by its body; 429 is counted before anything is read."""
    for status in range(100, 600):
        expected = Verdict.NOT_YET if status == 429 else Verdict.IN_DOUBT
        if status == 200:
            expected = Verdict.DONE if body == DONE else Verdict.IN_DOUBT
        assert verdict(status, body) is expected, status


def test_the_gateways_own_refusal_counts_with_every_code_below_500() -> None:
    """G4: only a well-formed refusal of the ERP itself is one; unknown words are looked up first."""
    for status in range(100, 600):
        known = Verdict.IN_DOUBT if status >= 500 else Verdict.NOT_YET if status == 429 else Verdict.REFUSED
        assert verdict(status, REFUSED_KNOWN) is known, status
        unknown = Verdict.NOT_YET if status == 429 else Verdict.IN_DOUBT
        assert verdict(status, REFUSED_UNKNOWN) is unknown, status


BROKEN: dict[Shape, list[str]] = {
    Shape.NOT_XML: ["", "{}", PAGE_OF_A_PROXY + "x", DONE[: len(DONE) // 2], "<!DOCTYPE a><response/>"],
    Shape.OTHER_XML: [PAGE_OF_A_PROXY, "<error/>"],
    Shape.NO_CONTROL_STATUS: [
        "<response/>",
        "<response><control/></response>",
        "<response><control><status/></control></response>",
        f"<response>{KNOWN}</response>",
        f"<response><control><status>error</status></control>{KNOWN}</response>",
    ],
    Shape.NO_OPERATION: [f"<response>{CONTROL}</response>"],
    Shape.NO_SIGN_IN_STATUS: [
        f"<response>{CONTROL}<operation/></response>",
        f"<response>{CONTROL}<operation>{result('<key>1</key>')}</operation></response>",
        response(result("<key>1</key>"), auth="<authentication><status/></authentication>"),
    ],
    Shape.OTHER_RESULTS: [response(), response(result("<key>1</key>"), result("<key>2</key>"))],
    Shape.NO_RESULT_STATUS: [
        response("<result><key>1</key></result>"),
        response(result("<key>1</key>", status="")),
        response(result("<key>1</key>", status="done")),
        response(f"<result>{error('BL03000018', 'Missing unit')}</result>"),
        response(f"<result>{error('ZZ99', 'Nobody knows this')}</result>"),
    ],
}


def test_every_broken_shape_leaves_a_write_in_doubt() -> None:
    """G4: after the commit, an answer may lose any of its parts."""
    assert BROKEN.keys() == set(Shape)
    for shape, bodies in BROKEN.items():
        for body in bodies:
            assert verdict(200, body) is Verdict.IN_DOUBT, (shape, body)


@pytest.mark.parametrize("body", [body for bodies in BROKEN.values() for body in bodies])
async def test_a_broken_shape_is_looked_up_after_a_write_and_asked_again_after_a_look_up(body: str) -> None:
    """G3, G4, through the connector: neither ends the activity."""
    with pytest.raises(ErpError) as written:
        await Gateway(body).connector().bills.create(a_bill())
    assert (written.value.code, written.value.retryable) == ("OUTCOME_UNKNOWN", True)
    with pytest.raises(ErpError) as looked_up:
        await Gateway(body).connector().bills.find(a_bill())
    assert (looked_up.value.code, looked_up.value.retryable) == ("MALFORMED_ANSWER", True)


async def test_an_accepted_bill_without_a_name_is_in_doubt() -> None:
    """A success names what it made."""
    with pytest.raises(ErpError) as caught:
        await Gateway(response(result("", "create_potransaction"))).connector().bills.create(a_bill())
    assert caught.value.code == "OUTCOME_UNKNOWN"


@pytest.mark.parametrize("row", faults.FAULTS, ids=lambda row: f"{row.errorno}-{row.text}")
def test_every_known_error_says_one_thing_of_a_write(row: faults.Fault) -> None:
    """The ERP's own errors: what was refused and what may be repeated was not done; the rest is looked up."""
    family = row.on_write or row.family
    assert family.verdict in (Verdict.REFUSED, Verdict.NOT_YET) or (
        family.verdict is Verdict.IN_DOUBT and (family.retryable or row.code in ("ALREADY_SENT", "ALREADY_EXISTS"))
    )


ODD, SILENT = failed("ZZ99", "Ask Mary first"), failed("", "")


@pytest.mark.parametrize(
    ("body", "to_look_up"),
    [
        (response(ODD), response(ODD, ODD)),
        (response(SILENT), response(SILENT, SILENT)),
        (REFUSED_UNKNOWN, REFUSED_UNKNOWN),
    ],
)
async def test_a_refusal_in_unknown_words_is_looked_up_before_it_counts(body: str, to_look_up: str) -> None:
    """Issue 10: well-formed and unknown: its words are kept, and nothing is sent again by itself."""
    with pytest.raises(UnknownRefusal) as caught:
        await Gateway(body).connector().bills.create(a_bill())
    assert (caught.value.verdict, caught.value.code) == (Verdict.IN_DOUBT, "UNKNOWN_ERP_ERROR")
    with pytest.raises(Rejected):
        await Gateway(to_look_up).connector().bills.find(a_bill())


async def test_a_look_up_is_done_only_by_a_whole_answer() -> None:
    """An empty page says that the bill is not there; every HTTP code but 200 says nothing."""
    nothing = response(page("PODOCUMENT"), page("PODOCUMENT"))
    assert await Gateway(nothing).connector().bills.find(a_bill()) is None
    for status in (*HTTP, 400, 204, 302, 500, 524):
        with pytest.raises(ErpError) as caught:
            await Gateway(httpx.Response(status, text=PAGE_OF_A_PROXY)).connector().bills.find(a_bill())
        assert caught.value.retryable, status


async def test_our_own_checks_before_sending_are_refusals() -> None:
    """Nothing was sent, so there is nothing to look up."""
    gateway = Gateway()
    bill = a_bill()
    other = bill.lines[0].source.model_copy(update={"document_id": "PO Receiver-9"})
    lines = (*bill.lines, bill.lines[0].model_copy(update={"source": other}))
    with pytest.raises(Rejected) as caught:
        await gateway.connector().bills.create(bill.model_copy(update={"lines": lines}))
    assert (caught.value.code, caught.value.verdict) == ("SEVERAL_SOURCES", Verdict.REFUSED)
    assert not gateway.calls
