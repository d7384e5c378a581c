"""Sends webhooks (reference 5): signed over the raw body, in both forms, again until they are acknowledged."""

import asyncio
import base64
import hashlib
import hmac
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx

from sandbox.quickbooks_online.wire_out import written
from sandbox.switches import Switches

_RETRY_AFTER = (0.0, 10.0, 20.0, 30.0, 300.0, 1200.0, 7200.0, 14400.0, 21600.0)
_ANSWER_SECONDS = 3.0
_PAST = {
    "Create": "created",
    "Update": "updated",
    "Delete": "deleted",
    "Merge": "merged",
    "Void": "voided",
    "Emailed": "emailed",
}


class Event(NamedTuple):
    """One change of one record."""

    realm: str
    kind: str
    id: str
    operation: str
    moment: datetime
    event_id: str


def signature(verifier_token: str, body: bytes) -> str:
    """What the header `intuit-signature` says of a body."""
    return base64.b64encode(hmac.new(verifier_token.encode(), body, hashlib.sha256).digest()).decode()


class Webhooks:
    """The one endpoint of the app, and what it was sent."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self.transport: httpx.AsyncBaseTransport | None = None
        """Where a test listens in process; None means the network."""
        self._task: asyncio.Task[None] | None = None
        self.forget()

    def forget(self) -> None:
        """No endpoint, nothing waiting, nothing sent."""
        if self._task is not None:
            self._task.cancel()
        self._task = None
        self.url = ""
        self.verifier_token = "sandbox-verifier-token"
        self.entities: frozenset[str] | None = None
        """What the app subscribed to; None means everything."""
        self._waiting: list[Event] = []
        self.sent: list[dict[str, Any]] = []

    def note(self, realm: str, kind: str, identifier: str, operation: str, moment: datetime) -> None:
        """A record changed: it is sent soon, where somebody listens."""
        if not self.url or (self.entities is not None and kind not in self.entities):
            return
        self._waiting.append(Event(realm, kind, identifier, operation, moment, str(uuid.uuid4())))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        """Gather, send, and send again; later changes wait while a call is not acknowledged."""
        await asyncio.sleep(self._switches.number("webhook_gather_seconds"))
        while self._waiting:
            events = list(self._waiting)
            if not await self._send_until_acknowledged(events):
                return
            del self._waiting[: len(events)]

    async def _send_until_acknowledged(self, events: list[Event]) -> bool:
        body = self.body_of(events)
        retries = int(self._switches.number("webhook_retries"))
        for wait in (None, *_RETRY_AFTER[:retries]):
            if wait is not None:
                await asyncio.sleep(wait)
            if await self.send(body):
                return True
        return False

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        if self._task is not None:
            await self._task

    async def deliver(self) -> int:
        """Send what waits now; the answer is how many changes were acknowledged."""
        if self._task is not None:
            self._task.cancel()
        events = list(self._waiting)
        if not events or not await self.send(self.body_of(events)):
            return 0
        del self._waiting[: len(events)]
        return len(events)

    async def send(self, body: bytes, signed: str = "") -> bool:
        """One call as often as the switch says; whether the last copy was acknowledged."""
        acknowledged = False
        for _ in range(max(1, int(self._switches.number("webhook_copies")))):
            acknowledged = await self._post(body, signed or signature(self.verifier_token, body))
        return acknowledged

    async def _post(self, body: bytes, signed: str) -> bool:
        cloud = self._switches.word("webhook_form") == "cloud_events"
        content_type = self._switches.word("webhook_content_type") if cloud else "application/json"
        headers = {
            "content-type": content_type,
            "intuit-signature": signed,
            "user-agent": "intuit_notification_server/1.0",
        }
        status, problem = 0, ""
        try:
            async with httpx.AsyncClient(transport=self.transport, timeout=_ANSWER_SECONDS) as http:
                status = (await http.post(self.url, content=body, headers=headers)).status_code
        except httpx.HTTPError as error:
            problem = f"{type(error).__name__}: {error}"
        shown = {"url": self.url, "body": body.decode(errors="replace"), "signature": signed}
        self.sent.append({**shown, "content_type": content_type, "status": status, "problem": problem})
        return 200 <= status < 300

    def body_of(self, events: Iterable[Event]) -> bytes:
        """The body of one call, in the form of the switch."""
        changes = list(events)
        if self._switches.word("webhook_order") == "reversed":
            changes.reverse()
        if self._switches.word("webhook_form") == "cloud_events":
            return written([self._cloud_event(one) for one in changes]).encode()
        realms = dict.fromkeys(one.realm for one in changes)
        notifications = [
            {
                "realmId": realm,
                "dataChangeEvent": {"entities": [self._entity(one) for one in changes if one.realm == realm]},
            }
            for realm in realms
        ]
        return written({"eventNotifications": notifications}).encode()

    def _cloud_event(self, event: Event) -> dict[str, Any]:
        short = self._switches.word("webhook_words") == "short" and event.operation == "Void"
        past = "void" if short else _PAST.get(event.operation, event.operation.lower())
        filled = self._switches.word("webhook_data") == "filled"
        return {
            "specversion": "1.0",
            "id": event.event_id,
            "source": "intuit.c2FuZGJveC1zb3VyY2U=",
            "type": f"qbo.{event.kind.lower()}.{past}.v1",
            "datacontenttype": "application/json",
            "time": _utc(event.moment),
            "intuitentityid": event.id,
            "intuitaccountid": event.realm,
            "data": {"id": event.id, "name": event.kind} if filled else {},
        }

    def _entity(self, event: Event) -> dict[str, Any]:
        shown = {"name": event.kind, "id": event.id, "operation": event.operation}
        return {**shown, "lastUpdated": _utc(event.moment)}

    def events_of(self, given: Iterable[Mapping[str, Any]], realm: str, moment: datetime) -> list[Event]:
        """Events that somebody made up: any entity, operation and company."""
        return [
            Event(
                str(one.get("realm", realm)),
                str(one.get("name", "PurchaseOrder")),
                str(one.get("id", "1")),
                str(one.get("operation", "Update")),
                moment,
                str(one.get("event_id") or uuid.uuid4()),
            )
            for one in given
        ]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
