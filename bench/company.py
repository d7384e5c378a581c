"""A pretend Intacct company and a connection to it: what every bench begins with."""

import asyncio
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from cli.client.api_client import Api
from cli.client.sandbox_control import ENDPOINTS
from cli.client.sync_runs import wait_for_run
from cli.local.setup import examine
from cli.local.stack import Stack, StackOptions

ENTITY = "100"
CREDENTIALS = {
    "sender_id": "posync",
    "sender_password": "sandbox-sender",
    "company": "ACME",
    "user": "xml_gateway",
    "password": "sandbox-user",
}
PREFERENCES = {
    "po_template": "Purchase Order",
    "vendor_invoice_template": "Vendor Invoice",
    "receiver_template": "PO Receiver",
}


class SandboxRefused(Exception):
    """The sandbox's control room said no, in its own words."""


class Sandbox:
    """The sandbox's control room."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=f"{url}/sandbox", timeout=600)

    def load(self, content: Mapping[str, Any]) -> Any:
        """Put records in, in the neutral format. Raises SandboxRefused."""
        return self._send("POST", "/companies/intacct/load?create_missing=true", content)

    def ns_record(self, kind: str) -> Any:
        """What the company now holds of one kind."""
        return self._send("GET", f"/companies/intacct/{kind}")

    def calls(self) -> dict[str, Any]:
        """Calls since the last count: `total`, `requests`, `by_operation`, `max_in_flight`."""
        answer: dict[str, Any] = self._send("GET", "/calls")
        return answer

    def count_calls_anew(self) -> None:
        self._send("POST", "/calls/reset", {})

    def act(self, **action: Any) -> Any:
        """Do what a person does in Intacct's own screens."""
        return self._send("POST", "/companies/intacct/actions", action)

    def switch(self, **values: Any) -> None:
        """Set how the company is set up."""
        self._send("POST", "/companies/intacct/switches", values)

    def break_once(self, **fault: Any) -> None:
        """Have the next call of an `operation` go wrong once, in the way that the sandbox calls `kind`."""
        self._send("POST", "/faults", {"rules": [{"erp": "intacct", "times": 1, **fault}]})

    def has_broken(self) -> bool:
        """Whether the call that was to go wrong last has come."""
        return bool(self._send("GET", "/faults")["rules"][-1]["fired"])

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            raise SandboxRefused(f"{method} {path}: {answer.text[:1000]}")
        return answer.json()


class Bench:
    """A running stack, its API and its sandbox."""

    def __init__(self, stack: Stack, api: Api, sandbox: Sandbox) -> None:
        self.stack = stack
        self.api = api
        self.sandbox = sandbox

    def connect(
        self,
        *,
        match_mode: str = "two_way",
        first_import_from: date | None = None,
        in_flight: int = 1,
        read_lag_seconds: int = 120,
        page_size: int | None = None,
    ) -> str:
        """Connect entity 100, bring the lists in, set the preferences. Answers the connection's id."""
        connection = self.api.post(
            "/v1/connections",
            {
                "erp": "intacct",
                "name": "Bench",
                "credentials": CREDENTIALS,
                "entity": ENTITY,
                "purchase_orders": True,
                "endpoint": self.sandbox.url + ENDPOINTS["intacct"],
                "first_import_from": first_import_from.isoformat() if first_import_from else None,
                "settings": {
                    "allow_loopback": True,
                    "max_in_flight": in_flight,
                    "read_lag_seconds": read_lag_seconds,
                    "page_size": page_size,
                },
            },
        )
        connection_id = str(connection["id"])
        self.sync(connection_id)
        proven = self.api.put(
            f"/v1/connections/{connection_id}/preferences", {"preferences": PREFERENCES, "sync": False}
        )
        if not proven["complete"]:
            raise SandboxRefused(f"the preferences are not accepted: {proven['problems']}")
        self.api.put(f"/v1/connections/{connection_id}/purchase-orders", {"enabled": True, "match_mode": match_mode})
        return connection_id

    def sync(self, connection_id: str) -> dict[str, Any]:
        """Sync now and wait for the end. Raises RuntimeError when the run fails."""
        started = self.api.post(f"/v1/connections/{connection_id}/sync")
        run = wait_for_run(self.api, started, lambda _: None)
        if run["state"] != "completed":
            raise RuntimeError(f"the sync ended {run['state']}: {run['problem']}")
        return {**run, "workflow_id": started["workflow_id"], "workflow_run_id": started["workflow_run_id"]}


@contextmanager
def running_bench(report: Any, *, restart_temporal: bool = False) -> Iterator[Bench]:
    """A whole stack of our own on free ports, as `posync up` starts it; gone afterwards, also after SIGTERM."""
    with _stopped_like_ctrl_c():
        yield from _stack_and_faces(report, restart_temporal=restart_temporal)


@contextmanager
def _stopped_like_ctrl_c() -> Iterator[None]:
    """SIGTERM would end Python at once and leave PostgreSQL running; as an exception it lets everything be stopped."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stack_and_faces(report: Any, *, restart_temporal: bool) -> Iterator[Bench]:
    with TemporaryDirectory(prefix="posync-bench-") as directory:
        options = StackOptions(
            Path(directory), use_environment=False, fixed_ports=False, restart_temporal=restart_temporal
        )
        with Stack(options, report=report) as stack:
            endpoints = stack.endpoints
            if endpoints.sandbox_url is None:
                raise RuntimeError("the stack runs without a sandbox")
            sandbox = Sandbox(endpoints.sandbox_url)
            try:
                with Api(endpoints.api_url, endpoints.api_key, timeout=120) as api:
                    yield Bench(stack, api, sandbox)
                _examine(endpoints.database_url)
            finally:
                sandbox.close()


def _examine(database_url: str) -> None:
    """Check what `posync doctor` does: whatever was killed meanwhile, each bill and payment has a way on.

    Raises:
        RuntimeError: one has none.
    """
    outside = list(asyncio.run(examine(database_url)))
    if outside:
        raise RuntimeError(f"posync doctor finds rows without a way on: {outside[:5]}")


def orders(
    prefix: str,
    count: int,
    *,
    lines: int = 5,
    vendors: int = 50,
    changed_at: datetime | None = None,
    days_ago: int = 2,
) -> list[dict[str, str]]:
    """Open orders of entity 100 as neutral rows, one row per line, `days_ago` and up to 24 days more.

    `changed_at` is when the ERP says they changed last: a connection that has synced before sees only later changes.
    """
    today = datetime.now(UTC).date()
    rows: list[dict[str, str]] = []
    for number in range(count):
        ordered_on = today - timedelta(days=days_ago + number % 25)
        header = {
            "po_number": f"{prefix}-{number:05d}",
            "vendor_id": f"V{number % vendors:03d}",
            "po_date": ordered_on.isoformat(),
            "due_date": (ordered_on + timedelta(days=30)).isoformat(),
            "currency": "USD",
            "status": "Pending",
            "entity": ENTITY,
            **({"modified_at": changed_at.isoformat()} if changed_at else {}),
        }
        for line in range(1, lines + 1):
            rows.append(
                header
                | {
                    "line_no": str(line),
                    "item_id": f"ITEM-{(number + line) % 40:02d}",
                    "description": f"Part {line} of {prefix} {number}",
                    "quantity": str(10 * line),
                    "unit": "Each",
                    # One vendor's orders differ in price: bills of one amount within days would be held as duplicates.
                    "price": f"{3 + line}.{10 + number // vendors % 90}",
                    "location": ENTITY,
                }
            )
    return rows
