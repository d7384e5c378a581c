"""The tables of states: complete, without a dead end, and the same as the page that shows them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from models.domain import bill_states, payment_states, source_order_states
from models.domain.bills import BillStatus
from models.domain.payments import PaymentStatus
from models.domain.situations import Mover, Situation, Table
from models.domain.source_orders import UploadState
from models.domain.writes import WriteState

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "reference" / "states.md"
STORE = ROOT / "models" / "store"

TABLES = [
    pytest.param(bill_states, BillStatus, id="bills"),
    pytest.param(payment_states, PaymentStatus, id="payments"),
]
ENDS = ("abandoned", "deleted", "voided")


@pytest.mark.parametrize(("states", "statuses"), TABLES)
def test_every_status_has_a_situation_and_its_moves(states: Any, statuses: Any) -> None:
    assert {one.status for one in states.WAYS_ON} == set(statuses)
    assert set(states.MOVES) == set(statuses)
    reached = set(states.FIRST)
    while more := {after for before in reached for after in states.MOVES[before]} - reached:
        reached |= more
    assert reached == set(statuses)


def test_a_source_order_in_each_state_can_be_moved_on() -> None:
    """What is uploaded is the ERP's; everything else has somebody who moves it on, and a way to the ERP."""
    table, moves = source_order_states.WAYS_ON, source_order_states.MOVES
    assert {one.status for one in table} == set(moves) == set(UploadState)
    ends = {one.status for one, way in table.items() if way.mover is Mover.NOBODY}
    assert ends == {UploadState.UPLOADED}
    assert {way.mover for one, way in table.items() if one.stopped} == {Mover.PERSON}
    for state in UploadState:
        reached = {state}
        while more := {after for before in reached for after in moves[before]} - reached:
            reached |= more
        assert UploadState.UPLOADED in reached


@pytest.mark.parametrize(("states", "statuses"), TABLES)
def test_only_what_has_ended_waits_for_nobody(states: Any, statuses: Any) -> None:
    """G15: no state without a way on."""
    nobody = {one.status for one, way in states.WAYS_ON.items() if way.mover is Mover.NOBODY}
    assert nobody == {status for status in statuses if status in (*ENDS, "paid")}
    ended = set(ENDS) & set(statuses)
    # Nothing but a person's restoring begins anew what has ended, and only bills have that.
    begun_anew = set(states.FIRST) if states is bill_states else set()
    assert {status for status in statuses if set(states.MOVES[status]) <= begun_anew} == ended
    stopped = {way.mover for one, way in states.WAYS_ON.items() if one.stopped}
    assert Mover.NOBODY not in stopped


@pytest.mark.parametrize("status", BillStatus)
@pytest.mark.parametrize("write", WriteState)
def test_a_refusal_stops_neither_what_has_ended_nor_what_is_in_review(status: BillStatus, write: WriteState) -> None:
    """G15 and its brother: a bill that went back to review while its push ran out of time waits for its match alone."""
    if status.takes_nothing or status.is_waiting or write in (WriteState.ABANDONED, WriteState.HELD):
        assert not bill_states.may_be_stopped(status, write)


def test_a_bill_and_a_payment_that_are_being_sent_can_be_stopped() -> None:
    for write in (WriteState.PLANNED, WriteState.SENT, WriteState.QUEUED, WriteState.REJECTED):
        assert bill_states.may_be_stopped(BillStatus.PENDING_PUSH, write)
        assert payment_states.may_be_stopped(PaymentStatus.SUBMITTED, write)


def rows_of(table: Table) -> list[str]:
    return [
        f"| {one.status.replace('_', ' ')} | {one.write_shown} | {'open' if one.stopped else 'none'} "
        f"| {way.mover.value} {way.what} |"
        for one, way in table.items()
    ]


def moves_of(moves: Mapping[Any, frozenset[Any]]) -> list[str]:
    return [
        f"| {before.replace('_', ' ')} | {', '.join(sorted(after.replace('_', ' ') for after in allowed)) or '-'} |"
        for before, allowed in moves.items()
    ]


def page_of(states: Any, title: str) -> list[str]:
    return [
        f"## {title}",
        "",
        "| status | write | issue | what happens next |",
        "|---|---|---|---|",
        *rows_of(states.WAYS_ON),
        "",
        "| from | may become |",
        "|---|---|",
        *moves_of(states.MOVES),
    ]


PARTS_OF_PAGE = [(bill_states, "Bills"), (payment_states, "Payments"), (source_order_states, "Source orders")]


@pytest.mark.parametrize(("states", "title"), PARTS_OF_PAGE)
def test_the_page_shows_the_tables(states: Any, title: str) -> None:
    """Written anew with `python -m tests.unit.models.test_states`."""
    assert "\n".join(page_of(states, title)) in PAGE.read_text()


SETS_STATUS = re.compile(r"\b(?:update\s+(?:bills|payments)\b|insert\s+into\s+(?:bills|payments)\b)", re.IGNORECASE)
ASSIGNS = re.compile(r"(?<![\w.])status\s*=\s*([^\n]{1,14})")


def statements(source: str) -> Iterator[str]:
    """Yield what follows each statement that writes bills or payments, up to its `where`."""
    for start in SETS_STATUS.finditer(source):
        after = source[start.start() :]
        yield re.split(r"\bwhere\b|\breturning\b", after, maxsplit=1)[0]


def own_statuses(source: str) -> list[str]:
    """Return the assignments of a status that do not take it from the table."""
    return [
        value
        for statement in statements(source)
        for value in ASSIGNS.findall(statement)
        if not value.startswith(("{moved(", "{_THEIR_STATUS", "a.now", "was.now", "was.bill_now", "n.status,"))
    ]


def test_every_statement_takes_the_new_status_from_the_table() -> None:
    wrong = {str(file): found for file in STORE.rglob("*.py") if (found := own_statuses(file.read_text()))}
    assert wrong == {}


def test_a_statement_with_a_status_of_its_own_is_found() -> None:
    source = "text(\"update bills set paid = 1, status = 'paid' where id = 1\")"
    assert own_statuses(source) == ["'paid' "]


def test_the_tables_have_no_situation_twice() -> None:
    assert len({*bill_states.WAYS_ON}) == len(bill_states.WAYS_ON)
    assert Situation(BillStatus.SYNC_ISSUE, WriteState.ABANDONED, stopped=False) not in bill_states.WAYS_ON


if __name__ == "__main__":
    text = PAGE.read_text().partition("## Bills")[0]
    PAGE.write_text(text + "\n".join(line for states, title in PARTS_OF_PAGE for line in (*page_of(states, title), "")))
