"""Replace the approval rules of a connection, after checking that each can apply and that somebody can approve."""

from collections.abc import Iterator, Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.domain.lists import ListKind
from models.store.approvals import people, rules
from models.store.approvals.rules import ApprovalRule
from models.store.audit import events
from models.store.connections import connections
from models.store.sync import list_entries
from models.tables import ConnectionRow
from services.approvals.rules import stuck_rules
from services.refusal import Refused


async def replace_rules(
    session: AsyncSession, row: ConnectionRow, wanted: Sequence[ApprovalRule], *, actor: str
) -> None:
    """Store these rules in place of the present ones of a locked connection.

    Raises:
        Refused: A rule could never apply, names somebody unknown, or leaves nobody able to approve.
    """
    connection_id, organization_id = ConnectionId(row.id), OrganizationId(row.organization_id)
    everybody = [people.person(one) for one in await people.everybody(session, organization_id)]
    known = {person.id for person in everybody}
    for rule in wanted:
        for unknown in (person for step in rule.steps for person in step if person not in known):
            raise Refused("PERSON_UNKNOWN", f"{rule.name} names {unknown!r}, who is no person of the organization.")
    for why in [*_impossible(row, wanted), *await _unknown(session, connection_id, wanted)]:
        raise Refused("APPROVAL_RULE_INVALID", why)
    for stuck in stuck_rules(wanted, everybody):
        raise Refused("NOBODY_CAN_APPROVE", f"{stuck.rule}: {stuck.why}.")
    before = await rules.of_connection(session, connection_id)
    await rules.replace(session, connection_id, wanted)
    await connections.touch(session, connection_id)
    await events.record_setting(
        session,
        row,
        "approval_rules_set",
        actor=actor,
        before={"rules": [_plain(rule) for rule in before]},
        after={"rules": [_plain(rule) for rule in wanted]},
    )


def _impossible(row: ConnectionRow, wanted: Sequence[ApprovalRule]) -> Iterator[str]:
    names = [rule.name for rule in wanted]
    for rule in wanted:
        if names.count(rule.name) > 1:
            yield f"Two rules are called {rule.name}."
        if rule.total_from is not None and rule.total_below is not None and rule.total_from >= rule.total_below:
            yield f"{rule.name}: no total is {rule.total_from} or more and less than {rule.total_below}."
        if rule.entity is not None and row.entity not in (None, rule.entity):
            yield f"{rule.name}: this connection's bills are of entity {row.entity}, not {rule.entity}."


async def _unknown(session: AsyncSession, connection_id: ConnectionId, wanted: Sequence[ApprovalRule]) -> list[str]:
    """Return a sentence for each vendor and department that is in no list that came in."""
    given = [
        (rule.name, kind, value)
        for rule in wanted
        for kind, value in ((ListKind.VENDOR, rule.vendor_id), (ListKind.DEPARTMENT, rule.department))
        if value is not None
    ]
    named = [(kind, value) for _, kind, value in given]
    unknown = {
        one for one, why in (await list_entries.unusable(session, connection_id, named)).items() if why == "unknown"
    }
    return [
        f"{name}: the ERP has no {kind} {value!r}. If it is new, run a sync."
        for name, kind, value in given
        if (kind, value) in unknown
    ]


def _plain(rule: ApprovalRule) -> dict[str, object]:
    totals = {
        name: None if value is None else str(value)
        for name, value in (("total_from", rule.total_from), ("total_below", rule.total_below))
    }
    return {**rule._asdict(), **totals, "steps": [list(step) for step in rule.steps]}
