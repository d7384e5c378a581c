"""What the reference leaves open is a switch of the sandbox, with the positions that it names (reference: "make it a
switch")."""

import pytest

from sandbox.quickbooks_online.switches import SWITCHES, UNKIND

OPEN_QUESTIONS: dict[str, tuple[str, set[str]]] = {
    # section of the reference: the switch and its positions; a switch without words is on or off, or a number
    "1.4 Retry-After": ("retry_after", {"none", "seconds", "http_date"}),
    "2.1 extra parameters": ("authorize_extras", {"ignore", "refuse"}),
    "2.3 a superseded token": ("superseded_token", {"dead", "grace_24_hours", "kills_grant"}),
    "2.3 when it rotates": ("refresh_rotation", {"every_refresh", "after_24_hours"}),
    "2.4 a description": ("invalid_grant_described", set()),
    "2.7 its casing": ("sign_in_fault", {"lower_case", "pascal_case"}),
    "3.6 requestid": ("request_id", {"replay", "forgotten", "ignored"}),
    "3.7 VendorRef of a bill": ("bill_vendor_filter", {"accepted", "refused"}),
    "3.7 beyond ASCII": ("non_ascii_query", {"accepted", "refused"}),
    "3.7 without an order": ("query_order", {"newest", "oldest"}),
    "3.8 which 1000": ("cdc_order", {"oldest", "newest", "id"}),
    "3.8 whether an order moves": ("linked_order_stamp", {"moves", "still", "still_on_delete"}),
    "3.9 order of the answers": ("batch_order", {"as_sent", "reversed"}),
    "4 form of the throttle": ("throttle_answer", {"xml_429", "xml_403", "json_429"}),
    "4 refusal of the month's reads": ("quota_answer", {"throttle_429", "throttle_403", "own_code"}),
    "5 form of the webhook": ("webhook_form", {"cloud_events", "notifications"}),
    "5 its words": ("webhook_words", {"documented", "short"}),
    "5 its data": ("webhook_data", {"empty", "filled"}),
    "6.1 Received": ("received_shown", set()),
    "6.2 duplicate numbers": ("duplicate_numbers", {"preference", "vendor", "company"}),
    "6.2 one order line twice": ("repeated_order_line", {"both", "second_dropped"}),
    "6.2 a link it does not like": ("bad_link", {"dropped", "refused"}),
    "6.2 a closed line": ("closed_lines_shown", set()),
    "6.2 opened again": ("reopening", {"automatic", "never"}),
    "6.2 more than the rest": ("over_billing", {"accepted", "refused", "link_dropped"}),
    "6.10 what is not tracked": ("untracked_class", {"dropped", "refused"}),
    "7 closed books": ("closed_books_code", {"6200", "6210"}),
}


@pytest.mark.parametrize("question", OPEN_QUESTIONS)
def test_each_open_question_is_a_switch_with_its_positions(question: str) -> None:
    """By name, so that a test can run through all positions."""
    name, positions = OPEN_QUESTIONS[question]
    assert set(SWITCHES[name].choices) == positions
    if not positions:
        assert isinstance(SWITCHES[name].default, bool)


def test_the_unkind_positions_are_positions() -> None:
    """What is switched on all at once is there one by one."""
    for name, position in UNKIND.items():
        choices = SWITCHES[name].choices
        assert position in choices if choices else type(position) is type(SWITCHES[name].default)
