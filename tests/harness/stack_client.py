"""One organization at a running stack: it does everything over the HTTP API, and waits as a person would.

Real: everything but the ERP, which is the sandbox.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
from temporalio.client import Client

from tests.harness.running_api import AsgiClient
from tests.harness.sandbox_company import (
    INTACCT,
    SandboxCompany,
    today,
)

PREFERENCES = INTACCT.preferences
IN_THE_ERP = ("synced", "scheduled", "partially_paid", "paid")
"""Statuses of a bill that the ERP holds."""

PATIENCE = 90.0
_invoices = itertools.count(1)


def credentials(company: SandboxCompany, **changes: str) -> dict[str, str]:
    return {**company.set_up.credentials, company.set_up.named: company.name, **changes}


@dataclass
class StackClient:
    """Ask with `get`, write with `post` and `put`; the rest is the product's main job in a few words."""

    http: AsgiClient
    temporal: Client
    keys: Mapping[str, str]
    """API keys by role."""
    company: SandboxCompany
    connection_id: str = ""

    # --- the wire -----------------------------------------------------------------------------------------------

    async def get(self, path: str, **query: str) -> Any:
        answer = await self.http.get(path, params=query, headers=self._who("viewer"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get(path, limit="200", **query))["items"]
        return found

    async def post(self, path: str, body: Any = None, *, key: str | None = None, role: str = "admin") -> httpx.Response:
        headers = {**self._who(role), "Idempotency-Key": key or secrets.token_hex(8)}
        return await self.http.post(path, json={} if body is None else body, headers=headers)

    async def post_raw(self, path: str, body: str) -> httpx.Response:
        """Post a body exactly as it is written."""
        headers = {**self._who("admin"), "Idempotency-Key": secrets.token_hex(8), "Content-Type": "application/json"}
        return await self.http.post(path, content=body.encode(), headers=headers)

    async def put(self, path: str, body: Any, *, role: str = "admin") -> httpx.Response:
        return await self.http.put(path, json=body, headers={**self._who(role), "If-Match": "*"})

    async def patch(self, path: str, body: Any, *, role: str = "admin") -> httpx.Response:
        return await self.http.patch(path, json=body, headers={**self._who(role), "If-Match": "*"})

    def _who(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[role]}"}

    # --- setting up ---------------------------------------------------------------------------------------------

    async def connect(self, **changes: Any) -> None:
        """Connect to the company's entity, and wait for the first sync."""
        async with self.http.only_answers():
            await self._sign_in(**changes)
        await self.first_sync()

    async def _sign_in(self, **changes: Any) -> None:
        settings = {"allow_loopback": True, "read_lag_seconds": 0, "timeout_seconds": 5, **changes.pop("settings", {})}
        body = {
            "erp": self.company.set_up.erp,
            "name": "Acme",
            "credentials": credentials(self.company),
            "entity": self.company.set_up.entity,
            "purchase_orders": True,
            "endpoint": self.company.url + self.company.set_up.path,
            "settings": settings,
            **changes,
        }
        created = await self.post("/v1/connections", body)
        assert created.status_code == 201, created.text
        self.connection_id = created.json()["id"]

    async def first_sync(self) -> Any:
        """Wait for the run that was handed over; its record."""
        await asyncio.wait_for(self.temporal.get_workflow_handle(f"sync/{self.connection_id}").result(), PATIENCE)
        return (await self.items(f"/v1/connections/{self.connection_id}/sync-runs"))[-1]

    async def prefer(self, *, one_way: bool | None = None, **changes: str) -> Any:
        """Set the preferences; the sync that they could begin is left to the story."""
        preferences = {**self.company.set_up.preferences, **changes}
        body = {"preferences": preferences, "one_way": one_way, "sync": False}
        answer = await self.put(f"/v1/connections/{self.connection_id}/preferences", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def start(self, *, mode: str | None = None, **changes: Any) -> None:
        """Connect, complete the preferences, sync once: the state most stories begin in.

        The first run waits until the preferences are there: before, it would read no more than the lists.
        """
        async with self.http.only_answers():
            await self._sign_in(**changes)
            assert (await self.prefer())["complete"]
            if mode is not None:
                await self.match(mode)
        run = await self.first_sync()
        assert run["state"] == "completed", run

    async def match(self, mode: str, *, enabled: bool = True) -> None:
        body = {"enabled": enabled, "match_mode": mode}
        answer = await self.put(f"/v1/connections/{self.connection_id}/purchase-orders", body)
        assert answer.status_code == 200, answer.text

    async def connection(self) -> Any:
        return await self.get(f"/v1/connections/{self.connection_id}")

    # --- syncing ------------------------------------------------------------------------------------------------

    async def sync(self, *, state: str = "completed") -> Any:
        """Sync Now, to its end; a run that is under way is waited for first, for it may have read already."""
        while True:
            run = await self.ask_for_sync()
            await asyncio.wait_for(self.sync_workflow(run).result(), PATIENCE)
            if not run["already_running"]:
                break
        done = await self.get(f"/v1/sync-runs/{run['sync_run_id']}")
        assert done["state"] == state, done
        return done

    async def ask_for_sync(self) -> Any:
        answer = await self.post(f"/v1/connections/{self.connection_id}/sync", role="clerk")
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def sync_workflow(self, run: Mapping[str, Any]) -> Any:
        return self.temporal.get_workflow_handle(run["workflow_id"], run_id=run["workflow_run_id"])

    async def numbers(self) -> set[str]:
        """The numbers of all orders in the mirror."""
        return {order["number"] for order in await self.items("/v1/purchase-orders", connection=self.connection_id)}

    async def skipped(self) -> dict[str, str]:
        """What is left out on purpose: number to code."""
        found = await self.items(f"/v1/connections/{self.connection_id}/skipped-records")
        return {record["number"]: record["code"] for record in found}

    async def issues(self, state: str = "open") -> list[dict[str, Any]]:
        return await self.items("/v1/sync-issues", connection=self.connection_id, state=state)

    async def issue(self, code: str) -> dict[str, Any]:
        """The open issue of that code, once it is there; exactly one."""

        async def found() -> list[dict[str, Any]]:
            return [issue for issue in await self.issues() if issue["code"] == code]

        issues = await self.until(found, f"issue {code}")
        assert len(issues) == 1, issues
        return issues[0]

    async def settle(self, issue: Mapping[str, Any], decision: str) -> None:
        answer = await self.post(f"/v1/sync-issues/{issue['id']}/{decision}", {"why": "settled"}, role="accountant")
        assert answer.status_code == 202, answer.text

    # --- orders, bills, payments --------------------------------------------------------------------------------

    async def order(self, number: str) -> Any:
        """The mirror's order with its lines."""
        found = await self.items("/v1/purchase-orders", connection=self.connection_id, q=number)
        exact = [order for order in found if order["number"] == number]
        assert len(exact) == 1, f"{len(exact)} orders {number}"
        return await self.get(f"/v1/purchase-orders/{exact[0]['id']}", live="false")

    async def enter(self, order_number: str, quantities: Mapping[int, str], **more: Any) -> httpx.Response:
        """Enter a bill against an order: quantities by order line number. Bills alike on one day are meant."""
        order = await self.order(order_number)
        body = {
            "number": f"INV-{next(_invoices)}",
            "bill_date": today().isoformat(),
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "lines": [{"order_line_no": line_no, "quantity": quantity} for line_no, quantity in quantities.items()],
            **more,
        }
        return await self.post(f"/v1/purchase-orders/{order['id']}/bills", body, role="clerk")

    async def enter_direct(self, lines: Sequence[Mapping[str, str]], **more: Any) -> httpx.Response:
        """Enter a bill of V-1 without an order. Bills alike on one day are meant."""
        body = {
            "connection_id": self.connection_id,
            "vendor_id": "V-1",
            "number": f"RENT-{next(_invoices)}",
            "bill_date": today().isoformat(),
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "lines": list(lines),
            **more,
        }
        return await self.post("/v1/bills", body, role="clerk")

    async def direct_bill(self, lines: Sequence[Mapping[str, str]], **more: Any) -> str:
        """Enter a bill without an order that is accepted; its id."""
        answer = await self.enter_direct(lines, **more)
        assert answer.status_code == 201, answer.text
        bill_id: str = answer.json()["bill"]["id"]
        return bill_id

    async def acknowledge(self, bill_id: str) -> Any:
        """Acknowledge every warning of the bill; what is left to decide then."""
        match = (await self.get(f"/v1/bills/{bill_id}/match"))["needs"]["acknowledge"]
        word = {"findings": [finding["id"] for finding in match]}
        answer = await self.post(f"/v1/bills/{bill_id}/acknowledgements", word, role="clerk")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def bill(self, order_number: str, quantities: Mapping[int, str], **more: Any) -> str:
        """Enter a bill that is accepted; its id."""
        answer = await self.enter(order_number, quantities, **more)
        assert answer.status_code == 201, answer.text
        bill_id: str = answer.json()["bill"]["id"]
        return bill_id

    async def read_bill(self, bill_id: str) -> Any:
        return await self.get(f"/v1/bills/{bill_id}")

    async def arrived(self, bill_id: str) -> Any:
        """The bill, once the ERP holds it and the order shows it: nothing is reserved any more."""

        async def there() -> Any:
            bill = await self.read_bill(bill_id)
            done = bill["status"] in IN_THE_ERP and not any(line["reserves"] for line in bill["lines"])
            return bill if done else None

        return await self.until(there, f"bill {bill_id} in the ERP")

    async def billed(self, order_number: str, quantities: Mapping[int, str], **more: Any) -> Any:
        """Enter a bill and wait until it arrived."""
        return await self.arrived(await self.bill(order_number, quantities, **more))

    async def bills_of(self, number: str) -> list[dict[str, Any]]:
        return await self.items(f"/v1/purchase-orders/{(await self.order(number))['id']}/bills")

    async def pay(self, bill_id: str, amount: str, *, on: date | None = None) -> str:
        """Schedule a payment; its id."""
        body = {"amount": amount, "pay_on": (on or today()).isoformat()}
        answer = await self.post(f"/v1/bills/{bill_id}/payments", body, role="accountant")
        assert answer.status_code == 201, answer.text
        payment_id: str = answer.json()["payment"]["id"]
        return payment_id

    async def bill_is(self, bill_id: str, status: str) -> Any:
        async def so() -> Any:
            bill = await self.read_bill(bill_id)
            return bill if bill["status"] == status else None

        return await self.until(so, f"bill {bill_id} is {status}")

    async def order_is(self, number: str, status: str) -> Any:
        async def so() -> Any:
            order = await self.order(number)
            return order if order["status"] == status else None

        return await self.until(so, f"{number} is {status}")

    async def application_is(self, credit: str, status: str) -> None:
        """Wait until the only application of the credit at this path has the status."""

        async def so() -> bool:
            (one,) = (await self.get(credit))["applications"]
            return bool(one["status"] == status)

        await self.until(so, f"an application that is {status}")

    async def payment_is(self, payment_id: str, status: str) -> Any:
        async def so() -> Any:
            payment = await self.get(f"/v1/payments/{payment_id}")
            return payment if payment["status"] == status else None

        return await self.until(so, f"payment {payment_id} is {status}")

    # --- waiting ------------------------------------------------------------------------------------------------

    async def until(self, ask: Callable[[], Awaitable[Any]], what: str) -> Any:
        """Ask again until the answer is a yes; it is the result. Fails with the open issues after PATIENCE seconds."""
        deadline = time.monotonic() + PATIENCE
        pause = 0.1
        while True:
            answer = await ask()
            if answer:
                return answer
            if time.monotonic() > deadline:
                issues = [f"{issue['code']}: {issue['cause']}" for issue in await self.issues()]
                raise AssertionError(f"waited {PATIENCE:.0f} s in vain for: {what}; open issues: {issues}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.4, 0.3)  # asking costs the processor that the product needs for its answer

    async def running(self) -> list[str]:
        """Ids of this connection's workflows that are open now, as Temporal lists them."""
        query = f"PosyncConnection = '{self.connection_id}' and ExecutionStatus = 'Running'"
        return [found.id async for found in self.temporal.list_workflows(query)]


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem a request was refused with: it says what, who can settle it and how."""
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert problem["detail"], problem
    assert problem["fix"], problem
    assert problem["who"], problem
    return problem


def amounts(record: Mapping[str, Any], *names: str) -> tuple[Decimal, ...]:
    """Figures of a record as numbers: '125.00' and '125' are the same money."""
    return tuple(Decimal(record[name]) for name in names)


def ledger(order: Mapping[str, Any], line_no: int = 1) -> tuple[Decimal, ...]:
    """Ordered, received, billed, pending of one line."""
    line = next(line for line in order["lines"] if line["line_no"] == line_no)
    return amounts(line, "ordered", "received", "billed", "pending")
