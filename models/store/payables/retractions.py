"""Store how bills are taken back from the ERP, and made anew.

A bill has one write at a time. What was taken back keeps its key, its document and its payable here: the look-up of
the next generation, the duplicate check and the sync leave it out.
"""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bill_parts import PartState
from models.domain.bills import BillKind, BillStatus, ErpBill
from models.domain.connections import Erp
from models.domain.ids import (
    SYNCER,
    BillId,
    ConnectionId,
    DocumentId,
    ErpId,
    ExternalKey,
    RetractionId,
)
from models.domain.orders import PurchaseOrderSnapshot
from models.domain.retractions import ENTRY, MAY, BillEvent, BillToRetract, Does, RetractBy, RetractFor, RetractionState
from models.store.audit import writes
from models.store.base.today import today_in
from models.store.orders import settled_parts
from models.store.payables import bill_edits, bill_parts, bills, kept_quantities, reserved_amounts
from models.store.payables.bill_status import status_by_payment
from models.tables import BillLineRow, BillRetractionRow, BillRow


async def request(
    session: AsyncSession,
    bill: BillRow,
    wanted: RetractFor,
    way: RetractBy,
    dated: date | None,
    *,
    actor: str,
    why: str,
) -> None:
    """Store that a locked bill, which the ERP holds, is to be taken back from there."""
    retraction = _generation(bill, wanted, way, dated, actor=actor, why=why)
    session.add(retraction)
    before, bill.status = bill.status, BillStatus.RETRACTING
    await bill_edits.changed(
        session,
        bill,
        "retraction_requested",
        actor=actor,
        why=why,
        before={"status": before},
        after={"status": bill.status, "for": wanted, "way": way, "dated": None if dated is None else dated.isoformat()},
    )


def _generation(
    bill: BillRow, wanted: RetractFor, way: RetractBy, dated: date | None, *, actor: str, why: str
) -> BillRetractionRow:
    return BillRetractionRow(
        id=RetractionId(f"{bill.id.replace('bill_', 'retraction_', 1)}_{bill.generation}_{bill.version}"),
        bill_id=bill.id,
        connection_id=bill.connection_id,
        generation=bill.generation,
        state=RetractionState.REQUESTED,
        retract_for=wanted,
        way=way,
        dated=dated,
        external_key=bill.external_key or "",
        erp_id=bill.erp_id or "",
        document_id=bill.document_id or "",
        payable_id=bill.payable_id,
        requested_by=actor,
        why=why,
    )


async def load(session: AsyncSession, bill_id: BillId) -> BillToRetract | None:
    """Return the bill to take back, as it was requested; None: that is over."""
    row = (
        await session.execute(
            text(
                """
                select r.external_key, r.erp_id, r.document_id, r.way, r.dated, r.why,
                       b.vendor_id, b.number, b.currency, b.total, b.kind, o.document_id as order_document,
                       case when b.paid = 0 then b.erp_revision end as seen_unpaid_as,
                       case when b.direct then b.entity else o.owner_entity end as owner_entity
                  from bill_retractions r
                  join bills b on b.id = r.bill_id
                  join connections c on c.id = b.connection_id
                  -- Where the ERP's credits name order lines, the order of one that is deleted is read again.
                  left join purchase_orders o on o.id = b.purchase_order_id
                        and (not b.direct or b.kind = 'credit'
                             and coalesce((c.capabilities ->> 'credits_name_orders')::boolean, false))
                 where r.bill_id = :bill and r.state = 'requested' and b.status = 'retracting'
                """
            ),
            {"bill": bill_id},
        )
    ).one_or_none()
    if row is None:
        return None
    return BillToRetract(
        external_key=ExternalKey(row.external_key),
        erp_id=ErpId(row.erp_id),
        document_id=DocumentId(row.document_id),
        order_document=None if row.order_document is None else DocumentId(row.order_document),
        owner_entity=row.owner_entity,
        is_credit=row.kind == BillKind.CREDIT,
        way=RetractBy(row.way),
        dated=row.dated,
        vendor_id=row.vendor_id,
        number=row.number,
        currency=row.currency,
        total=row.total,
        why=row.why,
        seen_unpaid_as=row.seen_unpaid_as,
    )


class DocumentToRetract(NamedTuple):
    """One document of a bill that is taken back."""

    bill: BillToRetract
    is_there: bool
    """False: an earlier attempt took it back. What its order has as billed then may not be stored yet."""


