"""The line that was meant: what is inserted, deleted or moved in the ERP's order between two steps moves nothing (fault
B6), and a draft can be sent as it is (fault C3)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from models.domain.orders import PurchaseOrder, PurchaseOrderLine
from models.store.base.database import Database
from tests.harness.api_client import ApiClient, an_order, connected, mirrored


def renumbered(order: PurchaseOrder, lines: Sequence[PurchaseOrderLine]) -> PurchaseOrder:
    """The order as the ERP shows it later: these lines, counted from one."""
    numbered = tuple(line.model_copy(update={"line_no": number}) for number, line in enumerate(lines, start=1))
    return order.model_copy(update={"lines": numbered, "revision": "2026-11-09 10:00:00"})


def inserted(order: PurchaseOrder) -> PurchaseOrder:
    first, second = order.lines
    new = first.model_copy(update={"erp_id": f"new-{first.erp_id}", "item_id": "ITEM-NEW", "price": Decimal(99)})
    return renumbered(order, [first, new, second])


def deleted(order: PurchaseOrder) -> PurchaseOrder:
    return renumbered(order, order.lines[1:])


def swapped(order: PurchaseOrder) -> PurchaseOrder:
    return renumbered(order, order.lines[::-1])


@pytest.fixture
async def connection(api: ApiClient) -> str:
    return await connected(api)


async def takes_credits(database: Database, connection: str) -> None:
    async with database.transaction() as session:
        await session.execute(
            text("""update connections set capabilities = capabilities || '{"credits": true}' where id = :id"""),
            {"id": connection},
        )


async def drafted(api: ApiClient, order_id: str) -> dict[str, Any]:
    draft: dict[str, Any] = (await api.get(f"/v1/purchase-orders/{order_id}/bill-draft")).json()
    return draft


async def test_a_draft_is_sent_back_as_it_is(api: ApiClient, database: Database, connection: str) -> None:
    """C3: today 14 times "no such field". Only the invoice's number is missing, which no draft can know."""
    order_id = await mirrored(database, connection, an_order("PO-1"))
    draft = await drafted(api, order_id)
    created = await api.post(f"/v1/purchase-orders/{order_id}/bills", {**draft, "number": "INV-1"})
    assert created.status_code == 201, created.text
    assert created.json()["match"]["outcome"] == "OK"
    assert created.json()["bill"]["total"] == draft["total"] == "250.00"


async def test_a_draft_of_an_invoice_is_sent_back_too(api: ApiClient, database: Database, connection: str) -> None:
    """C3: the draft that puts an invoice's lines on the order's has more to show."""
    order_id = await mirrored(database, connection, an_order("PO-1"))
    lines = [{"description": "Item 2", "item_code": "ITEM-2", "quantity": "4", "price": "12.50"}]
    answer = await api.post(f"/v1/purchase-orders/{order_id}/bill-draft", {"lines": lines})
    assert answer.json()["lines"][0]["order_line_id"], answer.text
    created = await api.post(f"/v1/purchase-orders/{order_id}/bills", {**answer.json(), "number": "INV-1"})
    assert created.status_code == 201, created.text


async def test_a_draft_of_another_order_is_refused(api: ApiClient, database: Database, connection: str) -> None:
    one = await mirrored(database, connection, an_order("PO-1"))
    other = await mirrored(database, connection, an_order("PO-2"))
    answer = await api.post(f"/v1/purchase-orders/{other}/bills", {**await drafted(api, one), "number": "INV-1"})
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body.purchase_order_id")


@pytest.mark.parametrize("change", [inserted, swapped])
async def test_the_line_that_was_drafted_is_billed(
    api: ApiClient, database: Database, connection: str, change: Any
) -> None:
    """B6: order lines 1 ITEM-1, 2 ITEM-2; draft read; a line is inserted between them and synced; the draft posted as
    it was. Today another item is billed, without a finding."""
    order = an_order("PO-1")
    order_id = await mirrored(database, connection, order)
    draft = await drafted(api, order_id)
    draft["lines"] = draft["lines"][1:]
    draft["total"] = draft["lines"][0]["amount"]
    await mirrored(database, connection, change(order))
    created = await api.post(f"/v1/purchase-orders/{order_id}/bills", {**draft, "number": "INV-1"})
    assert (created.status_code, created.json()["match"]["outcome"]) == (201, "OK"), created.text
    bill = (await api.get(f"/v1/bills/{created.json()['bill']['id']}")).json()
    assert [(line["item_id"], line["order_line_id"]) for line in bill["lines"]] == [("ITEM-2", order.lines[1].erp_id)]


