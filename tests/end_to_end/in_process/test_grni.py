"""GRNI over the whole stack: receipts and bills as the ERP reports them, ours and others'."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.stack_client import (
    StackClient,
    ledger,
)


async def grni(api: StackClient, days_ago: int = 0) -> dict[tuple[str, int], Any]:
    """The report's lines by order and line."""
    day = (today() - timedelta(days=days_ago)).isoformat()
    report = await api.get("/v1/reports/grni", connection=api.connection_id, as_of=day, limit="200")
    return {(line["purchase_order_number"], line["line_no"]): line for line in report["items"]}


def shown(lines: dict[tuple[str, int], Any], *names: str) -> dict[tuple[str, int], tuple[Decimal, ...]]:
    return {place: tuple(Decimal(line[name]) for name in names) for place, line in lines.items()}


async def test_the_report_is_the_ledger_whoever_made_the_bills(api: StackClient, company: SandboxCompany) -> None:
    """matching.md 3.7, GRNI: a receipt is no bill, and each bill counts once, before and after it reached the ERP."""
    company.order("PO-1", days_ago=30)
    company.order("PO-2", days_ago=30)
    company.load(
        receipts=[
            {
                "receipt_number": number,
                "po_number": "PO-1",
                "po_line_no": "1",
                "receipt_date": (today() - timedelta(days=days_ago)).isoformat(),
                "quantity": quantity,
            }
            for number, days_ago, quantity in (("RCV-1", 20, "4"), ("RCV-2", 10, "5"))
        ]
    )
    await api.start(mode="three_way")
    await api.billed("PO-1", {1: "4"})
    company.does("receive", number="PO-2", receipt_number="RCV-3", lines=[{"line": 1, "quantity": "6"}])
    company.does("convert_to_vendor_invoice", receipt="RCV-3", invoice_number="VI-1", vendor_number="S-1")
    company.does("convert_to_vendor_invoice", number="PO-2", invoice_number="VI-2", lines=[{"line": 2}])
    await api.sync()
    now = await grni(api)
    assert shown(now, "received", "billed", "undated", "accrual", "prepaid") == {
        ("PO-1", 1): (9, 4, 0, Decimal("62.50"), 0),
        ("PO-2", 2): (0, 5, 0, 0, Decimal("62.50")),
    }
    assert now["PO-1", 1]["oldest_receipt"] == "RCV-2"
    assert Decimal(now["PO-1", 1]["ageing"]["days_0_30"]) == Decimal("62.50")
    for number in ("PO-1", "PO-2"):
        order = await api.order(number)
        for line_no in (1, 2):
            _, received, billed, pending = ledger(order, line_no)
            line = now.get((number, line_no))
            assert Decimal(line["accrual_quantity"] if line else 0) == max(received - billed - pending, Decimal(0))
            assert Decimal(line["prepaid_quantity"] if line else 0) == max(billed + pending - received, Decimal(0))
    # Before the second receipt, and before any: nothing was billed then.
    assert shown(await grni(api, days_ago=15), "accrual") == {("PO-1", 1): (Decimal("50.00"),)}
    assert await grni(api, days_ago=25) == {}
