"""Check before a push what QuickBooks would refuse, as far as its own preferences say it (reference 3.5)."""

from collections.abc import Mapping, Sequence
from datetime import date

from lxml import etree

from erp.connection import PreferenceProblem
from erp.errors import Rejected
from erp.quickbooks_desktop import bill_edits, faults, fields, wire
from erp.quickbooks_desktop.bill_lines import class_of_order_line, lines_of
from erp.quickbooks_desktop.client import MAY_BE_REFUSED
from erp.quickbooks_desktop.envelope import Answer
from erp.quickbooks_desktop.preferences import CHARGE_PREFIX, KNOWN, REPLACE_ITEM_RECEIPTS
from models.domain.bills import BillToPush, ChargeKind

QUESTION = wire.request("PreferencesQuery", key="preferences")
"""Goes out with every look-up before a bill: a preference can change from one day to the next."""

USING_INVENTORY = ".//PurchasesAndVendorsPreferences/IsUsingInventory"

TRACKS_CLASSES = ".//AccountingPreferences/IsUsingClassTracking"

MAY_WRITE = wire.request(
    "BillMod",
    wire.group("BillMod", wire.part("TxnID", "0-0"), wire.part("EditSequence", "0")),
    key=MAY_BE_REFUSED,
)
"""Asks to change a bill that no company has. QuickBooks says that it does not find it, or, to an application that may
only read, that it may only read: nothing else tells that before a write."""


def must_be_open(seen: Answer, *, what: str, day: date) -> None:
    """Check what of this day is to be written against the company's preferences, and that we may write at all.

    Raises:
        Rejected: APPLICATION_READ_ONLY, PERIOD_CLOSED, FEATURE_OFF.
    """
    may_write = seen.named("BillMod")
    if may_write is not None and may_write.status == faults.READ_ONLY:
        raise Rejected(
            "QuickBooks lets this application only read.", code="APPLICATION_READ_ONLY", erp_code=str(may_write.status)
        )
    closing = closed_through(seen)
    if closing is not None and day <= closing:
        raise Rejected(
            f"The books are closed through {closing}; the {what} is of {day}.",
            code="PERIOD_CLOSED",
            evidence={"closed_through": closing.isoformat(), f"{what}_date": day.isoformat()},
        )
    preferences = seen.named("PreferencesQuery")
    using = None if preferences is None else wire.text(preferences.element, USING_INVENTORY)
    if what == "bill" and using is not None and using.lower() == "false":
        raise Rejected(
            "Inventory and purchase orders are switched off in this company.",
            code="FEATURE_OFF",
            evidence={"preference": "IsUsingInventory"},
        )


def with_classes_taken(bill: BillToPush, orders: Mapping[str, etree._Element], seen: Answer) -> BillToPush:
    """Return the bill as it goes out: in a company that tracks no classes without those of its orders' lines, which
    QuickBooks takes by itself or not at all.

    Raises:
        Rejected: FEATURE_OFF, a line has a class that its order's line has not.
    """
    preferences = seen.named("PreferencesQuery")
    tracks = None if preferences is None else wire.text(preferences.element, TRACKS_CLASSES)
    if tracks is None or tracks.lower() != "false":
        return bill
    for line in lines_of(bill):
        if line.first.class_id not in (None, "", class_of_order_line(line, orders)):
            raise Rejected(
                f"Line {line.first.line_no} has a class, and this company tracks none.",
                code="FEATURE_OFF",
                evidence={"preference": "IsUsingClassTracking", "line": str(line.first.line_no)},
            )
    without = tuple(line.model_copy(update={"class_id": None}) for line in bill.lines)
    return bill.model_copy(update={"lines": without})


def closed_through(seen: Answer) -> date | None:
    """Return through which day the books are closed; None: they are not."""
    response = seen.named("PreferencesQuery")
    return None if response is None else fields.day(response.element, ".//AccountingPreferences/ClosingDate")


def keeps_bills_apart(seen: Answer) -> bool:
    """Return whether the company keeps receipts and bills of an order apart: it has switched on enhanced receiving."""
    response = seen.named("PreferencesQuery")
    path = ".//ItemsAndInventoryPreferences/EnhancedInventoryReceivingEnabled"
    return response is not None and wire.flag(response.element, path)


def must_be_writable(bill: BillToPush) -> None:
    """Check the texts of a bill: QuickBooks keeps them as they are, or it is told before anything is sent.

    Raises:
        Rejected: TEXT_NOT_TAKEN, TEXT_TOO_LONG.
    """
    wire.must_be_writable("the invoice number", bill.number)
    wire.must_be_writable("the memo", wire.marked(bill_edits.whole_memo(bill), bill.external_key))
    texts = [(f"the description of line {line.first.line_no}", line.description) for line in lines_of(bill)]
    texts += [(f"the description of {charge.kind}", charge.description) for charge in bill.charges]
    for what, text in texts:
        wire.must_be_writable(what, text)


def check_preferences(given: Mapping[str, str]) -> Sequence[PreferenceProblem]:
    """Return the preferences that do not exist: a misspelt one would silently do nothing. Whether an account exists is
    seen when it is used, as QuickBooks answers later."""
    known = (*KNOWN, *(f"{CHARGE_PREFIX}{kind}" for kind in ChargeKind))
    replace = given.get(REPLACE_ITEM_RECEIPTS)
    wrong = [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=REPLACE_ITEM_RECEIPTS,
            message=f"{REPLACE_ITEM_RECEIPTS} is {replace!r}, which is neither true nor false.",
            fix=("Set it to true or false.",),
        )
    ]
    return [*(wrong if replace not in (None, "", "true", "false") else []), *_unknown(given, known)]


def _unknown(given: Mapping[str, str], known: Sequence[str]) -> list[PreferenceProblem]:
    return [
        PreferenceProblem(
            code="PREFERENCE_UNKNOWN",
            preference=name,
            message=f"QuickBooks Desktop connections have no preference {name!r}.",
            fix=(f"Use one of {', '.join(known)}.",),
        )
        for name in given
        if name not in known
    ]
