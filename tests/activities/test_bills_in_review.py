"""Bills in review after their match: what people decide, what heals by itself, and what stays frozen."""

import asyncio
from decimal import Decimal
from fractions import Fraction
from typing import Any

from models.domain.bills import BillStatus
from models.domain.ids import BillId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import PurchaseOrder
from models.domain.sync import DeletedKind
from models.store.policies import unit_factors
from models.store.policies.unit_factors import UnitWanted
from models.store.sync import list_entries
from tests.builders.records import (
    R2,
    R3,
    a_receipt,
    an_order,
    gone,
)
from tests.harness.activity_harness import (
    ActivityHarness,
)

WARNED = "BILLED_BEYOND_RECEIVED:line-1"


async def warned(harness: ActivityHarness, *, key: str = "k1", quantity: int = 6) -> tuple[PurchaseOrder, BillId]:
    """An order of ten of which nothing came yet, and a bill of six."""
    await harness.three_way()
    order = await harness.holds(an_order(lines={1: 10}))
    return order, await harness.billed(order, {1: quantity}, key=key)


async def held(harness: ActivityHarness) -> tuple[PurchaseOrder, BillId]:
    """A bill at 13.50 of an order at 12.50, where 5 % is tolerated."""
    await harness.tolerates(price={"block": {"pct": "5"}})
    order = await harness.holds(an_order(lines={1: 10}))
    return order, await harness.billed(order, {1: 4}, key="k1", price="13.50")


async def row(harness: ActivityHarness, bill_id: BillId) -> Any:
    return await harness.tenant.bill_row(bill_id)


async def events(harness: ActivityHarness, bill_id: BillId) -> list[Any]:
    return list(await harness.tenant.fetch("select * from events where subject_id = :id order by id", id=bill_id))


async def test_a_warned_bill_is_saved_reserves_and_is_not_sent(harness: ActivityHarness) -> None:
    """Q07, rules 3.4: a warning waits for its acknowledgement; its quantity is taken meanwhile, nothing goes out."""
    order, bill_id = await warned(harness)
    assert (await row(harness, bill_id)).status == BillStatus.AWAITING_ACKNOWLEDGEMENT
    assert (await harness.write(bill_id)).state == "held"
    assert await harness.tenant.billed_net(order) == 6
    pushed = await harness.push(bill_id)
    assert (pushed.status, pushed.version) == (BillStatus.AWAITING_ACKNOWLEDGEMENT, 1)
    assert harness.erp.calls["create_bill"] == 0
    assert (await harness.bill(order, {1: 5}, key="k2")).outcome == "BLOCK"


async def test_an_acknowledged_bill_goes_out(harness: ActivityHarness) -> None:
    """Rules 3.4: acknowledged by id, by whom, when and why is kept; the same word again changes nothing."""
    _, bill_id = await warned(harness)
    decided = await harness.acknowledge(bill_id, WARNED, key="a1")
    assert (decided.outcome, decided.bill.status, decided.bill.version) == ("decided", BillStatus.PENDING_PUSH, 2)
    assert await harness.acknowledge(bill_id, WARNED, key="a1") == decided
    assert (await harness.write(bill_id)).state == "planned"
    (word,) = await harness.tenant.fetch("select * from match_decisions where bill_id = :id", id=bill_id)
    assert (word.kind, word.finding["id"], word.actor) == ("acknowledged", WARNED, "ada")
    last = (await events(harness, bill_id))[-1]
    assert (last.kind, last.before["status"], last.after["status"], last.after["acknowledged"]) == (
        "match_acknowledged",
        "awaiting_acknowledgement",
        "pending_push",
        [WARNED],
    )
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED


async def test_a_warning_known_beforehand_is_acknowledged_with_the_bill(harness: ActivityHarness) -> None:
    """Ids are made of code and line, so that a caller who tried the bill first sends them along."""
    await harness.three_way()
    order = await harness.holds(an_order(lines={1: 10}))
    answer = await harness.bill(order, {1: 6}, key="k1", acknowledge=[WARNED, "BILLED_BEYOND_RECEIVED:line-2"])
    assert (answer.outcome, answer.status, answer.needs) == ("WARN", BillStatus.PENDING_PUSH, [])
    words = await harness.tenant.fetch("select * from match_decisions where bill_id = :id", id=answer.bill_id)
    assert [word.finding["id"] for word in words] == [WARNED], "what was not found is not acknowledged"


