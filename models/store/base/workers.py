"""Keep the last sign of life of each worker process, by the database's clock."""

from datetime import timedelta

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

SILENT_AFTER = timedelta(seconds=30)
"""How old the last sign of life of a worker may be. One large page of a sync takes the event loop for a few seconds."""

_FORGOTTEN_AFTER = timedelta(days=30)

_SIGN = text(
    "insert into workers (identity, alive_at) values (:identity, clock_timestamp())"
    " on conflict (identity) do update set alive_at = excluded.alive_at"
)


async def sign_of_life(s: AsyncSession, identity: str) -> None:
    """Record that this worker's event loop runs."""
    await s.execute(_SIGN, {"identity": identity})


async def ended(s: AsyncSession, identity: str) -> None:
    """Forget a worker that ends, and those that ended long ago without a word."""
    await s.execute(
        text(
            "delete from workers where identity = :identity"
            " or alive_at < clock_timestamp() - cast(:long_ago as interval)"
        ),
        {"identity": identity, "long_ago": _FORGOTTEN_AFTER},
    )


async def silent(s: AsyncSession) -> frozenset[str]:
    """Return the identities of the workers that gave a sign of life once, and none a moment ago.

    A worker that never gave one is not among them: it may be of a version that gives none.
    """
    rows = await s.execute(
        text("select identity from workers where alive_at <= clock_timestamp() - cast(:within as interval)"),
        {"within": SILENT_AFTER},
    )
    return frozenset(rows.scalars())
