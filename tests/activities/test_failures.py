"""How the families of ERP errors reach a workflow, and what the connection shows meanwhile."""

import inspect
from datetime import timedelta

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory, RetryState, TimeoutError

from activities.failures import LONGEST_MESSAGE, FailureDetails, as_failure, details_of, erp_failures, not_yet
from erp import errors
from erp.connection import ConnectionSettings
from erp.errors import AuthenticationFailed, ErpError, MalformedAnswer, Rejected, Throttled, Unavailable
from erp.registry import issue_code
from erp.sign_in import Credentials
from erp.storage import Storage
from models.domain.sync import Stream
from temporal_gateway.failures import ReadableFailures
from tests.builders.records import (
    an_order,
)
from tests.fakes.fake_connector import FakeConnector
from tests.harness.activity_harness import (
    ActivityHarness,
    failure,
)

RETRIED = {
    "AuthenticationFailed": True,
    "Throttled": True,
    "Unavailable": True,
    "Deferred": True,
    "OutcomeUnknown": True,
    "UnknownRefusal": True,
    "Stale": True,
    "MalformedAnswer": True,
    "NotFound": False,
    "Rejected": False,
    "Duplicate": False,
}
"""DESIGN section 6, family by family."""


def families() -> list[type[ErpError]]:
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ErpError)]
    return [kind for kind in found if kind is not ErpError]


def test_every_family_is_decided() -> None:
    """DESIGN 6: a new family without a decision fails here, not in production."""
    assert {kind.__name__ for kind in families()} == set(RETRIED)


@pytest.mark.parametrize("kind", families(), ids=lambda kind: kind.__name__)
def test_a_family_becomes_its_failure(kind: type[ErpError]) -> None:
    """DESIGN 6: type, code, ERP code, evidence and the time to come back all survive the way."""
    error = kind(
        "what happened",
        code="SOME_CODE",
        erp_code="BL03",
        retry_after=timedelta(seconds=7),
        evidence={"field": "value"},
    )
    failed = as_failure(error)
    assert failed.type == kind.__name__
    assert failed.non_retryable is not RETRIED[kind.__name__]
    assert failed.next_retry_delay == timedelta(seconds=7)
    assert failed.details[0] == FailureDetails(
        family=kind.__name__, code="SOME_CODE", message="what happened", erp_code="BL03", evidence={"field": "value"}
    )
    with pytest.raises(ApplicationError) as raised, erp_failures():
        raise error
    assert raised.value.__cause__ is error


def test_a_page_of_text_does_not_go_into_the_history() -> None:
    """F15: some ERPs answer with whole HTML pages; a history keeps the beginning."""
    failed = as_failure(Rejected("x" * 100_000, code="ERP_REFUSED", evidence={"body": "y" * 100_000}))
    details = failed.details[0]
    assert len(details.message) == len(details.evidence["body"]) == LONGEST_MESSAGE


def test_what_is_no_erp_error_is_left_alone() -> None:
    """DESIGN 6: a bug stays a bug."""
    with pytest.raises(ZeroDivisionError), erp_failures():
        _ = 1 // 0


def test_waiting_alarms_nobody() -> None:
    """S4-67: an order that does not show a bill yet is no error in the operators' metrics."""
    waiting = not_yet("soon", retry_in=timedelta(minutes=1), code="STATUS_NOT_SHOWING")
    assert waiting.category is ApplicationErrorCategory.BENIGN
    assert (waiting.non_retryable, waiting.next_retry_delay) == (False, timedelta(minutes=1))


