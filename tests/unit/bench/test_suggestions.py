"""Suggestions on invoices that nobody here made, and on made-up wording: hardly ever sure and wrong."""

from pathlib import Path

import pytest

from bench.labelled_data import dataset_folder
from bench.suggestions import measure, measure_worded

NO_DATASET = (
    "the labelled set is not on this machine; with it in DIR/datasets run:"
    " POSYNC_SHARED=DIR pytest tests/unit/bench/test_suggestions.py"
)


@pytest.fixture
def dataset() -> Path:
    folder = dataset_folder()
    if folder is None:
        pytest.skip(NO_DATASET)
    return folder


def test_what_is_sure_is_right(dataset: Path) -> None:
    """issue 3: measured accuracy; 450 of the 480 invoices have an order."""
    tally = measure(dataset, with_item_code=True)
    assert sum(tally.right.values()) + sum(tally.wrong.values()) == 450
    assert tally.wrong["sure"] == tally.wrong["likely"] == 0
    assert tally.right["sure"] >= 380
    assert tally.stray["sure"] == tally.stray["likely"] == 0


def test_price_and_quantity_alone_are_never_sure(dataset: Path) -> None:
    tally = measure(dataset, with_item_code=False)
    assert tally.right["sure"] == tally.wrong["sure"] == tally.stray["sure"] == 0
    assert tally.right["likely"] >= 350
    assert tally.wrong["likely"] == 0


def test_what_is_sure_of_a_suppliers_wording_is_right() -> None:
    tally = measure_worded(60, seed=3)
    assert tally.right["sure"] >= 100
    assert tally.wrong["sure"] + tally.stray["sure"] <= tally.right["sure"] / 100
    assert tally.wrong["likely"] + tally.stray["likely"] <= tally.right["likely"] / 4
