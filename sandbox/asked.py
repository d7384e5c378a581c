"""What came in over HTTP."""

from collections.abc import Mapping
from typing import NamedTuple


class Asked(NamedTuple):
    """One HTTP request; header names in lower case, `base` is the scheme and host that were called."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base: str
