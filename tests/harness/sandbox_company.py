"""A pretend company of the test's own: what people do there, what it holds, and how it breaks.

Real: the sandbox over HTTP. Fake: the company, as everything in the sandbox.
"""

import itertools
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import uvicorn

from sandbox.server import Sandbox, create_app

GATEWAY = "/ia/xml/xmlgw.phtml"
_numbers = itertools.count(1)
_closing: list[tuple[threading.Thread, socket.socket]] = []


def today() -> date:
    return datetime.now(UTC).date()


class SetUp(NamedTuple):
    """What connecting to a company of one ERP takes."""

    erp: str
    path: str
    """Where it listens."""
    entity: str
    credentials: Mapping[str, str]
    """Without the company's own name, which goes in as `named`."""
    named: str
    preferences: Mapping[str, str]


INTACCT = SetUp(
    erp="intacct",
    path=GATEWAY,
    entity="100",
    credentials={
        "sender_id": "posync",
        "sender_password": "sandbox-sender",
        "user": "xml_gateway",
        "password": "sandbox-user",
    },
    named="company",
    preferences={
        "po_template": "Purchase Order",
        "vendor_invoice_template": "Vendor Invoice",
        "receiver_template": "PO Receiver",
        "bank_account": "BOA",
    },
)


@dataclass
class SandboxCompany:
    """Talks to the sandbox's control room over HTTP, as `posync` talks to its ERP."""

    name: str
    url: str
    app: Sandbox
    control: httpx.Client
    set_up: SetUp = INTACCT

    # --- what it holds ------------------------------------------------------------------------------------------

    def orders(self, *numbers: str, **columns: str) -> None:
        """Purchase orders alike but for their numbers; see `order`."""
        for number in numbers:
            self.order(number, **columns)

    def order(self, number: str, *quantities: str, days_ago: int = 5, **columns: Any) -> None:
        """A purchase order of V-1 in the entity of the set-up, one line per quantity (default 10 and 5), 12.50 apiece.

        `columns` are columns of the neutral format; `lines` gives further columns per line.
        """
        lines: Mapping[int, Mapping[str, str]] = columns.pop("lines", {})
        common = {
            "po_number": number,
            "vendor_id": "V-1",
            "vendor_name": "Vendor One",
            "po_date": (today() - timedelta(days=days_ago)).isoformat(),
            "entity": self.set_up.entity,
            "location": self.set_up.entity,
            "price": "12.50",
            **columns,
        }
        rows = [
            {
                **common,
                "line_no": str(line_no),
                "item_id": f"ITEM-{line_no}",
                "description": f"Item {line_no}",
                "quantity": quantity,
                **lines.get(line_no, {}),
            }
            for line_no, quantity in enumerate(quantities or ("10", "5"), 1)
        ]
        self.load(purchase_orders=rows)

    def load(self, **kinds: list[dict[str, str]]) -> None:
        report = self._post(f"/companies/{self.set_up.erp}/load?create_missing=true", kinds)
        assert not report["errors"], report["errors"]

    def held(self, kind: str) -> list[dict[str, Any]]:
        answer = self.control.get(f"/sandbox/companies/{self.set_up.erp}/{kind}")
        answer.raise_for_status()
        return answer.json()

    def one(self, kind: str, **wanted: str) -> dict[str, Any]:
        """The one record of a kind whose fields are as wanted; exactly one, or the test fails."""
        found = [row for row in self.held(kind) if all(row[name] == value for name, value in wanted.items())]
        assert len(found) == 1, f"{len(found)} {kind} with {wanted}"
        return found[0]

    # --- what people do -----------------------------------------------------------------------------------------

    def does(self, action: str, **arguments: Any) -> dict[str, Any]:
        """What a person does in the ERP's own screens (docs/reference/sandbox.md).

        People take their time: an ERP stamps whole seconds, nobody edits in the second another program read in, and a
        busy machine learns late what the time there is.
        """
        self.pass_time(10)
        return self.does_at_once(action, **arguments)

    def does_at_once(self, action: str, **arguments: Any) -> dict[str, Any]:
        """The same in this very moment of the ERP's clock."""
        return self._post(f"/companies/{self.set_up.erp}/actions", {"action": action, **arguments})

    def pass_time(self, seconds: float) -> None:
        """The ERP's clock goes on."""
        self._post("/clock", {"advance_seconds": seconds})

    def now(self) -> str:
        """The moment that the ERP's clock shows."""
        return str(self.control.get("/sandbox/clock").json()["now"])

    def stop_clock(self, moment: datetime) -> None:
        """The ERP's clock shows this moment and stands."""
        self._post("/clock", {"now": moment.isoformat(), "frozen": True})

    def switch(self, **values: Any) -> None:
        self._post(f"/companies/{self.set_up.erp}/switches", values)

    # --- how it breaks ------------------------------------------------------------------------------------------

    def breaks(self, kind: str, operation: str = "*", *, times: int | None = 1, **more: Any) -> None:
        rule = {"erp": self.set_up.erp, "kind": kind, "operation": operation, "times": times, **more}
        self._post("/faults", {"rules": [rule], "seed": 7})

    def fired(self, kind: str) -> int:
        rules = self.control.get("/sandbox/faults").json()["rules"]
        return sum(rule["fired"] for rule in rules if rule["kind"] == kind)

    def mend(self) -> None:
        self.control.delete("/sandbox/faults").raise_for_status()

    def calls(self) -> dict[str, Any]:
        return self.control.get("/sandbox/calls").json()

    def forget_calls(self) -> None:
        self._post("/calls/reset", {})

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = self.control.post(f"/sandbox{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


def named_intacct(app: Sandbox, name: str) -> None:
    app.intacct.company.id = name


@contextmanager
def open_for_business(
    set_up: SetUp = INTACCT, give_name: Callable[[Sandbox, str], None] = named_intacct
) -> Iterator[SandboxCompany]:
    """A new company behind its own port. Its name is its own too: its orders are claimed by one connection only."""
    app = create_app()
    name = f"ACME{next(_numbers)}{secrets.token_hex(2)}".upper()
    give_name(app, name)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", date_header=False, access_log=False, timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the sandbox did not start"
        time.sleep(0.005)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx.Client(base_url=url, timeout=30, verify=False) as control:  # plain HTTP: certificates cost 20 ms
        yield SandboxCompany(name, url, app, control, set_up)
    server.should_exit = True
    _closing.append((thread, listener))  # it looks up ten times a second only: nobody waits for that


def all_closed() -> None:
    """Wait until every company has shut its door."""
    while _closing:
        thread, listener = _closing.pop()
        thread.join(timeout=10)
        listener.close()
