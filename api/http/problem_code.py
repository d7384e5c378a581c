"""Define the shape of a row of the tables of refusals."""

from typing import NamedTuple

CALLER = "caller"
"""The person who wrote the calling program or typed the request."""


class ProblemCode(NamedTuple):
    """One row: HTTP status, short title, who can fix it, and the steps."""

    status: int
    title: str
    who: str
    fix: tuple[str, ...]
