"""A credit of the suite, and what the ERP shows of it."""

from collections.abc import Sequence
from decimal import Decimal

from erp.connector import ErpConnector
from models.domain.bills import ErpBill
from models.domain.credits import CreditLineToPush, CreditToPush
from models.domain.ids import ExternalKey
from tests.conformance.erp_harness import ErpHarness, the_order


async def a_credit(harness: ErpHarness, connector: ErpConnector, key: str) -> CreditToPush:
    """Money only, of the vendor and the day of an order of the sample company."""
    order = await the_order(connector)
    account = harness.expense_account
    return CreditToPush(
        external_key=ExternalKey(key),
        vendor_id=order.vendor_id,
        number=f"CM-{key}",
        entity=harness.entity,
        credit_date=order.ordered_on,
        posting_date=order.ordered_on,
        currency="USD",
        memo="a credit of the suite",
        total=Decimal("40.50"),
        lines=(
            CreditLineToPush(line_no=1, account=account, description="Broken", amount=Decimal("40.00")),
            CreditLineToPush(line_no=2, account=account, description="Rounded", amount=Decimal("0.50")),
        ),
    )


async def all_of(connector: ErpConnector) -> Sequence[ErpBill]:
    """Everything that the ERP shows as owed or given back."""
    found: list[ErpBill] = []
    after = None
    while True:
        page = await connector.bills.page(since=None, after=after)
        found += page.records
        after = page.after
        if after is None:
            return found


async def as_shown(connector: ErpConnector, credit: CreditToPush) -> ErpBill:
    (shown,) = [one for one in await all_of(connector) if one.number == credit.number]
    return shown
