"""Pages while records change and disappear: none is lost, and no reading goes round in circles (issue 11; 3.7).

The sandbox runs in this process: its clock stands still where many records are to have one time. Between two pages
people change and delete records at random.
"""

import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from erp.connection import ConnectionSettings
from erp.quickbooks_online import reader as paging
from erp.quickbooks_online.auth import App
from erp.quickbooks_online.client import QuickBooksClient
from erp.quickbooks_online.reader import Reader
from erp.storage import Storage
from sandbox.quickbooks_online.service import REALM
from sandbox.server import create_app
from tests.fakes.kept_reads import KeptReads
from tests.unit.erp.quickbooks_online.service import KeptTokens

HERE = "http://127.0.0.1:8900"
CLIENT = ("ABsandboxClientId", "sandbox-client-secret")
SECOND = "2026-03-02T16:15:22"
SINCE = "2026-03-02 16:15:20"


class Company:
    """The sandbox's company, and our reader of it."""

    def __init__(self, page_size: int) -> None:
        self._room = httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url=HERE)
        self._page_size = page_size
        self.reader: Reader

    async def start(self, orders: int) -> None:
        """That many orders, all of one second, and the clock then goes on."""
        await self._control("/companies/quickbooks_online/sample")
        back = await self._room.get(
            "/connect/oauth2",
            params={"client_id": CLIENT[0], "response_type": "code", "scope": "com.intuit.quickbooks.accounting",
                    "redirect_uri": "https://posync.test/back", "state": "s"},
        )  # fmt: skip
        code = httpx.URL(back.headers["location"]).params["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "https://posync.test/back"}
        tokens = (await self._room.post("/oauth2/v1/tokens/bearer", data=form, auth=CLIENT)).json()
        kept = KeptTokens(access_token=tokens["access_token"], refresh_token=tokens["refresh_token"], realm=REALM)
        settings = ConnectionSettings(endpoint=HERE, allow_loopback=True, max_in_flight=8)
        storage = Storage(kept, None, KeptReads())
        client = QuickBooksClient(settings, REALM, App(*CLIENT), storage, transport=self._room._transport)
        self.reader = Reader(client, page_size=self._page_size)
        self._token = tokens["access_token"]
        await self._control("/companies/quickbooks_online/switches", requests_per_minute=0, concurrent_requests=0)
        for one in await self.orders():
            await self.delete(one)
        await self._control("/clock", now=f"{SECOND}Z", frozen=True)
        vendor = (await self._query("Vendor"))[0]["Id"]
        account = next(one["Id"] for one in await self._query("Account") if one["AccountType"] == "Expense")
        line = {"Amount": 1, "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account}}}  # fmt: skip
        for _ in range(orders):
            await self._post("purchaseorder", {"VendorRef": {"value": vendor}, "Line": [line]})
        await self._control("/clock", now="2026-03-02T16:20:00Z", frozen=False)

    async def close(self) -> None:
        await self._room.aclose()

    async def orders(self) -> list[dict[str, Any]]:
        return await self._query("PurchaseOrder")

    async def change(self, order: dict[str, Any]) -> None:
        """It moves to the present time, and so out of its second."""
        body = {"Id": order["Id"], "SyncToken": order["SyncToken"], "sparse": True, "Memo": "changed"}
        await self._post("purchaseorder", body)

    async def delete(self, order: dict[str, Any]) -> None:
        body = {"Id": order["Id"], "SyncToken": order["SyncToken"]}
        await self._post("purchaseorder", body, operation="delete")

    async def _query(self, kind: str) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}"}
        rows: list[dict[str, Any]] = []
        while True:
            statement = f"select * from {kind} orderby Id startposition {len(rows) + 1} maxresults 1000"
            answer = await self._room.get(f"/v3/company/{REALM}/query", params={"query": statement}, headers=headers)
            page = answer.json()["QueryResponse"].get(kind, [])
            rows += page
            if len(page) < 1000:
                return rows

    async def _post(self, path: str, body: dict[str, Any], **params: str) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = await self._room.post(f"/v3/company/{REALM}/{path}", json=body, params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        assert "Fault" not in answer.json(), answer.text

    async def _control(self, path: str, **body: Any) -> None:
        answer = await self._room.post(f"/sandbox{path}", json=body)
        assert answer.is_success, answer.text


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    company = Company(page_size=20)
    yield company
    await company.close()


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything a fiftieth of its size: 1,500 records of one second are 30 there, and 60 are more than enough."""
    monkeypatch.setattr(paging, "MOST", 20)
    monkeypatch.setattr(paging, "OVERLAP", 2)
    monkeypatch.setattr(paging, "BACK", 8)


@pytest.mark.parametrize("since", [SINCE, None])
@pytest.mark.parametrize("seed", range(6))
async def test_none_is_lost_while_records_change_and_disappear(company: Company, seed: int, since: str | None) -> None:
    """Whoever is still there was read, in the state of before or a later one; and the reading ends."""
    chance = random.Random(seed)
    await company.start(60)
    seen: set[str] = set()
    after: str | None = None
    pages = 0
    while True:
        page = await company.reader.page("PurchaseOrder", after, since=since)
        seen |= {str(one["Id"]) for one in page.records}
        after, pages = page.after, pages + 1
        assert pages < 100, "it goes round in circles"
        if after is None:
            break
        there = await company.orders()
        # Mostly those that were read already: their leaving is what moves the others.
        there.sort(key=lambda one: (str(one["Id"]) not in seen, int(one["Id"])))
        for order in there[: chance.choice([0, 1, 3, 9, 15])]:
            await (company.delete if chance.random() < 0.5 else company.change)(order)
    assert {one["Id"] for one in await company.orders()} <= seen


async def test_nothing_comes_twice_while_nothing_changes(company: Company) -> None:
    """Each record once, one read a page but for the overlap."""
    await company.start(60)
    ids: list[str] = []
    after: str | None = None
    while True:
        page = await company.reader.page("PurchaseOrder", after, since=SINCE)
        ids += [str(one["Id"]) for one in page.records]
        after = page.after
        if after is None:
            break
    assert len(ids) == len(set(ids)) == 60


@pytest.mark.parametrize("seed", range(3))
async def test_a_look_up_over_several_pages_loses_none(company: Company, seed: int) -> None:
    """`all`, by which accounts and numbers are looked up: records disappear before each of its pages."""
    chance = random.Random(seed)
    await company.start(60)
    rows = company.reader._rows
    counted = 0

    async def disturbed(*asked: Any, **more: Any) -> Any:
        nonlocal counted
        counted += 1
        if 1 < counted < 6:
            for order in (await company.orders())[: chance.choice([1, 6, 11])]:
                await company.delete(order)
        return await rows(*asked, **more)

    company.reader._rows = disturbed
    read = {str(one["Id"]) for one in await company.reader.all("PurchaseOrder")}
    assert {one["Id"] for one in await company.orders()} <= read
