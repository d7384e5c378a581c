"""Webhooks: both forms, signed over the raw body, sent again until they are acknowledged (reference 5)."""

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from quickbooks import QuickBooks

from tests.unit.sandbox.quickbooks_online.books import Books, bill_of, payment_of

TOKEN = "sandbox-verifier-token"


class Receiver:
    """Takes webhook calls as an application would; answers the statuses it is told, then 200."""

    def __init__(self) -> None:
        self.got: list[httpx.Request] = []
        self.statuses: list[int] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.got.append(request)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 200)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.got]


@pytest.fixture
async def receiver(books: Books) -> Receiver:
    receiver = Receiver()
    webhooks = books.app.quickbooks_online.webhooks
    webhooks.transport = httpx.MockTransport(receiver.answer)
    # They gather until a test delivers them.
    await books.switch(webhook_gather_seconds=3600)
    await books.act("set_webhook", url="https://posync.test/webhooks/quickbooks")
    return receiver


async def test_cloud_events_are_signed_over_the_raw_body(books: Books, receiver: Receiver) -> None:
    """Reference 5: the new form; a link moves the order, a payment the bill."""
    order = await books.order()
    bill = await books.save("Bill", bill_of(order, (1, "4")))
    await books.save("BillPayment", payment_of(bill, "20"))
    assert receiver.got == []
    assert (await books.act("deliver_webhooks"))["acknowledged"] == 4
    [request] = receiver.got
    expected = base64.b64encode(hmac.new(TOKEN.encode(), request.content, hashlib.sha256).digest()).decode()
    assert request.headers["intuit-signature"] == expected
    assert request.headers["content-type"] == "application/cloudevents+json"
    [events] = receiver.bodies
    assert [(event["type"], event["intuitentityid"]) for event in events] == [
        ("qbo.bill.created.v1", "1"),
        ("qbo.purchaseorder.updated.v1", "1"),
        ("qbo.billpayment.created.v1", "1"),
        ("qbo.bill.updated.v1", "1"),
    ]
    first = events[0]
    assert (first["specversion"], first["intuitaccountid"], first["data"]) == ("1.0", books.realm, {})
    assert first["time"].endswith(".000Z")
    assert len({event["id"] for event in events}) == 4
    assert (await books.act("deliver_webhooks"))["acknowledged"] == 0


async def test_the_old_form_is_understood_by_a_public_client(books: Books, receiver: Receiver) -> None:
    """Reference 5."""
    await books.switch(webhook_form="notifications")
    await books.order()
    await books.act("edit_purchase_order", number="PO-1")
    await books.act("delete", kind="purchase_order", number="PO-1")
    await books.act("deliver_webhooks")
    [body] = receiver.bodies
    [notification] = body["eventNotifications"]
    entities = notification["dataChangeEvent"]["entities"]
    assert notification["realmId"] == books.realm
    assert [(one["name"], one["id"], one["operation"]) for one in entities] == [
        ("PurchaseOrder", "1", "Update"),
        ("PurchaseOrder", "1", "Delete"),
    ]
    signature, text = receiver.got[0].headers["intuit-signature"], receiver.got[0].content.decode()
    client = QuickBooks(minorversion=75, verifier_token=TOKEN)
    assert client.validate_webhook_signature(text, signature)
    assert not client.validate_webhook_signature(f"{text} ", signature)


async def test_their_form_and_order_are_switches(books: Books, receiver: Receiver) -> None:
    """Reference 5: duplicates, wrong order, filled data, another content type, the shorter word."""
    await books.switch(
        webhook_copies=2,
        webhook_order="reversed",
        webhook_data="filled",
        webhook_content_type="application/json",
        webhook_words="short",
    )
    order = await books.order()
    bill = await books.save("Bill", bill_of(order, (1, "4")))
    payment = await books.save("BillPayment", payment_of(bill, "20"))
    await books.act("void_payment", record_no=payment["Id"])
    await books.act("deliver_webhooks")
    first, second = receiver.bodies
    assert first == second
    types = [event["type"] for event in first]
    assert types.index("qbo.billpayment.void.v1") < types.index("qbo.billpayment.created.v1")
    assert first[0]["data"] != {}
    assert receiver.got[0].headers["content-type"] == "application/json"


