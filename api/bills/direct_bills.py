"""Enter a bill without a purchase order: match it without saving, create it, and correct it before it is sent."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field
from sqlmodel.ext.asyncio.session import AsyncSession

from api.bills.bill_charges import refuse_charges
from api.bills.bill_entry import as_problem, blocked, check_part
from api.bills.line_dimensions import check_dimensions, check_own_fields
from api.bills.new_bill_header import NewBillHeader
from api.bills.order_bills import DryRun
from api.bills.schemas import OpenNeeds, Reminder
from api.connections.routes import load, must_be_let_in
from api.http.auth import Caller, Clerk, Viewer
from api.http.exact_json import ExactRoute
from api.http.idempotency import Answer, IdempotencyKey, IdempotentRequest, refusal
from api.http.output import Output
from api.http.problems import Problem, StoredMatch, answers, not_found
from api.http.schemas import Amount, Code, Id, Input, Money, Name, OwnFields, Text
from api.http.services import Services
from api.http.stored_amounts import with_decimals
from models.domain.bills import BillStatus, ChargeKind
from models.domain.ids import BillId, ConnectionId
from models.domain.lists import ListKind
from models.store.audit.outbox import OutboxMessage
from models.store.base.crossing import rerun_if_crossed
from models.store.payables import bill_reads
from models.store.sync import list_entries
from models.tables import ConnectionRow
from services.bills.acceptance import accept_bill
from services.bills.correction import correct_bill
from services.bills.intake import RequestedBill, match_requested, to_stored_json
from services.bills.review import needed

router = APIRouter(prefix="/v1/bills", tags=["bills"], route_class=ExactRoute)

REFUSALS = (
    "NOT_FOUND",
    "CONNECTION_PENDING",
    "SETUP_CHECK_FAILED",
    "DIRECT_BILLS_NOT_TAKEN",
    "NO_PART_OF_THAT_INVOICE",
    "CHARGES_NOT_TAKEN",
    "ACCOUNT_MISSING",
    "ACCOUNT_UNKNOWN",
)


class NewAccountLine(Input):
    """One line: an amount on a GL account."""

    amount: Amount
    account: Code | None = Field(
        default=None,
        description="The GL account, by its id, number or name; null: the connection's `expense_account`.",
        examples=["6600"],
    )
    description: Text = ""
    department: Code | None = None
    location: Code | None = None
    class_id: Code | None = None
    project: Code | None = None
    custom: OwnFields | None = Field(
        default=None, description="Values of the company's own dimensions and fields, by the names that they have here."
    )


class NewDirectBill(NewBillHeader):
    connection_id: Name
    vendor_id: Code = Field(description="Who sent the bill, by the ERP's id, number or name.", examples=["V-150"])
    term: Code | None = Field(default=None, description="The payment term, as the ERP names it; null: the vendor's.")
    currency: Code | None = Field(default=None, description="null: the connection's own; no other is taken.")
    lines: Annotated[list[NewAccountLine], Field(min_length=1, max_length=500)]


class AcceptedDirectBill(Output):
    """The bill as it was saved; `GET /v1/bills/{id}` shows its present state."""

    id: str
    connection_id: str
    number: str
    total: Money
    currency: str
    status: BillStatus
    match_outcome: str


class DirectBillCreated(Output):
    bill: AcceptedDirectBill
    needs: OpenNeeds
    """What the bill still needs from a person, by kind; all empty: it is on its way to the ERP."""
    match: StoredMatch
    """The result of its checks with their explanation: outcome, findings, policy, inputs."""
    notices: list[Reminder]
    """What goes somewhere else than the line says, such as a line to the connection's expense account."""


