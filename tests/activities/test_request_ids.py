"""The request id of a write in the store: kept through all repeats, given up when the ERP has refused (issue 11)."""

import asyncio

from models.domain.ids import ExternalKey
from models.store.audit import writes
from models.store.base.database import Database
from services.request_ids import StoredRequestIds
from tests.builders.records import an_order
from tests.harness.activity_harness import ActivityHarness


async def the_key(harness: ActivityHarness) -> ExternalKey:
    order = await harness.holds(an_order(7100, lines={1: 10}))
    bill_id = await harness.billed(order, {1: 4}, key="k-1")
    return ExternalKey((await harness.write(bill_id)).external_key)


async def test_the_first_one_stays_for_every_worker_and_every_repeat(
    harness: ActivityHarness, database: Database
) -> None:
    """Whatever they propose: sent, looked up in vain and sent again, throttled, and two workers at once."""
    key = await the_key(harness)
    first = await StoredRequestIds(database).keep(key, "id-1")
    async with database.transaction() as session:
        attempt = await writes.begin_attempt(session, key)
    async with database.transaction() as session:
        await writes.resend(session, key, attempt)
    async with database.transaction() as session:
        await writes.not_sent(session, key, attempt.first_sent_at)
    again = await asyncio.gather(*(StoredRequestIds(database).keep(key, f"id-{one}") for one in range(2, 9)))
    assert {first, *again} == {"id-1"}


async def test_two_workers_that_begin_at_once_have_one(harness: ActivityHarness, database: Database) -> None:
    """None was stored: one of the proposals wins."""
    key = await the_key(harness)
    ids = await asyncio.gather(*(StoredRequestIds(database).keep(key, f"id-{one}") for one in range(8)))
    assert len(set(ids)) == 1


async def test_what_was_refused_goes_out_under_another_one(harness: ActivityHarness, database: Database) -> None:
    """A changed body needs a new id (3.6): a refusal settles the write, and what a person corrects is another one."""
    key = await the_key(harness)
    ids = StoredRequestIds(database)
    await ids.keep(key, "id-1")
    async with database.transaction() as session:
        await writes.begin_attempt(session, key)
        await writes.reject(session, key, "VALUE_REFUSED")
    assert await ids.keep(key, "id-2") == "id-2"


async def test_what_is_sent_anew_after_it_was_taken_back_has_another_one(
    harness: ActivityHarness, database: Database
) -> None:
    """Under a key of its own: QuickBooks would answer as if the deleted document were there."""
    key = await the_key(harness)
    ids = StoredRequestIds(database)
    await ids.keep(key, "id-1")
    async with database.transaction() as session:
        await writes.begin_anew(session, key, ExternalKey("PSB-anew"))
    assert await ids.keep("PSB-anew", "id-2") == "id-2"
