"""NetSuite's sync: how fast orders come in, and how few calls a sync takes when little or nothing changed."""

import asyncio
import math
import time
from typing import Any

from bench import netsuite_parse
from bench.company import Bench, orders
from bench.report import Figure, Report, at_least, at_most
from cli.client.sandbox_control import PretendErp, SandboxControl
from cli.demo.netsuite import NetSuiteCompany

LINES = 5
CHANGED = 250
GET_LIST = 100
"""Orders whose lines one call brings."""
WINDOWS_OVERLAP_SECONDS = 3_600
"""Later than any overlap of two runs, so that a run sees what changed since the one before it."""


async def measure(bench: Bench, report: Report, *, count: int) -> None:
    """Sync `count` orders in, sync again, change some, sync once more."""
    await asyncio.to_thread(_measure, bench, report, count)


def _measure(bench: Bench, report: Report, count: int) -> None:
    erp = PretendErp(SandboxControl(bench.sandbox.url), NetSuiteCompany.erp)
    _load(erp, count)
    connection_id = connect(bench, erp)
    first, seconds, run = _counted(bench, connection_id)
    _pass_time(bench)
    bench.sync(connection_id)
    unchanged, _, _ = _counted(bench, connection_id)
    _pass_time(bench)
    for number in range(CHANGED):
        erp.act("edit_purchase_order", number=f"NS-{number:05}", memo="changed")
    changed, _, again = _counted(bench, connection_id)
    pages = sum(count for name, count in again["counts"].items() if name.endswith(".pages"))
    report.add(
        f"NetSuite: {count:,} orders of {LINES} lines",
        [
            Figure("into the mirror, whole run", run["counts"]["purchase_orders.changed"] / seconds, "orders/s"),
            at_least(
                "read from answers to records, one core", netsuite_parse.measure(), "orders/s", netsuite_parse.GOAL
            ),
            Figure("ERP calls of the first sync", first["requests"], "requests"),
            at_most("ERP calls of an unchanged sync", unchanged["requests"], "requests", 3),
            at_most("order detail calls of an unchanged sync", unchanged["by_operation"].get("getList", 0), "calls", 0),
            at_most(
                f"ERP calls when {CHANGED} orders changed",
                changed["requests"],
                "requests",
                2 + pages + math.ceil(CHANGED / GET_LIST),
                note=f"2 + {pages} pages + {CHANGED} / {GET_LIST}",
            ),
        ],
    )
    report.details["netsuite"] = {
        "first": first,
        "unchanged": unchanged,
        "changed": changed,
        "counts": run["counts"],
        "counts_changed": again["counts"],
    }


def _load(erp: PretendErp, count: int) -> None:
    rows = [
        {**row, "status": "", "entity": NetSuiteCompany.entity, "location": ""}
        for row in orders("NS", count, lines=LINES)
    ]
    erp.control.post(f"/companies/{erp.erp}/load?create_missing=true", {"purchase_orders": rows})


def connect(bench: Bench, erp: PretendErp, **settings: int) -> str:
    """Connect the pretend company and bring its records in. The connection's id."""
    connection = bench.api.post(
        "/v1/connections",
        {
            "erp": erp.erp,
            "name": "Bench of NetSuite",
            "credentials": dict(NetSuiteCompany.credentials),
            "entity": NetSuiteCompany.entity,
            "purchase_orders": True,
            "endpoint": erp.endpoint,
            "settings": {"allow_loopback": True, **settings},
        },
    )
    connection_id = str(connection["id"])
    bench.sync(connection_id)
    bench.api.put(f"/v1/connections/{connection_id}/preferences", {"preferences": {}, "sync": False})
    return connection_id


def _counted(bench: Bench, connection_id: str) -> tuple[dict[str, Any], float, dict[str, Any]]:
    """One sync: its ERP calls, its seconds, its run."""
    bench.sandbox.count_calls_anew()
    began = time.monotonic()
    run = bench.sync(connection_id)
    return bench.sandbox.calls(), time.monotonic() - began, run


def _pass_time(bench: Bench) -> None:
    SandboxControl(bench.sandbox.url).post("/clock", {"advance_seconds": WINDOWS_OVERLAP_SECONDS})
