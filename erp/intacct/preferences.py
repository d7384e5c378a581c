"""The sync preferences of an Intacct connection (S4-62, S5-101); `preflight.py` proves them."""

from collections.abc import Mapping
from typing import NamedTuple

from erp.errors import Rejected
from models.domain import ChargeKind

DIMENSION_PREFIX = "dimension."
SUBTOTAL_PREFIX = "subtotal."
DELETES_PREFERENCE = "deletes"
AUDIT_TRAIL, SWEEP = "audit_trail", "sweep"


class Preferences(NamedTuple):
    """What the person set. Template names are transaction definitions, spelled as in Intacct."""

    po_template: str
    vendor_invoice_template: str
    receiver_template: str | None
    several_sources: bool
    dimensions: Mapping[str, str]
    """Our name of a custom dimension to Intacct's field: `dimension.Better` = `BETTERPROMOTION` (S5-101)."""
    subtotals: Mapping[ChargeKind, str]
    """How the vendor invoice definition calls the subtotal of each kind: `subtotal.freight` = `Freight`."""
    sweeps: bool
    """`deletes` = `sweep`: deletions are not looked for in the audit trail, which may not log Purchasing."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Preferences":
        return cls(
            po_template=given.get("po_template", ""),
            vendor_invoice_template=given.get("vendor_invoice_template", ""),
            receiver_template=given.get("receiver_template") or None,
            several_sources=given.get("several_sources", "").casefold() in ("true", "yes", "1", "on"),
            dimensions={
                name.removeprefix(DIMENSION_PREFIX): f"GLDIM{value.upper()}"
                for name, value in given.items()
                if name.startswith(DIMENSION_PREFIX) and value
            },
            subtotals={kind: value for kind in ChargeKind if (value := given.get(f"{SUBTOTAL_PREFIX}{kind}"))},
            sweeps=given.get(DELETES_PREFERENCE) == SWEEP,
        )

    def needed_po_template(self) -> str:
        return _needed(self.po_template, "po_template", "PO Template Name on Intacct")

    def needed_vendor_invoice_template(self) -> str:
        return _needed(
            self.vendor_invoice_template, "vendor_invoice_template", "PO Vendor Invoice Template Name on Intacct"
        )


def _needed(value: str, preference: str, title: str) -> str:
    if not value:
        raise Rejected(
            f'The sync preference "{title}" is not set.', code="PREFERENCE_MISSING", evidence={"preference": preference}
        )
    return value