async def test_a_word_that_does_not_fit_is_refused_and_changes_nothing(harness: ActivityHarness) -> None:
    _, warned_bill = await warned(harness)
    assert (await harness.acknowledge(warned_bill, "PO_CLOSED", key="a1")).outcome == "refused"
    assert await harness.refusal("a1") == "FINDING_UNKNOWN"
    assert (await harness.release(warned_bill, key="a2")).outcome == "refused"
    assert await harness.refusal("a2") == "NOTHING_ON_HOLD"
    await harness.acknowledge(warned_bill, WARNED, key="a3")
    assert (await harness.acknowledge(warned_bill, WARNED, key="a4")).outcome == "refused"
    assert await harness.refusal("a4") == "BILL_NOT_WAITING"
    assert (await row(harness, warned_bill)).version == 2


async def test_a_hold_is_released_with_a_reason_not_acknowledged(harness: ActivityHarness) -> None:
    """P02, rules 3.4: a hold needs an approval; the reason and the person stay with the bill."""
    _, bill_id = await held(harness)
    assert (await row(harness, bill_id)).status == BillStatus.ON_HOLD
    (finding,) = (await harness.match("k1"))["findings"]
    assert (await harness.acknowledge(bill_id, finding["id"], key="a1")).outcome == "refused"
    assert await harness.refusal("a1") == "FINDING_NEEDS_RELEASE"
    decided = await harness.release(bill_id, key="a2", reason="the buyer agreed")
    assert (decided.bill.status, decided.bill.needs) == (BillStatus.PENDING_PUSH, [])
    last = (await events(harness, bill_id))[-1]
    assert (last.kind, last.why, last.actor) == ("match_released", "the buyer agreed", "ada")
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED


async def test_holds_first_then_the_warnings_that_are_left(harness: ActivityHarness) -> None:
    """The outcome is the worst finding's, and every one of them is settled before the bill goes out."""
    await harness.tolerates(price={"block": {"pct": "5"}})
    await harness.three_way()
    order = await harness.holds(an_order(lines={1: 10}))
    answer = await harness.bill(order, {1: 6}, key="k1", price="13.50")
    assert answer.bill_id is not None
    assert (answer.outcome, answer.status) == ("HOLD", BillStatus.ON_HOLD)
    assert set(answer.needs) == {"PRICE_DIFFERS", "BILLED_BEYOND_RECEIVED"}
    decided = await harness.release(answer.bill_id, key="a1")
    assert (decided.bill.status, decided.bill.needs) == (
        BillStatus.AWAITING_ACKNOWLEDGEMENT,
        ["BILLED_BEYOND_RECEIVED"],
    )
    assert (await harness.write(answer.bill_id)).state == "held"
    decided = await harness.acknowledge(answer.bill_id, WARNED, key="a2")
    assert decided.bill.status is BillStatus.PENDING_PUSH


async def test_other_bills_of_the_order_do_not_wait_for_a_held_one(harness: ActivityHarness) -> None:
    """DESIGN 6: writes go out in turn, but one that waits for a person steps aside, and goes last once released."""
    order, held_bill = await held(harness)
    second = await harness.billed(order, {1: 3}, key="k2")
    await harness.push(second)
    third = await harness.billed(order, {1: 2}, key="k3")
    await harness.release(held_bill, key="a1")
    await harness.push(third)
    await harness.push(held_bill)
    assert [invoice.bill.number for invoice in harness.erp.invoices.values()] == ["INV-k2", "INV-k3", "INV-k1"]


