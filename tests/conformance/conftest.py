"""One world per ERP: whoever adds an ERP passes the same suite."""

from collections.abc import AsyncIterator, Mapping

import pytest

from erp.connector import ErpConnector
from tests.conformance.intacct_world import IntacctWorld
from tests.conformance.netsuite_world import NetSuiteWorld
from tests.conformance.world import TRAITS, Sandbox, World

WORLDS: Mapping[str, type[World]] = {world.name: world for world in (IntacctWorld, NetSuiteWorld)}


@pytest.fixture(params=list(WORLDS))
async def world(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[World]:
    kind = WORLDS[request.param]
    for marker in request.node.iter_markers("trait"):
        (trait,) = marker.args
        if trait not in kind.traits:
            pytest.skip(f"not with {kind.name}: {TRAITS[trait]}")
    made = kind(sandbox)
    yield made
    for connector in made.connectors:
        await connector.close()


@pytest.fixture
def connector(world: World) -> ErpConnector:
    return world.connect()
