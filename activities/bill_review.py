"""Reading bills that wait for a person, and matching bills again: one transaction each."""

from temporalio import activity

from models.domain.ids import BillId
from models.messages.bills import BillMatched
from models.messages.orders import RematchBills, RematchedBills
from models.store.base.database import Database
from services.bills import review


class BillReviewActivities:
    """Where bills stand that are not sent yet. One instance per worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def bill_in_review(self, bill_id: BillId) -> BillMatched:
        """Return the current status of a bill in review, and what it waits for."""
        async with self._database.transaction() as session:
            return await review.waits_for(session, bill_id)

    @activity.defn
    async def rematch_bills(self, restart: RematchBills) -> RematchedBills:
        """Match an order's bills again with what holds now; a repeat finds nothing changed."""
        async with self._database.transaction() as session:
            return await review.rematch(session, restart)
