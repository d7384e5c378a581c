"""Make records of what a connector has checked itself, without checking it again."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from models.domain.orders import PurchaseOrder, PurchaseOrderHeader
from models.domain.record import Record

R = TypeVar("R", bound=Record)

_set = object.__setattr__


def made(model: type[R], **values: Any) -> R:
    """Return a record of values that were checked here, without checking them again: that second check takes half of a
    sync page's time, and `model_construct` as much. A test compares these records with checked ones, field by field."""
    record = model.__new__(model)
    defaults, names = _fields(model)
    _set(record, "__dict__", {**defaults, **values})
    _set(record, "__pydantic_fields_set__", names)
    _set(record, "__pydantic_extra__", None)
    _set(record, "__pydantic_private__", None)
    return record


def header_of(order: PurchaseOrder) -> PurchaseOrderHeader:
    """Return the header of an order that came whole."""
    values = order.__dict__
    return made(PurchaseOrderHeader, **{name: values[name] for name in _fields(PurchaseOrderHeader)[1]})


@cache
def _fields(model: type[Record]) -> tuple[Mapping[str, Any], set[str]]:
    """Return the defaults of a record, which all are values that never change, and the names of its fields: one set for
    all records of a kind, as pydantic copies it before it changes it."""
    fields = model.model_fields
    return {name: one.default for name, one in fields.items() if not one.is_required()}, set(fields)
