"""Store the parts of bills over several sources: planned under their own keys, sent, read back, deleted, taken back.

The bill's own write stands for all of its parts: it takes the turn on the order, and is confirmed as soon as the ERP
holds a part and no further one can be sent by itself. So a bill of which the ERP holds anything is neither abandoned
nor corrected.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from sqlalchemy import select, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bill_parts import PartState, part_key, part_of, sources_of
from models.domain.bills import BillStatus, BillToPush, Origin, PushedBill
from models.domain.ids import BillId, ConnectionId, DocumentId, ErpId, ExternalKey
from models.domain.payments import PartPaid
from models.domain.writes import WriteKind
from models.messages.bills import PartShown
from models.store.audit import writes
from models.store.orders import settled_parts
from models.store.payables import outgoing_bills
from models.store.payables.outgoing_bills import OutgoingBill
from models.tables import BillPartRow, BillRow

_FRESH = {"populate_existing": True}


async def of_bill(session: AsyncSession, bill_id: BillId) -> list[BillPartRow]:
    """Return the parts that the bill has now, in the order in which they are sent; none while it has one source."""
    statement = (
        select(BillPartRow)
        .join(BillRow, col(BillRow.id) == col(BillPartRow.bill_id))
        .where(
            col(BillPartRow.bill_id) == bill_id,
            col(BillPartRow.generation) == col(BillRow.generation),
            ~col(BillPartRow.superseded),
        )
        .order_by(col(BillPartRow.part_no))
    )
    return list((await session.execute(statement.execution_options(**_FRESH))).scalars())


async def get(session: AsyncSession, key: ExternalKey) -> BillPartRow:
    """Return one part, locked."""
    statement = select(BillPartRow).where(col(BillPartRow.external_key) == key).with_for_update()
    row: BillPartRow = (await session.execute(statement.execution_options(**_FRESH))).scalar_one()
    return row


async def plan(session: AsyncSession, bill_id: BillId, outgoing: OutgoingBill) -> list[BillPartRow]:
    """Return the parts of a bill that is about to be sent, planned anew while the ERP certainly has none of them: its
    lines may have been corrected meanwhile.

    A bill with one source has no parts.
    """
    stored = await of_bill(session, bill_id) if outgoing.has_parts else []
    if any(PartState(part.state) is not PartState.PLANNED and part.state != PartState.REFUSED for part in stored):
        return stored
    if stored and await _any_in_doubt(session, bill_id):
        return stored
    if stored:
        keys = [part.external_key for part in stored]
        for table in ("bill_parts", "erp_writes"):
            await session.execute(
                text(f"delete from {table} where external_key = any(cast(:keys as text[]))"), {"keys": keys}
            )
        for one in stored:
            session.expunge(one)
    planned = _planned(bill_id, outgoing)
    session.add_all(planned)
    await session.flush()
    for row in planned:
        await _plan_write(session, row)
    return planned


def _planned(bill_id: BillId, outgoing: OutgoingBill) -> list[BillPartRow]:
    """Return the parts that the bill is sent in, none of which was sent."""
    bill = outgoing.bill
    if not isinstance(bill, BillToPush) or not outgoing.in_parts or len(outgoing.sources) < 2:
        return []
    planned = []
    for part_no, source in enumerate(sources_of(bill.lines), start=1):
        where = outgoing.sources[source]
        key = part_key(bill.external_key, part_no)
        part = part_of(bill, source, key=key, number=bill.number, order=where.order)
        planned.append(
            BillPartRow(
                external_key=key,
                bill_id=bill_id,
                connection_id=outgoing.connection_id,
                generation=outgoing.generation,
                part_no=part_no,
                state=PartState.PLANNED,
                source_document=source,
                purchase_order_id=where.id,
                number=bill.number,
                total=part.total,
                paid=Decimal(0),
                problem="",
            )
        )
    return planned


async def for_people(session: AsyncSession, bill: BillRow) -> Sequence[BillPartRow]:
    """Return the parts of a bill as people see them: those that were planned when it was first sent; of one that was
    not sent yet, those that it will be sent in."""
    stored = await of_bill(session, BillId(bill.id))
    if any(part.state != PartState.PLANNED for part in stored):
        return stored
    ours = bill.origin == Origin.POSYNC and not bill.direct and bill.purchase_order_id is not None
    if not ours or not BillStatus(bill.status).is_before_erp:
        return stored
    return _planned(BillId(bill.id), await outgoing_bills.load_for_push(session, BillId(bill.id)))


async def _plan_write(session: AsyncSession, part: BillPartRow) -> None:
    connection_id = ConnectionId(part.connection_id)
    await writes.plan_one(session, ExternalKey(part.external_key), connection_id, WriteKind.BILL_PART, part.bill_id)


async def _any_in_doubt(session: AsyncSession, bill_id: BillId) -> bool:
    rows = await session.execute(
        text(
            "select 1 from erp_writes where subject_id = :bill and kind = 'bill_part'"
            " and (state in ('sent', 'queued', 'confirmed') or sent_at is not null) limit 1"
        ),
        {"bill": bill_id},
    )
    return rows.first() is not None


def as_sent(part: BillPartRow, outgoing: OutgoingBill) -> BillToPush:
    """Return the part as the document that is sent for it."""
    assert isinstance(outgoing.bill, BillToPush), "a bill without an order has no parts"
    source = DocumentId(part.source_document)
    return part_of(
        outgoing.bill,
        source,
        key=ExternalKey(part.external_key),
        number=part.number,
        order=outgoing.sources[source].order,
    )


async def send_under(session: AsyncSession, key: ExternalKey, number: str) -> None:
    """Store the number that the part is sent under, because the ERP takes the supplier's own only once."""
    await session.execute(
        text("update bill_parts set number = :number, changed_at = now() where external_key = :key"),
        {"number": number, "key": key},
    )


