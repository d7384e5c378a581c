"""The suite runs for every ERP that can be connected."""

from erp.registry import CREDENTIALS_SPECS, connectors
from tests.conformance.erp_harness import (
    TRAITS,
)
from tests.conformance.harnesses import HARNESSES


def test_every_erp_has_a_harness() -> None:
    """An ERP is registered only with the suite passed."""
    assert HARNESSES.keys() == {erp.value for erp in connectors()} == {erp.value for erp in CREDENTIALS_SPECS}
    for harness in HARNESSES.values():
        assert harness.traits <= TRAITS.keys()
