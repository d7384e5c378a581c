"""Look at the parts of a bill before the first of them is changed or taken back (reference 3.4).

Intacct refuses a vendor invoice that is paid, selected for payment or converted further; what it refuses otherwise is
only known when it does.
"""

from collections.abc import Sequence

from erp.errors import Rejected
from erp.intacct import wire
from erp.intacct.documents import onward_query
from erp.intacct.preferences import Preferences
from erp.intacct.reader import IntacctReader
from erp.intacct.translate import optional_decimal
from erp.intacct.wire import Query, Row
from models.domain.bill_parts import PartInErp


class Parts:
    """Looks at the vendor invoices that one bill is, at the level that owns their orders."""

    def __init__(self, reader: IntacctReader, preferences: Preferences) -> None:
        self._reader = reader
        self._preferences = preferences

    async def check(self, parts: Sequence[PartInErp]) -> None:
        """Check that nothing stands in the way of changing any of the parts, or of taking it back.

        Raises:
            Rejected: ALREADY_PAID or ALREADY_CONVERTED, with the parts that are.
        """
        paid: list[str] = []
        converted: list[str] = []
        for level in dict.fromkeys(part.owner_entity for part in parts):
            documents = [part.document_id for part in parts if part.owner_entity == level]
            headers, onward = await self._reader.all_rows(
                [self._header_query(documents), onward_query(wire.one_of("SOURCE_DOCID", documents))], level=level
            )
            converted += sorted({row["SOURCE_DOCID"] for row in onward if row.get("SOURCE_DOCID") in documents})
            of_payable = {row["PRRECORDKEY"]: row.get("DOCID", "") for row in headers if row.get("PRRECORDKEY")}
            if of_payable:
                (payables,) = await self._reader.all_rows([_payable_query(sorted(of_payable))], level=level)
                paid += [of_payable.get(row.get("RECORDNO", ""), "") for row in payables if _is_paid(row)]
        if paid:
            raise _rejected("Something is paid, or selected for payment, on", paid, "ALREADY_PAID")
        if converted:
            raise _rejected("Another document was made from", converted, "ALREADY_CONVERTED")

    def _header_query(self, documents: Sequence[str]) -> Query:
        template = self._preferences.needed_vendor_invoice_template()
        where = wire.all_of(wire.equal("DOCPARID", template), wire.one_of("DOCID", documents))
        return Query("PODOCUMENT", ("RECORDNO", "DOCID"), where, optional=("PRRECORDKEY",), docparid=template)


def _payable_query(numbers: Sequence[str]) -> Query:
    return Query(
        "APBILL",
        ("RECORDNO", "STATE", "TOTALPAID"),
        wire.one_of("RECORDNO", numbers),
        optional=("TRX_TOTALPAID", "TOTALSELECTED", "TRX_TOTALSELECTED"),
    )


def _is_paid(row: Row) -> bool:
    return any(
        optional_decimal(row, field) for field in ("TOTALPAID", "TRX_TOTALPAID", "TOTALSELECTED", "TRX_TOTALSELECTED")
    )


def _rejected(said: str, documents: Sequence[str], code: str) -> Rejected:
    named = ", ".join(documents)
    return Rejected(f"{said} {named}: no part of the bill was touched.", code=code, evidence={"documents": named})
