"""Store source orders: what the caller says of them, and what became of their uploads."""

import json
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import SYNCER, ConnectionId, ExternalKey, OrganizationId, SourceOrderId
from models.domain.source_orders import (
    AccountingStatus,
    Billing,
    OrderToUpload,
    SourceLine,
    UploadAs,
    UploadedOrder,
    UploadProblem,
    UploadState,
)
from models.domain.writes import WriteKind, WriteState
from models.store.audit import events
from models.store.base.identity import derived_id
from models.store.base.pages import Listing, decode_cursor, instant_in_cursor, listing, narrowed, page_size
from models.tables import SourceOrderRow

_FRESH = {"populate_existing": True}

_LETTERS = {UploadAs.BILL: "B", UploadAs.PURCHASE_ORDER: "O"}


def source_order_id(connection_id: ConnectionId, reference: str) -> SourceOrderId:
    """Return the id of an order by the caller's reference: a repeat finds the same order."""
    return SourceOrderId(derived_id("src", connection_id, reference))


def external_key_for(row: SourceOrderRow, upload_as: UploadAs) -> ExternalKey:
    """Return our name for the order's write: the same for every try, another one after a reset."""
    return ExternalKey(f"PSS-{row.id.removeprefix('src_')[:16].upper()}-{_LETTERS[upload_as]}{row.upload_no}")


class NewSourceOrder(NamedTuple):
    """What the caller says of an order. Money is in `currency`."""

    reference: str
    contact: str
    ordered_on: date
    currency: str
    lines: Sequence[SourceLine]
    invoice_date: date | None = None
    invoice_number: str = ""
    dispatch_date: date | None = None
    due_date: date | None = None
    memo: str = ""

    @property
    def total(self) -> Decimal:
        """Return the sum of the lines."""
        return sum((line.amount for line in self.lines), Decimal(0))

    def columns(self) -> dict[str, Any]:
        """Return the values as the row has them."""
        return {
            **self._asdict(),
            "lines": [line.model_dump(mode="json") for line in self.lines],
            "total": self.total,
        }


def lines_of(row: SourceOrderRow) -> list[SourceLine]:
    """Return the order's lines."""
    return [SourceLine.model_validate(line) for line in row.lines]


def problems_of(row: SourceOrderRow) -> list[UploadProblem]:
    """Return why the order's last upload failed."""
    return [UploadProblem.model_validate(problem) for problem in row.problems]


class Saved(NamedTuple):
    """What became of an order that the caller sent."""

    row: SourceOrderRow
    outcome: str
    """`created`, `updated`, `unchanged`, or `uploading`: it is on its way to the ERP and stays as it is."""


async def save(
    session: AsyncSession,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    new: NewSourceOrder,
    *,
    actor: str,
) -> Saved:
    """Store an order, or replace what is stored under its reference. What was uploaded is not changed by that."""
    order_id = source_order_id(connection_id, new.reference)
    row = await get(session, order_id, organization_id, lock=True)
    columns = new.columns()
    if row is None:
        row = SourceOrderRow(
            id=order_id,
            organization_id=organization_id,
            connection_id=connection_id,
            created_by=actor,
            **columns,
        )
        session.add(row)
        await session.flush()
        await session.refresh(row)
        await _happened(session, row, "created", actor=actor)
        return Saved(row, "created")
    before = {name: getattr(row, name) for name in columns}
    if before == columns:
        return Saved(row, "unchanged")
    if row.upload_state == UploadState.UPLOADING:
        return Saved(row, "uploading")
    for name, value in columns.items():
        setattr(row, name, value)
    changed = [name for name in columns if before[name] != columns[name]]
    await _touch(session, row)
    await _happened(session, row, "changed", actor=actor, after={"fields": changed})
    return Saved(row, "updated")


async def get(
    session: AsyncSession,
    order_id: SourceOrderId,
    organization_id: OrganizationId | None = None,
    *,
    lock: bool = False,
) -> SourceOrderRow | None:
    """Return an order; None when there is none, or it is another organization's."""
    statement = select(SourceOrderRow).where(col(SourceOrderRow.id) == order_id)
    if organization_id is not None:
        statement = statement.where(col(SourceOrderRow.organization_id) == organization_id)
    if lock:
        statement = statement.with_for_update()
    return (await session.exec(statement, execution_options=_FRESH)).one_or_none()


