"""Send credits of vendors as debit memos of Accounts Payable (reference 3.7). Our key ends the description."""

from collections.abc import Iterator, Sequence

from erp.errors import Duplicate, OutcomeUnknown, Rejected
from erp.intacct import adjustments_in, own_key, statuses, translate, wire
from erp.intacct.bill_edits import text_difference
from erp.intacct.bills_in import BillsIn
from erp.intacct.client import IntacctClient
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Row
from erp.roles.pages import Page
from erp.transport import malformed
from models.domain.bills import ErpBill, PushedBill
from models.domain.credits import ApplicationToPush, AppliedCredit, CreditLineToPush, CreditToPush
from models.domain.ids import DocumentId, ErpId

HEADER_FIELDS = ("RECORDNO", "RECORDID", "STATE", "VENDORID", "WHENCREATED", "WHENMODIFIED", "TOTALENTERED")
HEADER_OPTIONAL = ("AUWHENCREATED", "DESCRIPTION", "CURRENCY", "DOCNUMBER", "TRX_TOTALENTERED")
LINE_FIELDS = ("RECORDNO", "LINE_NO", "ACCOUNTNO", "AMOUNT")
LINE_OPTIONAL = ("TRX_AMOUNT", "LOCATIONID", "DEPARTMENTID", "CLASSID", "PROJECTID")


class Credits:
    """Writes the credits of one connection."""

    def __init__(self, client: IntacctClient, reader: IntacctReader, bills: BillsIn, home_level: str | None) -> None:
        self._client = client
        self._reader = reader
        self._bills = bills
        self._level = home_level

    async def find(self, credit: CreditToPush) -> DocumentId | None:
        """Return the vendor's adjustment with the credit's number that carries our key."""
        where = wire.all_of(wire.equal("VENDORID", credit.vendor_id), wire.equal("RECORDID", credit.number))
        query = Query(adjustments_in.OBJECT, ("RECORDNO", "STATE"), where, optional=("DESCRIPTION",))
        (rows,) = await self._reader.all_rows([query], level=self._level_of(credit))
        for row in rows:
            if not statuses.is_dead_bill(row) and own_key.key_of(row, None) == credit.external_key:
                return DocumentId(adjustments_in.erp_id_of(translate.need(row, "RECORDNO")))
        return None

    async def create(self, credit: CreditToPush) -> DocumentId:
        """Create the debit memo, as one transaction under our key.

        Raises:
            MalformedAnswer: the answer lacks the new adjustment.
        """
        result = await self._client.write(
            create_adjustment(credit), control_id=credit.external_key, level=self._level_of(credit)
        )
        if not result.key:
            raise malformed("Intacct accepted the credit without naming it.", writing=True)
        return DocumentId(adjustments_in.erp_id_of(result.key))

    async def read_back(self, credit: CreditToPush, document: DocumentId) -> PushedBill:
        """Read the adjustment back, prove that it lowers what is owed, and compare it with what was sent.

        Raises:
            OutcomeUnknown: reads do not show it yet (reference 2.5 point 4).
            Rejected: NOT_A_DEBIT_MEMO, if Intacct made something of it that raises what is owed.
        """
        record = adjustments_in.record_of(document) or "0"
        header_query = Query(
            adjustments_in.OBJECT, HEADER_FIELDS, wire.equal("RECORDNO", record), optional=HEADER_OPTIONAL
        )
        line_query = Query("APADJUSTMENTITEM", LINE_FIELDS, wire.equal("RECORDKEY", record), optional=LINE_OPTIONAL)
        headers, lines = await self._reader.all_rows([header_query, line_query], level=self._level_of(credit))
        if not headers:
            raise OutcomeUnknown(f"Intacct does not show {document} yet.", code="OUTCOME_UNKNOWN")
        header = headers[0]
        total = adjustments_in.amount_of(header, "TOTALENTERED")
        if total > 0:
            raise Rejected(
                f"Intacct took adjustment {record} as a credit memo, which raises what is owed.",
                code="NOT_A_DEBIT_MEMO",
                evidence={"adjustment": record},
            )
        lines = sorted(lines, key=lambda row: translate.need_decimal(row, "LINE_NO"))
        erp_id = adjustments_in.erp_id_of(record)
        return PushedBill(
            erp_id=erp_id,
            document_id=document,
            payable_id=erp_id,
            total=total,
            revision=translate.revision(header),
            linked=True,
            differences=(*_header_differences(credit, header), *_line_differences(credit, lines)),
        )

    async def read(self, credits: Sequence[ErpId], bills: Sequence[ErpId]) -> Page[ErpBill]:
        """Read these adjustments and bills, each whole; what Intacct does not show is left out."""
        return await self._bills.read(credits, bills)

    async def find_application(self, application: ApplicationToPush) -> AppliedCredit | None:
        """Return the payment without money that carries our key as its document number."""
        where = wire.all_of(
            wire.equal("DOCNUMBER", application.external_key), wire.equal("VENDORID", application.vendor_id)
        )
        query = Query("APPYMT", ("RECORDNO", "STATE"), where)
        (rows,) = await self._reader.all_rows([query], level=application.entity or self._level)
        for row in rows:
            if row.get("STATE", "").casefold() not in statuses.VOID_PAYMENT_STATES:
                return AppliedCredit(payment=ErpId(translate.need(row, "RECORDNO")))
        return None

    async def apply(self, application: ApplicationToPush) -> AppliedCredit:
        """Create a payment of the credit only: it names no bank account, and shows as an entry of 0 (reference 3.6).

        Raises:
            MalformedAnswer: the answer lacks the new payment.
        """
        level = application.entity or self._level
        result = await self._client.write(_application(application), control_id=application.external_key, level=level)
        number = result.key or (result.data.findtext("*/RECORDNO") if result.data is not None else None)
        if not number:
            raise malformed("Intacct applied the credit without naming the payment.", writing=True)
        return AppliedCredit(payment=ErpId(number))

    async def unapply(self, application: ApplicationToPush) -> None:
        """Void the payment without money: all credits in it are free again.

        Raises:
            Duplicate: it is void already.
            Rejected: a rule of the company refused it.
        """
        level = application.entity or self._level
        payment = str(application.payment or "0")
        query = Query("APPYMT", ("RECORDNO", "STATE"), wire.equal("RECORDNO", payment))
        (rows,) = await self._reader.all_rows([query], level=level)
        if not rows or rows[0].get("STATE", "").casefold() in statuses.VOID_PAYMENT_STATES:
            raise Duplicate(f"Payment {payment} is void already.", code="ALREADY_SENT")
        keys = f"<appaymentkeys>{wire.element('appaymentkey', payment)}</appaymentkeys>"
        body = f"<void_appaymentrequest>{keys}</void_appaymentrequest>"
        await self._client.write(body, control_id=f"{application.external_key}:void", level=level)

    def _level_of(self, credit: CreditToPush) -> str | None:
        return credit.entity or self._level


