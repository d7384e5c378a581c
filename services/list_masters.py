"""Check who is the master of lists whose entries all entities share."""

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId
from models.domain.list_changes import ListLevel, ListMaster
from models.domain.setup_checks import CheckState, SetupCheck
from models.store.sync import list_entries
from models.tables import ConnectionRow


async def check(session: AsyncSession, row: ConnectionRow) -> SetupCheck:
    """Check that the ERP is the master of lists whose entries all entities share, unless those are changed here."""
    title = "The master of shared lists is the ERP"
    ours = [kind for kind, master in row.list_masters.items() if master == ListMaster.POSYNC]
    shared: list[str] = []
    levels = row.capabilities.get("lists_have_levels") and row.list_level == ListLevel.ENTITY
    if ours and levels and await list_entries.has_entities(session, row):
        shared = await list_entries.shared_lists(session, ConnectionId(row.id), ours)
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
            "Or let entries that all entities share be made and changed here: set level to top.",
        ),
    )
