"""One harness per ERP: whoever adds an ERP passes the same suite."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import pytest
from _pytest.mark.structures import ParameterSet

from erp.connector import ErpConnector
from tests.conformance import desktop_positions, quickbooks_positions
from tests.conformance.erp_harness import (
    ErpHarness,
    Sandbox,
)
from tests.conformance.harnesses import HARNESSES
from tests.conformance.quickbooks_desktop_harness import QuickBooksDesktopHarness, close_doors
from tests.conformance.quickbooks_online_harness import QuickBooksHarness
from tests.conformance.quickbooks_positions import Position
from tests.harness.checked_bodies import Checked, checked_documents

BY_WORD: Mapping[str, Mapping[str, Mapping[str, Position]]] = {
    "quickbooks_online": {
        "unkind": {"unkind": quickbooks_positions.UNKIND},
        "each": quickbooks_positions.POSITIONS,
        "together": {},
    },
    "quickbooks_desktop": {
        "unkind": {"unkind": desktop_positions.UNKIND},
        "each": desktop_positions.POSITIONS,
        "together": desktop_positions.TOGETHER,
    },
}
"""By ERP, word of `--quickbooks-switches` and name."""

ALL: Mapping[str, Mapping[str, Position]] = {
    erp: {name: position for known in words.values() for name, position in known.items()}
    for erp, words in BY_WORD.items()
}
"""By ERP and name."""


def chosen(word: str) -> Sequence[str]:
    """The cases of both, by the word of `--quickbooks-switches`, beside the usual ones."""
    return [f"{erp} {name}" for erp, words in BY_WORD.items() for name in words[word]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case once for every ERP that has the traits it is about: where an ERP lacks one there is no case. The
    cases with a sandbox's switches in other positions are long."""
    if "harness" not in metafunc.fixturenames:
        return
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(1, metafunc.config.getoption("--storm-seeds", default=3) + 1))
    traits = {trait for marker in metafunc.definition.iter_markers("trait") for trait in marker.args}
    harnesses = [name for name, kind in HARNESSES.items() if traits <= kind.traits]
    positions = chosen(metafunc.config.getoption("quickbooks_switches"))
    harnesses += [one for one in positions if one.partition(" ")[0] in harnesses]
    if not harnesses:
        raise ValueError(f"no ERP has all of {', '.join(sorted(traits))} (tests/conformance/erp_harness.py)")
    ways = metafunc.definition.get_closest_marker("ways")
    if ways is None:
        metafunc.parametrize("harness", [_case(name) for name in harnesses], indirect=True)
        return
    both = "kind" in metafunc.fixturenames
    cases = [
        ((name, kind, way) if both else (name, way))
        for name in harnesses
        for kind in (("order", "direct") if both else ("direct",))
        for way in HARNESSES[name.partition(" ")[0]].ways.get(kind, ())
        if not ways.args or way in ways.args
    ]
    if "way" not in metafunc.fixturenames:
        metafunc.parametrize("harness", [_case(name) for name, *_ in cases], indirect=True)
    else:
        names = ["harness", *(["kind"] if both else []), "way"]
        metafunc.parametrize(names, [_case(*case) for case in cases], indirect=["harness"])


def _case(name: str, *others: str) -> ParameterSet:
    position = name.partition(" ")[2]
    return pytest.param(name, *others, marks=[pytest.mark.long] if position else [])


@pytest.fixture(scope="module", autouse=True)
def doors_closed(sandbox_server: Sandbox) -> Iterator[None]:
    """The doors of a module are closed before its database and the sandbox's thread are gone."""
    yield
    close_doors()


@pytest.fixture
def checked() -> Iterator[Checked]:
    """What QuickBooks Desktop is asked and answers, compared with the vendor's schemas."""
    with checked_documents() as created:
        yield created
    assert not created.wrong, created.wrong[0]


@pytest.fixture
async def harness(request: pytest.FixtureRequest, sandbox: Sandbox, checked: Checked) -> AsyncIterator[ErpHarness]:
    name, _, position = request.param.partition(" ")
    kind = HARNESSES[name]
    if kind is QuickBooksDesktopHarness:
        QuickBooksDesktopHarness.database_url = request.getfixturevalue("database_url")
    if kind is QuickBooksHarness and position:
        created: ErpHarness = QuickBooksHarness(sandbox, ALL[name][position])
    elif kind is QuickBooksDesktopHarness:
        preferences = desktop_positions.WITH_PREFERENCES.get(position, {})
        created = QuickBooksDesktopHarness(sandbox, ALL[name].get(position), preferences, checked)
    else:
        created = kind(sandbox)
    yield created
    created.check_books()
    for connector in created.connectors:
        await connector.close()


@pytest.fixture
def connector(harness: ErpHarness) -> ErpConnector:
    return harness.connect()


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many seeds of each cell tests/conformance/test_crashes.py runs, and how many storms test_writing.py sends
    each ERP through, where they are named on the command line."""
    parser.addoption("--crash-seeds", type=int, default=1)
    parser.addoption("--storm-seeds", type=int, default=3)
