"""Bills and what stands in the way of taking them back, as the plan of an event reads them."""

from datetime import date
from decimal import Decimal
from typing import Any

from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.retractions import RetractBy
from models.store.payables.retractions import RetractionFacts
from models.tables import BillRow

FACTS = RetractionFacts(
    erp=Erp.INTACCT,
    way=RetractBy.DELETE,
    credit_frees=True,
    today=date(2026, 3, 20),
    approvals_enabled=True,
    write="confirmed",
    payments_under_way=0,
    closed_through=None,
)


def a_bill(status: BillStatus, **values: Any) -> BillRow:
    fields = {
        "id": "bill_1",
        "status": status.value,
        "origin": "posync",
        "total": Decimal(100),
        "paid": Decimal(0),
        "erp_id": "9000",
        "purchase_order_id": "po_1",
        "posting_date": date(2026, 3, 2),
        "edit_pending": False,
        "direct": False,
        **values,
    }
    return BillRow(**fields)
