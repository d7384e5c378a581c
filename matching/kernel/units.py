"""Convert units of measure exactly: the bill's unit into the order's."""

from fractions import Fraction

from pydantic import Field

from models.domain.record import Record


class UnitFactor(Record):
    """One `unit` is `factor` of the order line's unit: each, on an order in cases of 12, is 1/12.

    It comes from the ERP's unit group, or a person entered it once for this vendor and item; the caller chooses which.
    """

    unit: str
    item_id: str | None = None
    """The item that it is known for; None: the order line's own."""
    factor: Fraction = Field(gt=0)
