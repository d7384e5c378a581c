"""A scripted SuiteTalk: hand-written answers in the reference's words, and every request checked against our XSDs."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import httpx
from lxml import etree

from erp.connection import ConnectionSettings
from erp.netsuite.connector import NetSuiteConnector
from erp.sign_in import Credentials
from tests.fakes.suitetalk.description import VERSION

ENDPOINT = f"https://tstdrv1.suitetalk.api.netsuite.com/services/NetSuitePort_{VERSION}"
SECRETS = ("s3cret-consumer", "s3cret-token")
CREDENTIALS = Credentials(
    values={
        "account": "TSTDRV1",
        "consumer_key": "ck-1",
        "consumer_secret": SECRETS[0],
        "token_id": "tk-1",
        "token_secret": SECRETS[1],
    }
)

MESSAGES = f"urn:messages_{VERSION}.platform.webservices.netsuite.com"
CORE = f"urn:core_{VERSION}.platform.webservices.netsuite.com"
COMMON = f"urn:common_{VERSION}.platform.webservices.netsuite.com"
PURCHASES = f"urn:purchases_{VERSION}.transactions.webservices.netsuite.com"
SALES = f"urn:sales_{VERSION}.transactions.webservices.netsuite.com"
ACCOUNTING = f"urn:accounting_{VERSION}.lists.webservices.netsuite.com"
RELATIONSHIPS = f"urn:relationships_{VERSION}.lists.webservices.netsuite.com"

DATE = "Tue, 01 Jul 2031 10:00:00 GMT"
"""Its clock, as the head of every answer shows it."""

Answer = str | httpx.Response | Exception | Callable[[etree._Element], str | httpx.Response]

CURRENCIES = (
    '<c:getAllResult><c:status isSuccess="true"/><c:totalRecords>1</c:totalRecords><c:recordList>'
    '<c:record internalId="1" xsi:type="a:Currency"><a:name>US Dollar</a:name><a:symbol>USD</a:symbol>'
    "<a:isBaseCurrency>true</a:isBaseCurrency></c:record></c:recordList></c:getAllResult>"
)


class Service:
    """Answers operations from a script: one answer per operation, used until it is replaced, or a list used up."""

    def __init__(self, schema: etree.XMLSchema) -> None:
        self._schema = schema
        self.script: dict[str, Answer | list[Answer]] = {"getAll": CURRENCIES, "getServerTime": clock()}
        self.requests: list[tuple[str, etree._Element]] = []
        self.passports: list[etree._Element] = []
        self.connectors: list[NetSuiteConnector] = []

    def connect(self, **settings: Any) -> NetSuiteConnector:
        values = {**CREDENTIALS.values, **settings.pop("credentials", {})}
        created = NetSuiteConnector(
            ConnectionSettings(**{"endpoint": ENDPOINT, **settings}),
            Credentials(values=values),
            transport=httpx.MockTransport(self._answer),
        )
        self.connectors.append(created)
        return created

    def sent(self, operation: str) -> list[etree._Element]:
        return [request for name, request in self.requests if name == operation]

    def operations(self) -> list[str]:
        return [name for name, _ in self.requests]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        envelope = etree.fromstring(request.content)
        header, body = envelope
        (operation,) = body
        for element in (*header, operation):
            self._schema.assertValid(element)
        name = etree.QName(operation).localname
        assert request.headers["SOAPAction"] == f'"{name}"'
        self.requests.append((name, operation))
        self.passports.append(header[0])
        answer = self.script[name]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(operation)
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, text=envelope_of(name, answer), headers={"Date": DATE})


def envelope_of(operation: str, inner: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header/><soapenv:Body>'
        f'<{operation}Response xmlns="{MESSAGES}" xmlns:c="{CORE}" xmlns:p="{PURCHASES}" xmlns:s="{SALES}" '
        f'xmlns:k="{COMMON}" xmlns:a="{ACCOUNTING}" xmlns:r="{RELATIONSHIPS}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"{inner}</{operation}Response></soapenv:Body></soapenv:Envelope>"
    )


def fault(name: str, code: str, message: str, status: int = 500) -> httpx.Response:
    """A SOAP fault as Axis sends it (reference 6.1)."""
    text = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>soapenv:Server.userException</faultcode><faultstring>{escape(message)}</faultstring><detail>"
        f'<f:{name} xmlns:f="urn:faults_{VERSION}.platform.webservices.netsuite.com"><f:code>{code}</f:code>'
        f"<f:message>{escape(message)}</f:message></f:{name}>"
        '<ns1:hostname xmlns:ns1="http://xml.apache.org/axis/">host</ns1:hostname></detail></soapenv:Fault>'
        "</soapenv:Body></soapenv:Envelope>"
    )
    return httpx.Response(status, text=text)


def clock(at: str = "2031-07-01T10:00:00.000Z") -> str:
    return (
        f'<c:getServerTimeResult><c:status isSuccess="true"/><c:serverTime>{at}</c:serverTime></c:getServerTimeResult>'
    )


def refused(code: str, message: str = "Because.") -> str:
    return (
        f'<c:status isSuccess="false"><c:statusDetail type="ERROR"><c:code>{code}</c:code>'
        f"<c:message>{escape(message)}</c:message></c:statusDetail></c:status>"
    )


def found(*records: str, total: int | None = None, size: int = 1000, index: int = 1) -> str:
    """A search's page; a record is what `record` makes."""
    count = len(records) if total is None else total
    pages = -(-count // size)
    listed = "".join(record.replace("<record ", "<c:record ").replace("</record>", "</c:record>") for record in records)
    return (
        f'<c:searchResult><c:status isSuccess="true"/><c:totalRecords>{count}</c:totalRecords>'
        f"<c:pageSize>{size}</c:pageSize><c:totalPages>{pages}</c:totalPages><c:pageIndex>{index}</c:pageIndex>"
        f"<c:searchId>WEBSERVICES_TSTDRV1_1</c:searchId><c:recordList>{listed}</c:recordList></c:searchResult>"
    )


def rows(*values: Mapping[str, str]) -> str:
    """The rows of an advanced search; `internalId` is a select column."""
    listed = ""
    for row in values:
        columns = "".join(
            f'<k:{name}><c:searchValue internalId="{value}"/></k:{name}>'
            if name == "internalId"
            else f"<k:{name}><c:searchValue>{value}</c:searchValue></k:{name}>"
            for name, value in row.items()
        )
        listed += f'<c:searchRow xsi:type="s:TransactionSearchRow"><s:basic>{columns}</s:basic></c:searchRow>'
    return (
        f'<c:searchResult><c:status isSuccess="true"/><c:totalRecords>{len(values)}</c:totalRecords>'
        "<c:pageSize>1000</c:pageSize><c:totalPages>1</c:totalPages><c:pageIndex>1</c:pageIndex>"
        f"<c:searchId>W</c:searchId><c:searchRowList>{listed}</c:searchRowList></c:searchResult>"
    )


def deleted(*rows: tuple[str, str], pages: int = 1) -> str:
    """Return the delete feed's answer: rows of kind and internal id."""
    listed = "".join(
        f"<c:deletedRecord><c:deletedDate>2031-07-01T01:00:00.000-07:00</c:deletedDate>"
        f'<c:record internalId="{number}" type="{kind}" xsi:type="c:RecordRef"/></c:deletedRecord>'
        for kind, number in rows
    )
    return (
        f'<c:getDeletedResult><c:status isSuccess="true"/><c:totalRecords>{len(rows)}</c:totalRecords>'
        f"<c:pageSize>1000</c:pageSize><c:totalPages>{pages}</c:totalPages><c:pageIndex>1</c:pageIndex>"
        f"<c:deletedRecordList>{listed}</c:deletedRecordList></c:getDeletedResult>"
    )


def got(*outcomes: str) -> str:
    """The answer of `getList`: records, or refusals."""
    responses = "".join(
        f"<readResponse>{outcome}</readResponse>"
        if "isSuccess" in outcome
        else f'<readResponse><c:status isSuccess="true"/>{outcome}</readResponse>'
        for outcome in outcomes
    )
    return f'<readResponseList><c:status isSuccess="true"/>{responses}</readResponseList>'


def written(internal_id: str, detail: str = "<c:afterSubmitFailed>false</c:afterSubmitFailed>") -> str:
    """A write that succeeded, with the detail that newer endpoints add (reference 3.2)."""
    return (
        f'<writeResponse><c:status isSuccess="true"><c:statusDetail>{detail}</c:statusDetail></c:status>'
        f'<baseRef internalId="{internal_id}" type="vendorBill" xsi:type="c:RecordRef"/></writeResponse>'
    )


def write_refused(code: str, message: str = "Because.") -> str:
    return f"<writeResponse>{refused(code, message)}</writeResponse>"


def initialized(record: str) -> str:
    return f'<readResponse><c:status isSuccess="true"/>{record}</readResponse>'


# --- records ---------------------------------------------------------------------------------------------------

Value = str | Mapping[str, Any] | None


def ref(internal_id: str, name: str = "") -> dict[str, str]:
    return {"@id": internal_id, "name": name}


def element(prefix: str, name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        if "@id" in value:
            shown = f"<c:name>{escape(value['name'])}</c:name>"
            return f'<{prefix}:{name} internalId="{value["@id"]}">{shown}</{prefix}:{name}>'
        return f"<{prefix}:{name}>{inside(prefix, value)}</{prefix}:{name}>"
    if isinstance(value, list):
        return "".join(element(prefix, name, one) for one in value)
    return f"<{prefix}:{name}>{escape(value)}</{prefix}:{name}>"


def inside(prefix: str, values: Mapping[str, Any]) -> str:
    return "".join(element(prefix, name, value) for name, value in values.items())


def record(kind: str, internal_id: str, values: Mapping[str, Any], *, prefix: str = "p", external_id: str = "") -> str:
    external = f" externalId={quoteattr(external_id)}" if external_id else ""
    return f'<record internalId="{internal_id}"{external} xsi:type="{prefix}:{kind}">{inside(prefix, values)}</record>'


def order(
    internal_id: str = "101", number: str = "PO-1007", lines: Iterable[Mapping[str, Any]] = (), **more: Any
) -> str:
    """A purchase order as answers carry it; without lines it is body only."""
    items = list(lines)
    values: dict[str, Any] = {
        "createdDate": "2031-06-01T09:30:00.000-07:00",
        "lastModifiedDate": "2031-06-30T17:00:00.000-07:00",
        "entity": ref("5", "V100 Acme Tools"),
        "tranDate": "2031-06-01T00:00:00.000-07:00",
        "tranId": number,
        "currency": ref("1", "US Dollar"),
        "total": "100.0",
        "subsidiary": ref("1", "Parent Company"),
        "status": "Pending Receipt",
        "orderStatus": "_pendingReceipt",
        **more,
    }
    if items:
        values["itemList"] = {"item": items}
    return record("PurchaseOrder", internal_id, values)


def order_item(line: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "item": ref("31", "PAPER-A4"),
        "line": str(line),
        "quantityReceived": "0.0",
        "quantityBilled": "0.0",
        "quantity": "10.0",
        "units": ref("2", "Each"),
        "description": "Paper A4",
        "rate": "3.50",
        "amount": "35.0",
        "isClosed": "false",
        **more,
    }


def receipt(internal_id: str = "201", order_id: str = "101", lines: Iterable[Mapping[str, Any]] = ()) -> str:
    values = {
        "lastModifiedDate": "2031-07-01T01:00:00.000-07:00",
        "entity": ref("5", "V100 Acme Tools"),
        "subsidiary": ref("1", "Parent Company"),
        "createdFrom": ref(order_id, "Purchase Order #PO-1007"),
        "tranDate": "2031-07-01T00:00:00.000-07:00",
        "tranId": f"IR{internal_id}",
        "itemList": {"item": list(lines) or [receipt_item()]},
    }
    return record("ItemReceipt", internal_id, values)


def receipt_item(order_line: int = 1, quantity: str = "4.0") -> dict[str, Any]:
    return {
        "itemReceive": "true",
        "item": ref("31", "PAPER-A4"),
        "orderLine": str(order_line),
        "line": str(order_line),
        "quantity": quantity,
    }


def bill(internal_id: str = "301", lines: Iterable[Mapping[str, Any]] = (), external_id: str = "", **more: Any) -> str:
    values = {
        "lastModifiedDate": "2031-07-01T02:00:00.000-07:00",
        "entity": ref("5", "V100 Acme Tools"),
        "subsidiary": ref("1", "Parent Company"),
        "tranDate": "2031-07-01T00:00:00.000-07:00",
        "dueDate": "2031-07-31T00:00:00.000-07:00",
        "tranId": "INV-1",
        "userTotal": "14.0",
        "currency": ref("1", "US Dollar"),
        "status": "Open",
        **more,
    }
    values["itemList"] = {"item": list(lines) or [bill_item()]}
    return record("VendorBill", internal_id, values, external_id=external_id)


def bill_item(order_doc: str = "101", order_line: int = 1, quantity: str = "4.0", **more: Any) -> dict[str, Any]:
    return {
        "item": ref("31", "PAPER-A4"),
        "line": str(order_line),
        "orderDoc": order_doc,
        "orderLine": str(order_line),
        "quantity": quantity,
        "description": "Paper A4",
        "rate": "3.5",
        "amount": "14.0",
        **more,
    }


def payment(internal_id: str = "401", bill_id: str = "301", amount: str = "14.0", **more: Any) -> str:
    values = {
        "lastModifiedDate": "2031-07-01T03:00:00.000-07:00",
        "account": ref("7", "Checking"),
        "apAcct": ref("8", "Accounts Payable"),
        "entity": ref("5", "V100 Acme Tools"),
        "tranDate": "2031-07-01T00:00:00.000-07:00",
        "total": amount,
        "currency": ref("1", "US Dollar"),
        "status": "Approved",
        "applyList": {
            "apply": [
                {"apply": "true", "doc": bill_id, "line": "0", "type": "Bill", "amount": amount},
                {"apply": "false", "doc": "999", "line": "0", "type": "Bill", "amount": "0.0"},
            ]
        },
        **more,
    }
    return record("VendorPayment", internal_id, values)


def credit(
    internal_id: str = "501", source: str | None = "301", lines: Iterable[Mapping[str, Any]] = (), **more: Any
) -> str:
    """A vendor credit made from a bill or a return; without a source it was made by hand."""
    values: dict[str, Any] = {
        "lastModifiedDate": "2031-07-02T02:00:00.000-07:00",
        "unApplied": "0.0",
        "applied": "3.5",
        "tranId": f"CM-{internal_id}",
        **({"createdFrom": ref(source, f"Bill #{source}")} if source else {}),
        "entity": ref("5", "V100 Acme Tools"),
        "userTotal": "3.5",
        "currency": ref("1", "US Dollar"),
        "tranDate": "2031-07-02T00:00:00.000-07:00",
        "itemList": {"item": list(lines) or [credit_item()]},
        "applyList": {
            "apply": [{"apply": "true", "doc": source or "301", "line": "0", "type": "Bill", "amount": "3.5"}]
        },
        **more,
    }
    return record("VendorCredit", internal_id, values)


def credit_item(order_line: int | None = 1, quantity: str = "1.0", amount: str = "3.5", **more: Any) -> dict[str, Any]:
    return {
        "item": ref("31", "PAPER-A4"),
        "line": "1",
        **({"orderLine": str(order_line)} if order_line is not None else {}),
        "quantity": quantity,
        "description": "Paper A4",
        "amount": amount,
        **more,
    }


def returned(internal_id: str = "601", source: str = "301", lines: Iterable[Mapping[str, Any]] = ()) -> str:
    """A return authorization made from a bill; its own lines start at 11."""
    values = {
        "lastModifiedDate": "2031-07-02T01:00:00.000-07:00",
        "createdFrom": ref(source, f"Bill #{source}"),
        "entity": ref("5", "V100 Acme Tools"),
        "orderStatus": "_pendingReturn",
        "userTotal": "3.5",
        "itemList": {"item": list(lines) or [{**credit_item(), "line": "11"}]},
    }
    return record("VendorReturnAuthorization", internal_id, values)
