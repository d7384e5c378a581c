"""The suite runs for every ERP that can be connected."""

from erp.registry import CONNECTORS, SIGNING_IN
from tests.conformance.conftest import WORLDS
from tests.conformance.world import TRAITS


def test_every_erp_has_a_world() -> None:
    """An ERP is registered only with the suite passed."""
    assert WORLDS.keys() == {erp.value for erp in CONNECTORS} == {erp.value for erp in SIGNING_IN}
    for erp, factory in CONNECTORS.items():
        assert WORLDS[erp.value].factory is factory
        assert WORLDS[erp.value].traits <= TRAITS.keys()
