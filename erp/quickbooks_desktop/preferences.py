"""Read the sync preferences of a QuickBooks Desktop connection. None is mandatory."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from erp.quickbooks_desktop import wire
from erp.quickbooks_desktop.wire import Part
from models.domain.bills import ChargeKind

CHARGE_PREFIX = "charge_account."

REPLACE_ITEM_RECEIPTS = "replace_item_receipts"

KNOWN = ("bank_account", "payable_account", REPLACE_ITEM_RECEIPTS)

_LIST_ID = re.compile(r"[0-9A-F]{1,8}-\d{1,12}")


class Preferences(NamedTuple):
    """What the person set. Accounts are named by id or by their full name, as in QuickBooks: `Freight:Inbound`."""

    bank_account: str | None
    """The account payments are paid from, if the payment names none."""
    payable_account: str | None
    """The accounts payable account of bills; None: QuickBooks takes its own."""
    replace_item_receipts: bool
    """Whether a bill takes the place of item receipts that hold its goods; they are deleted."""
    charge_accounts: Mapping[ChargeKind, str]
    """The accounts of money beyond a bill's lines, by kind."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Preferences":
        """Return the preferences from their stored names and values."""
        return cls(
            bank_account=given.get("bank_account") or None,
            payable_account=given.get("payable_account") or None,
            replace_item_receipts=given.get(REPLACE_ITEM_RECEIPTS) == "true",
            charge_accounts={kind: value for kind in ChargeKind if (value := given.get(f"{CHARGE_PREFIX}{kind}"))},
        )


def account(name: str, account_named: str | None) -> Part | None:
    """Return a reference to an account that a person named by id or by full name."""
    if account_named is None:
        return None
    by = "ListID" if is_list_id(account_named) else "FullName"
    return wire.group(name, wire.part(by, account_named))


def is_list_id(account_named: str) -> bool:
    """Return whether a person named an account by its id."""
    return _LIST_ID.fullmatch(account_named) is not None
