"""Bills against orders: which links hold, what the order shows, when it closes and opens (reference 6.2)."""

from typing import Any

import pytest

from tests.unit.sandbox.quickbooks_online.books import Books, bill_of

Record = dict[str, Any]


def links(bill: Record) -> list[str]:
    """What each line is linked to, as order/line."""
    return [
        "/".join((link["TxnId"], link["TxnLineId"]))
        for line in bill["Line"]
        for link in line.get("LinkedTxn", [{"TxnId": "-", "TxnLineId": "-"}])
    ]


async def shown(books: Books, order: Record) -> tuple[str, list[Any], int]:
    """Status, Received of each line, and token of an order now."""
    now = await books.read("PurchaseOrder", order["Id"])
    return now["POStatus"], [line["Received"] for line in now["Line"]], int(now["SyncToken"])


async def test_a_bill_in_parts_until_the_order_closes(books: Books) -> None:
    """S3: Received grows by line; all of it billed closes the order by itself."""
    order = await books.order()
    bill = await books.save("Bill", bill_of(order, (1, "4")))
    assert (links(bill), bill["LinkedTxn"]) == (["1/1"], [{"TxnId": "1", "TxnType": "PurchaseOrder"}])
    assert await shown(books, order) == ("Open", [4, 0], 1)
    await books.save("Bill", bill_of(order, (1, "6"), (2, "10"), number="INV-2"))
    assert await shown(books, order) == ("Closed", [10, 10], 2)
    now = await books.read("PurchaseOrder", order["Id"])
    assert now["LinkedTxn"] == [{"TxnId": "1", "TxnType": "Bill"}, {"TxnId": "2", "TxnType": "Bill"}]
    assert all("LinkedTxn" not in line for line in now["Line"])


