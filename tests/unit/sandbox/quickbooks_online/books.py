"""One pretend company in process, spoken to as any client could; every JSON answer is checked against the schema."""

import base64
import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from sandbox.quickbooks_online.service import REALM
from sandbox.server import Sandbox, create_app
from tests.harness.quickbooks_xml import vendor_schema

CLIENT = ("ABsandboxClientId", "sandbox-client-secret")
BASIC = "Basic " + base64.b64encode(":".join(CLIENT).encode()).decode()
REDIRECT = "https://posync.test/oauth/callback"
ACCOUNTING = "com.intuit.quickbooks.accounting"


class Books:
    """A sandbox, an access token for its first company, and its control room."""

    def __init__(self) -> None:
        self.app: Sandbox = create_app()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://sandbox.test:8900")
        self.realm = REALM
        self.token = ""
        self.checked = 0
        """How many elements were compared with the vendor's schema."""

    # Signing in

    async def consent(self, **extra: str) -> dict[str, str]:
        """What the browser brings back."""
        asked = {"client_id": CLIENT[0], "response_type": "code", "scope": ACCOUNTING, "redirect_uri": REDIRECT}
        answer = await self.http.get("/connect/oauth2", params={**asked, "state": "st-1", **extra})
        assert answer.status_code == 302, answer.text
        assert answer.headers["location"].startswith(REDIRECT)
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def exchange(self, code: str) -> httpx.Response:
        return await self.tokens(grant_type="authorization_code", code=code, redirect_uri=REDIRECT)

    async def refresh(self, refresh_token: str) -> httpx.Response:
        return await self.tokens(grant_type="refresh_token", refresh_token=refresh_token)

    async def tokens(self, authorization: str = BASIC, **form: str) -> httpx.Response:
        headers = {"authorization": authorization, "accept": "application/json"}
        return await self.http.post("/oauth2/v1/tokens/bearer", data=form, headers=headers)

    async def connect(self) -> dict[str, Any]:
        back = await self.consent()
        tokens: dict[str, Any] = (await self.exchange(back["code"])).json()
        self.realm, self.token = back["realmId"], tokens["access_token"]
        return tokens

    # The API

    async def call(self, method: str, path: str, body: Any = None, **parameters: str) -> httpx.Response:
        """One call as it is; a JSON answer is compared with the schema."""
        headers = {"authorization": f"Bearer {self.token}", "accept": "application/json"}
        content: bytes | None = None
        if body is not None:
            content = body.encode() if isinstance(body, str) else json.dumps(body, default=str).encode()
            headers["content-type"] = "application/text" if isinstance(body, str) else "application/json"
        answer = await self.http.request(
            method,
            f"/v3/company/{self.realm}/{path}",
            content=content,
            params={"minorversion": "75", **parameters},
            headers=headers,
        )
        self._compare(answer)
        return answer

    def _compare(self, answer: httpx.Response) -> None:
        schema = vendor_schema()
        if schema is None or not answer.content or "json" not in answer.headers.get("content-type", ""):
            return
        found = answer.json()
        if isinstance(found, dict) and "fault" not in found:
            self.checked += schema.check(found)

    async def get(self, path: str, **parameters: str) -> dict[str, Any]:
        answer = await self.call("GET", path, **parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
        assert "Fault" not in found, found
        return found

    async def read(self, entity: str, identifier: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.get(f"{entity.lower()}/{identifier}"))[entity]
        return found

    async def save(self, entity: str, body: dict[str, Any], **parameters: str) -> dict[str, Any]:
        """Create or update; a fault fails the test with its own words."""
        answer = await self.call("POST", entity.lower(), body, **parameters)
        assert answer.status_code == 200, answer.text
        saved = json.loads(answer.text, parse_float=Decimal)
        assert entity in saved, saved
        found: dict[str, Any] = saved[entity]
        return found

    async def refused(self, entity: str, body: Any, **parameters: str) -> str:
        """The code of a write that is refused."""
        return code_of(await self.call("POST", entity.lower(), body, **parameters))

    async def query(self, statement: str) -> list[dict[str, Any]]:
        answer = (await self.get("query", query=statement))["QueryResponse"]
        lists = [value for value in answer.values() if isinstance(value, list)]
        return lists[0] if lists else []

    # The control room

    async def room(self, path: str, body: Any = None, method: str = "POST") -> Any:
        """The control room; its refusals fail the test with their own words."""
        answer = await self.http.request(method, f"/sandbox{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def held(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.room(f"/companies/quickbooks_online/{kind}", method="GET")
        return found

    async def one(self, kind: str, number: str) -> dict[str, Any]:
        [found] = [record for record in await self.held(kind) if record["number"] == number]
        return found

    async def act(self, action: str, **arguments: Any) -> dict[str, Any]:
        done: dict[str, Any] = await self.room("/companies/quickbooks_online/actions", {"action": action, **arguments})
        return done

    async def switch(self, **values: Any) -> None:
        await self.room("/companies/quickbooks_online/switches", values)

    async def break_(self, kind: str, **rule: Any) -> None:
        await self.room("/faults", {"rules": [{"erp": "quickbooks_online", "kind": kind, **rule}]})

    async def pass_time(self, seconds: float) -> None:
        await self.room("/clock", {"advance_seconds": seconds})

    async def order(self, number: str = "PO-1", lines: int = 2, **fields: str) -> dict[str, Any]:
        """An open order as the API shows it: line n is item IT-n, 10 pieces at 5.00."""
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
        report = await self.room("/companies/quickbooks_online/load?create_missing=true", {"purchase_orders": rows})
        assert report["errors"] == [], report
        return await self.read("PurchaseOrder", (await self.one("purchase_orders", number))["record_no"])


def code_of(answer: httpx.Response) -> str:
    """The code of a fault, in any of its JSON shapes."""
    found = answer.json()
    if "fault" in found:
        return str(found["fault"]["error"][0]["code"])
    assert "Fault" in found, found
    return str(found["Fault"]["Error"][0]["code"])


def bill_of(order: dict[str, Any], *quantities: tuple[int, str], number: str = "INV-1", **more: Any) -> dict[str, Any]:
    """A bill of an order's lines by position, linked in its header and its lines."""
    lines = []
    for position, quantity in quantities:
        line = order["Line"][position - 1]
        detail = line["ItemBasedExpenseLineDetail"]
        amount = Decimal(quantity) * Decimal(str(detail["UnitPrice"]))
        lines.append(
            {
                "Amount": float(amount),
                "DetailType": "ItemBasedExpenseLineDetail",
                "ItemBasedExpenseLineDetail": {
                    "ItemRef": {"value": detail["ItemRef"]["value"]},
                    "Qty": float(quantity),
                    "UnitPrice": float(detail["UnitPrice"]),
                },
                "LinkedTxn": [{"TxnId": order["Id"], "TxnType": "PurchaseOrder", "TxnLineId": line["Id"]}],
            }
        )
    head = {"VendorRef": {"value": order["VendorRef"]["value"]}, "DocNumber": number, "TxnDate": "2026-11-02"}
    return {**head, "LinkedTxn": [{"TxnId": order["Id"], "TxnType": "PurchaseOrder"}], "Line": lines, **more}


def payment_of(bill: dict[str, Any], amount: str, **more: Any) -> dict[str, Any]:
    """A payment by check from the account BOA, which every new company has."""
    line = {"Amount": float(amount), "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}
    return {
        "VendorRef": bill["VendorRef"],
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": "1"}},
        "TotalAmt": float(amount),
        "Line": [line],
        **more,
    }
