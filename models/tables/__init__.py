"""Define the rows: columns only, no behaviour; all queries and upserts are in `models/store/`.

Money and quantities are NUMERIC without a scale (exact, as the ERP sent them); instants are timestamptz in UTC. Rows of
the mirror carry the ERP's id and revision; an older revision never overwrites a newer one (DESIGN section 5).

Indexes begin with the column that distinguishes rows, not with the connection: PostgreSQL assumes that a connection for
which it has no statistics is empty, and would scan all of that connection for every row that it looks up.
"""

from models.tables.approvals import ApprovalRuleRow, ApprovalStepRow
from models.tables.audit import EventRow, NoticeRow, OutboxRow, RequestRow, SyncIssueRow, SyncRunRow
from models.tables.backfills import BackfillRow
from models.tables.connections import (
    ClosedPeriodRow,
    ConnectionRow,
    ConnectionTokensRow,
    ConsentRow,
    CursorRow,
    ListEntryRow,
    MeteredReadsRow,
    RefusedReadsRow,
)
from models.tables.credits import CreditApplicationRow, PaymentCreditRow
from models.tables.exchanges import ExchangePageRow, ExchangeRow, WebConnectorLoginRow, WebConnectorSessionRow
from models.tables.list_changes import ListChangeRow
from models.tables.orders import (
    UNSETTLED,
    OrderLineLimitRow,
    PurchaseOrderLineRow,
    PurchaseOrderRow,
    ReceiptLineRow,
    ReceiptRow,
    SkippedRecordRow,
)
from models.tables.organizations import ApiKeyRow, ApiKeyUseRow, OrganizationRow, PersonRow
from models.tables.payables import (
    BillLineRow,
    BillPartRow,
    BillRetractionRow,
    BillRow,
    ErpWriteRow,
    KeptQuantityRow,
    PaymentRow,
    PaymentShareRow,
)
from models.tables.policies import MatchDecisionRow, MatchResultRow, TolerancePolicyRow, UnitFactorRow
from models.tables.setup_checks import SetupCheckRow
from models.tables.source_orders import ContactRow, SourceOrderRow
from models.tables.webhooks import ChangeHintRow, WebhookCompanyRow, WebhookEventRow
from models.tables.workers import WorkerRow

__all__ = [
    "UNSETTLED",
    "ApiKeyRow",
    "ApiKeyUseRow",
    "ApprovalRuleRow",
    "ApprovalStepRow",
    "BackfillRow",
    "BillLineRow",
    "BillPartRow",
    "BillRetractionRow",
    "BillRow",
    "ChangeHintRow",
    "ClosedPeriodRow",
    "ConnectionRow",
    "ConnectionTokensRow",
    "ConsentRow",
    "ContactRow",
    "CreditApplicationRow",
    "CursorRow",
    "ErpWriteRow",
    "EventRow",
    "ExchangePageRow",
    "ExchangeRow",
    "KeptQuantityRow",
    "ListChangeRow",
    "ListEntryRow",
    "MatchDecisionRow",
    "MatchResultRow",
    "MeteredReadsRow",
    "NoticeRow",
    "OrderLineLimitRow",
    "OrganizationRow",
    "OutboxRow",
    "PaymentCreditRow",
    "PaymentRow",
    "PaymentShareRow",
    "PersonRow",
    "PurchaseOrderLineRow",
    "PurchaseOrderRow",
    "ReceiptLineRow",
    "ReceiptRow",
    "RefusedReadsRow",
    "RequestRow",
    "SetupCheckRow",
    "SkippedRecordRow",
    "SourceOrderRow",
    "SyncIssueRow",
    "SyncRunRow",
    "TolerancePolicyRow",
    "UnitFactorRow",
    "WebConnectorLoginRow",
    "WebConnectorSessionRow",
    "WebhookCompanyRow",
    "WebhookEventRow",
    "WorkerRow",
]
