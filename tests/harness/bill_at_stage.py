"""One bill of ours at one stage of its life, in an ERP where people go on working: what follows here.

The order has two lines of 10 at 10.00, all of it received, in 3-way matching; the bill is 4 of the first line.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from erp.errors import Rejected
from models.domain.bills import BillStatus
from models.domain.ids import BillId, ErpId, PaymentId, PurchaseOrderId
from models.domain.orders import PurchaseOrder
from models.messages.issues import OpenIssue
from models.store.orders import ledger
from models.store.payables import bills_in_review
from services.bills.ending import abandon_bill
from services.refusal import Refused
from tests.builders.records import a_receipt, an_order
from tests.fakes.erp_people import ErpPeople
from tests.fakes.fake_erp import CAPABILITIES
from tests.harness.activity_harness import ActivityHarness, failure

Figures = dict[str, dict[str, Decimal | Fraction]]
"""The figures of an order's lines by the ERP's id of the line: the ledger's symbols, and the accrual."""

ZERO = Decimal(0)
BILLED = Decimal(4)


class Stage(StrEnum):
    """How far our bill has come when somebody changes something in the ERP."""

    DRAFT = "draft"
    """The draft was read before the change and is posted after it."""
    IN_REVIEW = "in review"
    """The bill is at 10.50 and waits for an acknowledgement."""
    ON_ITS_WAY = "on its way"
    """The bill is accepted and not sent yet."""
    REFUSED = "refused"
    """The ERP refused it, because its period was closed, and it is retried after the change."""
    IN_THE_ERP = "in the ERP"
    PAID = "paid"

    @property
    def is_in_erp(self) -> bool:
        """Return whether the ERP holds the bill."""
        return self in (Stage.IN_THE_ERP, Stage.PAID)


GOES_ON = ("goes on", "waits as before")
AS_IT_WAS = (*GOES_ON, "stays as it is")
"""What follows where nobody has anything to settle, and nothing to know."""


class CompanyAtWork:
    """A company with one order and one bill of ours at each stage, and people who go on working in its ERP."""

    def __init__(self, harness: ActivityHarness, stages: Sequence[Stage]) -> None:
        self.harness = harness
        self.bills = [BillAtStage(harness, stage, number) for number, stage in enumerate(stages, start=1)]
        self._terms: dict[str, str] = {}
        self._runs = 0

    async def open(self) -> None:
        """Bring every bill to its stage, and let a sync run see it."""
        harness = self.harness
        settings = {"receipts_count_as_billed": False, "several_sources_per_bill": True}
        harness.erp.capabilities = CAPABILITIES.model_copy(update={**settings, "credits_name_orders": True})
        harness.erp.shows_our_bills = True
        await harness.tenant.execute(
            "update connections set match_mode = 'three_way', capabilities = capabilities || cast(:settings as jsonb)"
            " where id = :c",
            c=harness.tenant.connection_id,
            settings=json.dumps(settings),
        )
        harness.tenant.receipts_count_as_billed = False
        await harness.tolerates(price={"warn": {"pct": "3"}, "block": {"pct": "30"}})
        for bill in self.bills:
            receipt = a_receipt(bill.order, {1: 10, 2: 10}, number=int(bill.order.erp_id) + 500)
            harness.erp.receipts_held[receipt.erp_id] = receipt
            harness.erp.orders[bill.order.erp_id] = bill.order
        await self.sync()
        for bill in self.bills:
            await bill.reach()
        await self.sync()

    async def sync(self) -> None:
        """A sync run, and what the orders' workflows do when they are notified."""
        harness, tenant = self.harness, self.harness.tenant
        self._runs += 1
        self._clock_runs()
        plan = await harness.plan(f"run-{self._runs}")
        for stream in plan.streams:
            await harness.read(stream)
        requested = (await harness.connection()).rematch_requested_at
        to_notify = await tenant.to_notify()
        await tenant.wake_all()
        orders = {tenant.id_of(bill.order): bill.order for bill in self.bills}
        for noted in to_notify:
            order = orders.get(noted.id)
            if order is None:
                continue
            if noted.facts.reread:
                await harness.refresh(order)
            if noted.facts.our_bills and self._terms.get(noted.id) != noted.facts.terms:
                await harness.rematch(order)
            self._terms[noted.id] = noted.facts.terms
        if requested is not None:
            for bill in self.bills:
                await harness.rematch(bill.order, "something else changed")
            await tenant.execute(
                "update connections set rematch_requested_at = null where id = :c", c=tenant.connection_id
            )

    def _clock_runs(self) -> None:
        """The ERP's clock shows two seconds after its last change: a sync need not read that one twice."""
        last = datetime.fromisoformat(self.harness.erp.tick())
        self.harness.erp.clock.take(f"{last + timedelta(seconds=2):%a, %d %b %Y %H:%M:%S} GMT")


