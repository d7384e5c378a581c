"""Whatever an answer holds, a caller gets records or one of our errors, never another exception."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.connector import ErpConnector
from erp.errors import ErpError, MalformedAnswer
from models.domain.ids import DocumentId, ErpId
from models.domain.lists import ListKind
from models.domain.sync import Stream
from tests.builders.intacct_answers import BILL, BILL_ITEM, PAYMENT, PAYMENT_SHARE, whole_record
from tests.builders.outgoing_bills import (
    a_bill,
    a_payment,
)
from tests.fakes.intacct_gateway import (
    Gateway,
    line_row,
    order_row,
    page,
    response,
    result,
    session_answer,
)

CURSOR = "2031-07-01 10:00:00"
VENDOR = {"RECORDNO": "1", "VENDORID": "V-1", "NAME": "Mill", "WHENMODIFIED": "07/01/2031 10:00:00"}
AUDIT = {"ID": "1", "OBJECTTYPE": "podocument", "OBJECTKEY": "8", "ACCESSTIME": "07/01/2031 10:00:00"}
INVOICE = order_row(50, DOCID="Vendor Invoice-b-0001", DOCNO="b-0001", PRRECORDKEY="90", TRX_TOTAL="17.00")
ONWARD = line_row(501, 50, SOURCE_DOCLINEKEY="11", DOCHDRID="Vendor Invoice-b-0001", DOCPARID="Vendor Invoice")

Call = Callable[[ErpConnector], Awaitable[object]]


async def _orders(connector: ErpConnector) -> object:
    page = await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    return await connector.orders.lines(page.records)


CALLS: list[tuple[Call, list[str]]] = [
    (_orders, [response(page("PODOCUMENT", order_row())), response(page("PODOCUMENTENTRY", line_row()))]),
    (
        lambda connector: connector.receipts.page(since=None, after=None),
        [response(page("PODOCUMENT", order_row())), response(page("PODOCUMENTENTRY", line_row()))],
    ),
    (
        lambda connector: connector.orders.headers(since=CURSOR, ordered_from=None, after=None, open_in=None),
        [
            response(
                page("PODOCUMENT", order_row()),
                page("PODOCUMENTENTRY", {"DOCHDRNO": "3", "MAX.WHENMODIFIED": "07/01/2031 10:00:00"}),
            ),
            response(page("PODOCUMENT", order_row(3))),
        ],
    ),
    (
        lambda connector: connector.lists.page([ListKind.VENDOR], since=None, after=None),
        [response(page("VENDOR", VENDOR, remaining=1))],
    ),
    (
        lambda connector: connector.changes.detect_changes({Stream.PAYMENTS: CURSOR, Stream.DELETIONS: CURSOR}),
        [response(page("APPYMT", {"RECORDNO": "70", "WHENMODIFIED": CURSOR}), page("AUDITHISTORY", AUDIT))],
    ),
    (lambda connector: connector.changes.deletions(since=CURSOR, after=None), [response(page("AUDITHISTORY", AUDIT))]),
    (
        lambda connector: connector.bills.page(since=None, after=None),
        [
            response(page("APBILL", {"RECORDNO": "90", "WHENMODIFIED": CURSOR})),
            response(whole_record("APBILL", BILL, "APBILLITEMS", "APBILLITEM", BILL_ITEM)),
            response(page("PODOCUMENT", INVOICE)),
            response(page("PODOCUMENTENTRY", ONWARD)),
            response(
                page("PODOCUMENTENTRY", line_row(11, 1, DOCHDRID="Purchase Order-PO-1", DOCPARID="Purchase Order"))
            ),
        ],
    ),
    (
        lambda connector: connector.payments.page(since=None, after=None),
        [
            response(page("APPYMT", {"RECORDNO": "70", "WHENMODIFIED": CURSOR})),
            response(whole_record("APPYMT", PAYMENT, "APPYMTDETAILS", "APPYMTDETAIL", PAYMENT_SHARE)),
        ],
    ),
    (
        lambda connector: connector.orders.read(ErpId("1")),
        [
            response(page("PODOCUMENT", order_row())),
            response(
                page("PODOCUMENT", order_row()),
                page("PODOCUMENTENTRY", line_row()),
                page("PODOCUMENTENTRY", ONWARD),
                page("PODOCUMENT", order_row(30, DOCID="PO Receiver-R-1")),
            ),
            response(page("PODOCUMENTENTRY", line_row(301, 30)), page("PODOCUMENTENTRY", ONWARD)),
        ],
    ),
    (
        lambda connector: connector.bills.find(a_bill()),
        [response(page("PODOCUMENT", INVOICE), page("PODOCUMENT", INVOICE))],
    ),
    (
        lambda connector: connector.bills.create(a_bill()),
        [response(result("<key>Vendor Invoice-b-0001</key>", "create_potransaction"))],
    ),
    (
        lambda connector: connector.bills.read_back(a_bill(), DocumentId("Vendor Invoice-b-0001")),
        [
            response(
                page("PODOCUMENT", INVOICE),
                page("PODOCUMENTENTRY", ONWARD),
                page("PODOCUMENT", order_row()),
                page("PODOCUMENTENTRY", line_row()),
                page("PODOCUMENTENTRY", ONWARD),
                page("PODOCUMENT"),
            )
        ],
    ),
    (lambda connector: connector.payments.find(a_payment()), [response(page("APPYMT", {"RECORDNO": "70"}))]),
    (
        lambda connector: connector.payments.create(a_payment()),
        [
            response(page("PODOCUMENT", INVOICE)),
            response(result("<data><appymt><RECORDNO>70</RECORDNO></appymt></data>", "create")),
        ],
    ),
    (
        lambda connector: connector.payments.read_back(a_payment(), ErpId("70")),
        [
            response(
                page("APBILL", {"RECORDNO": "90", "TOTALPAID": "17.00", "TOTALDUE": "0"}),
                page("PODOCUMENT", INVOICE),
                whole_record("APPYMT", PAYMENT, "APPYMTDETAILS", "APPYMTDETAIL", PAYMENT_SHARE),
            )
        ],
    ),
]

CUTS = st.tuples(st.integers(0, 4000), st.integers(0, 60))
WORDS = st.sampled_from(["", "x", "-1", "1e9", "NaN", "99/99/9999", "<a/>", "<a><b>c</b></a>", "é", "0" * 40])


@st.composite
def _damage(draw: st.DrawFn) -> Callable[[str], str]:
    """Either something is cut out, or a piece of text is replaced."""
    start, length = draw(CUTS)
    word = draw(WORDS)
    if draw(st.booleans()):
        return lambda body: body[: start % len(body)] + body[start % len(body) + length :]

    def replace(body: str) -> str:
        parts = body.split(">")
        at = start % len(parts)
        text, mark, rest = parts[at].partition("<")
        parts[at] = (word if mark else text) + mark + rest
        return ">".join(parts)

    return replace


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.integers(0, len(CALLS) - 1), st.integers(0, 5), _damage())
async def test_a_damaged_answer(call_no: int, answer_no: int, damage: Callable[[str], str]) -> None:
    """Fault F13: cut, emptied, or nonsense where a value should be."""
    call, answers = CALLS[call_no]
    damaged = list(answers)
    damaged[answer_no % len(answers)] = damage(damaged[answer_no % len(answers)])
    # A damaged answer may lead to questions nobody scripted; they get an empty page.
    gateway = Gateway(*damaged, *[response(page("PODOCUMENT"))] * 6)
    connector = gateway.connector()
    # Any other exception fails the test; one of ours is an answer.
    with suppress(ErpError):
        await call(connector)
    await connector.close()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(_damage())
async def test_a_damaged_sign_in(damage: Callable[[str], str]) -> None:
    """Nor may signing in."""
    gateway = Gateway(response(page("APPYMT")), response(page("APPYMT")), sign_in=damage(session_answer()))
    connector = gateway.connector()
    with suppress(ErpError):
        await connector.changes.detect_changes({Stream.PAYMENTS: CURSOR})
    await connector.close()


async def test_bytes_that_are_no_text() -> None:
    """Not even XML's own encoding."""
    for body in (b"\xff\xfe\x00", b"", b"\x00" * 100, "é".encode("latin-1")):
        connector = Gateway(httpx.Response(200, content=body)).connector()
        with pytest.raises(MalformedAnswer):
            await connector.changes.detect_changes({Stream.PAYMENTS: CURSOR})
