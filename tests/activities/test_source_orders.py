"""Uploads of orders of another system: whatever is lost, one document each; what should run and does not is started."""

import secrets
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from temporalio.exceptions import ApplicationError

from activities.missing_workflows import MissingWorkflows
from activities.source_orders import SourceOrderRecords, SourceOrderUploads
from models.contract import source_order_workflow_id
from models.domain.ids import ExternalKey, SourceOrderId
from models.domain.source_orders import LineToUpload, OrderToUpload, SourceLine, UploadAs, UploadState
from models.messages.source_orders import PushSourceOrder, SourceOrderFailed, SourceOrderState
from models.store.source_orders import orders
from models.store.source_orders.orders import NewSourceOrder
from tests.fakes.fake_erp import WorkerDied
from tests.harness.activity_harness import ActivityHarness


async def uploading(harness: ActivityHarness, reference: str) -> SourceOrderId:
    """An order whose upload was asked for some minutes ago, and whose message was delivered."""
    tenant = harness.tenant
    line = SourceLine(line_no=1, account="6400", amount=Decimal(15))
    new = NewSourceOrder(reference, "Norton", date(2026, 3, 2), "USD", [line])
    async with tenant.database.transaction() as session:
        saved = await orders.save(session, tenant.organization_id, tenant.connection_id, new, actor="Ana")
        outgoing = OrderToUpload(
            external_key=ExternalKey(f"PSS-{secrets.token_hex(4)}"),
            upload_as=UploadAs.BILL,
            vendor_id="56",
            number=reference,
            reference=reference,
            dated=date(2026, 3, 2),
            currency="USD",
            lines=[LineToUpload(line_no=1, account_id="77", amount=Decimal(15))],
        )
        await orders.plan_upload(session, saved.row, outgoing, actor="Ana")
        await session.execute(
            text("update source_orders set changed_at = now() - interval '5 minutes' where id = :id"),
            {"id": saved.row.id},
        )
    return SourceOrderId(saved.row.id)


async def test_an_upload_without_its_workflow_is_started(harness: ActivityHarness) -> None:
    """An operator terminated it: the next sync run starts it, once, and leaves alone what runs."""
    gone, running = await uploading(harness, "SO-1"), await uploading(harness, "SO-2")
    harness.notifier.running.add(source_order_workflow_id(running))
    missing = MissingWorkflows(harness.tenant.database, harness.notifier, harness.tenant.connection_id)
    await missing.start()
    await missing.start()
    started = [state for state in harness.notifier.started if isinstance(state, SourceOrderState)]
    assert [(state.source_order_id, state.ask) for state in started] == [(gone, 1)]


@pytest.mark.parametrize("moment", ["die_after_writing", "lose_answers", "lose_requests"])
async def test_run_again_an_upload_is_one_document(harness: ActivityHarness, moment: str) -> None:
    """DESIGN 5: whatever is lost between the ERP and us, the next attempt looks first and adopts what is there."""
    upload = await uploading(harness, "SO-1")
    uploads = SourceOrderUploads(harness.tenant.database, harness.connections)
    push = PushSourceOrder(connection_id=harness.tenant.connection_id, source_order_id=upload)
    setattr(harness.erp, moment, 1)
    with pytest.raises((WorkerDied, ApplicationError)):
        await uploads.push_source_order(push)
    await harness.time_passes()  # the read lag: only then does a look-up prove that nothing is there
    first = await uploads.push_source_order(push)
    assert first.state is UploadState.UPLOADED
    assert await uploads.push_source_order(push) == first
    assert len(harness.erp.uploads) == 1
    assert harness.erp.calls["create_upload"] == (2 if moment == "lose_requests" else 1)


async def test_a_failure_is_recorded_once(harness: ActivityHarness) -> None:
    """Run twice, the history has it once."""
    upload = await uploading(harness, "SO-1")
    records = SourceOrderRecords(harness.tenant.database)
    failed = SourceOrderFailed(source_order_id=upload, ask=1, code="PERIOD_CLOSED", message="closed", evidence={})
    await records.source_order_failed(failed)
    await records.source_order_failed(failed)
    events = [event.kind for event in await harness.tenant.events_of(upload)]
    assert events.count("upload_failed") == 1, events


@pytest.mark.parametrize(("moment", "there"), [("lose_answers", True), ("lose_requests", False)])
async def test_what_is_only_looked_up_is_adopted_or_free_and_never_sent(
    harness: ActivityHarness, moment: str, there: bool
) -> None:
    """S3-14: the order was changed while in doubt; run twice, the same has happened, and nothing is sent again."""
    upload = await uploading(harness, "SO-1")
    uploads = SourceOrderUploads(harness.tenant.database, harness.connections)
    push = PushSourceOrder(connection_id=harness.tenant.connection_id, source_order_id=upload)
    setattr(harness.erp, moment, 1)
    with pytest.raises(ApplicationError):
        await uploads.push_source_order(push)
    async with harness.tenant.database.transaction() as session:
        row = await orders.get(session, upload, lock=True)
        assert row is not None
        await orders.plan_look_up(session, row, actor="Ana")
    await harness.time_passes()
    ended = await uploads.push_source_order(push)
    assert ended.state is (UploadState.UPLOADED if there else UploadState.NONE)
    assert await uploads.push_source_order(push) == ended
    assert (len(harness.erp.uploads), harness.erp.calls["create_upload"]) == (int(there), 1)
    async with harness.tenant.database.transaction() as session:
        row = await orders.get(session, upload)
        assert row is not None
        assert (row.document_number is not None, await orders.in_doubt(session, row)) == (there, False)
