"""Send a bill without an order as a bill of Accounts Payable (reference 3.5, section 5).

The object-specific function is used, because it takes a due date or a term; the generic one takes no term alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from xml.sax.saxutils import quoteattr

from erp.errors import Duplicate, OutcomeUnknown, Rejected
from erp.intacct import own_key, statuses, translate, wire
from erp.intacct.bill_edits import text_difference
from erp.intacct.client import IntacctClient
from erp.intacct.custom_fields import (
    approval_date,
    approval_differences,
    custom_fields,
    line_differences,
    line_edits,
    line_values,
    whole_differences,
)
from erp.intacct.preferences import GLDIM, Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.wire import Query, Result, Row
from erp.transport import malformed
from models.domain.bills import AccountLineToPush, ChargeToPush, DirectBillToPush, PushedBill
from models.domain.ids import DocumentId, ErpId

NUMBER_WITHOUT = "\"'&<>#?"
"""What a bill's number must not contain (reference 3.5)."""

_DOCUMENT = re.compile(r"APBILL (\d+)")

HEADER_FIELDS = ("RECORDNO", "RECORDID", "STATE", "VENDORID", "WHENCREATED", "WHENMODIFIED", "TOTALENTERED")
HEADER_OPTIONAL = (
    "AUWHENCREATED",
    "WHENPOSTED",
    "WHENDUE",
    "DESCRIPTION",
    "CURRENCY",
    "TRX_TOTALENTERED",
    "MODULEKEY",
)
LINE_FIELDS = ("RECORDNO", "LINE_NO", "ACCOUNTNO", "AMOUNT")
LINE_OPTIONAL = ("TRX_AMOUNT", "ENTRYDESCRIPTION", "LOCATIONID", "DEPARTMENTID", "CLASSID", "PROJECTID")


def document_of(record_number: str) -> DocumentId:
    """Return the name under which a bill of Accounts Payable is known here. No purchasing document is named so."""
    return DocumentId(f"APBILL {record_number}")


def record_of(document: str) -> ErpId | None:
    """Return the record number of a bill of Accounts Payable; None: the document is one of Purchasing."""
    match = _DOCUMENT.fullmatch(document)
    return None if match is None else ErpId(match.group(1))


