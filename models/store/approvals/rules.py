"""Store who approves which bills: the ordered rules of a connection."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import insert
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, PersonId
from models.tables import ApprovalRuleRow


class ApprovalRule(NamedTuple):
    """One rule. What is None applies to all bills; `total_from` is included, `total_below` is not."""

    name: str
    total_from: Decimal | None
    total_below: Decimal | None
    vendor_id: str | None
    department: str | None
    entity: str | None
    steps: Sequence[Sequence[PersonId]]
    """Of each step, one of these people approves."""


async def of_connection(s: AsyncSession, connection_id: ConnectionId) -> list[ApprovalRule]:
    """Return the rules in the order in which they are tried."""
    statement = select(ApprovalRuleRow).where(col(ApprovalRuleRow.connection_id) == connection_id)
    rows = (await s.exec(statement.order_by(col(ApprovalRuleRow.position)))).all()
    return [
        ApprovalRule(
            row.name,
            row.total_from,
            row.total_below,
            row.vendor_id,
            row.department,
            row.entity,
            [[PersonId(one) for one in step] for step in row.steps],
        )
        for row in rows
    ]


async def replace(s: AsyncSession, connection_id: ConnectionId, rules: Sequence[ApprovalRule]) -> None:
    """Store these rules in place of the connection's present ones. The caller has locked the connection."""
    await s.exec(delete(ApprovalRuleRow).where(col(ApprovalRuleRow.connection_id) == connection_id))
    if rules:
        await s.exec(
            insert(ApprovalRuleRow).values(
                [
                    {
                        **rule._asdict(),
                        "steps": [list(step) for step in rule.steps],
                        "connection_id": connection_id,
                        "position": position,
                    }
                    for position, rule in enumerate(rules, start=1)
                ]
            )
        )
