"""Invoices that nobody here made, through the whole product: real servers, real protocol, real API."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from bench.company import running_bench
from bench.labelled import EXPECTED, run
from bench.labelled_data import convert, dataset_folder
from cli.local.setup import examine

DATASET = dataset_folder()


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.skipif(
    DATASET is None,
    reason="the labelled set is not on this machine; with it in DIR/datasets run: POSYNC_SHARED=DIR pytest -k labelled",
)
def test_some_invoices_of_every_label_are_judged_as_labelled(tmp_path: Path) -> None:
    """S4-34, S4-40, S4-41: accepted, warned, held for the price, blocked or without an order, as their labels say; what
    waits is not pushed, nothing is pushed twice."""
    data = convert(DATASET, tmp_path, invoices=3)
    console = Console()
    with running_bench(console.print) as bench:
        found = run(bench, data, console)
        outside = asyncio.run(examine(bench.stack.endpoints.database_url))

    assert list(outside) == []
    assert [(one.label, one.imported) for one in found.judged if not one.right] == []
    by_label = Counter(one.label for one in found.judged)
    assert all(by_label[label] >= 3 for label in EXPECTED)
    assert found.synced == found.in_erp == found.accepted
