"""A request that is refused for what holds in our own database; `api/http` makes a problem of it."""

from collections.abc import Sequence


class Refused(Exception):
    """What was asked for cannot be done. Nothing of it was stored."""

    def __init__(self, code: str, detail: str, fix: Sequence[str] | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        """One of `api/http/problem_codes.py`."""
        self.detail = detail
        self.fix = fix
        """None: the steps that go with the code."""