async def documents(session: AsyncSession, bill: BillToRetract, bill_id: BillId) -> Sequence[DocumentToRetract]:
    """Return what is taken back of a bill that was asked for by `load`: itself, or the parts of one in parts, the last
    first."""
    rows = await session.execute(
        text(
            """
            select p.external_key, p.erp_id, p.document_id, o.document_id as order_document, o.owner_entity, p.state,
                   p.total
              from bill_parts p
              join bills b on b.id = p.bill_id and b.generation = p.generation
              join purchase_orders o on o.id = p.purchase_order_id
             where p.bill_id = :bill and not p.superseded
             order by p.part_no desc
            """
        ),
        {"bill": bill_id},
    )
    parts = rows.all()
    if not parts:
        return [DocumentToRetract(bill, is_there=True)]
    return [
        DocumentToRetract(
            bill.model_copy(
                update={
                    "external_key": ExternalKey(part.external_key),
                    "erp_id": ErpId(part.erp_id),
                    "document_id": DocumentId(part.document_id),
                    "order_document": DocumentId(part.order_document),
                    "owner_entity": part.owner_entity,
                    "seen_unpaid_as": None,
                    "total": part.total,
                }
            ),
            PartState(part.state).is_there,
        )
        for part in parts
        if PartState(part.state).is_there or part.state == PartState.TAKEN_BACK
    ]


async def end(session: AsyncSession, bill: BillRow, state: RetractionState) -> RetractFor | None:
    """End the retraction of a locked bill; None: it has ended before."""
    row = await session.execute(
        update(BillRetractionRow)
        .where(
            col(BillRetractionRow.bill_id) == bill.id, col(BillRetractionRow.state) == str(RetractionState.REQUESTED)
        )
        .values(state=str(state), ended_at=func.now())
        .returning(col(BillRetractionRow.retract_for))
    )
    wanted = row.scalar_one_or_none()
    return None if wanted is None else RetractFor(wanted)


async def billed_of_orders(session: AsyncSession, bill_id: BillId) -> Decimal:
    """Return what the ERP counts as billed and not credited of the order lines of a bill, all in all."""
    row = await session.execute(
        text(
            "select coalesce(sum(l.billed - l.credited), 0) from purchase_order_lines l"
            " where (l.purchase_order_id, l.line_no) in"
            "   (select purchase_order_id, purchase_order_line_no from bill_lines where bill_id = :bill)"
        ),
        {"bill": bill_id},
    )
    return Decimal(row.scalar_one())


async def source_stays_billed(session: AsyncSession, part: ExternalKey, now: PurchaseOrderSnapshot) -> bool:
    """Return whether the ERP counts what a part was converted from as billed still, after the part was credited."""
    row = await session.execute(
        text(
            "select p.source_document, coalesce("
            "  (select sum(l.billed) from receipt_lines l join receipts r on r.id = l.receipt_id"
            "    where r.document_id = p.source_document and r.purchase_order_id = p.purchase_order_id),"
            "  (select sum(l.converted) from purchase_order_lines l"
            "    where l.purchase_order_id = p.purchase_order_id and not l.deleted), 0) as billed"
            " from bill_parts p where p.external_key = :key"
        ),
        {"key": part},
    )
    source, before = row.one()
    receipts = [receipt for receipt in now.receipts if receipt.document_id == source]
    lines = receipts[0].lines if receipts else now.purchase_order.lines
    return bool(sum((line.billed for line in lines), Decimal(0)) >= Decimal(before))


async def keeps_quantity(session: AsyncSession, bill_id: BillId, *, by_line: bool) -> None:
    """Note that the ERP still counts the quantities of the generation that was taken back last as billed.

    `by_line`: it converts a source only once, and takes a bill beside its order.
    """
    await session.execute(
        text(
            "update bill_retractions set freed = false where id ="
            " (select id from bill_retractions where bill_id = :bill and state = 'done'"
            "   order by ended_at desc, id desc limit 1)"
        ),
        {"bill": bill_id},
    )
    if by_line:
        await kept_quantities.keep(session, bill_id)
        await kept_quantities.mark(session, bill_id)


async def leave_in_erp(session: AsyncSession, bill_id: BillId, *, actor: str, why: str) -> bool:
    """Abandon a retraction that the ERP did not carry out: the bill is what the ERP says of it. False: there is
    none."""
    bill = await _locked(session, bill_id)
    if bill.status != BillStatus.RETRACTING or await end(session, bill, RetractionState.ABANDONED) is None:
        return False
    bill.status = status_by_payment(BillStatus.SYNCED, bill.total, bill.paid, promised=False)
    for part in await bill_parts.of_bill(session, bill_id):
        if part.state == PartState.TAKEN_BACK:
            await bill_parts.mark(session, part, PartState.DELETED)
            if part.stays_billed:
                await kept_quantities.keep(session, bill_id, part.source_document)
            else:
                await settled_parts.unsettle(session, bill_id, part.source_document)
        if not PartState(part.state).is_there:
            bill.status = BillStatus.SYNC_ISSUE  # some of it is gone: it is made again, or the rest goes too
    await bill_edits.changed(
        session,
        bill,
        "retraction_abandoned",
        actor=actor,
        why=why,
        before={"status": BillStatus.RETRACTING},
        after={"status": bill.status},
    )
    return True


