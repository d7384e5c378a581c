"""List and read credits of vendors: those entered here and those made in the ERP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.schemas import Event
from api.credits.schemas import AppliedTo, Credit, CreditApplication, CreditSummary, line_shown, summary, summary_fields
from api.http.auth import Caller, Viewer
from api.http.etag import tag
from api.http.exact_json import ExactRoute
from api.http.problems import answers, not_found
from api.http.schemas import Cursor, Day, Filter, Id, Instant, Limit, Page, columns, page_of
from api.http.services import Services
from models.domain.bills import BillKind
from models.domain.credits import CreditStatus
from models.domain.ids import BillId, ConnectionId, PurchaseOrderId
from models.store.audit import events
from models.store.payables import bill_reads, credit_applications, credit_listing, reserved_amounts
from models.store.payables.credit_listing import CreditSort, CreditsWanted
from models.tables import BillRow

router = APIRouter(prefix="/v1/credits", tags=["credits"], route_class=ExactRoute)


@router.get("", operation_id="listCredits", summary="List credits", responses=answers("INVALID_CURSOR"))
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    purchase_order: Filter = None,
    bill: Annotated[str | None, Query(max_length=200, description="The bill that they are against.")] = None,
    number: Annotated[str | None, Query(max_length=45, description="The vendor's number of the credit.")] = None,
    vendor: Annotated[str | None, Query(max_length=200, description="The vendor's id or name.")] = None,
    date_from: Annotated[Day | None, Query(description="First day.")] = None,
    date_to: Annotated[Day | None, Query(description="Last day.")] = None,
    status: CreditStatus | None = None,
    is_open: Annotated[
        bool | None, Query(alias="open", description="true: something of it may still be applied.")
    ] = None,
    kind: Annotated[BillKind, Query(description="`adjustment`: those that raise what is owed.")] = BillKind.CREDIT,
    changed_since: Annotated[Instant | None, Query(description="Changed then or later.")] = None,
    sort: Annotated[CreditSort, Query(description="`-` puts the last one first.")] = CreditSort.DATE_LAST_FIRST,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CreditSummary]:
    """Return the organization's credits of vendors, newest first unless `sort` says otherwise."""
    wanted = CreditsWanted(
        organization_id=caller.organization_id,
        connection_id=ConnectionId(connection) if connection else None,
        purchase_order_id=PurchaseOrderId(purchase_order) if purchase_order else None,
        credit_of=BillId(bill) if bill else None,
        kind=kind,
        number=number,
        vendor=vendor,
        date_from=date_from,
        date_to=date_to,
        status=status,
        is_open=is_open,
        changed_since=changed_since,
    )
    async with services.database.transaction() as session:
        listing = await credit_listing.page(session, wanted, sort=sort, limit=limit, cursor=cursor)
    return page_of(listing, summary)


async def stored(session: AsyncSession, caller: Caller, credit_id: str) -> BillRow:
    """Return the caller's credit.

    Raises:
        Problem: NOT_FOUND, also for another organization's credit, and for a bill.
    """
    row = await bill_reads.get(session, BillId(credit_id), caller.organization_id)
    if row is None or row.kind == BillKind.BILL:
        raise not_found("credit", credit_id)
    return row


@router.get("/{credit_id}", operation_id="getCredit", summary="Read a credit", responses=answers("NOT_FOUND"))
async def read(credit_id: Id, caller: Viewer, services: Services, response: Response) -> Credit:
    """Return a credit with its lines, the bills it is applied to, and what happened to it."""
    async with services.database.transaction() as session:
        row = await stored(session, caller, credit_id)
        shown = await whole(session, caller, row)
    tag(response, row.version)
    return shown


async def whole(session: AsyncSession, caller: Caller, row: BillRow) -> Credit:
    """Return a credit with its lines, its applications and its events."""
    credit_id = BillId(row.id)
    lines = await bill_reads.lines(session, credit_id)
    applied = await credit_listing.applications(session, credit_id)
    asked_for = await credit_applications.of_credit(session, credit_id)
    reserved = await reserved_amounts.of_credit(session, credit_id)
    happened = await events.for_subject(session, caller.organization_id, "bill", row.id)
    return Credit.model_validate(
        {
            **summary_fields(row),
            "reserved": reserved,
            "applications": [CreditApplication(**columns(one, CreditApplication)) for one in asked_for],
            "lines": [line_shown(line) for line in lines],
            "applied_to": [
                AppliedTo(
                    bill_id=one.bill_id,
                    number=one.number,
                    erp_id=one.payable_id,
                    amount=one.amount,
                    payment=one.payment,
                )
                for one in applied
            ],
            "events": [Event(**columns(event, Event)) for event in happened],
        }
    )
