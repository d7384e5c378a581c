"""Store the writes that came in over the API by Idempotency-Key: same key and body, same answer (DESIGN section 8)."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import OrganizationId


class KeyReused(Exception):
    """The key was used before with another body or on another route. The caller must choose a new key."""

    code = "IDEMPOTENCY_KEY_REUSED"


class Request(NamedTuple):
    """A write requested over the API, and its answer once there is one."""

    organization_id: OrganizationId
    key: str
    route: str
    body_hash: str
    body: dict[str, Any]
    actor: str
    status: int | None
    """The HTTP status of the answer; None while the work is in progress."""
    answer: dict[str, Any] | None
    """None beside a status: the answer is no longer stored."""


_COLUMNS = "organization_id, key, route, body_hash, body, actor, status, answer"

_CLAIM = text(
    f"""
    insert into requests (organization_id, key, route, body_hash, body, actor)
    values (:organization, :key, :route, :body_hash, cast(:body as jsonb), :actor)
    on conflict do nothing returning {_COLUMNS}
    """
).columns(body=JSONB, answer=JSONB)

_GET = text(f"select {_COLUMNS} from requests where organization_id = :organization and key = :key").columns(
    body=JSONB, answer=JSONB
)

_ANSWER = text(
    """
    update requests set status = :status, answer = cast(:answer as jsonb)
     where organization_id = :organization and key = :key and status is null
    returning answer
    """
).columns(answer=JSONB)


async def claim(
    s: AsyncSession, organization_id: OrganizationId, key: str, route: str, body: Mapping[str, Any], actor: str
) -> Request:
    """Store the request under its key, or return the one an earlier call stored, with its answer if it has one.

    Raises:
        KeyReused: The earlier call had another route or body.
    """
    body_hash = hashlib.sha256(
        json.dumps(body, sort_keys=True, separators=(",", ":"), default=str).encode()
    ).hexdigest()
    claimed = await s.execute(
        _CLAIM,
        {
            "organization": organization_id,
            "key": key,
            "route": route,
            "body_hash": body_hash,
            "body": json.dumps(body),
            "actor": actor,
        },
    )
    row = claimed.one_or_none()
    request = await get(s, organization_id, key) if row is None else Request(*row)
    if request is None:
        raise RuntimeError(f"the request {key} was neither stored nor found")
    if request.route != route or request.body_hash != body_hash:
        raise KeyReused(f"the Idempotency-Key {key!r} was used before for another request; use a new key")
    return request


async def answer(
    s: AsyncSession, organization_id: OrganizationId, key: str, status: int, answer: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Store the answer and return it as every repeat will read it: both are then equal byte by byte.

    Returns None when there was an answer already. The first one stays: repeated work must not change what the caller
    was answered.
    """
    kept = await s.execute(
        _ANSWER, {"organization": organization_id, "key": key, "status": status, "answer": json.dumps(answer)}
    )
    stored: dict[str, Any] | None = kept.scalar_one_or_none()
    return stored


async def get(s: AsyncSession, organization_id: OrganizationId, key: str) -> Request | None:
    """Return the request as it is now, or None."""
    row = (await s.execute(_GET, {"organization": organization_id, "key": key})).one_or_none()
    return None if row is None else Request(*row)


_FORGET = text(
    """
    update requests r set body = '{}', answer = null
      from (select organization_id, key from requests
             where answer is not null and created_at < now() - cast(:age as interval)
             order by created_at limit :limit for update skip locked) old
     where r.organization_id = old.organization_id and r.key = old.key
    returning r.key
    """
)


async def forget_answers(s: AsyncSession, older_than: timedelta, *, limit: int = 10_000) -> int:
    """Clear the bodies and answers of old requests, the oldest first; return how many.

    The key and the hash of its request stay: what it made is never made a second time.
    """
    forgotten = await s.execute(_FORGET, {"age": older_than, "limit": limit})
    return len(forgotten.all())
