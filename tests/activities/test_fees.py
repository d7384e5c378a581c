"""Fees of a payment: their credits are locked in the one order, and spoken for until they are applied."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import text

from models.domain.ids import BillId, PurchaseOrderId
from models.domain.payments import FeeKind
from models.store.orders import ledger
from models.store.payables import bill_reads, credit_applications, entered_credits, payments
from models.tables import BillRow
from services.payments.fees import RequestedFee
from services.payments.standalone import RequestedPaymentOfBills, RequestedShare, schedule_payment_of_bills
from tests.builders.records import an_order
from tests.harness.activity_harness import ActivityHarness


@pytest.fixture
async def bill_id(harness: ActivityHarness) -> BillId:
    """A bill of 100.00 that the ERP holds, where a payment of several bills and credits can go."""
    order = await harness.holds(an_order(lines={1: 10}, price="10.00"))
    bill_id = await harness.billed(order, {1: 10}, key="the-bill")
    await harness.push(bill_id)
    await harness.tenant.execute(
        'update connections set capabilities = capabilities || \'{"pays_several_bills": true, "credits": true}\''
        " where id = :connection",
        connection=harness.tenant.connection_id,
    )
    await harness.tenant.execute("update bills set payable_id = '900' where id = :id", id=bill_id)
    return bill_id


async def paid_with_a_fee(harness: ActivityHarness, bill_id: BillId) -> BillRow:
    """Pay the bill 97.00, with a fee of 3.00; return the fee's credit."""
    asked = RequestedPaymentOfBills(
        bills=[RequestedShare(bill_id=bill_id, amount=Decimal(97))],
        pay_on=datetime.now(UTC).date(),
        bank_account="BANK-1",
        net=Decimal(97),
        fees=[RequestedFee(kind=FeeKind.TRANSACTION, amount=Decimal(3), account="6000")],
    )
    async with harness.tenant.database.transaction() as s:
        await schedule_payment_of_bills(
            s, asked, organization_id=harness.tenant.organization_id, request_key="p1", actor="ada"
        )
    (row,) = await harness.tenant.fetch("select id from bills where credit_of = :bill", bill=bill_id)
    async with harness.tenant.database.transaction() as s:
        credit = await bill_reads.get(s, BillId(row.id))
    assert credit is not None
    return credit


async def somebody_waits(harness: ActivityHarness) -> None:
    """Wait until a transaction waits for a lock of this one's database."""
    for _ in range(200):
        async with harness.tenant.database.transaction() as s:
            waiting = await s.scalar(
                text(
                    "select count(*) from pg_stat_activity where datname = current_database()"
                    " and wait_event_type = 'Lock'"
                )
            )
        if waiting:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody waits for a lock")


async def test_a_payment_with_fees_locks_the_orders_lines_before_its_bill(
    harness: ActivityHarness, bill_id: BillId
) -> None:
    """S5-16: entering a credit locks order lines, then the bill; a payment with fees that meets it waits in line, and
    holds nothing that the other one needs."""
    bill = await harness.tenant.bill_row(bill_id)
    async with harness.tenant.database.transaction() as s:
        await ledger.lock_lines(s, [PurchaseOrderId(bill.purchase_order_id or "")])
        paying = asyncio.create_task(paid_with_a_fee(harness, bill_id))
        await somebody_waits(harness)
        await s.execute(text("set local lock_timeout = '3s'"))
        await entered_credits.lock_bill(s, bill_id)
    assert -(await paying).total == 3


async def test_a_fees_credit_is_spoken_for_until_it_is_applied(harness: ActivityHarness, bill_id: BillId) -> None:
    """S5-16: a sync saw the credit in the ERP before its write was read back: nobody else may apply it meanwhile, and
    its bill keeps room for it."""
    credit = await paid_with_a_fee(harness, bill_id)
    await harness.tenant.execute(
        "update bills set status = 'synced', payable_id = '950' where id = :id", id=BillId(credit.id)
    )
    async with harness.tenant.database.transaction() as s:
        left = await credit_applications.left(s, BillId(credit.id), bill_id)
        bill = await payments.lock_bill(s, bill_id)
    assert (left.credit, left.bill) == (0, 0)
    assert bill is not None
    assert bill.promised == 100, "97 by the payment and 3 by the fee"
