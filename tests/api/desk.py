"""Stand-ins for Temporal and the ERP, and a desk to call the API from.

The stand-ins record what they were asked; what a worker would do for a bill or a payment its real activity does.
"""

import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
from asgi_lifespan import LifespanManager
from temporalio.client import ScheduleAlreadyRunningError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.mirror import MirrorActivities
from activities.waiting_bills import WaitingBillActivities
from api.app import create_app
from erp.connector import Capabilities, ConnectionCheck, ConnectionSettings, Credentials, PreferenceProblem, Statuses
from erp.errors import AuthenticationFailed, Unavailable
from models.domain import (
    ConnectionId,
    DocumentId,
    Erp,
    ErpId,
    MatchingStatus,
    MatchMode,
    OrganizationId,
    PoStatus,
    PurchaseOrder,
    PurchaseOrderId,
    PurchaseOrderLine,
)
from models.messages import BillsMatchedAgain, MatchBillsAgain, PurchaseOrderState
from models.store import purchase_orders
from models.store.database import Database
from models.store.purchase_orders import MappedOrder
from settings import Settings
from workflows.contract import DECIDE_MATCH, MATCH_AGAIN

CREDENTIALS = {"sender_id": "posync", "sender_password": "s", "company": "ACME", "user": "xml", "password": "right"}
PREFERENCES = {"po_template": "Purchase Order", "vendor_invoice_template": "Vendor Invoice", "bank_account": "BOA"}

CAPABILITIES = Capabilities(
    po_in=True,
    receipt_in=True,
    match_modes=(MatchMode.TWO_WAY, MatchMode.THREE_WAY),
    deletions_feed=True,
    several_sources_per_bill=False,
    receipts_count_as_billed=True,
)

_numbers = itertools.count(1)


class StandInErp:
    """An ERP that knows one password, two template names and three status words."""

    outage = False
    capabilities = CAPABILITIES

    def __init__(self, settings: ConnectionSettings, credentials: Credentials) -> None:
        self._settings = settings
        self._values = credentials.values

    async def check(self) -> ConnectionCheck:
        if StandInErp.outage:
            raise Unavailable("The ERP is off-line.", code="ERP_OFFLINE")
        if self._values.get("password") != "right":
            raise AuthenticationFailed("Sign-in is incorrect.", code="AUTH_BAD_CREDENTIALS", erp_code="XL03")
        return ConnectionCheck(
            company=self._values["company"],
            entity=self._values.get("entity"),
            user=self._values["user"],
            endpoint=self._settings.endpoint,
            capabilities=StandInErp.capabilities,
        )

    async def check_preferences(self, preferences: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        problems: list[PreferenceProblem] = []
        for name, right in (("po_template", "Purchase Order"), ("vendor_invoice_template", "Vendor Invoice")):
            if not preferences.get(name, "").startswith(right):
                problems.append(
                    PreferenceProblem(
                        code="TEMPLATE_NOT_FOUND",
                        preference=name,
                        message=f"There is no {preferences.get(name)!r}.",
                        fix=(f"Use {right!r}.",),
                    )
                )
        return problems

    def statuses(self, erp_status: str, mode: MatchMode) -> Statuses | None:
        three = mode is MatchMode.THREE_WAY
        return {
            "Pending": Statuses(PoStatus.UNFILLED, MatchingStatus.ACTIVE),
            "Converted": Statuses(PoStatus.FILLED, MatchingStatus.ACTIVE if three else MatchingStatus.CLOSED),
            "Closed": Statuses(PoStatus.CLOSED, MatchingStatus.CLOSED),
        }.get(erp_status)

    async def close(self) -> None:
        pass


@dataclass
class StandInHandle:
    temporal: "StandInTemporal"
    id: str
    result_run_id: str = ""

    async def execute_update(self, update: str, arg: Any, *, id: str, result_type: type) -> Any:
        if self.id not in self.temporal.running:
            raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
        self.temporal.updates.append((self.id, update, id))
        if update == DECIDE_MATCH:
            return await self.temporal.waiting.decide_match(arg)
        return await self.temporal.activities.schedule_payment(arg)

    async def signal(self, signal: str, arg: Any) -> None:
        self.temporal._answer()
        if self.id not in self.temporal.running:
            raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
        self.temporal.signals.append((self.id, signal, arg))

    async def query(self, query: str, *, result_type: type, **_: Any) -> Any:
        if self.id not in self.temporal.live:
            raise RPCError("no worker", RPCStatusCode.DEADLINE_EXCEEDED, b"")
        return self.temporal.live[self.id]

    async def delete(self) -> None:
        if self.temporal.schedules.pop(self.id, None) is None:
            raise RPCError("schedule not found", RPCStatusCode.NOT_FOUND, b"")

    async def update(self, updater: Callable[[Any], Any]) -> None:
        self.temporal.schedules[self.id] = updater(None).schedule


@dataclass
class StandInTemporal:
    """Records what it is asked to start, signal and schedule; runs the real activity behind an update."""

    activities: MirrorActivities
    down: bool = False
    running: dict[str, str] = field(default_factory=dict)
    started: list[tuple[str, Any]] = field(default_factory=list)
    updates: list[tuple[str, str, str]] = field(default_factory=list)
    signals: list[tuple[str, str, Any]] = field(default_factory=list)
    schedules: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)

    @property
    def waiting(self) -> WaitingBillActivities:
        return WaitingBillActivities(self.activities._database)

    async def match_again(self, order: PurchaseOrderState, why: str) -> BillsMatchedAgain:
        """What the order's workflow does with the word."""
        again = MatchBillsAgain(connection_id=order.connection_id, purchase_order_id=order.purchase_order_id, why=why)
        return await self.waiting.match_bills_again(again)

    @property
    def service_client(self) -> "StandInTemporal":
        return self

    async def check_health(self, *, timeout: timedelta) -> None:
        raise RPCError("there is no server behind the stand-in", RPCStatusCode.UNAVAILABLE, b"")

    def _answer(self) -> None:
        if self.down:
            raise RPCError("connection refused", RPCStatusCode.UNAVAILABLE, b"")

    async def execute_update_with_start_workflow(
        self, update: str, arg: Any, *, start_workflow_operation: Any, id: str, result_type: type
    ) -> Any:
        self._answer()
        start = start_workflow_operation._start_workflow_input
        self.running.setdefault(start.id, secrets.token_hex(8))
        self.started.append((start.id, start.args[0]))
        self.updates.append((start.id, update, id))
        return await self.activities.create_bill(arg)

    async def start_workflow(
        self,
        workflow: str,
        arg: Any,
        *,
        id: str,
        start_signal: str | None = None,
        start_signal_args: Any = (),
        **_: Any,
    ) -> StandInHandle:
        self._answer()
        if start_signal is not None:
            self.signals.append((id, start_signal, *start_signal_args))
            if start_signal == MATCH_AGAIN:
                await self.match_again(arg, *start_signal_args)
        if id in self.running and start_signal is not None:
            return StandInHandle(self, id)
        if id in self.running:
            raise WorkflowAlreadyStartedError(id, workflow, run_id=self.running[id])
        self.running[id] = secrets.token_hex(8)
        self.started.append((id, arg))
        return StandInHandle(self, id, self.running[id])

    def get_workflow_handle(self, workflow_id: str) -> StandInHandle:
        return StandInHandle(self, workflow_id)

    def get_schedule_handle(self, schedule_id: str) -> StandInHandle:
        return StandInHandle(self, schedule_id)

    async def create_schedule(self, schedule_id: str, schedule: Any) -> None:
        self._answer()
        if schedule_id in self.schedules:
            raise ScheduleAlreadyRunningError()
        self.schedules[schedule_id] = schedule