async def test_a_receipt_heals_a_warning_by_itself(harness: ActivityHarness) -> None:
    """Rules 3.6: a bill that is not sent is re-evaluated; what it warned of is gone, so it goes out."""
    order, bill_id = await warned(harness)
    received = an_order(lines={1: 10}, billed={1: 6}, revision=R2, erp_status="Partially Converted")
    await harness.tenant.page(received)
    await harness.tenant.receive(a_receipt(received, {1: 6}, revision=R2))
    (now,) = (await harness.rematch(order, "a receipt came")).bills
    assert (now.status, now.version, now.needs) == (BillStatus.PENDING_PUSH, 2, [])
    assert (await harness.write(bill_id)).state == "planned"
    assert (await row(harness, bill_id)).match_outcome == "OK"
    results = await harness.tenant.fetch(
        "select why, outcome from match_results where bill_id = :id order by created_at", id=bill_id
    )
    assert [(result.why, result.outcome) for result in results] == [("asked for", "WARN"), ("a receipt came", "OK")]
    last = (await events(harness, bill_id))[-1]
    assert (last.kind, last.why, last.actor) == ("matched_again", "a receipt came", "posync")
    assert (last.before["findings"], last.after["findings"]) == ([WARNED], [])
    assert (await harness.rematch(order)).bills == [now], "run twice, nothing changes"
    assert (await row(harness, bill_id)).version == 2


async def test_a_healed_bill_is_converted_from_the_receipt_that_came(harness: ActivityHarness) -> None:
    """Rules 3.6: what a line is converted from is chosen anew, receipts first."""
    await harness.three_way()
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 6}, key="k1")
    received = an_order(lines={1: 10}, billed={1: 6}, revision=R2, erp_status="Partially Converted")
    await harness.tenant.page(received)
    await harness.tenant.receive(a_receipt(received, {1: 6}, revision=R2))
    await harness.rematch(order)
    (line,) = await harness.tenant.fetch("select * from bill_lines where bill_id = :id", id=bill_id)
    assert line.sources == [{"document_id": "PO Receiver-R-501", "line": "5011", "quantity": "6"}]


