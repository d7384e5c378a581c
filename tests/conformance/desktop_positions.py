"""The positions of the QuickBooks Desktop sandbox's switches in which the suite runs.

Each time: as usual, and with every unkind position at once. In every single position: the way of an order in
tests/unit/erp/quickbooks_desktop/test_in_the_sandbox.py each time, and the whole suite by
`pytest -n 2 tests/conformance -k quickbooks_desktop --quickbooks-switches each`; with `together` in its place, in some
sets of positions that have each of them once.
"""

from collections.abc import Iterator, Mapping

from sandbox.quickbooks_desktop import switches
from sandbox.quickbooks_desktop.switches import SWITCHES

Position = Mapping[str, str | bool | int | float]

NUMBERS: Mapping[str, Position] = {
    "http_timeout_seconds": {"http_timeout_seconds": 20},
    "utc_offset_minutes": {"utc_offset_minutes": 600},
    "message_set_id_limit": {"message_set_id_limit": 23},
}
"""The other position of a switch that is a number."""

LEFT_OUT: Mapping[str, str] = {
    "web_connector_version": "a word that the door only reads",
    "noop_seconds": "the door never asks for a pause",
    "run_every_seconds": "the suite calls by itself",
    "latency_seconds": "no unknown of the real one; the suite's cases about time set it",
}
"""Switches that the suite does not move, each with the reason."""

WITH_PREFERENCES: Mapping[str, Mapping[str, bool]] = {
    "untracked_class=refused": {"IsUsingClassTracking": False},
    "unused_list_query=refused": {"IsUsingClassTracking": False},
}
"""Positions that mean something only in a company of these preferences."""


def single() -> Iterator[tuple[str, Position]]:
    """Every position of every switch that is not its usual one, each with its name."""
    for name, switch in SWITCHES.items():
        if name in LEFT_OUT:
            continue
        if switch.choices:
            for word in switch.choices:
                if word != switch.default:
                    yield f"{name}={word}", {name: word}
        elif isinstance(switch.default, bool):
            yield f"{name}={not switch.default}", {name: not switch.default}
        else:
            yield f"{name}={NUMBERS[name][name]}", NUMBERS[name]


POSITIONS: Mapping[str, Position] = dict(single())
"""By name; the whole suite passes in each."""


def together() -> Iterator[tuple[str, Position]]:
    """Few sets of positions that have each one in one of them: all first other positions at once, and so on."""
    others: dict[str, list[Position]] = {}
    for name, position in single():
        others.setdefault(name.partition("=")[0], []).append(position)
    for number in range(max(map(len, others.values()))):
        yield (
            f"together {number + 1}",
            {name: value for of in others.values() for name, value in of[number % len(of)].items()},
        )


TOGETHER: Mapping[str, Position] = dict(together())
"""By name; the whole suite passes in each."""

UNKIND: Position = switches.UNKIND
"""All unkind positions at once."""
