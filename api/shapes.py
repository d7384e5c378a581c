"""Parts that several resources' bodies share."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

T = TypeVar("T")


class Input(BaseModel):
    """A body that comes in: unknown fields are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Exact = Annotated[Decimal, PlainSerializer(lambda value: format(value, "f"), return_type=str)]
"""An exact decimal; text in answers, so that no client turns it into a float by accident."""


def _documented(places: int, example: str, *, negative: bool = True) -> WithJsonSchema:
    """An exact decimal that comes in: text, or a JSON number, which is read exactly too."""
    sign, lowest = ("-?", -(10**15)) if negative else ("", 0)
    text = {"type": "string", "pattern": f"^{sign}[0-9]{{1,16}}(\\.[0-9]{{1,{places}}})?$"}
    number = {"type": "integer", "minimum": lowest, "maximum": 10**15}
    return WithJsonSchema({"anyOf": [text, number], "examples": [example]}, mode="validation")


Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=2), _documented(2, "125.00")]
"""Money that comes in, to the cent."""
UnsignedAmount = Annotated[
    Decimal, Field(max_digits=18, decimal_places=2, ge=0), _documented(2, "50.00", negative=False)
]
"""Money that is never below zero: a tax, a charge, a discount."""
Quantity = Annotated[Decimal, Field(max_digits=26, decimal_places=10), _documented(10, "4")]
LIMIT_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": "^([0-9]{1,16}(\\.[0-9]{1,8})?|unlimited)$"},
        {"type": "integer", "minimum": 0, "maximum": 10**15},
    ]
}
"""Of a number that limits something: zero or more, or `unlimited`."""
Price = Annotated[Decimal, Field(max_digits=26, decimal_places=10, ge=0), _documented(10, "31.25", negative=False)]


def _iso(value: Any) -> Any:
    """Dates are ISO text; a bare number would be read as seconds since 1970, which nobody means."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        return value
    raise ValueError("write it as ISO 8601 text, e.g. 2026-11-20")


def _countable(day: date) -> date:
    """A calendar ends; days are counted on from what comes in: terms, the week in which two bills may be one."""
    if not date(1000, 1, 1) <= day <= date(8999, 12, 31):
        raise ValueError("give a day from 1000-01-01 to 8999-12-31")
    return day


Day = Annotated[
    date,
    BeforeValidator(_iso),
    AfterValidator(_countable),
    WithJsonSchema({"type": "string", "format": "date", "pattern": "^[1-8][0-9]{3}-"}, mode="validation"),
]
Instant = Annotated[AwareDatetime, BeforeValidator(_iso, json_schema_input_type=AwareDatetime)]

STORABLE = r"^[^\u0000]*$"
"""What the database can hold: anything but NUL."""
WRITTEN = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
"""The same, and not blank: blanks around a text are taken off, and nothing must be left of it."""
Text = Annotated[str, Field(max_length=1000, pattern=STORABLE)]
Reason = Annotated[str, Field(min_length=1, max_length=1000, pattern=WRITTEN)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=WRITTEN)]
Code = Annotated[str, Field(max_length=100, pattern=STORABLE)]
Named = Annotated[str, Field(min_length=1, max_length=100, pattern=WRITTEN)]
"""A code that has to be there."""

Id = Annotated[str, Path(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]
Filter = Annotated[str | None, Query(max_length=200)]


class Page(BaseModel, Generic[T]):
    """Some of a list; `next_cursor` gets the next ones, null: these were the last."""

    items: list[T]
    next_cursor: str | None = None


class Trouble(BaseModel):
    code: str
    message: str


def columns(row: Any, shape: type[BaseModel]) -> dict[str, Any]:
    """The columns of a row that a shape shows."""
    return {name: getattr(row, name) for name in shape.model_fields if hasattr(row, name)}
