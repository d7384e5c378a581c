"""Bank and card accounts: where payments are made from."""

from collections.abc import Mapping
from enum import StrEnum


class BankAccountType(StrEnum):
    """What an account is that payments are made from."""

    BANK = "bank"
    CARD = "card"


_CARDS = frozenset({"creditcard"})


def type_of(attributes: Mapping[str, str]) -> BankAccountType:
    """Return the type of a bank account of the lists: each ERP has its own word for a card."""
    said = attributes.get("account_type", "").casefold().replace(" ", "").replace("_", "")
    return BankAccountType.CARD if said in _CARDS else BankAccountType.BANK
