"""A file of invoices that name no order, from the command line into the ERP."""

import asyncio
import csv
from pathlib import Path

import pytest

from cli.client.api_client import Api
from cli.client.bill_import import Imported, import_bills
from services.imports.bill_file import COLUMNS
from settings import Settings
from tests.harness.sandbox_company import (
    SandboxCompany,
    today,
)
from tests.harness.serving import (
    served,
)
from tests.harness.stack_client import (
    StackClient,
)


async def test_invoices_without_an_order_find_theirs(
    api: StackClient,
    company: SandboxCompany,
    whole_settings: Settings,
    temporal_address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """issue 3: completed by suggestion when sure, else reported with the best guess and not sent."""
    company.order("PO-1", lines={1: {"description": "Hex bolt M8x40 zinc"}, 2: {"description": "Washer M8 stainless"}})
    company.order("PO-2", lines={1: {"description": "Toner cartridge black"}, 2: {"description": "Copy paper A4"}})
    company.order("PO-3", lines={1: {"description": "Copy paper A4"}, 2: {"description": "Ink"}})
    await api.start()
    rows = [
        {"invoice_number": "F-1", "description": "black toner cartridge", "quantity": "4", "price": "12.50"},
        {"invoice_number": "F-2", "description": "COPY PAPER A4", "quantity": "1", "price": "12.50"},
        {"invoice_number": "F-3", "description": "M8 washers, stainless", "quantity": "5", "memo": "P.O.#1"},
        {"invoice_number": "F-4", "description": "roof repair", "quantity": "1", "price": "900.00"},
        {"invoice_number": "F-5", "po_number": "PO-1", "description": "bolt M8 x 40, hex, zinc", "quantity": "2"},
    ]
    path = tmp_path / "bills.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({"vendor_id": "V-1", "invoice_date": today().isoformat(), **row} for row in rows)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_address)

    def enter() -> dict[str, Imported]:
        with served(whole_settings) as url, Api(url, api.keys["clerk"]) as client:
            done = list(import_bills(client, path))
        assert all(isinstance(one, Imported) for one in done), done
        return {one.number: one for one in done if isinstance(one, Imported)}

    done = await asyncio.to_thread(enter)
    assert {number: one.outcome for number, one in done.items()} == {
        "F-1": "accepted",
        "F-2": "unsure",
        "F-3": "accepted",
        "F-4": "no_purchase_order",
        "F-5": "accepted",
    }
    assert "PO-2 line 2" in done["F-2"].detail
    placed = {}
    for number in ("F-1", "F-3", "F-5"):
        bill = await api.arrived(str(done[number].bill_id))
        invoice = company.one("vendor_invoices", number=bill["external_key"])
        placed[number] = (invoice["reference"], [line["purchase_order_line_no"] for line in bill["lines"]])
    assert placed == {"F-1": ("PO-2", [1]), "F-3": ("PO-1", [2]), "F-5": ("PO-1", [1])}
    assert len(company.held("vendor_invoices")) == 3
