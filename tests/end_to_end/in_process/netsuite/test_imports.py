"""Files of bills on NetSuite, whose orders name vendors by internal ids that stand in nobody's file."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from cli.client.api_client import Api
from cli.client.bill_import import Imported, import_bills
from tests.harness.sandbox_company import today
from tests.harness.stack_client import StackClient

HEADER = "invoice_number,vendor_id,invoice_date,po_number,po_line_no,quantity,price"


class ThisStack(httpx.BaseTransport):
    """Hands a command's requests to the API of the test's own event loop."""

    def __init__(self, api: StackClient) -> None:
        self._api = api
        self._loop = asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked: dict[str, Any] = {"headers": dict(request.headers), "content": request.read()}
        url = request.url.raw_path.decode()
        sent = asyncio.run_coroutine_threadsafe(self._api.http.request(request.method, url, **asked), self._loop)
        answer = sent.result(60)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


async def imported(api: StackClient, path: Path) -> Sequence[Imported]:
    """What `posync bills import` makes of the file."""
    client = Api("http://posync", api.keys["clerk"])
    headers = {"Authorization": f"Bearer {api.keys['clerk']}"}
    client._http = httpx.Client(base_url="http://posync", headers=headers, transport=ThisStack(api))
    done = await asyncio.to_thread(lambda: list(import_bills(client, path)))
    assert all(isinstance(one, Imported) for one in done), done
    return [one for one in done if isinstance(one, Imported)]


async def test_a_file_may_call_the_vendor_by_any_of_its_names(received: StackClient, tmp_path: Path) -> None:
    """C11: the vendor's internal id, its entity id and its name; only the first counted, and all 1,045 bills of a file
    were of an unknown order. Of another vendor's order the answer says whose it is."""
    api = received
    api.company.load(vendors=[{"vendor_id": "V-2", "name": "Vendor Two"}])
    await api.sync()
    order = await api.order("PO-1")
    listed = await api.items(f"/v1/connections/{api.connection_id}/lists/vendor", q="Vendor One")
    (vendor,) = [one for one in listed if one["key"] == order["vendor_id"]]
    names = [order["vendor_id"], vendor["attributes"]["number"], "vendor  one"]
    assert len(set(names)) == 3
    rows = [f"INV-{no},{name},{today()},PO-1,1,{no},12.50" for no, name in enumerate(names, 1)]
    path = tmp_path / "bills.csv"
    path.write_text("\n".join([HEADER, *rows, f"INV-9,Vendor Two,{today()},PO-1,1,1,12.50", ""]))
    done = await imported(api, path)
    assert [one.outcome for one in done] == ["accepted"] * 3 + ["no_purchase_order"], done
    assert done[3].code == "UNKNOWN_PO"
    assert done[3].detail == f"PO-1 belongs to vendor {order['vendor_id']} ({order['vendor_name']}), not to Vendor Two"
    for one in done[:3]:
        await api.arrived(str(one.bill_id))
    assert len(api.company.held("bills")) == 3
