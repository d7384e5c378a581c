"""Check before a push what QuickBooks would refuse, as far as its own preferences say it (reference 3.5)."""

from collections.abc import Mapping, Sequence

from erp.connector import PreferenceProblem
from erp.errors import Rejected
from erp.quickbooks_desktop import fields, wire
from erp.quickbooks_desktop.envelope import Answer
from erp.quickbooks_desktop.preferences import CHARGE_PREFIX, KNOWN
from models.domain.bills import BillToPush, ChargeKind

QUESTION = wire.request("PreferencesQuery", key="preferences")
"""Goes out with every look-up before a bill: a preference can change from one day to the next."""


def must_be_open(bill: BillToPush, seen: Answer) -> None:
    """Check a bill against the company's preferences.

    Raises:
        Rejected: PERIOD_CLOSED, FEATURE_OFF.
    """
    response = seen.named("PreferencesQuery")
    if response is None:
        return
    closing = fields.day(response.element, ".//AccountingPreferences/ClosingDate")
    if closing is not None and bill.bill_date <= closing:
        raise Rejected(
            f"The books are closed through {closing}; the bill is of {bill.bill_date}.",
            code="PERIOD_CLOSED",
            evidence={"closed_through": closing.isoformat(), "bill_date": bill.bill_date.isoformat()},
        )
    using = wire.text(response.element, ".//PurchasesAndVendorsPreferences/IsUsingInventory")
    if using is not None and using.lower() == "false":
        raise Rejected(
            "Inventory and purchase orders are switched off in this company.",
            code="FEATURE_OFF",
            evidence={"preference": "IsUsingInventory"},
        )


def keeps_bills_apart(seen: Answer) -> bool:
    """Return whether the company keeps receipts and bills of an order apart: it has switched on enhanced receiving."""
    response = seen.named("PreferencesQuery")
    path = ".//ItemsAndInventoryPreferences/EnhancedInventoryReceivingEnabled"
    return response is not None and wire.flag(response.element, path)


def must_be_writable(bill: BillToPush) -> None:
    """Check the texts of a bill.

    Raises:
        Rejected: TEXT_NOT_TAKEN.
    """
    texts = [("the invoice number", bill.number), ("the memo", bill.memo)]
    texts += [(f"the description of line {line.line_no}", line.description) for line in bill.lines]
    texts += [(f"the description of {charge.kind}", charge.description) for charge in bill.charges]
    for what, text in texts:
        wire.must_be_writable(what, text)


def check_preferences(given: Mapping[str, str]) -> Sequence[PreferenceProblem]:
    """Return the preferences that do not exist: a misspelt one would silently do nothing. Whether an account exists is
    seen when it is used, as QuickBooks answers later."""
    known = (*KNOWN, *(f"{CHARGE_PREFIX}{kind}" for kind in ChargeKind))
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
