"""The table of what may be done with a bill as a whole: complete, and the same as the page that shows it."""

from pathlib import Path

from erp.intacct import retractions as intacct
from erp.netsuite import retractions as netsuite
from erp.quickbooks_online import retractions as quickbooks_online
from models.domain.bills import BillStatus
from models.domain.connections import Erp
from models.domain.retractions import MAY, BillEvent, Does

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "reference" / "taking-bills-back.md"
WAYS = {
    Erp.INTACCT: (intacct.WAYS, intacct.DIRECT_WAYS),
    Erp.NETSUITE: (netsuite.WAYS, netsuite.WAYS),
    Erp.QUICKBOOKS_ONLINE: (quickbooks_online.WAYS, ()),
    Erp.QUICKBOOKS_DESKTOP: ((), ()),
}
"""Of bills on orders, and of bills without one."""
START, END = "| status |", "\n\n## What stands in the way"


def table() -> str:
    rows = [f"| status | {' | '.join(BillEvent)} |", f"|---|{'---|' * len(BillEvent)}"]
    for status, events in MAY.items():
        cells = [does.value if isinstance(does, Does) else f"`{does}`" for does in events.values()]
        rows.append(f"| {status.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(rows)


def test_every_status_has_every_event() -> None:
    assert set(MAY) == set(BillStatus)
    assert all(tuple(events) == tuple(BillEvent) for events in MAY.values())


def test_only_what_the_erp_holds_is_taken_back_and_only_what_takes_nothing_is_restored() -> None:
    """S5-07, S5-08."""
    for status, events in MAY.items():
        assert (Does.TAKES_BACK in events.values()) == (status is BillStatus.SYNCED)
        assert (events[BillEvent.RESTORE] is Does.MAKES_ANEW) == (
            status.takes_nothing and status is not BillStatus.DRAFT
        )


def test_the_page_shows_the_table() -> None:
    """Written anew with `python -m tests.unit.models.test_bill_events`."""
    assert table() in PAGE.read_text()


def test_the_page_names_each_erps_ways() -> None:
    assert set(WAYS) == set(Erp)
    for erp, ways in WAYS.items():
        cells = " | ".join(", ".join(each) or "none" for each in ways)
        assert f"| {erp.value} | {cells} |" in PAGE.read_text()


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(before + table() + END + rest.partition(END)[2])
