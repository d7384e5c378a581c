"""Find the bill that a credit made in the ERP is against: the one it was made from there, else by its reference."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.domain.bills import BillKind, ErpBill
from models.domain.invoice_numbers import number_key


class CreditedBill(NamedTuple):
    """A bill that a credit is against, and the bill's order."""

    id: str
    purchase_order_id: str | None


_NAMED = text(
    """
    select n.erp_id, b.id, b.purchase_order_id, b.payable_id = n.payable as made_from_it
      from unnest(cast(:credits as text[]), cast(:payables as text[]), cast(:keys as text[]), cast(:vendors as text[]))
           as n(erp_id, payable, key, vendor)
      join bills b on b.connection_id = :c and b.kind = 'bill' and b.status not in ('deleted', 'abandoned')
                  and (b.payable_id = n.payable or (b.number_key = n.key and b.vendor_id = n.vendor))
    """
)


async def credited_bills(
    connection: AsyncConnection, connection_id: str, bills: Sequence[ErpBill]
) -> Mapping[str, CreditedBill]:
    """Return the bill that each credit among these is against, by the credit's ERP id. A reference that names several
    bills of the vendor names none."""
    credits = [bill for bill in bills if bill.kind is BillKind.CREDIT and (bill.credits_payable or bill.reference)]
    if not credits:
        return {}
    rows = await connection.execute(
        _NAMED,
        {
            "c": connection_id,
            "credits": [one.erp_id for one in credits],
            "payables": [one.credits_payable or "" for one in credits],
            "keys": [number_key(one.reference) if one.reference else "" for one in credits],
            "vendors": [one.vendor_id for one in credits],
        },
    )
    named: dict[str, list[tuple[bool, CreditedBill]]] = {}
    for row in rows:
        bill = CreditedBill(row.id, row.purchase_order_id)
        named.setdefault(row.erp_id, []).append((bool(row.made_from_it), bill))
    result: dict[str, CreditedBill] = {}
    for erp_id, candidates in named.items():
        chosen = [bill for made_from_it, bill in candidates if made_from_it] or [bill for _, bill in candidates]
        if len(chosen) == 1:
            result[erp_id] = chosen[0]
    return result
