"""Calls to the API as an organization makes them, and what they need: a served app, orders in the mirror, bodies.

Real: the API in this process and PostgreSQL. Fake: Temporal (`FakeTemporal`) and the ERP (`FakeErp`).
"""

import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
from sqlalchemy import text
from temporalio.client import Client

from models.domain.bills import BillStatus, PushedBill
from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, DocumentId, ErpId, OrganizationId, PurchaseOrderId
from models.domain.orders import MatchingStatus, PoStatus, PurchaseOrder, PurchaseOrderLine
from models.domain.receipts import Receipt, ReceiptLine, ReceiptStatus
from models.store.audit import writes
from models.store.base.database import Database
from models.store.orders import purchase_orders, receipts
from models.store.orders.purchase_orders import MappedOrder
from models.store.payables import bills
from settings import Settings
from tests.fakes.fake_connector import FakeConnector
from tests.fakes.fake_erp import FakeErp
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.running_api import running_api

TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
"""A day on which a payment may be made."""

CREDENTIALS = {"sender_id": "posync", "sender_password": "s", "company": "ACME", "user": "xml", "password": "right"}
TEMPLATES = {"po_template": "Purchase Order", "vendor_invoice_template": "Vendor Invoice"}
PREFERENCES = {"po_template": "Purchase Order", "vendor_invoice_template": "Vendor Invoice", "bank_account": "BOA"}

_numbers = itertools.count(1)


@dataclass
class Organization:
    """A tenant with a key of every role."""

    id: OrganizationId
    keys: dict[str, str]

    def auth(self, role: str = "admin") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[role]}"}


@dataclass
class ApiClient:
    """One organization at the API: calls as a role, with a fresh Idempotency-Key unless one is given."""

    http: httpx.AsyncClient
    organization: Organization
    role: str = "admin"

    def as_(self, role: str) -> "ApiClient":
        return ApiClient(self.http, self.organization, role)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(path, params=params, headers=self.organization.auth(self.role))

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = {**self.organization.auth(self.role), "Idempotency-Key": key or secrets.token_hex(8)}
        if body is None:
            return await self.http.post(path, headers=headers)
        return await self.http.post(path, json=body, headers=headers)

    async def put(self, path: str, body: Any, *, if_match: str = "*") -> httpx.Response:
        return await self.http.put(path, json=body, headers={**self.organization.auth(self.role), "If-Match": if_match})

    async def delete(self, path: str, *, if_match: str = "*", **params: Any) -> httpx.Response:
        headers = {**self.organization.auth(self.role), "If-Match": if_match}
        return await self.http.delete(path, params=params, headers=headers)

    async def patch(self, path: str, body: Any, *, if_match: str = "*") -> httpx.Response:
        headers = {**self.organization.auth(self.role), "If-Match": if_match}
        return await self.http.patch(path, json=body, headers=headers)


def new_connection(**changes: Any) -> dict[str, Any]:
    """The body of a connection nobody else has made."""
    company = f"ACME{next(_numbers)}-{secrets.token_hex(3)}"
    body: dict[str, Any] = {
        "erp": "intacct",
        "name": "Acme",
        "credentials": {**CREDENTIALS, "company": company},
        "entity": "100",
        "purchase_orders": True,
        "endpoint": "http://127.0.0.1:1/ia/xml/xmlgw.phtml",
        "settings": {"allow_loopback": True},
    }
    return {**body, **changes}


async def connected(api: ApiClient) -> str:
    """A connection with complete preferences; its id."""
    created = await api.post("/v1/connections", new_connection())
    assert created.status_code == 201, created.text
    connection_id: str = created.json()["id"]
    ready = await api.put(f"/v1/connections/{connection_id}/preferences", {"preferences": PREFERENCES, "sync": False})
    assert ready.json()["complete"] is True, ready.text
    return connection_id


def an_order(number: str, *, lines: int = 2, days_ago: int = 3, **changes: Any) -> PurchaseOrder:
    """An open order of `lines` lines, ten pieces each at 12.50."""
    values: dict[str, Any] = {
        "erp_id": ErpId(secrets.token_hex(6)),
        "document_id": DocumentId(f"Purchase Order-{number}"),
        "number": number,
        "erp_status": "Pending",
        "vendor_id": "V-1",
        "vendor_name": "Vendor One",
        "ordered_on": datetime.now(UTC).date() - timedelta(days=days_ago),
        "currency": "USD",
        "total": Decimal("125.00") * lines,
        "revision": "2026-11-01 10:00:00",
        "lines": tuple(
            PurchaseOrderLine(
                erp_id=ErpId(secrets.token_hex(6)),
                line_no=line_no,
                item_id=f"ITEM-{line_no}",
                description=f"Item {line_no}",
                unit="Each",
                quantity=Decimal(10),
                price=Decimal("12.50"),
                amount=Decimal("125.00"),
            )
            for line_no in range(1, lines + 1)
        ),
    }
    return PurchaseOrder(**{**values, **changes})


