"""get, getList, search and its pages, getDeleted (reference 3.1 to 3.3)."""

import pytest

from tests.unit.sandbox.netsuite.suite import Suite, any_of, bill, flag, is_, preferences

ORDERS = any_of("type", "_purchaseOrder")


async def seven(suite: Suite) -> list[str]:
    """Seven orders, a day apart; their internal ids."""
    ids = []
    for day in range(1, 8):
        order = await suite.order(f"PO-{day}", 1, modified_at=f"2026-10-0{day}T20:00:00Z", memo=f"Memo {day}")
        ids.append(order["record_no"])
    return ids


async def test_missing_records_are_told_one_by_one(suite: Suite) -> None:
    """Reference 3.2, 3.5: HTTP 200, one answer for each reference."""
    order = await suite.order()
    refs = "".join(
        f'<m:baseRef xsi:type="c:RecordRef" type="{kind}" internalId="{key}"/>'
        for kind, key in (("purchaseOrder", order["record_no"]), ("purchaseOrder", "9"), ("vendorBill", "101"))
    )
    reply = await suite.ask(f"<m:getList>{refs}</m:getList>")
    assert reply.http.status_code == 200
    assert reply.all("//m:readResponse/c:status/@isSuccess") == ["true", "false", "false"]
    assert reply.codes == ["RCRD_DSNT_EXIST", "RCRD_DSNT_EXIST"]
    many = await suite.ask(f"<m:getList>{refs * 334}</m:getList>")
    assert many.fault[1] == "MAX_RCRDS_EXCEEDED"


async def test_days_are_midnights_of_the_accounts_time_zone(suite: Suite) -> None:
    """Reference 3.2."""
    order = await suite.order(modified_at="2026-10-01T20:00:00Z")
    reply = await suite.get("purchaseOrder", order["record_no"])
    assert reply.text("//p:tranDate") == "2026-10-01T00:00:00.000-08:00"
    assert reply.text("//p:lastModifiedDate") == "2026-10-01T12:00:00.000-08:00"
    await suite.switch(utc_offset_minutes=60)
    reply = await suite.get("purchaseOrder", order["record_no"])
    assert reply.text("//p:tranDate") == "2026-10-01T00:00:00.000+01:00"


async def test_names_of_references_follow_their_lists(suite: Suite) -> None:
    """Reference 3.2: a reference carries the id and the present name."""
    order = await suite.order()
    assert (await suite.get("purchaseOrder", order["record_no"])).text("//p:entity/c:name") == "V-1 V-1"
    await suite.act("edit_vendor", key="V-1", name="Acme Tools")
    assert (await suite.get("purchaseOrder", order["record_no"])).text("//p:entity/c:name") == "V-1 Acme Tools"


async def test_line_ids_are_not_counted(suite: Suite) -> None:
    """Reference 3.5: they have gaps, and a new line never gets an old id."""
    order = await suite.order(lines=3)
    assert [line["line"] for line in order["lines"]] == [1, 4, 7]
    await suite.ask(
        f'<m:update><m:record xsi:type="p:PurchaseOrder" internalId="{order["record_no"]}"><p:itemList>'
        '<p:item><p:item internalId="301"/><p:line>1</p:line><p:quantity>5</p:quantity><p:rate>5</p:rate></p:item>'
        '<p:item><p:item internalId="301"/><p:quantity>1</p:quantity><p:rate>2</p:rate></p:item>'
        "</p:itemList></m:record></m:update>"
    )
    changed = await suite.one("purchase_orders", "PO-1")
    assert [(line["line"], line["amount"]) for line in changed["lines"]] == [(1, "25"), (10, "2")]
    assert changed["total"] == "27"


@pytest.mark.parametrize(
    ("criteria", "days"),
    [
        (is_("lastModifiedDate", "2026-10-05T20:00:00Z", "onOrAfter"), "567"),
        (is_("lastModifiedDate", "2026-10-05T12:00:00-08:00", "after"), "67"),
        (is_("lastModifiedDate", "2026-10-05T00:00:00-08:00", "on"), "5"),
        (is_("lastModifiedDate", "2026-10-05T00:00:00-08:00", "notBefore"), "567"),
        (is_("tranDate", "2026-10-01T00:00:00-08:00", "on"), "1234567"),
        (is_("tranId", "PO-3"), "3"),
        (is_("tranId", "po-", "startsWith"), "1234567"),
        (is_("tranId", "PO-3", "isNot"), "124567"),
        (is_("memo", "memo 4", "contains"), "4"),
        (is_("recordType", "PurchaseOrder", "contains"), "1234567"),
        (is_("internalIdNumber", "104", "greaterThan"), "567"),
        (is_("number", "2", "lessThanOrEqualTo"), "12"),
        (any_of("internalId", "102", "107"), "27"),
        (any_of("internalId", "102", operator="noneOf"), "134567"),
        (any_of("status", "_purchaseOrderPendingReceipt"), "1234567"),
        (any_of("status", "_purchaseOrderFullyBilled"), ""),
        (any_of("entity", "501"), "1234567"),
        (any_of("subsidiary", "2"), ""),
        (flag("mainLine", True), "1234567"),
        (flag("closed", True), ""),
        ('<k:externalIdString operator="empty"/>', "1234567"),
    ],
)
async def test_criteria_pick_orders(suite: Suite, criteria: str, days: str) -> None:
    """Reference 3.3."""
    await seven(suite)
    reply = await suite.search(_sorted(criteria, ORDERS))
    assert reply.ok, reply.reasons
    assert reply.texts("//p:tranId") == [f"PO-{day}" for day in days]


