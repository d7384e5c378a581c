"""Define what every ERP connector must be able to do, in our own words. Activities see nothing else of an ERP.

A connector is bound to one connection (company, entity, credentials). It never retries and never sleeps: it raises a
typed error (`erp/errors.py`) and Temporal decides. What it can do is its roles (`erp/roles/`).
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from erp.capabilities import Capabilities
from erp.clock import ErpClock
from erp.connection import ConnectionCheck, ConnectionSettings, PreferenceProblem
from erp.errors import Rejected
from erp.roles.bills import Bills, DirectBills, Parts, Retractions
from erp.roles.changes import Changes, DeletionScan, Lists
from erp.roles.credits import Credits
from erp.roles.list_writes import ListWrites
from erp.roles.orders import PurchaseOrders, PurchaseOrderSink, Receipts
from erp.roles.payments import Payments, PaymentVoids
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.retractions import RetractBy
from models.domain.setup_checks import SetupCheck


class ErpConnector(Protocol):
    """The ERP of one connection: what it offers, how it is set up, and its roles. A role it does not have is None.

    What a connector remembers between calls only saves work; nothing may depend on it. The next call may go to another
    worker, or to a newly made connector.
    """

    capabilities: Capabilities

    @property
    def orders(self) -> PurchaseOrders | None: ...

    @property
    def receipts(self) -> Receipts | None: ...

    @property
    def bills(self) -> Bills: ...

    @property
    def retractions(self) -> Retractions | None: ...

    @property
    def parts(self) -> Parts | None: ...

    @property
    def direct_bills(self) -> DirectBills | None: ...

    @property
    def credits(self) -> Credits | None: ...

    @property
    def payments(self) -> Payments: ...

    @property
    def payment_voids(self) -> PaymentVoids | None: ...

    @property
    def lists(self) -> Lists: ...

    @property
    def list_writes(self) -> ListWrites | None: ...

    @property
    def changes(self) -> Changes: ...

    @property
    def scan(self) -> DeletionScan | None: ...

    @property
    def order_sink(self) -> PurchaseOrderSink | None: ...

    @property
    def clock(self) -> ErpClock:
        """The ERP's clock. It bounds every cursor and revision that is stored."""
        ...

    async def check(self) -> ConnectionCheck:
        """Sign in at the connection's level and return what the ERP reports.

        Raises:
            AuthenticationFailed: with a code that says what is wrong.
        """
        ...

    async def check_preferences(self, preferences: Mapping[str, str]) -> Sequence[PreferenceProblem]:
        """Check the sync preferences with the ERP and return what is wrong with them. Template names are
        case-sensitive."""
        ...

    async def setup_checks(self, preferences: Mapping[str, str], *, retract_by: RetractBy) -> Sequence[SetupCheck]:
        """Check how the company is set up, in at most 20 requests, without writing anything. What cannot be read is
        unknown, never a guess."""
        ...

    async def close(self) -> None:
        """Release what the connector holds (HTTP connections)."""
        ...


class ConnectorFactory(Protocol):
    """Makes a connector. Each ERP folder has one, registered in `erp/registry.py`."""

    def __call__(self, settings: ConnectionSettings, credentials: Credentials, storage: Storage) -> ErpConnector: ...


Role = TypeVar("Role")


def offered(role: Role | None, what: str) -> Role:
    """Return a connector's role; `what` names it in the plural, for the error text.

    Raises:
        Rejected: the ERP does not have this role.
    """
    if role is None:
        raise Rejected(f"This connection has no {what}.", code="NOT_OFFERED", evidence={"needed": what})
    return role
