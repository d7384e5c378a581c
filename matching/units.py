"""Units of measure: the bill's unit in the order's, exactly (matching rules 3.6, U01..U05)."""

from fractions import Fraction

from pydantic import Field

from models.domain import Record


class UnitFactor(Record):
    """One `unit` is `factor` of the order line's unit: each, on an order in cases of 12, is 1/12.

    From the ERP's unit group, or told once by a person for this vendor and item; the caller chooses which.
    """

    unit: str
    factor: Fraction = Field(gt=0)


def unit_key(unit: str) -> str:
    """Two spellings of one unit have the same key: case and spaces do not count."""
    return " ".join(unit.split()).casefold()
