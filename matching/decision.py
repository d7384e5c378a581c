"""After the match: what a bill still waits for, and whether a second look is better or worse than the first."""

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from matching.header import LINKED
from matching.result import Finding, MatchResult, Outcome, worst

NOT_RELEASABLE = frozenset(
    {
        "UOM_UNKNOWN",
        "SEVERAL_SOURCES",
        "LINE_NOT_ON_ORDER",
        "PO_NOT_BILLABLE",
        "INVALID_NUMBER",
        "INVALID_QTY",
        "INVALID_AMOUNT",
    }
)
"""Nobody can decide that such a bill goes on: the ERP could not take it, or nobody knows what it says."""


class Needs(NamedTuple):
    """What stands between a bill and the ERP."""

    acknowledge: tuple[Finding, ...]
    """Warnings that nobody acknowledged yet."""
    release: tuple[Finding, ...]
    """Holds that nobody released yet."""
    fix: tuple[Finding, ...]
    """What no word of a person helps against: it has to be put right, then the bill is matched again."""

    @property
    def nothing(self) -> bool:
        """Whether the bill may go on."""
        return not (self.acknowledge or self.release or self.fix)


def needs(result: MatchResult, acknowledged: Collection[str] = (), released: Collection[str] = ()) -> Needs:
    """What is still open, given the ids of findings that people acknowledged and released.

    A released hold is settled; an acknowledgement settles a warning only: who may acknowledge may not release.
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
    """The result of a second look at a bill that is saved: what would have refused it now holds it (property 7).

    A saved bill is never un-saved: the facts changed, not the bill, and its quantity stays reserved until somebody
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


class Change(StrEnum):
    """How a second look compares with the first."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


class Comparison(NamedTuple):
    """Two looks at one bill: the direction, and the findings behind it, as they are now (gone: as they were)."""

    change: Change
    appeared: tuple[Finding, ...]
    worse: tuple[Finding, ...]
    better: tuple[Finding, ...]
    gone: tuple[Finding, ...]


def compare(old: MatchResult, new: MatchResult) -> Comparison:
    """Worse if anything appeared or became worse; better if it only lost or improved findings; else the same.

    A finding is worse with a worse severity, or with the same one and a smaller margin (more over its limit).
    """
    before = {finding.id: finding for finding in old.findings}
    after = {finding.id: finding for finding in new.findings}
    both = [(before[name], after[name]) for name in after if name in before]
    appeared = tuple(finding for name, finding in after.items() if name not in before)
    gone = tuple(finding for name, finding in before.items() if name not in after)
    worse = tuple(now for was, now in both if is_worse(was, now))
    better = tuple(now for was, now in both if is_worse(now, was))
    if worse or worst(found.severity for found in appeared).rank > Outcome.INFO.rank:
        change = Change.WORSE
    elif better or gone:
        change = Change.BETTER
    else:
        change = Change.SAME
    return Comparison(change, appeared, worse, better, gone)


def is_worse(was: Finding, now: Finding) -> bool:
    """Whether a finding is worse now than it was, so that a word given for it then does not count any more."""
    if now.severity is not was.severity:
        return now.severity.rank > was.severity.rank
    return was.margin is not None and now.margin is not None and now.margin < was.margin