class DirectBills:
    """Writes the bills without an order of one connection."""

    def __init__(
        self, client: IntacctClient, reader: IntacctReader, preferences: Preferences, home_level: str | None
    ) -> None:
        self._client = client
        self._reader = reader
        self._preferences = preferences
        self._level = home_level

    async def find(self, bill: DirectBillToPush) -> DocumentId | None:
        """Return the vendor's bill with our key. People may have changed its number, so where a field holds the key,
        the field is asked as well."""
        field = self._preferences.key_field
        where = wire.one_of("RECORDID", _numbers(bill))
        if field:
            where = wire.any_of(where, wire.equal(field, bill.external_key))
        query = Query(
            "APBILL",
            ("RECORDNO", "STATE"),
            wire.all_of(wire.equal("VENDORID", bill.vendor_id), where),
            optional=("DESCRIPTION", *((field,) if field else ())),
        )
        (rows,) = await self._reader.all_rows([query], level=self._level_of(bill))
        for row in rows:
            if not statuses.is_dead_bill(row) and own_key.key_of(row, field) == bill.external_key:
                return document_of(translate.need(row, "RECORDNO"))
        return None

    async def create(self, bill: DirectBillToPush) -> DocumentId:
        """Create the bill, as one transaction under our key.

        Raises:
            Rejected: CHARGES_NOT_TAKEN for money beyond the lines for which no account is named.
            MalformedAnswer: the answer lacks the new bill.
        """
        unnamed = [charge.kind for charge in bill.charges if charge.kind not in self._preferences.charge_accounts]
        if unnamed:
            raise Rejected(
                f"No account is named for {', '.join(unnamed)}.",
                code="CHARGES_NOT_TAKEN",
                evidence={"kinds": ", ".join(unnamed)},
            )
        try:
            result = await self._send(bill)
        except Duplicate as error:
            if error.code != "ALREADY_EXISTS" or not await self._only_reversed_ones_have_its_number(bill):
                raise
            result = await self._send(bill.model_copy(update={"number": _numbers(bill)[-1]}))
        if not result.key:
            raise malformed("Intacct accepted the bill without naming it.", writing=True)
        return document_of(result.key)

    async def _send(self, bill: DirectBillToPush) -> Result:
        body = create_bill(bill, self._preferences)
        return await self._client.write(body, control_id=bill.external_key, level=self._level_of(bill))

    async def _only_reversed_ones_have_its_number(self, bill: DirectBillToPush) -> bool:
        """Return whether the bill was made before, and only reversed bills of the vendor have its number: whether that
        keeps the number taken is not documented."""
        if bill.generation == 1:
            return False
        where = wire.all_of(wire.equal("VENDORID", bill.vendor_id), wire.equal("RECORDID", bill.number))
        (rows,) = await self._reader.all_rows(
            [Query("APBILL", ("RECORDNO", "STATE"), where)], level=self._level_of(bill)
        )
        return bool(rows) and all(statuses.is_dead_bill(row) for row in rows)

    async def update(self, bill: DirectBillToPush, document: DocumentId, *, edition: int) -> None:
        """Change the bill to what it says now.

        Raises:
            Duplicate: this edition was taken before.
            Rejected: the bill's lines no longer correspond to ours.
        """
        record = record_of(document)
        if any(line.edited for line in bill.lines):
            (lines,) = await self._reader.all_rows([_line_query(record or "0", {})], level=self._level_of(bill))
            _check_lines(bill, document, _sorted(lines))
        body = update_bill(bill, record or "0", self._preferences)
        try:
            await self._client.write(body, control_id=f"{bill.external_key}:edit:{edition}", level=self._level_of(bill))
        except Duplicate as error:
            if error.code == "ALREADY_SENT":
                raise
            raise Rejected(error.message, code=error.code, erp_code=error.erp_code, evidence=error.evidence) from error

    async def read_back(self, bill: DirectBillToPush, document: DocumentId) -> PushedBill:
        """Read the bill back and compare it with what was sent.

        Raises:
            OutcomeUnknown: reads do not show it yet (reference 2.5 point 4): it was written, and has to be
                looked up again.
        """
        record = record_of(document) or "0"
        field = self._preferences.key_field
        header_query = Query(
            "APBILL",
            HEADER_FIELDS,
            wire.equal("RECORDNO", record),
            optional=(
                *HEADER_OPTIONAL,
                *((field,) if field else ()),
                *approval_date(self._preferences.approval_date_field, bill.approved_on),
            ),
        )
        own = self._preferences.line_fields
        queries = [header_query, _line_query(record, own)]
        headers, lines = await self._reader.all_rows(queries, level=self._level_of(bill))
        if not headers:
            raise OutcomeUnknown(f"Intacct does not show {document} yet.", code="OUTCOME_UNKNOWN")
        header, lines = headers[0], _sorted(lines)
        total = _amount(header, "TOTALENTERED")
        if bill.is_edit:
            differences = _edit_differences(bill, header, lines, own)
        else:
            on_lines = _line_differences(bill, lines, own)
            differences = [*_header_differences(bill, header, total, field), *on_lines]
        if not bill.is_edit or _releases(bill):
            differences += approval_differences(self._preferences.approval_date_field, bill.approved_on, header)
        return PushedBill(
            erp_id=ErpId(translate.need(header, "RECORDNO")),
            document_id=document,
            payable_id=ErpId(translate.need(header, "RECORDNO")),
            total=total,
            revision=translate.revision(header),
            linked=True,
            due_date=translate.optional_day(header, "WHENDUE"),
            differences=tuple(differences),
        )

    def _level_of(self, bill: DirectBillToPush) -> str | None:
        return bill.entity or self._level


