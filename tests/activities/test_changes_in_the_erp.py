"""Everything a person can change in the ERP, at every stage of our bill, after our last read (issue 10, kind 3).

Each change lets a sync run read it, and states what follows here (`changes_in_the_erp.py`, which shows it as a page).
Whatever it is, the ledger and the report of goods received and not invoiced say what the ERP holds; and a bill that was
stopped goes on once its cause is gone.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest

from models.domain.bills import BillLineSource, BillStatus, ErpBill, ErpBillLine
from models.domain.orders import OrderCredit, PurchaseOrder, PurchaseOrderLine
from models.domain.payments import ErpPayment
from models.domain.receipts import Receipt, ReceiptLine
from models.domain.record import Record
from tests.activities.changes_in_the_erp import NOT_CHANGED, PAGE, TABLE, page
from tests.builders.outgoing_bills import a_bill, a_bill_line, a_payment
from tests.builders.records import a_receipt, an_order
from tests.fakes.erp_actions import ACTIONS
from tests.fakes.erp_people import ErpPeople
from tests.fakes.fake_erp import FakeErp
from tests.harness.activity_harness import ActivityHarness
from tests.harness.bill_at_stage import AS_IT_WAS, BillAtStage, CompanyAtWork, Stage

KINDS = tuple(dict.fromkeys(action.split(":")[0] for action in TABLE))
Case = tuple[str, Stage]


async def see(bills: dict[Case, BillAtStage], key: str) -> dict[Case, str]:
    return {case: await bill.follows(f"{key} {case}") for case, bill in bills.items()}


async def check(bills: dict[Case, BillAtStage]) -> None:
    for case, bill in bills.items():
        assert await bill.figures_there() == await bill.figures_here(), case


@pytest.mark.parametrize("kind", KINDS)
async def test_what_follows(harness: ActivityHarness, kind: str) -> None:
    """B1 to B7, B10, B12 to B15: an order and a bill for each action and stage, in one company."""
    want = {
        (action, stage): said
        for action, follows in TABLE.items()
        if action.startswith(f"{kind}:")
        for stage, said in follows.at.items()
    }
    company = CompanyAtWork(harness, [stage for _, stage in want])
    bills = dict(zip(want, company.bills, strict=True))
    await company.open()
    for (action, _), bill in bills.items():
        ACTIONS[action](bill.people)
    await company.sync()
    assert await see(bills, "after") == want
    await company.sync()
    await check(bills)

    stopped = {case: bill for case, bill in bills.items() if want[case] not in AS_IT_WAS}
    undone = {case: bill for case, bill in stopped.items() if not TABLE[case[0]].is_final}
    for bill in undone.values():
        bill.people.put_back()
    await company.sync()
    again = await see(undone, "again")
    assert {case: said for case, said in again.items() if said != TABLE[case[0]].undone and said not in AS_IT_WAS} == {}
    await company.sync()
    await check(undone)

    for case, bill in stopped.items():
        if TABLE[case[0]].is_final and bill.bill_id is not None and not bill.stage.is_in_erp:
            await bill.abandon()
            assert (await harness.tenant.bill_row(bill.bill_id)).status == BillStatus.ABANDONED, case


def test_every_action_has_its_row() -> None:
    assert sorted(ACTIONS) == sorted(TABLE)


def test_the_page_shows_the_table() -> None:
    """Written anew with `python -m tests.activities.changes_in_the_erp`."""
    assert PAGE.read_text() == page()


RECORDS: dict[type[Record], str] = {
    PurchaseOrder: "order",
    PurchaseOrderLine: "order line",
    Receipt: "receipt",
    ReceiptLine: "receipt line",
    ErpBill: "bill",
    ErpBillLine: "bill line",
    OrderCredit: "credit",
    ErpPayment: "payment",
}


async def shown(action: Callable[[ErpPeople], None] | None) -> dict[tuple[str, str], Record]:
    """What the ERP shows of an order, its receipt, our bill and its payment: before the action, or after it."""
    erp = FakeErp(shows_our_bills=True)
    order = an_order(1001, lines={1: 10, 2: 10}, price="10.00")
    receipt = a_receipt(order, {1: 10, 2: 10})
    erp.orders[order.erp_id], erp.receipts_held[receipt.erp_id] = order, receipt
    line = order.lines[0]
    source = BillLineSource(document_id=order.document_id, line=line.erp_id)
    billed = a_bill_line(order_line=line.erp_id, source=source, amount=Decimal(40), item_id=line.item_id)
    document = await erp.create_bill(
        a_bill(order_document=order.document_id, lines=(billed,), total=Decimal(40), vendor_id=order.vendor_id)
    )
    await erp.create_payment(a_payment(bill_document=document, amount=Decimal(40)))
    people = ErpPeople(erp, order)
    people.change_payment()
    people.credit()
    if action is not None:
        action(people)
    records: list[tuple[str, str, Record]] = []
    for one in erp.orders.values():
        records += [("order", one.erp_id, one), *(("order line", line.erp_id, line) for line in erp.shown(one).lines)]
    for received in erp.receipts_held.values():
        records += [("receipt", received.erp_id, received)]
        records += [("receipt line", one.erp_id, one) for one in received.lines]
    for bill in erp.bills_shown():
        records += [("bill", str(bill.external_key), bill)]
        records += [("bill line", f"{bill.external_key}/{one.line_no}", one) for one in bill.lines]
    records += [("payment", payment.erp_id, payment) for payment in erp.payments_held]
    records += [("credit", one.order_line, one) for one in erp.credited.get(order.erp_id, ())]
    return {(kind, name): record for kind, name, record in records}


async def test_every_field_is_changed_by_an_action_or_says_why_not() -> None:
    before = await shown(None)
    changed: set[str] = set()
    for action in ACTIONS.values():
        after = await shown(action)
        for (kind, name), record in after.items():
            was = before.get((kind, name))
            if was is not None:
                fields = type(record).model_fields
                changed |= {f"{kind}: {one}" for one in fields if getattr(was, one) != getattr(record, one)}
    every = {f"{kind}: {one}" for record, kind in RECORDS.items() for one in record.model_fields}
    explained = {field for field in every if field in NOT_CHANGED or field.split(": ")[1] in NOT_CHANGED}
    assert every - changed - explained == set()
    known = every | {field.split(": ")[1] for field in every}
    assert NOT_CHANGED.keys() - known == set()
