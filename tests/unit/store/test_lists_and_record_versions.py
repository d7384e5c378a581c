"""Lists that come in, and how known record versions are told from new ones (an unchanged sync reads nothing)."""

from typing import Any

import pytest

from models.domain.lists import ListEntry, ListKind
from models.domain.sync import DeletedKind, Stream
from models.store.orders import excluded_records
from models.store.orders.purchase_orders import Upserted
from models.store.sync import list_entries, record_versions
from tests.builders.records import (
    R1,
    R2,
    R3,
    a_list_entry,
    a_receipt,
    an_erp_bill,
    an_erp_payment,
    an_order,
    gone,
)
from tests.harness.tenant import (
    Tenant,
)


async def take(tenant: Tenant, *entries: ListEntry) -> Upserted:
    async with tenant.database.transaction() as s:
        return await list_entries.upsert(s, tenant.connection_id, entries)


async def find(tenant: Tenant, key: str = "V1", kind: ListKind = ListKind.VENDOR) -> Any:
    async with tenant.database.transaction() as s:
        return await list_entries.find(s, tenant.connection_id, kind, key)


async def news(tenant: Tenant, *wanted: tuple[str, str, str, str]) -> set[str]:
    async with tenant.database.transaction() as s:
        return await record_versions.unknown(s, tenant.connection_id, wanted)


async def test_lists_come_in_and_are_found_by_key(tenant: Tenant) -> None:
    """S2-06: vendors, chart of accounts, items ..."""
    account = a_list_entry(1, kind=ListKind.GL_ACCOUNT, key="6000", name="Supplies", entity="100", active=False)
    assert await take(tenant, a_list_entry(1), a_list_entry(2), account) == (3, 3)
    found = await find(tenant)
    assert (found.name, found.attributes, found.active) == ("Vendor 1", {"term": "Net 30"}, True)
    found = await find(tenant, "6000", ListKind.GL_ACCOUNT)
    assert (found.name, found.entity, found.active) == ("Supplies", "100", False)
    assert await find(tenant, "6000") is None


async def test_the_same_entries_again_write_nothing(tenant: Tenant) -> None:
    await take(tenant, a_list_entry(1), a_list_entry(2, revision=None))
    before = await tenant.fingerprint()
    assert await take(tenant, a_list_entry(1), a_list_entry(2, revision=None)) == (2, 0)
    assert await tenant.fingerprint() == before


async def test_an_older_entry_never_overwrites_a_newer_one(tenant: Tenant) -> None:
    await take(tenant, a_list_entry(revision=R2, name="new"))
    assert await take(tenant, a_list_entry(revision=R1, name="old")) == (1, 0)
    assert (await find(tenant)).name == "new"


async def test_an_entry_without_revision_is_the_newest_word(tenant: Tenant) -> None:
    """Reference 2.5 point 2: some objects have no modification date until their first change."""
    await take(tenant, a_list_entry(revision=None, name="first"))
    assert await take(tenant, a_list_entry(revision=None, name="second")) == (1, 1)
    assert await take(tenant, a_list_entry(revision=R1, name="third")) == (1, 1)
    assert (await find(tenant)).name == "third"


async def test_a_list_is_paged_and_searched_by_key_or_name(tenant: Tenant) -> None:
    await take(tenant, *(a_list_entry(number, name=f"Supplier {number % 2}") for number in range(1, 8)))
    found: list[str] = []
    cursor = None
    while True:
        async with tenant.database.transaction() as s:
            page = await list_entries.page(s, tenant.connection_id, ListKind.VENDOR, limit=3, cursor=cursor)
        found += [row.key for row in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert found == [f"V{number}" for number in range(1, 8)]
    async with tenant.database.transaction() as s:
        by_name = await list_entries.page(s, tenant.connection_id, ListKind.VENDOR, q="plier 0")
        by_key = await list_entries.page(s, tenant.connection_id, ListKind.VENDOR, q="v7")
    assert [row.key for row in by_name.items] == ["V2", "V4", "V6"]
    assert [row.key for row in by_key.items] == ["V7"]


async def test_records_held_in_their_revision_are_no_news(tenant: Tenant) -> None:
    """An unchanged sync costs one question for changes: everything it names is known."""
    order = an_order(1)
    await tenant.page(order)
    await tenant.receive(a_receipt(order, {1: 2}))
    await take(tenant, a_list_entry(1))
    await tenant.bills_in(an_erp_bill(900))
    await tenant.payments_in(an_erp_payment(700, shares={"900": "10"}))
    known = [
        ("lists", "vendor", "1", R1),
        ("purchase_orders", "purchase_orders", "1", R1),
        ("receipts", "receipts", "501", R1),
        ("bills", "bills", "900", R1),
        ("payments", "payments", "700", R1),
    ]
    assert await news(tenant, *known) == set()
    for stamp in known:
        assert await news(tenant, (*stamp[:3], R2)) == {stamp[0]}
        assert await news(tenant, (*stamp[:2], "4711", R1)) == {stamp[0]}


async def test_what_is_left_out_on_purpose_is_known_too(tenant: Tenant) -> None:
    """S1-16: a skipped order must not make every sync read the stream again."""
    async with tenant.database.transaction() as s:
        await excluded_records.record(
            s, tenant.connection_id, Stream.PURCHASE_ORDERS, [("9", "PO-9", "OTHER_CURRENCY", "it is in EUR", R2)]
        )
    assert await news(tenant, ("purchase_orders", "purchase_orders", "9", R2)) == set()
    assert await news(tenant, ("purchase_orders", "purchase_orders", "9", R3)) == {"purchase_orders"}


async def test_a_payment_of_bills_we_do_not_hold_is_known_too(tenant: Tenant) -> None:
    await tenant.payments_in(an_erp_payment(701, shares={"4711": "10"}))
    assert await tenant.payment_rows() == []
    assert await news(tenant, ("payments", "payments", "701", R1)) == set()


async def test_a_deletion_is_news_while_the_record_lives_here(tenant: Tenant) -> None:
    await tenant.page(an_order(1))
    stamp = ("deletions", "deletions", "1", R3)
    assert await news(tenant, stamp) == {"deletions"}
    await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, "1"))
    assert await news(tenant, stamp) == set()
    assert await news(tenant, ("deletions", "deletions", "4711", R3)) == set()


