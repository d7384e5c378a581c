"""Name the sync preference that says whether orders are shown before they are approved (ruling G13)."""

from collections.abc import Mapping

UNAPPROVED_ORDERS = "unapproved_orders"
SHOWN = "shown"
"""Its only value: orders in draft or approval come in, are shown as pending approval, and take no bill."""


def are_shown(preferences: Mapping[str, str]) -> bool:
    """Return whether a connection with these preferences shows orders that are not approved."""
    return preferences.get(UNAPPROVED_ORDERS) == SHOWN
