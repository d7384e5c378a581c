"""What is refused between the look-up for a lost write and the write, on QuickBooks Desktop."""

from decimal import Decimal
from typing import Any

import pytest

from erp.errors import Deferred, Rejected
from tests.conformance.charges import charged, with_charges
from tests.conformance.erp_harness import a_bill_for, a_payment_of, push, the_order
from tests.conformance.quickbooks_desktop_harness import QuickBooksDesktopHarness

pytestmark = pytest.mark.trait("polled")

ORDER = "PO-1018"


async def test_a_lost_payment_that_is_refused_meanwhile_does_not_go_out(harness: QuickBooksDesktopHarness) -> None:
    """It is paid by nobody behind the refusal: a person may abandon it, and pay in another way."""
    connector = harness.connect()
    bill = a_bill_for(await the_order(connector, ORDER), "meanwhile-4", Decimal(4))
    payment = a_payment_of(bill, await push(connector, bill), "PSP-MEANWHILE")
    payment = payment.model_copy(update={"bank_account": None})
    payments: Any = connector.payments.unrepeated
    harness.begin()
    harness.fault("lost_request", "create_payment")
    for _ in range(3):
        with pytest.raises(Deferred):
            await payments.create(payment)
        await harness.poll()
    without_account = harness.connect(preferences={})
    assert await without_account.payments.find(payment) is None
    with pytest.raises(Rejected) as refused:
        await without_account.payments.create(payment)
    assert refused.value.code == "ACCOUNT_REFUSED"
    for _ in range(2):
        await harness.poll()
    assert harness.payments_with("PSP-MEANWHILE") == []
    created = await harness.connect().payments.create(payment)
    assert [one.erp_id for one in harness.payments_with("PSP-MEANWHILE")] == [created]


async def test_a_lost_bill_that_is_refused_meanwhile_does_not_go_out(harness: QuickBooksDesktopHarness) -> None:
    """The account of its freight was taken away between the look-up and the write."""
    connector = with_charges(harness)
    bill = charged(a_bill_for(await the_order(connector, ORDER), "meanwhile-5", Decimal(4)))
    bills: Any = connector.bills.unrepeated
    harness.begin()
    harness.fault("lost_request", "create_bill")
    for _ in range(3):
        with pytest.raises(Deferred):
            await bills.create(bill)
        await harness.poll()
    without_accounts: Any = harness.connect().bills.unrepeated
    while True:
        try:
            assert await without_accounts.find(bill) is None
            break
        except Deferred:
            await harness.poll()
    with pytest.raises(Rejected) as refused:
        await without_accounts.create(bill)
    assert refused.value.code == "CHARGES_NOT_TAKEN"
    for _ in range(2):
        await harness.poll()
    assert harness.bills_with(bill.external_key) == []
    await push(with_charges(harness), bill)
    assert len(harness.bills_with(bill.external_key)) == 1