async def test_an_order_cut_down_holds_a_bill_that_is_not_sent(harness: ActivityHarness) -> None:
    """Property 7: what was accepted is never refused afterwards; it is put in review, and stays saved and reserved."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 8}, key="k1")
    await harness.tenant.page(an_order(lines={1: 5}, revision=R2))
    (now,) = (await harness.rematch(order)).bills
    assert (now.status, now.needs) == (BillStatus.ON_HOLD, ["QTY_OVER_CEILING"])
    assert ((await row(harness, bill_id)).match_outcome, (await harness.write(bill_id)).state) == ("HOLD", "held")
    assert (await harness.push(bill_id)).status is BillStatus.ON_HOLD, "a push under way sends nothing"
    assert harness.erp.calls["create_bill"] == 0
    assert (await harness.bill(order, {1: 1}, key="k2")).outcome == "BLOCK"
    await harness.tenant.page(an_order(lines={1: 12}, revision=R3))
    (now,) = (await harness.rematch(order)).bills
    assert (now.status, now.version) == (BillStatus.PENDING_PUSH, 3)


async def test_an_acknowledged_warning_never_becomes_a_refusal_by_itself(harness: ActivityHarness) -> None:
    """Property 7: the order shrinks under an acknowledged bill: on hold at worst; a person may still let it go."""
    order, bill_id = await warned(harness)
    await harness.acknowledge(bill_id, WARNED, key="a1")
    await harness.tenant.page(an_order(lines={1: 5}, revision=R2))
    (now,) = (await harness.rematch(order)).bills
    assert now.status is BillStatus.ON_HOLD
    decided = await harness.release(bill_id, key="a2", reason="the buyer cut it too far")
    assert decided.bill.status is BillStatus.PENDING_PUSH


async def test_an_acknowledgement_does_not_cover_what_got_worse(harness: ActivityHarness) -> None:
    """One acknowledges what one sees: two units ahead of the goods are not five."""
    await harness.tolerates(price={"block": {"pct": "1"}})
    await harness.three_way()
    await harness.tenant.execute(
        """update connections set capabilities = capabilities || '{"several_sources_per_bill": true}' where id = :id""",
        id=harness.tenant.connection_id,
    )
    order = await harness.holds(an_order(lines={1: 10}, billed={1: 4}, erp_status="Partially Converted"))
    receipt = a_receipt(order, {1: 4})
    await harness.tenant.receive(receipt)
    bill_id = await harness.billed(order, {1: 6}, key="k1", price="13.50", acknowledge=[WARNED])
    assert (await row(harness, bill_id)).status == BillStatus.ON_HOLD
    await harness.tenant.receive(a_receipt(order, {1: 1}, revision=R2))
    (now,) = (await harness.rematch(order)).bills
    assert now.needs[-1] == "BILLED_BEYOND_RECEIVED"
    decided = await harness.release(bill_id, key="a1")
    assert decided.bill.status is BillStatus.AWAITING_ACKNOWLEDGEMENT


async def test_a_bill_in_the_erp_only_gets_an_exception_once(harness: ActivityHarness) -> None:
    """Rules 3.6: a synced bill is frozen; the order cut down below it opens one issue with before and after."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_id = await harness.billed(order, {1: 8}, key="k1")
    await harness.push(bill_id)
    before = await row(harness, bill_id)
    assert (await harness.rematch(order)).worse == 0
    cut_down = an_order(lines={1: 5}, billed={1: 8}, revision="2026-03-03 08:00:00", erp_status="Converted")
    await harness.tenant.page(cut_down)
    assert (await harness.rematch(order, "the order changed")).worse == 1
    (issue,) = await harness.tenant.fetch("select * from sync_issues where connection_id = :c")
    assert (issue.code, issue.subject_kind, issue.workflow_id) == ("MATCH_WORSE", "purchase_order", None)
    assert issue.subject_id == harness.tenant.id_of(order)
    (listed,) = issue.evidence["bills"]
    assert (listed["bill_id"], listed["before"]["match"], listed["after"]["match"]) == (bill_id, "OK", "HOLD")
    assert listed["values"]["QTY_OVER_CEILING:line-1"]["O_eff"] == "5"
    after = await row(harness, bill_id)
    assert (after.status, after.version, after.match_outcome) == (before.status, before.version, "OK")
    assert (await harness.rematch(order)).worse == 0
    (issue,) = await harness.tenant.fetch("select * from sync_issues where connection_id = :c")
    assert issue.occurrences == 1
    await harness.tenant.page(an_order(lines={1: 10}, billed={1: 8}, revision="2026-03-03 09:00:00"))
    await harness.rematch(order)
    (issue,) = await harness.tenant.fetch("select * from sync_issues where connection_id = :c")
    assert (issue.state, issue.closed_by) == ("resolved", "posync")


async def test_one_change_of_an_order_is_one_issue_that_lists_its_bills(harness: ActivityHarness) -> None:
    """B13: one price change on an order with 20 bills opened 20 issues, which stayed open when the bills were gone."""
    order = await harness.holds(an_order(lines={1: 10}))
    bill_ids = [await harness.billed(order, {1: 2}, key=f"k{no}") for no in range(3)]
    for bill_id in bill_ids:
        await harness.push(bill_id)
    await harness.tenant.page(an_order(lines={1: 1}, billed={1: 6}, revision="2026-03-03 08:00:00"))
    assert (await harness.rematch(order)).worse == 3
    issue = (await harness.tenant.open_issues())["MATCH_WORSE"]
    assert {bill["bill_id"] for bill in issue.evidence["bills"]} == set(bill_ids)
    for left, bill_id in zip((2, 1, 0), bill_ids, strict=True):
        erp_id = str((await harness.tenant.bill_row(bill_id)).erp_id)
        await harness.tenant.deleted(gone(DeletedKind.PURCHASE_ORDER_DOCUMENT, erp_id))
        issues = await harness.tenant.open_issues()
        assert len(issues["MATCH_WORSE"].evidence["bills"] if left else issues) == left, "closed with its last bill"
    notices = await harness.tenant.fetch("select code from notices where connection_id = :c")
    assert [notice.code for notice in notices] == ["DELETED_IN_ERP"] * 3, "nobody has anything to settle"