async def lock(session: AsyncSession, bill_id: BillId) -> BillRow:
    """Lock a bill of ours until the transaction ends."""
    return await _locked(session, bill_id)


async def _locked(session: AsyncSession, bill_id: BillId) -> BillRow:
    statement = select(BillRow).where(col(BillRow.id) == bill_id).with_for_update()
    row: BillRow = (await session.execute(statement.execution_options(populate_existing=True))).scalar_one()
    return row


# --- generations -----------------------------------------------------------------------------------------------


async def begin_generation(session: AsyncSession, bill: BillRow) -> None:
    """Make a locked bill, which the ERP holds no more, ready to be made anew there: under a new key, on hold.

    What the ERP called the generation before is kept; one that was deleted there by hand is kept now.
    """
    before = ExternalKey(bill.external_key or "")
    if bill.erp_id is not None and not await _is_kept(session, bill):
        kept = _generation(bill, RetractFor.DELETION, RetractBy.DELETE, None, actor=SYNCER, why="deleted in the ERP")
        kept.state = RetractionState.DONE
        session.add(kept)
    bill.generation += 1
    bill.external_key = bills.external_key_for(BillId(bill.id), bill.generation)
    bill.erp_id = bill.document_id = bill.payable_id = bill.erp_revision = bill.payable_revision = None
    bill.linked_in_erp = bill.rejected_in_erp = bill.edit_pending = False
    bill.edit_baseline = None
    session.add(bill)
    await session.flush()
    await writes.begin_anew(session, before, bill.external_key)


async def _is_kept(session: AsyncSession, bill: BillRow) -> bool:
    statement = select(col(BillRetractionRow.id)).where(
        col(BillRetractionRow.bill_id) == bill.id,
        col(BillRetractionRow.generation) == bill.generation,
        col(BillRetractionRow.state) == str(RetractionState.DONE),
    )
    return (await session.execute(statement.limit(1))).first() is not None


async def reserve(session: AsyncSession, bill_id: BillId, *, reserves: bool) -> None:
    """Reserve the quantities of a bill that the ERP does not hold, or free them. What the ERP keeps as billed of it is
    in E, and never reserved."""
    await session.execute(
        update(BillLineRow)
        .where(col(BillLineRow.bill_id) == bill_id, col(BillLineRow.purchase_order_id).is_not(None))
        .values(reserves=reserves)
    )
    await kept_quantities.mark(session, bill_id)


async def of_bill(session: AsyncSession, bill_id: BillId) -> list[BillRetractionRow]:
    """Return every retraction of a bill, oldest first."""
    statement = (
        select(BillRetractionRow)
        .where(col(BillRetractionRow.bill_id) == bill_id)
        .order_by(col(BillRetractionRow.requested_at), col(BillRetractionRow.id))
    )
    return list((await session.execute(statement)).scalars())


async def number_in_use(session: AsyncSession, bill: BillRow) -> str | None:
    """Return another live bill of ours with the vendor and number of a bill that is not live, or None."""
    row = await session.execute(
        text(
            "select id from bills where number_parts = :parts and vendor_id = :vendor and connection_id = :c"
            "   and id <> :id and kind = :kind and origin = 'posync' and status not in ('deleted', 'abandoned')"
            " order by id limit 1"
        ),
        {
            "parts": bill.number_parts,
            "vendor": bill.vendor_id,
            "c": bill.connection_id,
            "id": bill.id,
            "kind": bill.kind,
        },
    )
    return row.scalar_one_or_none()


async def taken_back(
    connection: AsyncConnection, connection_id: ConnectionId, shown: Collection[ErpBill]
) -> frozenset[ErpId]:
    """Return which of these bills of the ERP are generations of ours that were taken back, or credits that took one
    back, by their ERP id.

    A reading that lags shows them once more, and a way that keeps them there always does.
    """
    if not shown:
        return frozenset()
    rows = await connection.execute(
        text(
            """
            select s.erp_id
              from unnest(cast(:ids as text[]), cast(:keys as text[]), cast(:documents as text[]))
                   as s(erp_id, external_key, document_id)
             where exists (select from bill_retractions r
                            where r.connection_id = :c and r.state = 'done'
                              and (r.external_key = s.external_key or r.document_id = s.document_id
                                   or r.payable_id = s.erp_id))
                -- The entry that takes a bill back may come in before the retraction has ended.
                or (right(s.external_key, 2) = :entry
                    and exists (select from bill_retractions r
                                 where r.connection_id = :c and r.way = 'credit'
                                   and r.external_key = left(s.external_key, -2)))
                or (right(s.external_key, 2) = :entry
                    and exists (select from bill_parts p
                                 where p.connection_id = :c and p.external_key = left(s.external_key, -2)))
                or exists (select from bill_parts p join bills b on b.id = p.bill_id
                            where p.connection_id = :c
                              and (p.superseded or p.generation < b.generation or p.state in ('taken_back', 'deleted'))
                              and (p.external_key = s.external_key or p.document_id = s.document_id
                                   or p.payable_id = s.erp_id))
            """
        ),
        {
            "c": connection_id,
            "ids": [bill.erp_id for bill in shown],
            "entry": ENTRY,
            "keys": [bill.external_key for bill in shown],
            "documents": [bill.source_document for bill in shown],
        },
    )
    return frozenset(ErpId(erp_id) for erp_id in rows.scalars())


