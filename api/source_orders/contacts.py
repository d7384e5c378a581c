"""Link the suppliers that source orders name to vendors of the ERP. Nothing is linked by itself."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.connections.routes import load
from api.http.auth import Accountant, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, answer
from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.schemas import Cursor, Filter, Id, Input, Limit, Name, Named, Page, page_of
from api.http.services import Services
from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from models.store.source_orders import contacts, names
from services.source_orders.contacts import suggest

router = APIRouter(prefix="/v1/connections/{connection_id}/contacts", tags=["source orders"], route_class=ExactRoute)


class Contact(Output):
    """A supplier that source orders name."""

    contact: str
    orders: int
    """How many source orders name it."""
    vendor_id: str | None
    """The vendor that a person linked; null: none."""
    vendor_name: str | None
    vendor_active: bool | None
    linked_by: str | None


class SuggestedVendor(Output):
    """A vendor that the contact may be."""

    vendor_id: str
    name: str
    number: str | None
    score: float
    """From 0 to 1: how alike the names are."""


class Suggestions(Output):
    contact: str
    vendors: list[SuggestedVendor]
    """Best first; empty: no name is alike."""


class ContactLink(Input):
    contact: Name = Field(description="The supplier, as your system calls it.")
    vendor_id: Named | None = Field(description="The vendor's id in the ERP; null: unlink.")


class LinkedContact(Output):
    contact: str
    vendor_id: str | None
    linked_by: str


@router.get("", operation_id="listContacts", summary="List contacts", responses=answers("NOT_FOUND", "INVALID_CURSOR"))
async def list_all(
    connection_id: Id,
    caller: Viewer,
    services: Services,
    linked: Annotated[bool | None, Query(description="true: only linked ones; false: only those to be linked.")] = None,
    q: Filter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Contact]:
    """Return the suppliers that source orders name, by name, each with the vendor it is linked to."""
    async with services.database.transaction() as session:
        await load(session, services, caller, connection_id)
        listing = await contacts.page(
            session, ConnectionId(connection_id), linked=linked, q=q, limit=limit, cursor=cursor
        )
    return page_of(listing, lambda row: Contact(**row._asdict()))


@router.get(
    "/suggestions",
    operation_id="suggestVendors",
    summary="Suggest vendors for a contact",
    responses=answers("NOT_FOUND"),
)
async def suggestions(
    connection_id: Id,
    contact: Annotated[str, Query(min_length=1, max_length=200)],
    caller: Viewer,
    services: Services,
) -> Suggestions:
    """Return the active vendors whose names are most alike, with a score. Confirm one by linking it; search all vendors
    in `GET /v1/connections/{id}/lists/vendor`."""
    async with services.database.transaction() as session:
        await load(session, services, caller, connection_id)
        suggested = await suggest(session, ConnectionId(connection_id), contact)
    return Suggestions(contact=contact, vendors=[SuggestedVendor(**one._asdict()) for one in suggested])


@router.post(
    "",
    operation_id="linkContact",
    summary="Link a contact to a vendor",
    response_model=LinkedContact,
    responses=answers(
        "NOT_FOUND", "ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED", "VENDOR_UNKNOWN"
    ),
)
async def link(
    connection_id: Id, new: ContactLink, key: IdempotencyKey, caller: Accountant, services: Services
) -> JSONResponse:
    """Confirm which vendor a contact is, or unlink it. Orders that were uploaded keep the vendor they were sent for."""

    async def work(session: AsyncSession) -> Answer:
        connection = await load(session, services, caller, connection_id, lock=True)
        if new.vendor_id is not None:
            entries = await names.find(session, ConnectionId(connection.id), {ListKind.VENDOR: [new.vendor_id]})
            if not any(one.erp_id == new.vendor_id for one in entries.find(ListKind.VENDOR, new.vendor_id)):
                raise Problem("VENDOR_UNKNOWN", f"The ERP has no active vendor with the id {new.vendor_id!r}.")
        await contacts.link(
            session,
            caller.organization_id,
            ConnectionId(connection.id),
            new.contact,
            new.vendor_id,
            actor=caller.actor,
        )
        return answer(200, LinkedContact(contact=new.contact, vendor_id=new.vendor_id, linked_by=caller.actor))

    idempotent = IdempotentRequest(services, caller, key, f"POST /v1/connections/{connection_id}/contacts")
    return (await idempotent.run(new.model_dump(mode="json"), work)).response()