def _numbers(bill: DirectBillToPush) -> list[str]:
    """Return the numbers that the bill may have in Intacct: the supplier's; and, where a reversed generation keeps
    that taken, the one with the generation behind it."""
    return [bill.number] if bill.generation == 1 else [bill.number, f"{bill.number}-{bill.generation}"]


def _line_query(record: str, own: Mapping[str, str]) -> Query:
    optional = (*LINE_OPTIONAL, *own.values())
    return Query("APBILLITEM", LINE_FIELDS, wire.equal("RECORDKEY", record), optional=optional)


def _sorted(lines: Sequence[Row]) -> list[Row]:
    return sorted(lines, key=lambda row: translate.need_decimal(row, "LINE_NO"))


def _amount(row: Row, field: str) -> Decimal:
    value = translate.optional_decimal(row, f"TRX_{field}")
    return value if value is not None else translate.need_decimal(row, field)


# --- what is sent ----------------------------------------------------------------------------------------------


def create_bill(bill: DirectBillToPush, preferences: Preferences) -> str:
    """Return `create_bill` as XML, children in the schema's order (reference 3.5)."""
    key_field = preferences.key_field
    own = {} if key_field is None else {key_field: str(bill.external_key)}
    vendor = bill.vendor_id if preferences.vendor_on_lines else None
    return "".join(
        (
            "<create_bill>",
            wire.element("vendorid", bill.vendor_id),
            wire.legacy_date("datecreated", bill.bill_date),
            wire.legacy_date("dateposted", bill.posting_date),
            wire.legacy_date("datedue", bill.due_date) if bill.due_date is not None else "",
            wire.element("termname", bill.term),
            f"<action>{'Draft' if bill.draft else 'Submit'}</action>",
            wire.element("billno", bill.number),
            wire.element("description", own_key.written(bill.memo, bill.external_key, key_field)),
            wire.element("externalid", bill.external_key),
            wire.element("currency", bill.currency),
            "<exchratetype/>",
            custom_fields({**own, **approval_date(preferences.approval_date_field, bill.approved_on)}),
            "<billitems>",
            *(_item(bill, line, vendor, preferences.line_fields) for line in bill.lines),
            *(_charge(bill, charge, preferences, vendor) for charge in bill.charges),
            "</billitems></create_bill>",
        )
    )


def _item(bill: DirectBillToPush, line: AccountLineToPush, vendor: str | None, own: Mapping[str, str]) -> str:
    return "".join(
        (
            "<lineitem>",
            wire.element("glaccountno", line.account),
            wire.element("amount", wire.plain(line.amount)),
            wire.element("memo", line.description),
            wire.element("locationid", line.location or bill.entity),
            wire.element("departmentid", line.department),
            custom_fields(line_values(line.custom, own)),
            wire.element("projectid", line.project),
            wire.element("vendorid", vendor),
            wire.element("classid", line.class_id),
            "</lineitem>",
        )
    )


def _charge(bill: DirectBillToPush, charge: ChargeToPush, preferences: Preferences, vendor: str | None) -> str:
    first = bill.lines[0]
    dimensions = {name: field for name, field in preferences.line_fields.items() if field.startswith(GLDIM)}
    return "".join(
        (
            "<lineitem>",
            wire.element("glaccountno", preferences.charge_accounts[charge.kind]),
            wire.element("amount", wire.plain(charge.amount)),
            wire.element("memo", charge.description or charge.kind.value),
            wire.element("locationid", first.location or bill.entity),
            wire.element("departmentid", first.department),
            custom_fields(line_values(first.custom, dimensions)),
            wire.element("vendorid", vendor),
            wire.element("classid", first.class_id),
            "</lineitem>",
        )
    )


