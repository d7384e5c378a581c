"""Lists into the mirror at a connection's first sync: 12 kinds, pages of 1,000, from Intacct and from NetSuite."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench import netsuite
from bench.company import Bench
from bench.processes import CpuMeter
from bench.report import Figure, Report, at_least
from bench.sync_in import Span, activities_of, span_of
from cli.client.sandbox_control import PretendErp, SandboxControl
from cli.demo.netsuite import NetSuiteCompany
from models.contract import sync_workflow_id
from models.domain.ids import ConnectionId
from models.domain.sync import Stream

PAGE = 1_000
GOAL = 2_000
SHARES: Mapping[str, float] = {
    "vendors": 0.30, "items": 0.30, "customers": 0.10, "projects": 0.10, "employees": 0.05, "accounts": 0.05,
    "departments": 0.025, "locations": 0.025, "classes": 0.025, "terms": 0.0125, "units": 0.0075,
    "bank_accounts": 0.005,
}  # fmt: skip
"""How many of the entries each list has: vendors and items are the long ones."""


class Read(NamedTuple):
    """What the first sync of a connection read of its lists."""

    entries: int
    pages: int
    span: Span


async def measure(bench: Bench, report: Report, *, count: int) -> None:
    """Load `count` entries into either company, connect it, and measure its first sync."""
    rows = entries(count)
    await asyncio.to_thread(bench.sandbox.load, rows)
    pretend = PretendErp(SandboxControl(bench.sandbox.url), NetSuiteCompany.erp)
    load = f"/companies/{pretend.erp}/load?create_missing=true"
    await asyncio.to_thread(pretend.control.post, load, rows)
    client = await Client.connect(bench.stack.endpoints.temporal_address, data_converter=pydantic_data_converter)
    for name in ("Intacct", "NetSuite"):
        meter = CpuMeter(bench.stack.options.state_dir)
        meter.start()
        if name == "Intacct":
            connection_id = await asyncio.to_thread(bench.connect, page_size=PAGE)
        else:
            connection_id = await asyncio.to_thread(netsuite.connect, bench, pretend, page_size=PAGE)
        cpu = meter.used()
        read = await _first(client, connection_id)
        assert read.entries >= 0.95 * count, read
        report.add(
            f"{read.entries:,} list entries of {len(SHARES)} kinds from {name}, pages of {PAGE:,}",
            [
                at_least("into the mirror, through Temporal", read.entries / read.span.seconds, "entries/s", GOAL),
                Figure("pages", read.pages, "", note=f"{read.span.seconds:.1f} s"),
                Figure("processor time of the whole first sync", sum(cpu.values()), "s"),
            ],
        )
        report.details[f"lists_in_{name.lower()}"] = {
            "entries": read.entries, "seconds": read.span.seconds, "cpu_seconds": cpu,
        }  # fmt: skip


async def _first(client: Client, connection_id: str) -> Read:
    """Return the longest reading of the lists among the connection's runs: its first sync."""
    found: list[Read] = []
    workflow_id = sync_workflow_id(ConnectionId(connection_id))
    for _ in range(50):
        async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'"):
            activities = await activities_of(client, workflow_id, run.run_id)
            pages = [one for one in activities if one.name == "sync_page" and one.argument["stream"] == Stream.LISTS]
            if pages:
                seen = sum(one.result["seen"] for one in pages)
                found.append(Read(seen, len(pages), span_of(activities, "sync_page", Stream.LISTS)))
        if found:
            break
        await asyncio.sleep(0.2)  # what a workflow is listed by comes a moment after it
    return max(found, key=lambda read: read.entries)


def entries(count: int) -> dict[str, list[dict[str, str]]]:
    """Return so many entries as neutral rows, as full as companies keep them."""
    make = {
        "vendors": lambda n: {
            "vendor_id": f"V-{n:05}", "name": f"Vendor number {n} of the first sync", "term": "Net 1",
            "email": f"accounts.payable@vendor-{n}.example", "phone": f"+1 203 555 {n:05}",
            "street": f"{n} Quay Street", "city": "Bristol", "state": "CT", "zip": f"{n:05}",
        },
        "items": lambda n: {
            "item_id": f"I-{n:05}", "name": f"Part number {n}, blue", "item_type": "Inventory", "unit": "Each",
        },
        "customers": lambda n: {"customer_id": f"C-{n:05}", "name": f"Customer number {n}"},
        "projects": lambda n: {"project_id": f"P-{n:05}", "name": f"Project number {n}"},
        "employees": lambda n: {"employee_id": f"E-{n:05}", "name": f"Employee number {n}"},
        "accounts": lambda n: {
            "account_no": f"{20_000 + n}", "title": f"Expense of kind {n}", "account_type": "incomestatement",
        },
        "departments": lambda n: {"department_id": f"D-{n:04}", "title": f"Department {n}"},
        "locations": lambda n: {"location_id": f"L-{n:04}", "name": f"Location {n}"},
        "classes": lambda n: {"class_id": f"K-{n:04}", "name": f"Class {n}"},
        "terms": lambda n: {"term": f"Net {n}", "days": str(n)},
        "units": lambda n: {"unit_group": f"Group {n}", "unit": f"Unit {n}", "factor": "1"},
        "bank_accounts": lambda n: {"bank_account_id": f"BANK-{n:03}", "name": f"Account {n}", "currency": "USD"},
    }  # fmt: skip
    return {
        kind: [make[kind](number) for number in range(1, round(count * share) + 1)] for kind, share in SHARES.items()
    }
