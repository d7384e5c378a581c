"""QuickBooks Desktop: how fast orders come in by a Web Connector's session, what that keeps in memory, an idle poll.

QuickBooks is a list of answers that were written before, so that what is measured is ours: from the first answer that
the door takes in until all orders are committed.
"""

import asyncio
import html
import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lxml import etree
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.company import Bench
from bench.processes import CpuMeter, MemoryWatch, child_named
from bench.report import Figure, Report, at_least, at_most
from bench.sync_in import activities_of, span_of
from cli.client.sync_runs import wait_for_run
from models.domain.sync import Stream

LINES = 5
PAGE = 100
IDLE_POLLS = 200
PATH = "C:\\books.qbw"

_TEXT = re.compile(r"<(?:string|\w+Result)>([^<]*)</")


class Session(NamedTuple):
    """One session of the Web Connector: when it handed over its first and last page of orders."""

    first: float
    last: float
    pages: int


class Books:
    """A company file with orders and nothing else; every other question finds nothing."""

    def __init__(self, file_id: str, owner_id: str, count: int) -> None:
        self._mark = (
            f"<DataExtRet><OwnerID>{owner_id}</OwnerID><DataExtName>FileID</DataExtName>"
            f"<DataExtType>STR255TYPE</DataExtType><DataExtValue>{file_id}</DataExtValue></DataExtRet>"
        )
        self.pages = ["".join(map(_order, range(begin, min(begin + PAGE, count)))) for begin in range(0, count, PAGE)]
        self._next = 0

    def said(self) -> str:
        """What the Web Connector finds out by itself."""
        return self.answer(
            '<QBXML><QBXMLMsgsRq><HostQueryRq requestID="1"/><CompanyQueryRq requestID="2"/>'
            '<PreferencesQueryRq requestID="3"/></QBXMLMsgsRq></QBXML>'
        )

    def answer(self, document: str) -> str:
        inner = "".join(map(self._answer, etree.fromstring(document.encode())[0]))
        return f"<QBXML><QBXMLMsgsRs>{inner}</QBXMLMsgsRs></QBXML>"

    def _answer(self, request: etree._Element) -> str:
        name = str(request.tag).removesuffix("Rq")
        more, shown = "", ""
        if name == "HostQuery":
            shown = "<HostRet><ProductName>QuickBooks Enterprise</ProductName><Country>US</Country></HostRet>"
        if name == "CompanyQuery":
            shown = f"<CompanyRet><CompanyName>Bench</CompanyName>{self._mark}</CompanyRet>"
        if name == "PurchaseOrderQuery" and request.get("iterator") is not None:
            self._next = 0 if request.get("iterator") == "Start" else self._next + 1
            shown = self.pages[self._next]
            left = PAGE * (len(self.pages) - self._next - 1)
            more = f' iteratorRemainingCount="{left}" iteratorID="{{b-1}}"'
        status = 0 if shown else 1
        head = f'requestID="{request.get("requestID")}" statusCode="{status}" statusSeverity="Info"{more}'
        return f"<{name}Rs {head}>{shown}</{name}Rs>"


def _order(number: int) -> str:
    lines = "".join(
        f"<PurchaseOrderLineRet><TxnLineID>{number:X}-{line}</TxnLineID><ItemRef><ListID>8000{line:04}-1</ListID>"
        f"<FullName>Lumber:Post {line}</FullName></ItemRef><Desc>Fence post, pressure treated</Desc>"
        "<Quantity>10</Quantity><UnitOfMeasure>ea</UnitOfMeasure><Rate>50.00</Rate><ClassRef><ListID>80000001-1</ListID>"
        "<FullName>Operating</FullName></ClassRef><Amount>500.00</Amount><ReceivedQuantity>0</ReceivedQuantity>"
        "<UnbilledQuantity>10</UnbilledQuantity><IsBilled>false</IsBilled><IsManuallyClosed>false</IsManuallyClosed>"
        "</PurchaseOrderLineRet>"
        for line in range(1, LINES + 1)
    )
    return (
        f"<PurchaseOrderRet><TxnID>{number:X}-1772467200</TxnID><TimeCreated>2026-11-02T08:00:00-08:00</TimeCreated>"
        "<TimeModified>2026-11-02T08:15:00-08:00</TimeModified><EditSequence>1772468100</EditSequence>"
        f"<TxnNumber>{number + 1}</TxnNumber><VendorRef><ListID>80000012-1700000000</ListID><FullName>Norton Lumber"
        f"</FullName></VendorRef><TxnDate>2026-11-02</TxnDate><RefNumber>QB-{number:05}</RefNumber>"
        "<DueDate>2026-12-01</DueDate><TotalAmount>2500.00</TotalAmount><IsManuallyClosed>false</IsManuallyClosed>"
        f"<IsFullyReceived>false</IsFullyReceived><Memo>Requested by Maria Lopez</Memo>{lines}</PurchaseOrderRet>"
    )


