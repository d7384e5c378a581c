"""A payment is read back as it was sent, or what differs is said."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from erp.errors import Rejected
from sandbox.quickbooks_desktop.records import Applied, Txn
from tests.conformance.erp_harness import a_bill_for, a_payment_of, all_orders, push
from tests.unit.erp.quickbooks_desktop.company_file import connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc


def _set(**values: Any) -> Callable[[Pc, Txn], None]:
    def change(pc: Pc, payment: Txn) -> None:
        payment.values.update(values)

    return change


def _other(kind: str, field: str) -> Callable[[Pc, Txn], None]:
    """Another entry of a list takes the place of the one that was sent."""

    def change(pc: Pc, payment: Txn) -> None:
        entries = pc.computer.company.entries[kind].values()
        payment.values[field] = next(
            one.list_id
            for one in entries
            if one.list_id != payment.values[field] and one.values.get("AccountType", "Bank") == "Bank"
        )

    return change


def _apply(*, amount: str, discount: str = "0", twice: bool = False) -> Callable[[Pc, Txn], None]:
    def change(pc: Pc, payment: Txn) -> None:
        (applied,) = payment.applied
        only = Applied(applied.txn_id, Decimal(amount), Decimal(discount), "", [])
        payment.applied[:] = [only, Applied("FFF-1", Decimal(1), Decimal(0), "", [])] if twice else [only]

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set(TxnDate=date(2020, 1, 1)), "the date"),
        (_set(RefNumber="77"), "the number"),
        (_set(Memo="by hand"), "our key"),
        (_other("Vendor", "PayeeEntityRef"), "the vendor"),
        (_other("Account", "BankAccountRef"), "the account"),
        (_apply(amount="1.00"), "the total"),
        (_apply(amount="1.00"), "the bills"),
        (_apply(amount="1.00", twice=True), "the bills"),
    ],
    ids=["date", "number", "key", "vendor", "account", "amount", "applied", "another bill"],
)
async def test_what_differs_from_what_was_sent_is_said(change: Callable[[Pc, Txn], None], said: str) -> None:
    """Issue 12: vendor, day, account, number, key, and each bill with its amount, not the sum alone."""
    pc = Pc()
    await pc.room("/companies/quickbooks_desktop/sample")
    connector, journal = connected(pc, page_size=10)
    bill = a_bill_for((await all_orders(connector))["PO-1007"], "PSB-1", Decimal(2), 2)
    pushed = await push(connector, bill)
    account = pc.computer.company.add_entry("Account", {"Name": "A second bank", "AccountType": "Bank"})
    payment = a_payment_of(bill, pushed, "PSP-0123456789ABCDEF").model_copy(
        update={"bank_account": account.list_id, "method": "check"}
    )
    payment_id = await connector.payments.create(payment)
    assert (await connector.payments.read_back(payment, payment_id)).settled
    journal.writes.clear()  # another activity goes on with it
    assert (await connector.payments.read_back(payment, payment_id)).settled
    there = pc.computer.company.txns["BillPaymentCheck"][payment_id]
    change(pc, there)
    pc.computer.company.touch(there)
    with pytest.raises(Rejected) as refused:
        await connector.payments.read_back(payment, payment_id)
    assert refused.value.code == "CONTENT_CONFLICT"
    assert said in refused.value.evidence["differences"]


async def test_an_account_that_has_another_name_by_now_is_the_one_that_was_sent() -> None:
    """It was named by its name, and a person renamed it before the payment was read back."""
    pc = Pc()
    await pc.room("/companies/quickbooks_desktop/sample")
    connector, journal = connected(pc, page_size=10)
    bill = a_bill_for((await all_orders(connector))["PO-1007"], "PSB-1", Decimal(2), 2)
    pushed = await push(connector, bill)
    payment = a_payment_of(bill, pushed, "PSP-1").model_copy(
        update={"bank_account": "bank of america, OPERATIONS", "method": "check"}
    )
    payment_id = await connector.payments.create(payment)
    assert (await connector.payments.read_back(payment, payment_id)).settled
    journal.writes.clear()
    record = pc.computer.company.txns["BillPaymentCheck"][payment_id]
    pc.computer.company.entries["Account"][record.values["BankAccountRef"]].values["Name"] = "Renamed"
    assert (await connector.payments.read_back(payment, payment_id)).settled
