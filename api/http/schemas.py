"""Define types and models that the bodies of several resources share."""

import re
import unicodedata
from collections.abc import Callable
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
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from api.http.output import Output
from matching.kernel.exact import rounded
from models.domain.currencies import DECIMALS
from models.store.base.pages import Listing

T = TypeVar("T")
Row = TypeVar("Row")
Shape = TypeVar("Shape", bound=BaseModel)
D = TypeVar("D", bound=date)

MOST_UNKNOWN_FIELDS = 20
"""How many unknown fields of one object are named one by one."""


class Input(BaseModel):
    """A request body. Unknown fields are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _is_an_object(cls, value: Any) -> Any:
        # The framework reads an object's attributes too, and a decimal, as numbers come in, has some.
        if not isinstance(value, dict | cls):
            raise PydanticCustomError("model_type", "It is a JSON object.")
        unknown = len(value) - len(cls.model_fields) if isinstance(value, dict) else 0
        if unknown > MOST_UNKNOWN_FIELDS:  # each of them would be an error of its own
            raise PydanticCustomError(
                "too_many_fields", "At least {unknown} fields do not exist.", {"unknown": unknown}
            )
        return value


CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.", examples=["USD"])]

Exact = Annotated[Decimal, PlainSerializer(lambda value: format(value, "f"), return_type=str)]
"""An exact decimal. It is text in answers, so that no client turns it into a float by accident."""

Money = Annotated[Decimal, PlainSerializer(lambda value: format(rounded(value, DECIMALS), "f"), return_type=str)]
"""Money in answers, with the decimals of its currency. Only currencies with two come in so far."""


def _documented(places: int, example: str, *, negative: bool = True, zero: bool = True) -> WithJsonSchema:
    """Return the schema of an exact decimal in a request: text, or a JSON number, which is read exactly too."""
    lowest = -(10**15) if negative else 0 if zero else 1
    digits = _digits(places, negative=negative)
    text = {"type": "string", "pattern": digits if zero else digits.replace("^", "^(?=.*[1-9])", 1)}
    number = {"type": "integer", "minimum": lowest, "maximum": 10**15}
    return WithJsonSchema({"anyOf": [text, number], "examples": [example]}, mode="validation")


def _digits(places: int, *, negative: bool = True) -> str:
    return f"^{'-?' if negative else ''}[0-9]{{1,16}}(\\.[0-9]{{1,{places}}})?$"


def _written_out(places: int) -> BeforeValidator:
    # Python reads 1_000 and other alphabets' digits as numbers; nobody who sends them means what comes of it.
    pattern = re.compile(_digits(places))

    def check(value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, str) and not pattern.fullmatch(value)):
            raise ValueError(f"write it with the digits 0 to 9, and at most {places} of them after the point")
        return value

    return BeforeValidator(check)


Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=2), _written_out(2), _documented(2, "125.00")]
"""Money in a request, with at most two decimals."""
UnsignedAmount = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=2, ge=0),
    _written_out(2),
    _documented(2, "50.00", negative=False),
]
"""Money that is never below zero: a tax, a charge, a discount."""
PositiveAmount = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=2, gt=0),
    _written_out(2),
    _documented(2, "50.00", negative=False, zero=False),
]
"""Money above zero."""
Quantity = Annotated[Decimal, Field(max_digits=26, decimal_places=10), _written_out(10), _documented(10, "4")]
PositiveQuantity = Annotated[
    Decimal,
    Field(max_digits=26, decimal_places=10, gt=0),
    _written_out(10),
    _documented(10, "4", negative=False, zero=False),
]
Price = Annotated[Decimal, Field(max_digits=26, decimal_places=10), _written_out(10), _documented(10, "31.25")]
"""A price per unit; below zero if a line takes money off: a rebate."""


Whole = Annotated[int, Field(strict=True)]
"""A whole number in a body; text and true are refused."""
Switch = Annotated[bool, Field(strict=True)]
"""true or false in a body; nothing else is read as one of them."""

LIMIT_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": "^([0-9]{1,16}(\\.[0-9]{1,8})?|unlimited)$"},
        {"type": "integer", "minimum": 0, "maximum": 10**15},
    ]
}
"""Schema of a limit: a number of zero or more, or `unlimited`."""


def _iso_day(value: Any) -> Any:
    # A bare number would be read as seconds since 1970, which nobody means.
    if isinstance(value, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return value
    raise ValueError("write it as ISO 8601 text, e.g. 2026-11-20")


def _iso_instant(value: Any) -> Any:
    if isinstance(value, str) and re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", value):
        return value
    raise ValueError("write it as ISO 8601 text, e.g. 2026-11-20T09:30:00Z")


def _countable(day: D) -> D:
    """Refuse a day too near the calendar's ends: we count days from it, for terms and for the week in which two bills
    may be duplicates, and an instant's offset may lie beyond the end.

    Raises:
        ValueError: the day is before 1000-01-01 or after 8999-12-31.
    """
    if not 1000 <= day.year <= 8999:
        raise ValueError("give a day from 1000-01-01 to 8999-12-31")
    return day


Day = Annotated[
    date,
    BeforeValidator(_iso_day),
    AfterValidator(_countable),
    WithJsonSchema(
        {"type": "string", "format": "date", "pattern": "^[1-8][0-9]{3}-", "examples": ["2026-11-20"]},
        mode="validation",
    ),
]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_iso_instant),
    AfterValidator(_countable),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": "^[1-8][0-9]{3}-"}, mode="validation"),
]

_CONTROL = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff"
"""Control characters, Unicode's two line ends, and what XML cannot carry: the ERPs drop, refuse or change them."""
_CONTROL_IN_TEXT = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff"
"""The same without tab, line feed and carriage return, which a text of several lines may have."""
_TURNS_AROUND = r"\u202a-\u202e\u2066-\u2069"
"""Characters that turn the direction of the text after them around, so that it reads as something else."""
_INVISIBLE = (
    r"\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    r"\ufff9-\ufffb"
)
"""Format characters: two codes that differ only by one look the same."""
_CONTROL += _TURNS_AROUND
_CONTROL_IN_TEXT += _TURNS_AROUND
_CONTROL_IN_CODE = _CONTROL + _INVISIBLE
ONE_LINE = f"^[^{_CONTROL}]*$"
CODE = f"^[^{_CONTROL_IN_CODE}]*$"
WRITTEN_CODE = rf"^[^{_CONTROL_IN_CODE}]*[^\s{_CONTROL_IN_CODE}][^{_CONTROL_IN_CODE}]*$"
"""Patterns of one line that people compare by eye, and of one that is not blank."""
WRITTEN = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"
"""Pattern of one line that is not blank; surrounding blanks are removed first."""
AS_IT_IS = rf"^([^\s{_CONTROL}]([^{_CONTROL}]*[^\s{_CONTROL}])?)?$"
"""Pattern of one line without surrounding blanks."""
CODE_AS_IT_IS = rf"^([^\s{_CONTROL_IN_CODE}]([^{_CONTROL_IN_CODE}]*[^\s{_CONTROL_IN_CODE}])?)?$"
LINES = f"^[^{_CONTROL_IN_TEXT}]*$"
WRITTEN_LINES = rf"^[^{_CONTROL_IN_TEXT}]*[^\s{_CONTROL_IN_TEXT}][^{_CONTROL_IN_TEXT}]*$"


