"""The built-in sample company: believable orders in every state, for demos and first looks.

Dates are relative to the sandbox's clock. PO-1007 is always an open order of the last two weeks, of which nothing was
billed yet.
"""

from datetime import date, timedelta
from typing import Any

from sandbox.quickbooks_desktop.company import Company
from sandbox.quickbooks_desktop.loading import load
from sandbox.quickbooks_desktop.ui_actions import act

_VENDORS = (
    ("V-100", "Northwind Paper & Supply", "Net 30"),
    ("V-110", "Cascade Office Furniture", "Net 30"),
    ("V-120", "Brightline IT Distribution", "Net 30"),
    ("V-130", "Harbor Freight & Packaging", "Net 15"),
    ("V-140", "Summit Industrial Tools", "Net 60"),
    ("V-150", "Alder Cleaning Services", "Net 15"),
    ("V-160", "Meridian Laboratory Supply", "Net 30"),
)
_ITEMS = (
    # id, name, type, account, price
    ("PAPER-A4", "Copy paper A4, 80 g", "Inventory", "6100", "24.50"),
    ("TONER-BK", "Toner cartridge, black", "Inventory", "6100", "89.90"),
    ("DESK-SIT", "Sit-stand desk 160 x 80", "Non-Inventory", "6200", "612.00"),
    ("CHAIR-ERG", "Ergonomic task chair", "Non-Inventory", "6200", "329.00"),
    ("LAPTOP-14", "Laptop 14 inch, 32 GB", "Inventory", "6300", "1549.00"),
    ("DOCK-USBC", "USB-C docking station", "Inventory", "6300", "189.00"),
    ("MON-27", "Monitor 27 inch", "Inventory", "6300", "274.25"),
    ("CARTON-M", "Shipping carton, medium", "Inventory", "6400", "18.75"),
    ("TAPE-PP", "Packing tape, 66 m", "Inventory", "6400", "2.15"),
    ("DRILL-18", "Cordless drill 18 V", "Inventory", "6500", "148.00"),
    ("BIT-SET", "Drill bit set, 32 pieces", "Inventory", "6500", "39.95"),
    ("CLEAN-HR", "Office cleaning", "Service", "6600", "31.00"),
    ("GLOVE-NI", "Nitrile gloves, box of 100", "Inventory", "6700", "11.40"),
    ("PIPET-10", "Pipette tips 10 ul", "Inventory", "6700", "27.333"),
    ("FREIGHT-IN", "Freight", "Other Charge", "7000", "1.00"),
    ("INSURE", "Insurance", "Other Charge", "7100", "1.00"),
)
_ACCOUNTS = (
    ("6100", "Office supplies"),
    ("6200", "Furniture"),
    ("6300", "Computer equipment"),
    ("6400", "Packaging"),
    ("6500", "Tools"),
    ("6600", "Facility services"),
    ("6700", "Laboratory supplies"),
    ("7000", "Freight"),
    ("7100", "Insurance"),
)
_FREIGHT, _INSURANCE = "FREIGHT-IN", "INSURE"

Line = tuple[str, str]
"""An item and its quantity; orders have no expense lines, so freight is an item, too."""
Order = tuple[int, str, int, str, tuple[Line, ...]]

