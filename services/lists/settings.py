"""Set who is the master of which list, and where and with which ids list entries are made."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.list_changes import WRITTEN, ListLevel, ListMaster, VendorIds
from models.domain.lists import ListKind
from models.store.audit import events
from models.store.connections import connections
from models.tables import ConnectionRow


class ListSettings(NamedTuple):
    """How list entries are made here, and whose values stay."""

    masters: Mapping[ListKind, ListMaster]
    """Of every list that can be written."""
    level: ListLevel
    vendor_ids: VendorIds


def stored(row: ConnectionRow) -> ListSettings:
    """Return the connection's present settings."""
    masters = {kind: ListMaster(row.list_masters.get(kind.value, ListMaster.ERP)) for kind in WRITTEN}
    return ListSettings(masters, ListLevel(row.list_level), VendorIds(row.vendor_ids))


async def set_to(session: AsyncSession, row: ConnectionRow, wanted: ListSettings, *, actor: str) -> None:
    """Store a locked connection's settings; what is on its way is settled by those that hold when it is sent."""
    was = stored(row)
    if wanted == was:
        return
    await connections.set_list_settings(session, ConnectionId(row.id), **wanted._asdict())
    await events.record_setting(
        session, row, "list_settings_set", actor=actor, before=_logged(was), after=_logged(wanted)
    )


def _logged(one: ListSettings) -> dict[str, object]:
    masters = {kind.value: master.value for kind, master in one.masters.items()}
    return {"masters": masters, "level": one.level.value, "vendor_ids": one.vendor_ids.value}
