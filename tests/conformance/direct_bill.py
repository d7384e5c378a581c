"""A bill without an order, for the suite's cases."""

from datetime import timedelta
from decimal import Decimal

from erp.connector import ErpConnector
from models.domain.bills import AccountLineToPush, DirectBillToPush
from models.domain.ids import ExternalKey
from tests.conformance.erp_harness import ErpHarness, the_order


async def a_direct_bill(harness: ErpHarness, connector: ErpConnector, key: str) -> DirectBillToPush:
    """Of the vendor and the day of an order of the sample company."""
    order = await the_order(connector)
    account = harness.expense_account
    return DirectBillToPush(
        external_key=ExternalKey(key),
        vendor_id=order.vendor_id,
        number=f"RENT-{key}",
        entity=harness.entity,
        bill_date=order.ordered_on,
        posting_date=order.ordered_on,
        due_date=order.ordered_on + timedelta(days=30),
        currency="USD",
        memo="a bill of the suite",
        total=Decimal("130.50"),
        lines=(
            AccountLineToPush(line_no=1, account=account, description="Rent", amount=Decimal("100.00")),
            AccountLineToPush(line_no=2, account=account, description="Heat", amount=Decimal("30.50")),
        ),
    )
