"""Records as Intacct answers with them: an invoice of ours read back, a bill, a payment."""

from datetime import date

from lxml import etree

from tests.builders.outgoing_bills import (
    ORDER,
)
from tests.fakes.intacct_gateway import (
    Gateway,
    line_row,
    order_row,
    page,
    response,
    result,
)

INVOICE = order_row(
    50,
    DOCID="Vendor Invoice-b-0001",
    DOCNO="b-0001",
    WHENCREATED="07/05/2031",
    WHENPOSTED="07/06/2031",
    WHENDUE="08/04/2031",
    VENDORDOCNO="INV-77",
    PONUMBER="PO-1",
    PRRECORDKEY="90",
    TRX_TOTAL="17.00",
    MESSAGE="July paper",
)
INVOICE_LINE = line_row(
    501, 50, UIQTY="4", TRX_VALUE="17.00", SOURCE_DOCLINEKEY="11", SOURCE_DOCID=ORDER, MEMO="Paper A4"
)
BILLED = {
    "RECORDNO": "501",
    "DOCHDRID": "Vendor Invoice-b-0001",
    "DOCPARID": "Vendor Invoice",
    "UIQTY": "4",
    "SOURCE_DOCID": ORDER,
    "SOURCE_DOCLINEKEY": "11",
}


def read_back_gateway(*lines: dict[str, str], order: dict[str, str] | None = None, **header: str) -> Gateway:
    """Return a gateway that shows the invoice as it was written, with these lines, and the order behind it."""
    pages = [page("PODOCUMENT", {**INVOICE, **header}), page("PODOCUMENTENTRY", *lines)]
    orders = [order_row(1, STATE="Partially Converted") if order is None else order]
    return Gateway(
        response(
            *pages,
            page("PODOCUMENT", *[row for row in orders if row]),
            page("PODOCUMENTENTRY", line_row(11, QTY_CONVERTED="4")),
            page("PODOCUMENTENTRY", BILLED),
            page("PODOCUMENT"),
        )
    )


def day_of(node: etree._Element) -> date:
    """Return the day that was sent in three parts."""
    return date(*(int(node.findtext(part)) for part in ("year", "month", "day")))


def whole_record(name: str, fields: dict[str, str], owner: str = "", line: str = "", *lines: dict[str, str]) -> str:
    """Return the result of a read by key: one record, with the lines it owns."""

    def inner(values: dict[str, str]) -> str:
        return "".join(f"<{field}>{value}</{field}>" for field, value in values.items())

    owned = f"<{owner}>{''.join(f'<{line}>{inner(values)}</{line}>' for values in lines)}</{owner}>" if owner else ""
    return result(f'<data listtype="{name}" count="1"><{name}>{inner(fields)}{owned}</{name}></data>', "read")


BILL = {
    "RECORDNO": "90",
    "RECORDID": "INV-77",
    "VENDORID": "V-100",
    "MODULEKEY": "9.PO",
    "STATE": "Partially Paid",
    "WHENCREATED": "07/05/2031",
    "WHENDUE": "08/04/2031",
    "CURRENCY": "USD",
    "TRX_TOTALENTERED": "17.00",
    "TRX_TOTALPAID": "7.00",
    "TRX_TOTALDUE": "10.00",
    "TOTALENTERED": "17.00",
    "WHENMODIFIED": "07/06/2031 10:00:00",
}
BILL_ITEM = {"LINE_NO": "1", "ACCOUNTNO": "6100--Paper", "TRX_AMOUNT": "17.00", "ENTRYDESCRIPTION": "Paper"}
PAYMENT = {
    "RECORDNO": "70",
    "VENDORID": "V-100",
    "STATE": "C",
    "PAYMENTDATE": "07/31/2031",
    "CURRENCY": "USD",
    "TRX_TOTALENTERED": "17.00",
    "DOCNUMBER": "p-0001",
    "WHENMODIFIED": "07/31/2031 10:00:00",
}
PAYMENT_SHARE = {"RECORDKEY": "90", "TRX_PAYMENTAMOUNT": "17.00"}