async def test_bills_that_came_later_are_no_fault_of_one_in_the_erp(harness: ActivityHarness) -> None:
    """Rules 3.6: a bill is judged by the change of its order, not by who billed the rest of it."""
    order, first = await warned(harness, quantity=4)
    await harness.push(first)
    await harness.billed(order, {1: 6}, key="k2")
    assert (await harness.rematch(order)).worse == 0


async def test_an_unknown_unit_waits_for_its_factor_and_then_goes_out(harness: ActivityHarness) -> None:
    """U05, U04: nobody guesses; told once, the bill takes what it takes exactly and goes out by itself."""
    order = await harness.holds(an_order(lines={1: 10}))
    answer = await harness.bill(order, {1: 7}, key="k1", unit="Piece", price="1.05")
    assert answer.bill_id is not None
    assert (answer.status, answer.needs) == (BillStatus.ON_HOLD, ["UOM_UNKNOWN"])
    assert await harness.tenant.billed_net(order) == 0
    assert (await harness.release(answer.bill_id, key="a1")).outcome == "refused"
    assert await harness.refusal("a1") == "HOLD_NEEDS_A_FIX"
    await told(harness, Fraction(1, 12))
    (now,) = (await harness.rematch(order, "a unit was told")).bills
    assert now.status is BillStatus.PENDING_PUSH
    (line,) = await harness.tenant.fetch("select * from bill_lines where bill_id = :id", id=answer.bill_id)
    assert (line.exact_quantity, line.billed_quantity, line.billed_unit, line.unit) == ("7/12", 7, "Piece", "Each")


async def told(harness: ActivityHarness, factor: Fraction) -> None:
    async with harness.tenant.database.transaction() as s:
        wanted = UnitWanted("ITEM-1", "Piece", "Each")
        await unit_factors.enter(
            s,
            harness.tenant.organization_id,
            harness.tenant.connection_id,
            "V1",
            wanted,
            factor,
            actor="ada",
            why="said so",
        )


async def erp_knows(harness: ActivityHarness, unit: str) -> None:
    """The ERP has that unit, so spelled, in the group of the order's item."""
    group = ListEntry(kind=ListKind.UNIT_GROUP, erp_id=ErpId("g"), key="Pieces", name="Pieces")
    item = ListEntry(
        kind=ListKind.ITEM, erp_id=ErpId("i"), key="ITEM-1", name="Item", attributes={"unit_group": "Pieces"}
    )
    piece = ListEntry(
        kind=ListKind.UNIT, erp_id=ErpId("u"), key=unit, name=unit, attributes={"group": "g", "factor": "1"}
    )
    async with harness.tenant.database.transaction() as session:
        await list_entries.upsert(session, harness.tenant.connection_id, [group, item, piece])


async def test_parts_of_a_unit_add_up_exactly(harness: ActivityHarness) -> None:
    """U04: 7/12 and 113/12 of ten cases fill the line to the last piece; one piece more is refused."""
    await told(harness, Fraction(1, 12))
    order = await harness.holds(an_order(lines={1: 10}, price="12.00"))
    await harness.billed(order, {1: 7}, key="k1", unit="Piece", price="1.00")
    assert (await harness.bill(order, {1: 114}, key="k2", unit="Piece", price="1.00")).outcome == "BLOCK"
    second = await harness.bill(order, {1: 113}, key="k3", unit="Piece", price="1.00")
    assert (second.outcome, second.status) == ("OK", BillStatus.PENDING_PUSH)
    over = await harness.bill(order, {1: "0.0001"}, key="k4", unit="Piece")
    assert over.outcome == "BLOCK"