class RetractionFacts(NamedTuple):
    """What stands in the way of taking a bill back, beside its status."""

    erp: Erp
    way: RetractBy | None
    """How the ERP gives it back, as the connection is set; None: it does not."""
    credit_frees: bool
    """Whether a credit frees what the bill took of its order."""
    today: date
    approvals_enabled: bool
    write: str | None
    payments_under_way: int
    """How many payments of it, and applications of credits, are under way."""
    closed_through: date | None
    """The last closed day of the bill's entity."""
    stays_billed: bool = False
    """An earlier generation was credited, and the ERP still counts its quantities as billed."""
    is_kept: bool = False
    """What stays billed is known by line, so that the bill can be made anew without converting it a second time."""
    parts_in_erp: int = 0
    """Of a bill in parts: how many of them the ERP holds."""
    number_used_by: str | None = None
    """Of a bill that can be restored: the other bill that has its number now, where that may not come twice."""
    taken_by: tuple[str, ...] = ()
    """Of a credit: the payments under way that take of it, by their numbers."""


_FACTS = text(
    f"""
    select case when b.kind = 'credit' then 'delete'
                when b.direct then c.retract_direct_by else c.retract_by end as way,
           c.capabilities -> case when b.direct then 'retract_direct_by' else 'retract_by' end as offered,
           coalesce(cast(c.capabilities ->> 'credits_name_orders' as boolean), false) as credit_frees,
           -- What the ERP holds before it is approved is a draft, whatever the settings are by now.
           b.approval not in ('not_required', 'approved') as draft,
           c.erp, c.approvals_enabled, c.time_zone,
           exists (select from bill_retractions r where r.bill_id = b.id and r.state = 'done' and not r.freed) as stays,
           exists (select from kept_quantities q where q.bill_id = b.id) as kept,
           (select w.state from erp_writes w where w.subject_id = b.id and w.kind = 'bill') as write,
           {reserved_amounts.UNDER_WAY} as payments_under_way,
           array(select distinct coalesce(p.reference, p.id)
                   from payments p join payment_credits k on k.payment_id = p.id
                  where k.credit_id = b.id and p.status in ('scheduled', 'submitted', 'sync_issue')
                  order by 1) as taken_by,
           (select max(greatest(k.erp_closed_through, k.set_closed_through)) from closed_periods k
             where k.connection_id = b.connection_id
               and k.entity in ('', coalesce(c.entity, o.entity, b.entity, ''))) as closed_through,
           (select count(*) from bill_parts p where p.bill_id = b.id and p.generation = b.generation
               and not p.superseded and p.state in ('in_erp', 'link_missing', 'differs')) as parts_in_erp
      from bills b
      join connections c on c.id = b.connection_id
      left join purchase_orders o on o.id = b.purchase_order_id
     where b.id = :bill
    """
).columns(offered=JSONB)


async def facts(session: AsyncSession, bill_id: BillId) -> RetractionFacts:
    """Return what stands in the way of taking a bill back."""
    row = (await session.execute(_FACTS, {"bill": bill_id})).one()
    bill = await session.get_one(BillRow, bill_id)
    is_open = bill.repeats_number or MAY[BillStatus(bill.status)][BillEvent.RESTORE] is not Does.MAKES_ANEW
    # A draft is in nobody's books: there is nothing that an entry could take back.
    way = RetractBy.DELETE if row.draft else RetractBy(row.way)
    return RetractionFacts(
        erp=Erp(row.erp),
        way=way if way in (row.offered or ()) else None,
        credit_frees=row.credit_frees,
        today=today_in(row.time_zone),
        approvals_enabled=row.approvals_enabled,
        write=row.write,
        payments_under_way=row.payments_under_way,
        closed_through=row.closed_through,
        stays_billed=row.stays,
        is_kept=row.kept,
        parts_in_erp=row.parts_in_erp,
        number_used_by=None if is_open else await number_in_use(session, bill),
        taken_by=tuple(row.taken_by),
    )
