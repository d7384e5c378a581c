"""The built-in sample account: believable orders in every state, for demos and first looks.

Dates are relative to the sandbox's clock. PO-1007 is always an open USD order of entity 100, ordered within the last
two weeks, of which nothing was received or billed yet.
"""

from datetime import date, timedelta
from typing import Any

from sandbox.netsuite.company import Company
from sandbox.netsuite.loading import load
from sandbox.netsuite.ui_actions import act

_VENDORS = (
    ("V-100", "Northwind Paper & Supply", "Net 30", "USD"),
    ("V-110", "Cascade Office Furniture", "Net 30", "USD"),
    ("V-120", "Brightline IT Distribution", "Net 30", "USD"),
    ("V-130", "Harbor Freight & Packaging", "Net 15", "USD"),
    ("V-140", "Summit Industrial Tools", "Net 60", "USD"),
    ("V-150", "Alder Cleaning Services", "Net 15", "USD"),
    ("V-160", "Meridian Laboratory Supply", "Net 30", "USD"),
    ("V-200", "Rheintal Verpackung GmbH", "Net 30", "EUR"),
    ("V-210", "Thames Valley Components Ltd", "Net 30", "GBP"),
)
_ITEMS = (
    # id, name, type, unit, account, price
    ("PAPER-A4", "Copy paper A4, 80 g", "Inventory", "Box", "6100", "24.50"),
    ("TONER-BK", "Toner cartridge, black", "Inventory", "Each", "6100", "89.90"),
    ("DESK-SIT", "Sit-stand desk 160 x 80", "Non-Inventory", "Each", "6200", "612.00"),
    ("CHAIR-ERG", "Ergonomic task chair", "Non-Inventory", "Each", "6200", "329.00"),
    ("LAPTOP-14", "Laptop 14 inch, 32 GB", "Inventory", "Each", "6300", "1549.00"),
    ("DOCK-USBC", "USB-C docking station", "Inventory", "Each", "6300", "189.00"),
    ("MON-27", "Monitor 27 inch", "Inventory", "Each", "6300", "274.25"),
    ("CARTON-M", "Shipping carton, medium", "Inventory", "Bundle", "6400", "18.75"),
    ("TAPE-PP", "Packing tape, 66 m", "Inventory", "Roll", "6400", "2.15"),
    ("DRILL-18", "Cordless drill 18 V", "Inventory", "Each", "6500", "148.00"),
    ("BIT-SET", "Drill bit set, 32 pieces", "Inventory", "Set", "6500", "39.95"),
    ("CLEAN-HR", "Office cleaning", "Service", "Hour", "6600", "31.00"),
    ("GLOVE-NI", "Nitrile gloves, box of 100", "Inventory", "Box", "6700", "11.40"),
    ("PIPET-10", "Pipette tips 10 ul", "Inventory", "Rack", "6700", "27.333"),
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
_FREIGHT, _INSURANCE = "7000", "7100"

Line = tuple[str, str]
"""An item and its quantity; or an account and its amount."""
Order = tuple[int, str, str, int, str, str, tuple[Line, ...]]

_ORDERS: tuple[Order, ...] = (
    # number, vendor, entity, days ago, currency, status, lines
    (1001, "V-100", "100", 70, "USD", "", (("PAPER-A4", "40"), ("TONER-BK", "6"), ("TAPE-PP", "24"))),
    (1002, "V-120", "100", 64, "USD", "", (("LAPTOP-14", "5"), ("DOCK-USBC", "5"), ("MON-27", "10"))),
    (1003, "V-110", "100", 58, "USD", "", (("DESK-SIT", "8"), ("CHAIR-ERG", "8"))),
    (1004, "V-130", "200", 52, "USD", "", (("CARTON-M", "120"), ("TAPE-PP", "60"))),
    (1005, "V-140", "100", 47, "USD", "", (("DRILL-18", "12"), ("BIT-SET", "12"))),
    (1006, "V-160", "100", 43, "USD", "", (("GLOVE-NI", "50"), ("PIPET-10", "36"), ("PAPER-A4", "4"))),
    (1007, "V-120", "100", 9, "USD", "", (("LAPTOP-14", "4"), ("DOCK-USBC", "4"), ("MON-27", "8"))),
    (1008, "V-100", "100", 12, "USD", "", (("PAPER-A4", "80"), ("TONER-BK", "10"))),
    (1009, "V-150", "200", 11, "USD", "", (("CLEAN-HR", "160"), (_FREIGHT, "85.00"))),
    (1010, "V-150", "100", 10, "USD", "", ((_FREIGHT, "420.00"), (_INSURANCE, "96.50"))),
    (1011, "V-110", "200", 35, "USD", "", (("CHAIR-ERG", "20"), ("DESK-SIT", "6"))),
    (1012, "V-130", "100", 33, "USD", "", (("CARTON-M", "200"), ("TAPE-PP", "96"))),
    (1013, "V-140", "200", 30, "USD", "", (("DRILL-18", "6"), ("BIT-SET", "10"))),
    (1014, "V-160", "100", 28, "USD", "", (("PIPET-10", "48"), ("GLOVE-NI", "30"))),
    (1015, "V-120", "200", 26, "USD", "", (("MON-27", "15"), ("DOCK-USBC", "15"))),
    (1016, "V-100", "100", 24, "USD", "Pending Supervisor Approval", (("PAPER-A4", "20"), ("TONER-BK", "2"))),
    (1017, "V-110", "100", 22, "USD", "Pending Supervisor Approval", (("DESK-SIT", "2"), ("CHAIR-ERG", "2"))),
    (1018, "V-120", "100", 21, "USD", "Rejected by Supervisor", (("LAPTOP-14", "12"), ("MON-27", "12"))),
    (1019, "V-140", "100", 20, "USD", "", (("DRILL-18", "3"), ("BIT-SET", "3"), ("TAPE-PP", "12"))),
    (1020, "V-150", "200", 19, "USD", "Planned", (("CLEAN-HR", "60"),)),
    (1021, "V-150", "100", 18, "USD", "Closed", (("CLEAN-HR", "40"), ("GLOVE-NI", "10"))),
    (1022, "V-200", "100", 17, "EUR", "", (("CARTON-M", "300"), ("TAPE-PP", "150"))),
    (1023, "V-210", "200", 16, "GBP", "", (("DOCK-USBC", "20"), ("MON-27", "6"))),
    (1024, "V-200", "100", 40, "EUR", "", (("CARTON-M", "80"), ("BIT-SET", "4"))),
    (1025, "V-100", "100", 140, "USD", "", (("PAPER-A4", "60"), ("TAPE-PP", "36"))),
    (1026, "V-140", "100", 175, "USD", "", (("DRILL-18", "2"), ("BIT-SET", "8"))),
    (1027, "V-160", "200", 210, "USD", "", (("GLOVE-NI", "90"), ("PIPET-10", "12"))),
    (1028, "V-130", "100", 8, "USD", "", (("CARTON-M", "40"), ("TAPE-PP", "20"))),
    (1029, "V-130", "100", 7, "USD", "", (("CARTON-M", "60"), ("TAPE-PP", "30"))),
    (1030, "V-130", "100", 6, "USD", "", (("CARTON-M", "30"), ("GLOVE-NI", "15"))),
    (1031, "V-100", "100", 5, "USD", "", (("PAPER-A4", "12"), ("TONER-BK", "1"), (_FREIGHT, "38.00"))),
    (1032, "V-120", "100", 4, "USD", "", (("LAPTOP-14", "2"), ("MON-27", "2"), ("DOCK-USBC", "2"))),
    (1033, "V-160", "100", 3, "USD", "", (("PIPET-10", "24"), ("GLOVE-NI", "12"), ("TAPE-PP", "6"))),
    (1034, "V-110", "200", 2, "USD", "", (("CHAIR-ERG", "5"), ("DESK-SIT", "5"), ("MON-27", "5"))),
)

_RECEIPTS: tuple[tuple[str, int, int, tuple[tuple[int, str], ...]], ...] = (
    # number, order, days ago, lines (position, quantity); IR-2004 brings more than was ordered
    ("IR-2001", 1001, 66, ((1, "40"), (2, "6"), (3, "24"))),
    ("IR-2002", 1002, 60, ((1, "5"), (2, "3"))),
    ("IR-2003", 1003, 50, ((1, "8"), (2, "8"))),
    ("IR-2004", 1004, 49, ((1, "130"),)),
    ("IR-2005", 1005, 43, ((1, "12"), (2, "12"))),
    ("IR-2006", 1006, 38, ((1, "50"), (2, "20"))),
    ("IR-2007", 1012, 28, ((1, "200"), (2, "96"))),
    ("IR-2008", 1008, 6, ((1, "50"),)),
    ("IR-2009", 1011, 30, ((1, "12"),)),
    ("IR-2010", 1013, 24, ((1, "6"), (2, "10"))),
    ("IR-2011", 1015, 20, ((1, "10"),)),
    ("IR-2012", 1022, 12, ((1, "300"), (2, "150"))),
    ("IR-2013", 1025, 130, ((1, "60"), (2, "36"))),
    ("IR-2014", 1028, 5, ((1, "40"), (2, "20"))),
    ("IR-2015", 1029, 4, ((1, "25"),)),
    ("IR-2016", 1031, 3, ((1, "12"), (2, "1"))),
    ("IR-2018", 1019, 14, ((1, "3"), (2, "3"), (3, "12"))),
    ("IR-2017", 1033, 2, ((1, "24"), (2, "12"), (3, "6"))),
)
_ACTS: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (60, "bill", {"number": "PO-1001", "invoice_number": "NW-58121"}),
    (55, "bill", {"number": "PO-1002", "invoice_number": "BL-20417", "lines": [{"line": 1}]}),
    (41, "bill", {"number": "PO-1005", "invoice_number": "ST-9013"}),
    (36, "bill", {"number": "PO-1006", "invoice_number": "ML-77120"}),
    (20, "bill", {"number": "PO-1013", "invoice_number": "ST-9102", "lines": [{"line": 1}]}),
    (30, "pay_bill", {"number": "NW-58121", "document_number": "CHK-4401"}),
    (28, "pay_bill", {"number": "ST-9013", "amount": "1000.00", "document_number": "CHK-4402"}),
    (15, "close", {"number": "PO-1014", "line": 2}),
)
_PRICES = {item: price for item, *_, price in _ITEMS}
_UNITS = {item: unit for item, _, _, unit, _, _ in _ITEMS}
_NAMES = {item: name for item, name, *_ in _ITEMS}


