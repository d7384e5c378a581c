"""Check for unlikely dates: a typing error would post a bill into another year."""

from collections.abc import Iterator
from datetime import date, timedelta

from matching.kernel.inputs import BillToMatch
from matching.kernel.result import FIXED_DATES, Finding, Outcome
from matching.rules.tolerances import DateLimits

AHEAD = timedelta(days=1)
"""One day ahead is no typing error: somewhere it is tomorrow already."""
YEARS_BACK, YEARS_AHEAD = 10, 1
"""Beyond these nobody means it; a supplier's late or post-dated invoice is within them."""


def check_dates(bill: BillToMatch, rules: int, limits: DateLimits) -> Iterator[Finding]:
    """Compare the bill's dates with the day it was entered, and its due date with its bill date."""
    if bill.bill_date is not None:
        if rules > FIXED_DATES:
            yield from _beyond(bill, bill.bill_date, limits)
        else:
            yield from _unlikely(bill, "bill_date", "The bill's date", bill.bill_date)
        if bill.due_date is not None and bill.due_date < bill.bill_date:
            severity = Outcome.HOLD if rules > FIXED_DATES else Outcome.WARN
            yield _due_before(bill.bill_date, bill.due_date, severity)
    if bill.posting_date is not None and bill.posting_date != bill.bill_date:
        yield from _unlikely(bill, "posting_date", "The posting date", bill.posting_date)


def _beyond(bill: BillToMatch, day: date, limits: DateLimits) -> Iterator[Finding]:
    """Hold a bill whose date is beyond its limits; one within them that is ahead is a question only."""
    entered = bill.entered_on
    if entered is None:
        return
    days = (day - entered).days
    if -limits.back <= days <= min(AHEAD.days, limits.ahead):
        return
    ahead = days > 0
    most, policy = (limits.ahead, limits.ahead_policy) if ahead else (limits.back, limits.back_policy)
    severity = Outcome.HOLD if abs(days) > most else Outcome.WARN
    where = "after" if ahead else "before"
    allowed = f"; {most} days are allowed" if severity is Outcome.HOLD else ""
    yield Finding(
        id="DATE_UNLIKELY:bill_date",
        code="DATE_UNLIKELY",
        severity=severity,
        message=f"The bill's date is {day}, {_apart(abs(day - entered))} {where} the day it was entered, {entered}"
        f"{allowed}.",
        rule="HEADER.DATES",
        formula=f"bill_date > entered + {most} days" if ahead else f"bill_date < entered - {most} days",
        values={"bill_date": str(day), "entered_on": str(entered), "allowed_days": str(most)},
        policy=policy,
        who="ap",
        fix=(
            "correct the date, if it is a slip",
            "or acknowledge it" if severity is Outcome.WARN else "or decide that it is right",
        ),
    )


def years_later(day: date, years: int) -> date:
    """Return the same day so many years later, or earlier; the 28th for 29 February if the year has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _unlikely(bill: BillToMatch, field: str, what: str, day: date) -> Iterator[Finding]:
    entered = bill.entered_on
    if entered is None:
        return
    earliest, latest = years_later(entered, -YEARS_BACK), years_later(entered, YEARS_AHEAD)
    if earliest <= day <= entered + AHEAD:
        return
    severity = Outcome.WARN if earliest <= day <= latest else Outcome.HOLD
    where = "after" if day > entered else "before"
    yield Finding(
        id=f"DATE_UNLIKELY:{field}",
        code="DATE_UNLIKELY",
        severity=severity,
        message=f"{what} is {day}, {_apart(abs(day - entered))} {where} the day it was entered, {entered}.",
        rule="HEADER.DATES",
        formula=f"{field} > entered + 1 day" if day > entered else f"{field} < entered - {YEARS_BACK} years",
        values={field: str(day), "entered_on": str(entered)},
        who="ap",
        fix=(
            "correct the date, if it is a slip",
            "or acknowledge it" if severity is Outcome.WARN else "or decide that it is right",
        ),
    )


def _due_before(bill_date: date, due_date: date, severity: Outcome) -> Finding:
    return Finding(
        id="DUE_BEFORE_BILL_DATE",
        code="DUE_BEFORE_BILL_DATE",
        severity=severity,
        message=f"The bill is due on {due_date}, before its own date, {bill_date}.",
        rule="HEADER.DATES",
        formula="due date < bill date",
        values={"due_date": str(due_date), "bill_date": str(bill_date)},
        who="ap",
        fix=(
            "correct the due date or the bill's date",
            "or acknowledge it" if severity is Outcome.WARN else "or decide that it is right",
        ),
    )


def _apart(distance: timedelta) -> str:
    if distance.days > 365:
        years = distance.days // 365
        return f"{years} year{'s' if years > 1 else ''}"
    return f"{distance.days} days"
