"""The explanation that goes with a result."""

import json
from decimal import Decimal

from matching.bill import Outcome, match_bill
from matching.kernel.result import worst
from models.domain.connections import MatchMode
from tests.builders.matching import (
    a_bill,
    a_ledger,
    an_order,
    run_match,
)


def test_a_warning_tells_rule_numbers_money_and_who_can_fix_it():
    """S4-41: in the stored form, with every number as a string."""
    result = run_match("3", a_ledger(10, 6, 4), 3)

    (finding,) = json.loads(result.model_dump_json())["findings"]
    assert finding["code"] == "BILLED_BEYOND_RECEIVED"
    assert finding["severity"] == "WARN"
    assert finding["rule"] == "3WAY.WARN"
    assert finding["values"] == {"O_eff": "10", "R_net": "6", "B": "4", "E": "4", "P": "0", "C": "0", "b": "3"}
    assert (finding["limit"], finding["margin"], finding["money_at_stake"]) == ("2", "-1", "25.00")
    assert finding["who"] == "receiving"
    assert finding["fix"] == ["wait for the receipt", "or lower the quantity to 2", "or acknowledge it"]


def test_a_refusal_names_what_is_left():
    """S4-28."""
    (finding,) = run_match("2", a_ledger(10, billed=4), "7.5").findings

    assert "7.5 billed, but only 6 is left of the order" in finding.message
    assert finding.fix[0] == "lower the quantity to 6"
    assert (finding.rule, finding.formula) == ("2WAY.BLOCK", "b > O_eff - B")
    assert finding.who == "ap"
    assert finding.money_at_stake == Decimal("37.50")


def test_people_read_what_the_item_is_called():
    """Some ERPs know items by numbers of their own; a name that only repeats the id is not said twice."""
    rack = an_order(a_ledger(10), line={"item_id": "314", "item_name": "RACK-24"})
    same = an_order(a_ledger(10), line={"item_id": "RACK-24", "item_name": "RACK-24"})

    told = [match_bill(MatchMode.TWO_WAY, [order], a_bill(11)).findings[0].message for order in (rack, same)]
    assert [words.split(":")[0] for words in told] == ["Line 1 (314, RACK-24)", "Line 1 (RACK-24)"]


def test_a_line_that_was_over_already_answers_for_its_own_quantity_only():
    """Q19: 2 were billed ahead before; this bill of 4 puts its own 4 at stake, not 6."""
    (finding,) = run_match("3", a_ledger(10, 4, 6), 4).findings

    assert finding.margin == -6
    assert finding.money_at_stake == Decimal("100.00")


def test_nothing_left_is_said_without_a_quantity_to_lower_to():
    (finding,) = run_match("2", a_ledger(10, billed=12), 1).findings

    assert "only 0 is left" in finding.message
    assert finding.fix[0] == "take this line off the bill"


def test_the_result_names_the_order_and_the_snapshot_it_was_matched_against():
    result = run_match("2", a_ledger(10), 1)

    assert result.inputs.po == "PO-1007@5"
    assert result.policy.level == "built-in"


def test_only_the_lines_that_the_bill_touches_are_kept():
    order = an_order(*[a_ledger(10)] * 5)

    result = match_bill(MatchMode.TWO_WAY, [order], a_bill((2, 1), (4, 1)))

    assert [line.line_no for line in result.inputs.orders[0].lines] == [2, 4]


def test_a_finding_keeps_its_id_when_the_bill_is_matched_again():
    first = run_match("3", a_ledger(10, 4), 6)
    again = run_match("3", a_ledger(10, 5), 6)

    assert first.findings[0].id == again.findings[0].id == "BILLED_BEYOND_RECEIVED:line-1"


def test_finding_ids_are_unique_within_a_result():
    result = match_bill(
        MatchMode.TWO_WAY, [an_order(a_ledger(1), a_ledger(1))], a_bill(2, -1, 0, (2, 3), (9, 1), (9, 1))
    )

    ids = [finding.id for finding in result.findings]
    assert len(ids) == len(set(ids)) == 6


def test_outcomes_go_from_best_to_worst():
    assert sorted(Outcome, key=lambda outcome: outcome.rank) == ["OK", "INFO", "WARN", "HOLD", "BLOCK"]
    assert worst([]) is Outcome.OK
    assert worst([Outcome.WARN, Outcome.HOLD, Outcome.INFO]) is Outcome.HOLD
