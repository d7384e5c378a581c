"""What every connector writes: once, whatever fails, and read back (DESIGN section 5)."""

import random
from collections.abc import Awaitable
from datetime import timedelta
from decimal import Decimal

import pytest

from erp.connector import ErpConnector
from erp.errors import Duplicate, ErpError, OutcomeUnknown, Rejected, Throttled, Unavailable, UnknownRefusal
from models.domain.bills import BillLineSource, BillToPush, PushedBill
from models.domain.ids import DocumentId, ExternalKey
from tests.conformance.erp_harness import (
    OPEN_ORDER,
    ErpHarness,
    a_bill_for,
    a_payment_of,
    all_orders,
    push,
    the_order,
)


async def repeated(call: Awaitable[str]) -> str | None:
    """What a repeated create gives: None where it raises Duplicate, else the id that it says it made."""
    try:
        return await call
    except Duplicate:
        return None


async def by_the_recipe(harness: ErpHarness, connector: "ErpConnector | Forgetful", bill: BillToPush) -> DocumentId:
    """What the activity does (DESIGN section 5): look up on any doubt, adopt what is found, else send."""
    doubt = False
    for _ in range(200):
        try:
            found = await connector.bills.find(bill) if doubt else None
            created = found or await connector.bills.create(bill)
            await connector.bills.read_back(bill, created)
        except (OutcomeUnknown, Duplicate):
            doubt = True
        except ErpError as error:
            if not error.retryable:
                raise
            harness.wait(error)
        else:
            return created
    raise AssertionError("never got through")


class Forgetful:
    """A connector whose ERP remembers no key: asked a second time, it makes a second bill."""

    def __init__(self, connector: ErpConnector) -> None:
        self._kept = connector.bills
        self._asked: set[str] = set()

    @property
    def bills(self) -> "Forgetful":
        return self

    async def find(self, bill: BillToPush) -> DocumentId | None:
        return await self._kept.find(bill)

    async def read_back(self, bill: BillToPush, document: DocumentId) -> PushedBill:
        return await self._kept.read_back(bill, document)

    async def create(self, bill: BillToPush) -> DocumentId:
        again = bill.external_key in self._asked and await self._kept.find(bill) is not None
        self._asked.add(bill.external_key)
        key = ExternalKey(f"{bill.external_key}-second") if again else bill.external_key
        return await self._kept.create(bill.model_copy(update={"external_key": key}))


async def test_a_bill_reaches_the_erp_linked_and_whole(harness: ErpHarness, connector: ErpConnector) -> None:
    """S5-136..157, S4-64..67: the document, its link, the payable behind it, and the order's own status."""
    order = await the_order(connector)
    bill = a_bill_for(order, "b-1", lines=2)
    pushed = await push(connector, bill)
    assert (pushed.linked, pushed.differences, pushed.total) == (True, (), bill.total)
    (held,) = harness.bills_with("b-1")
    assert (held.order_document, held.order_number) == (order.document_id, OPEN_ORDER)
    assert (held.number, held.payable_id) == (bill.number, pushed.payable_id)
    assert held.order_lines == tuple(line.erp_id for line in order.lines[:2])
    assert pushed.snapshot is not None
    moved = pushed.snapshot.purchase_order.erp_status != order.erp_status
    assert moved == ("billing_moves_status" in harness.traits)
    assert [line.billed for line in pushed.snapshot.purchase_order.lines[:2]] == [Decimal(1), Decimal(1)]
    assert {(billing.order_line, billing.document_number) for billing in pushed.snapshot.billings} == {
        (line.erp_id, "b-1") for line in order.lines[:2]
    }


async def test_a_total_that_does_not_divide(harness: ErpHarness, connector: ErpConnector) -> None:
    """Ruling G12: 100 / 3 has no end, and the line still comes to 100."""
    order = await the_order(connector)
    bill = a_bill_for(order, "third-1", Decimal(3))
    line = bill.lines[0].model_copy(update={"amount": Decimal("100.00")})
    pushed = await push(connector, bill.model_copy(update={"lines": (line,), "total": Decimal("100.00")}))
    assert (pushed.total, pushed.differences) == (Decimal("100.00"), ())


async def test_run_twice_makes_one(harness: ErpHarness, connector: ErpConnector) -> None:
    """The second call is a duplicate or answers with the first one's id, and the look-up finds the first."""
    bill = a_bill_for(await the_order(connector), "twice-1")
    assert await connector.bills.find(bill) is None
    created = await connector.bills.create(bill)
    assert await repeated(connector.bills.create(bill)) in (None, created)
    assert await connector.bills.find(bill) == created
    assert len(harness.bills_with("twice-1")) == 1


