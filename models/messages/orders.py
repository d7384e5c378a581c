"""Inputs and results of an order's workflow.

Messages are small and additive: a field is never renamed or removed while a workflow that saw it may be open, and new
fields come with a default. Documents stay in the mirror; messages carry ids, statuses and decisions.
"""

from decimal import Decimal

from pydantic import BaseModel

from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, ErpId, PurchaseOrderId, SyncIssueId
from models.domain.orders import PoStatus
from models.domain.waits_for import WaitsFor
from models.messages.bills import BillMatched
from models.messages.issues import SettleIssue


class OrderFacts(BaseModel):
    """What an order's workflow knows of its order; the rest is in the mirror. Quantities are summed over the lines."""

    number: str
    vendor: str
    erp_status: str
    status: PoStatus
    content_hash: str = ""
    revision: str = ""
    """The ERP's own version of the order; it may have moved although nothing that is kept here did."""
    snapshot: int = 0
    ordered: Decimal = Decimal(0)
    billed: Decimal = Decimal(0)
    pending: Decimal = Decimal(0)
    """P summed over the lines; 0 means that the ERP shows all our bills."""
    our_bills: bool = False
    """Whether the order has a bill of ours that is not abandoned or deleted; only then does a change need a rematch."""
    terms: str = ""
    """A digest of what bills are matched against: what is ordered and received, at which price, and whether that is
    open. It leaves out what is billed, so that our own bills do not change it."""
    total: str = ""
    """The order's total; the list of workflows shows it as it was when its workflow began."""
    reread: bool = False
    """A sync left figures out while a bill of ours was on its way, and none is any more: the order is read again."""


class OpenBill(BaseModel):
    """One of our bills as its order's workflow sees it."""

    bill_id: BillId
    number: str
    total: str
    status: BillStatus = BillStatus.PENDING_PUSH
    started: bool = False
    has_workflow: bool = False
    """It was taken back from the ERP and is made anew by the workflow that it has: the order starts none."""
    confirmed: bool = False
    """The ERP's own billed quantity shows the bill: the double sync is done."""
    needs: list[str] = []
    because: list[str] = []
    version: int = 0


class PurchaseOrderState(BaseModel):
    """Everything that an order's workflow hands over when it continues as new."""

    connection_id: ConnectionId
    erp: Erp
    purchase_order_id: PurchaseOrderId
    erp_id: ErpId
    facts: OrderFacts | None = None
    bills: list[OpenBill] = []
    finished_bills: int = 0
    shown_waits_for: WaitsFor | None = None
    """What the search attributes say that the workflow waits for; the next run starts with them."""
    refresh_asked: bool = False
    issue: SyncIssueId | None = None
    """The ERP does not show our bills on the order; a person looks into it, or a later reading shows them."""
    issue_code: str | None = None
    issue_message: str = ""
    decision: SettleIssue | None = None
    """The last decision that a person made on an issue; it counts only if it is on the open issue."""
    matched_terms: str = ""
    """The `OrderFacts.terms` that all our bills were matched against."""
    rematch_reason: str = ""
    """Why our bills are to be matched again; empty: they are not."""
    retry_reason: str = ""
    """Why our bills that the ERP refused for lack of the order are to be sent again; empty: they are not."""
    workflow_id: str = ""
    """Its own id; empty in states of before it had the order's number in it."""


class BillAccepted(BaseModel):
    """Message to an order's workflow: a bill was saved, and is to be sent or waits for a person.

    All fields are as of the moment of sending. Safe to receive twice.
    """

    bill_id: BillId
    number: str
    total: str
    status: BillStatus
    version: int
    needs: list[str] = []
    """Codes of the findings a person must acknowledge or release before the bill goes on."""
    because: list[str] = []
    """Texts of those findings, for the operator who reads the workflow."""
    facts: OrderFacts
    terms: str
    """The `OrderFacts.terms` that the bill was matched under."""
    has_workflow: bool = False
    """As on `OpenBill`."""
    same_terms: bool = True
    """Whether all our other bills on the order were matched under these terms too."""


class RematchBills(BaseModel):
    """Match again one order's bills that can still be stopped, because what they are matched against changed."""

    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId
    why: str


class RematchedBills(BaseModel):
    """Result of a rematch."""

    bills: list[BillMatched] = []
    """All bills that are not sent yet, changed or not, so that the next message makes up for a lost one."""
    worse: int = 0
    """How many bills in the ERP would now get a worse match; each has an open issue."""
    refused: list[BillId] = []
    """Bills with lines on this order that the ERP refused, those whose own order is another one among them."""


class BillOnOrder(BaseModel):
    """Ask for a bill's status and whether its order shows it."""

    bill_id: BillId
    purchase_order_id: PurchaseOrderId


class BillPushed(BaseModel):
    """Message to the order's workflow after a push, from the activity that pushed. Safe to receive twice."""

    bill_id: BillId
    status: BillStatus
    confirmed: bool
    facts: OrderFacts | None = None
    number: str = ""
    total: str = ""
    """With a number: a bill of another order that has lines on this one; this order waits until the ERP shows them."""


class RefreshPurchaseOrder(BaseModel):
    """Read one order again; with `until_confirmed`, until the ERP shows these bills (the double sync, S4-65..67)."""

    connection_id: ConnectionId
    purchase_order_id: PurchaseOrderId
    until_confirmed: list[BillId] = []


class RefreshedPurchaseOrder(BaseModel):
    """The order after the refresh, and which of the bills the ERP now shows."""

    facts: OrderFacts
    confirmed: list[BillId] = []


class PurchaseOrderLive(BaseModel):
    """Answer to the purchase order workflow's query."""

    facts: OrderFacts | None = None
    bills: list[OpenBill] = []
    waiting_for: str = ""