class Wanted(NamedTuple):
    """Which orders a list or an upload is about. None does not restrict."""

    connection_id: ConnectionId | None = None
    references: Collection[str] | None = None
    contact: str | None = None
    upload_state: UploadState | None = None
    upload_as: UploadAs | None = None
    accounting_status: AccountingStatus | None = None
    billing: Billing | None = None
    problem: str | None = None
    """The code of a problem of the last upload."""
    left_to_upload: bool = False
    """Without those that are on their way or in the ERP."""


_BILLED = (
    col(SourceOrderRow.invoice_date).is_not(None)
    & (col(SourceOrderRow.invoice_number) != "")
    & col(SourceOrderRow.dispatch_date).is_not(None)
)
_UNBILLED = (
    col(SourceOrderRow.invoice_date).is_(None)
    & (col(SourceOrderRow.invoice_number) == "")
    & col(SourceOrderRow.dispatch_date).is_(None)
)
_BY_BILLING = {Billing.BILLED: _BILLED, Billing.UNBILLED: _UNBILLED, Billing.UNCLEAR: ~_BILLED & ~_UNBILLED}


async def page(
    session: AsyncSession,
    organization_id: OrganizationId,
    wanted: Wanted,
    *,
    limit: int = 50,
    cursor: str | None = None,
    lock: bool = False,
) -> Listing[SourceOrderRow]:
    """Return one page of the organization's orders, newest first. With `lock`, its rows stay locked.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    row = SourceOrderRow
    statement = select(row).where(col(row.organization_id) == organization_id)
    statement = narrowed(
        statement,
        {
            row.connection_id: wanted.connection_id,
            row.contact: wanted.contact,
            row.upload_state: wanted.upload_state,
            row.upload_as: wanted.upload_as,
            row.accounting_status: wanted.accounting_status,
        },
    )
    if wanted.references is not None:
        statement = statement.where(col(row.reference).in_(wanted.references))
    if wanted.billing is not None:
        statement = statement.where(_BY_BILLING[wanted.billing])
    if wanted.problem is not None:
        statement = statement.where(col(row.problems).contains([{"code": wanted.problem}]))
    if wanted.left_to_upload:
        statement = statement.where(col(row.upload_state).in_((UploadState.NONE, UploadState.FAILED)))
    if cursor is not None:
        created_at, order_id = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(col(row.created_at), col(row.id)) < (instant_in_cursor(created_at), order_id)
        )
    statement = statement.order_by(col(row.created_at).desc(), col(row.id).desc()).limit(limit + 1)
    if lock:
        statement = statement.with_for_update()
    rows = (await session.exec(statement, execution_options=_FRESH)).all()
    return listing(rows, limit, lambda one: (one.created_at.isoformat(), one.id))


_HOLDERS = text(
    """
    select s.document_number as number, s.vendor_id, 'source order ' || s.reference as name, s.id as source_order
      from source_orders s
     where s.connection_id = :connection and s.upload_as = :upload_as and s.document_number = any(:numbers)
    union all
    select b.number, b.vendor_id, 'bill ' || coalesce(b.document_id, b.id), null
      from bills b
     where :upload_as = 'bill' and b.connection_id = :connection and b.number = any(:numbers)
       and b.status not in ('deleted', 'abandoned')
    union all
    select o.number, o.vendor_id, 'purchase order ' || o.document_id, null
      from purchase_orders o
     where :upload_as = 'purchase_order' and o.connection_id = :connection and o.number = any(:numbers)
       and o.deleted_at is null
    """
)


class Holder(NamedTuple):
    """Who has a number already."""

    number: str
    vendor_id: str | None
    name: str
    source_order: str | None
    """None: a document in the ERP."""


async def holders(
    session: AsyncSession, connection_id: ConnectionId, upload_as: UploadAs, numbers: Collection[str]
) -> list[Holder]:
    """Return who has these numbers: other uploads, and what the mirror shows of the ERP."""
    rows = await session.execute(
        _HOLDERS, {"connection": connection_id, "upload_as": upload_as.value, "numbers": list(numbers)}
    )
    return [Holder(*row) for row in rows]


# --- uploads ---------------------------------------------------------------------------------------------------

_PLAN = text(
    """
    insert into erp_writes (external_key, connection_id, kind, subject_id, state, attempts)
    values (:key, :connection, :kind, :subject, 'planned', 0)
    on conflict (external_key) do nothing
    """
)


async def plan_upload(
    session: AsyncSession,
    row: SourceOrderRow,
    outgoing: OrderToUpload,
    *,
    actor: str,
    why: str = "",
) -> None:
    """Record that a locked order is to be uploaded as it is given, and plan its write."""
    row.upload_state = UploadState.UPLOADING
    row.upload_as = outgoing.upload_as
    row.document_number = outgoing.number
    row.repeats_number = outgoing.may_repeat_number
    row.vendor_id = outgoing.vendor_id
    row.outgoing = outgoing.model_dump(mode="json")
    row.uploaded_version = row.version
    row.asks += 1
    row.problems = []
    await _touch(session, row, edited=False)
    await session.execute(
        _PLAN,
        {
            "key": outgoing.external_key,
            "connection": row.connection_id,
            "kind": WriteKind.SOURCE_ORDER.value,
            "subject": row.id,
        },
    )
    await _happened(
        session,
        row,
        "upload_asked_for",
        actor=actor,
        why=why,
        after={"as": outgoing.upload_as, "number": outgoing.number},
    )


async def plan_look_up(session: AsyncSession, row: SourceOrderRow, *, actor: str, why: str = "") -> None:
    """Record that a locked order whose upload is in doubt is looked up as it was sent, and not sent again."""
    assert row.outgoing is not None, "what is in doubt was sent"
    sent = OrderToUpload.model_validate(row.outgoing).model_copy(update={"look_up_only": True})
    row.upload_state = UploadState.UPLOADING
    row.upload_as = sent.upload_as
    row.outgoing = sent.model_dump(mode="json")
    row.asks += 1
    row.problems = []
    await _touch(session, row, edited=False)
    after = {"as": sent.upload_as, "number": sent.number}
    await _happened(session, row, "look_up_asked_for", actor=actor, why=why, after=after)


async def not_there(session: AsyncSession, order_id: SourceOrderId) -> UploadState:
    """Record that the ERP does not hold what was only looked up: the order is free. Twice is once. Return its state."""
    row = await _locked(session, order_id)
    if row.upload_state == UploadState.UPLOADING:
        before = {"as": row.upload_as, "number": row.document_number}
        row.upload_state = UploadState.NONE
        row.upload_as = row.document_number = row.vendor_id = None
        row.repeats_number = False
        await _touch(session, row, edited=False)
        await _happened(session, row, "upload_not_in_erp", actor=SYNCER, before=before)
    return UploadState(row.upload_state)


async def to_push(session: AsyncSession, order_id: SourceOrderId) -> OrderToUpload | None:
    """Return an order as it is sent; None: its upload has ended."""
    row = await _locked(session, order_id)
    if row.upload_state != UploadState.UPLOADING or row.outgoing is None:
        return None
    return OrderToUpload.model_validate(row.outgoing)


async def refused(
    session: AsyncSession, row: SourceOrderRow, upload_as: UploadAs, problems: Sequence[UploadProblem]
) -> None:
    """Record why a locked order could not be uploaded; one that was uploaded stays so."""
    if row.upload_state not in (UploadState.NONE, UploadState.FAILED):
        return
    row.upload_state = UploadState.FAILED
    if row.document_number is None:  # while the ERP may hold it, the order stays what it was sent as
        row.upload_as = upload_as
    row.problems = [problem.model_dump(mode="json") for problem in problems]
    await _touch(session, row, edited=False)


async def uploaded(session: AsyncSession, order_id: SourceOrderId, result: UploadedOrder) -> SourceOrderRow | None:
    """Record what the ERP made of an order. Twice is once: None, it was recorded before."""
    row = await _locked(session, order_id)
    if row.upload_state != UploadState.UPLOADING:
        return None
    row.upload_state = UploadState.UPLOADED
    if row.upload_as == UploadAs.BILL:
        row.accounting_status = AccountingStatus.IMPORTED
    row.erp_id = result.erp_id
    row.document_id = result.document_id
    row.problems = [
        UploadProblem(code="CONTENT_CONFLICT", message=difference).model_dump(mode="json")
        for difference in result.differences
    ]
    await _touch(session, row, edited=False)
    await _happened(
        session,
        row,
        "uploaded",
        actor=SYNCER,
        after={"as": row.upload_as, "document": result.document_id, "differences": list(result.differences)},
    )
    return row


async def failed(
    session: AsyncSession, order_id: SourceOrderId, problem: UploadProblem, *, ask: int
) -> SourceOrderRow | None:
    """Record why an upload failed. Where somebody asked for a later one meanwhile, that goes on: None.

    While the ERP may hold the document, its number stays taken and the order can only be uploaded as the same once
    more.
    """
    row = await _locked(session, order_id)
    if row.upload_state != UploadState.UPLOADING or row.asks != ask:
        return None
    assert row.upload_as is not None, "it was planned"
    row.upload_state = UploadState.FAILED
    row.problems = [problem.model_dump(mode="json")]
    if not await in_doubt(session, row):
        row.document_number = None
    await _touch(session, row, edited=False)
    await _happened(session, row, "upload_failed", actor=SYNCER, after={"code": problem.code})
    return row


async def abandoned(session: AsyncSession, row: SourceOrderRow, *, actor: str, why: str) -> None:
    """Record that a locked order whose upload failed is not to be uploaded for now. Nothing of it is in the ERP."""
    row.upload_state = UploadState.NONE
    row.upload_as = None
    row.problems = []
    await _touch(session, row, edited=False)
    await _happened(session, row, "upload_abandoned", actor=actor, why=why)


async def in_doubt(session: AsyncSession, row: SourceOrderRow) -> bool:
    """Return whether the ERP may hold the order's document although its upload failed."""
    results = await session.execute(
        text("select 1 from erp_writes where subject_id = :id and state = any(:open)"),
        {"id": row.id, "open": [WriteState.SENT.value, WriteState.QUEUED.value]},
    )
    return results.first() is not None


