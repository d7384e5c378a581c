"""List the bank and card accounts that payments can be made from."""

from fastapi import APIRouter

from api.connections.routes import load
from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers
from api.http.schemas import Cursor, Id, Limit, Page, page_of
from api.http.services import Services
from models.domain.bank_accounts import BankAccountType, type_of
from models.domain.ids import ConnectionId
from models.domain.lists import ListKind
from models.store.sync import list_entries
from models.tables import ListEntryRow
from services.payments.bank_accounts import default_key

router = APIRouter(prefix="/v1/connections/{connection_id}", tags=["connections"], route_class=ExactRoute)


class BankAccount(Output):
    key: str
    """As the ERP names it."""
    number: str | None
    """The number that people know it by in the ERP, if that is another one."""
    name: str
    type: BankAccountType
    currency: str | None
    gl_account: str | None
    """The GL account behind it, where the ERP keeps the two apart."""
    account_number: str | None
    """Its number at the bank: the last four digits."""
    entity: str | None
    active: bool
    """Payments are made from active ones only."""
    default: bool
    """Payments that name no account are made from it."""


@router.get(
    "/bank-accounts",
    operation_id="listBankAccounts",
    summary="List bank and card accounts",
    responses=answers("NOT_FOUND", "INVALID_CURSOR"),
)
async def list_bank_accounts(
    connection_id: Id, caller: Viewer, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> Page[BankAccount]:
    """Return the accounts that bills can be paid from, as the last sync saw them in the ERP."""
    async with services.database.transaction() as session:
        row = await load(session, services, caller, connection_id)
        default = await default_key(session, row)
        listing = await list_entries.page(
            session, ConnectionId(row.id), ListKind.BANK_ACCOUNT, limit=limit, cursor=cursor
        )
    return page_of(listing, lambda entry: _shown(entry, default))


def _shown(entry: ListEntryRow, default: str | None) -> BankAccount:
    said = {name: str(value) for name, value in entry.attributes.items()}
    return BankAccount(
        key=entry.key,
        number=said.get("number"),
        name=entry.name,
        type=type_of(said),
        currency=said.get("currency"),
        gl_account=said.get("gl_account"),
        account_number=said.get("account_number"),
        entity=entry.entity,
        active=entry.active,
        default=entry.key == default,
    )
