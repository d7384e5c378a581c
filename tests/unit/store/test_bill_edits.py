"""Which edits of a bill the ERP holds are taken, and what is kept of them until the ERP has them (S1-17, S2-87)."""

import asyncio
from typing import Any

import pytest

from models.domain.ids import BillId
from models.store.payables import bill_edits, payments, pending_edits
from models.store.payables.bill_edits import EditRefused
from tests.harness.tenant import (
    Tenant,
)


async def edit(tenant: Tenant, bill_id: BillId, lines: dict[int, dict[str, Any]] | None = None, **header: Any) -> None:
    async with tenant.database.transaction() as s:
        row = await bill_edits.lock(s, bill_id, tenant.organization_id)
        assert row is not None
        await bill_edits.edit(s, row, header, lines or {}, actor="ada")


@pytest.fixture
async def bill_id(tenant: Tenant) -> BillId:
    bill_id = await tenant.bill_in_erp()
    await tenant.execute("update erp_writes set state = 'confirmed' where subject_id = :id", id=bill_id)
    return bill_id


async def test_an_edit_is_pending_with_what_the_erp_holds(tenant: Tenant, bill_id: BillId) -> None:
    """The first of several edits keeps what the ERP holds; the edition names the last."""
    await edit(tenant, bill_id, memo="one")
    await edit(tenant, bill_id, {1: {"department": "D2", "account": "6100"}})
    row = await tenant.bill_row(bill_id)
    assert (row.edit_pending, row.edition, row.version) == (True, row.version, 3)
    assert row.edit_baseline["memo"] == ""
    assert row.edit_baseline["lines"]["1"]["department"] is None
    assert {"memo", "line 1 department"} <= set(row.edit_baseline["touched"])
    async with tenant.database.transaction() as s:
        sent = await pending_edits.load_for_push(s, bill_id)
    assert sent is not None
    assert (sent.outgoing.bill.edited, sent.outgoing.bill.lines[0].edited) == ({"memo"}, {"department"})


async def test_what_changes_nothing_there_is_not_pending(tenant: Tenant, bill_id: BillId) -> None:
    """S1-17: a GL account is ours alone; the same value again is no edit."""
    await edit(tenant, bill_id, {1: {"account": "6100", "department": None}}, memo="")
    row = await tenant.bill_row(bill_id)
    assert (row.version, row.edit_pending, row.edit_baseline) == (2, False, None)
    async with tenant.database.transaction() as s:
        assert await pending_edits.load_for_push(s, bill_id) is None
        assert await pending_edits.waiting(s, tenant.connection_id) == []


@pytest.mark.parametrize("status", ["sync_issue", "link_missing"])
async def test_a_bill_behind_an_issue_is_settled_first(tenant: Tenant, bill_id: BillId, status: str) -> None:
    """What it was pushed with is still compared with what the ERP holds."""
    await tenant.execute("update bills set status = :status where id = :id", status=status, id=bill_id)
    with pytest.raises(EditRefused) as refused:
        await edit(tenant, bill_id, memo="x")
    assert refused.value.code == "EDIT_IN_ERP"
    assert "sync issue" in refused.value.message


async def test_an_edit_and_a_payment_at_once_do_not_cross(tenant: Tenant, bill_id: BillId) -> None:
    """B10: either the payment sees the edit and waits for it, or the edit sees the payment and is refused."""

    day = (await tenant.bill_row(bill_id)).bill_date

    async def pay() -> int:
        async with tenant.database.transaction() as s:
            bill = await payments.lock_bill(s, bill_id)
            assert bill is not None
            await asyncio.sleep(0.05)
            await payments.create(
                s,
                payments.payment_id_for(tenant.organization_id, "k", bill.number),
                bill_id,
                bill,
                amount=bill.total,
                pay_on=day,
                method="EFT",
                bank_account="BOA",
                actor="ada",
            )
            return bill.edition

    async def change() -> str:
        try:
            await edit(tenant, bill_id, memo="x")
        except EditRefused as error:
            return error.code
        return "edited"

    edition, done = await asyncio.gather(pay(), change())
    assert done == ("edited" if edition else "BILL_HAS_PAYMENTS")


async def test_an_edit_is_waiting_for_its_own_connection_only(
    tenant: Tenant, other_tenant: Tenant, bill_id: BillId
) -> None:
    await edit(tenant, bill_id, memo="x")
    async with tenant.database.transaction() as s:
        assert [edit.bill_id for edit in await pending_edits.waiting(s, tenant.connection_id)] == [bill_id]
        assert await pending_edits.waiting(s, other_tenant.connection_id) == []