def create_adjustment(credit: CreditToPush) -> str:
    """Return `create_apadjustment` as XML, children in the schema's order; amounts below zero make a debit memo."""
    return "".join(
        (
            "<create_apadjustment>",
            wire.element("vendorid", credit.vendor_id),
            wire.legacy_date("datecreated", credit.credit_date),
            wire.legacy_date("dateposted", credit.posting_date),
            wire.element("adjustmentno", credit.number),
            wire.element("billno", credit.reference),
            wire.element("description", own_key.written(credit.memo, credit.external_key, None)),
            wire.element("currency", credit.currency),
            "<exchratetype/>",
            "<apadjustmentitems>",
            *(_item(credit, line) for line in credit.lines),
            "</apadjustmentitems></create_apadjustment>",
        )
    )


def _application(application: ApplicationToPush) -> str:
    return "".join(
        (
            "<create><APPYMT>",
            wire.element("VENDORID", application.vendor_id),
            wire.element("PAYMENTDATE", wire.generic_date(application.dated)),
            wire.element("CURRENCY", application.currency),
            wire.element("BASECURR", application.currency),
            wire.element("DOCNUMBER", application.external_key),
            "<ACTION>Submit</ACTION><APPYMTDETAILS><APPYMTDETAIL>",
            wire.element("RECORDKEY", application.bill_erp_id),
            wire.element("ADJUSTMENTKEY", adjustments_in.record_of(application.credit_erp_id)),
            wire.element("TRX_ADJUSTMENTAMOUNT", wire.plain(application.amount)),
            "</APPYMTDETAIL></APPYMTDETAILS></APPYMT></create>",
        )
    )


def _item(credit: CreditToPush, line: CreditLineToPush) -> str:
    return "".join(
        (
            "<lineitem>",
            wire.element("glaccountno", line.account),
            wire.element("amount", wire.plain(-line.amount)),
            wire.element("memo", line.description),
            wire.element("locationid", line.location or credit.entity),
            wire.element("departmentid", line.department),
            wire.element("projectid", line.project),
            wire.element("classid", line.class_id),
            "</lineitem>",
        )
    )


def _header_differences(credit: CreditToPush, header: Row) -> Iterator[str]:
    pairs = [
        ("the vendor", credit.vendor_id, header.get("VENDORID")),
        ("the number", credit.number, header.get("RECORDID")),
        ("our key", credit.external_key, own_key.key_of(header, None)),
        ("the currency", credit.currency, header.get("CURRENCY", credit.currency)),
        ("the date", credit.credit_date, translate.optional_day(header, "WHENCREATED")),
        ("the total", credit.total, -adjustments_in.amount_of(header, "TOTALENTERED")),
    ]
    for what, sent, existing in pairs:
        if sent != existing:
            yield f"{what}: sent {sent}, Intacct has {existing or 'nothing'}"
    if credit.memo:
        yield from text_difference("the memo", credit.memo, own_key.split(header.get("DESCRIPTION", "")).memo)


def _line_differences(credit: CreditToPush, lines: Sequence[Row]) -> Iterator[str]:
    if len(lines) != len(credit.lines):
        yield f"the number of lines: sent {len(credit.lines)}, Intacct has {len(lines)}"
        return
    for sent, row in zip(credit.lines, lines, strict=True):
        pairs = [
            ("the account", sent.account, translate.natural(row.get("ACCOUNTNO"))),
            ("the amount", sent.amount, -adjustments_in.amount_of(row, "AMOUNT")),
            ("the location", sent.location or credit.entity, translate.natural(row.get("LOCATIONID"))),
            ("the department", sent.department, translate.natural(row.get("DEPARTMENTID"))),
            ("the class", sent.class_id, translate.natural(row.get("CLASSID"))),
            ("the project", sent.project, translate.natural(row.get("PROJECTID"))),
        ]
        for what, mine, existing in pairs:
            if mine not in (None, "") and mine != existing:
                yield f"line {sent.line_no}, {what}: sent {mine}, Intacct has {existing or 'nothing'}"
