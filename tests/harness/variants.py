"""Variants of one behaviour: an answer lost in other ways, a sandbox's switch in its other positions.

The first of them is tried by `make test`; the others are longer proofs.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet


def first_of(*variants: Any) -> Sequence[Any]:
    """Return the cases of a test: the first as it is, the others marked `long`. A tuple is a case of several values."""
    first, *others = variants
    return [first, *(long(*(one if isinstance(one, tuple) else (one,))) for one in others)]


def long(*values: Any) -> ParameterSet:
    """Return a case that is a longer proof."""
    return pytest.param(*values, marks=pytest.mark.long)
