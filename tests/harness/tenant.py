"""A tenant with its connection, and what a test does with it: each call is one transaction, as in the product.

Real: PostgreSQL and the store. Fake: nothing; what comes "from the ERP" is built by the test.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import ErpBill
from models.domain.connections import Erp
from models.domain.ids import BillId, ConnectionId, OrganizationId, PurchaseOrderId
from models.domain.invoice_numbers import number_key
from models.domain.orders import (
    MatchingStatus,
    OrderBilling,
    OrderCredit,
    PoStatus,
    PurchaseOrder,
    PurchaseOrderSnapshot,
)
from models.domain.payments import ErpPayment
from models.domain.receipts import Receipt, ReceiptStatus
from models.domain.sync import Deletion
from models.store.audit import writes
from models.store.base.database import Database
from models.store.connections import connections, organizations
from models.store.orders import grni, purchase_orders, receipts
from models.store.orders.purchase_orders import MappedOrder, Upserted
from models.store.payables import bills, erp_bills, erp_payments
from models.store.payables.erp_bills import ErpBillsUpserted
from models.store.payables.erp_payments import ErpPaymentsUpserted
from models.store.sync import deletions
from models.store.sync.deletions import Deleted
from models.tables import BillRow, ConnectionRow, PaymentRow, PurchaseOrderLineRow, PurchaseOrderRow
from tests.builders.records import (
    an_order,
)

CAPABILITIES = {"receipts_count_as_billed": True, "several_sources_per_bill": False, "retract_by": ["delete"]}


def mapped(order: PurchaseOrder) -> MappedOrder:
    return MappedOrder(order, PoStatus.UNFILLED, MatchingStatus.ACTIVE)


@dataclass
class Tenant:
    database: Database
    organization_id: OrganizationId
    connection_id: ConnectionId
    receipts_count_as_billed: bool = True

    # --- in from the ERP ---------------------------------------------------------------------------------------

    async def page(self, *orders: PurchaseOrder | MappedOrder) -> Upserted:
        """A page of orders, read by a sync run."""
        async with self.database.transaction() as s:
            return await purchase_orders.upsert(
                s,
                self.connection_id,
                [order if isinstance(order, MappedOrder) else mapped(order) for order in orders],
                receipts_count_as_billed=self.receipts_count_as_billed,
            )

    async def refresh(
        self,
        order: PurchaseOrder,
        billings: Sequence[OrderBilling] = (),
        received: Sequence[Receipt] = (),
        credits: Sequence[OrderCredit] = (),
        began: datetime | None = None,
        frees: bool = False,
    ) -> tuple[BillId, ...]:
        """One order read whole by its own workflow, or behind a bill that was taken back."""
        snapshot = PurchaseOrderSnapshot(
            purchase_order=order,
            receipts=tuple(received),
            billings=tuple(billings),
            credits=tuple(credits),
            began=began,
        )
        async with self.database.transaction() as s:
            return await purchase_orders.apply_snapshot(
                s,
                self.connection_id,
                snapshot,
                mapped(order),
                [(receipt, ReceiptStatus.ACTIVE) for receipt in received],
                receipts_count_as_billed=self.receipts_count_as_billed,
                frees=frees,
            )

    async def receive(self, *received: Receipt, status: ReceiptStatus = ReceiptStatus.ACTIVE) -> Upserted:
        async with self.database.transaction() as s:
            return await receipts.upsert(
                s,
                self.connection_id,
                [(receipt, status) for receipt in received],
                receipts_count_as_billed=self.receipts_count_as_billed,
            )

    async def bills_in(self, *erp: ErpBill) -> ErpBillsUpserted:
        async with self.database.transaction() as s:
            return await erp_bills.upsert(s, await self._connection(s), erp)

    async def payments_in(self, *erp: ErpPayment) -> ErpPaymentsUpserted:
        async with self.database.transaction() as s:
            return await erp_payments.upsert(s, await self._connection(s), erp)

    async def deleted(self, *gone: Deletion) -> Deleted:
        async with self.database.transaction() as s:
            return await deletions.apply(s, await self._connection(s), gone)

    # --- ours --------------------------------------------------------------------------------------------------

    async def bill(self, order: PurchaseOrder, quantities: dict[int, int], *, number: str | None = None) -> BillId:
        """A bill of ours, saved and reserving; nothing is sent yet."""
        number = number or f"INV-{secrets.token_hex(4)}"
        bill_id = bills.bill_id_for(self.organization_id, number, number)
        lines = {line.line_no: line for line in order.lines}
        new = bills.NewBill(
            id=bill_id,
            organization_id=self.organization_id,
            connection_id=self.connection_id,
            purchase_order_id=self.id_of(order),
            order_number=order.number,
            vendor_id=order.vendor_id,
            vendor_name=order.vendor_name,
            number=number,
            number_key=number_key(number),
            bill_date=date(2026, 3, 1),
            posting_date=date(2026, 3, 1),
            due_date=None,
            currency="USD",
            memo="",
            total=sum((lines[no].price * quantity for no, quantity in quantities.items()), Decimal(0)),
            match_outcome="OK",
            created_by="someone",
            lines=[
                bills.NewBillLine(
                    line_no=position,
                    order_line_no=no,
                    item_id=lines[no].item_id,
                    description="",
                    quantity=Decimal(quantity),
                    unit="Each",
                    price=lines[no].price,
                    amount=lines[no].price * quantity,
                    account=None,
                    department=None,
                    location=None,
                    class_id=None,
                    project=None,
                    sources=[{"document_id": order.document_id, "line": lines[no].erp_id, "quantity": str(quantity)}],
                )
                for position, (no, quantity) in enumerate(quantities.items(), start=1)
            ],
        )
        async with self.database.transaction() as s:
            assert await bills.create(s, new)
        return bill_id

    async def send(self, bill_id: BillId) -> None:
        """Its write is on its way: the ERP may or may not have it."""
        async with self.database.transaction() as s:
            await writes.begin_attempt(s, bills.external_key_for(bill_id))

    async def synced(self, bill_id: BillId, *, erp_id: str, document: str, payable: str | None) -> None:
        """The ERP holds it and it was read back."""
        await self.execute(
            "update bills set status = 'synced', erp_id = :erp, document_id = :document, payable_id = :payable,"
            " linked_in_erp = true where id = :id",
            id=bill_id,
            erp=erp_id,
            document=document,
            payable=payable,
        )

    async def bill_in_erp(self, *, payable: str | None = "900") -> BillId:
        """Bill 4 of the 10 pieces of an order, 50.00, and have the ERP hold the bill."""
        order = an_order()
        await self.page(order)
        bill_id = await self.bill(order, {1: 4})
        await self.synced(bill_id, erp_id="8001", document="Vendor Invoice-1", payable=payable)
        return bill_id

    # --- what is there now -------------------------------------------------------------------------------------

    def id_of(self, order: PurchaseOrder) -> PurchaseOrderId:
        return purchase_orders.purchase_order_id(self.connection_id, order.erp_id)

    async def grni_lines(self, as_of: date) -> dict[tuple[str, int], grni.GrniLine]:
        """Return the report of goods received and not invoiced, by order number and line number."""
        scope = grni.GrniScope(self.organization_id, as_of, self.connection_id)
        async with self.database.transaction() as s:
            found = await grni.page(s, scope, limit=500)
        return {(line.number, line.line_no): line for line in found.items}

    async def row(self, order: PurchaseOrder) -> PurchaseOrderRow:
        async with self.database.transaction() as s:
            row = await purchase_orders.get(s, self.id_of(order))
        assert row is not None
        return row

    async def lines(self, order: PurchaseOrder) -> dict[int, PurchaseOrderLineRow]:
        async with self.database.transaction() as s:
            return {line.line_no: line for line in await purchase_orders.lines(s, self.id_of(order))}

    async def pending(self, order: PurchaseOrder) -> Decimal:
        """P of the whole order."""
        async with self.database.transaction() as s:
            facts = await purchase_orders.facts(s, self.id_of(order))
        assert facts is not None
        return facts.pending

    async def billed_net(self, order: PurchaseOrder) -> Decimal:
        """E + P of the whole order: what matching counts as billed."""
        async with self.database.transaction() as s:
            facts = await purchase_orders.facts(s, self.id_of(order))
        assert facts is not None
        return facts.billed + facts.pending

    async def to_notify(self) -> list[purchase_orders.OrderToNotify]:
        async with self.database.transaction() as s:
            return await purchase_orders.to_notify(s, self.connection_id, 1000)

    async def wake_all(self) -> None:
        async with self.database.transaction() as s:
            rows = await purchase_orders.to_notify(s, self.connection_id, 1000)
            await purchase_orders.mark_notified(s, [(row.id, row.content_hash) for row in rows])

    async def bill_row(self, bill_id: str) -> BillRow:
        async with self.database.transaction() as s:
            row = await s.get(BillRow, bill_id)
        assert row is not None
        return row

    async def bill_rows(self) -> list[BillRow]:
        async with self.database.transaction() as s:
            found = await s.execute(
                text("select id from bills where connection_id = :c order by number"), {"c": self.connection_id}
            )
            rows = [await s.get(BillRow, bill_id) for bill_id in found.scalars().all()]
        return [row for row in rows if row is not None]

    async def payment_rows(self) -> list[PaymentRow]:
        async with self.database.transaction() as s:
            found = await s.execute(
                text("select id from payments where connection_id = :c order by erp_id"), {"c": self.connection_id}
            )
            rows = [await s.get(PaymentRow, payment_id) for payment_id in found.scalars().all()]
        return [row for row in rows if row is not None]

    async def events_of(self, subject_id: str) -> list[Any]:
        return await self.fetch("select * from events where subject_id = :id order by id", id=subject_id)

    async def open_issues(self) -> dict[str, Any]:
        """The connection's open issues by code."""
        rows = await self.fetch("select * from sync_issues where connection_id = :c and state = 'open'")
        return {row.code: row for row in rows}

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.database.transaction() as s:
            await s.execute(text(statement), values)

    async def fetch(self, statement: str, **values: Any) -> list[Any]:
        async with self.database.transaction() as s:
            return list((await s.execute(text(statement), {"c": self.connection_id, **values})).all())

    async def fingerprint(self) -> list[Any]:
        """Which rows of the mirror were written last, and when: equal before and after means nothing was written."""
        tables = (
            "purchase_orders", "purchase_order_lines", "receipts", "receipt_lines", "bills", "bill_lines",
            "payments", "list_entries", "events", "sync_issues",
        )  # fmt: skip
        parts = " union all ".join(
            f"select '{table}', count(*), max(xmin::text::bigint), max(xmax::text::bigint) from {table}"
            for table in tables
        )
        return await self.fetch(parts)

    async def _connection(self, s: Any) -> ConnectionRow:
        row = await connections.get(s, self.connection_id)
        assert row is not None
        return row


async def new_connection(
    s: AsyncSession,
    *,
    company: str,
    user_name: str,
    entity: str | None,
    capabilities: Mapping[str, Any],
    **saved: Any,
) -> ConnectionRow:
    """A connection that was saved and let in."""
    request = secrets.token_hex(8)
    saved.setdefault("purchase_orders", True)
    row = await connections.save_pending(s, request=request, company=company, entity=entity, **saved)
    return await connections.authorize(
        s, ConnectionId(row.id), company=company, user_name=user_name, entity=entity, capabilities=capabilities
    )


async def new_tenant(database: Database) -> Tenant:
    async with database.transaction() as s:
        organization_id = await organizations.create_organization(s, "Acme")
        row = await new_connection(
            s,
            organization_id=organization_id,
            erp=Erp.INTACCT,
            name="Acme main",
            company="ACME",
            user_name=f"user-{secrets.token_hex(4)}",
            entity="100",
            endpoint="https://erp.example/xml",
            settings={},
            credentials=b"sealed",
            capabilities=CAPABILITIES,
            one_way=False,
            base_currency="USD",
        )
        await connections.save_preferences(s, ConnectionId(row.id), {"po_template": "Purchase Order"}, True)
    return Tenant(database, organization_id, ConnectionId(row.id))
