"""What the XML becomes in memory: references, types with named elements, lists."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Ref(NamedTuple):
    """A reference to a record. Any part may be empty."""

    internal_id: str = ""
    external_id: str = ""
    type: str = ""
    name: str = ""


class Fields(dict[str, Any]):
    """One value of a complex type: its elements by name, in any order; they are written in the schema's."""

    def __init__(
        self, shape: str, values: Mapping[str, Any] | None = None, attributes: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(values or {})
        self.shape = shape
        self.attributes = dict(attributes or {})


class Lines(list[Any]):
    """A sublist. `replace_all` false keeps the stored lines that a write does not name (reference 3.5)."""

    def __init__(self, values: Iterable[Any] = (), *, replace_all: bool = True) -> None:
        super().__init__(values)
        self.replace_all = replace_all
