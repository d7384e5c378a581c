"""Hand-written XML for the pretend Intacct: what any legal client could send, and a plain look at the answers."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import httpx
from lxml import etree

from sandbox.server import INTACCT_PATH, Sandbox, create_app

LOGIN = (
    "<login><userid>xml_gateway</userid><companyid>{company}</companyid><password>{password}</password>"
    "{location}</login>"
)


def login(location: str | None = "100", *, company: str = "ACME", user_password: str = "sandbox-user") -> str:
    """Sign-in by name; `location` None leaves the element out, "" sends it empty (top level)."""
    element = "" if location is None else f"<locationid>{location}</locationid>"
    return LOGIN.format(company=company, password=user_password, location=element)


def control(*, unique: str = "<uniqueid>false</uniqueid>", sender: str = "posync", more: str = "") -> str:
    """A control block."""
    return (
        f"<control><senderid>{sender}</senderid><password>sandbox-sender</password><controlid>t 1</controlid>{unique}"
        f"<dtdversion>3.0</dtdversion><includewhitespace>false</includewhitespace>{more}</control>"
    )


def query(
    name: str, fields: str, filter_: str = "", *, order: str = "RECORDNO", more: str = "", private: bool = True
) -> str:
    """A `query` with a select of blank-separated fields."""
    select = "".join(f"<field>{field}</field>" for field in fields.split())
    shown = f"<options><showprivate>{str(private).lower()}</showprivate></options>"
    where = f"<filter>{filter_}</filter>" if filter_ else ""
    orders = f"<orderby><order><field>{order}</field><ascending/></order></orderby>" if order else ""
    return f"<query><object>{name}</object><select>{select}</select>{where}{orders}{shown}{more}</query>"


def is_(field: str, value: str, operator: str = "equalto") -> str:
    """One comparison."""
    return f"<{operator}><field>{field}</field><value>{value}</value></{operator}>"


class Reply:
    """An answer taken apart."""

    def __init__(self, response: httpx.Response) -> None:
        self.http = response
        self.root = etree.fromstring(response.content)

    def text(self, path: str) -> str:
        return self.root.findtext(path) or ""

    @property
    def results(self) -> list[etree._Element]:
        return self.root.findall("operation/result")

    @property
    def result(self) -> etree._Element:
        assert len(self.results) == 1
        return self.results[0]

    @property
    def status(self) -> str:
        return self.result.findtext("status") or ""

    @property
    def data(self) -> etree._Element:
        found = self.result.find("data")
        assert found is not None, etree.tostring(self.root)
        return found

    @property
    def errors(self) -> list[str]:
        return [error.text or "" for error in self.root.iter("errorno")]

    @property
    def reasons(self) -> str:
        return " | ".join(error.text or "" for error in self.root.iter("description2"))

    @property
    def rows(self) -> list[dict[str, str]]:
        return [{str(field.tag): field.text or "" for field in row} for row in self.data]

    @property
    def key(self) -> str:
        assert self.status == "success", self.reasons
        return self.result.findtext("key") or ""


class Wire:
    """One sandbox in process, spoken to over its own protocol and its control room."""

    def __init__(self) -> None:
        self.app: Sandbox = create_app()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://sandbox.test:8900")
        self._ids = count(1)

    async def post(self, body: str, **headers: str) -> httpx.Response:
        sent = {"content-type": "application/xml", **headers}
        return await self.http.post(INTACCT_PATH, content=body.encode(), headers=sent)

    async def ask(
        self,
        *functions: str,
        auth: str | None = None,
        ids: Mapping[int, str] | None = None,
        transaction: bool = False,
        head: str | None = None,
    ) -> Reply:
        """Send functions as one request, at entity 100 unless `auth` says otherwise."""
        content = "".join(
            f'<function controlid="{(ids or {}).get(at) or f"f-{next(self._ids)}"}">{function}</function>'
            for at, function in enumerate(functions)
        )
        return Reply(
            await self.post(
                f'<?xml version="1.0" encoding="UTF-8"?><request>{head or control()}'
                f'<operation transaction="{str(transaction).lower()}"><authentication>{auth or login()}'
                f"</authentication><content>{content}</content></operation></request>"
            )
        )

    async def room(self, path: str, body: Any = None, method: str = "POST") -> Any:
        """The control room; its refusals fail the test with their own words."""
        answer = await self.http.request(method, f"/sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def held(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.room(f"/companies/intacct/{kind}", method="GET")
        return found

    async def one(self, kind: str, number: str) -> dict[str, Any]:
        """The only document of that number."""
        [found] = [document for document in await self.held(kind) if document["number"] == number]
        return found

    async def act(self, action: str, **arguments: Any) -> dict[str, Any]:
        done: dict[str, Any] = await self.room("/companies/intacct/actions", {"action": action, **arguments})
        return done

    async def switch(self, **values: Any) -> None:
        await self.room("/companies/intacct/switches", values)

    async def break_(self, kind: str, **rule: Any) -> None:
        await self.room("/faults", {"rules": [{"erp": "intacct", "kind": kind, **rule}]})

    async def order(self, number: str = "PO-1", lines: int = 2, **fields: str) -> dict[str, Any]:
        """An open order of entity 100: line n is item IT-n, 10 pieces at 5.00."""
        rows = [
            {
                "po_number": number,
                "vendor_id": "V-1",
                "po_date": "2026-10-01",
                "entity": "100",
                "item_id": f"IT-{line}",
                "description": f"Part {line}",
                "quantity": "10",
                "unit": "Each",
                "price": "5.00",
                **fields,
            }
            for line in range(1, lines + 1)
        ]
        report = await self.room("/companies/intacct/load?create_missing=true", {"purchase_orders": rows})
        assert report["errors"] == []
        return await self.one("purchase_orders", number)


def day(year: int = 2026, month: int = 11, at: int = 20) -> str:
    """A legacy date's children."""
    return f"<year>{year}</year><month>{month}</month><day>{at}</day>"


