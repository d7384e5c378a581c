"""Telling bills' workflows what happened to their bills in the ERP: by the page that brought it, or by a later run."""

from collections.abc import Sequence

from activities.doorbell import Doorbell
from models.domain import BillId
from models.store import bill_life, bill_news, bills
from models.store.database import Database
from workflows import contract


async def tell(database: Database, doorbell: Doorbell, bill_ids: Sequence[BillId]) -> None:
    """Tell each bill's workflow what is paid and due; one that had ended starts again where the bill is open again.
    Hearing it twice does no harm."""
    for bill_id in bill_ids:
        async with database.transaction() as session:
            now = await bills.now(session, bill_id)
            again = await bill_life.again(session, bill_id, order_workflow_id=contract.purchase_order_workflow_id)
        await doorbell.bill_changed(bill_id, now, again=again)
        async with database.statement() as session:
            await bill_news.told(session, bill_id, now.version)
