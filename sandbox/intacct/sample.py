"""The built-in sample company: believable orders in every state, for demos and first looks.

Dates are relative to the sandbox's clock. PO-1007 is always an open USD order of entity 100, ordered within the last
two weeks, with several lines of different items.
"""

from datetime import date, timedelta
from typing import Any

from sandbox.intacct.company import Company
from sandbox.intacct.loading import load
from sandbox.intacct.ui_actions import act

_VENDORS = (
    # id, name, term, currency
    ("V-100", "Northwind Paper & Supply", "Net 30", "USD"),
    ("V-110", "Cascade Office Furniture", "Net 30", "USD"),
    ("V-120", "Brightline IT Distribution", "Net 30", "USD"),
    ("V-130", "Harbor Freight & Packaging", "Net 15", "USD"),
    ("V-140", "Summit Industrial Tools", "Net 60", "USD"),
    ("V-150", "Alder Cleaning Services", "Net 15", "USD"),
    ("V-160", "Meridian Laboratory Supply", "Net 30", "USD"),
    ("V-170", "Lakeshore Print Works", "Net 30", "USD"),
    ("V-200", "Rheintal Verpackung GmbH", "Net 30", "EUR"),
    ("V-210", "Thames Valley Components Ltd", "Net 30", "GBP"),
)
_ITEMS = (
    # id, name, unit, account, price
    ("PAPER-A4", "Copy paper A4, 80 g", "Box", "6100", "24.50"),
    ("TONER-BK", "Toner cartridge, black", "Each", "6100", "89.90"),
    ("DESK-SIT", "Sit-stand desk 160 x 80", "Each", "6200", "612.00"),
    ("CHAIR-ERG", "Ergonomic task chair", "Each", "6200", "329.00"),
    ("LAPTOP-14", "Laptop 14 inch, 32 GB", "Each", "6300", "1549.00"),
    ("DOCK-USBC", "USB-C docking station", "Each", "6300", "189.00"),
    ("MON-27", "Monitor 27 inch", "Each", "6300", "274.25"),
    ("CARTON-M", "Shipping carton, medium", "Bundle", "6400", "18.75"),
    ("TAPE-PP", "Packing tape, 66 m", "Roll", "6400", "2.15"),
    ("DRILL-18", "Cordless drill 18 V", "Each", "6500", "148.00"),
    ("BIT-SET", "Drill bit set, 32 pieces", "Set", "6500", "39.95"),
    ("CLEAN-HR", "Office cleaning", "Hour", "6600", "31.00"),
    ("GLOVE-NI", "Nitrile gloves, box of 100", "Box", "6700", "11.40"),
    ("PIPET-10", "Pipette tips 10 ul", "Rack", "6700", "27.333"),
    ("FLYER-A5", "Flyer A5, 4 colours", "Thousand", "6800", "96.00"),
)
_UNIT_GROUPS = {
    # item: its units in base units; suppliers bill paper by the ream and cartons by the piece, too
    "PAPER-A4": {"Ream": "1", "Box": "5"},
    "CARTON-M": {"Each": "1", "Bundle": "25"},
    "TAPE-PP": {"Roll": "1", "Carton": "36"},
}
_CATEGORIES = {
    # account: product line
    "6100": "OFFICE",
    "6200": "FURNITURE",
    "6300": "IT",
    "6400": "PACKAGING",
    "6500": "TOOLS",
    "6600": "SERVICES",
    "6700": "LABORATORY",
    "6800": "PRINT",
}
_ACCOUNTS = (
    ("6100", "Office supplies"),
    ("6200", "Furniture"),
    ("6300", "Computer equipment"),
    ("6400", "Packaging"),
    ("6500", "Tools"),
    ("6600", "Facility services"),
    ("6700", "Laboratory supplies"),
    ("6800", "Marketing print"),
    ("7000", "Freight"),
)
_PRICES = {item: price for item, _, _, _, price in _ITEMS}
_UNITS = {item: unit for item, _, unit, _, _ in _ITEMS}
_NAMES = {item: name for item, name, _, _, _ in _ITEMS}

Order = tuple[int, str, str, int, str, str, tuple[tuple[str, str], ...]]