def _without(refused: str) -> Callable[[Any], Any]:
    """Return a validator that refuses these characters, a class of a pattern, by name."""

    def clean(value: Any) -> Any:
        if not isinstance(value, str) or not (odd := re.search(f"[{refused}]", value)):
            return value
        code = f"U+{ord(odd[0]):04X}"
        if unicodedata.category(odd[0]) == "Cf":
            raise PydanticCustomError(
                "invisible_character",
                "It holds the invisible character {code}, with which it reads as something else than it is.",
                {"code": code},
            )
        raise PydanticCustomError(
            "control_character", "It holds the control character {code}, which no ERP keeps as it is.", {"code": code}
        )

    return clean


TRIMMED = "x-trimmed"


class _Trimmed:
    """Marks the schema of a text whose surrounding blanks are removed; the document then says so."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shown = handler(schema)
        shown[TRIMMED] = True
        return shown


class _Closed:
    """Marks the schema of a mapping whose names all follow the pattern of a name."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "additionalProperties": False}


def one_form(text: str) -> str:
    """Return a text as it is stored: each line ends in one line feed, and surrounding blanks are removed."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


ONE_LINE_RULES = (BeforeValidator(_without(_CONTROL)), AfterValidator(str.strip), _Trimmed())
CODE_RULES = (BeforeValidator(_without(_CONTROL_IN_CODE)), AfterValidator(str.strip), _Trimmed())
LINES_RULES = (BeforeValidator(_without(_CONTROL_IN_TEXT)), AfterValidator(one_form), _Trimmed())

Text = Annotated[str, Field(max_length=1000, pattern=LINES, examples=["As agreed by mail"]), *LINES_RULES]
"""A text of one or several lines: a memo, a description, a reason."""
Reason = Annotated[str, Field(min_length=1, max_length=1000, pattern=WRITTEN_LINES), *LINES_RULES]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=WRITTEN, examples=["Acme"]), *ONE_LINE_RULES]
Number = Annotated[str, Field(min_length=1, max_length=45, pattern=WRITTEN_CODE), *CODE_RULES]
"""What a supplier calls an invoice."""
Line = Annotated[str, Field(max_length=1000, pattern=ONE_LINE), *ONE_LINE_RULES]
"""A longer value of one line: a secret, a preference."""
Code = Annotated[str, Field(max_length=100, pattern=CODE, examples=["100"]), *CODE_RULES]
Entity = Annotated[str, Field(min_length=1, max_length=100, pattern=CODE_AS_IT_IS), CODE_RULES[0]]
"""The part of a company to sign in to, as the ERP names it."""
Exactly = Annotated[str, Field(max_length=1000, pattern=AS_IT_IS), ONE_LINE_RULES[0]]
"""A value used exactly as given: a password, the entity to sign in to. Surrounding blanks would be part of it."""
Named = Annotated[str, Field(min_length=1, max_length=100, pattern=WRITTEN_CODE, examples=["100"]), *CODE_RULES]
"""A code that must not be empty."""
OwnFields = Annotated[dict[Named, Code], Field(max_length=20, examples=[{"Promotion": "10021"}]), _Closed()]
"""Values of the company's own dimensions and fields, by the names that the connection has for them."""

Id = Annotated[str, Path(min_length=1, max_length=200)]
Limit = Annotated[int, Query(ge=1, le=200, description="Most items on one page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the previous page.")]
Filter = Annotated[str | None, Query(max_length=200)]


class Page(BaseModel, Generic[T]):
    """One page of a list. `next_cursor` gets the next page; null: this is the last one."""

    items: list[T]
    next_cursor: str | None = None


def page_of(listing: Listing[Row], shown: Callable[[Row], T]) -> Page[T]:
    """Return a page of the store as the API shows it, row by row."""
    return Page(items=[shown(row) for row in listing.items], next_cursor=listing.next_cursor)


def columns_as(shape: type[Shape]) -> Callable[[object], Shape]:
    """Return a function that shows a row as a shape whose fields are all columns of it."""
    return lambda row: shape(**columns(row, shape))


class ConnectionProblem(Output):
    code: str
    message: str


def columns(row: Any, shape: type[BaseModel]) -> dict[str, Any]:
    """Return the row's columns that the shape has, by name."""
    return {name: getattr(row, name) for name in shape.model_fields if hasattr(row, name)}