async def test_a_line_that_is_gone_is_409(api: ApiClient, database: Database, connection: str) -> None:
    """B6: nothing is stored under the key, so that the corrected bill can be sent under it."""
    order = an_order("PO-1")
    order_id = await mirrored(database, connection, order)
    draft = {**await drafted(api, order_id), "number": "INV-1"}
    await mirrored(database, connection, deleted(order))
    answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", draft, key="k-gone")
    assert (answer.status_code, answer.json()["code"]) == (409, "ORDER_LINE_GONE"), answer.text
    matched = await api.post(f"/v1/purchase-orders/{order_id}/match", draft)
    assert (matched.status_code, matched.json()["code"]) == (409, "ORDER_LINE_GONE")
    again = {**await drafted(api, order_id), "number": "INV-1"}
    assert (await api.post(f"/v1/purchase-orders/{order_id}/bills", again, key="k-gone")).status_code == 201


async def test_a_line_with_another_item_is_409(api: ApiClient, database: Database, connection: str) -> None:
    """B6: a person replaced the item on the same line of the ERP's order."""
    order = an_order("PO-1", lines=1)
    order_id = await mirrored(database, connection, order)
    draft = {**await drafted(api, order_id), "number": "INV-1"}
    other = order.lines[0].model_copy(update={"item_id": "ITEM-9"})
    await mirrored(database, connection, renumbered(order, [other]))
    answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", draft)
    assert (answer.status_code, answer.json()["code"]) == (409, "ORDER_LINE_CHANGED"), answer.text


async def test_the_line_that_was_meant_is_credited(api: ApiClient, database: Database, connection: str) -> None:
    """B6's brother: a credit could name its line by the number alone, which another item had by then."""
    order = an_order("PO-1")
    order_id = await mirrored(database, connection, order)
    await takes_credits(database, connection)
    lines = [{"order_line_id": line.erp_id, "quantity": "4"} for line in order.lines]
    bill = {"number": "INV-1", "bill_date": "2026-11-20", "lines": lines}
    assert (await api.post(f"/v1/purchase-orders/{order_id}/bills", bill)).status_code == 201
    await mirrored(database, connection, inserted(order))

    def credit(number: str, line: str) -> dict[str, Any]:
        credited = {"order_line_id": line, "quantity": "1", "amount": "5.00", "account": "6000"}
        return {"purchase_order_id": order_id, "number": number, "credit_date": "2026-11-20", "lines": [credited]}

    entered = await api.post("/v1/credits", credit("CM-1", order.lines[1].erp_id))
    assert entered.status_code == 201, entered.text
    shown = (await api.get(entered.headers["Location"])).json()
    assert [(line["purchase_order_line_no"], line["item_id"]) for line in shown["lines"]] == [(3, "ITEM-2")]
    gone = await api.post("/v1/credits", credit("CM-2", "no-such-line"))
    assert (gone.status_code, gone.json()["code"]) == (409, "ORDER_LINE_GONE"), gone.text


async def test_a_number_means_the_line_as_it_is_now(api: ApiClient, database: Database, connection: str) -> None:
    """B6: files name lines by number."""
    order = an_order("PO-1")
    order_id = await mirrored(database, connection, order)
    await mirrored(database, connection, inserted(order))
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"order_line_no": 3, "quantity": "1"}]}
    created = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
    bill = (await api.get(f"/v1/bills/{created.json()['bill']['id']}")).json()
    assert bill["lines"][0]["item_id"] == "ITEM-2"


async def test_a_line_must_be_named(api: ApiClient, database: Database, connection: str) -> None:
    order_id = await mirrored(database, connection, an_order("PO-1"))
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [{"quantity": "1"}]}
    answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "body.lines.0"), answer.text


async def test_an_acknowledgement_stays_on_its_line(api: ApiClient, database: Database, connection: str) -> None:
    """B6: findings keep their ids and name the order's line, so that what a person accepts is what it was about."""
    order = an_order("PO-1")
    order_id = await mirrored(database, connection, order)
    line = {"order_line_id": order.lines[1].erp_id, "quantity": "1", "price": "12.51"}
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [line]}
    created = (await api.post(f"/v1/purchase-orders/{order_id}/bills", body)).json()
    findings = created["match"]["findings"]
    assert {finding["order_line_id"] for finding in findings if finding["line"]} <= {order.lines[1].erp_id}
    receipts = (await api.get(f"/v1/purchase-orders/{order_id}")).json()
    assert [one["order_line_id"] for one in receipts["lines"]] == [one.erp_id for one in order.lines]
