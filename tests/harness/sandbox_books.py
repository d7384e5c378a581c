"""Check the books of the Intacct sandbox: documents, bills and payments must agree whatever was done to them.

Real: the sandbox, asked over its own wire. Fake: nothing.
"""

from collections import defaultdict
from decimal import Decimal

from tests.unit.sandbox.wire import Wire

WITHOUT_EFFECT = {"Draft", "Submitted", "Partially Approved", "Declined"}
"""States in which a document moves neither quantities nor money."""


async def check_books(wire: Wire) -> None:
    """Check what must always hold between documents, bills and payments."""
    orders, receipts, invoices, bills, payments = [
        await wire.held(kind) for kind in ("purchase_orders", "receipts", "vendor_invoices", "bills", "payments")
    ]
    documents = [*orders, *receipts, *invoices]
    taken: defaultdict[str, Decimal] = defaultdict(Decimal)
    for document in [*receipts, *invoices]:
        if document["state"] not in WITHOUT_EFFECT:
            for line in document["lines"]:
                taken[line["source_line"]] += Decimal(line["quantity"])
    for document in documents:
        for line in document["lines"]:
            assert Decimal(line["converted"]) == taken[line["record_no"]], (document["document_id"], line)
            assert Decimal(line["remaining"]) == Decimal(line["quantity"]) - taken[line["record_no"]]
            assert Decimal(line["remaining"]) >= 0 or Decimal(line["quantity"]) < 0
        assert Decimal(document["total"]) == sum(Decimal(line["amount"]) for line in document["lines"])
        converted = sum(Decimal(line["converted"]) for line in document["lines"])
        if document["state"] == "Converted":
            assert all(Decimal(line["remaining"]) == 0 for line in document["lines"])
        if document["state"] == "Partially Converted":
            assert converted > 0
    posted = {bill["record_no"]: bill for bill in bills}
    for document in invoices:
        if document["state"] in WITHOUT_EFFECT:
            assert document["bill_record_no"] == ""
        else:
            assert posted[document["bill_record_no"]]["source_document"] == document["document_id"]
            assert posted[document["bill_record_no"]]["total"] == document["total"]
    assert sum(bool(bill["source_document"]) for bill in bills) == sum(
        document["state"] not in WITHOUT_EFFECT for document in invoices
    )
    paid: defaultdict[str, Decimal] = defaultdict(Decimal)
    selected: defaultdict[str, Decimal] = defaultdict(Decimal)
    for done in payments:
        for detail in done["details"]:
            sums = paid if done["state"] == "Complete" else selected if done["state"] == "Draft" else None
            if sums is not None:
                sums[detail["bill_record_no"]] += Decimal(detail["amount"])
    for bill in bills:
        number = bill["record_no"]
        assert Decimal(bill["paid"]) == paid[number]
        assert Decimal(bill["selected"]) == selected[number]
        assert Decimal(bill["due"]) == Decimal(bill["total"]) - paid[number] - selected[number]
        assert Decimal(bill["due"]) >= 0 or Decimal(bill["total"]) < 0
        assert (bill["state"] == "Paid") == (paid[number] == Decimal(bill["total"]) != 0)