_ORDERS: tuple[Order, ...] = (
    # number, vendor, entity, days ago, currency, status at first, lines (item, quantity)
    (1001, "V-100", "100", 70, "USD", "Pending", (("PAPER-A4", "40"), ("TONER-BK", "6"), ("TAPE-PP", "24"))),
    (1002, "V-120", "100", 64, "USD", "Pending", (("LAPTOP-14", "5"), ("DOCK-USBC", "5"), ("MON-27", "10"))),
    (1003, "V-110", "100", 58, "USD", "Pending", (("DESK-SIT", "8"), ("CHAIR-ERG", "8"))),
    (1004, "V-130", "200", 52, "USD", "Pending", (("CARTON-M", "120"), ("TAPE-PP", "60"))),
    (1005, "V-140", "100", 47, "USD", "Pending", (("DRILL-18", "12"), ("BIT-SET", "12"))),
    (1006, "V-160", "100", 43, "USD", "Pending", (("GLOVE-NI", "50"), ("PIPET-10", "36"), ("PAPER-A4", "4"))),
    (1007, "V-120", "100", 9, "USD", "Pending", (("LAPTOP-14", "4"), ("DOCK-USBC", "4"), ("MON-27", "8"))),
    (1008, "V-100", "100", 12, "USD", "Pending", (("PAPER-A4", "80"), ("TONER-BK", "10"))),
    (1009, "V-150", "200", 11, "USD", "Pending", (("CLEAN-HR", "160"), ("PAPER-A4", "3"))),
    (1010, "V-170", "100", 10, "USD", "Pending", (("FLYER-A5", "25"), ("CARTON-M", "5"))),
    (1011, "V-110", "200", 35, "USD", "Pending", (("CHAIR-ERG", "20"), ("DESK-SIT", "6"))),
    (1012, "V-130", "100", 33, "USD", "Pending", (("CARTON-M", "200"), ("TAPE-PP", "96"))),
    (1013, "V-140", "200", 30, "USD", "Pending", (("DRILL-18", "6"), ("BIT-SET", "10"))),
    (1014, "V-160", "100", 28, "USD", "Pending", (("PIPET-10", "48"), ("GLOVE-NI", "30"))),
    (1015, "V-120", "200", 26, "USD", "Pending", (("MON-27", "15"), ("DOCK-USBC", "15"))),
    (1016, "V-100", "100", 24, "USD", "Draft", (("PAPER-A4", "20"), ("TONER-BK", "2"))),
    (1017, "V-110", "100", 22, "USD", "Submitted", (("DESK-SIT", "2"), ("CHAIR-ERG", "2"))),
    (1018, "V-120", "100", 21, "USD", "Partially Approved", (("LAPTOP-14", "12"), ("MON-27", "12"))),
    (1019, "V-140", "100", 20, "USD", "Approved", (("DRILL-18", "3"), ("BIT-SET", "3"), ("TAPE-PP", "12"))),
    (1020, "V-170", "200", 19, "USD", "Declined", (("FLYER-A5", "60"), ("PAPER-A4", "5"))),
    (1021, "V-150", "100", 18, "USD", "Closed", (("CLEAN-HR", "40"), ("GLOVE-NI", "10"))),
    (1022, "V-200", "100", 17, "EUR", "Pending", (("CARTON-M", "300"), ("TAPE-PP", "150"))),
    (1023, "V-210", "200", 16, "GBP", "Pending", (("DOCK-USBC", "20"), ("MON-27", "6"))),
    (1024, "V-200", "100", 40, "EUR", "Pending", (("CARTON-M", "80"), ("BIT-SET", "4"))),
    (1025, "V-100", "100", 140, "USD", "Pending", (("PAPER-A4", "60"), ("TAPE-PP", "36"))),
    (1026, "V-140", "100", 175, "USD", "Pending", (("DRILL-18", "2"), ("BIT-SET", "8"))),
    (1027, "V-160", "200", 210, "USD", "Pending", (("GLOVE-NI", "90"), ("PIPET-10", "12"))),
    (1028, "V-130", "100", 8, "USD", "Pending", (("CARTON-M", "40"), ("TAPE-PP", "20"))),
    (1029, "V-130", "100", 7, "USD", "Pending", (("CARTON-M", "60"), ("TAPE-PP", "30"))),
    (1030, "V-130", "100", 6, "USD", "Pending", (("CARTON-M", "30"), ("GLOVE-NI", "15"))),
    (1031, "V-170", "100", 5, "USD", "Pending", (("FLYER-A5", "10"), ("PAPER-A4", "12"), ("TONER-BK", "1"))),
    (1032, "V-120", "100", 4, "USD", "Pending", (("LAPTOP-14", "2"), ("MON-27", "2"), ("DOCK-USBC", "2"))),
    (1033, "V-160", "100", 3, "USD", "Pending", (("PIPET-10", "24"), ("GLOVE-NI", "12"), ("TAPE-PP", "6"))),
    (1034, "V-110", "200", 2, "USD", "Pending", (("CHAIR-ERG", "5"), ("DESK-SIT", "5"), ("MON-27", "5"))),
)

