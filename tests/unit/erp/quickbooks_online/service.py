"""A small QuickBooks that answers as the reference shows, for the client's own tests: no more than they ask for."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from erp.connection import ConnectionSettings
from erp.quickbooks_online.auth import App
from erp.quickbooks_online.connector import QuickBooksConnector
from erp.sign_in import Credentials
from erp.storage import Storage
from tests.fakes.kept_reads import KeptReads, KeptRequestIds
from tests.harness.quickbooks_xml import vendor_schema

REALM = "9130350000000001"
ENDPOINT = "https://quickbooks.api.intuit.com"
STAMP = "2026-03-02T08:15:22-08:00"

PO: dict[str, Any] = {
    "Id": "190", "SyncToken": "0", "domain": "QBO", "sparse": False,
    "MetaData": {"CreateTime": STAMP, "LastUpdatedTime": STAMP},
    "DocNumber": "PO-1007", "TxnDate": "2026-03-02", "DueDate": "2026-04-01", "POStatus": "Open",
    "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
    "VendorRef": {"value": "56", "name": "Norton Lumber"},
    "APAccountRef": {"value": "33", "name": "Accounts Payable (A/P)"},
    "CustomField": [], "LinkedTxn": [],
    "Line": [
        {"Id": "1", "LineNum": 1, "Description": "Fence post", "Amount": 50.0, "Received": 0,
         "DetailType": "ItemBasedExpenseLineDetail",
         "ItemBasedExpenseLineDetail": {"ItemRef": {"value": "11", "name": "Post"}, "Qty": 2, "UnitPrice": 25,
                                        "BillableStatus": "NotBillable", "TaxCodeRef": {"value": "NON"}}},
        {"Id": "2", "LineNum": 2, "Description": "Freight", "Amount": 15.0, "Received": 0,
         "DetailType": "AccountBasedExpenseLineDetail",
         "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "77", "name": "Freight"},
                                           "BillableStatus": "NotBillable", "TaxCodeRef": {"value": "NON"}}}],
    "TotalAmt": 65.0,
}  # fmt: skip
"""The order of the reference, section 6.1."""

PREFERENCES = {
    "AccountingInfoPrefs": {"ClassTrackingPerTxnLine": True, "TrackDepartments": True},
    "VendorAndPurchasesPrefs": {"EnableBills": True},
    "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": "USD"}},
    "OtherPrefs": {"NameValue": [{"Name": "VendorAndPurchasesPrefs.PurchaseOrderEnabled", "Value": "true"}]},
    "Id": "1",
    "SyncToken": "3",
}

ACCOUNTS = [
    {"Id": "35", "Name": "Checking", "FullyQualifiedName": "Checking", "AccountType": "Bank"},
    {"Id": "41", "Name": "Mastercard", "FullyQualifiedName": "Mastercard", "AccountType": "Credit Card"},
    {"Id": "77", "Name": "Freight", "FullyQualifiedName": "Freight", "AcctNum": "6010", "AccountType": "Expense"},
]


class KeptTokens:
    """Tokens in memory, for one connector: rotated as the stored ones are."""

    def __init__(self, **changed: str) -> None:
        later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        self.tokens: dict[str, str] = {
            "realm": REALM, "access_token": "at-1", "access_expires_at": later, "refresh_token": "rt-1", **changed,
        }  # fmt: skip

    async def current(self) -> Mapping[str, str]:
        return self.tokens

    async def rotate(self, old: Mapping[str, str], refresh: Callable[[Mapping[str, str]], Any]) -> Mapping[str, str]:
        if self.tokens == dict(old):
            self.tokens = dict(await refresh(self.tokens))
        return self.tokens


class Service:
    """Documents by kind, the calls that were made, and answers that a test puts in front of the next ones."""

    def __init__(self) -> None:
        self.documents: dict[str, list[dict[str, Any]]] = {
            "PurchaseOrder": [json.loads(json.dumps(PO))], "Bill": [], "BillPayment": [], "VendorCredit": [],
            "Vendor": [], "Item": [], "Account": [_stamped(one) for one in ACCOUNTS], "Class": [], "Department": [],
            "Term": [],
        }  # fmt: skip
        self.calls: list[httpx.Request] = []
        self.first: list[tuple[str, Callable[[httpx.Request], httpx.Response | None]]] = []
        self.next_id = 200
        self.replayed: dict[str, bytes] = {}
        self.deleted: list[tuple[str, dict[str, Any]]] = []
        self.drops_links = False
        self.forgets_requests = False
        self.moves_orders = True
        self.numbers_as_text = False
        self.country = "US"
        self.now = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)

    # --- what a test sets up ------------------------------------------------------------------------------------

    def answer_first(self, path: str, answer: Callable[[httpx.Request], httpx.Response | None]) -> None:
        """Answer the next call whose path contains this text; None answers it as usual afterwards."""
        self.first.append((path, answer))

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    def connector(
        self,
        tokens: KeptTokens | None = None,
        *,
        reads: KeptReads | None = None,
        requests: KeptRequestIds | None = None,
        **settings: Any,
    ) -> QuickBooksConnector:
        return QuickBooksConnector(
            ConnectionSettings(endpoint=ENDPOINT, max_in_flight=8, **settings),
            Credentials(values={"realm": REALM}),
            Storage(tokens or KeptTokens(), None, reads or KeptReads(), requests=requests or KeptRequestIds()),
            App("an-app", "a-secret"),
            transport=self.transport(),
        )

    def reads(self) -> list[httpx.Request]:
        return [call for call in self.calls if _is_read(call)]

    def writes(self) -> list[httpx.Request]:
        return [call for call in self.calls if "/v3/" in call.url.path and not _is_read(call)]

    def one(self, kind: str, document_id: str) -> dict[str, Any]:
        return next(one for one in self.documents[kind] if one["Id"] == document_id)

    # --- answers ------------------------------------------------------------------------------------------------

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        for place, (path, answer) in enumerate(self.first):
            if path in str(request.url):
                del self.first[place]
                response = answer(request)
                if response is not None:
                    return response
                break
        self.now += timedelta(seconds=2)
        path = request.url.path.removeprefix(f"/v3/company/{REALM}/")
        params = {name: values[0] for name, values in parse_qs(urlsplit(str(request.url)).query).items()}
        if path == "query":
            statement = params.get("query") or request.content.decode()
            return self._json({"QueryResponse": self._query(statement)})
        if path == "cdc":
            return self._json({"CDCResponse": [{"QueryResponse": self._captured(params)}]})
        if path.startswith("companyinfo"):
            return self._json({"CompanyInfo": {"CompanyName": "Norton & Sons", "Country": self.country, "Id": "1"}})
        if path == "preferences":
            return self._json({"Preferences": PREFERENCES})
        if request.method == "POST":
            return self._written(path, params, json.loads(request.content))
        raise AssertionError(f"nobody asks for {request.url}")

    def _json(self, value: dict[str, Any]) -> httpx.Response:
        pacific = f"{self.now - timedelta(hours=8):%Y-%m-%dT%H:%M:%S}.131-08:00"
        shown = _as_text(value) if self.numbers_as_text else value
        return httpx.Response(200, json={**shown, "time": pacific}, headers={"intuit_tid": "tid-1"})

    def _query(self, statement: str) -> dict[str, Any]:
        match = re.match(
            r"SELECT (?:\*|Id) FROM (\w+)(?: WHERE (.*?))? ORDERBY (\S+) STARTPOSITION (\d+) MAXRESULTS (\d+)$",
            statement,
        )
        assert match is not None, statement
        kind, where, order, start, most = match.groups()
        rows = [one for one in self.documents[kind] if all(_meets(one, part) for part in (where or "").split(" AND "))]
        rows.sort(key=lambda one: (_path(one, order), one["Id"]))
        page = rows[int(start) - 1 : int(start) - 1 + int(most)]
        return {kind: page, "startPosition": int(start), "maxResults": len(page)} if page else {}

    def _captured(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        since = params["changedSince"]
        answers: list[dict[str, Any]] = []
        left = 1000
        for kind in params["entities"].split(","):
            rows = [one for one in self.documents[kind] if _utc(one["MetaData"]["LastUpdatedTime"]) >= since]
            rows += [
                one for of, one in self.deleted if of == kind and _utc(one["MetaData"]["LastUpdatedTime"]) >= since
            ]
            rows = rows[:left]
            left -= len(rows)
            answers.append({kind: rows, "startPosition": 1, "maxResults": len(rows)} if rows else {})
        return answers

    def _written(self, path: str, params: Mapping[str, str], body: dict[str, Any]) -> httpx.Response:
        known = self.replayed.get(params["requestid"])
        if known is not None and not self.forgets_requests:
            return httpx.Response(200, content=known)
        kind = next(name for name in self.documents if name.casefold() == path)
        if (schema := vendor_schema()) is not None:
            schema.check_entity(kind, body)
        if "Id" in body:
            document = self.one(kind, body["Id"])
            if document["SyncToken"] != body["SyncToken"]:
                return fault("5010", "Stale Object Error")
            document.update({name: value for name, value in body.items() if name != "sparse"})
            document["SyncToken"] = str(int(document["SyncToken"]) + 1)
        else:
            document = {"Id": str(self.next_id), "SyncToken": "0", **body}
            self.next_id += 1
            self.documents[kind].append(document)
        document["MetaData"] = {"LastUpdatedTime": f"{self.now:%Y-%m-%dT%H:%M:%SZ}"}
        for place, line in enumerate(document.get("Line", []), start=1):
            line.setdefault("Id", str(place))
        if kind == "Bill" and "Id" not in body:
            document["TotalAmt"] = document["Balance"] = round(sum(line["Amount"] for line in document["Line"]), 2)
            if self.drops_links:
                document.pop("LinkedTxn", None)
                for line in document["Line"]:
                    line.pop("LinkedTxn", None)
            self._bill_orders(document)
        if kind == "BillPayment":
            for line in document["Line"]:
                for link in line["LinkedTxn"]:
                    bill = self.one("Bill", link["TxnId"])
                    bill["Balance"] = round(bill["Balance"] - line["Amount"], 2)
                    bill["SyncToken"] = str(int(bill["SyncToken"]) + 1)
        response = self._json({kind: document})
        self.replayed[params["requestid"]] = response.content
        return response

    def _bill_orders(self, bill: dict[str, Any]) -> None:
        for line in bill["Line"]:
            for link in line.get("LinkedTxn", []):
                order = self.one("PurchaseOrder", link["TxnId"])
                theirs = next(one for one in order["Line"] if one["Id"] == link["TxnLineId"])
                item = line.get("ItemBasedExpenseLineDetail", {})
                theirs["Received"] += item.get("Qty", line["Amount"])
                linked = {"TxnId": bill["Id"], "TxnType": "Bill"}
                if linked not in order["LinkedTxn"]:
                    order["LinkedTxn"].append(linked)
                if self.moves_orders:
                    order["SyncToken"] = str(int(order["SyncToken"]) + 1)
                    order["MetaData"]["LastUpdatedTime"] = bill["MetaData"]["LastUpdatedTime"]


def _is_read(call: httpx.Request) -> bool:
    path = call.url.path
    return "/v3/" in path and (call.method == "GET" or path.endswith("/query"))


def fault(code: str, message: str, detail: str = "", *, status: int = 400) -> httpx.Response:
    error = {"Message": message, "Detail": detail, "code": code, "element": ""}
    return httpx.Response(status, json={"Fault": {"Error": [error], "type": "ValidationFault"}})


def throttle(status: int = 429) -> httpx.Response:
    """The gateway's throttle, section 4."""
    return httpx.Response(
        status,
        content=(
            b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            b'<IntuitResponse time="2026-03-02T08:20:10.311-08:00" xmlns="http://schema.intuit.com/finance/v3">'
            b'<Fault type="SERVICE"><Error code="3001"><Message>message=ThrottleExceeded; errorCode=003001; '
            b"statusCode=429</Message><Detail>The request limit was reached. Try again later.</Detail></Error></Fault>"
            b"</IntuitResponse>"
        ),
    )


