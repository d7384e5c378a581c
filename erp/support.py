"""Say what each ERP offers, before anything is connected: a connection's own capabilities may be fewer."""

from models.domain.connections import Erp, MatchMode
from models.domain.lists import ListKind
from models.domain.record import Record

BOTH = (MatchMode.TWO_WAY, MatchMode.THREE_WAY)
LISTS_OUT = (ListKind.VENDOR, ListKind.ITEM, ListKind.DEPARTMENT, ListKind.LOCATION, ListKind.CLASS)


class Support(Record):
    """What one ERP offers."""

    erp: Erp
    purchase_orders: bool
    """Its orders come in, and bills are matched to them."""
    receipts: bool
    match_modes: tuple[MatchMode, ...]
    order_upload: bool = False
    """It takes orders of the caller's own system."""
    bills_without_an_order: bool = False
    credits: bool = False
    """Credits of vendors go out."""
    voids_payments: bool = False
    lists_out: tuple[ListKind, ...] = ()
    """The lists whose entries can be made and changed from here."""


SUPPORT = (
    Support(
        erp=Erp.INTACCT,
        purchase_orders=True,
        receipts=True,
        match_modes=BOTH,
        bills_without_an_order=True,
        credits=True,
        voids_payments=True,
        lists_out=LISTS_OUT,
    ),
    Support(
        erp=Erp.NETSUITE,
        purchase_orders=True,
        receipts=True,
        match_modes=BOTH,
        bills_without_an_order=True,
        credits=True,
        voids_payments=True,
        lists_out=LISTS_OUT,
    ),
    Support(
        erp=Erp.QUICKBOOKS_ONLINE,
        purchase_orders=True,
        receipts=False,
        match_modes=(MatchMode.TWO_WAY,),
        order_upload=True,
    ),
    Support(erp=Erp.QUICKBOOKS_DESKTOP, purchase_orders=True, receipts=True, match_modes=BOTH),
)
"""The matrix; a connection may offer fewer match modes, by its preferences or its company's edition."""
