"""Somebody else's Python library that serves Web Connectors runs unchanged: it builds requests, reads answers.

Only the address of its service is ours.
"""

import importlib
from collections.abc import Iterator
from typing import Any

from tests.unit.sandbox.quickbooks_desktop.pc import Pc

qbwc_kit = importlib.import_module("qbwc_kit")


class Served:
    """The library's service as an ASGI app; it answers one SOAP body with another."""

    def __init__(self, service: Any) -> None:
        self._service = service

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        answer = self._service.dispatch(message["body"])
        headers = [(b"content-type", b"text/xml; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer.encode()})


class Bills:
    """A job of the library's own making: read all orders page by page, then bill the first and change it."""

    name = "bills"

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.bill: dict[str, Any] = {}
        self.stale: Any = None

    def run(self, context: Any) -> Iterator[Any]:
        from qbwc_kit.qbxml import QBXMLRequest, add, mod, query

        extra = {"IncludeLineItems": True, "IncludeLinkedTxns": True}
        request = query("PurchaseOrder", max_returned=10, iterator="Start", extra=extra)
        while True:
            page = (yield QBXMLRequest([request])).first().raise_for_status()
            self.orders += page.records
            if not page.has_more:
                break
            request.iterator, request.iterator_id = "Continue", page.iterator_id
        order = next(one for one in self.orders if one["RefNumber"] == "PO-1007")
        line = order["PurchaseOrderLineRet"][0]
        fields = {
            "VendorRef": {"ListID": order["VendorRef"]["ListID"]},
            "TxnDate": "2026-11-20",
            "RefNumber": "KIT-1",
            "ItemLineAdd": [
                {"Quantity": "1", "LinkToTxn": {"TxnID": order["TxnID"], "TxnLineID": line["TxnLineID"]}},
            ],
        }
        added = (yield QBXMLRequest([add("Bill", fields)])).first().raise_for_status()
        self.bill = added.records[0]
        changed = mod("Bill", {"Memo": "changed"}, txn_id=self.bill["TxnID"], edit_sequence=self.bill["EditSequence"])
        yield QBXMLRequest([changed])
        self.stale = (yield QBXMLRequest([changed])).first()


async def test_a_python_library_syncs_and_bills(pc: Pc) -> None:
    import httpx
    from qbwc_kit import QBWCService, StaticAuthenticator

    await pc.room("/companies/quickbooks_desktop/sample")
    await pc.add_application()
    job = Bills()
    service = QBWCService(authenticator=StaticAuthenticator("acme-main", "s3cret", [job]))
    pc.computer.transport = httpx.ASGITransport(Served(service))
    done = await pc.update()
    assert done["status"] != "", done
    assert len(job.orders) == 34
    assert job.bill["RefNumber"] == "KIT-1"
    assert job.stale.status_code == 3200
    assert (await pc.one("bills", "KIT-1"))["memo"] == "changed"
    assert (await pc.one("purchase_orders", "PO-1007"))["lines"][0]["received"] == "1"
    await pc.does("set_password", password="wrong")
    assert (await pc.update())["status"] == "Invalid password for username"