async def mirrored(
    database: Database,
    connection_id: str,
    order: PurchaseOrder,
    status: PoStatus = PoStatus.UNFILLED,
    matching_status: MatchingStatus = MatchingStatus.ACTIVE,
) -> PurchaseOrderId:
    """Put an order into the mirror as a sync page would."""
    async with database.transaction() as session:
        await purchase_orders.upsert(
            session,
            ConnectionId(connection_id),
            [MappedOrder(order, status, matching_status)],
            receipts_count_as_billed=True,
        )
    return purchase_orders.purchase_order_id(ConnectionId(connection_id), order.erp_id)


async def received(database: Database, connection_id: str, order: PurchaseOrder, *quantities: str) -> None:
    """Receive these quantities of the order's lines, first to last."""
    lines = tuple(
        ReceiptLine(
            erp_id=ErpId(f"R-{line.erp_id}"),
            line_no=line.line_no,
            item_id=line.item_id,
            quantity=Decimal(quantity),
            order_line=line.erp_id,
        )
        for line, quantity in zip(order.lines, quantities, strict=False)
    )
    receipt = Receipt(
        erp_id=ErpId(f"R-{order.erp_id}"),
        document_id=DocumentId(f"PO Receiver-{order.number}"),
        number=f"R-{order.number}",
        erp_status="Pending",
        order_document=order.document_id,
        vendor_id="V-1",
        received_on=datetime.now(UTC).date(),
        revision="2026-11-02 10:00:00",
        lines=lines,
    )
    async with database.transaction() as session:
        await receipts.upsert(
            session, ConnectionId(connection_id), [(receipt, ReceiptStatus.ACTIVE)], receipts_count_as_billed=True
        )


async def billed(api: ApiClient, order_id: str, *, quantity: str = "4", number: str | None = None) -> str:
    """A bill of ours against the first line; its id."""
    body = {
        "number": number or f"INV-{next(_numbers)}",
        "bill_date": "2026-11-20",
        "acknowledge": ["DUPLICATE_SUSPECT"],
        "lines": [{"order_line_no": 1, "quantity": quantity}],
    }
    created = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
    assert created.status_code == 201, created.text
    bill_id: str = created.json()["bill"]["id"]
    return bill_id


async def make_due(database: Database) -> None:
    """Time passes for the messages that wait in the outbox."""
    async with database.statement() as session:
        await session.execute(text("update outbox set next_try = now()"))


def a_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The response is a problem of that code in the one shape all errors have."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "code", "fix", "who", "instance"} <= set(body)
    assert (body["code"], body["status"], body["type"]) == (code, status, f"urn:posync:problem:{code}")
    assert body["fix"]
    assert all(isinstance(step, str) and step for step in body["fix"])
    assert body["title"]
    assert body["detail"]
    assert body["who"]
    return body


def api_erp() -> FakeErp:
    """An ERP that knows one password and two templates."""
    return FakeErp(password=CREDENTIALS["password"], templates=TEMPLATES)


@asynccontextmanager
async def served(
    settings: Settings, temporal: FakeTemporal | Client, erp: FakeErp | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """The API in this process; without an ERP of the test's own it talks to one that has nothing to say."""
    connectors = {Erp.INTACCT: partial(FakeConnector, erp or api_erp())}
    async with running_api(settings, temporal=temporal, connectors=connectors) as client:
        yield client


def codes_needed(answer: dict[str, Any]) -> list[str]:
    """Return the codes of all findings that an answer says a person must still settle, sorted."""
    return sorted(finding["code"] for findings in answer["needs"].values() for finding in findings)


async def pushed(database: Database, bill_id: str, *, paid: str = "0") -> None:
    """What the activity does once the ERP holds the bill and it was read back."""
    key = bills.external_key_for(BillId(bill_id))
    found = PushedBill(
        erp_id=ErpId("900"),
        document_id=DocumentId("Vendor Invoice-1"),
        payable_id=ErpId("901"),
        total=Decimal("50.00"),
        revision="1",
        linked=True,
    )
    async with database.transaction() as session:
        await writes.begin_attempt(session, key)
        await writes.confirm(session, key, "900")
        await bills.pushed(session, BillId(bill_id), found, status=BillStatus.SYNCED)
        await session.exec(text("update bills set paid = :paid where id = :id"), params={"paid": paid, "id": bill_id})
