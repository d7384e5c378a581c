"""The suite runs for every ERP that can be connected."""

from erp.connector import ErpConnector
from erp.registry import CREDENTIALS_SPECS, connectors
from tests.conformance.erp_harness import (
    TRAITS,
    ErpHarness,
)
from tests.conformance.harnesses import HARNESSES


def test_every_erp_has_a_harness() -> None:
    """An ERP is registered only with the suite passed."""
    assert HARNESSES.keys() == {erp.value for erp in connectors()} == {erp.value for erp in CREDENTIALS_SPECS}
    for harness in HARNESSES.values():
        assert harness.traits <= TRAITS.keys()


def test_an_erp_has_the_cases_of_what_it_claims(connector: ErpConnector, harness: ErpHarness) -> None:
    """A trait that is also a capability: none is left out of the suite by a word that is missing there."""
    words = ("credits", "direct_bills")
    assert {name for name in words if getattr(connector.capabilities, name)} == harness.traits & set(words)
    ways = {"order": connector.capabilities.retract_by, "direct": connector.capabilities.retract_direct_by}
    offered = {kind: set(of_kind) for kind, of_kind in ways.items() if of_kind}
    assert offered == {kind: set(of_kind) for kind, of_kind in harness.ways.items()}