def activity_error(cause: BaseException) -> ActivityError:
    error = ActivityError(
        "activity failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="w",
        activity_type="push_bill",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


def test_a_workflow_learns_the_last_failure_also_from_a_timeout() -> None:
    """DESIGN 6: after a week of outage the issue says "unavailable", not "timeout"."""
    details = FailureDetails(family="Unavailable", code="ERP_UNAVAILABLE", message="down")
    last = ApplicationError("down", details.model_dump(), type="Unavailable")
    assert details_of(activity_error(last)) == details
    timeout = TimeoutError("schedule to close", type=None, last_heartbeat_details=[])
    timeout.__cause__ = last
    assert details_of(activity_error(timeout)) == details


def test_a_worker_that_died_without_a_word_has_a_code_too() -> None:
    """DESIGN 6: no failure reaches a person without a code and fix steps."""
    timeout = TimeoutError("start to close", type=None, last_heartbeat_details=[])
    details = details_of(activity_error(timeout))
    assert (details.family, details.code) == ("TimedOut", "GAVE_UP_WAITING")
    assert issue_code(details.code).fix


@pytest.mark.parametrize(
    "code",
    [
        "WRITE_ABANDONED",
        "STATUS_NOT_SHOWING",
        "PAYMENT_NOT_POSTED",
        "OUTCOME_UNKNOWN",
        "DELETED_IN_ERP",
        "LINK_MISSING",
        "CONTENT_CONFLICT",
        "UNKNOWN_ERP_STATUS",
        "GAVE_UP_WAITING",
        "LOOK_UP_REFUSED",
    ],
)
def test_every_code_of_our_own_explains_itself(code: str) -> None:
    """DESIGN 1.4: what, why, who and how to fix, for the codes that activities and workflows raise themselves."""
    known = issue_code(code)
    assert known.code == code
    assert known.title
    assert known.fix
    assert known.who


# --- the connection's health -------------------------------------------------------------------------------------


async def test_an_outage_shows_since_when_and_goes_away_by_itself(harness: ActivityHarness) -> None:
    """S5-160, DESIGN 6: the first moment stays until the ERP answers again."""
    harness.erp.trouble = [Unavailable("maintenance", code="ERP_MAINTENANCE") for _ in range(2)]
    with pytest.raises(ApplicationError):
        await harness.read_page(Stream.LISTS)
    first = await harness.connection()
    assert first.outage_since is not None
    assert first.problem_code == "ERP_MAINTENANCE"
    with pytest.raises(ApplicationError):
        await harness.read_page(Stream.LISTS)
    assert (await harness.connection()).outage_since == first.outage_since
    await harness.read_page(Stream.LISTS)
    healthy = await harness.connection()
    assert (healthy.outage_since, healthy.problem_code) == (None, None)


async def test_what_the_web_connector_reported_is_not_over_because_an_activity_needed_no_exchange(
    harness: ActivityHarness,
) -> None:
    """Issue 12: only an exchange that goes well ends it."""
    await harness.tenant.execute(
        "update connections set outage_since = now(), problem_code = 'QUICKBOOKS_DID_NOT_ANSWER' where id = :c",
        c=harness.tenant.connection_id,
    )
    await harness.read_page(Stream.LISTS)
    row = await harness.connection()
    assert (row.problem_code, row.outage_since is not None) == ("QUICKBOOKS_DID_NOT_ANSWER", True)


async def test_refused_credentials_are_one_issue_that_heals(harness: ActivityHarness) -> None:
    """DESIGN 6: an administrator sees one issue; calls hold back; once the ERP signs us in it closes by itself."""
    order = await harness.holds(an_order())
    harness.erp.trouble = [AuthenticationFailed("wrong password", code="AUTH_BAD_CREDENTIALS")]
    with pytest.raises(ApplicationError) as refused:
        await harness.refresh(order)
    assert (refused.value.type, refused.value.non_retryable) == ("AuthenticationFailed", False)
    assert refused.value.next_retry_delay is not None
    assert (await harness.connection()).state == "authentication_failed"
    issues = await harness.tenant.open_issues()
    assert list(issues) == ["AUTH_BAD_CREDENTIALS"]
    assert issues["AUTH_BAD_CREDENTIALS"].subject_kind == "connection"
    calls = sum(harness.erp.calls.values())
    harness.connections._last_probe[harness.tenant.connection_id] = float("inf")
    for _ in range(3):
        with pytest.raises(ApplicationError) as held_back:
            await harness.refresh(order)
        assert failure(held_back).code == "AUTH_BAD_CREDENTIALS"
    assert sum(harness.erp.calls.values()) == calls, "an account is not locked by hammering at it"
    harness.connections._last_probe.clear()
    await harness.refresh(order)
    assert (await harness.connection()).state == "ready"
    assert await harness.tenant.open_issues() == {}


async def test_a_throttle_says_when_to_come_back_and_is_no_outage(harness: ActivityHarness) -> None:
    """F5: the ERP's own word on when to come back is obeyed, and not by all at the same moment."""
    waits = set()
    for _ in range(3):
        harness.erp.trouble = [Throttled("slow down", code="THROTTLED", retry_after=timedelta(seconds=42))]
        with pytest.raises(ApplicationError) as throttled:
            await harness.read_page(Stream.LISTS)
        waits.add(throttled.value.next_retry_delay)
    assert len(waits) == 3
    assert all(wait is not None and timedelta(seconds=42) <= wait <= timedelta(seconds=63) for wait in waits)
    assert (await harness.connection()).outage_since is None


async def test_a_refusal_is_no_outage(harness: ActivityHarness) -> None:
    """DESIGN 6: a business rule says nothing about the connection."""
    harness.erp.trouble = [Rejected("no permission", code="NO_PERMISSION")]
    with pytest.raises(ApplicationError) as refused:
        await harness.read_page(Stream.LISTS)
    assert refused.value.non_retryable
    row = await harness.connection()
    assert (row.state, row.outage_since, row.problem_code) == ("ready", None, None)


async def test_changed_settings_make_a_new_connector_and_the_last_one_is_closed(harness: ActivityHarness) -> None:
    """DESIGN 7: sessions are kept between activities, and never used with other credentials than today's."""
    connected: list[str] = []
    factory = harness.connections._factories

    def count(settings: ConnectionSettings, credentials: Credentials, storage: Storage) -> FakeConnector:
        connected.append(str(credentials))
        return FakeConnector(harness.erp, settings, credentials, storage)

    harness.connections._factories = dict.fromkeys(factory, count)
    await harness.read_page(Stream.LISTS)
    await harness.read_page(Stream.LISTS)
    assert len(connected) == 1
    await harness.tenant.execute(
        "update connections set credentials_version = credentials_version + 1 where id = :id",
        id=harness.tenant.connection_id,
    )
    await harness.read_page(Stream.LISTS)
    assert len(connected) == 2
    assert "sealed" not in "".join(connected), "a credential is never shown in text"
    await harness.connections.close()
    assert harness.erp.closed


def test_a_failure_that_is_retried_fits_where_temporal_shows_it() -> None:
    """F2: "Failure exceeds size limit." stood there instead of the outage; the limit is four kilobytes."""
    try:
        with erp_failures():
            raise Unavailable(
                "x" * 10_000, code="ERP_OUTAGE", evidence={f"field_{number}": "y" * 5_000 for number in range(20)}
            )
    except ApplicationError as error:
        shown = Failure()
        ReadableFailures().to_failure(error, pydantic_data_converter.payload_converter, shown)
    assert shown.ByteSize() < 4096
    assert shown.message.startswith("ERP_OUTAGE: xxx")
    assert not shown.HasField("cause")


def test_a_fault_of_ours_keeps_the_end_of_its_trace() -> None:
    """F2: where the fault is, and no more."""
    try:
        raise ZeroDivisionError("here")
    except ZeroDivisionError as error:
        shown = Failure()
        ReadableFailures().to_failure(error, pydantic_data_converter.payload_converter, shown)
    assert "test_failures.py" in shown.stack_trace
    assert shown.ByteSize() < 4096


async def test_a_sync_that_cannot_read_says_since_when(harness: ActivityHarness) -> None:
    """Kind 4, B9: the state said ready, and no issue was open, for up to a week. Any reason counts."""
    harness.erp.orders["1001"] = an_order(1001)
    for _ in range(3):
        harness.erp.trouble = [MalformedAnswer("not XML", code="MALFORMED_ANSWER")]
        with pytest.raises(ApplicationError):
            await harness.read(Stream.PURCHASE_ORDERS)
    row = await harness.connection()
    assert (row.sync_problem_code, row.sync_problem_message) == ("MALFORMED_ANSWER", "not XML")
    first = row.sync_problem_since
    assert [waits.code for waits in harness.notifier.waits] == ["MALFORMED_ANSWER"] * 3
    assert {waits.since for waits in harness.notifier.waits} == {first}
    await harness.read(Stream.PURCHASE_ORDERS)
    assert (await harness.connection()).sync_problem_since is None


async def test_a_fault_of_ours_is_a_problem_of_the_sync_too(
    harness: ActivityHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kind 4: whatever stops the reading is shown."""

    async def broken(*_: object, **__: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(harness.erp, "list_entries", broken)
    with pytest.raises(KeyError):
        await harness.read(Stream.LISTS)
    assert (await harness.connection()).sync_problem_message == "KeyError: 'surprise'"