async def reset(session: AsyncSession, row: SourceOrderRow, *, actor: str, why: str) -> None:
    """Let a locked, imported order be uploaded as a bill once more, under a key of its own."""
    before = {"accounting_status": row.accounting_status, "document": row.document_id}
    row.accounting_status = AccountingStatus.RESET_FOR_REIMPORT
    row.upload_state = UploadState.NONE
    row.upload_as = None
    row.upload_no += 1
    row.document_number = row.erp_id = row.document_id = row.vendor_id = None
    row.repeats_number = False
    row.problems = []
    await _touch(session, row, edited=False)
    await _happened(session, row, "reset_for_reimport", actor=actor, why=why, before=before)


_MIRRORED = text(
    """
    select s.id as source_order,
           coalesce((select o.id from purchase_orders o where s.upload_as = 'purchase_order'
                      and o.connection_id = s.connection_id and o.erp_id = s.erp_id),
                    (select min(b.id) from bills b where s.upload_as = 'bill'
                      and b.connection_id = s.connection_id and b.document_id = s.document_id)) as mirrored
      from source_orders s where s.id = any(:ids)
    """
)


async def mirrored(session: AsyncSession, order_ids: Collection[str]) -> dict[str, str | None]:
    """Return, by source order, the mirrored bill or purchase order that it became; None: the mirror has none yet."""
    rows = await session.execute(_MIRRORED, {"ids": list(order_ids)})
    return {row.source_order: row.mirrored for row in rows}


async def _locked(session: AsyncSession, order_id: SourceOrderId) -> SourceOrderRow:
    row = await get(session, order_id, lock=True)
    assert row is not None, "a source order is never removed"
    return row


async def _touch(session: AsyncSession, row: SourceOrderRow, *, edited: bool = True) -> None:
    """Store a changed row. Only an edit of its content makes it another version."""
    row.changed_at = (await session.execute(text("select now()"))).scalar_one()
    if edited:
        row.version += 1
    session.add(row)
    await session.flush()


async def _happened(
    session: AsyncSession,
    row: SourceOrderRow,
    kind: str,
    *,
    actor: str,
    why: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await events.record(
        session,
        organization_id=OrganizationId(row.organization_id),
        connection_id=ConnectionId(row.connection_id),
        subject_kind="source_order",
        subject_id=row.id,
        kind=kind,
        actor=actor,
        why=why,
        before=before,
        after=None if after is None else json.loads(json.dumps(after)),
    )
