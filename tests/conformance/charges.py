"""Bills of the suite with money beyond their lines, and a connector whose preferences have a place for it."""

from decimal import Decimal
from typing import Any

from erp.connector import ErpConnector
from models.domain.bills import BillToPush, ChargeKind, ChargeToPush
from tests.conformance.erp_harness import ErpHarness

CHARGES = (
    ChargeToPush(kind=ChargeKind.FREIGHT, amount=Decimal("50.00"), description="by road"),
    ChargeToPush(kind=ChargeKind.TAX, amount=Decimal("12.34")),
    ChargeToPush(kind=ChargeKind.DISCOUNT, amount=Decimal("-2.00")),
)


def charged(bill: BillToPush, **changes: Any) -> BillToPush:
    return bill.model_copy(update={"charges": CHARGES, "total": bill.total + Decimal("60.34"), **changes})


def with_charges(harness: ErpHarness) -> ErpConnector:
    return harness.connect(preferences={**harness.settings()["preferences"], **harness.charge_preferences})
