"""A Web Connector for tests, with a company of one order in place of QuickBooks: it calls the door as the real one.

It knows only what the tests of the door need. The sandbox's own (`sandbox/quickbooks_desktop`) is the whole of it.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from lxml import etree

from erp.quickbooks_desktop.auth import OWNER_ID

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"


class Dropped(Exception):
    """The computer was switched off at this step."""


@dataclass
class FakeCompany:
    """A company file with one vendor and one order of two lines; it keeps outcomes of message sets."""

    file_id: str
    owner_id: str = OWNER_ID
    name: str = "Larkin Cabinets"
    bills: dict[str, dict[str, Any]] = field(default_factory=dict)
    billed: dict[str, int] = field(default_factory=lambda: {"5F5-1": 0, "5F6-1": 0})
    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    documents: list[str] = field(default_factory=list)
    edition: int = 1

    def answer(self, document: str) -> str:
        self.documents.append(document)
        root = etree.fromstring(document.encode())[0]
        new, old = root.get("newMessageSetID"), root.get("oldMessageSetID")
        if new is not None and old == new and len(root) == 0:
            known = self.outcomes.get(new)
            status = "0" if known else "600"
            return _messages(known[1] if known else "", f' newMessageSetID="{new}" messageSetStatusCode="{status}"')
        sets = ""
        if new is not None:
            sets = f' newMessageSetID="{new}" messageSetStatusCode="0"'
            if new in self.outcomes:
                before, answer = self.outcomes[new]
                if before != document:
                    return _messages("", f' newMessageSetID="{new}" messageSetStatusCode="9001"')
                return _messages(answer, sets)
        inner = "".join(self._request(one) for one in root)
        if new is not None:
            self.outcomes[new] = (document, inner)
        return _messages(inner, sets)

    def _request(self, request: etree._Element) -> str:
        name = str(request.tag).removesuffix("Rq")
        inner, status = getattr(self, f"_{name}", lambda _: ("", 1))(request)
        severity = "Info" if status < 500 else "Error"
        return (
            f'<{name}Rs requestID="{request.get("requestID")}" statusCode="{status}" statusSeverity="{severity}"'
            f' statusMessage="">{inner}</{name}Rs>'
        )

    def _CompanyQuery(self, _: Any) -> tuple[str, int]:
        mark = (
            f"<DataExtRet><OwnerID>{self.owner_id}</OwnerID><DataExtName>FileID</DataExtName>"
            f"<DataExtType>STR255TYPE</DataExtType><DataExtValue>{self.file_id}</DataExtValue></DataExtRet>"
        )
        return f"<CompanyRet><IsSampleCompany>false</IsSampleCompany><CompanyName>{self.name}</CompanyName>{mark}" \
            "</CompanyRet>", 0  # fmt: skip

    def _HostQuery(self, _: Any) -> tuple[str, int]:
        return "<HostRet><ProductName>QuickBooks Enterprise</ProductName><Country>US</Country></HostRet>", 0

    def _PreferencesQuery(self, _: Any) -> tuple[str, int]:
        return (
            "<PreferencesRet><PurchasesAndVendorsPreferences><IsUsingInventory>true</IsUsingInventory>"
            "</PurchasesAndVendorsPreferences></PreferencesRet>",
            0,
        )

    def _PurchaseOrderQuery(self, _: Any) -> tuple[str, int]:
        links = "".join(
            f"<LinkedTxn><TxnID>{bill}</TxnID><TxnType>Bill</TxnType><TxnDate>2026-03-05</TxnDate></LinkedTxn>"
            for bill in self.bills
        )
        lines = "".join(
            f"<PurchaseOrderLineRet><TxnLineID>{line}</TxnLineID><ItemRef><ListID>8000002{number}-1</ListID></ItemRef>"
            f"<Desc>Post</Desc><Quantity>10</Quantity><Rate>50.00</Rate><Amount>500.00</Amount>"
            f"<ReceivedQuantity>{billed}</ReceivedQuantity></PurchaseOrderLineRet>"
            for number, (line, billed) in enumerate(self.billed.items(), start=1)
        )
        return (
            "<PurchaseOrderRet><TxnID>5F3-1</TxnID><TimeModified>2026-03-02T08:15:00-08:00</TimeModified>"
            f"<EditSequence>{self.edition}</EditSequence><TxnNumber>1</TxnNumber>"
            "<VendorRef><ListID>80000012-1</ListID><FullName>Norton</FullName></VendorRef><TxnDate>2026-03-02</TxnDate>"
            f"<RefNumber>PO-1007</RefNumber><TotalAmount>1000.00</TotalAmount>{links}{lines}</PurchaseOrderRet>",
            0,
        )

    def _BillQuery(self, request: Any) -> tuple[str, int]:
        ids, number = [one.text for one in request.iterfind("TxnID")], request.findtext("RefNumber")
        inner = "".join(
            self._bill(bill) for bill, created in self.bills.items() if bill in ids or created["number"] == number
        )
        return inner, 0 if inner else 1

    def _BillAdd(self, request: Any) -> tuple[str, int]:
        body = request[0]
        bill = f"601-{len(self.bills) + 1}"
        lines = [
            (line.findtext("LinkToTxn/TxnLineID"), int(line.findtext("Quantity")))
            for line in body.iterfind("ItemLineAdd")
        ]
        self.bills[bill] = {"number": body.findtext("RefNumber"), "memo": body.findtext("Memo"), "lines": lines,
                            "due": body.findtext("DueDate")}  # fmt: skip
        self.edition += 1
        for line, quantity in lines:
            self.billed[line] += quantity
        return self._bill(bill), 0

    def _bill(self, bill: str) -> str:
        created = self.bills[bill]
        places = list(self.billed)
        lines = "".join(
            f"<ItemLineRet><TxnLineID>{bill}-{number}</TxnLineID>"
            f"<ItemRef><ListID>8000002{places.index(line) + 1}-1</ListID></ItemRef><Desc>Post</Desc>"
            f"<Quantity>{quantity}</Quantity><Cost>50</Cost><Amount>{quantity * 50}.00</Amount></ItemLineRet>"
            for number, (line, quantity) in enumerate(created["lines"])
        )
        total = sum(quantity for _, quantity in created["lines"]) * 50
        due = f"<DueDate>{created['due']}</DueDate>" if created["due"] else ""
        return (
            f"<BillRet><TxnID>{bill}</TxnID><TimeModified>2026-03-05T08:00:00-08:00</TimeModified>"
            f"<EditSequence>1</EditSequence><TxnNumber>9</TxnNumber><VendorRef><ListID>80000012-1</ListID></VendorRef>"
            f"<TxnDate>2026-03-05</TxnDate>{due}<AmountDue>{total}.00</AmountDue>"
            f"<RefNumber>{created['number']}</RefNumber><Memo>{html.escape(created['memo'])}</Memo>"
            f"<IsPaid>false</IsPaid>{lines}<OpenAmount>{total}.00</OpenAmount></BillRet>"
        )


def _messages(inner: str, sets: str) -> str:
    return f'<?xml version="1.0" ?><QBXML><QBXMLMsgsRs{sets}>{inner}</QBXMLMsgsRs></QBXML>'


@dataclass
class FakeWebConnector:
    """Calls the door for one company. `drop` raises `Dropped` where the computer is to be switched off."""

    http: httpx.AsyncClient
    user: str
    password: str
    company: FakeCompany
    says_company: bool = True
    version: tuple[int, int] = (16, 0)
    calls: list[str] = field(default_factory=list)
    rounds: int = 0
    drop: Callable[[str, int], None] = lambda step, number: None

    async def call(self, method: str, **parameters: str) -> etree._Element:
        self.calls.append(method)
        inner = "".join(f"<{name}>{html.escape(value)}</{name}>" for name, value in parameters.items())
        body = (
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
            f'<{method} xmlns="http://developer.intuit.com/">{inner}</{method}></soap:Body></soap:Envelope>'
        )
        headers = {"content-type": "text/xml; charset=utf-8", "soapaction": f'"http://developer.intuit.com/{method}"'}
        answer = await self.http.post("/qbwc", content=body.encode(), headers=headers)
        assert answer.status_code == 200, answer.text
        return etree.fromstring(answer.content)[0][0][0]

    async def session(self) -> str:
        """One update: return how it ended."""
        await self.call("serverVersion")
        await self.call("clientVersion", strVersion="2.3.0.207")
        admitted = await self.call("authenticate", strUserName=self.user, strPassword=self.password)
        secret, verdict = (one.text or "" for one in admitted)
        if verdict in ("none", "nvu", "busy"):
            await self.call("closeConnection", ticket=secret)
            return verdict
        said = ""
        if self.says_company:
            asked = "".join(f'<{one}Rq requestID="1"/>' for one in ("HostQuery", "CompanyQuery", "PreferencesQuery"))
            said = self.company.answer(f"<QBXML><QBXMLMsgsRq>{asked}</QBXMLMsgsRq></QBXML>")
        while True:
            sent = await self.call(
                "sendRequestXML", ticket=secret, strHCPResponse=said, strCompanyFileName="C:\\books.qbw",
                qbXMLCountry="US", qbXMLMajorVers=str(self.version[0]), qbXMLMinorVers=str(self.version[1]),
            )  # fmt: skip
            said = ""
            document = sent.text or ""
            if not document:
                error = (await self.call("getLastError", ticket=secret)).text or ""
                await self.call("closeConnection", ticket=secret)
                return error
            self.rounds += 1
            self.drop("sent", self.rounds)
            answer = self.company.answer(document)
            self.drop("answered", self.rounds)
            done = await self.call("receiveResponseXML", ticket=secret, response=answer, hresult="", message="")
            self.drop("received", self.rounds)
            if int(done.text or 0) < 0:
                error = (await self.call("getLastError", ticket=secret)).text or ""
                await self.call("closeConnection", ticket=secret)
                return error
            if int(done.text or 0) >= 100:
                await self.call("closeConnection", ticket=secret)
                return "OK"