@router.post(
    "",
    status_code=201,
    operation_id="createDirectBill",  # S1-28, S2-61, S5-60, S5-66..68
    summary="Create a bill without an order",
    response_model=DirectBillCreated,
    responses=answers(*REFUSALS, "ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED", "MATCH_BLOCKED"),
)
async def create(new: NewDirectBill, key: IdempotencyKey, caller: Clerk, services: Services) -> JSONResponse:
    """Create a bill that no purchase order stands behind: rent, utilities, freight alone.

    Duplicates, dates, the vendor's state, closed books and the sum are checked, and it is saved in one transaction. It
    then reaches the ERP exactly once, and is approved and paid like any other.

    A bill with warnings or holds waits until a person acknowledges or releases it. A blocked bill is not saved: the
    answer is 422 with the findings.
    """
    route = "POST /v1/bills"
    idempotent = IdempotentRequest(services, caller, key, route)
    body = new.model_dump(mode="json")

    async def decide() -> tuple[Answer, ConnectionRow, OutboxMessage | None]:
        async with services.database.transaction() as session:
            connection = await load(session, services, caller, new.connection_id)
            known = await idempotent.claim(session, body)
            if known is not None:
                return known, connection, None
            asked = await _checked(session, caller, connection, new, body)
            with as_problem():
                accepted = await accept_bill(
                    session, asked, organization_id=caller.organization_id, request_key=key, actor=caller.actor
                )
            status = 422 if accepted.bill_id is None else 201
            return await idempotent.store(session, Answer(status, accepted.answer)), connection, accepted.message

    known, connection, message = await rerun_if_crossed(decide)
    if message is not None:
        services.outbox.deliver_behind_answer(message)
    return _rendered(known, connection, route, 201)


def _rendered(known: Answer, connection: ConnectionRow, route: str, done: int) -> JSONResponse:
    """Return the stored answer as the caller sees it; `done` is its code where the bill was taken."""
    if known.status != done:
        return refusal(blocked(known), route).response()
    bill = {
        "id": known.body["bill_id"],
        "connection_id": connection.id,
        "number": known.body["number"],
        "total": known.body["total"],
        "currency": connection.base_currency,
        "status": known.body["status"],
        "match_outcome": known.body["match"]["outcome"],
    }
    shown = {name: known.body[name] for name in ("needs", "notices")} | {"match": with_decimals(known.body["match"])}
    location = f"/v1/bills/{bill['id']}" if done == 201 else None
    return Answer(done, {"bill": bill, **shown}).response(location=location)


@router.post(
    "/match",
    operation_id="matchDirectBill",
    summary="Check a bill without an order, without saving it",
    responses=answers(*REFUSALS),
)
async def match(new: NewDirectBill, caller: Viewer, services: Services) -> DryRun:
    """Check a bill as `POST /v1/bills` does, with the same body, but save nothing. A blocked bill is answered with 200
    too."""
    async with services.database.transaction() as session:
        connection = await load(session, services, caller, new.connection_id)
        asked = await _checked(session, caller, connection, new, new.model_dump(mode="json"))
        with as_problem():
            matched = await match_requested(session, connection, None, asked, bill_id=None)
    return DryRun(
        outcome=matched.result.outcome,
        status=None if matched.refused else matched.status,
        needs=OpenNeeds.model_validate(needed(matched.needs)),
        match=dict(to_stored_json(matched.result)),
    )


@router.post(
    "/{bill_id}",
    operation_id="correctDirectBill",  # S1-24, S1-28
    summary="Correct a bill without an order that was not sent",
    response_model=DirectBillCreated,
    responses=answers(
        *REFUSALS,
        "ROLE_TOO_LOW",
        "IDEMPOTENCY_KEY_REQUIRED",
        "IDEMPOTENCY_KEY_REUSED",
        "LINK_NOT_ALLOWED",
        "MATCH_BLOCKED",
        "EDIT_IN_ERP",
        "BILL_ON_ITS_WAY",
        "BILL_IS_CLOSED",
        "BILL_HAS_PAYMENTS",
    ),
)
async def correct(
    bill_id: Id, new: NewDirectBill, key: IdempotencyKey, caller: Clerk, services: Services
) -> JSONResponse:
    """Put the body in the place of a bill without an order that the ERP does not hold: vendor, number, dates, lines,
    accounts, amounts and charges. It is checked again as when it was entered; a bill that would be blocked stays as it
    was, and the answer is 422 with the findings. Approvals are asked for anew where its figures change.

    A disputed bill stays disputed, and one that the ERP refused waits for a retry of its issue. After the sync the ERP
    is the system of record: delete or dispute the bill, which takes it back, then correct it.
    """
    route = f"POST /v1/bills/{bill_id}"
    idempotent = IdempotentRequest(services, caller, key, route)
    body = new.model_dump(mode="json")

    async def decide() -> tuple[Answer, ConnectionRow, list[OutboxMessage]]:
        async with services.database.transaction() as session:
            was = await bill_reads.get(session, BillId(bill_id), caller.organization_id)
            if was is None or was.external_key is None:
                raise not_found("bill", bill_id)
            connection = await load(session, services, caller, new.connection_id)
            known = await idempotent.claim(session, body)
            if known is not None:
                return known, connection, []
            asked = await _checked(session, caller, connection, new, body)
            with as_problem():
                corrected = await correct_bill(
                    session,
                    BillId(bill_id),
                    asked,
                    organization_id=caller.organization_id,
                    request_key=key,
                    actor=caller.actor,
                )
            stored = Answer(422 if corrected.refused else 200, corrected.answer)
            return await idempotent.store(session, stored), connection, corrected.messages

    known, connection, messages = await rerun_if_crossed(decide)
    services.outbox.deliver_behind_answer(*messages)
    return _rendered(known, connection, route, 200)


