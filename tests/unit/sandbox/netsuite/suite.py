"""Hand-written SuiteTalk for the pretend NetSuite: what a legal client could send, and a plain look at the answers."""

import base64
import hashlib
import hmac
import secrets
import time
from typing import Any

import httpx
from lxml import etree

from sandbox.server import Sandbox, create_app

CORE = "urn:core_2023_2.platform.webservices.netsuite.com"
MESSAGES = "urn:messages_2023_2.platform.webservices.netsuite.com"
PORT = "/services/NetSuitePort_2023_2"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
NAMES = {
    "soapenv": "http://schemas.xmlsoap.org/soap/envelope/",
    "xsi": _XSI,
    "m": MESSAGES,
    "c": CORE,
    "k": "urn:common_2023_2.platform.webservices.netsuite.com",
    "s": "urn:sales_2023_2.transactions.webservices.netsuite.com",
    "p": "urn:purchases_2023_2.transactions.webservices.netsuite.com",
    "r": "urn:relationships_2023_2.lists.webservices.netsuite.com",
    "a": "urn:accounting_2023_2.lists.webservices.netsuite.com",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())


def signature(base: str, key: str = "cs&ts", digest: str = "sha256") -> str:
    """Base64 of the HMAC."""
    return base64.b64encode(hmac.new(key.encode(), base.encode(), getattr(hashlib, digest)).digest()).decode()


def passport(
    *,
    account: str = "TSTDRV1",
    consumer: str = "ck",
    token: str = "tk",
    nonce: str | None = None,
    timestamp: int | None = None,
    key: str = "cs&ts",
    algorithm: str = "HMAC-SHA256",
    wrong: str = "",
) -> str:
    """A tokenPassport block, signed now unless something else is said."""
    nonce = nonce or secrets.token_hex(10)
    stamp = str(timestamp or int(time.time()))
    digest = "sha1" if "SHA1" in algorithm else "sha256"
    signed = wrong or signature("&".join((account, consumer, token, nonce, stamp)), key, digest)
    return (
        f"<m:tokenPassport><c:account>{account}</c:account><c:consumerKey>{consumer}</c:consumerKey>"
        f"<c:token>{token}</c:token><c:nonce>{nonce}</c:nonce><c:timestamp>{stamp}</c:timestamp>"
        f'<c:signature algorithm="{algorithm}">{signed}</c:signature></m:tokenPassport>'
    )


def envelope(body: str, header: str) -> str:
    return (
        f"<soapenv:Envelope {_DECLARED}><soapenv:Header>{header}</soapenv:Header>"
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )


def preferences(*, body_only: bool = True, columns: bool = True, size: int | None = None) -> str:
    shown = f"<m:pageSize>{size}</m:pageSize>" if size is not None else ""
    return (
        f"<m:searchPreferences><m:bodyFieldsOnly>{str(body_only).lower()}</m:bodyFieldsOnly>"
        f"<m:returnSearchColumns>{str(columns).lower()}</m:returnSearchColumns>{shown}</m:searchPreferences>"
    )


def any_of(name: str, *values: str, operator: str = "anyOf") -> str:
    """A criterion on an enumeration or, for numbers, on references."""
    shown = "".join(
        f'<c:searchValue internalId="{value}"/>' if value.isdigit() else f"<c:searchValue>{value}</c:searchValue>"
        for value in values
    )
    return f'<k:{name} operator="{operator}">{shown}</k:{name}>'


def is_(name: str, value: str, operator: str = "is") -> str:
    return f'<k:{name} operator="{operator}"><c:searchValue>{value}</c:searchValue></k:{name}>'


def flag(name: str, value: bool) -> str:
    return f"<k:{name}><c:searchValue>{str(value).lower()}</c:searchValue></k:{name}>"


def basic(criteria: str, kind: str = "TransactionSearchBasic") -> str:
    """A search by a bare basic type."""
    return f'<m:search><m:searchRecord xsi:type="k:{kind}">{criteria}</m:searchRecord></m:search>'


class Reply:
    """An answer taken apart."""

    def __init__(self, response: httpx.Response) -> None:
        self.http = response
        self.root = etree.fromstring(response.content)

    def all(self, path: str) -> list[Any]:
        found = self.root.xpath(path, namespaces=NAMES)
        assert isinstance(found, list)
        return found

    def texts(self, path: str) -> list[str]:
        return [node.text or "" for node in self.all(path)]

    def text(self, path: str) -> str:
        found = self.texts(path)
        return found[0] if found else ""

    @property
    def ok(self) -> bool:
        found = self.all("//c:status/@isSuccess")
        return bool(found) and all(value == "true" for value in found)

    @property
    def codes(self) -> list[str]:
        return self.texts("//c:statusDetail/c:code")

    @property
    def reasons(self) -> str:
        return " | ".join(self.texts("//c:statusDetail/c:message"))

    @property
    def fault(self) -> tuple[str, str, str]:
        """Element, code and message of a SOAP fault; the text alone where the request could not be read."""
        detail = self.all("//detail/*[1]")[0]
        if etree.QName(detail).localname == "hostname":
            return "", "", self.text("//faultstring")
        return etree.QName(detail).localname, detail[0].text or "", detail[1].text or ""

    @property
    def id(self) -> str:
        assert self.ok, (self.codes, self.reasons)
        return str(self.all("//m:baseRef/@internalId")[0])

    @property
    def records(self) -> list[Any]:
        return self.all("//c:recordList/c:record | //m:readResponse/m:record")