class BillAtStage:
    """Our bill, its order, and who changes things there."""

    def __init__(self, harness: ActivityHarness, stage: Stage, number: int) -> None:
        self.harness = harness
        self.stage = stage
        self.order: PurchaseOrder = an_order(1000 + number, lines={1: 10, 2: 10}, price="10.00", vendor_id=f"V{number}")
        self.bill_id: BillId | None = None
        self.payment_id: PaymentId | None = None
        self._waited_for: tuple[BillStatus, list[str]] | None = None
        self._people: ErpPeople | None = None

    @property
    def people(self) -> ErpPeople:
        """Those who work in the ERP, from the moment that the stage is reached."""
        assert self._people is not None, "reach the stage first"
        return self._people

    # --- reaching the stage ----------------------------------------------------------------------------------

    async def reach(self) -> None:
        """Bring the bill to its stage."""
        harness = self.harness
        self._people = ErpPeople(harness.erp, self.order)
        if self.stage is Stage.DRAFT:
            return
        body = self._draft("10.50" if self.stage is Stage.IN_REVIEW else "10.00")
        self.bill_id = bill_id = (await harness.ask_for_bill(f"first {self.order.erp_id}", body)).bill_id
        assert bill_id is not None
        now = await harness.waits_for(bill_id)
        self._waited_for = (now.status, now.needs)
        if self.stage is Stage.REFUSED:
            harness.erp.refuse_writes = [Rejected("The period is closed.", code="PERIOD_CLOSED")]
            with pytest.raises(ApplicationError):
                await harness.push(bill_id)
            await self._stop_behind_an_issue(bill_id)
        elif self.stage.is_in_erp:
            await harness.push(bill_id)
            if self.stage is Stage.PAID:
                self.payment_id = await harness.paid(bill_id, "40.00", key=f"pay {self.order.erp_id}")
                await harness.push_payment(self.payment_id)

    async def _stop_behind_an_issue(self, bill_id: BillId) -> None:
        """What the bill's workflow does with a refusal."""
        await self.harness.mirror.open_issue(
            OpenIssue(
                connection_id=self.harness.tenant.connection_id,
                subject_kind="bill",
                subject_id=bill_id,
                code="PERIOD_CLOSED",
                message="The period is closed.",
                workflow_id=f"bill/{bill_id}",
            )
        )

    def _draft(self, price: str) -> dict[str, Any]:
        """The draft as it was read before anything changed, as it is posted."""
        line = self.order.lines[0]
        return {
            "purchase_order_id": self.harness.tenant.id_of(self.order),
            "vendor_id": self.order.vendor_id,
            "currency": self.order.currency,
            "number": self.people.number,
            "bill_date": "2026-03-02",
            "due_date": "2026-04-01",
            "lines": [
                {
                    "order_line_no": line.line_no,
                    "order_line_id": line.erp_id,
                    "item_id": line.item_id,
                    "description": line.description,
                    "unit": line.unit,
                    "quantity": str(BILLED),
                    "price": price,
                    "amount": str(BILLED * Decimal(price)),
                }
            ],
        }

    # --- what follows ----------------------------------------------------------------------------------------

    async def follows(self, key: str = "after") -> str:
        """What follows here, as the table says it: the bill goes on its way, as far as it can."""
        if self.bill_id is None:
            said = await self._posted(key)
        elif self.stage.is_in_erp:
            said = await self._on_the_bill(self.bill_id)
        else:
            said = await self._pushed(self.bill_id)
        return "; ".join([said, *await self._issues()])

    async def abandon(self) -> None:
        """A person gives the bill up, which waits here."""
        async with self.harness.tenant.database.transaction() as session:
            assert self.bill_id is not None
            bill = await bills_in_review.lock(session, self.bill_id)
            assert bill is not None
            await abandon_bill(session, bill, actor="ada", why="not wanted", request_key=self.bill_id)

    async def _posted(self, key: str) -> str:
        try:
            decided = await self.harness.ask_for_bill(key, self._draft("10.00"))
        except Refused as refused:
            return f"refused: {refused.code}"
        if decided.bill_id is None:
            findings = (await self.harness.match(key))["findings"]
            return f"refused: {', '.join(finding['code'] for finding in findings)}"
        self.bill_id = decided.bill_id
        return await self._pushed(decided.bill_id)

    async def _pushed(self, bill_id: BillId) -> str:
        harness = self.harness
        status = BillStatus((await harness.tenant.bill_row(bill_id)).status)
        if not status.is_in_review:
            try:
                status = (await harness.push(bill_id)).status
            except ApplicationError:
                with pytest.raises(ApplicationError) as raised:
                    await harness.push(bill_id)
                return f"refused by the ERP: {failure(raised).code}"
        now = await harness.waits_for(bill_id)
        if status.is_in_review and (now.status, now.needs) == self._waited_for:
            return "waits as before"
        codes = ", ".join(now.needs)
        if status is BillStatus.ON_HOLD:
            return f"held: {codes}"
        return f"warned: {codes}" if status is BillStatus.AWAITING_ACKNOWLEDGEMENT else "goes on"

    async def _on_the_bill(self, bill_id: BillId) -> str:
        row = await self.harness.tenant.bill_row(bill_id)
        lines = await self.harness.tenant.fetch(
            "select b.*, o.erp_id as order_line from bill_lines b left join purchase_order_lines o"
            " on o.purchase_order_id = b.purchase_order_id and o.line_no = b.purchase_order_line_no"
            " where b.bill_id = :bill order by b.line_no",
            bill=bill_id,
        )
        charges = sum((Decimal(one["amount"]) for one in row.charges), ZERO)
        assert sum((line.amount for line in lines), charges) == row.total
        order_lines = {line.erp_id: f"order line {number}" for number, line in enumerate(self.order.lines, start=1)}
        now = {
            "status": row.status.replace("_", " "),
            "vendor": row.vendor_id,
            "number": row.number.replace(self.order.erp_id, "1"),
            "date": str(row.bill_date),
            "due": str(row.due_date),
            "memo": row.memo,
            "total": f"{row.total:.2f}",
            "lines": ", ".join(
                f"{order_lines.get(line.order_line, 'no order line')}: {line.quantity:.0f} at {line.price:.2f}"
                for line in lines
            ),
            "charges": f"{charges:.2f}",
        }
        was = {
            "status": "synced" if self.stage is Stage.IN_THE_ERP else "paid",
            "vendor": self.order.vendor_id,
            "number": "INV-1",
            "date": "2026-03-02",
            "due": "2026-04-01",
            "memo": "",
            "total": "40.00",
            "lines": "order line 1: 4 at 10.00",
            "charges": "0.00",
        }
        parts = [f"{name} {value}" for name, value in now.items() if value != was[name]]
        parts += [f"payment {one}" for one in await self._payments(bill_id)]
        return "; ".join(parts) or "stays as it is"

    async def _payments(self, bill_id: BillId) -> list[str]:
        """The payments of the bill, except ours as it was sent."""
        today = datetime.now(UTC).date()
        rows = await self.harness.tenant.fetch(
            "select * from payments where bill_id = :bill order by created_at", bill=bill_id
        )
        said = []
        for row in rows:
            if (row.id, row.status, row.amount, row.pay_on >= today - timedelta(days=1)) != (
                self.payment_id,
                "paid",
                Decimal(40),
                True,
            ):
                day = f" on {row.pay_on}" if row.pay_on < today - timedelta(days=1) else ""
                said.append(f"{row.status.replace('_', ' ')}: {row.amount:.2f}{day}")
        return said

    async def _issues(self) -> list[str]:
        """The open issues of bill, payment and order, and notices; the refusal is the stage's own."""
        rows = await self.harness.tenant.fetch(
            "select subject_kind, code from sync_issues where connection_id = :c and state = 'open'"
            " and code <> 'PERIOD_CLOSED' and subject_id = any(:subjects) order by subject_kind, code",
            subjects=self._subjects,
        )
        notices = await self.harness.tenant.fetch(
            "select code from notices where connection_id = :c and subject_id = any(:subjects) order by code",
            subjects=self._subjects,
        )
        return [
            *(f"issue of the {row.subject_kind.replace('purchase_', '')}: {row.code}" for row in rows),
            *(f"notice: {row.code}" for row in notices),
        ]

    @property
    def _subjects(self) -> list[str]:
        order = self.order.erp_id, self.harness.tenant.id_of(self.order)
        return [*order, *(one for one in (self.bill_id, self.payment_id) if one is not None)]

    # --- the figures -----------------------------------------------------------------------------------------

    async def figures_there(self) -> Figures | None:
        """Recompute the figures from what the ERP holds; None: of an order that is left out they stay as they were.

        E is what the ERP counts as billed, P what we have accepted beyond it, R what was received and not sent back. An
        order that is gone has no figures.
        """
        erp = self.harness.erp
        order = erp.orders.get(self.order.erp_id)
        if order is None:
            return {}
        if order.currency != "USD":
            return None
        received, returned, credited = self._moved()
        pending = await self._pending()
        rests = [one for one in erp.orders.values() if one.created_from == order.document_id]
        figures: Figures = {}
        for line in erp.shown(order).lines:
            rest = [one for back_order in rests for one in back_order.lines if one.source_line == line.erp_id]
            billed = line.billed + sum((one.billed for one in rest), ZERO)
            net = max(received[line.erp_id] - returned[line.erp_id], ZERO)
            accrued = max(net - (billed - credited[line.erp_id]) - pending[line.erp_id], ZERO)
            figures[line.erp_id] = {
                "O": line.quantity,
                "R": net,
                "E": billed,
                "P": pending[line.erp_id],
                "C": credited[line.erp_id],
                "accrued": accrued,
                "accrual": accrued * line.price,
            }
        return figures

    async def figures_here(self) -> Figures | None:
        """Return the ledger's figures and those of the report of goods received and not invoiced, as the mirror has
        them."""
        row = await self.harness.tenant.row(self.order)
        if row.left_out:
            return None
        report = {
            line_no: line
            for (number, line_no), line in (await self.harness.tenant.grni_lines(date(2027, 1, 1))).items()
            if number == row.number
        }
        if row.deleted_at is not None:
            assert report == {}
            return {}
        async with self.harness.tenant.database.transaction() as session:
            lines = await ledger.lines(session, PurchaseOrderId(row.id))
        return {
            line.erp_id: {
                "O": line.ordered,
                "R": line.received,
                "E": line.billed,
                "P": line.pending,
                "C": line.credited,
                "accrued": report[line.line_no].accrual_quantity if line.line_no in report else ZERO,
                "accrual": report[line.line_no].accrual if line.line_no in report else ZERO,
            }
            for line in lines
        }

    def _moved(self) -> tuple[Mapping[str, Decimal], Mapping[str, Decimal], Mapping[str, Decimal]]:
        """What was received, returned and credited there, by order line."""
        received: dict[str, Decimal] = defaultdict(Decimal)
        for receipt in self.harness.erp.receipts_held.values():
            if receipt.order_document == self.order.document_id and receipt.erp_status != "Draft":
                for line in receipt.lines:
                    received[line.order_line or ""] += line.quantity
        returned: dict[str, Decimal] = defaultdict(Decimal)
        credited: dict[str, Decimal] = defaultdict(Decimal)
        for credit in self.harness.erp.credited.get(self.order.erp_id, ()):
            returned[credit.order_line] += credit.returned
            credited[credit.order_line] += credit.quantity
        return received, returned, credited

    async def _pending(self) -> Mapping[ErpId, Decimal]:
        """What our bill takes of its order line and the ERP does not count yet."""
        pending: dict[ErpId, Decimal] = defaultdict(Decimal)
        if self.bill_id is not None:
            status = BillStatus((await self.harness.tenant.bill_row(self.bill_id)).status)
            needs = (await self.harness.waits_for(self.bill_id)).needs
            # In a unit that nobody knows, nobody knows how much it takes.
            if status.is_before_erp and "UOM_UNKNOWN" not in needs:
                pending[self.order.lines[0].erp_id] = BILLED
        return pending
