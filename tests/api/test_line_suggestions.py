"""Suggestions over a vendor's open orders, and drafts out of an invoice."""

import sys
from decimal import Decimal
from typing import Any

import pytest

from models.domain.ids import ConnectionId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import MatchingStatus, PoStatus, PurchaseOrder
from models.store.base.database import Database
from models.store.connections import connections
from models.store.sync import list_entries
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    an_order,
    billed,
    connected,
    mirrored,
)

PATH = "/v1/line-suggestions"
NAMES = ("Hex bolt M8x40 zinc", "Washer M8 stainless", "Toner cartridge black")


def described(number: str, *names: str, **changes: Any) -> PurchaseOrder:
    """An order whose lines are these things, ten of each at 12.50."""
    order = an_order(number, lines=len(names), **changes)
    lines = [
        line.model_copy(update={"description": name, "item_id": f"{number}-{line.line_no}"})
        for line, name in zip(order.lines, names, strict=True)
    ]
    return order.model_copy(update={"lines": tuple(lines)})


def asked(connection_id: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"connection_id": connection_id, "vendor_id": "V-1", "lines": list(lines), **more}


def places(body: dict[str, Any]) -> list[tuple[str, int] | None]:
    return [
        item["proposed"] and (item["proposed"]["purchase_order_number"], item["proposed"]["order_line_no"])
        for item in body["items"]
    ]


async def test_lines_find_their_order_and_line(api: ApiClient, database: Database) -> None:
    """issue 3: PO and lines proposed with a score and the reasons."""
    connection_id = await connected(api)
    first_id = await mirrored(database, connection_id, described("PO-1001", *NAMES[:2]))
    await mirrored(database, connection_id, described("PO-1002", NAMES[2], NAMES[0]))
    await mirrored(database, connection_id, described("PO-1003", *NAMES, vendor_id="V-2"))
    await mirrored(database, connection_id, described("PO-1004", *NAMES), PoStatus.CLOSED, MatchingStatus.CLOSED)
    body = asked(
        connection_id,
        {"description": "CARTRIDGE, BLACK TONER", "quantity": "2", "price": "12.50", "unit": "each"},
        {"description": "stainless washer M 8", "quantity": "10", "price": "12.50"},
        {"description": "bolt hex M8x40", "quantity": "4", "price": "12.50"},
        {"description": "freight", "amount": "50.00"},
    )
    answer = await api.as_("viewer").post(PATH, body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["orders"] == 2
    assert places(found)[:2] == [("PO-1002", 1), ("PO-1001", 2)]
    assert [item["confidence"] for item in found["items"]] == ["sure", "sure", "unsure", "unsure"]
    assert found["items"][2]["score"] == 0.5, "both orders have that bolt"
    assert found["items"][3]["proposed"] is None
    washer = found["items"][1]
    assert washer["proposed"]["purchase_order_id"] == first_id
    assert [reason["code"] for reason in washer["proposed"]["reasons"]] == [
        "WORDING_SIMILAR",
        "PRICE_EQUAL",
        "QUANTITY_IS_THE_REST",
    ]
    named = (await api.post(PATH, {**body, "text": "your P.O.#1002"})).json()
    assert places(named)[2] == ("PO-1002", 2)
    assert named["items"][2]["confidence"] == "sure"


async def test_an_item_of_netsuite_is_found_by_the_code_on_the_invoice(api: ApiClient, database: Database) -> None:
    """S4-34: NetSuite knows items by internal ids; invoices print their names. Intacct's ids are the codes."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    known = [("2", "ITEM-1", "Paper A4"), ("ITEM-2", "ITEM-2", "PIPET-10")]
    entries = [ListEntry(kind=ListKind.ITEM, erp_id=ErpId(id), key=key, name=name) for id, key, name in known]
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(connection_id), entries)
    lines = [{"item_code": "pipet-10"}, {"item_code": "Paper A4"}]
    draft = (await api.post(f"/v1/purchase-orders/{order_id}/bill-draft", {"lines": lines})).json()
    assert [(line["order_line_no"], line["confidence"]) for line in draft["lines"]] == [(2, "sure")]
    assert draft["lines"][0]["reasons"][0]["text"] == "item code PIPET-10"
    assert [line["line_no"] for line in draft["unassigned"]] == [2]


async def test_what_is_billed_already_is_not_left(api: ApiClient, database: Database) -> None:
    """P counts: a bill of ours that is on its way takes its quantity off."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, described("PO-1", NAMES[0]))
    await billed(api, order_id, quantity="7")
    line = {"item_code": "PO-1-1", "quantity": "3"}
    (found,) = (await api.post(PATH, asked(connection_id, line))).json()["items"]
    assert "quantity 3 is all that is left" in [reason["text"] for reason in found["proposed"]["reasons"]]


async def test_a_unit_somebody_told_of_is_converted(api: ApiClient, database: Database) -> None:
    """U01: 120 pieces at 1.00 are ten dozen at 12.00."""
    connection_id = await connected(api)
    order = described("PO-1", NAMES[0])
    lines = (order.lines[0].model_copy(update={"unit": "Dozen", "price": Decimal("12.00")}),)
    await mirrored(database, connection_id, order.model_copy(update={"lines": lines}))
    line = {"item_code": "PO-1-1", "quantity": "120", "price": "1.00", "unit": "Piece"}
    (before,) = (await api.post(PATH, asked(connection_id, line))).json()["items"]
    assert "PRICE_EQUAL" not in [reason["code"] for reason in before["proposed"]["reasons"]]
    told = await api.put(
        "/v1/unit-factors",
        {
            "connection_id": connection_id,
            "vendor_id": "V-1",
            "item_id": "PO-1-1",
            "unit": "Piece",
            "order_unit": "Dozen",
            "factor": "1/12",
        },
    )
    assert told.status_code == 200, told.text
    (after,) = (await api.post(PATH, asked(connection_id, line))).json()["items"]
    assert {"PRICE_EQUAL", "QUANTITY_IS_THE_REST"} <= {reason["code"] for reason in after["proposed"]["reasons"]}


async def test_suggestions_keep_to_the_organization_and_the_feature(
    api: ApiClient, other_api: ApiClient, database: Database
) -> None:
    connection_id = await connected(api)
    await mirrored(database, connection_id, described("PO-1", NAMES[0]))
    body = asked(connection_id, {"item_code": "PO-1-1"})
    a_problem(await other_api.post(PATH, body), 404, "NOT_FOUND")
    a_problem(await api.post(PATH, {**body, "lines": []}), 422, "VALIDATION_FAILED")
    a_problem(await api.post(PATH, {**body, "lines": [{"quantity": "NaN"}]}), 422, "VALIDATION_FAILED")
    assert (await api.post(PATH, {**body, "vendor_id": "V-9"})).json()["orders"] == 0
    async with database.transaction() as session:
        await connections.set_purchase_orders_enabled(session, ConnectionId(connection_id), False)
    a_problem(await api.post(PATH, body), 404, "PO_FEATURE_OFF")


async def test_a_draft_takes_what_is_sure_and_changes_no_figure(api: ApiClient, database: Database) -> None:
    """issue 3: never silently applied below the stated confidence; never rewrite the supplier's figures."""
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, described("PO-1", NAMES[0], NAMES[1]))
    lines = [
        {"description": "Washer stainless M8, boxed", "quantity": "12", "price": "12.75"},
        {"description": "pallet deposit", "quantity": "1"},
        {"description": "hex bolt M8x40 zinc", "amount": "50.00", "quantity": "4"},
    ]
    path = f"/v1/purchase-orders/{order_id}/bill-draft"
    draft = (await api.as_("viewer").post(path, {"lines": lines})).json()
    assert [(line["invoice_line_no"], line["order_line_no"]) for line in draft["lines"]] == [(1, 2), (3, 1)]
    washer, bolt = draft["lines"]
    assert (washer["quantity"], washer["price"], washer["amount"]) == ("12", "12.75", "153.00")
    assert (bolt["quantity"], bolt["price"], bolt["amount"]) == ("4", "12.50", "50.00")
    assert washer["description"] == "Washer stainless M8, boxed"
    assert draft["total"] == "203.00"
    assert [left["line_no"] for left in draft["unassigned"]] == [2]
    bill = {
        "number": "INV-1",
        "bill_date": "2026-11-20",
        "lines": [
            {name: line[name] for name in ("order_line_no", "quantity", "price", "amount")}
            for line in draft["lines"]
            if line["order_line_no"] == 1
        ],
    }
    created = await api.post(f"/v1/purchase-orders/{order_id}/bills", bill)
    assert created.status_code == 201, created.text
    assert created.json()["bill"]["total"] == "50.00"