def update_bill(bill: DirectBillToPush, record: str, preferences: Preferences) -> str:
    """Return `update_bill` as XML. Values are absolute: sent twice, it changes nothing more."""
    lines = [line for line in bill.lines if line.edited]
    memo = own_key.written(bill.memo, bill.external_key, preferences.key_field)
    released = _releases(bill)
    # Without it an empty element means "as it is".
    own = preferences.line_fields
    nulls = ' set_nulls="true"' if _empties(bill, memo, own) else ""
    return "".join(
        (
            f"<update_bill key={quoteattr(record)}{nulls}>",
            wire.legacy_date("datedue", bill.due_date)
            if "due_date" in bill.edited and bill.due_date is not None
            else "",
            "<action>Submit</action>" if released else "",
            wire.empty_or("description", memo) if "memo" in bill.edited else "",
            custom_fields(approval_date(preferences.approval_date_field, bill.approved_on)) if released else "",
            "<updatebillitems>" if lines else "",
            *(_updated(bill, line, own) for line in lines),
            "</updatebillitems>" if lines else "",
            "</update_bill>",
        )
    )


def _updated(bill: DirectBillToPush, line: AccountLineToPush, own: Mapping[str, str]) -> str:
    fields = (
        wire.empty_or("memo", line.description) if "description" in line.edited else "",
        wire.empty_or("locationid", line.location or bill.entity) if "location" in line.edited else "",
        wire.empty_or("departmentid", line.department) if "department" in line.edited else "",
        custom_fields(line_edits(line.custom, own)) if "custom" in line.edited else "",
        wire.empty_or("projectid", line.project) if "project" in line.edited else "",
        wire.empty_or("classid", line.class_id) if "class_id" in line.edited else "",
    )
    return f'<updatelineitem line_num="{line.line_no}">{"".join(fields)}</updatelineitem>'


def _empties(bill: DirectBillToPush, memo: str, own: Mapping[str, str]) -> bool:
    if "memo" in bill.edited and not memo:
        return True
    if any("custom" in line.edited and not all(line.custom.get(name) for name in own) for line in bill.lines):
        return True
    return any(not _mine(bill, line)[name] for line in bill.lines for name in line.edited - {"custom"})


def _releases(bill: DirectBillToPush) -> bool:
    """Return whether this edit releases a draft."""
    return "approval" in bill.edited and not bill.draft


def _check_lines(bill: DirectBillToPush, document: DocumentId, lines: Sequence[Row]) -> None:
    """Refuse to edit a bill whose lines no longer correspond to ours, because an update names lines by position.

    Raises:
        Rejected: the lines differ.
    """
    ours = [line.amount for line in bill.lines] + [charge.amount for charge in bill.charges]
    if ours != [_amount(row, "AMOUNT") for row in lines]:
        raise Rejected(
            f"The lines of {document} were changed in Intacct: they are no longer those of the bill.",
            code="CONTENT_CONFLICT",
            evidence={"document": document, "sent": str(len(ours)), "held": str(len(lines))},
        )


# --- comparing -------------------------------------------------------------------------------------------------


def _header_differences(bill: DirectBillToPush, header: Row, total: Decimal, key_field: str | None) -> Iterator[str]:
    pairs = [
        ("the vendor", bill.vendor_id, header.get("VENDORID")),
        ("our key", bill.external_key, own_key.key_of(header, key_field)),
        ("the currency", bill.currency, header.get("CURRENCY", bill.currency)),
        ("the bill date", bill.bill_date, translate.optional_day(header, "WHENCREATED")),
        ("the due date", bill.due_date, bill.due_date and translate.optional_day(header, "WHENDUE")),
        ("the posting date", bill.posting_date, translate.optional_day(header, "WHENPOSTED") or bill.posting_date),
        ("the total", bill.total, total),
    ]
    if header.get("RECORDID") not in _numbers(bill):
        yield (f"the supplier's invoice number: sent {bill.number}, Intacct has {header.get('RECORDID') or 'nothing'}")
    for what, sent, existing in pairs:
        if sent != existing:
            yield f"{what}: sent {sent}, Intacct has {existing or 'nothing'}"
    # What we left to Intacct's defaults is no difference, whatever it filled in.
    if bill.memo:
        yield from text_difference("the memo", bill.memo, own_key.split(header.get("DESCRIPTION", "")).memo)


