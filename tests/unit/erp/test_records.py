"""Records that are made without a second check have every field, also those that came after the connector."""

import pytest

from erp import records
from models.domain.orders import PurchaseOrder, PurchaseOrderHeader, PurchaseOrderLine
from models.domain.record import Record


@pytest.mark.parametrize("model", [PurchaseOrderHeader, PurchaseOrder, PurchaseOrderLine])
def test_what_a_connector_does_not_give_has_its_default(model: type[Record]) -> None:
    needed = {name: "x" for name, field in model.model_fields.items() if field.is_required()}
    record = records.made(model, **needed)
    assert {name: getattr(record, name) for name in model.model_fields} == {
        name: needed[name] if field.is_required() else field.default for name, field in model.model_fields.items()
    }
