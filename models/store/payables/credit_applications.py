"""Store applications of credits to bills that were asked for here, and what the ERP shows of them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.connections import Erp
from models.domain.credits import ApplicationStatus, ApplicationToPush
from models.domain.ids import BillId, ConnectionId, CreditApplicationId, ErpId, ExternalKey, OrganizationId
from models.domain.writes import WriteKind
from models.messages.credits import CreditApplicationState
from models.store.audit import writes
from models.store.base.identity import digest_of, named_id
from models.store.payables import reserved_amounts
from models.tables import CreditApplicationRow

_FRESH = {"populate_existing": True}


def application_id_for(
    organization_id: OrganizationId, request_key: str, credit_number: str, bill_id: BillId
) -> CreditApplicationId:
    """Return the id of the application of one request to one bill, with the credit's number to read."""
    return CreditApplicationId(named_id("application", credit_number, organization_id, f"{request_key} {bill_id}"))


def external_key_for(application_id: CreditApplicationId) -> ExternalKey:
    """Return the key under which the ERP knows the application."""
    return ExternalKey("PSC-" + digest_of(application_id)[:16].upper())


async def create(session: AsyncSession, row: CreditApplicationRow) -> None:
    """Save an application and plan its write."""
    session.add(row)
    await session.flush()
    connection_id = ConnectionId(row.connection_id)
    await writes.plan_one(session, ExternalKey(row.external_key), connection_id, WriteKind.CREDIT_APPLICATION, row.id)


async def get(
    session: AsyncSession, application_id: CreditApplicationId, *, lock: bool = False
) -> CreditApplicationRow | None:
    """Return an application; with `lock` it stays locked until the transaction ends."""
    statement = select(CreditApplicationRow).where(col(CreditApplicationRow.id) == application_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.exec(statement, execution_options=_FRESH)).one_or_none()


async def of_credit(session: AsyncSession, credit_id: BillId) -> Sequence[CreditApplicationRow]:
    """Return the applications of a credit that were asked for here, oldest first."""
    statement = (
        select(CreditApplicationRow)
        .where(col(CreditApplicationRow.credit_id) == credit_id)
        .order_by(col(CreditApplicationRow.created_at), col(CreditApplicationRow.id))
    )
    return (await session.exec(statement, execution_options=_FRESH)).all()


class Left(NamedTuple):
    """What of a credit, or of a bill, may be applied now, in its currency."""

    credit: Decimal
    bill: Decimal
    applied: Decimal
    """What the credit is applied with to the bill already."""


_LEFT = text(
    f"""
    select k.credit_open - {reserved_amounts.OF_CREDIT} as credit,
           b.total - b.paid - {reserved_amounts.ON_BILL} as bill,
           coalesce((select sum(s.amount) from jsonb_to_recordset(k.applied) as s(bill_erp_id text, amount numeric)
                      where s.bill_erp_id = b.payable_id), 0) as applied
      from bills k, bills b where k.id = :credit and b.id = :bill
    """
)


async def left(session: AsyncSession, credit_id: BillId, bill_id: BillId) -> Left:
    """Return what may be applied of a credit to a bill; the caller has locked both."""
    row = (await session.execute(_LEFT, {"credit": credit_id, "bill": bill_id})).one()
    return Left(row.credit, row.bill, row.applied)


_STATE = text(
    """
    select a.connection_id, a.status, a.asks, a.amount, k.number as credit, b.number as bill, k.vendor_name, n.erp
      from credit_applications a join bills k on k.id = a.credit_id join bills b on b.id = a.bill_id
      join connections n on n.id = a.connection_id where a.id = :id and a.status in ('applying', 'unapplying')
    """
)


async def state_of(session: AsyncSession, application_id: CreditApplicationId) -> CreditApplicationState | None:
    """Return what the workflow of an application is started with; None: it has ended."""
    row = (await session.execute(_STATE, {"id": application_id})).one_or_none()
    if row is None:
        return None
    return CreditApplicationState(
        connection_id=ConnectionId(row.connection_id),
        erp=Erp(row.erp),
        application_id=application_id,
        credit_number=row.credit,
        bill_number=row.bill,
        vendor=row.vendor_name,
        amount=str(row.amount),
        status=ApplicationStatus(row.status),
        ask=row.asks,
    )


async def open_applications(session: AsyncSession, connection_id: ConnectionId) -> list[CreditApplicationId]:
    """Return the connection's applications that need a workflow, except those of the last minute."""
    rows = await session.execute(
        text(
            "select id from credit_applications a where connection_id = :c and status in ('applying', 'unapplying')"
            "   and changed_at <= now() - interval '1 minute'"
            "   and not exists (select from outbox m where m.subject_id = a.id) order by id"
        ),
        {"c": connection_id},
    )
    return [CreditApplicationId(row.id) for row in rows]


