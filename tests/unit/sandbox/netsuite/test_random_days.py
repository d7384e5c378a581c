"""What must hold whatever people and clients do: requests that were bent, and days of random work."""

import random
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from tests.unit.sandbox.netsuite.suite import (
    PORT,
    Reply,
    Suite,
    any_of,
    basic,
    bill,
    envelope,
    flag,
    is_,
    passport,
    payment,
    preferences,
)

_TEXTS = ["", "x", "-1", "1e999", "NaN", "true", "2026-13-45", "9" * 21, "<>&", "é", "0001-01-01T00:00:00Z"]


def requests(order: dict[str, Any]) -> list[str]:
    """One of every kind that works."""
    ref = f'<m:baseRef xsi:type="c:RecordRef" type="purchaseOrder" internalId="{order["record_no"]}"/>'
    types = any_of("type", "_purchaseOrder", "_vendorBill")
    return [
        f"<m:add>{bill(order, (1, '2'), (2, '1'), key='k')}</m:add>",
        f"<m:add>{payment('104', '5')}</m:add>",
        f"<m:upsert>{bill(order, (1, '2'), key='k')}</m:upsert>",
        f'<m:update><m:record xsi:type="p:PurchaseOrder" internalId="{order["record_no"]}"><p:itemList '
        'replaceAll="false"><p:item><p:line>1</p:line><p:quantity>12</p:quantity><p:isClosed>true</p:isClosed></p:item>'
        "</p:itemList></m:record></m:update>",
        f"<m:get>{ref}</m:get>",
        f"<m:getList>{ref}{ref}</m:getList>",
        f"<m:delete>{ref}</m:delete>",
        '<m:getAll><m:record recordType="currency"/></m:getAll>',
        basic(is_("lastModifiedDate", "2026-10-01T00:00:00Z", "within") + flag("mainLine", True) + types),
        basic(is_("entityId", "V", "startsWith"), "VendorSearchBasic"),
        '<m:getDeleted><m:getDeletedFilter><c:deletedDate operator="after"><c:searchValue>2026-10-01T00:00:00Z'
        "</c:searchValue></c:deletedDate></m:getDeletedFilter><m:pageIndex>1</m:pageIndex></m:getDeleted>",
        "<m:initialize><m:initializeRecord><c:type>vendorBill</c:type>"
        f'<c:reference type="purchaseOrder" internalId="{order["record_no"]}"/></m:initializeRecord></m:initialize>',
        "<m:searchMoreWithId><m:searchId>x</m:searchId><m:pageIndex>1</m:pageIndex></m:searchMoreWithId>",
    ]


def bent(body: str, chance: random.Random) -> Iterator[bytes]:
    """The request with one thing wrong, in several ways."""
    whole = etree.fromstring(envelope(body, passport() + preferences()))
    for _ in range(12):
        root = deepcopy(whole)
        content = root[1]
        element = chance.choice(list(content.iter())[1:])
        parent = element.getparent()
        assert parent is not None
        match chance.randrange(6):
            case 0 if parent is not content:
                parent.remove(element)
            case 1:
                parent.append(deepcopy(element))
            case 2:
                element.text = chance.choice(_TEXTS)
            case 3 if element.attrib:
                element.attrib[chance.choice(list(element.attrib))] = chance.choice([*_TEXTS, "c:RecordRef", "anyOf"])
            case 4 if element.attrib:
                del element.attrib[chance.choice(list(element.attrib))]
            case _:
                element.append(etree.Element(chance.choice([str(element.tag), "other", "{urn:x}y"])))
        yield etree.tostring(root)


@pytest.mark.parametrize("seed", range(6))
async def test_no_bent_request_breaks_the_service(suite: Suite, seed: int) -> None:
    """Checklist 3, 4: an answer or a fault, never an exception."""
    chance = random.Random(seed)
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    await suite.act("bill", number="PO-1", invoice_number="I-0", lines=[{"line": 2, "quantity": "1"}])
    for body in requests(order):
        for content in bent(body, chance):
            root = etree.fromstring(content)
            root[0][:] = etree.fromstring(envelope("", passport() + preferences()))[0][:]
            reply = Reply(await suite.http.post(PORT, content=etree.tostring(root)))
            assert reply.http.status_code in (200, 500)
            if reply.http.status_code == 500:
                assert reply.fault[1] in ("", "MAX_RCRDS_EXCEEDED")
            else:
                assert reply.all("//@isSuccess")
    for kind in ("purchase_orders", "bills", "payments"):
        assert isinstance(await suite.held(kind), list)


async def _deed(suite: Suite, chance: random.Random, at: int) -> None:
    """One random thing that a person or a client does; refusals are part of life."""
    number = f"PO-{chance.randint(1, 3)}"
    lines = [{"line": chance.randint(1, 2), "quantity": str(chance.randint(1, 6))}]
    bills = [one["record_no"] for one in await suite.held("bills")]
    deeds: list[dict[str, Any]] = [
        {"action": "receive", "number": number, "lines": lines, "receipt_number": f"R-{at}"},
        {"action": "bill", "number": number, "lines": lines, "invoice_number": f"I-{at}"},
        {"action": "edit_purchase_order", "number": number, "line": 1, "quantity": str(chance.randint(1, 12))},
        {"action": "close" if chance.random() < 0.5 else "reopen", "number": number, "line": chance.randint(1, 2)},
        {"action": "delete", "kind": "receipt", "number": f"R-{chance.randint(0, at)}"},
        {"action": "delete", "kind": "bill", "number": f"I-{chance.randint(0, at)}"},
        {
            "action": "edit_bill",
            "number": f"I-{chance.randint(0, at)}",
            "line": 1,
            "quantity": str(chance.randint(1, 6)),
        },
    ]
    if bills:
        deeds.append({"action": "pay_bill", "record_no": chance.choice(bills), "amount": str(chance.randint(1, 20))})
    answer = await suite.http.post("/sandbox/companies/netsuite/actions", json=chance.choice(deeds))
    assert answer.status_code in (200, 400, 422), answer.text


@pytest.mark.parametrize("seed", range(4))
async def test_orders_and_bills_agree_after_any_day(suite: Suite, seed: int) -> None:
    """S4-66, S4-68: an order's quantities are those of its receipts and bills; what is due is what was not paid."""
    chance = random.Random(seed)
    await suite.switch(allow_overage=True, bill_in_advance=seed % 2 == 0)
    for number in (1, 2, 3):
        await suite.order(f"PO-{number}")
    for at in range(60):
        await _deed(suite, chance, at)
    receipts, bills = await suite.held("receipts"), await suite.held("bills")
    payments = await suite.held("payments")
    assert receipts
    assert bills
    for order in await suite.held("purchase_orders"):
        for line in order["lines"]:
            received = sum(
                Decimal(entry["quantity"])
                for one in receipts
                if one["po_number"] == order["number"]
                for entry in one["lines"]
                if entry["order_line"] == line["line"]
            )
            billed = sum(
                Decimal(entry["quantity"])
                for one in bills
                for entry in one["lines"]
                if (entry["order_doc"], entry["order_line"]) == (order["record_no"], line["line"])
            )
            assert (Decimal(line["received"]), Decimal(line["billed"])) == (received, billed)
    for one in bills:
        paid = sum(
            Decimal(detail["amount"])
            for document in payments
            for detail in document["details"]
            if detail["bill_record_no"] == one["record_no"]
        )
        assert Decimal(one["paid"]) == paid
        assert Decimal(one["due"]) == Decimal(one["total"]) - paid >= 0
        assert one["total"] == str(sum(Decimal(line["amount"]) for line in one["lines"]))
