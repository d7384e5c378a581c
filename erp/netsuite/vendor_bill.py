"""A bill on its way out: a vendor bill whose lines bill lines of orders (S4-37, S4-65..70; reference 3.5, 5.3, 7)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from erp.errors import Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected
from erp.netsuite import bill_edits, reader, translate, wire
from erp.netsuite.accounts import Accounts
from erp.netsuite.bill_lines import HeldLine, Line, expense, held_lines, item, lines_of, order_line, paired
from erp.netsuite.currencies import Currencies
from erp.netsuite.lists import PAYABLE
from erp.netsuite.orders import Orders
from erp.netsuite.preferences import Preferences
from erp.netsuite.reader import Reader, Search
from erp.netsuite.wire import Held
from erp.netsuite.writer import Writer, given, reference
from models.domain import BillToPush, DocumentId, ErpId, PurchaseOrderSnapshot, PushedBill

KIND = "vendorBill"


class VendorBills:
    """Vendor bills of one connection."""

    def __init__(
        self,
        source: Reader,
        writer: Writer,
        orders: Orders,
        currencies: Currencies,
        accounts: Accounts,
        preferences: Preferences,
    ) -> None:
        self._reader = source
        self._writer = writer
        self._orders = orders
        self._currencies = currencies
        self._accounts = accounts
        self._preferences = preferences

    async def find(self, bill: BillToPush) -> DocumentId | None:
        """The bill that carries our key as its external id."""
        found = await self._reader.by_external_id(KIND, bill.external_key)
        return None if found is None else DocumentId(found.id)

    async def create(self, bill: BillToPush) -> DocumentId:
        """Add it under our key: a second attempt is refused as Duplicate. Raises ORDER_NOT_FOUND, ORDER_LINE_GONE,
        CHARGES_NOT_TAKEN, and what NetSuite's rules refuse, NOT_RECEIVED among it (S4-70)."""
        lines = lines_of(bill)
        orders = await self._orders_of(lines)
        home = orders[lines[0].order]
        record = await self._vendor_bill(bill, lines, orders, home)
        return DocumentId(await self._writer.add("VendorBill", record))

    async def _orders_of(self, lines: Sequence[Line]) -> dict[str, Held]:
        wanted = list(dict.fromkeys(line.order for line in lines))
        found = await self._reader.records([("purchaseOrder", order) for order in wanted])
        orders: dict[str, Held] = {}
        for order in wanted:
            try:
                orders[order] = reader.shown(found, order)
            except NotFound as error:
                raise Rejected(
                    f"NetSuite shows no purchase order {order} any more.",
                    code="ORDER_NOT_FOUND",
                    erp_code=error.erp_code,
                    evidence=error.evidence,
                ) from error
        return orders

    async def _vendor_bill(
        self, bill: BillToPush, lines: Sequence[Line], orders: dict[str, Held], home: Held
    ) -> dict[str, Any]:
        zone = wire.zone(wire.text(home.fields, "tranDate"))
        items = [item(line, order_line(line, orders)) for line in lines if not line.expense]
        expenses = [expense(line, order_line(line, orders)) for line in lines if line.expense]
        expenses += await self._charges(bill)
        account = self._preferences.ap_account
        return given(
            externalId=bill.external_key,
            account=reference(await self._accounts.need(PAYABLE, account, "payable account") if account else None),
            entity=reference(bill.vendor_id),
            subsidiary=reference(wire.ref_id(home.fields, "subsidiary")),
            postingPeriod=reference(await self._posting_period(bill, zone)),
            tranDate=wire.noon(bill.bill_date, zone),
            dueDate=wire.noon(bill.due_date, zone),
            tranId=wire.carried(bill.number),
            memo=wire.carried(bill.memo),
            currency=reference(wire.ref_id(home.fields, "currency")),
            # Our lines are all there are: false never deletes any.
            expenseList={"replaceAll": False, "expense": expenses} if expenses else None,
            itemList={"replaceAll": False, "item": items} if items else None,
        )

    async def _charges(self, bill: BillToPush) -> list[dict[str, Any]]:
        """Money beyond the lines, as expenses of the accounts that the preferences name."""
        named = self._preferences.charge_accounts
        unnamed = [charge.kind for charge in bill.charges if charge.kind not in named]
        if unnamed:
            raise Rejected(
                f"No account is named for {', '.join(unnamed)}.",
                code="CHARGES_NOT_TAKEN",
                evidence={"kinds": ", ".join(unnamed)},
            )
        kinds = {charge.kind for charge in bill.charges}
        accounts = {kind: await self._accounts.need("", named[kind], "account") for kind in kinds}
        return [
            given(
                account=reference(accounts[charge.kind]),
                amount=wire.plain(charge.amount),
                memo=wire.carried(charge.description or charge.kind.value),
                department=reference(bill.lines[0].department),
                **{"class": reference(bill.lines[0].class_id)},
                location=reference(bill.lines[0].location),
            )
            for charge in bill.charges
        ]

    async def _posting_period(self, bill: BillToPush, zone: timezone) -> str | None:
        """The period to post in, where it is not the bill date's own. Raises PERIOD_CLOSED when there is none."""
        if (bill.posting_date.year, bill.posting_date.month) == (bill.bill_date.year, bill.bill_date.month):
            return None
        on = wire.noon(bill.posting_date, zone)
        criteria = {
            "startDate": {"operator": "onOrBefore", "searchValue": on},
            "endDate": {"operator": "onOrAfter", "searchValue": on},
            "isQuarter": {"searchValue": False},
            "isYear": {"searchValue": False},
        }
        for period in await self._reader.all(Search("AccountingPeriodSearchBasic", criteria)):
            if _within(period, bill.posting_date) and not wire.flag(period.fields, "isAdjust"):
                return period.id
        raise Rejected(
            f"NetSuite has no accounting period for {bill.posting_date}.",
            code="PERIOD_CLOSED",
            evidence={"posting_date": bill.posting_date.isoformat()},
        )

    # --- editing ------------------------------------------------------------------------------------------------

    async def update(self, bill: BillToPush, document: DocumentId) -> None:
        """Change the bill to what it says now. Values are absolute: what NetSuite holds like that already was taken by
        an earlier attempt, which is told as Duplicate, and nothing is sent."""
        try:
            record = await self._reader.record(KIND, document)
        except NotFound as error:
            message = f"Bill {document} is no longer in NetSuite, so it cannot be edited there."
            raise Rejected(message, code="DELETED_IN_ERP", evidence={"document": document}) from error
        pairs = paired(lines_of(bill), held_lines(record))
        if not bill_edits.differences(bill, record, pairs):
            raise Duplicate(f"NetSuite holds this edition of bill {document} already.", code="ALREADY_SENT")
        zone = wire.zone(wire.text(record.fields, "tranDate"))
        await self._writer.update("VendorBill", bill_edits.update(bill, record, pairs, zone))

    # --- reading back -------------------------------------------------------------------------------------------

    async def read_back(self, bill: BillToPush, document: DocumentId) -> PushedBill:
        """What NetSuite holds, compared with what was sent, with the order as it is now.

        Raises OutcomeUnknown when the bill is not shown: it was written, and is to be looked up again.
        """
        now = await self._orders.clock()
        home = bill.order_document
        found = await self._reader.records([("purchaseOrder", home), (KIND, document)])
        try:
            record = reader.shown(found, document)
        except NotFound as error:
            raise OutcomeUnknown(f"NetSuite does not show bill {document}.", code="OUTCOME_UNKNOWN") from error
        await self._currencies.know({known for known in [wire.ref_id(record.fields, "currency")] if known})
        lines, held = lines_of(bill), held_lines(record)
        pairs = paired(lines, held)
        total = translate.money(record.fields, "userTotal")
        if total is None:
            amounts = [translate.money(one.fields, "amount") or translate.ZERO for one in held]
            total = sum(amounts, translate.ZERO)
        if bill.is_edit:
            differences = bill_edits.differences(bill, record, pairs)
        else:
            differences = [*self._header_differences(bill, record, total), *_line_differences(bill, pairs, held)]
        return PushedBill(
            erp_id=ErpId(record.id),
            document_id=document,
            payable_id=ErpId(record.id),
            total=total,
            revision=translate.revision(record),
            linked=all(match is not None and match.link == line.first.order_line for line, match in pairs),
            differences=tuple(differences),
            snapshot=await self._snapshot(home, found, now, document),
        )

    async def _snapshot(
        self, home: str, found: Mapping[str, Held | ErpError], now: datetime, pushed: str
    ) -> PurchaseOrderSnapshot | None:
        """The order as it is now; without it the bill is pushed all the same, and the order's own reading reports."""
        try:
            return await self._orders.snapshot(home, found, now, new=pushed)
        except (NotFound, Rejected):
            return None

    def _header_differences(self, bill: BillToPush, record: Held, total: Decimal) -> list[str]:
        found = record.fields
        pairs = [
            ("the vendor", bill.vendor_id, wire.ref_id(found, "entity")),
            ("the supplier's invoice number", wire.carried(bill.number), wire.text(found, "tranId")),
            ("our key", bill.external_key.casefold(), (record.external_id or "").casefold()),
            ("the currency", bill.currency, self._currencies.of(found) or bill.currency),
            ("the bill date", bill.bill_date, translate.optional_day(record, "tranDate")),
            ("the due date", bill.due_date, translate.optional_day(record, "dueDate") or bill.due_date),
            ("the total", bill.total, total),
        ]
        differences = [
            f"{what}: sent {sent}, NetSuite has {held or 'nothing'}" for what, sent, held in pairs if sent != held
        ]
        # What we left to NetSuite's defaults is no difference, whatever it filled in.
        if bill.memo:
            differences += bill_edits.text_difference("the memo", bill.memo, wire.text(found, "memo"))
        return differences


