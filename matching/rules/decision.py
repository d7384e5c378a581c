"""Decide, after a match, what a bill still waits for, and whether a second match is better or worse than the first."""

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from matching.kernel.result import Finding, MatchResult, Outcome, worst
from matching.rules.header import LINKED

NOT_RELEASABLE = frozenset(
    {
        "DUE_DATE_MISSING",
        "UOM_UNKNOWN",
        "SEVERAL_SOURCES",
        "SOURCE_IN_USE",
        "LINE_NOT_ON_ORDER",
        "ITEM_DIFFERS",
        "PO_NOT_BILLABLE",
        "INVALID_NUMBER",
        "INVALID_QTY",
        "INVALID_AMOUNT",
    }
)
"""Findings that nobody can release: the ERP could not take the bill, or nobody knows what it says."""


class Needs(NamedTuple):
    """The findings that must be settled before a bill is sent to the ERP."""

    acknowledge: tuple[Finding, ...]
    """Warnings that nobody has acknowledged yet."""
    release: tuple[Finding, ...]
    """Holds that nobody has released yet."""
    fix: tuple[Finding, ...]
    """Findings that no decision can settle: the cause has to be corrected, then the bill is matched again."""


def needs(result: MatchResult, acknowledged: Collection[str] = (), released: Collection[str] = ()) -> Needs:
    """Return what is still open, given the ids of the findings that people acknowledged and released.

    A released hold is settled. An acknowledgement settles only a warning, because who may acknowledge may not release.
    """
    fix = tuple(
        finding
        for finding in result.findings
        if finding.severity is Outcome.BLOCK or (finding.severity is Outcome.HOLD and not _releasable(finding))
    )
    return Needs(
        acknowledge=tuple(
            finding
            for finding in result.findings
            if finding.severity is Outcome.WARN and finding.id not in acknowledged and finding.id not in released
        ),
        release=tuple(
            finding
            for finding in result.findings
            if finding.severity is Outcome.HOLD and finding not in fix and finding.id not in released
        ),
        fix=fix,
    )


def for_saved_bill(result: MatchResult) -> MatchResult:
    """Return the result of matching a saved bill again: a finding that would have refused it now holds it.

    A saved bill is never removed: the facts changed, not the bill, and its quantity stays reserved until somebody
    decides.
    """
    if result.outcome is not Outcome.BLOCK:
        return result
    findings = tuple(
        finding.model_copy(update={"severity": Outcome.HOLD}) if finding.severity is Outcome.BLOCK else finding
        for finding in result.findings
    )
    return result.model_copy(update={"outcome": Outcome.HOLD, "findings": findings})


def _releasable(finding: Finding) -> bool:
    return finding.code not in NOT_RELEASABLE and finding.rule != LINKED


def same_findings(one: Collection[Finding], other: Collection[Finding]) -> bool:
    """Return whether two matches found the same. A result that was stored before findings had the ids of order lines
    is not another one for lack of them."""
    if len(one) != len(other):
        return False
    return all(
        a == b or (None in (a.order_line_id, b.order_line_id) and _without_line_id(a) == _without_line_id(b))
        for a, b in zip(one, other, strict=True)
    )


def _without_line_id(finding: Finding) -> Finding:
    return finding.model_copy(update={"order_line_id": None})


class Change(StrEnum):
    """How a second match compares with the first."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


class Comparison(NamedTuple):
    """The comparison of two matches of one bill: the direction, and the findings behind it as they are now (those that
    are gone: as they were)."""

    change: Change
    appeared: tuple[Finding, ...]
    worse: tuple[Finding, ...]
    better: tuple[Finding, ...]
    gone: tuple[Finding, ...]


def compare(old: MatchResult, new: MatchResult) -> Comparison:
    """Return worse if a finding appeared or became worse; better if findings only went or improved; otherwise the same.

    A finding is worse with a worse severity, or with the same severity and a smaller margin (more over its limit).
    """
    before = {finding.id: finding for finding in old.findings}
    after = {finding.id: finding for finding in new.findings}
    both = [(before[name], after[name]) for name in after if name in before]
    appeared = tuple(finding for name, finding in after.items() if name not in before)
    gone = tuple(finding for name, finding in before.items() if name not in after)
    worse = tuple(now for was, now in both if is_worse(was, now))
    better = tuple(now for was, now in both if is_worse(now, was))
    if worse or worst(result.severity for result in appeared).rank > Outcome.INFO.rank:
        change = Change.WORSE
    elif better or gone:
        change = Change.BETTER
    else:
        change = Change.SAME
    return Comparison(change, appeared, worse, better, gone)


def is_worse(was: Finding, now: Finding) -> bool:
    """Return whether a finding is worse now than it was. A decision is void once its finding has worsened."""
    if now.severity is not was.severity:
        return now.severity.rank > was.severity.rank
    return was.margin is not None and now.margin is not None and now.margin < was.margin
