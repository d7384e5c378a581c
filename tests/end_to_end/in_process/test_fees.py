"""Fees and withholding of a payment in Intacct's books."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.end_to_end.in_process.fees_of_payment import (
    a_bill_of_1000,
    credits_of_fees_go_with_their_payment,
    paid_with_fees,
    refuses_what_does_not_add_up,
)
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient


async def test_net_fees_and_credits_come_to_the_bill(api: StackClient, company: SandboxCompany) -> None:
    """S5-16..23, G9: net 990, payment 993; 993 + 3 + 4 = 1000, the payment and both credits in the ERP."""
    bill = await a_bill_of_1000(api, company)
    await refuses_what_does_not_add_up(api, bill)
    await paid_with_fees(api, bill)
    memos = company.held("adjustments")
    assert sorted(Decimal(one["total"]) for one in memos) == [-4, -3]
    assert sorted(Decimal(one["amount"]) for one in company.held("payments")) == [0, 0, 993]
    (payable,) = company.held("bills")
    assert (Decimal(payable["paid"]), Decimal(payable["due"])) == (1000, 0)


async def test_the_credits_of_fees_go_with_their_payment(api: StackClient, company: SandboxCompany) -> None:
    """S5-16, S5-19: nobody was paid, so no fee is kept: abandoned before its day, or voided, here or there."""

    def void(payment: Mapping[str, Any]) -> None:
        company.does("void_payment", document_number=payment["external_key"])

    await credits_of_fees_go_with_their_payment(api, company, "adjustments", void)
