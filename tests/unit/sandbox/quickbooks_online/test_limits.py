"""The throttle in its forms, and the month's metered reads (reference 4)."""

import asyncio

import httpx
import pytest
from lxml import etree

from tests.harness.vendor_schemas import QUICKBOOKS_SCHEMAS, needs_quickbooks_schemas
from tests.unit.sandbox.quickbooks_online.books import Books, bill_of, code_of


async def read(books: Books) -> httpx.Response:
    return await books.call("GET", "preferences")


@pytest.mark.parametrize(
    ("position", "status", "content_type"),
    [("xml_429", 429, "application/xml"), ("xml_403", 403, "application/xml"), ("json_429", 429, "application/json")],
)
async def test_more_calls_a_minute_are_throttled(books: Books, position: str, status: int, content_type: str) -> None:
    """Reference 4: XML although JSON was asked for; after a minute it goes on."""
    await books.switch(requests_per_minute=3, throttle_answer=position)
    answers = [await read(books) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, status, status]
    assert answers[-1].headers["content-type"].startswith(content_type)
    assert f"message=ThrottleExceeded; errorCode=003001; statusCode={status}" in answers[-1].text
    if position.startswith("xml"):
        assert etree.fromstring(answers[-1].content).xpath("string(//@code)") == "3001"
    await books.pass_time(61)
    assert (await read(books)).status_code == 200
    assert {"realm": books.realm, "throttled": 2} in await books.held("usage")


@needs_quickbooks_schemas
async def test_the_xml_fault_is_what_the_vendor_schema_says(books: Books) -> None:
    """Reference 4."""
    schema = etree.XMLSchema(etree.parse(str(QUICKBOOKS_SCHEMAS / "IntuitRestServiceDef.xsd")))
    await books.break_("throttled", times=1)
    schema.assertValid(etree.fromstring((await read(books)).content))
    await books.break_("gateway_timeout", times=1)
    schema.assertValid(etree.fromstring((await read(books)).content))


@pytest.mark.parametrize(("position", "shown"), [("none", ""), ("seconds", "60"), ("http_date", "GMT")])
async def test_retry_after(books: Books, position: str, shown: str) -> None:
    """Reference 1.4: a switch."""
    await books.switch(requests_per_minute=1, retry_after=position)
    await read(books)
    assert (await read(books)).headers.get("retry-after", "").endswith(shown)


async def test_other_limits(books: Books) -> None:
    """Reference 4: at a time, a second, batches a minute; each company has its own."""
    await books.switch(concurrent_requests=2, latency_seconds=0.02)
    answers = await asyncio.gather(*(read(books) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]
    await books.switch(concurrent_requests=0, latency_seconds=0, requests_per_second=2)
    await books.room("/clock", {"now": "2026-11-02T16:00:00Z", "frozen": True})
    await books.connect()
    assert [(await read(books)).status_code for _ in range(3)] == [200, 200, 429]
    await books.pass_time(1)
    assert (await read(books)).status_code == 200
    await books.switch(requests_per_second=0, batches_per_minute=1)
    query = {"BatchItemRequest": [{"bId": "1", "Query": "select * from Term"}]}
    assert [(await books.call("POST", "batch", query)).status_code for _ in range(2)] == [200, 429]
    assert (await read(books)).status_code == 200


@pytest.mark.parametrize(
    ("position", "status", "code"),
    [("throttle_429", 429, "3001"), ("throttle_403", 403, "3001"), ("own_code", 429, "3005")],
)
async def test_the_months_reads_are_used_up(books: Books, position: str, status: int, code: str) -> None:
    """Reference 4: reads wait for the next month, writes go on; only reads that succeed count."""
    await books.room("/clock", {"now": "2026-11-30T20:00:00Z", "frozen": True})
    await books.connect()
    await books.switch(monthly_reads=3, quota_answer=position)
    order = await books.order()
    await books.call("GET", "bill/99")
    await books.query("select * from Term")
    await books.get("cdc", entities="Bill", changedSince="2026-11-30")
    for _ in range(2):
        refused = await books.call("GET", "query", query="select * from Term")
        assert refused.status_code == status
        assert f'code="{code}"' in refused.text or code_of(refused) == code
    assert await books.save("Bill", bill_of(order, (1, "1")))
    await books.pass_time(3600 * 13)
    await books.connect()
    assert await books.query("select * from Term")
    usage = [row for row in await books.held("usage") if "month" in row]
    assert [(row["month"], row["reads"]) for row in usage] == [("2026-11", 3), ("2026-12", 1)]