@pytest.mark.parametrize(
    "kind",
    ["lost_answer", "gateway_timeout", "truncated", "malformed", "bad_request", "empty_answer", "status_missing"],
)
@pytest.mark.trait("answers_at_once")
async def test_a_lost_answer_is_looked_up(harness: ErpHarness, connector: ErpConnector, kind: str) -> None:
    """Committed there, unknown here: found by our key and adopted. G4: also behind HTTP 400, an empty answer, or one
    without its status."""
    bill = a_bill_for(await the_order(connector), "lost-1")
    harness.fault(kind, "create_bill")
    with pytest.raises(OutcomeUnknown):
        await connector.bills.create(bill)
    found = await connector.bills.find(bill)
    assert found is not None
    assert (await connector.bills.read_back(bill, found)).linked
    assert len(harness.bills_with("lost-1")) == 1


@pytest.mark.parametrize("kind", ["lost_answer", "lost_request"])
@pytest.mark.trait("answers_at_once")
async def test_the_look_up_comes_first_where_the_promise_is_not_kept(
    harness: ErpHarness, connector: ErpConnector, kind: str
) -> None:
    """An ERP may have forgotten the key by the time of a repeat, and would make a second one: the recipe never gives it
    the chance."""
    bill = a_bill_for(await the_order(connector), "forgotten-1")
    harness.fault(kind, "create_bill")
    created = await by_the_recipe(harness, Forgetful(connector), bill)
    assert (await connector.bills.read_back(bill, created)).linked
    assert [held.document_id for held in harness.bills() if held.key.startswith("forgotten-1")] == [created]


@pytest.mark.parametrize("kind", ["lost_request", "unavailable", "html_error"])
async def test_a_lost_request_is_in_doubt_and_not_there(
    harness: ErpHarness, connector: ErpConnector, kind: str
) -> None:
    """Not committed, unknown here: not found, and sent again."""
    bill = a_bill_for(await the_order(connector), "again-1")
    harness.fault(kind, "create_bill")
    with pytest.raises(OutcomeUnknown):
        await connector.bills.create(bill)
    assert await connector.bills.find(bill) is None
    assert (await push(connector, bill)).linked


@pytest.mark.parametrize(("kind", "family"), [("throttled", Throttled), ("offline", Unavailable)])
@pytest.mark.trait("answers_at_once")
async def test_what_was_surely_not_done(
    harness: ErpHarness, connector: ErpConnector, kind: str, family: type[ErpError]
) -> None:
    """The ERP says itself that it did nothing."""
    bill = a_bill_for(await the_order(connector), "sure-1")
    harness.fault(kind, "create_bill")
    with pytest.raises(family) as caught:
        await connector.bills.create(bill)
    harness.wait(caught.value)
    assert not harness.bills_with("sure-1")
    assert (await push(connector, bill)).linked


@pytest.mark.trait("sessions")
async def test_an_expired_session_does_not_write_twice(harness: ErpHarness, connector: ErpConnector) -> None:
    """A refused sign-in executed nothing; the write is sent again once."""
    bill = a_bill_for(await the_order(connector), "session-1")
    harness.fault("session_expired", "create_bill")
    await push(connector, bill)
    assert len(harness.bills_with("session-1")) == 1


async def test_a_dropped_link_is_seen(harness: ErpHarness, connector: ErpConnector) -> None:
    """LINK_MISSING: accepted, and pointing nowhere."""
    bill = a_bill_for(await the_order(connector), "loose-1")
    harness.fault("link_dropped", "create_bill")
    pushed = await push(connector, bill)
    assert not pushed.linked
    assert pushed.snapshot is not None
    assert not pushed.snapshot.billings


async def test_an_unknown_error_is_an_issue_with_evidence(harness: ErpHarness, connector: ErpConnector) -> None:
    """DESIGN section 6: never a silent default; and never a proof that nothing was done (issue 10)."""
    bill = a_bill_for(await the_order(connector), "odd-1")
    harness.fault("unknown_error", "create_bill")
    with pytest.raises(UnknownRefusal) as caught:
        await connector.bills.create(bill)
    assert caught.value.code == "UNKNOWN_ERP_ERROR"
    assert caught.value.erp_code
    assert caught.value.evidence
    assert (await push(connector, bill)).linked