async def test_a_piece_of_a_case_is_sent_in_the_suppliers_unit(harness: ActivityHarness) -> None:
    """Rules 3.6: what is no exact decimal of the order's unit goes out as the supplier wrote it, never rounded, and
    spelled as the ERP spells it; a unit the ERP does not know it would refuse, so there it goes out rounded."""
    await told(harness, Fraction(1, 12))
    await erp_knows(harness, "PIECE")
    order = await harness.holds(an_order(lines={1: 10}))
    odd = await harness.billed(order, {1: 7}, key="k1", unit="Piece", price="1")
    even = await harness.billed(order, {1: 24}, key="k2", unit="Piece", price="1")
    await harness.push(odd)
    await harness.push(even)
    sent = [invoice.bill.lines[0] for invoice in harness.erp.invoices.values()]
    assert [(line.quantity, line.unit, line.amount) for line in sent] == [
        (Decimal(7), "PIECE", Decimal("7.00")),
        (Decimal(2), "Each", Decimal("24.00")),
    ]


async def test_a_piece_the_erp_does_not_know_is_sent_in_the_orders_unit(harness: ActivityHarness) -> None:
    """Rules 3.6: a person's word is ours alone; the ERP takes units of the item's group only."""
    await told(harness, Fraction(1, 12))
    order = await harness.holds(an_order(lines={1: 10}))
    await harness.push(await harness.billed(order, {1: 7}, key="k1", unit="Piece", price="1"))
    (sent,) = (invoice.bill.lines[0] for invoice in harness.erp.invoices.values())
    assert (sent.quantity, sent.unit, sent.amount) == (Decimal("0.5833333333"), "Each", Decimal("7.00"))


async def test_a_hundred_at_once_never_pass_the_ceiling_and_each_loser_is_told_why(harness: ActivityHarness) -> None:
    """Property 1, issue 3: a hundred saves on one line of ten at the same moment; exactly ten go in."""
    order = await harness.holds(an_order(lines={1: 10}))
    answers = await asyncio.gather(*(harness.bill(order, {1: 1}, key=f"k{n}") for n in range(100)))
    accepted = [answer for answer in answers if answer.bill_id is not None]
    assert len(accepted) == 10
    assert await harness.tenant.billed_net(order) == 10
    for number, answer in enumerate(answers):
        if answer.bill_id is None:
            findings = (await harness.match(f"k{number}"))["findings"]
            finding = next(finding for finding in findings if finding["severity"] == "BLOCK")
            assert (finding["code"], finding["values"]["B"], Decimal(finding["limit"])) == ("QTY_OVER_CEILING", "10", 0)
    waiting = await harness.tenant.fetch("select count(*) as n from bills where connection_id = :c")
    assert waiting[0].n == 10


async def test_bills_in_review_and_new_ones_never_pass_the_ceiling_together(harness: ActivityHarness) -> None:
    """Property 1: bills on hold reserve; matching them again beside new saves takes the same locks."""
    await harness.tolerates(price={"block": {"pct": "5"}})
    order = await harness.holds(an_order(lines={1: 10}))
    for number in range(3):
        await harness.billed(order, {1: 2}, key=f"h{number}", price="20")
    await asyncio.gather(
        *(harness.bill(order, {1: 1}, key=f"k{number}") for number in range(20)),
        *(harness.rematch(order) for _ in range(5)),
    )
    assert await harness.tenant.billed_net(order) == 10


async def test_goods_that_went_back_ask_for_a_credit(harness: ActivityHarness) -> None:
    """R03: received and billed whole, then the receipt is lowered: the issue says what the vendor owes."""
    await harness.three_way()
    order = await harness.holds(an_order(lines={1: 10}, billed={1: 10}, erp_status="Converted"))
    await harness.tenant.receive(a_receipt(order, {1: 10}))
    bill_id = await harness.billed(order, {1: 10}, key="k1")
    await harness.push(bill_id)
    await harness.tenant.execute(
        "update purchase_order_lines set received = 5 where purchase_order_id = :id", id=harness.tenant.id_of(order)
    )
    assert (await harness.rematch(order, "a receipt was lowered")).worse == 1
    (issue,) = await harness.tenant.fetch("select * from sync_issues where connection_id = :c")
    (listed,) = issue.evidence["bills"]
    assert listed["credit_expected"] == {"PO-1007 line 1": "5 Each, worth 62.50"}
