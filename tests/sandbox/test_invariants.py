"""Whatever people and programs do in whatever order, the company's books stay consistent."""

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.wire import Wire, invoice, payment

ORDERS = ("PO-1", "PO-2", "PO-3")
WITHOUT_EFFECT = {"Draft", "Submitted", "Partially Approved", "Declined"}


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

    async def try_act(self, action: str, **given: Any) -> None:
        answer = await self.wire.http.post("/sandbox/companies/intacct/actions", json={"action": action, **given})
        assert answer.status_code in (200, 422), answer.text


async def check_books(wire: Wire) -> None:
    """What must always hold between documents, bills and payments."""
    orders, receipts, invoices, bills, payments = [
        await wire.held(kind) for kind in ("purchase_orders", "receipts", "vendor_invoices", "bills", "payments")
    ]
    documents = [*orders, *receipts, *invoices]
    taken: defaultdict[str, Decimal] = defaultdict(Decimal)
    for document in [*receipts, *invoices]:
        if document["state"] not in WITHOUT_EFFECT:
            for line in document["lines"]:
                taken[line["source_line"]] += Decimal(line["quantity"])
    for document in documents:
        for line in document["lines"]:
            assert Decimal(line["converted"]) == taken[line["record_no"]], (document["document_id"], line)
            assert Decimal(line["remaining"]) == Decimal(line["quantity"]) - taken[line["record_no"]]
            assert Decimal(line["remaining"]) >= 0 or Decimal(line["quantity"]) < 0
        assert Decimal(document["total"]) == sum(Decimal(line["amount"]) for line in document["lines"])
        converted = sum(Decimal(line["converted"]) for line in document["lines"])
        if document["state"] == "Converted":
            assert all(Decimal(line["remaining"]) == 0 for line in document["lines"])
        if document["state"] == "Partially Converted":
            assert converted > 0
    posted = {bill["record_no"]: bill for bill in bills}
    for document in invoices:
        if document["state"] in WITHOUT_EFFECT:
            assert document["bill_record_no"] == ""
        else:
            assert posted[document["bill_record_no"]]["source_document"] == document["document_id"]
            assert posted[document["bill_record_no"]]["total"] == document["total"]
    assert sum(bool(bill["source_document"]) for bill in bills) == sum(
        document["state"] not in WITHOUT_EFFECT for document in invoices
    )
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    selected: defaultdict[str, Decimal] = defaultdict(Decimal)
    for done in payments:
        for detail in done["details"]:
            sums = paid if done["state"] == "Complete" else selected if done["state"] == "Draft" else None
            if sums is not None:
                sums[detail["bill_record_no"]] += Decimal(detail["amount"])
    for bill in bills:
        number = bill["record_no"]
        assert Decimal(bill["paid"]) == paid[number]
        assert Decimal(bill["selected"]) == selected[number]
        assert Decimal(bill["due"]) == Decimal(bill["total"]) - paid[number] - selected[number]
        assert Decimal(bill["due"]) >= 0 or Decimal(bill["total"]) < 0
        assert (bill["state"] == "Paid") == (paid[number] == Decimal(bill["total"]) != 0)


@pytest.mark.parametrize("seed", range(12))
async def test_the_books_agree_after_any_sequence_of_steps(wire: Wire, seed: int) -> None:
    for number in ORDERS:
        await wire.order(number, lines=3)
    chaos = Chaos(wire, seed)
    for _ in range(40):
        await chaos.step()
        await check_books(wire)
    assert await wire.held("vendor_invoices")
