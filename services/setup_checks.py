"""Run the set-up checks of a connection, compare them with the last run and with what people said, and say what a
failing check stops."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.connections import BaseCurrencySource
from models.domain.ids import SYNCER, ConnectionId
from models.domain.setup_checks import (
    CHECKED_EVERY,
    Breaks,
    CheckState,
    SetupCheck,
    contradicts,
    effective,
)
from models.store.audit import sync_issues
from models.store.connections import setup_checks
from models.store.policies import unit_factors
from models.tables import ConnectionRow, SetupCheckRow
from services import list_masters
from services.refusal import Refused

SETTING_CHANGED = "SETTING_CHANGED"
SUBJECT = "setup_check"

PAYMENT_APPROVAL = "PAYMENT_APPROVAL"
"""The check of a setting that cannot be read, but that a payment of ours shows which waits there."""


async def due(session: AsyncSession, row: ConnectionRow, now: datetime) -> bool:
    """Return whether a day has passed since the checks were made."""
    stored = await setup_checks.all_of(session, ConnectionId(row.id))
    return not stored or min(one.checked_at for one in stored) + CHECKED_EVERY <= now


async def take_in(session: AsyncSession, row: ConnectionRow, checks: Sequence[SetupCheck], now: datetime) -> None:
    """Store the answers. A setting that changed under us, or that is not what a person saw, opens one issue."""
    connection_id = ConnectionId(row.id)
    await session.execute(text("select 1 from connections where id = :c for update"), {"c": connection_id})
    before = {one.code: one for one in await setup_checks.all_of(session, connection_id, lock=True)}
    own = [*checks, _base_currency(row), await _units(session, connection_id), await list_masters.check(session, row)]
    answers = await _with_evidence(session, connection_id, own)
    changed = [
        _change(before[one.code], one) for one in answers if one.code in before and _differs(before[one.code], one)
    ]
    await setup_checks.save(session, connection_id, answers, now)
    for stored in await setup_checks.all_of(session, connection_id, lock=True):
        if contradicts(CheckState(stored.state), setup_checks.confirmation_of(stored)):
            changed.append({"check": stored.code, "before": stored.confirmed_value or "", "now": stored.seen})
            await setup_checks.reopen(session, stored, now)
    for change in changed:
        await _report(session, row, change)
    mended = [one.code for one in answers if one.code in before and _mended(before[one.code], one)]
    await sync_issues.close_for_subjects(session, connection_id, SUBJECT, mended, [SETTING_CHANGED], actor=SYNCER)


def _mended(before: SetupCheckRow, now: SetupCheck) -> bool:
    return before.state == CheckState.FAIL and now.state is not CheckState.FAIL


def _differs(before: SetupCheckRow, now: SetupCheck) -> bool:
    """Return whether the ERP shows another value than last time. What was unknown before is no change."""
    if before.state == CheckState.UNKNOWN or now.state is CheckState.UNKNOWN:
        return False
    if _mended(before, now):
        return False
    return (before.state, before.seen) != (now.state, now.seen)


def _change(before: SetupCheckRow, now: SetupCheck) -> dict[str, str]:
    return {
        "check": now.code,
        "before": before.seen or before.state,
        "now": now.seen or now.state.value,
    }


async def _report(session: AsyncSession, row: ConnectionRow, change: Mapping[str, str]) -> None:
    await sync_issues.open_issue(
        session,
        SETTING_CHANGED,
        connection_id=row.id,
        subject_kind=SUBJECT,
        subject_id=change["check"],
        subject_name=change["check"],
        cause=f"{change['check']} was: {change['before'] or 'right'}. It is: {change['now'] or 'wrong'}.",
        evidence=change,
    )


async def _with_evidence(
    session: AsyncSession, connection_id: ConnectionId, checks: Sequence[SetupCheck]
) -> list[SetupCheck]:
    """Return the checks, the one of payment approval as failed if the ERP holds a payment of ours that it has not
    posted."""
    if not await setup_checks.payment_waits_in_erp(session, connection_id):
        return list(checks)
    why = "The ERP holds a payment of ours and has not posted it."
    wrong = {"state": CheckState.FAIL, "why": why, "seen": "on"}
    return [one.model_copy(update=wrong) if one.code == PAYMENT_APPROVAL else one for one in checks]


def _base_currency(row: ConnectionRow) -> SetupCheck:
    title = "The currency of the books is known"
    if row.base_currency_from == BaseCurrencySource.ASSUMED:
        return SetupCheck(
            code="BASE_CURRENCY",
            title=title,
            state=CheckState.UNKNOWN,
            why="The ERP does not say it, and nobody did.",
            breaks=(Breaks.SYNC,),
            fix=("Look it up in the ERP, and set it with the sync preferences.",),
        )
    by = "the ERP" if row.base_currency_from == BaseCurrencySource.ERP else "a person"
    return SetupCheck(
        code="BASE_CURRENCY", title=title, state=CheckState.PASS, why=f"As {by} says.", seen=row.base_currency
    )


async def _units(session: AsyncSession, connection_id: ConnectionId) -> SetupCheck:
    """Check that unit names are unique in their group, as they came in: of two alike nobody knows which is meant."""
    repeated = [f"{unit.unit} of {unit.group}" for unit in await unit_factors.repeated(session, connection_id)]
    title = "Units have names of their own"
    if not repeated:
        return SetupCheck(code="UNITS", title=title, state=CheckState.PASS, why="No name repeats in its group.")
    return SetupCheck(
        code="UNITS",
        title=title,
        state=CheckState.FAIL,
        why=f"Named twice: {', '.join(sorted(repeated)[:20])}.",
        seen=", ".join(sorted(repeated)[:20]),
        fix=("Rename one of the two in the ERP's units of measure, and sync.",),
    )


def state_of(row: SetupCheckRow, now: datetime) -> CheckState:
    """Return what counts for a stored check."""
    return effective(CheckState(row.state), setup_checks.confirmation_of(row), now)


async def must_not_break(session: AsyncSession, connection_id: ConnectionId, what: Breaks, now: datetime) -> None:
    """Check that nothing is known to be wrong that this needs. What is unknown stops nothing.

    Raises:
        Refused: SETUP_CHECK_FAILED.
    """
    for one in await setup_checks.failing(session, connection_id):
        if what in one.breaks and state_of(one, now) is CheckState.FAIL:
            raise Refused("SETUP_CHECK_FAILED", f"{one.title}: no. {one.why}", fix=tuple(one.fix))