async def test_every_refusal_has_its_family(harness: ErpHarness, connector: ErpConnector) -> None:
    """The ERP's numbers through the whole way; whatever it was, the write can be repeated and is done once."""
    bill = a_bill_for(await the_order(connector), "refused-1")
    for errorno, (family, code) in harness.refusals.items():
        harness.fault("refused", "create_bill", errorno=errorno, message="Because.")
        with pytest.raises(ErpError) as caught:
            await connector.bills.create(bill)
        assert (type(caught.value), caught.value.code, caught.value.erp_code) == (family, code, errorno)
        assert "Because." in str(caught.value.evidence)
        if caught.value.retryable:
            harness.wait(caught.value)
    assert (await push(connector, bill)).linked
    assert len(harness.bills_with("refused-1")) == 1


async def test_a_closed_period_is_refused_and_can_be_opened(harness: ErpHarness, connector: ErpConnector) -> None:
    """A person opens the period and the same write goes through."""
    bill = a_bill_for(await the_order(connector), "period-1")
    harness.person("close_period", through=bill.posting_date.isoformat())
    with pytest.raises(Rejected) as caught:
        await connector.bills.create(bill)
    assert caught.value.code == "PERIOD_CLOSED"
    harness.person("open_period")
    assert (await push(connector, bill)).linked


@pytest.mark.trait("units")
async def test_a_value_the_erp_does_not_know(connector: ErpConnector) -> None:
    """A unit the item does not have."""
    bill = a_bill_for(await the_order(connector), "unit-1")
    line = bill.lines[0].model_copy(update={"unit": "Furlong"})
    with pytest.raises(Rejected) as caught:
        await connector.bills.create(bill.model_copy(update={"lines": (line,)}))
    assert caught.value.code == "VALUE_REFUSED"


async def test_an_order_billed_meanwhile_is_refused(harness: ErpHarness, connector: ErpConnector) -> None:
    """Someone converted the order in the ERP first."""
    order = await the_order(connector)
    harness.person("bill_order", number=OPEN_ORDER, vendor_number="THEIRS-1")
    with pytest.raises(Rejected) as caught:
        await connector.bills.create(a_bill_for(order, "late-1"))
    assert caught.value.code in ("ALREADY_CONVERTED", "VALUE_REFUSED")
    assert not harness.bills_with("late-1")


@pytest.mark.trait("number_is_key")
async def test_a_number_someone_else_used(harness: ErpHarness, connector: ErpConnector) -> None:
    """A duplicate that is not ours: the look-up finds nothing to adopt."""
    order = await the_order(connector)
    other = next(
        one
        for one in (await all_orders(connector)).values()
        if one.vendor_id != order.vendor_id and one.erp_status == "Pending" and one.currency == "USD"
    )
    bill = a_bill_for(order, "taken-1")
    harness.person("bill_order", number=other.number, invoice_number="taken-1", vendor_number="THEIRS")
    with pytest.raises(Duplicate) as caught:
        await connector.bills.create(bill)
    assert caught.value.code == "ALREADY_EXISTS"
    assert await connector.bills.find(bill) is None


@pytest.mark.trait("lag")
async def test_reads_that_lag_do_not_lose_the_write(harness: ErpHarness, connector: ErpConnector) -> None:
    """Reference 2.5 point 4: just written and not shown yet is in doubt, not gone."""
    bill = a_bill_for(await the_order(connector), "lag-1")
    harness.pass_time(3600)
    harness.switch(read_lag_seconds=120)
    created = await connector.bills.create(bill)
    with pytest.raises(OutcomeUnknown):
        await connector.bills.read_back(bill, created)
    assert await connector.bills.find(bill) is None
    harness.pass_time(180)
    assert await connector.bills.find(bill) == created
    assert (await connector.bills.read_back(bill, created)).linked


@pytest.mark.trait("receipts")
async def test_a_bill_of_a_receipt(harness: ErpHarness, connector: ErpConnector) -> None:
    """3-way: converted from the receipt; the order still shows what bills its line (S1-20 concerns the way in)."""
    order = await the_order(connector)
    harness.person("receive", number=OPEN_ORDER, receipt_number="R-77")
    receipt = next(
        one for one in (await connector.receipts.page(since=None, after=None)).records if one.number == "R-77"
    )
    bill = a_bill_for(order, "received-1")
    source = BillLineSource(document_id=receipt.document_id, line=receipt.lines[0].erp_id)
    line = bill.lines[0].model_copy(update={"source": source})
    pushed = await push(connector, bill.model_copy(update={"lines": (line,)}))
    assert (pushed.linked, pushed.differences) == (True, ())
    assert pushed.snapshot is not None
    assert [receipt.number for receipt in pushed.snapshot.receipts] == ["R-77"]
    assert [(one.order_line, one.document_number) for one in pushed.snapshot.billings] == [
        (order.lines[0].erp_id, "received-1")
    ]


