"""The positions of the QuickBooks Online sandbox's switches in which the suite runs.

Each time: as usual, and with every unkind position at once. In every single position: the whole story of
tests/unit/erp/quickbooks_online/test_in_the_sandbox.py each time, and the whole suite by
`pytest -n 2 tests/conformance -k quickbooks_online --quickbooks-switches each` (4,161 cases, a quarter of an hour).
"""

from collections.abc import Iterator, Mapping

from sandbox.quickbooks_online import switches
from sandbox.quickbooks_online.switches import SWITCHES

Position = Mapping[str, str | bool | int | float]

NUMBERS: Mapping[str, Position] = {
    "access_token_seconds": {"access_token_seconds": 60},
    "refresh_token_seconds": {"refresh_token_seconds": 259_200},
    "grant_days": {"grant_days": 30},
    "code_seconds": {"code_seconds": 60},
    "request_id_hours": {"request_id": "forgotten", "request_id_hours": 0},
    "requests_per_minute": {"requests_per_minute": 0},
    "concurrent_requests": {"concurrent_requests": 0},
}
"""The other position of a switch that is a number. An access token of a minute is refreshed before every call; a
connection that is not used for three days is lost where a refresh token lives no longer."""

LEFT_OUT: Mapping[str, str] = {
    "requests_per_second": "a limit as the one of a minute: the answer is the same, and tests of the throttle have it",
    "batches_per_minute": "posync sends no batch",
    "batch_order": "posync sends no batch",
    "monthly_reads": "every read would be refused; tests of the month's reads have all three answers to it",
    "quota_answer": "nothing without a limit of the month's reads; tests of those have all three",
    "latency_seconds": "no unknown of the real service; the suite's cases about time set it",
    "subscription": "every call would be refused; a test of the client's faults has it",
    **dict.fromkeys(
        (
            "webhook_form", "webhook_content_type", "webhook_gather_seconds", "webhook_copies", "webhook_order",
            "webhook_data", "webhook_words", "webhook_retries",
        ),
        "the suite's connector hears no webhook; tests/api/test_webhooks.py takes them in all forms",
    ),
}  # fmt: skip
"""Switches that the suite does not move, each with the reason."""

TOGETHER: Mapping[str, Position] = {
    "throttle_answer=json_429": {"throttle_answer": "json_429", "retry_after": "seconds"},
}
"""Positions that mean something only beside another one."""


def single() -> Iterator[tuple[str, Position]]:
    """Every position of every switch that is not its usual one, each with its name."""
    for name, switch in SWITCHES.items():
        if name in LEFT_OUT:
            continue
        if switch.choices:
            for word in switch.choices:
                if word != switch.default:
                    yield f"{name}={word}", TOGETHER.get(f"{name}={word}", {name: word})
        elif isinstance(switch.default, bool):
            yield f"{name}={not switch.default}", {name: not switch.default}
        else:
            yield f"{name}={NUMBERS[name][name]}", NUMBERS[name]


POSITIONS: Mapping[str, Position] = dict(single())
"""By name; the whole suite passes in each."""

UNKIND: Position = switches.UNKIND
"""All unkind positions at once: what QuickBooks does not like it drops without a word."""

REFUSING: Position = {**UNKIND, "bad_link": "refused", "over_billing": "refused"}
"""All unkind positions, where QuickBooks refuses what it does not like instead of dropping it."""
