"""The sync preferences of a NetSuite connection. None is mandatory; `preflight.py` proves what is set."""

from collections.abc import Mapping
from typing import NamedTuple

from models.domain import ChargeKind

CHARGE_PREFIX = "charge_account."

KNOWN = ("bank_account", "ap_account", "bill_in_advance")


class Preferences(NamedTuple):
    """What the person set. Accounts are named by internal id, number or name."""

    bank_account: str | None
    """What payments are paid from, where the payment itself names none."""
    ap_account: str | None
    """The payable account of bills; NetSuite takes the vendor's own where this is not set."""
    bill_in_advance: bool | None
    """Whether the account may bill what was not received (S4-70); None: to be asked of NetSuite."""
    charge_accounts: Mapping[ChargeKind, str]
    """Which account takes the money beyond a bill's lines: `charge_account.freight` = `6010`."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Preferences":
        return cls(
            bank_account=given.get("bank_account") or None,
            ap_account=given.get("ap_account") or None,
            bill_in_advance=yes_or_no(given.get("bill_in_advance", "")),
            charge_accounts={kind: value for kind in ChargeKind if (value := given.get(f"{CHARGE_PREFIX}{kind}"))},
        )


def yes_or_no(value: str) -> bool | None:
    """What a person means by it; None for nothing, or for a word that is neither."""
    return _WORDS.get(value.strip().casefold())


_WORDS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)
