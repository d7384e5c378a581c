"""An order that was billed through us in NetSuite, for tests of its credits."""

from decimal import Decimal

import pytest

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, amounts
from tests.harness.variants import first_of

LOWERS = pytest.mark.parametrize("lowers", first_of(False, True), ids=["E stays", "E falls"])
"""Whether NetSuite takes a credit off the quantity an order counts as billed: nobody says
(docs/how-to/connect-netsuite.md)."""


async def billed(
    api: StackClient, company: SandboxCompany, *, lowers: bool = False, mode: str = "three_way"
) -> dict[str, str]:
    """PO-1, ten pieces at 12.50: ordered, received, billed through us."""
    # Where the billed quantity stays, NetSuite may refuse to bill more than was ordered: this account does not.
    company.switch(credits_lower_billed=lowers, over_billing="refuse" if lowers else "accept")
    company.order("PO-1", "10")
    company.does("receive", number="PO-1")
    await api.start(mode=mode)
    bill: dict[str, str] = await api.billed("PO-1", {1: "10"})
    await api.order_is("PO-1", "filled")
    return bill


async def left(api: StackClient) -> tuple[Decimal, ...]:
    """E, P, C and what may still be billed of PO-1."""
    line = (await api.order("PO-1"))["lines"][0]
    return amounts(line, "billed", "pending", "credited", "remaining")


def figures(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)