async def test_a_call_is_sent_again_until_it_is_acknowledged(books: Books, receiver: Receiver) -> None:
    """Reference 5: the same body at once; what changes meanwhile waits."""
    receiver.statuses = [500, 200]
    await books.switch(webhook_gather_seconds=0, webhook_retries=1)
    await books.save("Class", {"Name": "a"})
    await books.app.quickbooks_online.webhooks.idle()
    assert receiver.got[0].content == receiver.got[1].content
    receiver.statuses = [500, 503]
    await books.save("Class", {"Name": "b"})
    await books.app.quickbooks_online.webhooks.idle()
    assert len(receiver.got) == 4
    await books.save("Class", {"Name": "c"})
    await books.app.quickbooks_online.webhooks.idle()
    assert [event["intuitentityid"] for event in receiver.bodies[-1]] == ["2", "3"]
    assert [row["status"] for row in await books.held("webhooks")] == [500, 200, 500, 503, 200]


async def test_only_what_the_app_subscribed_to(books: Books, receiver: Receiver) -> None:
    await books.act("set_webhook", entities=["Bill"])
    order = await books.order()
    await books.save("Bill", bill_of(order, (1, "4")))
    assert (await books.act("deliver_webhooks"))["acknowledged"] == 1
    await books.act("set_webhook", url="")
    await books.save("Bill", bill_of(order, (1, "1")))
    assert (await books.act("deliver_webhooks"))["acknowledged"] == 0


async def test_calls_that_somebody_made_up(books: Books, receiver: Receiver) -> None:
    """A wrong signature, another company, ten thousand entities, no JSON at all."""
    events = [{"name": "Bill", "id": str(number), "operation": "Splice", "realm": "77"} for number in range(10_000)]
    sent = await books.act("send_webhook", events=events, signature="wrong")
    assert sent == {"acknowledged": True, "status": 200}
    assert receiver.got[0].headers["intuit-signature"] == "wrong"
    assert len(receiver.bodies[0]) == 10_000
    assert receiver.bodies[0][0]["type"] == "qbo.bill.splice.v1"
    await books.act("send_webhook", body="no json")
    assert receiver.got[1].content == b"no json"
    await books.act("send_webhook", body=[])
    assert receiver.got[2].content == b"[]"


class _Kept(BaseHTTPRequestHandler):
    """Keeps what it was sent on its server."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.headers["intuit-signature"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_a_change_travels_by_itself_between_processes(served: str) -> None:
    """The sandbox behind a port, the receiver behind another."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Kept) as receiving:
        receiving.got = []
        threading.Thread(target=receiving.serve_forever, daemon=True).start()
        actions = f"{served}/sandbox/companies/quickbooks_online/actions"
        url = f"http://127.0.0.1:{receiving.server_port}/hooks"
        httpx.post(actions, json={"action": "set_webhook", "url": url}).raise_for_status()
        httpx.post(f"{served}/sandbox/companies/quickbooks_online/sample").raise_for_status()
        httpx.post(actions, json={"action": "edit_purchase_order", "number": "PO-1007"}).raise_for_status()
        deadline = time.monotonic() + 90
        while not receiving.got and time.monotonic() < deadline:
            time.sleep(0.02)
        [(signed, body)] = receiving.got
        receiving.shutdown()
    assert signed == base64.b64encode(hmac.new(TOKEN.encode(), body, hashlib.sha256).digest()).decode()
    assert [event["type"] for event in json.loads(body)] == ["qbo.purchaseorder.updated.v1"]


async def test_a_receiver_that_is_away(books: Books, receiver: Receiver) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody is there")

    books.app.quickbooks_online.webhooks.transport = httpx.MockTransport(away)
    await books.save("Class", {"Name": "a"})
    assert (await books.act("deliver_webhooks"))["acknowledged"] == 0
    [row] = await books.held("webhooks")
    assert (row["status"], row["problem"]) == (0, "ConnectError: nobody is there")
    books.app.quickbooks_online.webhooks.transport = httpx.MockTransport(receiver.answer)
    assert (await books.act("deliver_webhooks"))["acknowledged"] == 1