async def test_a_draft_takes_less_sure_lines_when_it_is_told_to(api: ApiClient, database: Database) -> None:
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, described("PO-1", "Consulting", "Consulting on site"))
    path = f"/v1/purchase-orders/{order_id}/bill-draft"
    lines = [{"description": "consulting", "quantity": "2", "price": "12.50"}]
    taken = {}
    for accept in ("sure", "likely", "unsure"):
        draft = (await api.post(path, {"lines": lines, "accept": accept})).json()
        taken[accept] = len(draft["lines"])
        assert len(draft["lines"]) + len(draft["unassigned"]) == 1
    assert taken["sure"] == 0
    assert taken["unsure"] == 1


async def test_a_draft_of_another_organizations_order_is_not_there(
    api: ApiClient, other_api: ApiClient, database: Database
) -> None:
    connection_id = await connected(api)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    path = f"/v1/purchase-orders/{order_id}/bill-draft"
    a_problem(await other_api.post(path, {"lines": [{"item_code": "ITEM-1"}]}), 404, "NOT_FOUND")
    a_problem(await api.post(path, {"lines": [{"item_code": "ITEM-1"}], "accept": "maybe"}), 422, "VALIDATION_FAILED")
    said_nothing = (await api.post(path, {"lines": [{"item_code": "ITEM-1", "unit": "Barrel"}]})).json()
    (line,) = said_nothing["lines"]
    assert (line["quantity"], line["price"], line["amount"], line["unit"]) == (None, None, None, "Barrel")
    assert said_nothing["total"] == "0.00"


async def test_without_the_extra_the_api_says_what_to_install(
    api: ApiClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = await connected(api)
    await mirrored(database, connection_id, described("PO-1001", *NAMES))
    for name in ("matching.suggest.assignment", "matching.suggest.shortlist"):
        monkeypatch.setitem(sys.modules, name, None)
    body = asked(connection_id, {"description": NAMES[0], "quantity": "1"})
    refused = a_problem(await api.post(PATH, body), 501, "SUGGESTIONS_NOT_INSTALLED")
    assert "posync[suggest]" in refused["fix"][0]
