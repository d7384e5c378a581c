"""List what there is to set on a connection, and what each setting is and does."""

from fastapi import APIRouter

from api.connections.routes import load
from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers
from api.http.schemas import Id
from api.http.services import Services
from erp.registry import CREDENTIALS_SPECS
from models.domain.connections import Erp
from models.tables import ConnectionRow
from services.connections.setting_facts import SETTINGS, SetBy, Undo, is_permanent

router = APIRouter(prefix="/v1/connections/{connection_id}/settings", tags=["connections"], route_class=ExactRoute)


class Setting(Output):
    name: str
    value: str | int | bool | None
    default: str | int | bool | None
    set_by: SetBy
    """The lowest role that may change it."""
    undo: Undo
    can_change: bool
    """false: it is permanent as it stands."""
    changes: str
    where: str
    """What changes it, below `/v1/connections/{id}`."""


class SettingList(Output):
    items: list[Setting]


@router.get("", operation_id="listSettings", summary="List a connection's settings", responses=answers("NOT_FOUND"))
async def list_all(connection_id: Id, caller: Viewer, services: Services) -> SettingList:
    """Return every setting with its value, its default, who may change it, what it changes, and whether that can be
    undone; the sync preferences that most set follow, and those that are set."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    own = [
        Setting(
            name=one.name,
            value=one.value(row),
            default=one.default,
            set_by=one.set_by,
            undo=one.undo,
            can_change=not is_permanent(one, one.value(row)),
            changes=one.changes,
            where=one.where,
        )
        for one in SETTINGS
    ]
    return SettingList(items=[*own, *_preferences(row)])


def _preferences(row: ConnectionRow) -> list[Setting]:
    questions = {question.name: question for question in CREDENTIALS_SPECS[Erp(row.erp)].preferences}
    names = [*questions, *sorted(name for name in row.preferences if name not in questions)]
    return [
        Setting(
            name=f"preferences.{name}",
            value=row.preferences.get(name),
            default=questions[name].default if name in questions else None,
            set_by=SetBy.ACCOUNTANT,
            undo=Undo.ANY_TIME,
            can_change=True,
            changes=questions[name].label if name in questions else "A sync preference of this ERP.",
            where="PUT /preferences",
        )
        for name in names
    ]
