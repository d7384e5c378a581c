"""Whatever people and programs do in whatever order, the company's books stay consistent."""

import random
from decimal import Decimal
from typing import Any

import pytest

from tests.harness.sandbox_books import check_books
from tests.unit.sandbox.wire import Wire, invoice, payment

ORDERS = ("PO-1", "PO-2", "PO-3")


class Chaos:
    """Random steps over the wire and the control room; many are refused, which is part of the test."""

    def __init__(self, wire: Wire, seed: int) -> None:
        self.wire = wire
        self.random = random.Random(seed)
        self.steps = 0

    async def step(self) -> None:
        self.steps += 1
        chosen = self.random.choice(
            [self.bill, self.bill, self.bill, self.receive, self.pay, self.edit, self.delete, self.undo, self.person]
        )
        await chosen()

    async def documents(self, *kinds: str) -> list[dict[str, Any]]:
        return [document for kind in kinds for document in await self.wire.held(kind)]

    async def bill(self) -> None:
        source = self.random.choice(await self.documents("purchase_orders", "receipts"))
        lines = self.random.sample(range(1, len(source["lines"]) + 1), k=self.random.randint(1, len(source["lines"])))
        quantities = {line: str(self.random.randint(1, 6)) for line in lines}
        state = self.random.choice(["Pending", "Pending", "Draft"])
        function = invoice(source, quantities, number=f"VI-{self.steps}", state=state)
        others = ["<get_applications/>"] if self.random.random() < 0.3 else []
        # A second function that fails must undo the first one.
        if self.random.random() < 0.2:
            others.append("<readMore><resultId>gone</resultId></readMore>")
        await self.wire.ask(function, *others, transaction=True)

    async def receive(self) -> None:
        number = self.random.choice(ORDERS)
        line = {"line": self.random.randint(1, 3), "quantity": str(self.random.randint(1, 6))}
        await self.try_act("receive", number=number, lines=[line])

    async def pay(self) -> None:
        bills = await self.documents("bills")
        if bills:
            bill = self.random.choice(bills)
            amount = (Decimal(bill["total"]) * self.random.randint(1, 4) / 3).quantize(Decimal("0.01"))
            action = self.random.choice(["Submit", "Submit", "Draft"])
            await self.wire.ask(payment(bill["record_no"], str(amount), number=f"P-{self.steps}", action=action))

    async def edit(self) -> None:
        invoices = await self.documents("vendor_invoices")
        if invoices:
            document = self.random.choice(invoices)["document_id"]
            line = f"<quantity>{self.random.randint(1, 8)}</quantity>"
            lines = (
                f'<updatepotransitems><updatepotransitem line_num="1">{line}</updatepotransitem></updatepotransitems>'
            )
            state = self.random.choice(["", "<state>Pending</state>"])
            await self.wire.ask(f'<update_potransaction key="{document}">{state}{lines}</update_potransaction>')

    async def delete(self) -> None:
        documents = await self.documents("vendor_invoices", "receipts")
        if documents:
            number = self.random.choice(documents)["record_no"]
            await self.wire.ask(f"<delete><object>PODOCUMENT</object><keys>{number}</keys></delete>")

    async def undo(self) -> None:
        payments = await self.documents("payments")
        if payments:
            chosen = self.random.choice(payments)
            await self.try_act("void_payment", record_no=chosen["record_no"])

    async def person(self) -> None:
        number = self.random.choice(ORDERS)
        await self.try_act(self.random.choice(["edit_purchase_order", "close", "reopen"]), number=number)

    async def try_act(self, action: str, **values: Any) -> None:
        answer = await self.wire.http.post("/sandbox/companies/intacct/actions", json={"action": action, **values})
        assert answer.status_code in (200, 422), answer.text


@pytest.mark.parametrize("seed", range(12))
async def test_the_books_agree_after_any_sequence_of_steps(wire: Wire, seed: int) -> None:
    for number in ORDERS:
        await wire.order(number, lines=3)
    chaos = Chaos(wire, seed)
    for _ in range(40):
        await chaos.step()
        await check_books(wire)
    assert await wire.held("vendor_invoices")
