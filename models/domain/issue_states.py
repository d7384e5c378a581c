"""Sync issues: their states, their subjects, and the decisions a person can make on them."""

from enum import StrEnum


class IssueState(StrEnum):
    """The state of a sync issue."""

    OPEN = "open"
    RESOLVED = "resolved"
    ABANDONED = "abandoned"


class IssueDecision(StrEnum):
    """A person's decision on a sync issue: retry (with what was corrected meanwhile), or abandon the write."""

    RETRY = "retry"
    ABANDON = "abandon"


class IssueSubject(StrEnum):
    """Kind of record that a workflow opens a sync issue for."""

    CONNECTION = "connection"
    PURCHASE_ORDER = "purchase_order"
    BILL = "bill"
    PAYMENT = "payment"
    SOURCE_ORDER = "source_order"
    LIST_CHANGE = "list_change"
