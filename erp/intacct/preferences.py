"""Read the sync preferences of an Intacct connection; `preflight.py` checks them."""

from collections.abc import Mapping
from typing import NamedTuple

from erp.errors import Rejected
from models.domain.account_lines import ACCOUNT_ITEM, EXPENSE_ACCOUNT
from models.domain.bills import ChargeKind
from models.domain.line_fields import DIMENSION_PREFIX, FIELD_PREFIX
from models.domain.unapproved_orders import UNAPPROVED_ORDERS, are_shown

GLDIM = "GLDIM"
SUBTOTAL_PREFIX = "subtotal."
CHARGE_PREFIX = "charge_account."
ITEM_PREFIX = ACCOUNT_ITEM
KEY_FIELD = "ap_bill_key_field"
APPROVAL_DATE_FIELD = "approval_date_field"
VENDOR_ON_LINES = "vendor_on_lines"
DELETES_PREFERENCE = "deletes"
AUDIT_TRAIL, SCAN = "audit_trail", "sweep"


KNOWN = (
    *("po_template", "vendor_invoice_template", "receiver_template", "return_template", "bank_account"),
    *("several_sources", EXPENSE_ACCOUNT, KEY_FIELD, APPROVAL_DATE_FIELD, VENDOR_ON_LINES, DELETES_PREFERENCE),
    UNAPPROVED_ORDERS,
)
"""Every preference that something reads, beside those that begin with one of `PREFIXES`."""

PREFIXES = (DIMENSION_PREFIX, FIELD_PREFIX, SUBTOTAL_PREFIX, CHARGE_PREFIX, ITEM_PREFIX)


class Preferences(NamedTuple):
    """What the person set. Template names are transaction definitions, spelled as in Intacct."""

    po_template: str
    vendor_invoice_template: str
    receiver_template: str | None
    return_template: str | None
    """The definition of returns to vendors; None: returns are not read."""
    several_sources: bool
    line_fields: Mapping[str, str]
    """Our name of a dimension or field of the company's own to Intacct's field of lines: `dimension.Better` =
    `BETTERPROMOTION` is GLDIMBETTERPROMOTION, `custom.Amortization start` = `AMORT_START` is that field."""
    subtotals: Mapping[ChargeKind, str]
    """What the vendor invoice definition calls the subtotal of each kind: `subtotal.freight` = `Freight`."""
    charge_accounts: Mapping[ChargeKind, str]
    """The accounts of money beyond the lines of a bill without an order: `charge_account.freight` = `7000`."""
    account_items: Mapping[str, str]
    """The item that stands for an account on a vendor invoice, whose lines take items only: `account_item.7000` =
    `FREIGHT-IN`."""
    key_field: str | None
    """The custom field of bills that holds our key: `ap_bill_key_field` = `POSYNC_KEY`; None: the description does."""
    approval_date_field: str | None
    """The custom field of bills and vendor invoices that takes the day of the approval: `approval_date_field` =
    `APPROVED_ON`; None: it is not sent, as Intacct has no field of its own for it."""
    vendor_on_lines: bool | None
    """`vendor_on_lines`: whether the vendor stands on the lines too, for reports by that dimension. None: on those of
    vendor invoices, and not on those of bills without an order."""
    sweeps: bool
    """`deletes` = `sweep`: deletions are not looked for in the audit trail, which may not log Purchasing."""

    shows_unapproved: bool
    """`unapproved_orders` = `shown`: orders in draft or approval come in, and take no bill."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Preferences":
        """Return the preferences from their stored names and values."""
        return cls(
            po_template=given.get("po_template", ""),
            vendor_invoice_template=given.get("vendor_invoice_template", ""),
            receiver_template=given.get("receiver_template") or None,
            return_template=given.get("return_template") or None,
            several_sources=given.get("several_sources", "").casefold() in ("true", "yes", "1", "on"),
            line_fields=line_fields(given),
            subtotals={kind: value for kind in ChargeKind if (value := given.get(f"{SUBTOTAL_PREFIX}{kind}"))},
            charge_accounts={kind: value for kind in ChargeKind if (value := given.get(f"{CHARGE_PREFIX}{kind}"))},
            account_items={
                name.removeprefix(ITEM_PREFIX): value
                for name, value in given.items()
                if name.startswith(ITEM_PREFIX) and value
            },
            key_field=given.get(KEY_FIELD, "").upper() or None,
            approval_date_field=given.get(APPROVAL_DATE_FIELD, "").upper() or None,
            vendor_on_lines={"true": True, "false": False}.get(given.get(VENDOR_ON_LINES, "")),
            sweeps=given.get(DELETES_PREFERENCE) == SCAN,
            shows_unapproved=are_shown(given),
        )

    def needed_po_template(self) -> str:
        """Return the order template.

        Raises:
            Rejected: it is not set.
        """
        return _needed(self.po_template, "po_template", "PO Template Name on Intacct")

    def needed_vendor_invoice_template(self) -> str:
        """Return the vendor invoice template.

        Raises:
            Rejected: it is not set.
        """
        return _needed(
            self.vendor_invoice_template, "vendor_invoice_template", "PO Vendor Invoice Template Name on Intacct"
        )


def line_fields(given: Mapping[str, str]) -> dict[str, str]:
    """Return Intacct's fields of lines that are the company's own, by the names that people have for them."""
    fields: dict[str, str] = {}
    for preference, value in given.items():
        if preference.startswith(DIMENSION_PREFIX) and value:
            fields[preference.removeprefix(DIMENSION_PREFIX)] = GLDIM + value.upper()
        elif preference.startswith(FIELD_PREFIX) and value:
            fields[preference.removeprefix(FIELD_PREFIX)] = value.upper()
    return fields


def _needed(value: str, preference: str, title: str) -> str:
    if not value:
        raise Rejected(
            f'The sync preference "{title}" is not set.', code="PREFERENCE_MISSING", evidence={"preference": preference}
        )
    return value
