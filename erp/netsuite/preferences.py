"""Read the sync preferences of a NetSuite connection. None is mandatory; `preflight.py` checks those that are set."""

from collections.abc import Mapping
from typing import NamedTuple

from erp.netsuite.own_fields import OwnFields, own_fields
from models.domain.account_lines import EXPENSE_ACCOUNT
from models.domain.bills import ChargeKind
from models.domain.unapproved_orders import UNAPPROVED_ORDERS, are_shown

CHARGE_PREFIX = "charge_account."

KNOWN = ("bank_account", "ap_account", "bill_in_advance", EXPENSE_ACCOUNT, UNAPPROVED_ORDERS)


class Preferences(NamedTuple):
    """What the person set. Accounts are named by internal id, number or name."""

    bank_account: str | None
    """The account payments are paid from, if the payment names none."""
    ap_account: str | None
    """The payable account of bills; if it is not set, NetSuite takes the vendor's own."""
    bill_in_advance: bool | None
    """True: the account may bill what was not received. None: NetSuite has to be asked."""
    shows_unapproved: bool
    """`unapproved_orders` = `shown`: orders in approval come in, and take no bill."""
    charge_accounts: Mapping[ChargeKind, str]
    """The accounts of money beyond a bill's lines, by kind: `charge_account.freight` = `6010`."""
    line_fields: OwnFields
    """What lines have of the company's own, by our names: `dimension.Region` = `cseg_region`, `custom.Amortization
    start` = `amortizStartDate`."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Preferences":
        """Return the preferences from their stored names and values."""
        return cls(
            bank_account=given.get("bank_account") or None,
            ap_account=given.get("ap_account") or None,
            bill_in_advance=yes_or_no(given.get("bill_in_advance", "")),
            shows_unapproved=are_shown(given),
            charge_accounts={kind: value for kind in ChargeKind if (value := given.get(f"{CHARGE_PREFIX}{kind}"))},
            line_fields=own_fields(given),
        )


def yes_or_no(value: str) -> bool | None:
    """Return what a person means by a value; None: it is empty, or neither yes nor no."""
    return _WORDS.get(value.strip().casefold())


_WORDS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)