def _line_differences(
    bill: BillToPush, pairs: Sequence[tuple[Line, HeldLine | None]], held: Sequence[HeldLine]
) -> list[str]:
    expected = len(pairs) + len(bill.charges)
    # Charges that got lost show in the total.
    if len(held) not in (expected, len(pairs)):
        return [f"the number of lines: sent {expected}, NetSuite has {len(held)}"]
    differences: list[str] = []
    for line, match in pairs:
        name = f"line {line.first.line_no}"
        if match is None:
            differences.append(f"{name}: NetSuite does not have it")
            continue
        found, sent = match.fields, line.first
        compared: list[tuple[str, Any, Any]] = [
            ("the amount", line.amount, translate.money(found, "amount")),
            ("the department", sent.department, wire.ref_id(found, "department")),
            ("the class", sent.class_id, wire.ref_id(found, "class")),
            ("the location", sent.location, wire.ref_id(found, "location")),
            ("the project", sent.project, wire.ref_id(found, "customer")),
        ]
        if not line.expense:
            compared.insert(0, ("the item", sent.item_id, wire.ref_id(found, "item")))
            if wire.text(found, "quantity") is not None:
                compared.insert(1, ("the quantity", line.quantity, translate.optional_decimal(found, "quantity")))
        differences += [
            f"{name}, {what}: sent {mine}, NetSuite has {theirs or 'nothing'}"
            for what, mine, theirs in compared
            if mine not in (None, "") and mine != theirs
        ]
        if sent.description:
            said = wire.text(found, "memo" if line.expense else "description")
            differences += bill_edits.text_difference(f"{name}, the description", sent.description, said)
    return differences


def _within(period: Held, on: date) -> bool:
    start, end = translate.optional_day(period, "startDate"), translate.optional_day(period, "endDate")
    return start is not None and end is not None and start <= on <= end