@pytest.mark.trait("one_source")
async def test_several_sources_are_refused_unless_allowed(harness: ErpHarness, connector: ErpConnector) -> None:
    """Field note U-22: refused here before the ERP is asked, allowed where the preference says so."""
    first = await the_order(connector)
    other = next(
        one
        for one in (await all_orders(connector)).values()
        if one.vendor_id == first.vendor_id and one.number != OPEN_ORDER and one.erp_status == "Pending"
    )
    bill = a_bill_for(first, "several-1")
    extra = a_bill_for(other, "several-1").lines[0].model_copy(update={"line_no": 2})
    both = bill.model_copy(update={"lines": (*bill.lines, extra), "total": bill.total + extra.amount})
    with pytest.raises(Rejected) as caught:
        await connector.bills.create(both)
    assert caught.value.code == "SEVERAL_SOURCES"
    harness.switch(several_sources=True)
    preferences = {**harness.settings()["preferences"], "several_sources": "true"}
    pushed = await push(harness.connect(preferences=preferences), both)
    assert (pushed.linked, pushed.differences) == (True, ())


# --- payments --------------------------------------------------------------------------------------------------


async def test_a_bill_is_paid_in_parts(harness: ErpHarness, connector: ErpConnector) -> None:
    """S5-33..42: each payment under its own key, and what is due afterwards."""
    bill = a_bill_for(await the_order(connector), "paid-1")
    pushed = await push(connector, bill)
    part = (bill.total / 3).quantize(Decimal("0.01"))
    for key, amount, due in (("p-1", part, bill.total - part), ("p-2", bill.total - part, Decimal(0))):
        payment = a_payment_of(bill, pushed, key, amount)
        read = await connector.payments.read_back(payment, await connector.payments.create(payment))
        assert (read.settled, read.amount, read.bill_due) == (True, amount, due)
        (held,) = harness.payments_with(key)
        assert held.shares == ((pushed.payable_id, amount),)


async def test_a_payment_run_twice_pays_once(harness: ErpHarness, connector: ErpConnector) -> None:
    """The key is refused the second time, or answered with the first payment; it is found by look-up."""
    bill = a_bill_for(await the_order(connector), "paid-2")
    payment = a_payment_of(bill, await push(connector, bill), "p-3", Decimal("1.00"))
    assert await connector.payments.find(payment) is None
    created = await connector.payments.create(payment)
    assert await repeated(connector.payments.create(payment)) in (None, created)
    assert await connector.payments.find(payment) == created
    assert len(harness.payments_with("p-3")) == 1


@pytest.mark.parametrize(
    ("kind", "done"),
    [("lost_answer", True), ("gateway_timeout", True), ("lost_request", False), ("unavailable", False)],
)
@pytest.mark.trait("answers_at_once")
async def test_a_payment_in_doubt_is_looked_up(
    harness: ErpHarness, connector: ErpConnector, kind: str, done: bool
) -> None:
    """A lost answer never pays twice."""
    bill = a_bill_for(await the_order(connector), "paid-3")
    payment = a_payment_of(bill, await push(connector, bill), "p-4")
    harness.fault(kind, "create_payment")
    with pytest.raises(OutcomeUnknown):
        await connector.payments.create(payment)
    found = await connector.payments.find(payment)
    assert (found is not None) == done
    read = await connector.payments.read_back(payment, found or await connector.payments.create(payment))
    assert (read.bill_due, len(harness.payments_with("p-4"))) == (Decimal(0), 1)


@pytest.mark.trait("payable_replaced")
async def test_the_bill_behind_an_edited_document_is_paid(harness: ErpHarness, connector: ErpConnector) -> None:
    """Field note U-8: an edit replaces the payable; the payment finds the one that stands now."""
    bill = a_bill_for(await the_order(connector), "edited-1")
    pushed = await push(connector, bill)
    harness.person("edit_bill", key="edited-1", memo="edited")
    (held,) = harness.bills_with("edited-1")
    assert held.payable_id != pushed.payable_id
    payment = a_payment_of(bill, pushed, "p-5")
    read = await connector.payments.read_back(payment, await connector.payments.create(payment))
    assert (read.payable_id, read.bill_due) == (held.payable_id, Decimal(0))


