"""Writes that came in over the API, by their Idempotency-Key: same key and body, same answer (DESIGN section 8)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain import OrganizationId
from models.tables import RequestRow


class KeyReused(Exception):
    """The key was used before with another body or on another route. The caller must choose a new key."""

    code = "IDEMPOTENCY_KEY_REUSED"


async def claim(
    s: AsyncSession, organization_id: OrganizationId, key: str, route: str, body: Mapping[str, Any], actor: str
) -> RequestRow:
    """The request under this key: stored now, or as an earlier call stored it, with its answer if it has one.

    Raises KeyReused when the earlier call was another one.
    """
    body_hash = hashlib.sha256(
        json.dumps(body, sort_keys=True, separators=(",", ":"), default=str).encode()
    ).hexdigest()
    stored = (
        insert(RequestRow)
        .values(
            organization_id=organization_id, key=key, route=route, body_hash=body_hash, body=dict(body), actor=actor
        )
        .on_conflict_do_nothing()
        .returning(RequestRow)
    )
    row = (await s.execute(stored, execution_options={"populate_existing": True})).scalar_one_or_none()
    if row is None:
        row = await get(s, organization_id, key)
    if row is None:
        raise RuntimeError(f"the request {key} was neither stored nor found")
    if row.route != route or row.body_hash != body_hash:
        raise KeyReused(f"the Idempotency-Key {key!r} was used before for another request; use a new key")
    return row


async def answer(
    s: AsyncSession, organization_id: OrganizationId, key: str, status: int, answer: Mapping[str, Any]
) -> None:
    """Keep the answer. The first one stays: a repeat of the work must not change what the caller was told."""
    await s.exec(
        update(RequestRow)
        .where(
            col(RequestRow.organization_id) == organization_id,
            col(RequestRow.key) == key,
            col(RequestRow.status).is_(None),
        )
        .values(status=status, answer=dict(answer))
    )


async def get(s: AsyncSession, organization_id: OrganizationId, key: str) -> RequestRow | None:
    """The request as it stands now."""
    statement = select(RequestRow).where(col(RequestRow.organization_id) == organization_id, col(RequestRow.key) == key)
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()