def _sorted(*criteria: str) -> str:
    """Criteria in the schema's order, which is alphabetical (reference 3.3)."""
    return "".join(sorted(criteria, key=lambda text: text[3:].lower()))


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        ("<k:tranId><c:searchValue>x</c:searchValue></k:tranId>", "INVALID_SEARCH_OPERATOR"),
        ('<k:tranId operator="is"/>', "INVALID_SEARCH_VALUE"),
        ('<k:lastModifiedDate operator="after"/>', "INVALID_SEARCH_VALUE"),
        (is_("otherRefNum", "many", "equalTo"), "INVALID_SEARCH_VALUE"),
    ],
)
async def test_criteria_that_say_nothing_are_refused(suite: Suite, criteria: str, code: str) -> None:
    """Reference 6.2."""
    assert (await suite.search(criteria)).codes == [code]


async def test_only_the_body_or_the_lines_too(suite: Suite) -> None:
    """Reference 3.1: body only unless it is said otherwise."""
    await seven(suite)
    assert (
        await suite.ask(
            f'<m:search><m:searchRecord xsi:type="k:TransactionSearchBasic">{ORDERS}</m:searchRecord></m:search>'
        )
    ).all("//p:itemList") == []
    assert len((await suite.search(ORDERS, body_only=False)).all("//p:itemList")) == 7


@pytest.mark.parametrize(("size", "code"), [(4, "INVALID_SEARCH_PAGE_SIZE"), (1001, "INVALID_SEARCH_PAGE_SIZE")])
async def test_page_sizes_have_limits(suite: Suite, size: int, code: str) -> None:
    """Reference 3.1, 6.3."""
    assert (await suite.search(ORDERS, size=size)).codes == [code]


async def test_pages_remember_size_and_kind_and_can_be_asked_again(suite: Suite) -> None:
    """Reference 3.3."""
    await seven(suite)
    first = await suite.search(ORDERS, size=5, body_only=False)
    assert [first.text(f"//c:{name}") for name in ("totalRecords", "pageSize", "totalPages", "pageIndex")] == [
        "7",
        "5",
        "2",
        "1",
    ]
    search_id = first.text("//c:searchId")
    second = await suite.more(search_id, 2)
    assert second.texts("//p:tranId") == ["PO-6", "PO-7"]
    assert len(second.all("//p:itemList")) == 2
    assert (await suite.more(search_id, 1)).texts("//p:tranId")[0] == "PO-1"
    assert (await suite.more(search_id, 3)).codes == ["INVALID_SEARCH_PAGE_INDEX"]


async def test_a_page_is_searched_anew_so_rows_can_be_skipped(suite: Suite) -> None:
    """Reference 3.3: no snapshot; a row that stops matching moves the others up."""
    await seven(suite)
    criteria = _sorted(any_of("status", "_purchaseOrderPendingReceipt"), ORDERS)
    first = await suite.search(criteria, size=5)
    await suite.act("close", number="PO-2")
    second = await suite.more(first.text("//c:searchId"), 2)
    assert second.texts("//p:tranId") == ["PO-7"]
    assert second.text("//c:totalRecords") == "6"


async def test_a_search_id_lives_a_quarter_of_an_hour(suite: Suite) -> None:
    """Reference 3.3: from its last use; an unknown one is refused alike."""
    await seven(suite)
    search_id = (await suite.search(ORDERS, size=5)).text("//c:searchId")
    for _ in range(2):
        await suite.room("/clock", {"advance_seconds": 800})
        assert (await suite.more(search_id, 2)).ok
    await suite.room("/clock", {"advance_seconds": 901})
    assert (await suite.more(search_id, 2)).codes == ["INVALID_JOB_ID"]
    assert (await suite.more("WEBSERVICES_X", 2)).codes == ["INVALID_JOB_ID"]


async def test_no_rows_is_no_list(suite: Suite) -> None:
    """Reference 3.2."""
    reply = await suite.search(ORDERS)
    assert (reply.text("//c:totalRecords"), reply.all("//c:recordList")) == ("0", [])


