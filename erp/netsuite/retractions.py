"""Take a bill back: delete the vendor bill, or credit all of its lines and apply the credit to it (reference 5.4).

SOAP has neither a void nor a reversal of a vendor bill. A deleted bill frees what it billed of its orders. A credited
one stays, and its orders keep it as billed; the credit names the bill's lines, so that they count as credited
(`credits.py`).
"""

from collections.abc import Iterator
from datetime import timezone
from typing import Any

from erp.errors import Duplicate, ErpError, NotFound, OutcomeUnknown, Rejected
from erp.netsuite import credits, own_fields, transactions, translate, wire
from erp.netsuite.bills_out import KIND
from erp.netsuite.orders import Orders
from erp.netsuite.own_fields import OwnFields
from erp.netsuite.preferences import Preferences
from erp.netsuite.reader import Reader
from erp.netsuite.wire import Fields, NsRecord
from erp.netsuite.writer import Writer, given, reference
from models.domain.retractions import BillToRetract, RetractBy, RetractedBill

WAYS = (RetractBy.DELETE, RetractBy.CREDIT)

CREDIT = "vendorCredit"


class Retractions:
    """Takes the bills of one connection back."""

    def __init__(self, source: Reader, writer: Writer, orders: Orders, preferences: Preferences) -> None:
        self._own = preferences.line_fields
        self._reader = source
        self._writer = writer
        self._orders = orders

    async def take_back(self, bill: BillToRetract) -> None:
        """Delete the vendor bill by its internal id, which is never given to another record; or credit it, under our
        key as external id.

        Raises:
            Duplicate: it is credited already.
            NotFound: there is no such bill to credit.
            Rejected: a rule of the company refused it, something is applied to it, or there is no such bill.
        """
        if bill.way is RetractBy.DELETE:
            await self._writer.delete(_kind(bill), bill.erp_id)
            return
        credit = await self._reader.by_external_id(CREDIT, bill.entry_key)
        if credit is None:
            record = await self._reader.record(KIND, bill.erp_id)
            await self._writer.add("VendorCredit", _credit_of(record, bill, self._own))
        elif _is_applied(credit, bill):
            raise Duplicate(f"Bill {bill.erp_id} is credited already.", code="ALREADY_SENT")
        else:
            await self._writer.update("VendorCredit", {"internalId": credit.id, "applyList": _applied_to(bill)})

    async def shows(self, bill: BillToRetract) -> bool:
        """Return whether NetSuite still shows the bill as one that bills something."""
        shown = (await self._reader.records([(_kind(bill), bill.erp_id)]))[bill.erp_id]
        return _is_there(shown) and not await self._is_credited(bill)

    async def read_back(self, bill: BillToRetract) -> RetractedBill:
        """Read the order, together with the look-up of the bill.

        Raises:
            OutcomeUnknown: NetSuite still shows the bill, and no credit over it.
        """
        now = await self._orders.clock()
        wanted = [(_kind(bill), str(bill.erp_id))]
        if bill.order_document is not None:
            wanted.append(("purchaseOrder", str(bill.order_document)))
        read = await self._reader.records(wanted)
        if _is_there(read[bill.erp_id]) and not await self._is_credited(bill):
            raise OutcomeUnknown(f"NetSuite still shows bill {bill.erp_id}.", code="OUTCOME_UNKNOWN")
        if bill.order_document is None:
            return RetractedBill()
        try:
            return RetractedBill(snapshot=await self._orders.snapshot(bill.order_document, read, now))
        except (NotFound, Rejected):  # the order's own reading reports it
            return RetractedBill()

    async def _is_credited(self, bill: BillToRetract) -> bool:
        if bill.way is RetractBy.DELETE:
            return False
        credit = await self._reader.by_external_id(CREDIT, bill.entry_key)
        return credit is not None and _is_applied(credit, bill)


def _kind(bill: BillToRetract) -> str:
    return CREDIT if bill.is_credit else KIND


def _is_there(shown: NsRecord | ErpError) -> bool:
    """Return whether a look-up shows the record.

    Raises:
        ErpError: the look-up itself failed.
    """
    if isinstance(shown, ErpError) and not isinstance(shown, NotFound):
        raise shown
    return not isinstance(shown, ErpError)


def _is_applied(credit: NsRecord, bill: BillToRetract) -> bool:
    return any(document == bill.erp_id and amount == bill.total for document, amount in transactions.applied(credit))


def _applied_to(bill: BillToRetract) -> dict[str, Any]:
    line = {"apply": True, "doc": int(bill.erp_id), "amount": wire.plain(bill.total)}
    return {"replaceAll": False, "apply": [line]}


def _credit_of(record: NsRecord, bill: BillToRetract, own: OwnFields) -> dict[str, Any]:
    """Return the credit over all lines of a vendor bill, applied to it, with the bill's account and dimensions."""
    assert bill.dated is not None, "a credit has a day"
    zone = wire.zone(wire.text(record.fields, "tranDate"))
    lines = list(_lines(record, own, zone))
    items = [fields for fields, expense in lines if not expense]
    expenses = [fields for fields, expense in lines if expense]
    return given(
        externalId=bill.entry_key,
        createdFrom=reference(record.id),
        account=_same(record.fields, "account"),
        entity=_same(record.fields, "entity"),
        subsidiary=_same(record.fields, "subsidiary"),
        currency=_same(record.fields, "currency"),
        tranDate=wire.noon(bill.dated, zone),
        tranId=wire.carried(bill.entry_key),
        memo=wire.carried(bill.why),
        itemList={"replaceAll": False, "item": items} if items else None,
        expenseList={"replaceAll": False, "expense": expenses} if expenses else None,
        applyList=_applied_to(bill),
    )


def _lines(record: NsRecord, own: OwnFields, zone: timezone) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield each line of the bill as the credit takes it back, and whether it is an expense."""
    for line, expense in credits.lines_of(record):
        amount = translate.money(line, "amount")
        yield (
            given(
                item=None if expense else _same(line, "item"),
                account=_same(line, "account") if expense else None,
                orderLine=int(wire.text(line, "line") or 0),
                quantity=None if expense else wire.text(line, "quantity"),
                amount=None if amount is None else wire.plain(amount),
                department=_same(line, "department"),
                **{"class": _same(line, "class")},
                location=_same(line, "location"),
                customer=_same(line, "customer"),
                **own_fields.copied(line, own, zone),
            ),
            expense,
        )


def _same(fields: Fields, name: str) -> dict[str, str] | None:
    return reference(wire.ref_id(fields, name))