def invoice(
    order: Mapping[str, Any] | None,
    quantities: Mapping[int, str],
    *,
    number: str = "KEY-1",
    price: str = "5.00",
    state: str = "Pending",
    definition: str = "Vendor Invoice",
    header: str = "",
    vendor: str = "V-1",
    link: bool = True,
    created_from: bool = True,
    line_more: str = "",
) -> str:
    """A create_potransaction that converts lines of `order` (one-based) in the given quantities."""
    lines = ""
    for line_no, quantity in quantities.items():
        line = order["lines"][line_no - 1] if order else {"item_id": f"IT-{line_no}", "record_no": ""}
        key = f"<sourcelinekey>{line['record_no']}</sourcelinekey>" if link and order else ""
        lines += (
            f"<potransitem><itemid>{line['item_id']}</itemid><quantity>{quantity}</quantity><unit>Each</unit>"
            f"<price>{price}</price>{key}<locationid>100</locationid>{line_more}</potransitem>"
        )
    source = f"<createdfrom>{order['document_id']}</createdfrom>" if order and created_from else ""
    return (
        f"<create_potransaction><transactiontype>{definition}</transactiontype><datecreated>{day()}</datecreated>"
        f"{source}<vendorid>{vendor}</vendorid><documentno>{number}</documentno><referenceno>PO-1</referenceno>"
        f"<vendordocno>INV-{number}</vendordocno><datedue>{day(month=12)}</datedue>{header}"
        "<returnto><contactname/></returnto><payto><contactname/></payto><currency>USD</currency><exchratetype/>"
        f"<state>{state}</state><potransitems>{lines}</potransitems></create_potransaction>"
    )


def payment(bill: str, amount: str, *, number: str = "PAY-1", action: str = "Submit", vendor: str = "V-1") -> str:
    """A generic create of a payment for one bill."""
    return (
        "<create><APPYMT><FINANCIALENTITY>BOA</FINANCIALENTITY><PAYMENTMETHOD>EFT</PAYMENTMETHOD>"
        f"<VENDORID>{vendor}</VENDORID><PAYMENTDATE>11/25/2026</PAYMENTDATE><CURRENCY>USD</CURRENCY>"
        f"<DOCNUMBER>{number}</DOCNUMBER><ACTION>{action}</ACTION><APPYMTDETAILS><APPYMTDETAIL>"
        f"<RECORDKEY>{bill}</RECORDKEY><TRX_PAYMENTAMOUNT>{amount}</TRX_PAYMENTAMOUNT></APPYMTDETAIL></APPYMTDETAILS>"
        "</APPYMT></create>"
    )
