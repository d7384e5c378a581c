"""Name the preferences that say what lines have of the company's own: the same names for every ERP that has it."""

from collections.abc import Mapping

DIMENSION_PREFIX = "dimension."
"""`dimension.Region`: the dimension of the company's own that people call Region."""
FIELD_PREFIX = "custom."
"""`custom.Amortization start`: the field of lines that people call so."""


def line_fields_given(preferences: Mapping[str, object]) -> dict[str, object]:
    """Return those of the preferences that name dimensions and fields of the company's own."""
    prefixes = (DIMENSION_PREFIX, FIELD_PREFIX)
    return {name: value for name, value in preferences.items() if name.startswith(prefixes) and value}