class WebConnector:
    """Calls the door as Intuit's program does, without a pause between its calls."""

    def __init__(self, port: int, user: str, password: str, books: Books) -> None:
        # The plainest client there is: a poll's milliseconds are to be the door's.
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._user, self._password, self._books = user, password, books

    def call(self, method: str, **parameters: str) -> list[str]:
        inner = "".join(f"<{name}>{html.escape(value)}</{name}>" for name, value in parameters.items())
        body = (
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
            f'<{method} xmlns="http://developer.intuit.com/">{inner}</{method}></soap:Body></soap:Envelope>'
        )
        headers = {"content-type": "text/xml; charset=utf-8", "soapaction": f'"http://developer.intuit.com/{method}"'}
        self._http.request("POST", "/qbwc", body.encode(), headers)
        answer = self._http.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"the door answered {method} with {answer.status}: {text[:500]}")
        return [html.unescape(one) for one in _TEXT.findall(text)] or [""]

    def begin(self) -> tuple[str, str]:
        """Sign in, by a connection of its own: the session's secret, and the verdict."""
        self._http.close()
        self.call("serverVersion")
        self.call("clientVersion", strVersion="2.3.0.207")
        secret, verdict = self.call("authenticate", strUserName=self._user, strPassword=self._password)
        return secret, verdict

    def session(self) -> Session:
        """One update, to its end."""
        secret, verdict = self.begin()
        said, times = self._books.said(), []
        while verdict not in ("none", "busy", "nvu"):
            parameters = {"strHCPResponse": said, "strCompanyFileName": PATH, "qbXMLCountry": "US"}
            document = self.call("sendRequestXML", ticket=secret, **parameters, qbXMLMajorVers="16", qbXMLMinorVers="0")
            if not document[0]:
                break
            said, answer = "", self._books.answer(document[0])
            if "<PurchaseOrderRet>" in answer:
                times.append(time.time())
            done = self.call("receiveResponseXML", ticket=secret, response=answer, hresult="", message="")
            if int(done[0]) < 0:
                error = self.call("getLastError", ticket=secret)[0]
                self.call("closeConnection", ticket=secret)
                raise RuntimeError(f"the door refused an answer: {error}")
        self.call("closeConnection", ticket=secret)
        return Session(times[0], times[-1], len(times)) if times else Session(0, 0, 0)