async def _checked(
    session: AsyncSession, caller: Caller, connection: ConnectionRow, new: NewDirectBill, body: dict[str, Any]
) -> RequestedBill:
    """Return the request with the vendor and the term by the ERP's ids.

    Raises:
        Problem: DIRECT_BILLS_NOT_TAKEN, CONNECTION_PENDING, CHARGES_NOT_TAKEN, NO_PART_OF_THAT_INVOICE, or
            VALIDATION_FAILED with the field.
    """
    must_be_let_in(connection)
    if not connection.capabilities.get("direct_bills"):
        raise Problem("DIRECT_BILLS_NOT_TAKEN", f"{connection.name} takes bills of purchase orders only.")
    kinds = [ChargeKind(charge.charge_class) for charge in new.charges]
    kinds += [kind for kind, amount in ((ChargeKind.TAX, new.tax), (ChargeKind.DISCOUNT, new.discount)) if amount]
    refuse_charges(connection, kinds, connection.capabilities.get("direct_charges", ()))
    _check_header(connection, new)
    vendor_id = await known_entry(session, connection, ListKind.VENDOR, "vendor_id", new.vendor_id)
    term = None if new.term is None else await known_entry(session, connection, ListKind.TERM, "term", new.term)
    if new.entity is not None and connection.entity is None:
        await known_entry(session, connection, ListKind.ENTITY, "entity", new.entity)
    await check_part(session, caller, connection.id, new.part_of, vendor_id=vendor_id, number=new.number)
    entity = new.entity or connection.entity
    await check_dimensions(session, connection, new.lines, entity=entity)
    await check_own_fields(session, connection, new.lines)
    lines = [{**line, "off_order": True} for line in body["lines"]]
    return RequestedBill.model_validate({**body, "vendor_id": vendor_id, "term": term, "lines": lines})


def _check_header(connection: ConnectionRow, new: NewDirectBill) -> None:
    if new.currency not in (None, connection.base_currency):
        _refuse("currency", f"The connection is in {connection.base_currency}; a bill in {new.currency} is not taken.")
    if new.entity is not None and connection.entity not in (None, new.entity):
        _refuse("entity", f"This connection's bills are of entity {connection.entity}.")
    taken = str(connection.capabilities.get("direct_numbers_without") or "")
    refused = sorted({letter for letter in new.number if letter in taken})
    if refused:
        _refuse("number", f"The ERP takes no bill number with {' '.join(refused)}.")


async def known_entry(session: AsyncSession, connection: ConnectionRow, kind: ListKind, field: str, given: str) -> str:
    """Return the ERP's id of what is named; nothing is known of a list that never came in."""
    entries = await list_entries.named(session, ConnectionId(connection.id), kind, [given])
    if entries is None:
        return given
    if given not in entries:
        _refuse(field, f"The ERP has no {kind} {given!r}. If it is new, run a sync.", rule="unknown")
    return entries[given].key


def _refuse(field: str, what: str, *, rule: str = "refused") -> None:
    error = {"where": f"body.{field}", "message": what, "rule": rule}
    raise Problem("VALIDATION_FAILED", f"body.{field}: {what}", extra={"errors": [error]})
