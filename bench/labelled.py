"""`make labelled`: invoices that nobody here made, judged by the whole product, against their labels.

The set is loaded into the sandbox as an Intacct company and synced, the price check is switched on by a tolerance
policy, and the invoices are entered through the API in the order of the file, as `posync bills import` does it.
Whatever warns or holds waits for a person and is not sent. The last line is `labels: N of M`.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from bench.company import Bench, running_bench
from bench.labelled_data import Converted, convert, dataset_folder
from bench.report import wide_console
from cli.client.bill_import import Imported, import_bills
from sandbox import neutral
from services.imports.outcomes import BillOutcome

EXPECTED: Mapping[str, str] = {
    "None": "accepted",
    "Qty_Overbilling": "blocked",
    "Duplicate": "blocked",
    "No_GR": "warned",
    "No_PO": "no_purchase_order",
    "Price_Variance": "price variance",
}
VERDICTS = ("accepted", "warned", "price variance", "blocked", "no_purchase_order")

PRICE_TOLERANCE = {"block": {"pct": "5"}}
"""Its good invoices and its duplicates are within 2 % of their order's price, its price variances beyond 11 %."""

PUSH_SECONDS = 600.0


class Judged(NamedTuple):
    """One invoice, what the set says of it and what we made of it."""

    label: str
    imported: Imported

    @property
    def verdict(self) -> str:
        """The outcome; but a bill with a price finding is told by that, whatever else is wrong with it: almost all of
        the set's price variances are on orders that were billed in full before."""
        return "price variance" if "PRICE_DIFFERS" in self.imported.findings else self.imported.outcome.value

    @property
    def right(self) -> bool:
        return self.verdict == EXPECTED[self.label]


class Run(NamedTuple):
    """What a run found."""

    judged: Sequence[Judged]
    synced: int
    """Bills of ours that reached the ERP."""
    in_erp: int
    """Vendor invoices the ERP then held."""

    @property
    def right(self) -> int:
        return sum(judged.right for judged in self.judged)

    @property
    def accepted(self) -> int:
        """Bills that nobody has to decide: all of these, and only these, reach the ERP."""
        return sum(judged.imported.outcome is BillOutcome.ACCEPTED for judged in self.judged)


ANY_AGE_DAYS = 3650


def run(bench: Bench, data: Converted, console: Console) -> Run:
    """Load, connect with 3-way matching, sync, import, and wait until every accepted bill is in the ERP."""
    content, problems = neutral.read_path(data.folder)
    content.pop("bills", None)
    if problems:
        raise ValueError(f"the converted set cannot be read: {problems[:3]}")
    console.print(bench.sandbox.load(content))
    connection_id = bench.connect(match_mode="three_way", first_import_from=data.first_order_on)
    synced = bench.sync(connection_id)
    console.print("synced:", synced["counts"])
    # The set is of past years, so the age of a bill says nothing here.
    policy = {
        "scope": {"connection_id": connection_id},
        "checks": {"price": PRICE_TOLERANCE},
        "bill_date_days_back": ANY_AGE_DAYS,
    }
    bench.api.post("/v1/tolerance-policies", policy, key="labelled-price")

    labels = {label.invoice_number: label.mismatch for label in data.labels}
    judged: list[Judged] = []
    began = time.perf_counter()
    bar = Progress(
        TextColumn("invoices"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    )
    with bar:
        task = bar.add_task("invoices", total=len(labels))
        for imported in import_bills(bench.api, data.bills):
            if not isinstance(imported, Imported):
                raise ValueError(f"the converted invoices were not all entered: {imported}")
            judged.append(Judged(labels[imported.number], imported))
            bar.advance(task)
    console.print(f"entered {len(judged)} invoices in {time.perf_counter() - began:.1f} s")
    accepted = sum(one.imported.outcome is BillOutcome.ACCEPTED for one in judged)
    reached = _wait_for_pushes(bench, connection_id, accepted)
    return Run(judged, reached, len(bench.sandbox.ns_record("vendor_invoices")))


def _wait_for_pushes(bench: Bench, connection_id: str, accepted: int) -> int:
    """How many bills are synced once all are that go out, or once the time is up."""
    deadline = time.monotonic() + PUSH_SECONDS
    while True:
        statuses = Counter(bill["status"] for bill in bench.api.pages("/v1/bills", connection=connection_id, limit=200))
        if statuses["synced"] == accepted or time.monotonic() > deadline:
            return statuses["synced"]
        time.sleep(0.5)


def show(found: Run, console: Console) -> None:
    """The confusion table, the findings behind it, what reached the ERP; the count of right ones last."""
    console.print(_confusion(found.judged))
    table = Table(title="Findings by label", title_justify="left")
    for heading in ("label", "invoices", "expected", "right", "outcome", "finding", "of these"):
        table.add_column(heading, justify="right" if heading in ("invoices", "right", "of these") else "left")
    for label, expected in EXPECTED.items():
        of_label = [judged for judged in found.judged if judged.label == label]
        outcomes = Counter((judged.imported.outcome, judged.imported.code) for judged in of_label)
        right = sum(judged.right for judged in of_label)
        head = (label, str(len(of_label)), expected.replace("_", " "), str(right))
        for (outcome, code), count in sorted(outcomes.items()):
            table.add_row(*head, outcome.replace("_", " "), code, str(count))
            head = ("", "", "", "")
    console.print(table)
    wrong = [judged for judged in found.judged if not judged.right]
    for judged in wrong[:10]:
        bill = judged.imported
        console.print(f"{bill.number} on {bill.po_number}: {judged.label}, but {bill}")
    saved = sum(judged.imported.bill_id is not None for judged in found.judged)
    console.print(
        f"{saved} bills saved, {saved - found.accepted} of them wait for a person; {found.synced} synced, "
        f"{found.in_erp} vendor invoices in the ERP"
    )
    print(f"labels: {found.right} of {len(found.judged)}")


def _confusion(judged: Sequence[Judged]) -> Table:
    """What the set says against what we said."""
    table = Table(title="Verdicts by label (right ones in brackets)", title_justify="left")
    table.add_column("label")
    for verdict in (*VERDICTS, "other"):
        table.add_column(verdict.replace("_", " "), justify="right")
    for label, expected in EXPECTED.items():
        said = Counter(one.verdict for one in judged if one.label == label)
        cells = [f"[{said[verdict]}]" if verdict == expected else str(said[verdict] or "·") for verdict in VERDICTS]
        other = sum(count for verdict, count in said.items() if verdict not in VERDICTS)
        table.add_row(label, *(Text(cell) for cell in cells), str(other or "·"))
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.labelled", description=__doc__)
    parser.add_argument("--invoices", type=int, help="only so many of each label")
    chosen = parser.parse_args(arguments)
    dataset = dataset_folder()
    if dataset is None:
        print("The labelled set is not here; set POSYNC_SHARED to the folder that holds datasets/.", file=sys.stderr)
        return 2
    console = wide_console()
    with TemporaryDirectory(prefix="posync-labelled-") as directory:
        data = convert(dataset, Path(directory), invoices=chosen.invoices)
        console.print(f"{data.orders} orders, {data.receipts} receipts, {len(data.labels)} invoices")
        with running_bench(console.print) as bench:
            found = run(bench, data, console)
    show(found, console)
    return 0 if found.synced == found.in_erp == found.accepted and found.right == len(found.judged) else 1


if __name__ == "__main__":
    sys.exit(main())
