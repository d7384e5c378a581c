"""A bill over several sources where the ERP converts a document from one: several documents there, one bill here."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected
from models.domain.bill_parts import PartState
from models.domain.bills import BillStatus, BillToPush
from models.domain.ids import BillId, ErpId
from models.domain.orders import PurchaseOrder
from models.domain.payments import PaymentStatus
from models.domain.retractions import BillEvent
from models.domain.sync import DeletedKind, Deletion, Stream
from models.domain.writes import WriteKind
from models.messages.bills import BillPushResult, PushBill
from models.messages.issues import OpenIssue
from models.messages.writes import AbandonedWrite, AbandonWrite
from models.store.payables import bill_edits
from services.bills import taken_back
from services.bills.ending import edit_bill
from tests.builders.records import a_receipt, an_erp_payment, an_order
from tests.fakes.fake_erp import Invoice, WorkerDied
from tests.harness.activity_harness import ActivityHarness, failure

RECEIVED = 4


@pytest.fixture
async def order(harness: ActivityHarness) -> PurchaseOrder:
    """Ten ordered, four received, matched 3-way: what is billed beyond the receipt comes from the order."""
    await harness.tenant.execute(
        """update connections set match_mode = 'three_way',
                  capabilities = capabilities || '{"bills_in_parts": true}' where id = :id""",
        id=harness.tenant.connection_id,
    )
    order = an_order(lines={1: 10}, billed={1: RECEIVED})
    receipt = a_receipt(order, {1: RECEIVED})
    harness.erp.receipts_held[receipt.erp_id] = receipt
    await harness.holds(order)
    await harness.tenant.receive(receipt)
    return order


async def entered(harness: ActivityHarness, order: PurchaseOrder, quantity: int | str = 6, key: str = "b1") -> BillId:
    """A bill beyond what was received, acknowledged."""
    answer = await harness.bill(order, {1: quantity}, key=key)
    assert (answer.outcome, answer.needs) == ("WARN", ["BILLED_BEYOND_RECEIVED"]), answer
    assert answer.bill_id is not None
    await harness.acknowledge(answer.bill_id, "BILLED_BEYOND_RECEIVED:line-1", key=f"{key}-ack")
    return answer.bill_id


async def in_erp(harness: ActivityHarness, order: PurchaseOrder) -> BillId:
    bill_id = await entered(harness, order)
    assert (await harness.push(bill_id)).more_parts
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    return bill_id


async def parts_of(harness: ActivityHarness, bill_id: BillId) -> Sequence[Any]:
    return await harness.tenant.fetch(
        "select p.* from bill_parts p join bills b on b.id = p.bill_id and b.generation = p.generation"
        " where p.bill_id = :id and not superseded order by part_no",
        id=bill_id,
    )


async def states(harness: ActivityHarness, bill_id: BillId) -> list[str]:
    return [part.state for part in await parts_of(harness, bill_id)]


def documents(harness: ActivityHarness) -> list[tuple[str, Decimal, Decimal]]:
    """What the ERP holds: source, quantity and total of each of our documents."""
    held = []
    for invoice in harness.erp.invoices.values():
        assert isinstance(invoice.bill, BillToPush)
        (line,) = invoice.bill.lines
        held.append((str(line.source.document_id), line.quantity, invoice.bill.total))
    return held


WHOLE = [("PO Receiver-R-501", Decimal(4), Decimal("50.00")), ("Purchase Order-PO-1007", Decimal(2), Decimal("25.00"))]


def part(harness: ActivityHarness, part_no: int) -> Invoice:
    (key,) = [key for key in harness.erp.invoices if key.split("-P")[-1].rstrip("R") == str(part_no)]
    return harness.erp.invoices[key]


async def deleted_there(harness: ActivityHarness, *part_nos: int) -> None:
    """Somebody deletes these parts in the ERP, and a sync run reads it."""
    for part_no in part_nos:
        invoice = part(harness, part_no)
        del harness.erp.invoices[invoice.bill.external_key]
        assert isinstance(invoice.bill, BillToPush)
        harness.erp.touch_order(invoice.bill.order_document)
        harness.erp.gone.append(
            Deletion(
                kind=DeletedKind.PURCHASE_ORDER_DOCUMENT,
                erp_id=invoice.erp_id,
                deleted_at=f"2999-01-01 {harness.erp.tick()[11:]}",
            )
        )
    await harness.read(Stream.DELETIONS)


async def remake(harness: ActivityHarness, bill_id: BillId) -> BillPushResult:
    return await harness.pushing.push_bill(
        PushBill(connection_id=harness.tenant.connection_id, bill_id=bill_id, remake_parts=True)
    )


@pytest.mark.parametrize(
    ("billed_before", "received", "quantity", "beyond"),
    [(0, 4, 6, "2"), (0, 4, 10, "6"), (4, 6, 3, "1"), (4, 6, 6, "4")],
    ids=["Q07", "Q08", "Q16", "Q17"],
)
async def test_beyond_what_was_received_warns(
    harness: ActivityHarness, billed_before: int, received: int, quantity: int, beyond: str
) -> None:
    """W3, Q07, Q08, Q16, Q17: what the rule warns about is entered, and needs no other number."""
    await harness.tenant.execute(
        """update connections set match_mode = 'three_way',
                  capabilities = capabilities || '{"bills_in_parts": true}' where id = :id""",
        id=harness.tenant.connection_id,
    )
    order = await harness.holds(an_order(lines={1: 10}, billed={1: received}))
    await harness.tenant.receive(a_receipt(order, {1: received}, billed={1: billed_before}))
    answer = await harness.bill(order, {1: quantity}, key="q")
    assert (answer.outcome, answer.needs) == ("WARN", ["BILLED_BEYOND_RECEIVED"])
    (finding,) = (await harness.match("q"))["findings"]
    assert finding["values"]["beyond"] == beyond if "beyond" in finding["values"] else beyond in str(finding)
    assert answer.status is BillStatus.AWAITING_ACKNOWLEDGEMENT


async def test_one_bill_is_a_document_per_source(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """W3: entered once under its own number; the parts add up, and the ledger is right before, between and after."""
    bill_id = await entered(harness, order)
    assert await harness.tenant.billed_net(order) == 6
    first = await harness.push(bill_id)
    assert (first.status, first.more_parts) == (BillStatus.PENDING_PUSH, True)
    assert [one.state for one in first.parts] == [PartState.IN_ERP, PartState.PLANNED]
    assert await harness.tenant.billed_net(order) == 6
    (line,) = await harness.tenant.fetch("select * from bill_lines where bill_id = :id", id=bill_id)
    assert (line.reserves, line.settled_quantity, line.settled_amount) == (True, 4, Decimal("50.00"))
    second = await harness.push(bill_id)
    assert (second.status, second.more_parts, second.confirmed) == (BillStatus.SYNCED, False, True)
    assert documents(harness) == WHOLE
    assert await harness.tenant.billed_net(order) == 6
    bill = await harness.tenant.bill_row(bill_id)
    assert {invoice.bill.number for invoice in harness.erp.invoices.values()} == {bill.number}
    stored = await parts_of(harness, bill_id)
    assert sum(one.total for one in stored) == bill.total == Decimal("75.00")
    assert [one.document_id for one in stored] == [one.document_id for one in harness.erp.invoices.values()]
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED, "run once more, it sends nothing"
    assert harness.erp.calls["create_bill"] == 2


@pytest.mark.parametrize("trouble", ["lose_answers", "lose_requests", "die_after_writing", "die_after_reading_back"])
@pytest.mark.parametrize("stopped_at", [1, 2])
async def test_whatever_is_lost_there_is_one_document_per_part(
    harness: ActivityHarness, order: PurchaseOrder, trouble: str, stopped_at: int
) -> None:
    """F1, F2: killed between the ERP's commit and its answer, of either part."""
    bill_id = await entered(harness, order)
    if stopped_at == 2:
        await harness.push(bill_id)
    setattr(harness.erp, trouble, 1)
    with pytest.raises((ApplicationError, WorkerDied)):
        await harness.push(bill_id)
    await harness.time_passes()
    results = [await harness.push(bill_id) for _ in range(2 if stopped_at == 1 else 1)]
    assert results[-1].status is BillStatus.SYNCED
    assert documents(harness) == WHOLE
    assert await harness.tenant.billed_net(order) == 6