_ACTS: tuple[tuple[int, str, dict[str, Any]], ...] = (
    # days ago, action, what it is given
    (60, "convert_to_vendor_invoice", {"number": "PO-1001", "vendor_number": "NW-58121"}),
    (55, "convert_to_vendor_invoice", {"number": "PO-1002", "vendor_number": "BL-20417", "lines": [{"line": 1}]}),
    (50, "receive", {"number": "PO-1003", "receipt_number": "RCV-2001"}),
    (49, "receive", {"number": "PO-1004", "receipt_number": "RCV-2002", "lines": [{"line": 1, "quantity": "80"}]}),
    (41, "convert_to_vendor_invoice", {"number": "PO-1005", "vendor_number": "ST-9013"}),
    (38, "receive", {"number": "PO-1006", "receipt_number": "RCV-2003", "lines": [{"line": 1}, {"line": 2}]}),
    (36, "convert_to_vendor_invoice", {"receipt": "RCV-2003", "vendor_number": "ML-77120"}),
    (25, "convert_to_vendor_invoice", {"number": "PO-1011", "state": "Draft", "lines": [{"line": 1}]}),
    (24, "receive", {"number": "PO-1013", "receipt_number": "RCV-2004"}),
    (20, "receive", {"number": "PO-1015", "receipt_number": "RCV-2005", "lines": [{"line": 1, "quantity": "10"}]}),
    (30, "pay_bill", {"number": "NW-58121", "document_number": "CHK-4401"}),
    (28, "pay_bill", {"number": "ST-9013", "amount": "1000.00", "document_number": "CHK-4402"}),
)


def sample_company(company: Company) -> dict[str, Any]:
    """Fill an empty company; answers counts, the orders' numbers and errors (there should be none)."""
    today = company.today()
    report = load(company, _content(today))
    for days_ago, action, given in _ACTS:
        day = today - timedelta(days=days_ago)
        with company.stamped(f"{day.month:02d}/{day.day:02d}/{day.year:04d} 15:30:00"):
            act(company, action, {"date": day.isoformat(), **given})
    return {**report, "purchase_orders": [f"PO-{order[0]}" for order in _ORDERS]}


def _content(today: date) -> dict[str, list[dict[str, str]]]:
    accounts = [
        {"account_no": number, "title": title, "account_type": "incomestatement"} for number, title in _ACCOUNTS
    ]
    units = [
        {"unit_group": key, "unit": unit, "factor": factor}
        for key, group in _UNIT_GROUPS.items()
        for unit, factor in group.items()
    ]
    items = [
        {
            "item_id": key,
            "name": name,
            "unit": unit,
            "unit_group": key if key in _UNIT_GROUPS else "",
            "category": _CATEGORIES[account],
            "gl_account": account,
        }
        for key, name, unit, account, _ in _ITEMS
    ]
    vendors = [
        {"vendor_id": key, "name": name, "term": term, "currency": currency} for key, name, term, currency in _VENDORS
    ]
    departments = [
        {"department_id": key, "title": title}
        for key, title in (("OPS", "Operations"), ("IT", "Information technology"), ("LAB", "Laboratory"))
    ]
    rows = []
    for number, vendor, entity, days_ago, currency, status, lines in _ORDERS:
        day = today - timedelta(days=days_ago)
        for line_no, (item, quantity) in enumerate(lines, 1):
            rows.append(
                {
                    "po_number": f"PO-{number}",
                    "vendor_id": vendor,
                    "po_date": day.isoformat(),
                    "due_date": (day + timedelta(days=30)).isoformat(),
                    "currency": currency,
                    "status": status,
                    "entity": entity,
                    "memo": f"Requested by {'Maria Lopez' if number % 2 else 'Sam Whitfield'}",
                    "line_no": str(line_no),
                    "item_id": item,
                    "description": _NAMES[item],
                    "quantity": quantity,
                    "unit": _UNITS[item],
                    "price": _PRICES[item],
                    "department": "LAB" if vendor == "V-160" else "IT" if vendor == "V-120" else "OPS",
                    "class": "CAPEX" if item in ("LAPTOP-14", "DESK-SIT") else "OPEX",
                    "location": entity,
                }
            )
    return {
        "accounts": accounts,
        "departments": departments,
        "classes": [{"class_id": "OPEX", "name": "Operating"}, {"class_id": "CAPEX", "name": "Capital"}],
        "bank_accounts": [{"bank_account_id": "BOA-OPS", "name": "Bank of America, operations"}],
        "vendors": vendors,
        "units": units,
        "items": items,
        "purchase_orders": rows,
    }
