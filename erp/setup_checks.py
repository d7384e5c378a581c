"""Make set-up checks of what the ERPs' preflights find, and of settings that no ERP lets a program read."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import NamedTuple

from erp.connection import PreferenceProblem
from erp.errors import AuthenticationFailed
from models.domain.setup_checks import Breaks, CheckState, SetupCheck


class Asked(NamedTuple):
    """A setting that cannot be read: a person looks it up."""

    code: str
    title: str
    wanted: str
    """What it should be, and what for."""
    path: tuple[str, ...]
    breaks: tuple[Breaks, ...] = ()


class Preflight(NamedTuple):
    """A check that the preflight makes: it fails if the preflight reports one of these problems."""

    code: str
    title: str
    problems: frozenset[str]
    right: str
    """What to say if nothing is wrong."""


PREFERENCES_ONLY = (
    Preflight(
        "READ_RIGHTS", "The user may read what is synced", frozenset({"PERMISSION_DENIED"}), "Nothing is refused."
    ),
    Preflight(
        "FEATURES",
        "The company has what is needed switched on",
        frozenset({"FEATURE_OFF", "REGION_NOT_TAKEN"}),
        "Nothing that is needed is off.",
    ),
    Preflight("PREFERENCES", "The sync preferences fit", frozenset(), "Nothing is wrong with them."),
)
"""The groups of an ERP whose preflight finds all there is to find."""


def unknown(asked: Asked) -> SetupCheck:
    """Return the check of a setting that cannot be read."""
    return SetupCheck(
        code=asked.code,
        title=asked.title,
        state=CheckState.UNKNOWN,
        why=f"A program cannot read this setting. {asked.wanted}",
        breaks=asked.breaks,
        fix=(*asked.path, "Say here what it shows."),
    )


class PreflightResult(NamedTuple):
    """What a preflight found."""

    problems: Sequence[PreferenceProblem]
    whole: bool = True
    """False: a missing right ended it, so what it did not report may be wrong all the same."""


async def preflight_of(asked: Awaitable[Sequence[PreferenceProblem]]) -> PreflightResult:
    """Return what a preflight finds. A right that it lacks is a problem of its own here: a check that cannot be made
    must not count as refused credentials, which stop everything.

    Raises:
        AuthenticationFailed: The credentials themselves are refused.
    """
    try:
        return PreflightResult(await asked)
    except AuthenticationFailed as error:
        if error.code != "PERMISSION_DENIED":
            raise
        steps = ("Give the user's role list and view rights to what is named here.", "Check once more.")
        denied = PreferenceProblem(code=error.code, preference="user", message=error.message, fix=steps)
        return PreflightResult([denied], whole=False)


def of_preflight(groups: Sequence[Preflight], result: PreflightResult) -> list[SetupCheck]:
    """Return one check per group of problems; a problem of no group counts as one of the last group's."""
    problems = result.problems
    grouped: Mapping[str, list[PreferenceProblem]] = {group.code: [] for group in groups}
    for problem in problems:
        group = next((each for each in groups if problem.code in each.problems), groups[-1])
        grouped[group.code].append(problem)
    return [_group(group, grouped[group.code], whole=result.whole) for group in groups]


def _group(group: Preflight, problems: Sequence[PreferenceProblem], *, whole: bool) -> SetupCheck:
    if not problems and not whole:
        why = "A right is missing, so it could not be checked."
        return SetupCheck(
            code=group.code,
            title=group.title,
            state=CheckState.UNKNOWN,
            why=why,
            fix=("Give the user the right that READ_RIGHTS names.", "Check once more."),
        )
    if not problems:
        return SetupCheck(code=group.code, title=group.title, state=CheckState.PASS, why=group.right)
    return SetupCheck(
        code=group.code,
        title=group.title,
        state=CheckState.FAIL,
        why=" ".join(problem.message for problem in problems),
        seen=", ".join(dict.fromkeys(problem.code for problem in problems)),
        breaks=(Breaks.SYNC,),
        fix=tuple(dict.fromkeys(step for problem in problems for step in problem.fix)),
    )
