"""What an ERP can do with a connection: the API refuses what it cannot before anything is saved."""

from models.domain.bills import ChargeKind
from models.domain.connections import MatchMode
from models.domain.list_changes import WritableList
from models.domain.payments import OfferedMethod
from models.domain.record import Record
from models.domain.retractions import RetractBy


class Capabilities(Record):
    """What this ERP offers. The API shows it and refuses everything else with a reason."""

    po_in: bool
    receipt_in: bool
    match_modes: tuple[MatchMode, ...]
    deletions_feed: bool
    """True: the ERP reports deleted records. Otherwise a deletion scan finds them once a day."""
    several_sources_per_bill: bool
    """True: one bill may be converted from several documents."""
    bills_in_parts: bool = False
    """True: a bill over several sources goes out as one document per source. It does where the ERP converts a document
    from one source (`several_sources_per_bill`)."""
    charges: tuple[ChargeKind, ...] = ()
    """Kinds of money beyond its lines that a bill can carry in the ERP. A bill with another kind is refused before it
    is saved."""
    receipts_count_as_billed: bool
    """True: in this ERP a receipt converts the order, so an order line's `billed` includes what was received."""
    bill_in_advance: bool | None = None
    """True: the ERP takes a bill for goods not received yet. None: unknown, or the question does not arise."""
    entities: bool = True
    """False: a company has no entities; all its records have one owner."""
    credits_name_orders: bool = False
    """True: the ERP reports which order lines its vendor credits take back, so that these may be billed again."""
    decimals: int = 10
    """How many decimals of quantities and prices its records keep. A bill with more is refused before it is saved."""
    retract_by: tuple[RetractBy, ...] = ()
    """How a bill on an order can be taken back from the ERP; empty: not from here."""
    retract_direct_by: tuple[RetractBy, ...] = ()
    """As `retract_by`, for bills without an order."""
    adopts_converted_bills: bool = False
    """True: a bill that a person made there of an item receipt, of the same order and number, is taken as the one that
    was to be sent; what differs of it is shown."""
    one_line_per_order_line: bool = False
    """True: lines of a bill for one order line go out as one line, so they have one class and one project."""
    warehouses: bool = False
    """True: lines of bills on orders name a warehouse."""
    line_fields: tuple[str, ...] = ()
    """The names of the company's own dimensions and fields that lines of orders and bills have."""
    longest_number: int | None = None
    """How many characters of a document's number the ERP keeps; None: all that we take."""
    order_upload: bool = False
    """True: it takes orders of the caller's own system, as bills and as purchase orders."""
    bills_explain_billed: bool = False
    """True: what it says is billed of an order is the sum of its bills, so that a difference means something."""
    bills_of_other_vendors: bool = True
    """True: the ERP can link an order to the bill of another vendor than the order's."""
    projects_or_customers: bool = False
    """True: the field of a line that names a project takes a customer too."""
    credits: bool = False
    """True: credits of vendors go out."""
    direct_bills: bool = False
    """True: bills without an order go out."""
    direct_charges: tuple[ChargeKind, ...] = ()
    """As `charges`, for bills without an order."""
    draft_bills: bool = False
    """True: it keeps a bill without an order as a draft until it is approved here."""
    draft_order_bills: bool = False
    """As `draft_bills`, for bills on an order."""
    direct_numbers_without: str = ""
    """Characters that the number of a bill without an order must not contain."""
    account_lines: bool = False
    """True: a bill of an order may have lines that are on no order and name a GL account."""
    account_lines_as_items: bool = False
    """True: such a line goes out as the item that the connection maps to the account."""
    pays_several_bills: bool = False
    """True: one payment may pay several bills of a vendor, also those made in the ERP."""
    payment_methods: tuple[OfferedMethod, ...] = ()
    """The methods that a payment may have; empty: all of them, and each posts at once."""
    longest_payment_reference: int = 45
    """How many characters the number that people give a payment may have."""
    voids_payments: bool = False
    """True: a payment that was made from here can be voided from here."""
    states_in_use: tuple[str, ...] = ()
    """States of orders and receipts, as the ERP shows them, in which a draft is being made of the document there:
    nothing else can be made of it until that is posted or gone."""
    posting_dates: bool = False
    """True: a bill may post on another day than its own date."""
    due_date_needed: bool = False
    """True: the ERP takes no bill that has neither a due date nor a payment term."""
    lists_out: tuple[WritableList, ...] = ()
    """The lists whose entries can be made and changed from here, and which of their fields."""
    lists_have_levels: bool = False
    """True: an entry belongs to one entity or to all of them, and shows which."""
    lists_compared: bool = False
    """True: some lists have no feed of deletions; they are read whole, and what is missing is asked for."""
    lists_scanned: bool = False
    """True: its deletion scan finds list entries, too."""