def _line_differences(bill: DirectBillToPush, lines: Sequence[Row], own: Mapping[str, str]) -> Iterator[str]:
    expected = len(bill.lines) + len(bill.charges)
    if len(lines) != expected:
        yield f"the number of lines: sent {expected}, Intacct has {len(lines)}"
        return
    for sent, row in zip(bill.lines, lines, strict=False):  # the charges come behind them, and show in the total
        pairs = [
            ("the account", sent.account, translate.natural(row.get("ACCOUNTNO"))),
            ("the amount", sent.amount, _amount(row, "AMOUNT")),
            ("the location", sent.location or bill.entity, translate.natural(row.get("LOCATIONID"))),
            ("the department", sent.department, translate.natural(row.get("DEPARTMENTID"))),
            ("the class", sent.class_id, translate.natural(row.get("CLASSID"))),
            ("the project", sent.project, translate.natural(row.get("PROJECTID"))),
        ]
        for what, mine, existing in pairs:
            if mine not in (None, "") and mine != existing:
                yield f"line {sent.line_no}, {what}: sent {mine}, Intacct has {existing or 'nothing'}"
        if sent.description:
            yield from text_difference(
                f"line {sent.line_no}, the description", sent.description, row.get("ENTRYDESCRIPTION")
            )
        yield from line_differences(sent.line_no, sent.custom, row, own)


def _edit_differences(bill: DirectBillToPush, header: Row, lines: Sequence[Row], own: Mapping[str, str]) -> list[str]:
    """Return what an edit changed and Intacct holds otherwise. Other fields may have been changed there meanwhile."""
    results: list[str] = []
    if "memo" in bill.edited:
        results += text_difference("the memo", bill.memo, own_key.split(header.get("DESCRIPTION", "")).memo)
    due = translate.optional_day(header, "WHENDUE")
    if "due_date" in bill.edited and due != bill.due_date and bill.due_date is not None:
        results.append(f"the due date: sent {bill.due_date}, Intacct has {due or 'nothing'}")
    if _releases(bill) and header.get("STATE", "").casefold() == "draft":
        results.append("the state: released, Intacct has it as a draft")
    edited = [line for line in bill.lines if line.edited]
    if edited and len(lines) < len(bill.lines):
        return [*results, f"the number of lines: sent {len(bill.lines)}, Intacct has {len(lines)}"]
    for line in edited:
        existing = _theirs(lines[line.line_no - 1])
        if "custom" in line.edited:
            results += whole_differences(line.line_no, line.custom, lines[line.line_no - 1], own)
        for name in sorted(line.edited - {"custom"}):
            what = f"line {line.line_no}, the {name.removesuffix('_id')}"
            results += text_difference(what, _mine(bill, line)[name] or "", existing[name])
    return results


def _mine(bill: DirectBillToPush, line: AccountLineToPush) -> dict[str, str | None]:
    return {
        "description": line.description,
        "department": line.department,
        "location": line.location or bill.entity,
        "class_id": line.class_id,
        "project": line.project,
    }


def _theirs(row: Row) -> dict[str, str | None]:
    return {
        "description": row.get("ENTRYDESCRIPTION"),
        "department": translate.natural(row.get("DEPARTMENTID")),
        "location": translate.natural(row.get("LOCATIONID")),
        "class_id": translate.natural(row.get("CLASSID")),
        "project": translate.natural(row.get("PROJECTID")),
    }
