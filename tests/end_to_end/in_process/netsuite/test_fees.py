"""Fees and withholding of a payment in NetSuite's books."""

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
    assert sorted(Decimal(one["amount"]) for one in company.held("credits")) == [3, 4]
    assert [Decimal(one["amount"]) for one in company.held("payments")] == [993]
    (there,) = company.held("bills")
    assert (Decimal(there["paid"]), Decimal(there["due"])) == (1000, 0)


async def test_the_credits_of_fees_go_with_their_payment(api: StackClient, company: SandboxCompany) -> None:
    """S5-16, S5-19: nobody was paid, so no fee is kept: abandoned before its day, or voided, here or there."""

    def void(payment: Mapping[str, Any]) -> None:
        company.does("delete", kind="payment", record_no=payment["erp_id"])

    await credits_of_fees_go_with_their_payment(api, company, "credits", void)
