"""Take a vendor invoice back where it cannot be deleted: a debit memo over its payable, applied to it (reference 3.7).

The debit memo has our key as its number. A payment without money applies it: it names no bank account. Neither reopens
the order.
"""

from collections.abc import Sequence
from typing import NamedTuple

from erp.errors import Duplicate, NotFound, Rejected
from erp.intacct import statuses, translate, wire
from erp.intacct.client import IntacctClient
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from models.domain.retractions import BillToRetract

LINE_FIELDS = ("RECORDNO", "LINE_NO", "ACCOUNTNO", "TRX_AMOUNT")
LINE_OPTIONAL = ("LOCATIONID", "DEPARTMENTID", "CLASSID", "PROJECTID", "ITEMID", "ENTRYDESCRIPTION")


class Memo(NamedTuple):
    """Our debit memo over a bill."""

    record: str
    is_applied: bool


class DebitMemos:
    """Writes and applies the debit memos of one connection."""

    def __init__(self, client: IntacctClient, reader: IntacctReader) -> None:
        self._client = client
        self._reader = reader

    @staticmethod
    def query(bill: BillToRetract) -> Query:
        """Return the query for our debit memo over a bill."""
        where = wire.all_of(wire.equal("VENDORID", bill.vendor_id), wire.equal("RECORDID", bill.entry_key))
        return Query("APADJUSTMENT", ("RECORDNO", "STATE", "TRX_TOTALENTERED", "TRX_TOTALDUE"), where)

    @staticmethod
    def memo_of(rows: Sequence[Row]) -> Memo | None:
        """Return our debit memo among the rows of its query; None: there is none.

        Raises:
            Rejected: NOT_A_DEBIT_MEMO, if Intacct made something of it that raises what is owed.
        """
        for row in rows:
            if statuses.is_dead_bill(row):
                continue
            if translate.need_decimal(row, "TRX_TOTALENTERED") > 0:
                raise Rejected(
                    f"Intacct took adjustment {row['RECORDNO']} as a credit memo, which raises what is owed.",
                    code="NOT_A_DEBIT_MEMO",
                    evidence={"adjustment": row["RECORDNO"]},
                )
            return Memo(row["RECORDNO"], not translate.need_decimal(row, "TRX_TOTALDUE"))
        return None

    async def credit(self, bill: BillToRetract, invoice: Query) -> None:
        """Write the debit memo, unless it is there, and apply it to what stands behind the vendor invoice.

        Raises:
            Duplicate: it is applied already.
            NotFound: there is no such vendor invoice.
            Rejected: a rule of the company refused it.
        """
        level = bill.owner_entity
        invoices, rows = await self._reader.all_rows([invoice, self.query(bill)], level=level)
        payable = invoices[0].get("PRRECORDKEY") if invoices else None
        if not payable:
            raise NotFound(f"Intacct shows no {bill.document_id} with a payable.", code="RECORD_NOT_FOUND")
        memo = self.memo_of(rows)
        if memo is None:
            where = wire.equal("RECORDKEY", payable)
            of_payable = Query("APBILLITEM", LINE_FIELDS, where, optional=LINE_OPTIONAL)
            (lines,) = await self._reader.all_rows([of_payable], level=level)
            body = _adjustment(bill, sorted(lines, key=lambda line: translate.need_decimal(line, "LINE_NO")))
            await self._client.write(body, control_id=f"{bill.external_key}:credit", level=level)
            (rows,) = await self._reader.all_rows([self.query(bill)], level=level)
            memo = self.memo_of(rows)
        if memo is None or memo.is_applied:  # read back once more by whoever asked
            raise Duplicate(f"The debit memo over {bill.document_id} is written.", code="ALREADY_SENT")
        body = _application(bill, payable, memo.record)
        await self._client.write(body, control_id=f"{bill.external_key}:apply", level=level)


def _adjustment(bill: BillToRetract, lines: Sequence[Row]) -> str:
    """Return `create_apadjustment` over the payable's lines, as XML; amounts below zero make a debit memo."""
    assert bill.dated is not None, "a debit memo has a day"
    return "".join(
        (
            "<create_apadjustment>",
            wire.element("vendorid", bill.vendor_id),
            wire.legacy_date("datecreated", bill.dated),
            wire.element("adjustmentno", bill.entry_key),
            wire.element("billno", bill.number),
            wire.element("description", bill.why),
            wire.element("currency", bill.currency),
            "<exchratetype/>",
            "<apadjustmentitems>",
            *(_line(line) for line in lines),
            "</apadjustmentitems></create_apadjustment>",
        )
    )


def _line(line: Row) -> str:
    return "".join(
        (
            "<lineitem>",
            wire.element("glaccountno", translate.need(line, "ACCOUNTNO")),
            wire.element("amount", wire.plain(-translate.need_decimal(line, "TRX_AMOUNT"))),
            wire.element("memo", line.get("ENTRYDESCRIPTION")),
            wire.element("locationid", line.get("LOCATIONID")),
            wire.element("departmentid", line.get("DEPARTMENTID")),
            wire.element("projectid", line.get("PROJECTID")),
            wire.element("itemid", line.get("ITEMID")),
            wire.element("classid", line.get("CLASSID")),
            "</lineitem>",
        )
    )


def _application(bill: BillToRetract, payable: str, memo: str) -> str:
    """Return the payment without money that applies the debit memo, as XML (reference 3.6)."""
    assert bill.dated is not None, "a debit memo has a day"
    return "".join(
        (
            "<create><APPYMT>",
            wire.element("VENDORID", bill.vendor_id),
            wire.element("PAYMENTDATE", wire.generic_date(bill.dated)),
            wire.element("CURRENCY", bill.currency),
            wire.element("BASECURR", bill.currency),
            wire.element("DOCNUMBER", bill.entry_key),
            "<ACTION>Submit</ACTION><APPYMTDETAILS><APPYMTDETAIL>",
            wire.element("RECORDKEY", payable),
            wire.element("ADJUSTMENTKEY", memo),
            wire.element("TRX_ADJUSTMENTAMOUNT", wire.plain(bill.total)),
            "</APPYMTDETAIL></APPYMTDETAILS></APPYMT></create>",
        )
    )
