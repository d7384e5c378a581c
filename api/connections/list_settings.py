"""Show and set who is the master of which list, and where and with which ids list entries are made here."""

from fastapi import APIRouter, Response
from pydantic import Field

from api.connections.routes import load
from api.http.auth import Admin, Viewer
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers
from api.http.schemas import Id, Input
from api.http.services import Services
from models.domain.list_changes import ListLevel, ListMaster, VendorIds, WritableList
from models.domain.lists import ListKind
from models.tables import ConnectionRow
from services.lists.settings import set_to, stored

router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["lists"], route_class=ExactRoute)


class Masters(Input):
    """By list, whose value stays where both sides changed a field; what is null stays as it is."""

    vendor: ListMaster | None = None
    item: ListMaster | None = None
    department: ListMaster | None = None
    location: ListMaster | None = None
    class_: ListMaster | None = Field(default=None, alias="class")

    def given(self) -> dict[ListKind, ListMaster]:
        """Return those that are given."""
        return {ListKind(name): master for name, master in self.model_dump(by_alias=True).items() if master is not None}


class NewListSettings(Input):
    """What is null stays as it is."""

    masters: Masters | None = None
    level: ListLevel | None = Field(
        default=None,
        description="`entity`: entries made here belong to one entity, and those that all entities share are changed in"
        " the ERP only. `top`: entries made here belong to all entities.",
    )
    vendor_ids: VendorIds | None = Field(
        default=None, description="`given`: people give new vendors their ids. `erp`: the ERP's sequence does."
    )


class MasterOf(Output):
    list: ListKind
    master: ListMaster


class ShownListSettings(Output):
    masters: list[MasterOf]
    level: ListLevel
    vendor_ids: VendorIds
    lists_out: list[WritableList]
    """What may be written of which list. What is in no `new` or `changes` belongs to the ERP, whoever is the master."""
    version: int
    """The connection's."""


@router.get(
    "/list-settings", operation_id="getListSettings", summary="Read the list settings", responses=answers("NOT_FOUND")
)
async def read(connection_id: Id, caller: Viewer, services: Services, response: Response) -> ShownListSettings:
    """Return who is the master of which list, where entries are made, and what may be written."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return _shown(row)


@router.put(
    "/list-settings",
    operation_id="setListSettings",
    summary="Set the list settings",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED"),
)
async def set_list_settings(
    connection_id: Id, new: NewListSettings, if_match: IfMatch, caller: Admin, services: Services, response: Response
) -> ShownListSettings:
    """Set whose value stays in a conflict, by list, and how entries are made here. It can be changed at any time, and
    counts for what is sent from then on."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id, lock=True)
        check(if_match, row.version)
        was = stored(row)
        masters = {} if new.masters is None else new.masters.given()
        wanted = was._replace(
            masters={**was.masters, **masters},
            level=new.level or was.level,
            vendor_ids=new.vendor_ids or was.vendor_ids,
        )
        await set_to(session, row, wanted, actor=caller.actor)
        row = await load(session, services, caller, connection_id)
    tag(response, row.version)
    return _shown(row)


def _shown(row: ConnectionRow) -> ShownListSettings:
    settings = stored(row)
    return ShownListSettings(
        masters=[MasterOf(list=kind, master=master) for kind, master in settings.masters.items()],
        level=settings.level,
        vendor_ids=settings.vendor_ids,
        lists_out=[WritableList.model_validate(one) for one in row.capabilities.get("lists_out", ())],
        version=row.version,
    )
