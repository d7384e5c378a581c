"""Parts that several resources' bodies share."""

from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

T = TypeVar("T")


class Input(BaseModel):
    """A body that comes in: unknown fields are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


Exact = Annotated[Decimal, PlainSerializer(lambda value: format(value, "f"), return_type=str)]
"""An exact decimal; text in answers, so that no client turns it into a float by accident."""

Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=2, examples=["125.00"])]
"""Money that comes in, to the cent."""
Quantity = Annotated[Decimal, Field(max_digits=24, decimal_places=10, examples=["4"])]
Price = Annotated[Decimal, Field(max_digits=24, decimal_places=10, ge=0, examples=["31.25"])]
Text = Annotated[str, Field(max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(max_length=100)]

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
