"""Preview a change of tolerance policies: show what it would have done to the last bills, before it is saved."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from api.connections.routes import load
from api.http.auth import Accountant
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import StoredFinding, answers, not_found
from api.http.schemas import Input, Named, Whole
from api.http.services import Services
from api.policies.tolerance_policies import NewPolicy, checked, with_policy
from matching.bill import MatchResult, recompute_with
from matching.kernel.result import Finding, Outcome
from matching.policies.policies import TolerancePolicy
from matching.rules.decision import Change, compare
from models.domain.ids import ConnectionId
from models.store.policies import past_matches, tolerance_policies
from models.store.policies.past_matches import PastMatch
from services.bills.tolerances import policies_of, policy_of, stored_policy

router = APIRouter(prefix="/v1/tolerance-policies", tags=["tolerance policies"], route_class=ExactRoute)


class PreviewedChange(Input):
    policy: NewPolicy
    replaces: Named | None = Field(default=None, description="The policy it would replace; null: a new one.")
    connection_id: Named | None = Field(default=None, description="Look at the bills of one connection only.")
    last: Whole = Field(default=50, ge=1, le=500, description="How many of the last matches to look at.")


class ChangedOutcome(Output):
    """One match that would have ended in another way."""

    bill_id: str | None
    """null: the bill was refused, so it was never saved."""
    number: str
    purchase_order_id: str
    matched_at: datetime
    before: Outcome
    """With the policies in force now, on the facts known when the bill was matched."""
    after: Outcome
    change: Change
    appeared: list[StoredFinding]
    gone: list[StoredFinding]
    """Findings in the form of a match result. One whose severity changes is in both lists."""


class Preview(Output):
    looked_at: int
    changed: int
    before: dict[Outcome, int]
    """How many matches end in each outcome with the policies in force now."""
    after: dict[Outcome, int]
    changes: list[ChangedOutcome]
    """Newest first."""


@router.post(
    "/preview",
    operation_id="previewTolerancePolicy",
    summary="Try a policy on the last bills",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "POLICY_INVALID"),
)
async def preview(asked: PreviewedChange, caller: Accountant, services: Services) -> Preview:
    """Match the last bills again on the inputs stored with them: once with the policies in force, and once with the
    change.

    Nothing is saved, and no bill changes.
    """
    async with services.database.transaction() as session:
        if asked.replaces is not None:
            replaced = await tolerance_policies.get(session, asked.replaces, caller.organization_id)
            if replaced is None:
                raise not_found("tolerance policy", asked.replaces)
        new = policy_of(await checked(session, services, caller, asked.policy, asked.replaces or "new"))
        rows = await tolerance_policies.all_of(session, caller.organization_id)
        existing = policies_of(stored_policy(row) for row in rows)
        connection_id = None
        if asked.connection_id is not None:
            connection_id = ConnectionId((await load(session, services, caller, asked.connection_id)).id)
        matches = await past_matches.last_matches(session, caller.organization_id, connection_id, asked.last)
    # Hundreds of matches are some tenths of a second of arithmetic: other requests need not wait for them.
    return await asyncio.to_thread(_compared, matches, existing, with_policy(existing, new, asked.replaces))


def _compared(
    matches: Sequence[PastMatch], existing: Sequence[TolerancePolicy], changed: Sequence[TolerancePolicy]
) -> Preview:
    before: Counter[Outcome] = Counter()
    after: Counter[Outcome] = Counter()
    changes: list[ChangedOutcome] = []
    for match in matches:
        stored = MatchResult.model_validate(match.result)
        now = recompute_with(stored, _of(existing, match.connection_id))
        then = recompute_with(stored, _of(changed, match.connection_id))
        before[now.outcome] += 1
        after[then.outcome] += 1
        difference = _difference(match, now, then)
        if difference is not None:
            changes.append(difference)
    return Preview(looked_at=len(matches), changed=len(changes), before=before, after=after, changes=changes)


def _of(policies: Sequence[TolerancePolicy], connection_id: str) -> list[TolerancePolicy]:
    return [policy for policy in policies if policy.scope.connection_id in (None, connection_id)]


def _difference(match: PastMatch, now: MatchResult, then: MatchResult) -> ChangedOutcome | None:
    compared = compare(now, then)
    otherwise = {finding.id for finding in (*compared.worse, *compared.better)}
    gone = [*compared.gone, *(finding for finding in now.findings if finding.id in otherwise)]
    appeared = [*compared.appeared, *compared.worse, *compared.better]
    if not gone and not appeared:
        return None
    return ChangedOutcome(
        bill_id=match.bill_id,
        number=now.inputs.bill.number,
        purchase_order_id=match.purchase_order_id,
        matched_at=match.created_at,
        before=now.outcome,
        after=then.outcome,
        change=compared.change,
        appeared=_shown(appeared),
        gone=_shown(gone),
    )


def _shown(findings: list[Finding]) -> list[dict[str, Any]]:
    return [finding.model_dump(mode="json") for finding in findings]
