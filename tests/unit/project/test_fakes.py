"""The fakes of these tests take the calls that the real ones take: same names, same parameters, same types."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import pytest
from temporalio.client import Client, ScheduleHandle, WorkflowHandle

from erp import connection, connector, sign_in, storage
from erp.roles.bills import Bills, Retractions
from erp.roles.changes import Changes, Lists
from erp.roles.orders import PurchaseOrders, Receipts
from erp.roles.payments import Payments
from temporal_gateway.notifier import WorkflowNotifier
from tests.fakes import fake_connector
from tests.fakes.fake_connector import FakeConnector
from tests.fakes.fake_erp import FakeErp
from tests.fakes.fake_notifier import FakeNotifier
from tests.fakes.fake_temporal import FakeHandle, FakeTemporal

ROLES = {
    PurchaseOrders: fake_connector.FakeOrders,
    Receipts: fake_connector.FakeReceipts,
    Bills: fake_connector.FakeBills,
    Retractions: fake_connector.FakeRetractions,
    Payments: fake_connector.FakePayments,
    Lists: fake_connector.FakeLists,
    Changes: fake_connector.FakeChanges,
    connector.ErpConnector: FakeConnector,
    WorkflowNotifier: FakeNotifier,
}

ASKED_BY_TESTS = {"delivered", "forget_first_sync", "has_delivered", "rematch", "check_health"}
"""The last is the service client's, which the fake is as well."""


def methods(kind: type) -> dict[str, Callable[..., Any]]:
    """A class's own public methods."""
    return {name: member for name, member in vars(kind).items() if inspect.isfunction(member) and name[0] != "_"}


def shape(method: Callable[..., Any]) -> tuple[list[tuple[str, Any, Any]], Mapping[str, Any]]:
    """Return what a caller sees: parameters in order with kind and default, and the types of all."""
    parameters = inspect.signature(method).parameters.values()
    return [(one.name, one.kind, one.default) for one in parameters], get_type_hints(method)


@pytest.mark.parametrize(("real", "fake"), ROLES.items(), ids=lambda kind: kind.__name__)
def test_the_fakes_carry_the_names_and_messages_of_the_real_ones(real: type, fake: type) -> None:
    """DESIGN 10: what these tests prove of the activities holds for the connectors and the notifier of the product."""
    assert methods(real)
    assert set(methods(real)) <= set(methods(fake))
    for name, method in methods(real).items():
        assert shape(getattr(fake, name)) == shape(method), name


def test_the_fake_connector_has_every_role() -> None:
    """A role is an attribute, which no signature shows."""
    roles = {name for name, member in vars(connector.ErpConnector).items() if isinstance(member, property)}
    assert len(roles) > 5
    settings = connection.ConnectionSettings(endpoint="https://erp.example")
    created = FakeConnector(FakeErp(), settings, sign_in.Credentials(values={}), storage.Storage(None, None))
    assert [role for role in sorted(roles) if not hasattr(created, role)] == []
    assert created.capabilities == FakeErp().capabilities


@pytest.mark.parametrize(("fake", "real"), [(FakeTemporal, (Client,)), (FakeHandle, (WorkflowHandle, ScheduleHandle))])
def test_the_fake_temporal_takes_only_what_the_client_of_temporal_takes(fake: type, real: tuple[type, ...]) -> None:
    """It knows fewer calls and parameters than the SDK, and none of its own but what tests ask it."""
    for name, method in methods(fake).items():
        if name in ASKED_BY_TESTS:
            continue
        own = inspect.signature(method).parameters.values()
        named = {one.name for one in own if one.kind is not one.VAR_KEYWORD}
        known = [set(inspect.signature(getattr(kind, name)).parameters) for kind in real if hasattr(kind, name)]
        assert any(named <= parameters for parameters in known), name
