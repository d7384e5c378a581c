"""Connections: their ERP, their state and their match mode."""

from enum import StrEnum


class Erp(StrEnum):
    """The ERPs a connection can be made to."""

    INTACCT = "intacct"
    NETSUITE = "netsuite"
    QUICKBOOKS_ONLINE = "quickbooks_online"
    QUICKBOOKS_DESKTOP = "quickbooks_desktop"


class ConnectionState(StrEnum):
    """State of a connection."""

    PENDING_AUTHORIZATION = "pending_authorization"
    """Saved, but not signed in to the ERP yet: nothing is known of it except what was entered."""
    NEEDS_PREFERENCES = "needs_preferences"
    READY = "ready"
    AUTHENTICATION_FAILED = "authentication_failed"
    DISABLED = "disabled"


class MatchMode(StrEnum):  # S4-09..11
    """How bills are matched: 2-way compares a bill with the order, 3-way also with what was received."""

    TWO_WAY = "two_way"
    THREE_WAY = "three_way"


class BaseCurrencySource(StrEnum):
    """Who says which currency the ERP's books are kept in."""

    ERP = "erp"
    PERSON = "person"
    """The ERP does not say, and a person did."""
    ASSUMED = "assumed"
    """Nobody has said it yet: it is taken for US dollars."""