@pytest.mark.trait("payment_approval")
async def test_a_payment_waiting_for_approval_is_not_settled(harness: ErpHarness, connector: ErpConnector) -> None:
    """S2-38: it waits in the ERP, and settles when approved there."""
    harness.switch(payment_approval=True)
    bill = a_bill_for(await the_order(connector), "waiting-1")
    payment = a_payment_of(bill, await push(connector, bill), "p-6")
    created = await connector.payments.create(payment)
    assert not (await connector.payments.read_back(payment, created)).settled
    harness.person("approve_payment", record_no=created)
    assert (await connector.payments.read_back(payment, created)).settled


async def test_a_voided_payment_comes_back_as_voided(harness: ErpHarness, connector: ErpConnector) -> None:
    """Voided in the ERP: seen as such, however its state is spelled, and the bill is due again."""
    bill = a_bill_for(await the_order(connector), "void-1")
    payment = a_payment_of(bill, await push(connector, bill), "p-7")
    created = await connector.payments.create(payment)
    for spelling in harness.void_spellings:
        harness.spell_voids(spelling)
        assert (await connector.payments.read_back(payment, created)).settled
    harness.person("void_payment", record_no=created)
    for spelling in harness.void_spellings:
        harness.spell_voids(spelling)
        assert not (await connector.payments.read_back(payment, created)).settled
        voided = {one.erp_id: one for one in (await connector.payments.page(since=None, after=None)).records}[created]
        assert voided.voided


async def test_paying_what_is_gone_is_refused(harness: ErpHarness, connector: ErpConnector) -> None:
    """The document was deleted in the ERP."""
    bill = a_bill_for(await the_order(connector), "gone-1")
    pushed = await push(connector, bill)
    harness.person("delete_bill", key="gone-1")
    with pytest.raises(Rejected) as caught:
        await connector.payments.create(a_payment_of(bill, pushed, "p-8"))
    assert caught.value.code == "PAYABLE_MISSING"


# --- everything at once ----------------------------------------------------------------------------------------


async def test_one_document_each_through_a_storm(harness: ErpHarness, seed: int) -> None:
    """Every fault at once, at random: each bill exactly once, each linked. Twenty seeds: `--storm-seeds 20`."""
    calm = harness.connect()
    orders = [
        one
        for one in (await all_orders(calm)).values()
        if one.erp_status == harness.open_status and one.currency == "USD"
    ]
    chosen = random.Random(seed).sample(orders, min(4, len(orders)))
    kinds = ("lost_answer", "lost_request", "unavailable", "gateway_timeout", "throttled", "session_expired",
             "truncated", "malformed", "html_error", "offline")  # fmt: skip
    rules = [
        {"erp": harness.name, "kind": kind, "operation": operation, "probability": 0.06}
        for kind in kinds
        for operation in harness.storm_operations
    ]
    harness.sandbox.post("/faults", {"rules": rules, "seed": seed})
    stormy = harness.connect()
    for number, order in enumerate(chosen):
        bill = a_bill_for(order, f"storm-{seed}-{number}")
        await by_the_recipe(harness, stormy, bill.model_copy(update={"due_date": bill.bill_date + timedelta(days=10)}))
    for number, order in enumerate(chosen):
        (held,) = harness.bills_with(f"storm-{seed}-{number}")
        assert held.order_document == order.document_id


async def test_a_vendors_bills_are_found_by_their_number(harness: ErpHarness, connector: ErpConnector) -> None:
    """Fault B1: by vendor and the supplier's number, in the form of a page; one call where there is none."""
    order = await the_order(connector)
    pushed = await push(connector, a_bill_for(order, "PSB-NUMBERED").model_copy(update={"number": "X-77"}))
    harness.forget_calls()
    assert list(await connector.bills.numbered(order.vendor_id, "X-78")) == []
    assert harness.calls()["total"] == 1 + harness.session_questions, harness.calls()
    (found,) = await connector.bills.numbered(order.vendor_id, "X-77")
    assert (found.source_document, found.total, found.number) == (pushed.document_id, pushed.total, "X-77")
    assert found.lines
    other = next(vendor for vendor in sorted(harness.vendors()) if vendor != order.vendor_id)
    assert list(await connector.bills.numbered(other, "X-77")) == []