@dataclass
class Organization:
    """A tenant with a key of every role."""

    id: OrganizationId
    keys: dict[str, str]

    def auth(self, role: str = "admin") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[role]}"}


@dataclass
class Office:
    """One organization's desk at the API: calls as a role, with a fresh Idempotency-Key unless one is given."""

    http: httpx.AsyncClient
    organization: Organization
    role: str = "admin"

    def as_(self, role: str) -> "Office":
        return Office(self.http, self.organization, role)

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
        "endpoint": "http://127.0.0.1:1/ia/xml/xmlgw.phtml",
        "settings": {"allow_loopback": True},
    }
    return {**body, **changes}


async def connected(office: Office) -> str:
    """A connection with complete preferences; its id."""
    created = await office.post("/v1/connections", new_connection())
    assert created.status_code == 201, created.text
    connection_id: str = created.json()["id"]
    ready = await office.put(f"/v1/connections/{connection_id}/preferences", {"preferences": PREFERENCES})
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


async def billed(office: Office, order_id: str, *, quantity: str = "4", number: str | None = None) -> str:
    """A bill of ours against the first line; its id."""
    body = {
        "number": number or f"INV-{next(_numbers)}",
        "bill_date": "2026-11-20",
        "acknowledge": ["DUPLICATE_SUSPECT"],
        "lines": [{"order_line_no": 1, "quantity": quantity}],
    }
    created = await office.post(f"/v1/purchase-orders/{order_id}/bills", body)
    assert created.status_code == 201, created.text
    bill_id: str = created.json()["bill"]["id"]
    return bill_id


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


@asynccontextmanager
async def served(settings: Settings, temporal: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings, temporal=temporal, connectors={Erp.INTACCT: StandInErp})
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(app=manager.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://posync") as client:
            yield client
