"""A scripted gateway: hand-written answers, and the requests that were sent."""

from collections.abc import Callable
from xml.sax.saxutils import escape

import httpx
from lxml import etree

from erp.connection import ConnectionSettings
from erp.intacct.connector import IntacctConnector
from erp.sign_in import Credentials

ENDPOINT = "https://api.intacct.com/ia/xml/xmlgw.phtml"
CELL = "https://na12.intacct.com/ia/xml/xmlgw.phtml"
PASSWORDS = ("s3cret-sender", "s3cret-user")

CREDENTIALS = Credentials(
    values={
        "sender_id": "posync",
        "sender_password": PASSWORDS[0],
        "company": "ACME",
        "user": "xml_gateway",
        "password": PASSWORDS[1],
        "entity": "100",
    }
)
PREFERENCES = {
    "po_template": "Purchase Order",
    "vendor_invoice_template": "Vendor Invoice",
    "receiver_template": "PO Receiver",
}

Answer = Callable[[httpx.Request], httpx.Response] | httpx.Response | str

CONTROL = (
    "<control><status>success</status><senderid>posync</senderid><controlid>c</controlid>"
    "<uniqueid>false</uniqueid><dtdversion>3.0</dtdversion></control>"
)


def authentication(opened: str = "2031-07-01T10:00:00+00:00", ends: str = "2031-07-01T22:00:00+00:00") -> str:
    return (
        "<authentication><status>success</status><userid>xml_gateway</userid><companyid>ACME</companyid>"
        f"<locationid/><sessiontimestamp>{opened}</sessiontimestamp><sessiontimeout>{ends}</sessiontimeout>"
        "</authentication>"
    )


def response(*results: str, auth: str | None = None) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><response>{CONTROL}<operation>{auth or authentication()}'
        f"{''.join(results)}</operation></response>"
    )


def result(inner: str, function: str = "query", status: str = "success") -> str:
    return f"<result><status>{status}</status><function>{function}</function><controlid>f</controlid>{inner}</result>"


def page(name: str, *records: dict[str, str], remaining: int = 0, count: int | None = None) -> str:
    """The result of a query: records by field name."""
    rows = "".join(
        f"<{name}>{''.join(f'<{field}>{escape(value)}</{field}>' for field, value in record.items())}</{name}>"
        for record in records
    )
    shown = len(records) if count is None else count
    return result(
        f'<data listtype="{name}" totalcount="{shown + remaining}" offset="0" count="{shown}" '
        f'numremaining="{remaining}">{rows}</data>'
    )


def listed(
    name: str, *numbers: int, remaining: int = 0, total: int | None = None, result_id: str = "", **said: str
) -> str:
    """The result of readByQuery or readMore: record numbers in lower-case elements; `said` replaces attributes."""
    rows = "".join(f"<{name.lower()}><RECORDNO>{number}</RECORDNO></{name.lower()}>" for number in numbers)
    attributes = {
        "listtype": name.lower(),
        "count": str(len(numbers)),
        "totalcount": str(len(numbers) + remaining if total is None else total),
        "numremaining": str(remaining),
        "resultId": result_id,
        **said,
    }
    shown = " ".join(f'{attribute}="{value}"' for attribute, value in attributes.items())
    return result(f"<data {shown}>{rows}</data>", "readByQuery")


def error(errorno: str, description2: str = "", *more: tuple[str, str]) -> str:
    listed = "".join(
        f"<error><errorno>{number}</errorno><description/><description2>{escape(words)}</description2>"
        "<correction/></error>"
        for number, words in ((errorno, description2), *more)
    )
    return f"<errormessage>{listed}</errormessage>"


def failed(errorno: str, description2: str = "", *more: tuple[str, str], status: str = "failure") -> str:
    return result(error(errorno, description2, *more), status=status)


def session_answer(number: int = 1, endpoint: str = CELL, auth: str | None = None) -> str:
    return response(
        result(
            f"<data><api><sessionid>session-{number}</sessionid><endpoint>{endpoint}</endpoint>"
            "<locationid>100</locationid></api></data>",
            "getAPISession",
        ),
        auth=auth,
    )


def financial_setup(base: str = "USD", *, several: bool = False) -> str:
    inner = f"<baseCurrency>{base}</baseCurrency><multiBaseCurrency>{str(several).lower()}</multiBaseCurrency>"
    return result(f"<data><financialSetup>{inner}</financialSetup></data>", "getFinancialSetup")


def bad_session() -> str:
    return (
        f"<response>{CONTROL}<operation><authentication><status>failure</status><userid/><companyid/>"
        f"</authentication>{error('XL03000006', 'Your session has expired.')}</operation></response>"
    )


def sign_in_refused(words: str, errorno: str = "XL03000006") -> str:
    return (
        f"<response>{CONTROL}<operation><authentication><status>failure</status></authentication>"
        f"{error(errorno, words)}</operation></response>"
    )


class Gateway:
    """Answers sign-ins and the financial setup by itself, and everything else from the script, in order."""

    def __init__(self, *answers: Answer, sign_in: Answer | None = None, setup: Answer | None = None) -> None:
        self.script = list(answers)
        self.sign_in = sign_in
        self.setup = setup or response(financial_setup(), page("LOCATIONENTITY"))
        self.sign_ins: list[etree._Element] = []
        self.calls: list[etree._Element] = []
        self.urls: list[str] = []
        self.transport = httpx.MockTransport(self._answer)

    def connector(self, **settings: object) -> IntacctConnector:
        values: dict[str, object] = {"endpoint": ENDPOINT, "preferences": PREFERENCES, **settings}
        return IntacctConnector(ConnectionSettings(**values), CREDENTIALS, transport=self.transport)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        root = etree.fromstring(request.content)
        if root.find(".//getAPISession") is not None:
            self.sign_ins.append(root)
            return self._give(self.sign_in or session_answer(len(self.sign_ins)), request)
        if root.find(".//getFinancialSetup") is not None:
            return self._give(self.setup, request)
        self.calls.append(root)
        self.urls.append(str(request.url))
        assert self.script, f"no answer left for {request.content!r}"
        return self._give(self.script.pop(0), request)

    @staticmethod
    def _give(answer: Answer, request: httpx.Request) -> httpx.Response:
        if isinstance(answer, str):
            return httpx.Response(200, content=answer.encode(), headers={"Content-Type": "text/xml"})
        return answer if isinstance(answer, httpx.Response) else answer(request)


def order_row(number: int = 1, **changed: str) -> dict[str, str]:
    row = {
        "RECORDNO": str(number),
        "DOCID": f"Purchase Order-PO-{number}",
        "DOCNO": f"PO-{number}",
        "STATE": "Pending",
        "CUSTVENDID": "V-100",
        "CUSTVENDNAME": "Paper Mill",
        "WHENCREATED": "07/01/2031",
        "WHENMODIFIED": "07/01/2031 10:00:00",
        "CURRENCY": "USD",
    }
    return {name: value for name, value in {**row, **changed}.items() if value}


def line_row(number: int = 11, order: int = 1, **changed: str) -> dict[str, str]:
    row = {
        "RECORDNO": str(number),
        "DOCHDRNO": str(order),
        "LINE_NO": str(number % 10 - 1),
        "ITEMID": "PAPER",
        "UIQTY": "10",
        "UIPRICE": "4.25",
        "TRX_VALUE": "42.50",
        "UNIT": "Each",
        "WHENMODIFIED": "07/01/2031 10:00:00",
        "LOCATIONID": "100",
        "CURRENCY": "USD",
    }
    return {name: value for name, value in {**row, **changed}.items() if value}
