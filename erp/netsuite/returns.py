"""Translate return authorizations: what their fulfilments sent back of which order line (reference 4, 5.4).

An authorization moves nothing; its item fulfilments do. Each of its lines names a line of the bill it was made from,
which names the order's. The order's own received quantity says nothing of returns, whether it falls or not.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from erp.errors import AuthenticationFailed, Rejected
from erp.netsuite import credits, statuses, translate, wire
from erp.netsuite.reader import Reader
from erp.netsuite.transactions import FULFILMENT, made_from
from erp.netsuite.translate import ZERO
from erp.netsuite.wire import NsRecord
from erp.roles.pages import BadRecord
from models.domain.ids import DocumentId, ErpId
from models.domain.receipts import Receipt, ReceiptKind, ReceiptLine

STILL_HERE = frozenset({"_picked", "_packed"})
"""Ship statuses of a fulfilment whose goods have not left yet."""


class Gone(NamedTuple):
    """What the fulfilments of one authorization sent back, by its line, and the last day of that."""

    quantities: Mapping[str, Decimal]
    last_on: date | None


NOTHING = Gone({}, None)


async def returns_of(reader: Reader, records: Sequence[NsRecord]) -> tuple[list[Receipt], list[BadRecord]]:
    """Return what these authorizations sent back, one per order, and those that cannot be used."""
    if not records:
        return [], []
    try:
        fulfilments = await reader.all(made_from([record.id for record in records], [FULFILMENT]))
    except (AuthenticationFailed, Rejected) as refused:
        return [], [_not_shown(record, refused) for record in records]
    sources = await credits.sources_of(reader, records, [])
    made: defaultdict[str, list[NsRecord]] = defaultdict(list)
    for fulfilment in fulfilments:
        made[wire.ref_id(fulfilment.fields, "createdFrom") or ""].append(fulfilment)
    usable, bad = translate.usable(records, lambda record: _returns(record, _gone(made[record.id]), sources))
    return [one for some in usable for one in some], bad


def _not_shown(record: NsRecord, refused: AuthenticationFailed | Rejected) -> BadRecord:
    number = wire.text(record.fields, "tranId") or record.id
    return BadRecord(
        erp_id=record.id,
        code=refused.code,
        message=f"The item fulfilments of return {number} are not shown: {refused.message}",
        evidence={"number": number},
    )


def _gone(fulfilments: Iterable[NsRecord]) -> Gone:
    quantities: defaultdict[str, Decimal] = defaultdict(Decimal)
    days: list[date] = []
    for one in fulfilments:
        if wire.text(one.fields, "shipStatus") in STILL_HERE:
            continue
        days.append(translate.need_day(one, "tranDate"))
        for line in one.lines("itemList", "item"):
            if wire.text(line, "itemReceive") in ("false", "0"):
                continue
            quantity = translate.optional_decimal(line, "quantity") or ZERO
            quantities[wire.text(line, "orderLine") or ""] += quantity
    return Gone(quantities, max(days, default=None))


def _returns(record: NsRecord, gone: Gone, sources: Mapping[str, NsRecord]) -> list[Receipt]:
    """Return what an authorization sent back, by order: one over several orders comes as several.

    Raises:
        Unusable: the record cannot be used.
    """
    by_order: defaultdict[str | None, list[ReceiptLine]] = defaultdict(list)
    for line_no, (fields, expense) in enumerate(credits.lines_of(record), start=1):
        number = wire.text(fields, "line") or ""
        quantity = gone.quantities.get(number, ZERO)
        item = wire.ref(fields, "item")
        if quantity <= 0 or expense or item is None:
            continue
        origin = credits.origin(record, fields, sources, expense=False)
        line = ReceiptLine(
            erp_id=translate.line_id(record.id, number),
            line_no=line_no,
            item_id=item.id,
            description=wire.text(fields, "description") or item.name,
            unit=getattr(wire.ref(fields, "units"), "name", "") or "",
            quantity=quantity,
            order_line=None if origin is None else origin.line,
        )
        by_order[None if origin is None else origin.order].append(line)
    vendor = wire.ref_id(record.fields, "entity")
    if vendor is None:
        raise translate.missing(f"Return {record.id}", "entity")
    orders = sorted(by_order, key=lambda order: order or "") or [None]
    return [
        Receipt(
            erp_id=ErpId(record.id if position == 0 else f"{record.id}/{order}"),
            document_id=DocumentId(record.id),
            number=wire.text(record.fields, "tranId") or record.id,
            kind=ReceiptKind.RETURN,
            erp_status=statuses.RECEIVED if by_order[order] else statuses.NOT_SENT_BACK,
            order_document=DocumentId(order) if order else None,
            vendor_id=vendor,
            received_on=gone.last_on or translate.need_day(record, "tranDate"),
            memo=wire.text(record.fields, "memo") or "",
            entity=wire.ref_id(record.fields, "subsidiary"),
            owner_entity=None,
            revision=translate.revision(record),
            lines=tuple(by_order[order]),
        )
        for position, order in enumerate(orders)
    ]
