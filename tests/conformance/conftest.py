"""One world per ERP of the registry: whoever adds an ERP passes the same suite."""

from collections.abc import AsyncIterator

import pytest

from erp.connector import ErpConnector
from erp.registry import CONNECTORS
from models.domain import Erp
from tests.conformance.world import WORLDS, Sandbox, World


@pytest.fixture(params=[erp.value for erp in CONNECTORS])
async def world(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[World]:
    made = WORLDS[Erp(request.param)](sandbox)
    yield made
    for connector in made.connectors:
        await connector.close()


@pytest.fixture
def connector(world: World) -> ErpConnector:
    return world.connect()
