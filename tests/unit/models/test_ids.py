"""Ids that people read in Temporal's list: a number in them, and a part that makes them unique (issue 10, F10)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract import bill_workflow_id, order_workflow_id, payment_workflow_id, purchase_order_workflow_id
from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, ErpId, OrganizationId, PurchaseOrderId, readable
from models.messages.orders import PurchaseOrderState
from models.store.payables import bills, payments

ORGANIZATION = OrganizationId("org_1")


def test_an_operator_reads_the_number_in_the_id() -> None:
    """F10: `po/intacct-acme-100/7` said nothing."""
    connection = ConnectionId("intacct-acme-100")
    assert purchase_order_workflow_id(connection, ErpId("7"), "PO-1007") == "po/intacct-acme-100/PO-1007/7"
    bill_id = bills.bill_id_for(ORGANIZATION, "key", "INV 2041/a")
    assert re.fullmatch("bill/bill_INV-2041-a_[0-9a-f]{20}", bill_workflow_id(bill_id))
    payment_id = payments.payment_id_for(ORGANIZATION, "key", "INV-2041")
    assert re.fullmatch("payment/pay_INV-2041_[0-9a-f]{20}", payment_workflow_id(payment_id))


@pytest.mark.parametrize(
    ("number", "name"), [("a__b", "a-b"), ("../..", ""), ("№ 7", "7"), ("", ""), ("x" * 99, "x" * 40)]
)
def test_what_stands_in_an_id(number: str, name: str) -> None:
    assert readable(number) == name


@given(number=st.text(max_size=80), other=st.text(max_size=80), key=st.text(max_size=20))
def test_whatever_the_number_is_ids_are_short_plain_and_unique(number: str, other: str, key: str) -> None:
    """The same request makes the same bill; the ERP's key hangs on the request alone, and is as short as it was."""
    bill_id = bills.bill_id_for(ORGANIZATION, key, number)
    assert re.fullmatch(r"[A-Za-z0-9._-]{25,70}", bill_id)
    assert bill_id == bills.bill_id_for(ORGANIZATION, key, number)
    external = bills.external_key_for(bill_id)
    assert re.fullmatch("PSB-[0-9A-F]{16}", external)
    assert external == bills.external_key_for(bills.bill_id_for(ORGANIZATION, key, other))
    assert external != bills.external_key_for(bills.bill_id_for(ORGANIZATION, f"{key}.", number))


def test_ids_of_before_are_found_as_they_were() -> None:
    """Running workflows and written documents keep their names."""
    assert bills.external_key_for(BillId("bill_4282744a087e51a59975")) == "PSB-4282744A087E51A5"
    state = PurchaseOrderState(
        connection_id=ConnectionId("c-1"), erp=Erp.INTACCT, purchase_order_id=PurchaseOrderId("po_1"), erp_id=ErpId("7")
    )
    assert order_workflow_id(state) == "po/c-1/7"
    assert order_workflow_id(state.model_copy(update={"workflow_id": "po/c-1/PO-7/7"})) == "po/c-1/PO-7/7"
