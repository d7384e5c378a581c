"""Read vendor bills and credits, with what is paid and due on them (reference 4, 5.3)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from erp.errors import AuthenticationFailed, NotFound, Rejected
from erp.netsuite import credits, statuses, transactions, translate, wire
from erp.netsuite.currencies import Currencies
from erp.netsuite.reader import Reader
from erp.netsuite.transactions import BILL, CREDIT, PAYMENT, changed, look_back
from erp.netsuite.translate import Unusable
from erp.netsuite.wire import Fields, NsRecord
from erp.roles.pages import BadRecord, Page
from models.domain.bills import BillKind, ErpBill, ErpBillLine
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.payments import ErpPaymentShare


class Due(NamedTuple):
    """What is paid and what is due on a bill. They come from search columns, because the record has no such fields."""

    paid: Decimal
    due: Decimal


class BillsIn:
    """Reads the bills and credits of one connection."""

    def __init__(self, source: Reader, currencies: Currencies, entity: str | None) -> None:
        self._reader = source
        self._currencies = currencies
        self._entity = entity

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        """Read a page of bills and credits: those that changed, and those whose due amount a changed payment or credit
        moved."""
        start = None if since is None else look_back(since)
        differences = await self._reader.page(changed([BILL, CREDIT], start, self._entity, whole=True), after)
        records = list(differences.records)
        touched: Mapping[str, str] = {}
        if after is None:
            payments = await self._reader.all(changed([PAYMENT, CREDIT], start, self._entity, whole=True))
            touched = transactions.latest_touch(payments, "bill")
            records += await self._moved(records, touched)
        bills, bad = await self._whole(records, touched)
        return Page(bills, differences.after, max((bill.revision for bill in bills), default=None), bad)

    async def numbered(self, vendor_id: str, number: str) -> Sequence[ErpBill]:
        """Return the vendor's bills with this reference number. One that cannot be read is reported when its page
        comes."""
        records = await self._reader.all(transactions.bills_numbered(vendor_id, number, self._entity))
        bills, _ = await self._whole(records, {})
        return bills

    async def read(self, credits: Sequence[ErpId], bills: Sequence[ErpId]) -> Page[ErpBill]:
        """Read these credits and bills, each whole; what NetSuite does not show is left out. A credit that was changed
        moves what is due on the bills, which do not change themselves."""
        read = await self._reader.records(
            [*(("vendorCredit", one) for one in credits), *(("vendorBill", one) for one in bills)]
        )
        records: list[NsRecord] = []
        for outcome in read.values():
            if isinstance(outcome, NsRecord):
                records.append(outcome)
            elif not isinstance(outcome, NotFound):
                raise outcome
        moved = max((translate.revision(one) for one in records if one.kind == "VendorCredit"), default="")
        shown, bad = await self._whole(records, dict.fromkeys(bills, moved))
        return Page(shown, None, None, bad)

    async def _whole(
        self, records: Sequence[NsRecord], touched: Mapping[str, str]
    ) -> tuple[list[ErpBill], list[BadRecord]]:
        """Return the records as bills, with what is paid and due; `touched`: when another record last moved that."""
        if not records:
            return [], []
        await self._currencies.know({known for one in records if (known := wire.ref_id(one.fields, "currency"))})
        due = await self.due([record.id for record in records if record.kind == "VendorBill"])
        made = [record for record in records if record.kind == "VendorCredit"]
        sources = await credits.sources_of(self._reader, made, records)
        return translate.usable(records, lambda record: self._bill(record, due, sources, touched.get(record.id, "")))

    async def due(self, bills: Sequence[str]) -> Mapping[str, Due | Unusable]:
        """Return what is paid and due, by bill, or why that cannot be read."""
        if not bills:
            return {}
        rows = await self._reader.columns(bills, ("amountPaid", "amountRemaining"))
        due: dict[str, Due | Unusable] = {}
        for bill, row in rows.items():
            try:
                paid = wire.money(row.get("amountPaid") or "0")
                due[bill] = Due(paid, wire.money(row.get("amountRemaining") or "0"))
            except ValueError as error:
                due[bill] = translate.unreadable("amountPaid", error)
        return due

    async def _moved(self, records: Sequence[NsRecord], touched: Mapping[str, str]) -> list[NsRecord]:
        there = {record.id for record in records}
        read = await self._reader.records([("vendorBill", bill) for bill in sorted(touched.keys() - there)])
        moved: list[NsRecord] = []
        for outcome in read.values():
            if isinstance(outcome, NsRecord):
                moved.append(outcome)
            elif not isinstance(outcome, NotFound | Rejected | AuthenticationFailed):  # one that is not for this role
                raise outcome
        return moved

    def _bill(
        self, record: NsRecord, due: Mapping[str, Due | Unusable], sources: Mapping[str, NsRecord], touched: str
    ) -> ErpBill:
        if record.kind == "VendorCredit":
            return self._credit(record, sources)
        total = translate.money(record.fields, "userTotal")
        if total is None:
            raise translate.missing(f"Bill {wire.text(record.fields, 'tranId') or record.id}", "userTotal")
        # If the role may not see amounts, NetSuite shows no row for an unpaid bill: assume nothing.
        figures = due.get(record.id)
        if isinstance(figures, Unusable):
            raise figures
        if figures is None:
            raise translate.missing(f"Bill {wire.text(record.fields, 'tranId') or record.id}", "amountRemaining")
        lines = [
            _line(line, _billed(line, expense=expense), item=not expense) for line, expense in credits.lines_of(record)
        ]
        orders = sorted(transactions.orders_touched(record))
        return ErpBill(
            erp_id=ErpId(record.id),
            number=wire.text(record.fields, "tranId") or "",
            vendor_id=translate.need_ref(record, "entity").id,
            order_document=DocumentId(orders[0]) if orders else None,
            reference=None,
            source_document=DocumentId(record.id),
            external_key=ExternalKey(record.external_id) if record.external_id else None,
            bill_date=translate.need_day(record, "tranDate"),
            due_date=translate.optional_day(record, "dueDate"),
            currency=self._currencies.of(record.fields),
            total=total,
            paid=figures.paid,
            due=figures.due,
            state=translate.need(record, "status"),
            rejected=transactions.state(record) in statuses.DEAD_BILLS,
            memo=wire.text(record.fields, "memo") or "",
            revision=max(translate.revision(record), touched),
            lines=tuple(line.model_copy(update={"line_no": number}) for number, line in enumerate(lines, start=1)),
        )

    def _credit(self, record: NsRecord, sources: Mapping[str, NsRecord]) -> ErpBill:
        """Return a vendor credit as a bill with a negative total. Its lines are linked to the order lines they take
        back, as far as NetSuite's records name them."""
        total = credits.total_of(record)
        shares = [
            ErpPaymentShare(bill_erp_id=ErpId(doc), amount=amount)
            for doc, amount in transactions.applied(record)
            if amount
        ]
        applied = translate.money(record.fields, "applied")
        if applied is None:
            applied = sum((share.amount for share in shares), translate.ZERO)
        lines: list[ErpBillLine] = []
        credited: set[str] = set()
        for line, expense in credits.lines_of(record):
            origin = credits.origin(record, line, sources, expense=expense)
            if origin is not None and origin.bill is not None:
                credited.add(origin.bill)
            link = None if origin is None else (origin.order, origin.line)
            lines.append(_line(line, link, item=not expense, sign=-1))
        orders = sorted({line.order_document for line in lines if line.order_document is not None})
        # One made from a return names it: people know that by its number.
        source = sources.get(wire.ref_id(record.fields, "createdFrom") or "")
        goods = source if source is not None and source.kind == credits.RETURN_AUTHORIZATION else None
        return ErpBill(
            erp_id=ErpId(record.id),
            kind=BillKind.CREDIT,
            number=wire.text(record.fields, "tranId") or "",
            vendor_id=translate.need_ref(record, "entity").id,
            order_document=orders[0] if orders else None,
            reference=None if goods is None else wire.text(goods.fields, "tranId"),
            source_document=DocumentId(record.id),
            external_key=ExternalKey(record.external_id) if record.external_id else None,
            bill_date=translate.need_day(record, "tranDate"),
            currency=self._currencies.of(record.fields),
            total=-total,
            paid=-applied,
            due=applied - total,
            state=wire.text(record.fields, "status") or "Vendor Credit",
            memo=wire.text(record.fields, "memo") or "",
            revision=translate.revision(record),
            applied=tuple(shares),
            credits_payable=ErpId(credited.pop()) if len(credited) == 1 else None,
            lines=tuple(line.model_copy(update={"line_no": number}) for number, line in enumerate(lines, start=1)),
        )


def _billed(fields: Fields, *, expense: bool) -> tuple[str, ErpId] | None:
    """Return the order line that a bill's line bills."""
    order, number = wire.text(fields, "orderDoc"), wire.text(fields, "orderLine")
    return (order, translate.line_id(order, number, expense=expense)) if order and number else None


def _line(fields: Fields, link: tuple[str, ErpId] | None, *, item: bool, sign: int = 1) -> ErpBillLine:
    quantity = translate.optional_decimal(fields, "quantity")
    order, line = link or (None, None)
    return ErpBillLine(
        line_no=0,
        account=None if item else wire.ref_id(fields, "account") or wire.ref_id(fields, "category"),
        item_id=wire.ref_id(fields, "item") if item else None,
        description=wire.text(fields, "description" if item else "memo") or "",
        quantity=None if quantity is None else sign * quantity,
        amount=sign * (translate.money(fields, "amount") or translate.ZERO),
        order_line=line,
        source_line=line,
        order_document=None if order is None else DocumentId(order),
    )