_TO_PUSH = text(
    """
    select a.external_key, a.amount, a.on_bill, a.currency, a.dated, a.payment, k.payable_id as credit,
           b.payable_id as bill, k.vendor_id, coalesce(b.entity, o.owner_entity, k.entity, n.entity) as entity
      from credit_applications a join bills k on k.id = a.credit_id join bills b on b.id = a.bill_id
      join connections n on n.id = a.connection_id
      left join purchase_orders o on o.id = b.purchase_order_id
     where a.id = :id
    """
)


async def to_push(session: AsyncSession, application_id: CreditApplicationId) -> ApplicationToPush:
    """Return the application as it is sent."""
    row = (await session.execute(_TO_PUSH, {"id": application_id})).one()
    return ApplicationToPush(
        external_key=ExternalKey(row.external_key),
        credit_erp_id=ErpId(row.credit),
        bill_erp_id=ErpId(row.bill),
        vendor_id=row.vendor_id,
        currency=row.currency,
        entity=row.entity,
        dated=row.dated,
        amount=row.amount,
        on_bill=row.on_bill,
        payment=None if row.payment is None else ErpId(row.payment),
    )


async def end(
    session: AsyncSession,
    application_id: CreditApplicationId,
    status: ApplicationStatus,
    *,
    payment: ErpId | None = None,
    problem: str = "",
    code: str | None = None,
) -> None:
    """Give an application the status that it has ended with; `problem` and its code: why it did."""
    await session.execute(
        text(
            "update credit_applications set status = :status, payment = coalesce(cast(:payment as varchar), payment),"
            "   problem = :problem, problem_code = :code, version = version + 1, changed_at = now()"
            " where id = :id and (status, problem) is distinct from (:status, :problem)"
        ),
        {"id": application_id, "status": status.value, "payment": payment, "problem": problem, "code": code},
    )


async def fail(
    session: AsyncSession, application_id: CreditApplicationId, ask: int, problem: str, *, code: str
) -> None:
    """Record why an ask failed. An application that the ERP may hold stays under way; one that could not be undone is
    applied still."""
    row = await get(session, application_id, lock=True)
    assert row is not None, "an application is never removed"
    if row.asks != ask or not ApplicationStatus(row.status).is_under_way:
        return
    if row.status == ApplicationStatus.UNAPPLYING:
        await end(session, application_id, ApplicationStatus.APPLIED, problem=problem, code=code)
    elif await writes.in_doubt(session, application_id):
        await end(session, application_id, ApplicationStatus.APPLYING, problem=problem, code=code)
    else:
        await end(session, application_id, ApplicationStatus.REFUSED, problem=problem, code=code)


_SEEN = text(
    """
    update credit_applications a
       set shown = n.there, status = case when n.there then a.status else 'unapplied' end,
           version = a.version + 1, changed_at = now()
      from (select x.id, exists (
                select from jsonb_to_recordset(k.applied) as s(bill_erp_id text, amount numeric, payment text)
                 where s.bill_erp_id = b.payable_id and (x.payment is null or s.payment = x.payment)) as there
              from credit_applications x join bills k on k.id = x.credit_id join bills b on b.id = x.bill_id
             where x.status = 'applied' and k.id = any(cast(:credits as text[]))) n
     where a.id = n.id and (n.there and not a.shown or not n.there and a.shown)
    """
)


async def seen(connection: AsyncConnection, credit_ids: Sequence[str]) -> None:
    """Compare the applications of these credits with what the ERP now shows of them: one that it showed and shows no
    more was unapplied there."""
    if credit_ids:
        await connection.execute(_SEEN, {"credits": list(credit_ids)})


def new_row(
    application_id: CreditApplicationId,
    *,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    credit_id: BillId,
    bill_id: BillId,
    amount: Decimal,
    on_bill: Decimal,
    currency: str,
    dated: date,
    actor: str,
    why: str = "",
) -> CreditApplicationRow:
    """Return the row of a new application."""
    return CreditApplicationRow(
        id=application_id,
        organization_id=organization_id,
        connection_id=connection_id,
        credit_id=credit_id,
        bill_id=bill_id,
        status=ApplicationStatus.APPLYING.value,
        amount=amount,
        on_bill=on_bill,
        currency=currency,
        dated=dated,
        external_key=external_key_for(application_id),
        created_by=actor,
        why=why,
    )
