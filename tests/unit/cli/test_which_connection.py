"""Which connection a command is about, where none is named."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.client.connections import the_connection


class Known:
    """An API that knows these connections."""

    def __init__(self, *connections: tuple[str, str, str]) -> None:
        self._connections = connections

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        assert path == "/v1/connections"
        for identifier, state, company in self._connections:
            yield {"id": identifier, "state": state, "company": company}


READY = ("one", "ready", "ACME")
PENDING = ("new", "pending_authorization", "")
ENDED = ("old", "pending_authorization", "9130350000000000001")


def test_the_only_one_need_not_be_named() -> None:
    assert the_connection(Known(READY), None) == "one"
    assert the_connection(Known(PENDING), None) == "new"
    assert the_connection(Known(READY), "other") == "other"


def test_one_that_no_erp_has_let_in_does_not_count() -> None:
    """Nothing is behind it; one whose authorization ended has bills that wait."""
    assert the_connection(Known(PENDING, READY, PENDING), None) == "one"
    with pytest.raises(typer.BadParameter, match=r"say which one \(one, old\)"):
        the_connection(Known(READY, ENDED), None)


def test_there_is_none_yet() -> None:
    with pytest.raises(typer.BadParameter, match="make one with `posync connect`"):
        the_connection(Known(), None)
