"""How the families of ERP errors reach a workflow, and what the connection shows meanwhile."""

import inspect
from datetime import timedelta

import pytest
from temporalio.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory, RetryState, TimeoutError

from activities.failures import LONGEST_MESSAGE, FailureDetails, as_failure, details_of, erp_failures, not_yet
from erp import errors
from erp.errors import AuthenticationFailed, ErpError, Rejected, Throttled, Unavailable
from erp.issue_codes import issue_code
from models.domain import Stream
from tests.activities.office import Office, failure
from tests.store.made import an_order

RETRIED = {
    "AuthenticationFailed": True,
    "Throttled": True,
    "Unavailable": True,
    "OutcomeUnknown": True,
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
    failed = as_failure(Unavailable("x" * 100_000, code="ERP_UNAVAILABLE", evidence={"body": "y" * 100_000}))
    details = failed.details[0]
    assert len(details.message) == len(details.evidence["body"]) == LONGEST_MESSAGE


def test_what_is_no_erp_error_is_left_alone() -> None:
    """DESIGN 6: a bug stays a bug."""
    with pytest.raises(ZeroDivisionError), erp_failures():
        _ = 1 // 0


def test_waiting_alarms_nobody() -> None:
    """S4-67: an order that does not show a bill yet is no error in the operators' metrics."""
    waiting = not_yet("soon", again_in=timedelta(minutes=1), code="STATUS_NOT_SHOWING")
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
        "WAITING_FOR_TURN",
        "STATUS_NOT_SHOWING",
        "PAYMENT_NOT_POSTED",
        "OUTCOME_UNKNOWN",
        "DELETED_IN_ERP",
        "LINK_MISSING",
        "CONTENT_CONFLICT",
        "UNKNOWN_ERP_STATUS",
        "GAVE_UP_WAITING",
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


async def test_an_outage_shows_since_when_and_goes_away_by_itself(office: Office) -> None:
    """S5-160, DESIGN 6: the first moment stays until the ERP answers again."""
    office.erp.trouble = [Unavailable("maintenance", code="ERP_MAINTENANCE") for _ in range(2)]
    with pytest.raises(ApplicationError):
        await office.read_page(Stream.LISTS)
    first = await office.connection()
    assert first.outage_since is not None
    assert first.problem_code == "ERP_MAINTENANCE"
    with pytest.raises(ApplicationError):
        await office.read_page(Stream.LISTS)
    assert (await office.connection()).outage_since == first.outage_since
    await office.read_page(Stream.LISTS)
    healthy = await office.connection()
    assert (healthy.outage_since, healthy.problem_code) == (None, None)


async def test_refused_credentials_are_one_issue_that_heals(office: Office) -> None:
    """DESIGN 6: an administrator sees one issue; calls hold back; once the ERP signs us in it closes by itself."""
    order = await office.holds(an_order())
    office.erp.trouble = [AuthenticationFailed("wrong password", code="AUTH_BAD_CREDENTIALS")]
    with pytest.raises(ApplicationError) as refused:
        await office.refresh(order)
    assert (refused.value.type, refused.value.non_retryable) == ("AuthenticationFailed", False)
    assert refused.value.next_retry_delay is not None
    assert (await office.connection()).state == "authentication_failed"
    issues = await office.tenant.open_issues()
    assert list(issues) == ["AUTH_BAD_CREDENTIALS"]
    assert issues["AUTH_BAD_CREDENTIALS"].subject_kind == "connection"
    calls = sum(office.erp.calls.values())
    office.connections._last_probe[office.tenant.connection_id] = float("inf")
    for _ in range(3):
        with pytest.raises(ApplicationError) as held_back:
            await office.refresh(order)
        assert failure(held_back).code == "AUTH_BAD_CREDENTIALS"
    assert sum(office.erp.calls.values()) == calls, "an account is not locked by hammering at it"
    office.connections._last_probe.clear()
    await office.refresh(order)
    assert (await office.connection()).state == "ready"
    assert await office.tenant.open_issues() == {}


async def test_a_throttle_says_when_to_come_back_and_is_no_outage(office: Office) -> None:
    """F5: the ERP's own word on when to come back is obeyed."""
    office.erp.trouble = [Throttled("slow down", code="THROTTLED", retry_after=timedelta(seconds=42))]
    with pytest.raises(ApplicationError) as throttled:
        await office.read_page(Stream.LISTS)
    assert throttled.value.next_retry_delay == timedelta(seconds=42)
    assert (await office.connection()).outage_since is None


async def test_a_refusal_is_no_outage(office: Office) -> None:
    """DESIGN 6: a business rule says nothing about the connection."""
    office.erp.trouble = [Rejected("no permission", code="NO_PERMISSION")]
    with pytest.raises(ApplicationError) as refused:
        await office.read_page(Stream.LISTS)
    assert refused.value.non_retryable
    row = await office.connection()
    assert (row.state, row.outage_since, row.problem_code) == ("ready", None, None)


async def test_changed_settings_make_a_new_connector_and_the_last_one_is_closed(office: Office) -> None:
    """DESIGN 7: sessions are kept between activities, and never used with other credentials than today's."""
    made: list[str] = []
    factory = office.connections._factories

    def count(settings: object, credentials: object) -> object:
        made.append(str(credentials))
        return office.erp

    office.connections._factories = dict.fromkeys(factory, count)  # type: ignore[arg-type]
    await office.read_page(Stream.LISTS)
    await office.read_page(Stream.LISTS)
    assert len(made) == 1
    await office.tenant.execute(
        "update connections set credentials_version = credentials_version + 1 where id = :id",
        id=office.tenant.connection_id,
    )
    await office.read_page(Stream.LISTS)
    assert len(made) == 2
    assert "sealed" not in "".join(made), "a credential is never shown in text"
    await office.connections.close()
    assert office.erp.closed