async def measure(bench: Bench, report: Report, *, count: int) -> None:
    """Connect, bring `count` orders in by one session, then poll idly."""
    connection_id, connector = await asyncio.to_thread(_connect, bench, count)
    meter = CpuMeter(bench.stack.options.state_dir)
    meter.start()
    with MemoryWatch(child_named("worker")) as worker, MemoryWatch(child_named("api")) as api:
        run, session = await asyncio.to_thread(_synced, bench, connection_id, connector)
    cpu = meter.used()
    if run["counts"].get("purchase_orders.changed") != count:
        raise RuntimeError(f"{count} orders should have come in: {run['counts']}")
    client = await Client.connect(bench.stack.endpoints.temporal_address, data_converter=pydantic_data_converter)
    activities = await activities_of(client, run["workflow_id"], run["workflow_run_id"])
    # An activity ends when its page is committed.
    committed = span_of(activities, "sync_page", Stream.PURCHASE_ORDERS).end
    middle = (session.first + committed) / 2
    idle = await asyncio.to_thread(_idle, connector)
    report.add(
        f"QuickBooks Desktop: {count:,} orders of {LINES} lines in one session",
        [
            at_least(
                "from receiveResponseXML to commit",
                count / (committed - session.first),
                "orders/s",
                1_000,
                note=f"{session.pages} answers of up to {PAGE} orders",
            ),
            Figure("of that, taken in by the door", count / (session.last - session.first), "orders/s"),
            _flat("worker", worker, session.first, middle, committed),
            _flat("api", api, session.first, middle, committed),
            at_most("an idle poll, its four calls together", idle, "ms", 10, note=f"the median of {IDLE_POLLS}"),
        ],
    )
    report.details["quickbooks_desktop"] = {
        "session": session._asdict(),
        "committed": committed,
        "counts": run["counts"],
        "cpu_seconds": cpu,
    }


def _synced(bench: Bench, connection_id: str, connector: WebConnector) -> tuple[dict[str, Any], Session]:
    """A sync while the Web Connector calls: its run, and the session that brought the orders."""
    started = bench.api.post(f"/v1/connections/{connection_id}/sync")
    sessions: list[Session] = []
    over = threading.Event()

    def call() -> None:
        while not over.is_set():
            sessions.append(connector.session())
            time.sleep(0.05)

    calling = threading.Thread(target=call)
    calling.start()
    try:
        run = wait_for_run(bench.api, started, lambda _: None)
    finally:
        over.set()
        calling.join()
    (session,) = [one for one in sessions if one.pages]
    return {**run, **{name: started[name] for name in ("workflow_id", "workflow_run_id")}}, session


def _flat(name: str, watch: MemoryWatch, begin: float, middle: float, end: float) -> Figure:
    halves = watch.peak_between(begin, middle), watch.peak_between(middle, end)
    note = f"{halves[0]:,.0f} and {halves[1]:,.0f} MB"
    return at_most(f"{name}'s memory, second half / first half", halves[1] / halves[0], "", 1.15, note=note)


def _connect(bench: Bench, count: int) -> tuple[str, WebConnector]:
    new: dict[str, Any] = {
        "erp": "quickbooks_desktop",
        "name": "Bench of QuickBooks Desktop",
        "first_import_from": "2026-01-01",
    }
    new["purchase_orders"] = True
    connection_id = str(bench.api.post("/v1/connections", new)["id"])
    login = bench.api.post(f"/v1/connections/{connection_id}/web_connector", {})
    file = etree.fromstring("".join(bench.api.text(f"/v1/connections/{connection_id}/qwc")).encode())
    url = urlsplit(file.findtext("AppURL") or "")
    books = Books(file.findtext("FileID") or "", file.findtext("OwnerID") or "", count)
    connector = WebConnector(url.port or 80, file.findtext("UserName") or "", login["password"], books)
    _until(connector, lambda: bench.api.get(f"/v1/connections/{connection_id}")["last_synced_at"] is not None)
    bench.api.put(f"/v1/connections/{connection_id}/preferences", {"preferences": {}, "sync": False})
    return connection_id, connector


def _sessions(connector: WebConnector) -> Iterator[Session]:
    """Sessions without end, so that whatever is asked is answered."""
    while True:
        yield connector.session()
        time.sleep(0.05)


def _until(connector: WebConnector, done: Callable[[], bool]) -> None:
    for _ in _sessions(connector):
        if done():
            return


def _idle(connector: WebConnector) -> float:
    """Milliseconds of a poll that has nothing to do: the median, as a busy machine stretches some."""
    _until(connector, lambda: connector.begin()[1] == "none")
    times = []
    for _ in range(IDLE_POLLS):
        began = time.perf_counter()
        secret, verdict = connector.begin()
        connector.call("closeConnection", ticket=secret)
        times.append(1000 * (time.perf_counter() - began))
        if verdict != "none":
            raise RuntimeError(f"a poll that should be idle was answered {verdict!r}")
    return sorted(times)[len(times) // 2]
