"""The labelled set becomes the neutral format without a figure being touched."""

import csv
from datetime import date
from pathlib import Path

import pytest

from bench.labelled import Judged
from bench.labelled_data import convert, dataset_folder
from cli.client.bill_import import Imported
from sandbox import neutral
from services.imports.bill_file import FileBill, read_bills
from services.imports.outcomes import BillOutcome

ORDERS = """PO_ID,Vendor_ID,Vendor_Name,Item_Code,Quantity,Unit_Price,PO_Date,Approver,Status,Total_Amount
PO000001,V0041,Vasquez-Ward,IT-007,389,13823.96,2025-05-13,Kenneth Hurley,Approved,5377520.44
PO000002,V0009,"Wood, Mays and Williams",RAW-040,54,29565.58,2025-05-11,Laura Kent,Approved,1596541.32
"""
RECEIPTS = """GR_ID,PO_ID,Item_Code,Received_Qty,GR_Date,Receiver,Vendor_ID,Status
GR000001,PO000001,IT-007,389,2025-05-21,Yvonne Gray,V0041,Completed
"""
INVOICES = """Invoice_ID,Vendor_ID,Vendor_Name,PO_ID,Item_Code,Invoice_Qty,Invoice_Price,Invoice_Date,Invoice_Amount,\
Status,Mismatch_Type
INV000001,V0009,"Wood, Mays and Williams",PO000002,RAW-040,54,29565.58,2025-05-22,1596541.32,Pending,None
INV000002,V0041,Vasquez-Ward,PO000001,IT-007,389,13823.96,2025-05-23,5377520.44,Pending,None
INV000003,V0041,Vasquez-Ward,PO000001,IT-007,400,13823.96,2025-05-24,5529584,Pending,Qty_Overbilling
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "purchase_orders.csv").write_text(ORDERS)
    (folder / "goods_receipts.csv").write_text(RECEIPTS)
    (folder / "invoices.csv").write_text(INVOICES)
    return folder


def test_what_is_converted_can_be_loaded_and_imported(dataset, tmp_path):
    """Every file reads without a problem, by the sandbox and by `posync bills import`."""
    data = convert(dataset, tmp_path / "neutral")

    content, problems = neutral.read_path(data.folder)
    assert problems == []
    assert {kind: len(rows) for kind, rows in content.items()} == {
        "vendors": 2,
        "items": 2,
        "purchase_orders": 2,
        "receipts": 1,
        "bills": 3,
    }
    with data.bills.open(newline="") as text:
        bills = list(read_bills(text))
    assert all(isinstance(bill, FileBill) for bill in bills)
    assert [bill.number for bill in bills] == ["INV000001", "INV000002", "INV000003"]
    assert [str(bill.lines[0].amount) for bill in bills] == ["1596541.32", "5377520.44", "5529584"]


def test_it_tells_what_is_in_the_set(dataset, tmp_path):
    data = convert(dataset, tmp_path / "neutral")

    assert (data.orders, data.receipts, data.first_order_on) == (2, 1, date(2025, 5, 11))
    assert [label.mismatch for label in data.labels] == ["None", "None", "Qty_Overbilling"]


def test_a_part_of_the_set_keeps_the_history_of_what_it_refuses(dataset, tmp_path):
    """An overbilling is one only behind the good invoice that came first."""
    data = convert(dataset, tmp_path / "neutral", invoices=1)

    assert [label.invoice_number for label in data.labels] == ["INV000001", "INV000002", "INV000003"]


def test_orders_and_their_vendor_names_keep_their_commas(dataset, tmp_path):
    data = convert(dataset, tmp_path / "neutral")

    with (data.folder / "vendors.csv").open(newline="") as text:
        assert [row["name"] for row in csv.DictReader(text)] == ["Vasquez-Ward", "Wood, Mays and Williams"]


@pytest.mark.parametrize(
    ("label", "outcome", "code", "right"),
    [
        ("None", BillOutcome.ACCEPTED, "", True),
        ("None", BillOutcome.WARNED, "BILLED_BEYOND_RECEIVED", False),
        ("Qty_Overbilling", BillOutcome.BLOCKED, "QTY_OVER_CEILING", True),
        ("Duplicate", BillOutcome.ACCEPTED, "", False),
        ("No_GR", BillOutcome.WARNED, "BILLED_BEYOND_RECEIVED", True),
        ("No_PO", BillOutcome.NO_PURCHASE_ORDER, "UNKNOWN_PO", True),
        ("Price_Variance", BillOutcome.HELD, "PRICE_DIFFERS", True),
        ("Price_Variance", BillOutcome.HELD, "PERIOD_CLOSED", False),
        ("Price_Variance", BillOutcome.BLOCKED, "QTY_OVER_CEILING", False),
        ("None", BillOutcome.HELD, "PRICE_DIFFERS", False),
    ],
)
def test_a_label_is_met_by_the_outcome_it_asks_for(label, outcome, code, right):
    imported = Imported("INV1", "V1", "PO1", [2], outcome, code, "", [code], None)

    assert Judged(label, imported).right is right


def test_a_price_variance_on_an_order_billed_before_is_told_by_its_price():
    findings = ["QTY_OVER_CEILING", "PRICE_DIFFERS"]
    imported = Imported("INV1", "V1", "PO1", [2], BillOutcome.BLOCKED, "QTY_OVER_CEILING", "", findings, None)

    assert Judged("Price_Variance", imported).right
    assert not Judged("Duplicate", imported).right


def test_the_set_is_found_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("POSYNC_SHARED", str(tmp_path))
    assert dataset_folder() is None

    (tmp_path / "datasets" / "p2p-auditiq-labelled").mkdir(parents=True)
    assert dataset_folder() == tmp_path / "datasets" / "p2p-auditiq-labelled"
