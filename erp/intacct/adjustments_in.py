"""Read adjustments of Accounts Payable: vendor credits (debit memos), and those that raise what is owed (3.7).

An adjustment's reference is text that people type: a bill's number or an order's. What is applied of one shows in the
details of payments, those without money among them.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

from lxml import etree

from erp.intacct import own_key, statuses, translate, wire
from erp.intacct.documents import changed_since
from erp.intacct.preferences import Preferences
from erp.intacct.reader import BATCH, IntacctReader
from erp.intacct.wire import Query, Row
from erp.records import made
from erp.roles.pages import BadRecord, Page
from models.domain.bills import BillKind, ErpBill, ErpBillLine
from models.domain.ids import DocumentId, ErpId, ExternalKey
from models.domain.payments import ErpPaymentShare

OBJECT = "APADJUSTMENT"

ITEM_FIELDS = ("LINE_NO", "ACCOUNTNO", "ITEMID", "ENTRYDESCRIPTION", "TRX_AMOUNT", "AMOUNT")
"""What of an adjustment's or a bill's line is looked at."""

NOT_READABLE = frozenset({"PERMISSION_DENIED", "QUERY_REFUSED"})
"""The refusals of a user who may not read adjustments: the company then shows none."""

_PREFIX = f"{OBJECT} "


def erp_id_of(record_number: str) -> ErpId:
    """Return the name under which an adjustment is known here: bills count their record numbers on their own."""
    return ErpId(f"{_PREFIX}{record_number}")


def record_of(erp_id: str) -> str | None:
    """Return the record number of an adjustment; None: it is a bill's."""
    return erp_id.removeprefix(_PREFIX) if erp_id.startswith(_PREFIX) else None


class AdjustmentsIn:
    """Reads the adjustments of one connection."""

    def __init__(self, reader: IntacctReader, preferences: Preferences, home_level: str | None) -> None:
        self._reader = reader
        self._preferences = preferences
        self._level = home_level

    async def page(self, *, since: str | None, after: str | None) -> Page[ErpBill]:
        """Read a page of adjustments with their lines and what is applied of each."""
        query = Query(
            OBJECT,
            ("RECORDNO", "WHENMODIFIED"),
            changed_since(since),
            optional=("AUWHENCREATED", "MEGAENTITYID"),
            after=after,
            absent_by=NOT_READABLE,
        )
        (page,) = await self._reader.first_pages([query], level=self._level)
        adjustments, bad = await self._whole(page.rows)
        high_water = max((one.revision for one in adjustments), default=None)
        return Page(adjustments, page.last if page.more else None, high_water, bad)

    async def read(self, erp_ids: Sequence[ErpId]) -> tuple[list[ErpBill], list[BadRecord]]:
        """Read these adjustments; what Intacct does not show is left out."""
        numbers = [number for erp_id in erp_ids if (number := record_of(erp_id)) is not None]
        if not numbers:
            return [], []
        query = Query(
            OBJECT,
            ("RECORDNO", "WHENMODIFIED"),
            wire.one_of("RECORDNO", numbers),
            optional=("AUWHENCREATED", "MEGAENTITYID"),
        )
        (rows,) = await self._reader.all_rows([query], level=self._level)
        return await self._whole(rows)

    async def _whole(self, shown: Sequence[Row]) -> tuple[list[ErpBill], list[BadRecord]]:
        """Read the listed adjustments with their lines and what is applied of each."""
        listed = [row for row in shown if "RECORDNO" in row]
        if not listed:
            return [], []
        applied = await self._applied([row["RECORDNO"] for row in listed])
        adjustments: list[ErpBill] = []
        bad: list[BadRecord] = []
        async for rows, records in self._reader.owned(OBJECT, listed, level=self._level):
            for start in range(0, len(rows), BATCH):
                usable, unusable = translate.usable(rows[start : start + BATCH], partial(self._made, records, applied))
                adjustments += usable
                bad += unusable
                await asyncio.sleep(0)
        return adjustments, bad

    def _made(
        self, records: Mapping[str, etree._Element], applied: Mapping[str, Sequence[ErpPaymentShare]], row: Row
    ) -> ErpBill:
        record = translate.shown(records, row)
        items = wire.owned_rows(record, "APADJUSTMENTITEMS", ITEM_FIELDS)
        shares = applied.get(row["RECORDNO"], ())
        return _adjustment(wire.flat(record), items, shares, self._preferences.key_field)

    async def _applied(self, numbers: Sequence[str]) -> Mapping[str, Sequence[ErpPaymentShare]]:
        """Return, by adjustment, the bills that it is applied to, as the payments say that Intacct has posted."""
        fields = ("RECORDNO", "PAYMENTKEY", "RECORDKEY", "ADJUSTMENTKEY", "TRX_ADJUSTMENTAMOUNT")
        (details,) = await self._reader.all_rows(
            [Query("APPYMTDETAIL", fields, wire.one_of("ADJUSTMENTKEY", numbers))], level=self._level
        )
        used = [row for row in details if {"PAYMENTKEY", "RECORDKEY", "ADJUSTMENTKEY"} <= row.keys()]
        if not used:
            return {}
        where = wire.one_of("RECORDNO", sorted({row["PAYMENTKEY"] for row in used}))
        (payments,) = await self._reader.all_rows([Query("APPYMT", ("RECORDNO", "STATE"), where)], level=self._level)
        posted = {
            row.get("RECORDNO")
            for row in payments
            if row.get("STATE", "").casefold() in statuses.SETTLED_PAYMENT_STATES
        }
        sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        for row in used:
            if row["PAYMENTKEY"] in posted:
                amount = translate.optional_decimal(row, "TRX_ADJUSTMENTAMOUNT") or Decimal(0)
                sums[row["ADJUSTMENTKEY"], row["RECORDKEY"], row["PAYMENTKEY"]] += abs(amount)
        shares: dict[str, list[ErpPaymentShare]] = defaultdict(list)
        for (adjustment, bill, payment), amount in sorted(sums.items()):
            if amount:
                share = ErpPaymentShare(bill_erp_id=ErpId(bill), amount=amount, payment=ErpId(payment))
                shares[adjustment].append(share)
        return shares


