"""Define the base of the canonical records: immutable, unknown fields refused.

Money and quantities are exact decimals, dates are calendar dates as the ERP shows them, instants are aware UTC.
"""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable record; it refuses unknown fields, so that a misspelt field is noticed and not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")
