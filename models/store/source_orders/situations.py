"""Find source orders that are in no situation of the table of states."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.source_order_states import WAYS_ON
from models.store.payables.statuses import Outside

_ALLOWED = ", ".join(f"('{one.status}', '{one.write_shown}', {str(one.stopped).lower()})" for one in WAYS_ON)

_OUTSIDE = text(
    f"""
    select x.organization_id, x.connection_id, 'source order' as kind, x.id, x.reference as name,
           x.upload_state as status, s.write, s.stopped, x.changed_at
      from source_orders x
      left join erp_writes w on w.external_key = x.outgoing ->> 'external_key'
      cross join lateral (
          select coalesce(w.state, 'none') as write,
                 exists (select from sync_issues i
                          where i.connection_id = x.connection_id and i.subject_kind = 'source_order'
                            and i.subject_id = x.id and i.state = 'open') as stopped
      ) s
     where (x.upload_state, s.write, s.stopped) not in ({_ALLOWED})
     order by x.changed_at, x.id
    """
)


async def outside(session: AsyncSession) -> Sequence[Outside]:
    """Return the source orders of all organizations that are in no situation of the table."""
    return [Outside(*row) for row in await session.execute(_OUTSIDE)]
