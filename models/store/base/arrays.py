"""Write a column of many rows as one text, which PostgreSQL reads as an array.

The driver encodes a list value by value, and asks each whether it is a list itself: of a page with 10,000 lines and a
dozen columns that is most of what a worker does to store it.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal


def columns(alias: str, **types: str) -> str:
    """Return what a statement selects rows from whose columns are parameters of the same names, as `array_text` writes
    them."""
    arrays = ", ".join(f"cast(cast(:{name} as text) as {type_}[])" for name, type_ in types.items())
    return f"unnest({arrays}) as {alias}({', '.join(types)})"


def array_text(values: Sequence[str | date | Decimal | int | None]) -> str:
    """Return the values of one column as the text of a PostgreSQL array."""
    written = ['"' + value + '"' if isinstance(value, str) else _plain(value) for value in values]
    joined = ",".join(written)
    # Most columns hold no character that means something inside of the quotes.
    if joined.count('"') != 2 * sum(isinstance(value, str) for value in values) or "\\" in joined:
        joined = ",".join(_quoted(value) if isinstance(value, str) else _plain(value) for value in values)
    return "{" + joined + "}"


def _plain(value: date | Decimal | int | None) -> str:
    return "NULL" if value is None else str(value)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
