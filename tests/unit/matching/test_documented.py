"""What docs/reference/matching.md says is so."""

import re
from pathlib import Path

import pytest

from matching.bill import match_bill
from tests.builders.matching import (
    MODES,
    a_bill,
    a_ledger,
    a_policy,
    an_order,
    block,
    of_two_way,
)

PAGE = Path("docs/reference/matching.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| ([^|]+) \| ([^|]+) \|$", PAGE, flags=re.MULTILINE)


def test_the_page_has_its_examples():
    assert len(ROWS) == 5


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_a_quantity_example_of_the_page(row):
    *figures, two_way, three_way = row
    ordered, received, billed, quantity = map(int, figures)
    for mode, expected in (("2", two_way), ("3", three_way)):
        order = an_order(a_ledger(ordered, received, billed))
        result = match_bill(MODES[mode], [order], a_bill(quantity))

        assert result.outcome == expected.split(":")[0]
        named = re.search(r": (\d+) ", expected)
        if named:
            assert -result.findings[0].margin == int(named[1])


@pytest.mark.parametrize(("price", "strict", "lenient"), [("83.00", "HOLD", "OK"), ("84.01", "HOLD", "HOLD")])
def test_the_pages_example_of_strict_and_lenient(price, strict, lenient):
    order, bill = an_order(price="80.00"), a_bill(1, price=price)
    band = {"pct": 5, "abs": "2.00"}

    assert of_two_way(order, bill, a_policy(price=block(**band))).outcome == strict
    assert of_two_way(order, bill, a_policy(price=block(combine="lenient", **band))).outcome == lenient


@pytest.mark.parametrize(("direction", "outcome"), [("upper", "INFO"), ("both", "HOLD")])
def test_the_pages_example_of_a_price_to_our_favour(direction, outcome):
    policy = a_policy(price=block(pct=5, direction=direction))

    assert of_two_way(an_order(price="100"), a_bill(1, price="80"), policy).outcome == outcome


def test_the_pages_example_of_which_policy_decides():
    policies = [
        a_policy("tol-1", price=block(abs=10, direction="both")),
        a_policy("tol-2", scope={"vendor_id": "V-1"}, price=block(pct=8)),
        a_policy("tol-3", scope={"item_id": "ITEM-1"}, price=block(pct=2)),
    ]

    bolt = of_two_way(an_order(price="1.00"), a_bill(1, price="1.03"), *policies)
    other = of_two_way(an_order(price="1.00", line={"item_id": "NUT-8"}), a_bill(1, price="1.08"), *policies)

    assert (bolt.outcome, bolt.policy.id, bolt.policy.level) == ("HOLD", "tol-3", "item")
    assert other.outcome == "OK"


def test_the_page_names_every_code_that_the_engine_can_answer_with():
    texts = [file.read_text() for file in Path("matching").rglob("*.py")]
    answering = [text for text in texts if "Finding" in text or "PolicyProblem" in text]
    used = {code for text in answering for code in re.findall(r'"([A-Z]{2,}(?:_[A-Z]+)+)"', text)}

    assert len(used) > 40
    assert used - set(re.findall(r"`([A-Z][A-Z_]+)`", PAGE)) == set()
