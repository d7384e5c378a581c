"""Name what a connection's bills carry of the ERP's accounting: their dimensions, and the day that they post on."""

from enum import StrEnum


class Dimension(StrEnum):
    """What a bill's line may be coded with beside its item or account."""

    DEPARTMENT = "department"
    LOCATION = "location"
    CLASS = "class"
    PROJECT = "project"

    @property
    def field(self) -> str:
        """Return the field of a line that names one."""
        return "class_id" if self is Dimension.CLASS else self.value


class PostingDay(StrEnum):
    """The day that a bill posts on in the general ledger, where nobody gives one."""

    BILL_DATE = "bill_date"
    ENTRY = "entry"
    """The day on which it is entered here, by the company's time zone."""
    OPEN_PERIOD = "open_period"
    """The bill date; where the books are closed through it, the first day after."""
