"""A sandbox in process with its control room, and a scripted service for its Web Connector.

Real: the sandbox's Web Connector and company file, over SOAP. Fake: the service, which hands out the documents of a
test. Every qbXML document and every SOAP body is checked against the vendor's schemas, both ways.
"""

from collections.abc import Callable
from typing import Any

import httpx
from lxml import etree

from sandbox.quickbooks_desktop.request_processor import Application, Session
from sandbox.server import Sandbox, create_app
from tests.harness.qbxml_schema import check_qbxml, check_soap, parsed

NAMESPACE = "http://developer.intuit.com/"
OWNER = "{6f1c7b52-8a4e-4b1c-9c55-2d7e0b7a1e01}"
FILE = "{b2a7f0d4-3f0e-4d6e-8f6b-0a4f1f6f5c02}"
QWC = """<?xml version="1.0"?>
<QBWCXML>
  <AppName>Acme PO Sync</AppName><AppID></AppID><AppURL>http://localhost:8000/qbwc</AppURL>
  <AppDescription>Purchase order and bill sync</AppDescription><AppSupport>http://localhost:8000/support</AppSupport>
  <UserName>acme-main</UserName><OwnerID>{owner}</OwnerID><FileID>{file}</FileID>
  <QBType>QBFS</QBType><Style>{style}</Style><IsReadOnly>{read_only}</IsReadOnly>
  <Scheduler><RunEveryNMinutes>15</RunEveryNMinutes></Scheduler>
</QBWCXML>"""


def document(*requests: str, version: int = 13, on_error: str = "stopOnError", **recovery: str) -> str:
    """A request document; `recovery` are the attributes of error recovery."""
    extra = "".join(f' {name}="{value}"' for name, value in recovery.items())
    inner = "".join(requests)
    return (
        f'<?xml version="1.0" encoding="utf-8"?><?qbxml version="{version}.0"?>'
        f'<QBXML><QBXMLMsgsRq onError="{on_error}"{extra}>{inner}</QBXMLMsgsRq></QBXML>'
    )


