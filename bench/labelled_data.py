"""Turn the labelled purchase-to-pay set into our neutral format.

500 orders of one line, 450 receipts and 480 invoices that nobody here made; each invoice carries a label that says what
is wrong with it. Figures are passed on as they are written there.
"""

import csv
import os
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

DATASET = "p2p-auditiq-labelled"
ENTITY = "100"
UNIT = "Each"


class Label(NamedTuple):
    """What the set says about one invoice: `None` is a good one."""

    invoice_number: str
    mismatch: str


class Converted(NamedTuple):
    """Where the neutral files are, and what is in them."""

    folder: Path
    bills: Path
    labels: tuple[Label, ...]
    orders: int
    receipts: int
    first_order_on: date


def shared_folder() -> Path:
    """Return the folder of other people's files: POSYNC_SHARED, or `shared` beside the checkout."""
    return Path(os.environ.get("POSYNC_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def dataset_folder() -> Path | None:
    """Return the folder of the labelled set, or None when it is not on this machine."""
    folder = shared_folder() / "datasets" / DATASET
    return folder if folder.is_dir() else None


def convert(dataset: Path, folder: Path, *, invoices: int | None = None) -> Converted:
    """Write vendors, items, purchase_orders, receipts and bills as CSV into `folder`.

    With `invoices`, only so many of each label, evenly; orders and receipts stay complete. Raises KeyError when a file
    of the set lacks a column.
    """
    folder.mkdir(parents=True, exist_ok=True)
    orders = _read(dataset / "purchase_orders.csv")
    receipts = _read(dataset / "goods_receipts.csv")
    bills = _read(dataset / "invoices.csv")
    if invoices is not None:
        bills = _some_of_each_label(bills, invoices)
    vendors = {row["Vendor_ID"]: row["Vendor_Name"] for row in (*orders, *bills)}
    items = sorted({row["Item_Code"] for row in (*orders, *bills)})
    _write(
        folder / "vendors.csv",
        ({"vendor_id": key, "name": name, "status": "active", "currency": "USD"} for key, name in vendors.items()),
    )
    _write(
        folder / "items.csv",
        ({"item_id": item, "name": item, "item_type": "Non-Inventory", "unit": UNIT} for item in items),
    )
    _write(folder / "purchase_orders.csv", map(_order, orders))
    _write(folder / "receipts.csv", map(_receipt, receipts))
    _write(folder / "bills.csv", map(_bill, bills))
    return Converted(
        folder=folder,
        bills=folder / "bills.csv",
        labels=tuple(Label(row["Invoice_ID"], row["Mismatch_Type"]) for row in bills),
        orders=len(orders),
        receipts=len(receipts),
        first_order_on=min(date.fromisoformat(row["PO_Date"]) for row in orders),
    )


def _order(row: Mapping[str, str]) -> dict[str, str]:
    return {
        "po_number": row["PO_ID"],
        "vendor_id": row["Vendor_ID"],
        "po_date": row["PO_Date"],
        "currency": "USD",
        "status": "Pending",
        "entity": ENTITY,
        "memo": f"approved by {row['Approver']}",
        "line_no": "1",
        "item_id": row["Item_Code"],
        "description": row["Item_Code"],
        "quantity": row["Quantity"],
        "unit": UNIT,
        "price": row["Unit_Price"],
        "location": ENTITY,
    }


def _receipt(row: Mapping[str, str]) -> dict[str, str]:
    return {
        "receipt_number": row["GR_ID"],
        "po_number": row["PO_ID"],
        "po_line_no": "1",
        "receipt_date": row["GR_Date"],
        "quantity": row["Received_Qty"],
        "status": "Pending",
    }


def _bill(row: Mapping[str, str]) -> dict[str, str]:
    return {
        "invoice_number": row["Invoice_ID"],
        "vendor_id": row["Vendor_ID"],
        "invoice_date": row["Invoice_Date"],
        "po_number": row["PO_ID"],
        "po_line_no": "1",
        "item_id": row["Item_Code"],
        "quantity": row["Invoice_Qty"],
        "unit": UNIT,
        "price": row["Invoice_Price"],
        "amount": row["Invoice_Amount"],
    }


def _some_of_each_label(rows: list[dict[str, str]], count: int) -> list[dict[str, str]]:
    """The first `count` of each label and every good invoice on the same orders: a refusal needs its history."""
    wanted: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        wanted.setdefault(row["Mismatch_Type"], []).append(row)
    chosen = {row["Invoice_ID"] for some in wanted.values() for row in some[:count]}
    orders = {row["PO_ID"] for row in rows if row["Invoice_ID"] in chosen}
    return [
        row
        for row in rows
        if row["Invoice_ID"] in chosen or (row["Mismatch_Type"] == "None" and row["PO_ID"] in orders)
    ]


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def _write(file: Path, rows: Iterable[Mapping[str, str]]) -> None:
    listed = list(rows)
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, fieldnames=list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
