"""Read the sync preferences of a QuickBooks connection. None is mandatory; `preflight.py` checks those that are set."""

from collections.abc import Mapping
from typing import NamedTuple

from models.domain.bills import ChargeKind

CHARGE_PREFIX = "charge_account."

KNOWN = ("bank_account", "default_expense_account", "upload_purchase_orders")


SWITCHES = ("upload_purchase_orders",)
"""Those that are `true` or `false`. Uploads of source orders read them, and the default account (services)."""


class Preferences(NamedTuple):
    """What the person set. Accounts are named by id, number or name."""

    bank_account: str | None
    """The account payments are paid from, if the payment names none."""
    charge_accounts: Mapping[ChargeKind, str]
    """The accounts of money beyond a bill's lines, by kind: `charge_account.freight` = `6010`."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Preferences":
        """Return the preferences from their stored names and values."""
        return cls(
            bank_account=given.get("bank_account") or None,
            charge_accounts={kind: value for kind in ChargeKind if (value := given.get(f"{CHARGE_PREFIX}{kind}"))},
        )
