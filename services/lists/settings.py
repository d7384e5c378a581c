"""Set who is the master of which list, and where and with which ids list entries are made."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.domain.list_changes import WRITTEN, ListMaster, ListsMadeAt, VendorIds
from models.domain.lists import ListKind
from models.domain.setup_checks import CheckState, SetupCheck
from models.store.audit import events
from models.store.connections import connections
from models.tables import ConnectionRow
from services.lists import placing


class ListSettings(NamedTuple):
    """How list entries are made here, and whose values stay."""

    masters: Mapping[ListKind, ListMaster]
    """Of every list that can be written."""
    made_at: ListsMadeAt
    vendor_ids: VendorIds


def stored(row: ConnectionRow) -> ListSettings:
    """Return the connection's present settings."""
    masters = {kind: ListMaster(row.list_masters.get(kind.value, ListMaster.ERP)) for kind in WRITTEN}
    return ListSettings(masters, ListsMadeAt(row.lists_made_at), VendorIds(row.vendor_ids))


async def set_to(session: AsyncSession, row: ConnectionRow, wanted: ListSettings, *, actor: str) -> None:
    """Store a locked connection's settings; what is on its way is settled by those that hold when it is sent."""
    was = stored(row)
    if wanted == was:
        return
    await connections.set_list_settings(session, ConnectionId(row.id), **wanted._asdict())
    await events.record(
        session,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.id),
        subject_kind="connection",
        subject_id=row.id,
        kind="list_settings_set",
        actor=actor,
        before=_logged(was),
        after=_logged(wanted),
    )


def _logged(one: ListSettings) -> dict[str, object]:
    masters = {kind.value: master.value for kind, master in one.masters.items()}
    return {"masters": masters, "made_at": one.made_at.value, "vendor_ids": one.vendor_ids.value}


_SHARED = text(
    "select distinct kind from list_entries where connection_id = :c and kind = any(cast(:kinds as text[]))"
    " and entity is null and deleted_at is null order by kind"
)


async def check(session: AsyncSession, row: ConnectionRow) -> SetupCheck:
    """Check that the ERP is the master of lists whose entries all entities share, unless those are changed here."""
    title = "The master of shared lists is the ERP"
    ours = [kind.value for kind, master in stored(row).masters.items() if master is ListMaster.POSYNC]
    shared: list[str] = []
    levels = row.capabilities.get("lists_have_levels") and row.lists_made_at == ListsMadeAt.ENTITY
    if ours and levels and await placing.has_entities(session, row):
        rows = await session.execute(_SHARED, {"c": row.id, "kinds": ours})
        shared = list(rows.scalars())
    if not shared:
        return SetupCheck(code="LIST_MASTERS", title=title, state=CheckState.PASS, why="No list of ours is shared.")
    return SetupCheck(
        code="LIST_MASTERS",
        title=title,
        state=CheckState.FAIL,
        why=f"posync is the master, and entries that all entities share are changed in the ERP: {', '.join(shared)}.",
        seen=", ".join(shared),
        fix=(
            "Make the ERP the master of these lists (list settings).",
            "Or let entries that all entities share be made and changed here: set made_at to top.",
        ),
    )
