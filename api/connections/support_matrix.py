"""Show which ERPs can be connected, and what each of them offers."""

from fastapi import APIRouter

from api.http.auth import Viewer
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import answers
from erp.support import SUPPORT
from models.domain.connections import Erp, MatchMode
from models.domain.lists import ListKind

router = APIRouter(prefix="/v1/erps", tags=["connections"], route_class=ExactRoute)


class SupportedErp(Output):
    erp: Erp
    purchase_orders: bool
    """Its orders come in, and bills are matched to them. Where it is false, the feature cannot be switched on."""
    receipts: bool
    match_modes: list[MatchMode]
    order_upload: bool
    """It takes orders of your own system."""
    bills_without_an_order: bool
    credits: bool
    """Credits of vendors go out."""
    voids_payments: bool
    lists_out: list[ListKind]
    """The lists whose entries can be made and changed from here."""


class SupportedErps(Output):
    items: list[SupportedErp]


@router.get("", operation_id="listErps", summary="List the ERPs that can be connected", responses=answers())
async def list_all(caller: Viewer) -> SupportedErps:
    """Return what each ERP offers. A connection may offer less, by its preferences and by its company: its own
    `capabilities` count."""
    return SupportedErps(items=[SupportedErp(**one.model_dump()) for one in SUPPORT])