def _adjustment(row: Row, items: Sequence[Row], applied: Sequence[ErpPaymentShare], key_field: str | None) -> ErpBill:
    erp_id = erp_id_of(translate.need(row, "RECORDNO"))
    total = amount_of(row, "TOTALENTERED")
    lowers = total < 0
    # A debit memo's open part may be shown with either sign.
    left = abs(amount_of(row, "TOTALDUE"))
    key = own_key.key_of(row, key_field) or row.get("RECORDID")
    return made(
        ErpBill,
        erp_id=erp_id,
        kind=BillKind.CREDIT if lowers else BillKind.ADJUSTMENT,
        number=row.get("RECORDID", ""),
        vendor_id=translate.need(row, "VENDORID"),
        reference=row.get("DOCNUMBER"),
        source_document=DocumentId(erp_id),
        external_key=ExternalKey(key) if key else None,
        bill_date=translate.need_day(row, "WHENCREATED"),
        currency=row.get("CURRENCY") or row.get("BASECURR") or "",
        entity=row.get("MEGAENTITYID"),
        total=total,
        paid=total + left if lowers else total - left,
        due=-left if lowers else left,
        state=translate.need(row, "STATE"),
        reversed=statuses.is_dead_bill(row),
        memo=own_key.split(row.get("DESCRIPTION", "")).memo,
        revision=translate.revision(row),
        lines=tuple(_line(item) for item in items),
        applied=tuple(applied) if lowers else (),
    )


def amount_of(row: Row, field: str) -> Decimal:
    """Return an amount in the transaction's own currency if Intacct gives it, else in the base currency."""
    value = translate.optional_decimal(row, f"TRX_{field}")
    return value if value is not None else translate.need_decimal(row, field)


def _line(item: Row) -> ErpBillLine:
    return made(
        ErpBillLine,
        line_no=int(translate.need_decimal(item, "LINE_NO")),
        account=translate.natural(item.get("ACCOUNTNO")),
        item_id=translate.natural(item.get("ITEMID")),
        description=item.get("ENTRYDESCRIPTION", ""),
        amount=amount_of(item, "AMOUNT"),
    )