async def test_columns_give_rows_one_per_line(suite: Suite) -> None:
    """Reference 3.3: select columns carry an id without a name; main lines are rows, too."""
    await suite.order(lines=2)
    asked = (
        '<m:search><m:searchRecord xsi:type="s:TransactionSearchAdvanced"><s:criteria><s:basic>{}</s:basic>'
        "</s:criteria><s:columns><s:basic><k:item/><k:line/><k:quantity/><k:status/><k:tranId/></s:basic></s:columns>"
        "</m:searchRecord></m:search>"
    )
    reply = await suite.ask(asked.format(ORDERS), preferences())
    assert reply.texts("//k:line/c:searchValue") == ["0", "1", "4"]
    assert reply.all("//k:item/c:searchValue/@internalId") == ["301", "302"]
    assert reply.all("//k:item//c:name") == []
    assert set(reply.texts("//k:status/c:searchValue")) == {"pendingReceipt"}
    lines = await suite.ask(asked.format(flag("mainLine", False) + ORDERS), preferences())
    assert lines.text("//c:totalRecords") == "2"
    whole = await suite.ask(asked.format(ORDERS), preferences(columns=False, body_only=False))
    assert len(whole.records) == 1
    none = asked.replace("<k:item/><k:line/><k:quantity/><k:status/><k:tranId/>", "")
    assert (await suite.ask(none.format(ORDERS), preferences())).codes == ["INVALID_SEARCH"]


async def test_receipts_and_bills_of_an_order_are_found_by_where_they_came_from(suite: Suite) -> None:
    """Reference 5.1: the way to see that an order's lines moved."""
    order = await suite.order()
    await suite.order("PO-2")
    await suite.act("receive", number="PO-1", receipt_number="R-1")
    await suite.act("receive", number="PO-2", receipt_number="R-2")
    await suite.add(bill(order, (1, "4")))
    types = any_of("type", "_itemReceipt", "_vendorBill")
    reply = await suite.search(any_of("createdFrom", order["record_no"]) + types)
    assert reply.texts("//p:tranId") == ["R-1", "INV-1"]
    columns = (
        '<m:search><m:searchRecord xsi:type="s:TransactionSearchAdvanced"><s:criteria><s:basic>'
        f"{any_of('type', '_vendorBill')}</s:basic></s:criteria><s:columns><s:basic><k:amountPaid/><k:amountRemaining/>"
        "</s:basic></s:columns></m:searchRecord></m:search>"
    )
    paid = await suite.ask(columns, preferences())
    assert paid.texts("//k:amountRemaining/c:searchValue")[0] == "20.0"


@pytest.mark.parametrize(
    ("kind", "criteria", "count"),
    [
        ("Vendor", is_("entityId", "V-110"), 1),
        ("Account", is_("number", "6200"), 1),
        ("Item", any_of("type", "_service"), 1),
        ("Item", any_of("type", "_service", operator="noneOf"), 13),
        ("Subsidiary", is_("nameNoHierarchy", "United Kingdom"), 1),
        ("Term", is_("daysUntilNetDue", "15", "equalTo"), 1),
        ("Location", any_of("subsidiary", "2"), 1),
        ("UnitsType", is_("unitName", "Box"), 1),
        ("AccountingPeriod", flag("closed", True), 0),
    ],
)
async def test_lists_are_searched_alike(suite: Suite, kind: str, criteria: str, count: int) -> None:
    """Reference 3.3, appendix."""
    await suite.room("/companies/netsuite/sample")
    reply = await suite.search(criteria, f"{kind}SearchBasic")
    assert reply.ok, reply.reasons
    assert len(reply.records) == count


async def test_deletions_are_told_by_type_and_moment(suite: Suite) -> None:
    """Reference 3.3: lists that have no deletions cannot be asked for."""
    await suite.room("/clock", {"now": "2026-11-02T12:00:00Z"})
    await seven(suite)
    await suite.act("delete", kind="purchase_order", number="PO-1")
    await suite.room("/clock", {"now": "2026-11-03T12:00:00Z"})
    await suite.act("delete", kind="purchase_order", number="PO-2")

    async def gone(day: int, kind: str = "purchaseOrder", page: int = 1) -> list[str]:
        moment = f"<c:searchValue>2026-11-0{day}T00:00:00Z</c:searchValue>"
        when = f'<c:deletedDate operator="onOrAfter">{moment}</c:deletedDate>'
        types = f'<c:type operator="anyOf"><c:searchValue>{kind}</c:searchValue></c:type>'
        reply = await suite.ask(
            f"<m:getDeleted><m:getDeletedFilter>{when}{types}</m:getDeletedFilter><m:pageIndex>{page}</m:pageIndex>"
            "</m:getDeleted>"
        )
        return reply.codes or reply.texts("//c:deletedRecord/c:record/c:name")

    assert await gone(1) == ["Purchase Order #PO-1", "Purchase Order #PO-2"]
    assert await gone(3) == ["Purchase Order #PO-2"]
    assert await gone(1, "vendorBill") == []
    assert await gone(1, "account") == ["INVALID_RCRD_TYPE"]
    await suite.switch(deleted_page_size=1)
    assert await gone(1, page=2) == ["Purchase Order #PO-2"]
    assert await gone(1, page=3) == ["INVALID_PAGE_INDEX"]
