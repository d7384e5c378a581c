"""How many QuickBooks Online orders of five lines one core reads per second: `python -m bench.quickbooks_parse`.

From the bytes of a query's answer to our own records, as a sync page does it. The answers are as full as QuickBooks':
every reference with its name, tax codes, addresses, metadata.
"""

import sys
from typing import Any

from bench.parse_rate import parse_rate, show
from erp.quickbooks_online import translate, wire
from erp.records import header_of
from models.domain.orders import PurchaseOrder

ORDERS = 100
LINES = 5
ROUNDS = 5
GOAL = 5_000
"""Half of the time that a page may take (2,500 a second) is for the database and Temporal."""


def _line(number: int) -> dict[str, Any]:
    quantity = 10 * number
    return {
        "Id": str(number),
        "LineNum": number,
        "Description": f"Part {number}, blue",
        "Amount": quantity * 12.5,
        "Received": 0,
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": {
            "ItemRef": {"value": str(300 + number), "name": f"Parts:ITEM-{number:04}"},
            "ClassRef": {"value": "5000000000000123456", "name": "Operating"},
            "Qty": quantity,
            "UnitPrice": 12.5,
            "BillableStatus": "NotBillable",
            "TaxCodeRef": {"value": "NON"},
        },
    }


def _order(number: int) -> dict[str, Any]:
    changed = f"2031-06-{number % 28 + 1:02}T17:00:{number % 60:02}-07:00"
    lines = [_line(line) for line in range(1, LINES + 1)]
    address = {"Id": "97", "Line1": "Acme Tools", "Line2": "1 Main Street", "Line3": "Springfield, IL 62701"}
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": str(number),
        "SyncToken": "0",
        "MetaData": {"CreateTime": "2031-06-01T09:30:00-07:00", "LastUpdatedTime": changed},
        "CustomField": [{"DefinitionId": "1", "Name": "Crew #", "Type": "StringType", "StringValue": "102"}],
        "DocNumber": f"PO-{number}",
        "TxnDate": "2031-06-01",
        "DueDate": "2031-07-01",
        "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
        "PrivateNote": "Requested by Maria Lopez",
        "LinkedTxn": [],
        "VendorRef": {"value": "56", "name": "Acme Tools"},
        "APAccountRef": {"value": "33", "name": "Accounts Payable (A/P)"},
        "SalesTermRef": {"value": "3", "name": "Net 30"},
        "VendorAddr": address,
        "ShipAddr": address,
        "POStatus": "Open",
        "EmailStatus": "NotSet",
        "POEmail": {"Address": "orders@acme.example"},
        "Line": lines,
        "TotalAmt": sum(line["Amount"] for line in lines),
    }


def answer() -> bytes:
    """A query's answer of a hundred orders."""
    orders = [_order(number) for number in range(1, ORDERS + 1)]
    body = {"QueryResponse": {"PurchaseOrder": orders, "startPosition": 1, "maxResults": ORDERS}}
    return wire.encode({**body, "time": "2031-07-01T08:15:22.131-07:00"})


def read(content: bytes) -> list[PurchaseOrder]:
    """What a sync page makes of the answer."""
    rows = wire.parts(wire.part(wire.parse(content), "QueryResponse"), "PurchaseOrder")
    orders = [translate.order(row, "USD") for row in rows]
    assert all(header_of(order) for order in orders)
    return orders


def measure() -> float:
    """Orders per second of processor time."""
    return parse_rate(read, answer(), rounds=ROUNDS, lines=LINES)


def main() -> int:
    show(measure(), lines=LINES, bytes_of_one=len(answer()) / ORDERS, goal=GOAL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