class Suite:
    """One sandbox in process, spoken to over SuiteTalk and its control room."""

    def __init__(self) -> None:
        self.app: Sandbox = create_app()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://sandbox.test:8900")
        self.sent: list[bytes] = []
        self.got: list[bytes] = []

    async def post(self, body: str, header: str | None = None, path: str = PORT, **headers: str) -> httpx.Response:
        content = envelope(body, passport() if header is None else header).encode()
        sent = {"content-type": "text/xml; charset=utf-8", "soapaction": '"any"', **headers}
        return await self.http.post(path, content=content, headers=sent)

    async def ask(self, body: str, header: str = "") -> Reply:
        """A signed request; `header` adds blocks beside the passport."""
        content = envelope(body, passport() + header).encode()
        response = await self.http.post(PORT, content=content, headers={"content-type": "text/xml; charset=utf-8"})
        self.sent.append(content)
        self.got.append(response.content)
        return Reply(response)

    async def search(self, criteria: str, kind: str = "TransactionSearchBasic", **arguments: Any) -> Reply:
        return await self.ask(basic(criteria, kind), preferences(**arguments))

    async def more(self, search_id: str, page: int) -> Reply:
        return await self.ask(
            f"<m:searchMoreWithId><m:searchId>{search_id}</m:searchId><m:pageIndex>{page}</m:pageIndex>"
            "</m:searchMoreWithId>"
        )

    async def get(self, kind: str, internal_id: str = "", external_id: str = "") -> Reply:
        name = f'externalId="{external_id}"' if external_id else f'internalId="{internal_id}"'
        return await self.ask(f'<m:get><m:baseRef xsi:type="c:RecordRef" type="{kind}" {name}/></m:get>')

    async def add(self, record: str, operation: str = "add", header: str = "") -> Reply:
        return await self.ask(f"<m:{operation}>{record}</m:{operation}>", header)

    async def delete(self, kind: str, internal_id: str) -> Reply:
        return await self.ask(
            f'<m:delete><m:baseRef xsi:type="c:RecordRef" type="{kind}" internalId="{internal_id}"/></m:delete>'
        )

    async def initialize(self, kind: str, source: str, internal_id: str) -> Reply:
        return await self.ask(
            f"<m:initialize><m:initializeRecord><c:type>{kind}</c:type>"
            f'<c:reference type="{source}" internalId="{internal_id}"/></m:initializeRecord></m:initialize>'
        )

    # The control room

    async def room(self, path: str, body: Any = None, method: str = "POST") -> Any:
        """The control room; its refusals fail the test with their own words."""
        answer = await self.http.request(method, f"/sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def held(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.room(f"/companies/netsuite/{kind}", method="GET")
        return found

    async def one(self, kind: str, number: str) -> dict[str, Any]:
        [found] = [record for record in await self.held(kind) if record["number"] == number]
        return found

    async def act(self, action: str, **arguments: Any) -> dict[str, Any]:
        done: dict[str, Any] = await self.room("/companies/netsuite/actions", {"action": action, **arguments})
        return done

    async def switch(self, **values: Any) -> None:
        await self.room("/companies/netsuite/switches", values)

    async def break_(self, kind: str, **rule: Any) -> None:
        await self.room("/faults", {"rules": [{"erp": "netsuite", "kind": kind, **rule}]})

    async def order(self, number: str = "PO-1", lines: int = 2, **fields: str) -> dict[str, Any]:
        """An open order of the first subsidiary: line n is item IT-n, 10 pieces at 5.00, which wait for a receipt."""
        rows = [
            {
                "po_number": number,
                "vendor_id": "V-1",
                "po_date": "2026-10-01",
                "item_id": f"IT-{line}",
                "description": f"Part {line}",
                "quantity": "10",
                "price": "5.00",
                **fields,
            }
            for line in range(1, lines + 1)
        ]
        return await self.load(rows, number)

    async def load(self, rows: list[dict[str, str]], number: str) -> dict[str, Any]:
        report = await self.room("/companies/netsuite/load?create_missing=true", {"purchase_orders": rows})
        assert report["errors"] == [], report
        return await self.one("purchase_orders", number)


def bill(
    order: dict[str, Any], *quantities: tuple[int, str], number: str = "INV-1", key: str = "", more: str = ""
) -> str:
    """A vendorBill of an order's lines by position; its vendor is the first one ever made."""
    ids = {line["line_no"]: line["line"] for line in order["lines"]}
    lines = "".join(
        f"<p:item><p:orderDoc>{order['record_no']}</p:orderDoc><p:orderLine>{ids[position]}</p:orderLine>"
        f"<p:quantity>{quantity}</p:quantity></p:item>"
        for position, quantity in quantities
    )
    external = f' externalId="{key}"' if key else ""
    return (
        f'<m:record xsi:type="p:VendorBill"{external}><p:entity internalId="501"/><p:tranId>{number}</p:tranId>{more}'
        f'<p:itemList replaceAll="false">{lines}</p:itemList></m:record>'
    )


def payment(bill_id: str, amount: str, *, key: str = "") -> str:
    external = f' externalId="{key}"' if key else ""
    return (
        f'<m:record xsi:type="p:VendorPayment"{external}><p:entity internalId="501"/><p:applyList replaceAll="false">'
        f"<p:apply><p:apply>true</p:apply><p:doc>{bill_id}</p:doc><p:amount>{amount}</p:amount></p:apply>"
        "</p:applyList></m:record>"
    )