async def test_a_deletion_may_name_the_document(tenant: Tenant) -> None:
    """S5-78: the trail may name a record by its natural key; a name that is a record's own id stays that record."""
    order = an_order(1)
    await tenant.page(order, an_order(2))
    stamp = ("deletions", "deletions", order.document_id, R3)
    assert await news(tenant, stamp) == {"deletions"}
    await tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, order.document_id))
    assert await news(tenant, stamp) == set()
    assert await news(tenant, ("deletions", "deletions", "2", R3)) == {"deletions"}, "the other order lives"


async def test_stamps_of_another_connection_do_not_count(tenant: Tenant, other_tenant: Tenant) -> None:
    await other_tenant.page(an_order(1))
    assert await news(tenant, ("purchase_orders", "purchase_orders", "1", R1)) == {"purchase_orders"}


async def test_skips_are_listed_with_their_reason(tenant: Tenant) -> None:
    """S1-16: the skip is recorded with its reason."""
    skips = [(str(number), f"PO-{number}", "OTHER_CURRENCY", "it is in EUR", R2) for number in range(5)]
    async with tenant.database.transaction() as s:
        await excluded_records.record(s, tenant.connection_id, Stream.PURCHASE_ORDERS, skips)
        await excluded_records.record(
            s, tenant.connection_id, Stream.PURCHASE_ORDERS, [("0", "PO-0", "DRAFT", "an older word", R1)]
        )
        await excluded_records.record(
            s, tenant.connection_id, Stream.PURCHASE_ORDERS, [("1", "PO-1", "ALREADY_FINISHED", "it is Closed", R3)]
        )
    found: dict[str, str] = {}
    cursor = None
    while True:
        async with tenant.database.transaction() as s:
            page = await excluded_records.page(s, tenant.connection_id, limit=2, cursor=cursor)
        found |= {row.number: row.code for row in page.items}
        if (cursor := page.next_cursor) is None:
            break
    assert found == {
        "PO-0": "OTHER_CURRENCY",
        "PO-1": "ALREADY_FINISHED",
        "PO-2": "OTHER_CURRENCY",
        "PO-3": "OTHER_CURRENCY",
        "PO-4": "OTHER_CURRENCY",
    }


@pytest.mark.parametrize("count", [1, 300])
async def test_a_change_set_is_compared_in_one_statement(tenant: Tenant, count: int) -> None:
    wanted = [("purchase_orders", "purchase_orders", str(number), R1) for number in range(count)]
    sent = tenant.database.statements
    assert await news(tenant, *wanted) == {"purchase_orders"}
    assert tenant.database.statements - sent == 1


async def test_what_comes_in_after_all_is_left_out_no_longer(tenant: Tenant) -> None:
    """S1-12: a finished order that is edited and open again is imported."""
    kinds = {Stream.PURCHASE_ORDERS: "9", Stream.BILLS: "900", Stream.PAYMENTS: "700"}
    async with tenant.database.transaction() as s:
        for stream, erp_id in kinds.items():
            skip = (erp_id, erp_id, "OTHER_CURRENCY", "it is in EUR", R1)
            await excluded_records.record(
                s, tenant.connection_id, stream, [skip, ("4711", "other", "OTHER_CURRENCY", "EUR", R1)]
            )
    await tenant.page(an_order(9, revision=R2))
    await tenant.bills_in(an_erp_bill(900, revision=R2))
    await tenant.payments_in(an_erp_payment(700, shares={"900": "5"}, revision=R2))
    async with tenant.database.transaction() as s:
        left = await excluded_records.page(s, tenant.connection_id)
    assert sorted((row.stream, row.erp_id) for row in left.items) == [
        ("bills", "4711"),
        ("payments", "4711"),
        ("purchase_orders", "4711"),
    ]