_ORDERS: tuple[Order, ...] = (
    # number, vendor, days ago, status, lines
    (1001, "V-100", 70, "", (("PAPER-A4", "40"), ("TONER-BK", "6"), ("TAPE-PP", "24"))),
    (1002, "V-120", 64, "", (("LAPTOP-14", "5"), ("DOCK-USBC", "5"), ("MON-27", "10"))),
    (1003, "V-110", 58, "", (("DESK-SIT", "8"), ("CHAIR-ERG", "8"))),
    (1004, "V-130", 52, "", (("CARTON-M", "120"), ("TAPE-PP", "60"))),
    (1005, "V-140", 47, "", (("DRILL-18", "12"), ("BIT-SET", "12"))),
    (1006, "V-160", 43, "", (("GLOVE-NI", "50"), ("PIPET-10", "36"), ("PAPER-A4", "4"))),
    (1007, "V-120", 9, "", (("LAPTOP-14", "4"), ("DOCK-USBC", "4"), ("MON-27", "8"))),
    (1008, "V-100", 12, "", (("PAPER-A4", "80"), ("TONER-BK", "10"))),
    (1009, "V-150", 11, "", (("CLEAN-HR", "160"), (_FREIGHT, "85.00"))),
    (1010, "V-150", 10, "", ((_FREIGHT, "420.00"), (_INSURANCE, "96.50"))),
    (1011, "V-110", 35, "", (("CHAIR-ERG", "20"), ("DESK-SIT", "6"))),
    (1012, "V-130", 33, "", (("CARTON-M", "200"), ("TAPE-PP", "96"))),
    (1013, "V-140", 30, "", (("DRILL-18", "6"), ("BIT-SET", "10"))),
    (1014, "V-160", 28, "Closed", (("PIPET-10", "48"), ("GLOVE-NI", "30"))),
    (1015, "V-120", 26, "", (("MON-27", "15"), ("DOCK-USBC", "15"))),
    (1016, "V-100", 24, "", (("PAPER-A4", "20"), ("TONER-BK", "2"))),
    (1017, "V-110", 22, "", (("DESK-SIT", "2"), ("CHAIR-ERG", "2"))),
    (1018, "V-120", 21, "", (("LAPTOP-14", "12"), ("MON-27", "12"))),
    (1019, "V-140", 20, "", (("DRILL-18", "3"), ("BIT-SET", "3"), ("TAPE-PP", "12"))),
    (1020, "V-150", 19, "", (("CLEAN-HR", "60"),)),
    (1021, "V-150", 18, "Closed", (("CLEAN-HR", "40"), ("GLOVE-NI", "10"))),
    (1022, "V-130", 17, "", (("CARTON-M", "300"), ("TAPE-PP", "150"))),
    (1023, "V-120", 16, "", (("DOCK-USBC", "20"), ("MON-27", "6"))),
    (1024, "V-140", 40, "", (("BIT-SET", "4"), ("TAPE-PP", "8"))),
    (1025, "V-100", 140, "", (("PAPER-A4", "60"), ("TAPE-PP", "36"))),
    (1026, "V-140", 175, "", (("DRILL-18", "2"), ("BIT-SET", "8"))),
    (1027, "V-160", 210, "", (("GLOVE-NI", "90"), ("PIPET-10", "12"))),
    (1028, "V-130", 8, "", (("CARTON-M", "40"), ("TAPE-PP", "20"))),
    (1029, "V-130", 7, "", (("CARTON-M", "60"), ("TAPE-PP", "30"))),
    (1030, "V-130", 6, "", (("CARTON-M", "30"), ("GLOVE-NI", "15"))),
    (1031, "V-100", 5, "", (("PAPER-A4", "12"), ("TONER-BK", "1"), (_FREIGHT, "38.00"))),
    (1032, "V-120", 4, "", (("LAPTOP-14", "2"), ("MON-27", "2"), ("DOCK-USBC", "2"))),
    (1033, "V-160", 3, "", (("PIPET-10", "24"), ("GLOVE-NI", "12"), ("TAPE-PP", "6"))),
    (1034, "V-110", 2, "", (("CHAIR-ERG", "5"), ("DESK-SIT", "5"), ("MON-27", "5"))),
)
_ACTS: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (60, "bill", {"number": "PO-1001", "invoice_number": "NW-58121"}),
    (55, "bill", {"number": "PO-1002", "invoice_number": "BL-20417", "lines": [{"line": 1}]}),
    (48, "receive", {"number": "PO-1003", "receipt_number": "R-3003", "lines": [{"line": 1, "quantity": 4}]}),
    (41, "bill", {"number": "PO-1005", "invoice_number": "ST-9013"}),
    (
        36,
        "bill",
        {"number": "PO-1006", "invoice_number": "ML-77120", "lines": [{"line": 1}, {"line": 2, "quantity": 20}]},
    ),
    (30, "receive", {"number": "PO-1011", "receipt_number": "R-3011"}),
    (29, "enter_bill_for_receipt", {"number": "R-3011", "invoice_number": "CO-4471"}),
    (28, "bill", {"number": "PO-1012", "invoice_number": "HF-3310"}),
    (20, "bill", {"number": "PO-1013", "invoice_number": "ST-9102", "lines": [{"line": 1}]}),
    (6, "expense", {"number": "PO-1008", "document_number": "4403", "lines": [{"line": 1, "quantity": 50}]}),
    (15, "receive", {"number": "PO-1016", "receipt_number": "R-3016"}),
    (30, "pay_bill", {"number": "NW-58121", "document_number": "4401"}),
    (28, "pay_bill", {"number": "ST-9013", "amount": "1000.00", "document_number": "4402"}),
    (14, "add_credit", {"vendor_id": "V-130", "number": "HF-CR-12", "amount": "75.00", "account": "6400"}),
    (15, "close", {"number": "PO-1004", "line": 2}),
)
_PRICES = {item: price for item, *_, price in _ITEMS}
_NAMES = {item: name for item, name, *_ in _ITEMS}


def sample_company(company: Company) -> dict[str, Any]:
    """Fill an empty company; answers counts, the orders' numbers and errors (there should be none)."""
    today = company.today()
    report = load(company, _content(today))
    for days_ago, action, given in _ACTS:
        day = today - timedelta(days=days_ago)
        with company.stamped(company.moment_of(day, 22)):
            act(company, action, {"date": day.isoformat(), **given})
    return {**report, "purchase_orders": [f"PO-{order[0]}" for order in _ORDERS]}


def _content(today: date) -> dict[str, list[dict[str, str]]]:
    columns = ("item_id", "name", "item_type", "gl_account")
    return {
        "accounts": [{"account_no": number, "title": title} for number, title in _ACCOUNTS],
        "classes": [{"class_id": "OPEX", "name": "Operating"}, {"class_id": "CAPEX", "name": "Capital"}],
        "bank_accounts": [{"bank_account_id": "BOA-OPS", "name": "Bank of America, operations"}],
        "vendors": [{"vendor_id": key, "name": name, "term": term} for key, name, term in _VENDORS],
        "items": [dict(zip(columns, item[:4], strict=True)) for item in _ITEMS],
        "purchase_orders": [row for order in _ORDERS for row in _order_rows(today, order)],
    }


def _order_rows(today: date, order: Order) -> list[dict[str, str]]:
    number, vendor, days_ago, status, lines = order
    day = today - timedelta(days=days_ago)
    head = {
        "po_number": f"PO-{number}",
        "vendor_id": vendor,
        "po_date": day.isoformat(),
        "due_date": (day + timedelta(days=30)).isoformat(),
        "status": status,
        "memo": f"Requested by {'Maria Lopez' if number % 2 else 'Sam Whitfield'}",
    }
    rows = []
    for what, how_much in lines:
        charge = what in (_FREIGHT, _INSURANCE)
        quantity, price = ("1", how_much) if charge else (how_much, _PRICES[what])
        bought = {"item_id": what, "description": _NAMES[what], "quantity": quantity, "price": price}
        bought["class"] = "CAPEX" if what in ("LAPTOP-14", "DESK-SIT") else "OPEX"
        rows.append({**head, **bought})
    return rows
