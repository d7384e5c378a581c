"""Figures and their goals."""

import json

import pytest
from rich.console import Console

from bench.processes import process_name
from bench.report import Figure, Report, at_least, at_most, percentile


def test_a_goal_is_met_at_the_limit_and_missed_beyond_it():
    assert at_least("rate", 2500, "orders/s", 2500).met is True
    assert at_least("rate", 2499.9, "orders/s", 2500).met is False
    assert at_most("events", 60, "", 60).met is True
    assert at_most("events", 61, "", 60).met is False


def test_what_was_missed_is_named_and_kept(tmp_path):
    report = Report(Console(quiet=True))
    report.add("lifecycles", [at_most("events", 61, "", 60), Figure("rate", 5, "per second")])
    report.save(tmp_path / "bench" / "figures.json")

    assert report.missed == ["events"]
    kept = json.loads((tmp_path / "bench" / "figures.json").read_text())
    assert [figure["met"] for figure in kept["figures"]["lifecycles"]] == [False, None]


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (1, 1), (0, 1)])
def test_percentiles_are_values_that_were_measured(percent, value):
    assert percentile(list(range(1, 101)), percent) == value


def test_a_percentile_of_nothing_is_a_mistake():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_processes_are_called_by_what_they_run():
    assert process_name("/venv/bin/python -P -m worker") == "worker"
    assert process_name("python -P -m api --port 8000") == "api"
    assert process_name("/venv/bin/temporal server start-dev --port 7233") == "Temporal server"