class ScriptedService:
    """Hands out documents in turn and keeps what comes back."""

    def __init__(self) -> None:
        self.documents: list[str] = []
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.responses: list[str] = []
        self.answers: dict[str, Callable[[dict[str, str]], str]] = {}
        """By method, another answer than the usual one."""
        self.authenticated = ["ticket-1", ""]
        self.checked = 0
        self.rpc = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        text = self._answered(body)
        headers = [(b"content-type", b"text/xml; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    def _answered(self, body: bytes) -> str:
        if not self.rpc:
            self.checked += check_soap(body)
        call = etree.fromstring(body)[0][0]
        method = etree.QName(call).localname
        arguments = {etree.QName(child).localname: child.text or "" for child in call}
        self.calls.append((method, arguments))
        result = self.answers[method](arguments) if method in self.answers else self._usual(method, arguments)
        if method == "authenticate" and method not in self.answers:
            inner = "".join(f"<string>{one}</string>" for one in self.authenticated)
        else:
            inner = result.replace("&", "&amp;").replace("<", "&lt;")
        answer = (
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
            f'<{method}Response xmlns="{NAMESPACE}"><{method}Result>{inner}</{method}Result></{method}Response>'
            "</soap:Body></soap:Envelope>"
        )
        self.checked += check_soap(answer.encode())
        return answer

    def _usual(self, method: str, arguments: dict[str, str]) -> str:
        if method == "sendRequestXML":
            return self.documents.pop(0) if self.documents else ""
        if method == "receiveResponseXML":
            self.responses.append(arguments["response"])
            return "50" if self.documents else "100"
        return {"closeConnection": "OK", "connectionError": "done"}.get(method, "")

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]

    def arguments_of(self, method: str) -> dict[str, str]:
        """The parameters of the last call of a method."""
        return next(arguments for name, arguments in reversed(self.calls) if name == method)


class Pc:
    """The sandbox's PC, its control room, and a session with its company file without a Web Connector."""

    def __init__(self) -> None:
        self.app: Sandbox = create_app()
        self.computer = self.app.quickbooks_desktop
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://sandbox.test:8900")
        self.service = ScriptedService()
        self.computer.transport = httpx.ASGITransport(self.service)
        self.checked = 0
        self.open()

    def open(self, *, read_only: bool = False) -> None:
        """A new session with the company file; iterators of the former one are gone."""
        self.session = Session(
            self.computer.company, Application("Acme PO Sync", read_only), self.app.faults, self.app.calls
        )

    # qbXML straight to the company file

    def answered(self, *requests: str, schema: bool = True, **of_document: Any) -> etree._Element:
        """QBXMLMsgsRs of a document. Raises HResult."""
        asked = document(*requests, **of_document)
        if schema:
            self.checked += check_qbxml(asked, versions=("160",))
        text = self.session.process(asked)
        self.checked += check_qbxml(text, versions=("160",))
        return parsed(text)[0]

    def ask(self, request: str, **of_document: Any) -> etree._Element:
        """The answer to one request."""
        return self.answered(request, **of_document)[0]

    # The control room

    async def room(self, path: str, body: Any = None) -> Any:
        answer = await self.http.post(f"/sandbox{path}", json=body if body is not None else {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def does(self, action: str, **arguments: Any) -> Any:
        await self.room("/clock", {"advance_seconds": 2})
        return await self.room("/companies/quickbooks_desktop/actions", {"action": action, **arguments})

    async def refused(self, action: str, **arguments: Any) -> str:
        """The status code with which QuickBooks refuses an action."""
        target = "/sandbox/companies/quickbooks_desktop/actions"
        answer = await self.http.post(target, json={"action": action, **arguments})
        assert answer.status_code == 422, answer.text
        code: str = answer.json()["errors"][0]["errorno"]
        return code

    async def switch(self, **values: Any) -> None:
        await self.room("/companies/quickbooks_desktop/switches", values)

    async def breaks(self, kind: str, operation: str = "*", *, times: int | None = 1, **more: Any) -> None:
        rule = {"erp": "quickbooks_desktop", "kind": kind, "operation": operation, "times": times, **more}
        await self.room("/faults", {"rules": [rule], "seed": 7})

    async def held(self, kind: str) -> list[dict[str, Any]]:
        answer = await self.http.get(f"/sandbox/companies/quickbooks_desktop/{kind}")
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()
        return rows

    async def one(self, kind: str, number: str) -> dict[str, Any]:
        rows = [row for row in await self.held(kind) if row["number"] == number]
        assert len(rows) == 1, f"{len(rows)} {kind} numbered {number}"
        return rows[0]

    async def ledger(self) -> dict[tuple[str, str], str]:
        return {(row["book"], row["key"]): row["amount"] for row in await self.held("ledger")}

    async def load(self, **kinds: Any) -> Any:
        report = await self.room("/companies/quickbooks_desktop/load?create_missing=true", kinds)
        assert not report["errors"], report["errors"]
        return report

    async def order(self, number: str, *quantities: str, **columns: str) -> dict[str, Any]:
        """An order of V-1, one line per quantity, 5.00 apiece, of inventory items."""
        items = [{"item_id": f"ITEM-{at}", "item_type": "Inventory"} for at in range(1, len(quantities) + 1)]
        row = {"po_number": number, "vendor_id": "V-1", "po_date": "2026-10-01", "price": "5", **columns}
        rows = [{**row, "item_id": f"ITEM-{at}", "quantity": one} for at, one in enumerate(quantities, 1)]
        await self.load(items=items, purchase_orders=rows)
        return await self.one("purchase_orders", number)

    # The Web Connector

    async def add_application(self, *, style: str = "Document", read_only: bool = False) -> Any:
        qwc = QWC.format(owner=OWNER, file=FILE, style=style, read_only=str(read_only).lower())
        return await self.does("add_application", qwc=qwc, password="s3cret")

    async def update(self) -> dict[str, Any]:
        answer: dict[str, Any] = await self.does("update_selected")
        return answer


def linked(order: dict[str, Any], line: int = 1, **values: str) -> str:
    """An ItemLineAdd linked to a line of an order that the control room shows."""
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    target = order["lines"][line - 1]["line"]
    link = f"<LinkToTxn><TxnID>{order['record_no']}</TxnID><TxnLineID>{target}</TxnLineID></LinkToTxn>"
    return f"<ItemLineAdd>{inner}{link}</ItemLineAdd>"


def bill_add(vendor: str, number: str, *lines: str, day: str = "2026-10-05", more: str = "") -> str:
    """A BillAddRq."""
    head = f"<VendorRef><ListID>{vendor}</ListID></VendorRef><TxnDate>{day}</TxnDate><RefNumber>{number}</RefNumber>"
    return f'<BillAddRq requestID="1"><BillAdd>{head}{more}{"".join(lines)}</BillAdd></BillAddRq>'
