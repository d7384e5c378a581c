"""Define the same workflows for versioned workers: each says which build continues with it.

A worker without a build id must not say so (Temporal refuses its tasks), so these are classes of their own. They have
the names of their parents, so that histories and callers see no difference.
"""

from temporalio import workflow

from workflows.backfill import BackfillWorkflow
from workflows.bill import BillWorkflow
from workflows.credit_application import CreditApplicationWorkflow
from workflows.list_change import ListChangeWorkflow
from workflows.payment import PaymentWorkflow
from workflows.purchase_order import PurchaseOrderWorkflow
from workflows.source_order import SourceOrderWorkflow
from workflows.sync import ScheduledSyncWorkflow, SyncWorkflow
from workflows.versions import ENDS_ON_ITS_BUILD, MOVES_TO_THE_CURRENT_BUILD

with workflow.unsafe.imports_passed_through():
    from models.domain.bills import BillStatus
    from models.domain.credits import ApplicationStatus
    from models.domain.list_changes import ListChangeStatus
    from models.domain.source_orders import UploadState
    from models.messages.backfills import BackfillRun
    from models.messages.bills import BillState
    from models.messages.credits import CreditApplicationState
    from models.messages.list_changes import ListChangeState
    from models.messages.orders import OrderFacts, PurchaseOrderState
    from models.messages.payments import PaymentEnd, PaymentState
    from models.messages.source_orders import SourceOrderState
    from models.messages.sync import SyncState


@workflow.defn(name=PurchaseOrderWorkflow.__name__, versioning_behavior=MOVES_TO_THE_CURRENT_BUILD)
class VersionedPurchaseOrderWorkflow(PurchaseOrderWorkflow):
    """See the parent class."""

    @workflow.run
    async def run(self, state: PurchaseOrderState) -> OrderFacts:
        """Run the parent's workflow."""
        return await super().run(state)


@workflow.defn(name=BillWorkflow.__name__, versioning_behavior=MOVES_TO_THE_CURRENT_BUILD)
class VersionedBillWorkflow(BillWorkflow):
    """See the parent class."""

    @workflow.run
    async def run(self, state: BillState) -> BillStatus:
        """Run the parent's workflow."""
        return await super().run(state)


@workflow.defn(name=PaymentWorkflow.__name__, versioning_behavior=MOVES_TO_THE_CURRENT_BUILD)
class VersionedPaymentWorkflow(PaymentWorkflow):
    """See the parent class."""

    @workflow.run
    async def run(self, state: PaymentState) -> PaymentEnd:
        """Run the parent's workflow."""
        return await super().run(state)


@workflow.defn(name=SourceOrderWorkflow.__name__, versioning_behavior=MOVES_TO_THE_CURRENT_BUILD)
class VersionedSourceOrderWorkflow(SourceOrderWorkflow):
    """See the parent class."""

    @workflow.run
    async def run(self, state: SourceOrderState) -> UploadState:
        """Run the parent's workflow."""
        return await super().run(state)


@workflow.defn(name=CreditApplicationWorkflow.__name__, versioning_behavior=MOVES_TO_THE_CURRENT_BUILD)
class VersionedCreditApplicationWorkflow(CreditApplicationWorkflow):
    """See the parent class."""

    @workflow.run
    async def run(self, state: CreditApplicationState) -> ApplicationStatus:
        """Run the parent's workflow."""
        return await super().run(state)


@workflow.defn(name=ListChangeWorkflow.__name__, versioning_behavior=MOVES_TO_THE_CURRENT_BUILD)
class VersionedListChangeWorkflow(ListChangeWorkflow):
    """See the parent class."""

    @workflow.run
    async def run(self, state: ListChangeState) -> ListChangeStatus:
        """Run the parent's workflow."""
        return await super().run(state)


@workflow.defn(name=SyncWorkflow.__name__, versioning_behavior=ENDS_ON_ITS_BUILD)
class VersionedSyncWorkflow(SyncWorkflow):
    """See the parent class."""

    @workflow.run
    async def run(self, state: SyncState) -> SyncState:
        """Run the parent's workflow."""
        return await super().run(state)


@workflow.defn(name=ScheduledSyncWorkflow.__name__, versioning_behavior=ENDS_ON_ITS_BUILD)
class VersionedScheduledSyncWorkflow(ScheduledSyncWorkflow):
    """See the parent class."""

    @workflow.run
    async def run(self, state: SyncState) -> str:
        """Run the parent's workflow."""
        return await super().run(state)


@workflow.defn(name=BackfillWorkflow.__name__, versioning_behavior=ENDS_ON_ITS_BUILD)
class VersionedBackfillWorkflow(BackfillWorkflow):
    """See the parent class."""

    @workflow.run
    async def run(self, state: BackfillRun) -> BackfillRun:
        """Run the parent's workflow."""
        return await super().run(state)


VERSIONED_WORKFLOWS = (
    VersionedPurchaseOrderWorkflow,
    VersionedBillWorkflow,
    VersionedPaymentWorkflow,
    VersionedSourceOrderWorkflow,
    VersionedCreditApplicationWorkflow,
    VersionedListChangeWorkflow,
    VersionedSyncWorkflow,
    VersionedScheduledSyncWorkflow,
    VersionedBackfillWorkflow,
)
