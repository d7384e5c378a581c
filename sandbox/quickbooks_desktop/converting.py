"""Receipts that become bills, and bills that get receipts: what only QuickBooks itself can do (reference 3.2)."""

from datetime import date
from typing import Any

from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.errors import locked
from sandbox.quickbooks_desktop.links import touch_orders
from sandbox.quickbooks_desktop.records import Line, Txn
from sandbox.quickbooks_desktop.writing import check_open


def bill_from_receipt(company: Company, receipt: Txn, invoice_number: str, due_date: Any = None) -> Txn:
    """Turn a receipt into a bill: the order shows the bill in its place, neither payable nor stock move.

    With enhanced receiving the receipt stays, and the bill is linked to the same order lines. Raises Refused.
    """
    check_open(company, "ItemReceipt", receipt.day)
    if receipt.txn_id in company.locks:
        raise locked("ItemReceipt")
    values = dict(receipt.values)
    if invoice_number:
        values["RefNumber"] = invoice_number
    values["DueDate"] = date.fromisoformat(str(due_date)) if due_date else receipt.day
    stays = company.enhanced
    lines = [_copied(line, keep_id=not stays) for line in receipt.lines]
    same = not stays and company.switches.word("converted_receipt_id") == "same"
    if not stays:
        company.remove(receipt, listed=company.switches.word("converted_receipt") == "listed")
    bill = company.add_txn("Bill", values, lines, [], txn_id=receipt.txn_id if same else "")
    touch_orders(company, bill)
    return bill


def enable_enhanced_receiving(company: Company) -> int:
    """Switch Enhanced Inventory Receiving on: every bill gets a receipt. The answer is how many were made."""
    if company.enhanced:
        return 0
    company.preferences["EnhancedInventoryReceivingEnabled"] = True
    made = 0
    for receipt in list(company.txns["ItemReceipt"].values()):
        company.settle(receipt)
        company.touch(receipt)
    for bill in list(company.txns["Bill"].values()):
        items = [line for line in bill.lines if line.kind == "item" and line.values.get("ItemRef")]
        if items and not bill.voided:
            values = {name: value for name, value in bill.values.items() if name not in ("DueDate", "TermsRef")}
            company.add_txn("ItemReceipt", values, [_copied(line, keep_id=False) for line in items], [])
            made += 1
        company.settle(bill)
        company.touch(bill)
    for order in company.txns["PurchaseOrder"].values():
        company.touch(order)
    return made


def _copied(line: Line, *, keep_id: bool) -> Line:
    values = dict(line.values)
    return Line(line.id if keep_id else "", line.kind, values, line.quantity, line.price, line.amount, line.link)
