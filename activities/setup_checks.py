"""Check once a day how a connection's ERP is set up."""

from datetime import UTC, datetime

from temporalio import activity

from activities.connector_pool import Connections
from erp.time_budgets import ErpWork
from models.domain.retractions import RetractBy
from models.messages.sync import CheckSetup
from models.store.base.database import Database
from models.store.connections import connections
from services import setup_checks


class SetupCheckActivities:
    """The set-up checks of a sync run. One instance per worker."""

    def __init__(self, database: Database, open_connections: Connections) -> None:
        self._database = database
        self._connections = open_connections

    @activity.defn
    async def check_setup(self, request: CheckSetup) -> None:
        """Ask the ERP, and store the answers. A repeat asks again and changes nothing more.

        Raises:
            ApplicationError: The ERP refused or failed.
        """
        async with self._connections.open(request.connection_id, ErpWork.PAGE) as connection:
            row = connection.row
            preferences = {name: str(value) for name, value in row.preferences.items()}
            result = await connection.erp.setup_checks(preferences, retract_by=RetractBy(row.retract_by))
        async with self._database.transaction() as session:
            current = await connections.get(session, request.connection_id)
            assert current is not None, "a connection is never deleted"
            await setup_checks.take_in(session, current, result, datetime.now(UTC))
