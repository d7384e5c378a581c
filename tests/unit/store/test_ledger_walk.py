"""A random walk of bills, reads and answers, late and out of order: E + P is never too small and never counts twice.

The ERP here is a few numbers: what is converted on one line, in seconds that several changes may share. Pages and
refreshes are taken at one moment and arrive at another.
"""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from models.domain.ids import BillId
from models.domain.orders import PurchaseOrder
from models.store.audit import writes
from models.store.payables import bills
from tests.builders.records import (
    a_receipt,
    an_order,
    billing,
)
from tests.harness.tenant import (
    Tenant,
)

ORDERED = 1_000


@dataclass
class Erp:
    """One order line as the ERP has it."""

    second: int = 1
    ours: dict[BillId, int] = field(default_factory=dict)
    others: int = 0
    received: int = 0

    def change(self, walk: random.Random) -> None:
        """Every change carries the second it happened in; several may share one."""
        self.second += walk.choice([0, 0, 1])

    def order(self) -> PurchaseOrder:
        converted = sum(self.ours.values()) + self.others + self.received
        return an_order(revision=f"2026-03-01 10:{self.second:05}", lines={1: ORDERED}, billed={1: converted})

    def receipts(self, order: PurchaseOrder) -> list[Any]:
        if not self.received:
            return []
        return [a_receipt(order, {1: self.received}, revision=order.revision)]

    def whole(self) -> tuple[PurchaseOrder, list[Any], list[Any]]:
        order = self.order()
        evidence = [billing(order, bill_id, quantity=quantity) for bill_id, quantity in self.ours.items()]
        return order, evidence, self.receipts(order)


# With one of the rules of order_pages.py, order_refresh.py or order_links.py taken out, these walks fail.
@pytest.mark.parametrize(
    ("seed", "with_receipts"), [(102, False), (106, False), (172, False), (207, True), (1, True), (2, False)]
)
async def test_e_plus_p_holds_whatever_arrives_when(tenant: Tenant, seed: int, with_receipts: bool) -> None:
    """S4-65..67, F3, F4: matching.md 3.1 at every moment."""
    await walk_once(tenant, random.Random(seed), with_receipts)


async def walk_once(tenant: Tenant, walk: random.Random, with_receipts: bool, steps: int = 45) -> None:
    erp = Erp()
    await tenant.page(erp.order())
    saved: dict[BillId, int] = {}
    unsent: list[BillId] = []
    sent: list[BillId] = []
    pages: list[PurchaseOrder] = []
    wholes: list[tuple[PurchaseOrder, list[Any], list[Any]]] = []
    received: list[Any] = []
    for _ in range(steps):
        match walk.choice(
            ["save", "send", "commit", "commit", "others", "receive", "look", "look", "page", "whole", "whole"]
        ):
            case "save":
                quantity = walk.randint(1, 5)
                bill_id = await tenant.bill(an_order(lines={1: ORDERED}), {1: quantity})
                saved[bill_id] = quantity
                unsent.append(bill_id)
            case "send" if unsent:
                bill_id = unsent.pop(0)
                await sent_first(tenant, bill_id)
                sent.append(bill_id)
            case "commit" if sent:
                bill_id = sent.pop(0)
                erp.change(walk)
                erp.ours[bill_id] = saved[bill_id]
                await confirmed(tenant, bill_id)
            case "others":
                erp.change(walk)
                erp.others += walk.randint(1, 5)
            case "receive" if with_receipts:
                erp.change(walk)
                erp.received += walk.randint(1, 5)
                received += erp.receipts(erp.order())
            case "look":
                pages.append(erp.order())
                wholes.append(erp.whole())
            case "page" if pages:
                await tenant.page(pages.pop(walk.randrange(len(pages))))
                if received and walk.random() < 0.5:
                    await tenant.receive(received.pop(walk.randrange(len(received))))
            case "whole" if wholes:
                order, evidence, receipts = wholes.pop(walk.randrange(len(wholes)))
                await tenant.refresh(order, evidence, receipts)
        counted = await tenant.billed_net(erp.order())
        ours = sum(saved.values())
        assert counted >= ours, "a bill of ours is lost"
        assert counted <= ours + erp.others + erp.received, "a bill of ours counts twice"
    # When everything has settled down, one fresh look is exact.
    for bill_id in [*sent, *unsent]:
        await sent_first(tenant, bill_id)
        erp.ours[bill_id] = saved[bill_id]
    erp.second += 1
    order, evidence, receipts = erp.whole()
    await tenant.refresh(order, evidence, receipts)
    assert await tenant.pending(order) == 0
    assert await tenant.billed_net(order) == sum(saved.values()) + erp.others


async def sent_first(tenant: Tenant, bill_id: BillId) -> None:
    """On its way, whatever else of this order is: the rules here must not lean on writes going out one by one."""
    await tenant.execute(
        "update erp_writes set state = 'sent', sent_at = coalesce(sent_at, now()) where external_key = :key",
        key=bills.external_key_for(bill_id),
    )


async def confirmed(tenant: Tenant, bill_id: BillId) -> None:
    async with tenant.database.transaction() as s:
        await writes.confirm(s, bills.external_key_for(bill_id), erp_id=bill_id)
