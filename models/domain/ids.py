"""Typed ids: ours, and the ERP's own."""

import re
from typing import NewType

OrganizationId = NewType("OrganizationId", str)


ConnectionId = NewType("ConnectionId", str)


SyncRunId = NewType("SyncRunId", str)
BackfillId = NewType("BackfillId", str)


SyncIssueId = NewType("SyncIssueId", str)


PurchaseOrderId = NewType("PurchaseOrderId", str)


BillId = NewType("BillId", str)


PaymentId = NewType("PaymentId", str)


PersonId = NewType("PersonId", str)


RetractionId = NewType("RetractionId", str)


SourceOrderId = NewType("SourceOrderId", str)
CreditApplicationId = NewType("CreditApplicationId", str)
ListChangeId = NewType("ListChangeId", str)


OutboxId = NewType("OutboxId", int)


ErpId = NewType("ErpId", str)
"""The ERP's own internal key of a record."""


DocumentId = NewType("DocumentId", str)
"""The ERP's key of a document as other documents refer to it."""


ExternalKey = NewType("ExternalKey", str)
"""Our stable name for one ERP write, fixed before the first attempt (DESIGN section 5)."""


SYNCER = "posync"
"""Who acts in events and issues when no person does."""

LONGEST_NAME = 40
"""How many characters of a number are in an id."""


def readable(number: str) -> str:
    """Return a number as it stands in an id, for the eyes: letters, digits and dots; the rest is one hyphen each.

    It may be empty, and two numbers may look alike: what follows it in the id is unique.
    """
    return re.sub(r"[^A-Za-z0-9.]+", "-", number)[:LONGEST_NAME].strip("-.")