async def number_sent(session: AsyncSession, key: ExternalKey) -> str:
    """Return the number that the part is sent under."""
    return (await get(session, key)).number


async def refused(session: AsyncSession, key: ExternalKey, problem: str) -> None:
    """Store that the ERP refused the part."""
    part = await get(session, key)
    if PartState(part.state) in (PartState.PLANNED, PartState.REFUSED):
        part.state, part.problem = PartState.REFUSED, problem
        session.add(part)
        await session.flush()


async def pushed(session: AsyncSession, key: ExternalKey, readback: PushedBill) -> PartState:
    """Store what the ERP holds under the part's key; return where the part then stands."""
    part = await get(session, key)
    part.erp_id, part.document_id = readback.erp_id, readback.document_id
    part.payable_id, part.erp_revision = readback.payable_id, readback.revision
    part.state = PartState.IN_ERP
    if not readback.linked:
        part.state = PartState.LINK_MISSING
    elif readback.differences:
        part.state = PartState.DIFFERS
    part.problem = "; ".join(readback.differences)
    session.add(part)
    await session.flush()
    return PartState(part.state)


def whole(parts: Sequence[BillPartRow], readback: PushedBill | None = None) -> PushedBill:
    """Return the bill as its parts are in the ERP: it stands for the first of them that is there. `readback` is that of
    the part that was read last."""
    first = next(part for part in parts if PartState(part.state).is_there)
    linked = all(part.state != PartState.LINK_MISSING for part in parts)
    return PushedBill(
        erp_id=ErpId(first.erp_id or ""),
        document_id=DocumentId(first.document_id or ""),
        payable_id=None if first.payable_id is None else ErpId(first.payable_id),
        total=sum((part.total for part in parts), Decimal(0)),
        revision=first.erp_revision or "",
        linked=linked,
        due_date=None if readback is None else readback.due_date,
        differences=tuple(f"{part.document_id}: {part.problem}" for part in parts if part.state == PartState.DIFFERS),
    )


async def edited(session: AsyncSession, bill_id: BillId, shown: Sequence[PushedBill]) -> PushedBill:
    """Store what the ERP holds of the parts after an edit; return the bill as it then is. A bill without parts is what
    was read back."""
    parts = await of_bill(session, bill_id)
    if not parts:
        return shown[0]
    by_document = {one.document_id: one for one in shown}
    for part in parts:
        one = by_document.get(DocumentId(part.document_id or ""))
        if one is not None:
            part.payable_id, part.erp_revision = one.payable_id, one.revision
            session.add(part)
    await session.flush()
    result = whole(parts)
    return result.model_copy(
        update={
            "linked": result.linked and all(one.linked for one in shown),
            "differences": tuple(f"{one.document_id}: {text}" for one in shown for text in one.differences),
        }
    )


async def mark_edition(session: AsyncSession, key: ExternalKey, edition: int | None) -> None:
    """Store that a part has, or may have, this edit of its bill; None: it certainly has not."""
    await session.execute(
        text("update bill_parts set edition = :edition where external_key = :key"), {"edition": edition, "key": key}
    )


async def any_edition(session: AsyncSession, bill_id: BillId) -> bool:
    """Return whether some parts of a bill have, or may have, an edit that others have not."""
    return any(part.edition is not None for part in await of_bill(session, bill_id))


async def same_edition(session: AsyncSession, bill_id: BillId) -> None:
    """Store that all parts of a bill are what the bill says."""
    await session.execute(text("update bill_parts set edition = null where bill_id = :bill"), {"bill": bill_id})


def as_shown(parts: Sequence[BillPartRow]) -> list[PartShown]:
    """Return the parts as the bill's workflow shows them."""
    return [
        PartShown(
            part_no=part.part_no,
            source=part.source_document,
            total=str(part.total),
            state=PartState(part.state),
            document_id=part.document_id or "",
            number=part.number,
        )
        for part in parts
    ]