def sample_company(company: Company) -> dict[str, Any]:
    """Fill an empty account; answers counts, the orders' numbers and errors (there should be none)."""
    today = company.today()
    report = load(company, _content(today))
    for days_ago, action, given in _ACTS:
        day = today - timedelta(days=days_ago)
        with company.stamped(company.moment_of(day, 15)):
            act(company, action, {"date": day.isoformat(), **given})
    return {**report, "purchase_orders": [f"PO-{order[0]}" for order in _ORDERS]}


def _content(today: date) -> dict[str, list[dict[str, str]]]:
    columns = ("item_id", "name", "item_type", "unit", "gl_account")
    departments = (("OPS", "Operations"), ("IT", "Information technology"), ("LAB", "Laboratory"))
    return {
        "accounts": [{"account_no": number, "title": title} for number, title in _ACCOUNTS],
        "departments": [{"department_id": key, "title": title} for key, title in departments],
        "classes": [{"class_id": "OPEX", "name": "Operating"}, {"class_id": "CAPEX", "name": "Capital"}],
        "locations": [
            {"location_id": "NYC", "name": "New York", "entity": "100"},
            {"location_id": "LON", "name": "London", "entity": "200"},
        ],
        "bank_accounts": [{"bank_account_id": "BOA-OPS", "name": "Bank of America, operations"}],
        "vendors": [
            {"vendor_id": key, "name": name, "term": term, "currency": money} for key, name, term, money in _VENDORS
        ],
        "items": [dict(zip(columns, item[:5], strict=True)) for item in _ITEMS],
        "purchase_orders": [row for order in _ORDERS for row in _order_rows(today, order)],
        "receipts": [
            {
                "receipt_number": number,
                "po_number": f"PO-{order}",
                "po_line_no": str(position),
                "receipt_date": (today - timedelta(days=days_ago)).isoformat(),
                "quantity": quantity,
            }
            for number, order, days_ago, lines in _RECEIPTS
            for position, quantity in lines
        ],
    }


def _order_rows(today: date, order: Order) -> list[dict[str, str]]:
    number, vendor, entity, days_ago, money, status, lines = order
    day = today - timedelta(days=days_ago)
    head = {
        "po_number": f"PO-{number}",
        "vendor_id": vendor,
        "po_date": day.isoformat(),
        "due_date": (day + timedelta(days=30)).isoformat(),
        "currency": money,
        "status": status,
        "entity": entity,
        "memo": f"Requested by {'Maria Lopez' if number % 2 else 'Sam Whitfield'}",
        "department": "LAB" if vendor == "V-160" else "IT" if vendor == "V-120" else "OPS",
        "location": "NYC" if entity == "100" else "LON",
    }
    rows = []
    for what, how_much in lines:
        if what in _PRICES:
            bought = {"item_id": what, "description": _NAMES[what], "quantity": how_much, "unit": _UNITS[what]}
            bought |= {"price": _PRICES[what], "class": "CAPEX" if what in ("LAPTOP-14", "DESK-SIT") else "OPEX"}
        else:
            bought = {"item_id": "", "account": what, "quantity": "1", "price": how_much, "class": "OPEX"}
        rows.append({**head, **bought})
    return rows