def token_refused() -> httpx.Response:
    """The other casing, section 2.7."""
    return httpx.Response(
        401,
        json={
            "warnings": None, "intuitObject": None,
            "fault": {"error": [{"message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                                 "detail": "Token expired: AB01", "code": "3200", "element": None}],
                      "type": "AUTHENTICATION"},
            "report": None, "time": 1730024394085,
        },
    )  # fmt: skip


def _as_text(value: Any) -> Any:
    """The same with numbers, and yes and no, as text."""
    if isinstance(value, Mapping):
        return {name: _as_text(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return str(value) if isinstance(value, (int, float)) else value


def _stamped(one: dict[str, Any]) -> dict[str, Any]:
    return {"SyncToken": "0", "MetaData": {"LastUpdatedTime": STAMP}, **one}


def _path(one: Mapping[str, Any], name: str) -> Any:
    value: Any = one
    for step in name.split("."):
        value = value.get(step, "") if isinstance(value, Mapping) else ""
    return _utc(value) if name.endswith("Time") and value else value


def _utc(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _meets(one: Mapping[str, Any], condition: str) -> bool:
    if not condition or condition.startswith("Active IN"):
        return True
    match = re.match(r"(\S+) (=|>=|<|IN) (.*)$", condition)
    assert match is not None, condition
    name, operator, literal = match.groups()
    value = _path(one, name)
    if operator == "IN":
        return value in re.findall(r"'((?:[^'\\]|\\.)*)'", literal)
    other = literal.strip("'").replace("\\'", "'")
    return {"=": value == other, ">=": value >= other, "<": value < other}[operator]