async def mark_sent(session: AsyncSession, bill_id: BillId, first: BillPartRow) -> None:
    """Store what the ERP holds of a bill of which a further part was refused, so that it can be taken back."""
    await session.execute(
        text(
            "update bills set erp_id = :erp_id, document_id = :document, payable_id = :payable,"
            "   erp_revision = :revision, linked_in_erp = true where id = :bill"
        ),
        {
            "bill": bill_id,
            "erp_id": first.erp_id,
            "document": first.document_id,
            "payable": first.payable_id,
            "revision": first.erp_revision,
        },
    )


async def remake(session: AsyncSession, part: BillPartRow) -> BillPartRow:
    """Plan a part again that somebody deleted in the ERP, under a new key; return it as it is planned now."""
    part.superseded = True
    bill_key = ExternalKey(part.external_key.rsplit("-P", 1)[0])
    now = BillPartRow(
        external_key=part_key(bill_key, part.part_no, part.times_remade + 1),
        bill_id=part.bill_id,
        connection_id=part.connection_id,
        generation=part.generation,
        part_no=part.part_no,
        times_remade=part.times_remade + 1,
        state=PartState.PLANNED,
        source_document=part.source_document,
        purchase_order_id=part.purchase_order_id,
        number=part.number,
        total=part.total,
    )
    session.add_all([part, now])
    await session.flush()
    await _plan_write(session, now)
    return now


async def free_turn_of_unsent(session: AsyncSession, bill_id: BillId) -> None:
    """Record that nothing of the bill is in doubt, after an attempt that certainly sent nothing of it."""
    await session.execute(
        text(
            "update erp_writes w set state = 'planned', sent_at = null"
            " where w.subject_id = :bill and w.kind = 'bill' and w.state = 'sent' and not exists ("
            "   select from erp_writes p where p.subject_id = :bill and p.kind = 'bill_part'"
            "      and p.state in ('sent', 'queued', 'confirmed'))"
        ),
        {"bill": bill_id},
    )


# --- gone in the ERP, and taken back ---------------------------------------------------------------------------


async def deleted_there(
    session: AsyncSession, connection_id: ConnectionId, documents: Collection[str]
) -> Mapping[BillId, list[BillPartRow]]:
    """Return the parts that the ERP holds among the records that were deleted there, by bill."""
    rows = await session.execute(
        select(BillPartRow)
        .join(BillRow, col(BillRow.id) == col(BillPartRow.bill_id))
        .where(
            col(BillPartRow.connection_id) == connection_id,
            col(BillPartRow.erp_id).in_(list(documents)),
            ~col(BillPartRow.superseded),
            col(BillPartRow.generation) == col(BillRow.generation),
            col(BillPartRow.state).in_([state.value for state in PartState if state.is_there]),
        )
        .order_by(col(BillPartRow.bill_id), col(BillPartRow.part_no))
        .execution_options(**_FRESH)
    )
    result: dict[BillId, list[BillPartRow]] = {}
    for part in rows.scalars():
        result.setdefault(BillId(part.bill_id), []).append(part)
    return result


async def mark(session: AsyncSession, part: BillPartRow, state: PartState) -> None:
    """Store that the ERP holds the part no more."""
    part.state, part.payable_id, part.payable_revision, part.shown = state, None, None, None
    part.paid = Decimal(0)
    session.add(part)
    await session.flush()


async def part_taken_back(session: AsyncSession, key: ExternalKey, *, stays_billed: bool) -> None:
    """Store that one part was taken back; the others follow. `stays_billed`: by a credit that frees nothing."""
    part = await get(session, key)
    part.state, part.stays_billed = PartState.TAKEN_BACK, stays_billed
    session.add(part)
    await session.flush()


async def end_taken_back(session: AsyncSession, bill_id: BillId) -> None:
    """Store that the ERP holds no part of the bill any more, and take the marks off its lines."""
    for part in await of_bill(session, bill_id):
        if part.state != PartState.TAKEN_BACK:
            part.state = PartState.TAKEN_BACK
            session.add(part)
    await session.flush()
    await settled_parts.forget(session, bill_id)


async def last_first(session: AsyncSession, bill_id: BillId) -> list[BillPartRow]:
    """Return the parts that the ERP holds, the last first: in this order they are taken back."""
    return [part for part in reversed(await of_bill(session, bill_id)) if PartState(part.state).is_there]


# --- paid ------------------------------------------------------------------------------------------------------


async def paid(session: AsyncSession, bill_id: BillId, shown: Sequence[PartPaid]) -> tuple[Decimal, Decimal]:
    """Store what is paid on parts after a payment; return what is then paid and due on the whole bill."""
    by_document = {one.document_id: one for one in shown}
    parts = await of_bill(session, bill_id)
    for part in parts:
        one = by_document.get(DocumentId(part.document_id or ""))
        if one is None or (part.payable_revision or "") > (one.revision or ""):
            continue  # a sync has read it after this
        part.paid, part.payable_id = one.paid, one.payable_id
        part.payable_revision = one.revision or part.payable_revision
        session.add(part)
    await session.flush()
    total = sum((part.paid for part in parts), Decimal(0))
    return total, sum((part.total for part in parts), Decimal(0)) - total