async def test_where_a_number_is_taken_once_the_part_goes_behind_it(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """The supplier's number stays ours; `-2` is behind the number that is sent."""
    harness.erp.takes_numbers_once = True
    bill_id = await in_erp(harness, order)
    number = (await harness.tenant.bill_row(bill_id)).number
    assert [one.bill.number for one in harness.erp.invoices.values()] == [number, f"{number}-2"]
    assert documents(harness) == WHOLE
    harness.erp.shows_our_bills = True
    await harness.read(Stream.BILLS)
    assert (await harness.tenant.bill_row(bill_id)).number == number


async def test_a_lost_answer_of_the_number_behind_it(harness: ActivityHarness, order: PurchaseOrder) -> None:
    harness.erp.takes_numbers_once = True
    bill_id = await entered(harness, order)
    await harness.push(bill_id)
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    await harness.time_passes()
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert documents(harness) == WHOLE


async def refused_second(harness: ActivityHarness, order: PurchaseOrder) -> BillId:
    """A bill of which the ERP refused the second part, behind its issue."""
    bill_id = await entered(harness, order)
    await harness.push(bill_id)
    harness.erp.refuse_sources = frozenset({order.document_id})
    with pytest.raises(ApplicationError) as refused:
        await harness.push(bill_id)
    details = failure(refused)
    assert (details.code, details.nothing_was_done) == ("SOURCE_CLOSED", True)
    assert "part 1 from PO Receiver-R-501: Vendor Invoice-" in details.evidence["parts"]
    assert "part 2 from Purchase Order-PO-1007: refused" in details.evidence["parts"]
    await harness.mirror.open_issue(
        OpenIssue(
            connection_id=harness.tenant.connection_id,
            subject_kind="bill",
            subject_id=bill_id,
            code=details.code,
            message=details.message,
            workflow_id=f"bill/{bill_id}",
        )
    )
    return bill_id


async def test_a_refused_part_stops_the_bill_and_the_others_stay(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """W3: sync_issue with all parts shown, nothing is paid, and nothing else is allowed with a half of a bill."""
    bill_id = await refused_second(harness, order)
    assert await harness.status(bill_id) is BillStatus.SYNC_ISSUE
    assert await states(harness, bill_id) == ["in_erp", "refused"]
    assert documents(harness) == WHOLE[:1]
    assert await harness.tenant.billed_net(order) == 6
    with pytest.raises(ApplicationError) as unpaid:
        await harness.push_payment(await harness.paid(bill_id, "10.00", key="p"))
    assert failure(unpaid).code == "BILL_PARTS_MISSING"
    assert harness.erp.created_payments == {}
    other = await harness.bill(order, {1: 4}, key="the rest")
    assert other.outcome == "WARN", "its turn is given up, and what is left may be billed"
    assert (await harness.bill(order, {1: 5}, key="too much")).outcome == "BLOCK"
    harness.erp.refuse_sources = frozenset()
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    assert documents(harness) == WHOLE
    assert await states(harness, bill_id) == ["in_erp", "in_erp"]


async def test_the_first_part_refused_leaves_a_bill_that_is_abandoned(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    bill_id = await entered(harness, order)
    harness.erp.refuse_writes = [Rejected("no", code="PERIOD_CLOSED")]
    with pytest.raises(ApplicationError):
        await harness.push(bill_id)
    assert harness.erp.invoices == {}
    abandon = AbandonWrite(subject_kind=WriteKind.BILL, subject_id=bill_id, actor="ada")
    assert (await harness.mirror.abandon_write(abandon)).done
    assert await harness.tenant.billed_net(order) == 0


async def test_abandoned_what_the_erp_holds_is_taken_back(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """A half of a bill is not left behind: abandoning the refused part takes the others back."""
    bill_id = await refused_second(harness, order)
    abandoned = await harness.mirror.abandon_write(
        AbandonWrite(subject_kind=WriteKind.BILL, subject_id=bill_id, actor="ada")
    )
    assert not abandoned.done
    assert abandoned.bill is not None
    assert abandoned.bill.status is BillStatus.RETRACTING
    assert (await harness.retract(bill_id)).status is BillStatus.DELETED
    assert harness.erp.invoices == {}
    assert await harness.tenant.billed_net(order) == 0


async def test_a_bill_stopped_at_a_part_can_be_deleted(harness: ActivityHarness, order: PurchaseOrder) -> None:
    bill_id = await refused_second(harness, order)
    assert await harness.ask(bill_id, BillEvent.DELETE, key="d") == "done"
    assert await harness.status(bill_id) is BillStatus.RETRACTING
    assert (await harness.retract(bill_id)).status is BillStatus.DELETED
    assert harness.erp.invoices == {}


# --- taken back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [None, "lose_answers", "die_after_writing", "shows_deleted"])
async def test_all_parts_are_taken_back_the_last_first(
    harness: ActivityHarness, order: PurchaseOrder, trouble: str | None
) -> None:
    bill_id = await in_erp(harness, order)
    keys = list(harness.erp.invoices)
    assert await harness.ask(bill_id, BillEvent.DISPUTE, key="d") == "done"
    if trouble is not None:
        setattr(harness.erp, trouble, 1)
        with pytest.raises((ApplicationError, WorkerDied)):
            await harness.retract(bill_id)
    assert (await harness.retract(bill_id)).status is BillStatus.DISPUTED
    assert list(harness.erp.taken_back) == list(reversed(keys))
    assert await harness.tenant.billed_net(order) == 0
    assert await harness.ask(bill_id, BillEvent.RESTORE, key="r") == "done"
    await harness.acknowledge(bill_id, "BILLED_BEYOND_RECEIVED:line-1", key="again")
    assert await harness.tenant.billed_net(order) == 6
    results = [await harness.push(bill_id) for _ in range(2)]
    assert results[-1].status is BillStatus.SYNCED
    assert documents(harness) == WHOLE
    assert not set(keys) & set(harness.erp.invoices), "the next generation has its own keys"
    assert await harness.tenant.billed_net(order) == 6


async def test_the_worker_that_dies_once_all_parts_are_gone_leaves_nothing_billed(
    harness: ActivityHarness, order: PurchaseOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by kills: the next attempt finds no part left, and must still read what the order has as billed."""
    bill_id = await in_erp(harness, order)
    assert await harness.ask(bill_id, BillEvent.DISPUTE, key="d") == "done"
    lock_orders = taken_back.lock_orders
    deaths: list[BillId] = []

    async def dies_once(session: AsyncSession, dying: BillId) -> None:
        if not deaths:
            deaths.append(dying)
            raise WorkerDied
        await lock_orders(session, dying)

    monkeypatch.setattr(taken_back, "lock_orders", dies_once)
    with pytest.raises(WorkerDied):
        await harness.retract(bill_id)
    assert await states(harness, bill_id) == ["taken_back", "taken_back"]
    assert (await harness.retract(bill_id)).status is BillStatus.DISPUTED
    (billed,) = await harness.tenant.fetch(
        "select sum(line.billed) as there from purchase_order_lines line"
        " join purchase_orders o on o.id = line.purchase_order_id where o.connection_id = :c"
    )
    assert billed.there == 0
    assert await harness.tenant.billed_net(order) == 0
    assert len(harness.erp.taken_back) == 2


async def test_a_part_that_stays_leaves_the_bill_stopped(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """The last part is gone and the first one is refused: left there, the bill is not as it was, and says so."""
    bill_id = await in_erp(harness, order)
    assert await harness.ask(bill_id, BillEvent.DELETE, key="d") == "done"
    taken = harness.erp.take_back

    async def first_is_reconciled(bill: Any) -> None:
        if bill.document_id == part(harness, 1).document_id:
            raise Rejected("it is reconciled", code="DELETION_REFUSED")
        await taken(bill)

    harness.erp.take_back = first_is_reconciled
    with pytest.raises(ApplicationError):
        await harness.retract(bill_id)
    abandon = AbandonWrite(subject_kind=WriteKind.BILL_RETRACTION, subject_id=bill_id, actor="ada")
    assert (await harness.mirror.abandon_write(abandon)).done
    assert await harness.status(bill_id) is BillStatus.SYNC_ISSUE
    assert await states(harness, bill_id) == ["in_erp", "deleted"]
    with pytest.raises(ApplicationError) as stopped:
        await harness.push(bill_id)
    assert failure(stopped).code == "BILL_PART_DELETED"
    assert (await remake(harness, bill_id)).status is BillStatus.SYNCED
    assert documents(harness) == WHOLE
    assert await harness.tenant.billed_net(order) == 6


# --- changed by hand in the ERP --------------------------------------------------------------------------------


async def test_a_part_deleted_there_stops_the_bill_until_a_person_decides(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    bill_id = await in_erp(harness, order)
    before = part(harness, 2).bill.external_key
    await deleted_there(harness, 2)
    assert await harness.status(bill_id) is BillStatus.SYNC_ISSUE
    assert await states(harness, bill_id) == ["in_erp", "deleted"]
    await harness.refresh(order)
    assert await harness.tenant.billed_net(order) == 6, "what the part billed is reserved until somebody decides"
    for _ in range(2):
        with pytest.raises(ApplicationError) as stopped:
            await harness.push(bill_id)
        assert failure(stopped).code == "BILL_PART_DELETED"
    assert len(harness.erp.invoices) == 1
    harness.erp.die_after_writing = 1
    with pytest.raises(WorkerDied):
        await remake(harness, bill_id)
    assert (await remake(harness, bill_id)).status is BillStatus.SYNCED
    assert documents(harness) == WHOLE
    assert part(harness, 2).bill.external_key == f"{before}R"
    assert await harness.tenant.billed_net(order) == 6


async def test_a_bill_whose_parts_are_all_deleted_there_is_deleted(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    bill_id = await in_erp(harness, order)
    await deleted_there(harness, 1, 2)
    assert await harness.status(bill_id) is BillStatus.DELETED
    await harness.refresh(order)
    assert await harness.tenant.billed_net(order) == 0
    assert await harness.ask(bill_id, BillEvent.RESTORE, key="r") == "done"
    await harness.acknowledge(bill_id, "BILLED_BEYOND_RECEIVED:line-1", key="again")
    results = [await harness.push(bill_id) for _ in range(2)]
    assert results[-1].status is BillStatus.SYNCED
    assert documents(harness) == WHOLE


async def test_a_part_changed_there_changes_the_bill(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """B3: the line is 4 and 2; in the ERP the second part becomes 1, so the bill's line is 5."""
    bill_id = await in_erp(harness, order)
    harness.erp.shows_our_bills = True
    await harness.read(Stream.BILLS)
    changed = part(harness, 2)
    (line,) = changed.bill.lines
    now = line.model_copy(update={"quantity": Decimal(1), "amount": Decimal("12.50")})
    changed.bill = changed.bill.model_copy(update={"lines": (now,), "total": Decimal("12.50")})
    changed.revision = harness.erp.tick()
    await harness.read(Stream.BILLS)
    bill = await harness.tenant.bill_row(bill_id)
    (stored,) = await harness.tenant.fetch("select * from bill_lines where bill_id = :id", id=bill_id)
    assert (bill.total, stored.quantity, stored.amount) == (Decimal("62.50"), 5, Decimal("62.50"))
    assert [one.total for one in await parts_of(harness, bill_id)] == [Decimal("50.00"), Decimal("12.50")]


async def test_a_part_paid_there_is_paid_of_the_bill(harness: ActivityHarness, order: PurchaseOrder) -> None:
    bill_id = await in_erp(harness, order)
    second = part(harness, 2)
    second.changes["paid"], second.revision = Decimal("25.00"), harness.erp.tick()
    harness.erp.shows_our_bills = True
    await harness.read(Stream.BILLS)
    bill = await harness.tenant.bill_row(bill_id)
    assert (bill.status, bill.paid, bill.total) == ("partially_paid", Decimal("25.00"), Decimal("75.00"))
    payment_id = await harness.paid(bill_id, "50.00", key="rest")
    result = await harness.push_payment(payment_id)
    (created,) = harness.erp.created_payments.values()
    assert [(one.document_id, one.amount) for one in created.payment.parts] == [
        (part(harness, 1).document_id, Decimal("50.00"))
    ]
    assert result.bill.status is BillStatus.PAID


# --- paid and edited -------------------------------------------------------------------------------------------


async def test_a_payment_names_every_part(harness: ActivityHarness, order: PurchaseOrder) -> None:
    """One request over both documents; a further one pays what is left on each, to the cent."""
    bill_id = await in_erp(harness, order)
    assert (await harness.push_payment(await harness.paid(bill_id, "10.00", key="p1"))).bill.due == "65.00"
    result = await harness.push_payment(await harness.paid(bill_id, "65.00", key="p2"))
    assert (result.status, result.bill.status) == (PaymentStatus.PAID, BillStatus.PAID)
    shares = [
        [(one.document_id, one.amount) for one in created.payment.parts]
        for created in harness.erp.created_payments.values()
    ]
    first, second = part(harness, 1).document_id, part(harness, 2).document_id
    assert shares == [
        [(first, Decimal("6.66")), (second, Decimal("3.34"))],
        [(first, Decimal("43.34")), (second, Decimal("21.66"))],
    ]
    assert [one.paid for one in await parts_of(harness, bill_id)] == [Decimal("50.00"), Decimal("25.00")]


async def test_a_payment_of_a_bill_that_lacks_a_part_is_not_sent(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    bill_id = await in_erp(harness, order)
    payment_id = await harness.paid(bill_id, "75.00", key="p1")
    await deleted_there(harness, 2)
    with pytest.raises(ApplicationError) as refused:
        await harness.push_payment(payment_id)
    assert failure(refused).code == "BILL_PARTS_MISSING"
    assert harness.erp.created_payments == {}


async def test_a_payment_made_there_over_a_part_is_the_bills(harness: ActivityHarness, order: PurchaseOrder) -> None:
    bill_id = await in_erp(harness, order)
    payable = (await parts_of(harness, bill_id))[1].payable_id
    await harness.tenant.payments_in(an_erp_payment(shares={payable: "25.00"}, revision=harness.erp.tick()))
    bill = await harness.tenant.bill_row(bill_id)
    assert (bill.status, bill.paid) == ("partially_paid", Decimal("25.00"))


async def edited(harness: ActivityHarness, bill_id: BillId, **header: Any) -> int:
    """Edit the bill; give the edition."""
    async with harness.tenant.database.transaction() as s:
        bill = await bill_edits.lock(s, bill_id, harness.tenant.organization_id)
        assert bill is not None
        await edit_bill(s, bill, header, {}, actor="ada")
        return int(bill.edition)


async def push_edit(harness: ActivityHarness, bill_id: BillId) -> BillPushResult:
    return await harness.editing.push_bill_edit(PushBill(connection_id=harness.tenant.connection_id, bill_id=bill_id))


async def abandon_edit(
    harness: ActivityHarness, bill_id: BillId, edition: int, *, in_doubt: bool = True
) -> AbandonedWrite:
    return await harness.mirror.abandon_write(
        AbandonWrite(
            subject_kind=WriteKind.BILL_EDIT,
            subject_id=bill_id,
            actor="ada",
            why="not needed",
            edition=edition,
            in_doubt=in_doubt,
        )
    )


async def test_an_edit_reaches_every_part(harness: ActivityHarness, order: PurchaseOrder) -> None:
    bill_id = await in_erp(harness, order)
    await edited(harness, bill_id, memo="for the shelf")
    harness.erp.lose_answers = 1
    with pytest.raises(ApplicationError):
        await push_edit(harness, bill_id)
    assert (await push_edit(harness, bill_id)).status is BillStatus.SYNCED
    assert [one.bill.memo for one in harness.erp.invoices.values()] == ["for the shelf"] * 2
    assert not (await harness.tenant.bill_row(bill_id)).edit_pending
    assert [one.payable_id for one in await parts_of(harness, bill_id)] == [
        ErpId(f"7{one.erp_id}e") for one in harness.erp.invoices.values()
    ]


async def test_an_edit_that_some_parts_took_is_sent_to_all_or_put_back(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """W3: a later part is refused; a retry sends it to all, abandoning it puts back the part that has it, and no
    other."""
    bill_id = await in_erp(harness, order)
    edition = await edited(harness, bill_id, memo="for the shelf")
    update, sent = harness.erp.update_bill, []

    async def second_is_refused(bill: Any, document: Any, *, edition: int) -> None:
        if document == part(harness, 2).document_id:
            raise Rejected("it is locked", code="DELETION_REFUSED")
        sent.append(document)
        await update(bill, document, edition=edition)

    harness.erp.update_bill = second_is_refused
    with pytest.raises(ApplicationError) as refused:
        await push_edit(harness, bill_id)
    assert (failure(refused).family, failure(refused).nothing_was_done) == ("PartlyTaken", False)
    assert [one.edition for one in await parts_of(harness, bill_id)] == [edition, None]
    back = await abandon_edit(harness, bill_id, edition)
    assert (back.done, back.edition > edition) == (True, True)
    assert (await harness.tenant.bill_row(bill_id)).memo == ""
    harness.erp.lose_answers = 1  # the part that is refused may go on refusing: it is not asked
    with pytest.raises(ApplicationError):
        await push_edit(harness, bill_id)
    assert (await push_edit(harness, bill_id)).status is BillStatus.SYNCED
    assert set(sent) == {part(harness, 1).document_id}
    assert [one.bill.memo for one in harness.erp.invoices.values()] == ["", ""]
    row = await harness.tenant.bill_row(bill_id)
    assert (row.edit_pending, row.edit_baseline) == (False, None)
    assert [one.edition for one in await parts_of(harness, bill_id)] == [None, None]

    harness.erp.update_bill = update
    await edited(harness, bill_id, memo="on the shelf")
    assert (await push_edit(harness, bill_id)).status is BillStatus.SYNCED
    assert [one.bill.memo for one in harness.erp.invoices.values()] == ["on the shelf"] * 2


async def test_nothing_is_edited_where_one_part_is_known_to_refuse(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """W3: all parts are looked at first, so that a refusal leaves all as they were."""
    bill_id = await in_erp(harness, order)
    edition = await edited(harness, bill_id, memo="for the shelf")
    harness.erp.locked_documents.add(part(harness, 2).document_id)
    with pytest.raises(ApplicationError) as refused:
        await push_edit(harness, bill_id)
    assert failure(refused).nothing_was_done
    assert [one.bill.memo for one in harness.erp.invoices.values()] == ["", ""]
    assert (await abandon_edit(harness, bill_id, edition, in_doubt=False)).edition == 0
    assert not (await harness.tenant.bill_row(bill_id)).edit_pending


async def test_nothing_is_taken_back_where_one_part_is_known_to_stay(
    harness: ActivityHarness, order: PurchaseOrder
) -> None:
    """W3: the first part cannot go, so the last one, which would go first, stays too."""
    bill_id = await in_erp(harness, order)
    assert await harness.ask(bill_id, BillEvent.DELETE, key="d") == "done"
    harness.erp.locked_documents.add(part(harness, 1).document_id)
    with pytest.raises(ApplicationError) as refused:
        await harness.retract(bill_id)
    assert failure(refused).nothing_was_done
    assert harness.erp.taken_back == {}
    abandon = AbandonWrite(subject_kind=WriteKind.BILL_RETRACTION, subject_id=bill_id, actor="ada")
    assert (await harness.mirror.abandon_write(abandon)).done
    assert await harness.status(bill_id) is BillStatus.SYNCED