async def test_an_account_line_counts_money(books: Books) -> None:
    """Reference 6.1: Received is an amount there."""
    order = await books.order(lines=1, item_id="", account="6000", quantity="1", price="120")
    link = {"TxnId": order["Id"], "TxnType": "PurchaseOrder", "TxnLineId": "1"}
    line = {"Amount": 45.5, "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "8"}}, "LinkedTxn": [link]}
    await books.save("Bill", {"VendorRef": order["VendorRef"], "Line": [line]})
    assert (await shown(books, order))[:2] == ("Open", [45.5])


async def test_a_line_without_quantity_counts_its_amount_over_the_price(books: Books) -> None:
    order = await books.order(lines=1)
    bill = bill_of(order, (1, "4"))
    del bill["Line"][0]["ItemBasedExpenseLineDetail"]["Qty"]
    del bill["Line"][0]["ItemBasedExpenseLineDetail"]["UnitPrice"]
    await books.save("Bill", bill)
    assert (await shown(books, order))[:2] == ("Open", [4])


async def test_a_credit_is_never_linked(books: Books) -> None:
    """Reference 6.2: only bills, checks and expenses count."""
    order = await books.order(lines=1)
    assert links(await books.save("VendorCredit", bill_of(order, (1, "4")))) == ["-/-"]
    assert (await shown(books, order))[:2] == ("Open", [0])


async def test_one_bill_of_several_orders(books: Books) -> None:
    """Reference 6.2."""
    orders = [await books.order("PO-1", 1), await books.order("PO-2", 1)]
    bill = bill_of(orders[0], (1, "10"))
    other = bill_of(orders[1], (1, "3"))
    bill["Line"] += other["Line"]
    bill["LinkedTxn"] += other["LinkedTxn"]
    saved = await books.save("Bill", bill)
    assert links(saved) == ["1/1", "2/1"]
    assert [(await shown(books, order))[:2] for order in orders] == [("Closed", [10]), ("Open", [3])]


def _with_number(order: Record, bill: Record) -> None:
    bill["Line"][0]["LinkedTxn"][0]["TxnLineId"] = "77"


def _without_line(order: Record, bill: Record) -> None:
    del bill["Line"][0]["LinkedTxn"][0]["TxnLineId"]


def _other_order(order: Record, bill: Record) -> None:
    bill["Line"][0]["LinkedTxn"][0]["TxnId"] = "77"


def _other_vendor(order: Record, bill: Record) -> None:
    bill["VendorRef"] = {"value": "2"}


def _other_item(order: Record, bill: Record) -> None:
    bill["Line"][0]["ItemBasedExpenseLineDetail"]["ItemRef"] = {"value": "2"}


def _other_account(order: Record, bill: Record) -> None:
    bill["APAccountRef"] = {"value": "9"}


@pytest.mark.parametrize("spoil", [_with_number, _other_order, _other_vendor, _other_item, _other_account])
async def test_a_link_that_does_not_fit_is_dropped_or_refused(books: Books, spoil: Any) -> None:
    """Reference 6.2: accepted with 200 and silently not linked, or 620: a switch."""
    order = await books.order()
    await books.save("Vendor", {"DisplayName": "Other"})
    await books.save("Account", {"Name": "Other payables", "AccountType": "Accounts Payable"})
    bill = bill_of(order, (1, "4"))
    spoil(order, bill)
    assert links(await books.save("Bill", bill)) == ["-/-"]
    assert (await shown(books, order))[1] == [0, 0]
    await books.switch(bad_link="refused")
    assert await books.refused("Bill", bill) == "620"


async def test_a_link_without_its_line_or_to_a_closed_order_does_not_hold(books: Books) -> None:
    """Reference 6.2."""
    order = await books.order()
    bill = bill_of(order, (1, "4"))
    _without_line(order, bill)
    assert links(await books.save("Bill", bill)) == ["-/-"]
    await books.act("close", number="PO-1")
    assert links(await books.save("Bill", bill_of(order, (1, "4")))) == ["-/-"]
    await books.act("reopen", number="PO-1")
    await books.act("close", number="PO-1", line=2)
    assert links(await books.save("Bill", bill_of(order, (1, "4"), (2, "1")))) == ["1/1", "-/-"]


async def test_the_line_id_is_not_the_line_number_after_an_edit(books: Books) -> None:
    """Reference 6.2: they are equal only on untouched documents."""
    order = await books.order()
    lines = [order["Line"][1], {**order["Line"][0], "Id": None}]
    body = {"Id": order["Id"], "SyncToken": order["SyncToken"], "sparse": True, "Line": lines}
    order = await books.save("PurchaseOrder", {**body, "Line": [_sendable(line) for line in lines]})
    assert [(line["Id"], line["LineNum"]) for line in order["Line"]] == [("2", 1), ("3", 2)]
    assert links(await books.save("Bill", bill_of(order, (1, "4")))) == ["1/2"]


def _sendable(line: Record) -> Record:
    return {**line, "Amount": float(line["Amount"])}


@pytest.mark.parametrize("named", [True, False])
async def test_the_header_may_have_to_name_the_order_too(books: Books, named: bool) -> None:
    """Reference 6.2: both levels are documented; whether the line alone is enough is a switch."""
    order = await books.order()
    bill = bill_of(order, (1, "4"))
    if not named:
        bill["LinkedTxn"] = []
    assert links(await books.save("Bill", bill)) == ["1/1"]
    await books.switch(header_link="required")
    assert links(await books.save("Bill", bill)) == ["1/1" if named else "-/-"]


async def test_an_order_line_twice_in_one_bill(books: Books) -> None:
    """Reference 6.2: a switch."""
    order = await books.order()
    assert links(await books.save("Bill", bill_of(order, (1, "4"), (1, "5")))) == ["1/1", "1/1"]
    assert (await shown(books, order))[1] == [9, 0]
    await books.switch(repeated_order_line="second_dropped")
    assert links(await books.save("Bill", bill_of(order, (2, "4"), (2, "5")))) == ["1/2", "-/-"]


@pytest.mark.parametrize(("position", "linked"), [("accepted", "1/1"), ("link_dropped", "-/-"), ("refused", None)])
async def test_more_than_is_left_of_an_order_line(books: Books, position: str, linked: str | None) -> None:
    """Reference 6.2: a switch; accepted closes the line."""
    await books.switch(over_billing=position)
    order = await books.order(lines=1)
    bill = bill_of(order, (1, "11"))
    if linked is None:
        assert await books.refused("Bill", bill) == "620"
        assert await books.held("bills") == []
        return
    assert links(await books.save("Bill", bill)) == [linked]
    assert (await shown(books, order))[:2] == (("Closed", [11]) if linked == "1/1" else ("Open", [0]))


@pytest.mark.parametrize(
    ("position", "created", "changed", "deleted"),
    [("moves", 1, 2, 3), ("still", 0, 0, 0), ("still_on_delete", 1, 2, 2)],
)
async def test_whether_the_orders_stamp_moves_with_its_bills(
    books: Books, position: str, created: int, changed: int, deleted: int
) -> None:
    """Reference 3.8: a switch; what the order shows changes all the same."""
    await books.switch(linked_order_stamp=position)
    order = await books.order()
    bill = await books.save("Bill", bill_of(order, (1, "4")))
    assert await shown(books, order) == ("Open", [4, 0], created)
    line = {**bill["Line"][0], "Amount": 15, "Id": bill["Line"][0]["Id"]}
    line["ItemBasedExpenseLineDetail"] |= {"Qty": 3, "UnitPrice": 5}
    body = {"Id": bill["Id"], "SyncToken": "0", "sparse": True, "Line": [line]}
    assert links(await books.save("Bill", body)) == ["1/1"]
    assert await shown(books, order) == ("Open", [3, 0], changed)
    await books.call("POST", "bill", {"Id": bill["Id"], "SyncToken": "1"}, operation="delete")
    assert await shown(books, order) == ("Open", [0, 0], deleted)
    assert (await books.read("PurchaseOrder", order["Id"]))["LinkedTxn"] == []


@pytest.mark.parametrize(("position", "status"), [("automatic", "Open"), ("never", "Closed")])
async def test_an_order_opens_again_when_its_bill_goes(books: Books, position: str, status: str) -> None:
    """Reference 6.2: a switch, and never for one that a person closed."""
    await books.switch(reopening=position)
    order = await books.order(lines=1)
    bill = await books.save("Bill", bill_of(order, (1, "10")))
    assert (await shown(books, order))[0] == "Closed"
    await books.call("POST", "bill", {"Id": bill["Id"], "SyncToken": "0"}, operation="delete")
    assert (await shown(books, order))[0] == status
    by_hand = await books.order("PO-2", 1)
    bill = await books.save("Bill", bill_of(by_hand, (1, "4"), number="INV-2"))
    await books.act("close", number="PO-2")
    await books.call("POST", "bill", {"Id": bill["Id"], "SyncToken": "0"}, operation="delete")
    assert (await shown(books, by_hand))[0] == "Closed"


async def test_a_bill_that_is_there_takes_a_link_only_on_a_new_line(books: Books) -> None:
    """Reference 6.2; a line that is sent without its link loses it."""
    order = await books.order()
    bill = bill_of(order, (1, "4"))
    link = bill["Line"][0].pop("LinkedTxn")
    saved = await books.save("Bill", bill)
    old = {**_plain(saved["Line"][0]), "LinkedTxn": link}
    body = {"Id": saved["Id"], "SyncToken": "0", "sparse": True, "LinkedTxn": bill["LinkedTxn"]}
    assert links(await books.save("Bill", {**body, "Line": [old]})) == ["-/-"]
    new = {name: value for name, value in old.items() if name != "Id"}
    assert links(await books.save("Bill", {**body, "SyncToken": "1", "Line": [new]})) == ["1/1"]
    header = await books.save("Bill", {"Id": saved["Id"], "SyncToken": "2", "sparse": True, "Memo": "x"})
    assert links(header) == ["1/1"]
    kept = {**_plain(header["Line"][0])}
    del kept["LinkedTxn"]
    assert links(await books.save("Bill", {**body, "SyncToken": "3", "Line": [kept]})) == ["-/-"]
    assert (await shown(books, order))[1] == [0, 0]


def _plain(line: Record) -> Record:
    detail = {**line["ItemBasedExpenseLineDetail"], "Qty": 4, "UnitPrice": 5}
    return {**line, "Amount": 20, "ItemBasedExpenseLineDetail": detail}


async def test_an_expense_by_hand_counts_too(books: Books) -> None:
    """Reference 6.2: users link checks and expenses; the sum over bills falls short of Received."""
    order = await books.order(lines=1)
    await books.act("expense", number="PO-1", lines=[{"line": 1, "quantity": "4"}], document_number="77")
    assert (await shown(books, order))[:2] == ("Open", [4])
    now = await books.read("PurchaseOrder", order["Id"])
    assert now["LinkedTxn"] == [{"TxnId": "1", "TxnType": "Check"}]
    [expense] = await books.query("select * from Purchase")
    assert (expense["DocNumber"], links(expense)) == ("77", ["1/1"])
    await books.call("POST", "purchase", {"Id": "1", "SyncToken": "0"}, operation="delete")
    assert (await shown(books, order))[1] == [0]


async def test_deleting_an_order_or_its_line_takes_links_away(books: Books) -> None:
    order = await books.order()
    bill = await books.save("Bill", bill_of(order, (1, "4"), (2, "4")))
    now = await books.read("PurchaseOrder", order["Id"])
    body = {"Id": order["Id"], "SyncToken": now["SyncToken"], "sparse": True, "Line": [_sendable(now["Line"][1])]}
    body["Line"][0]["ItemBasedExpenseLineDetail"] |= {"Qty": 10, "UnitPrice": 5}
    await books.save("PurchaseOrder", body)
    assert links(await books.read("Bill", bill["Id"])) == ["-/-", "1/2"]
    await books.act("delete", kind="purchase_order", number="PO-1")
    assert links(await books.read("Bill", bill["Id"])) == ["-/-", "-/-"]


async def test_what_order_lines_show(books: Books) -> None:
    """Reference 6.1, 6.2: Received present or absent, lines closed by hand shown or not."""
    order = await books.order()
    await books.act("close", number="PO-1", line=2)
    await books.switch(received_shown=False)
    assert all("Received" not in line for line in (await books.read("PurchaseOrder", order["Id"]))["Line"])
    await books.switch(received_shown=True, closed_lines_shown=True)
    held = (await books.http.get(f"/v3/company/{books.realm}/purchaseorder/1", headers=_bearer(books))).json()
    closed = [line["ItemBasedExpenseLineDetail"]["ManuallyClosed"] for line in held["PurchaseOrder"]["Line"]]
    assert closed == [False, True]


def _bearer(books: Books) -> dict[str, str]:
    return {"authorization": f"Bearer {books.token}"}


async def test_an_order_that_grows_opens_again(books: Books) -> None:
    order = await books.order(lines=1)
    await books.save("Bill", bill_of(order, (1, "10")))
    assert (await shown(books, order))[0] == "Closed"
    await books.act("edit_purchase_order", number="PO-1", line=1, quantity="12")
    assert (await shown(books, order))[:2] == ("Open", [10])
    await books.act("close", number="PO-1", line=1)
    assert (await shown(books, order))[0] == "Closed"
