"""Units of measure that people told us about: asked for once per vendor and item, then remembered (rules 3.6)."""

import re
from datetime import datetime
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from api.auth import Accountant, Clerk, Viewer
from api.conditional import IfMatch, check, tag
from api.connections import load
from api.exact import ExactRoute
from api.problems import Problem, answers, not_found
from api.services import Services, ServiceSet
from api.shapes import Cursor, Filter, Id, Input, Limit, Named, Page, Text
from api.waiting import match_waiting_bills
from models.domain import ConnectionId
from models.store import unit_factors
from models.store.unit_factors import UnitWanted
from models.tables import UnitFactorRow

router = APIRouter(prefix="/v1/unit-factors", tags=["unit factors"], route_class=ExactRoute)


NUMBER = r"[0-9]{1,9}(\.[0-9]{1,10})?"
FACTOR = rf"^{NUMBER}(/{NUMBER})?$"


def _written_as_a_factor(text: str) -> str:
    if not re.fullmatch(FACTOR, text):
        raise ValueError("write it as 12, as 0.5 or as 1/12, with at most nine digits before a point and ten behind it")
    return text


class NewUnitFactor(Input):
    connection_id: Named = Field(examples=["intacct-acme-100"])
    vendor_id: Named = Field(examples=["V-100"])
    item_id: Named = Field(examples=["PAPER-A4"])
    unit: Named = Field(description="The unit on the supplier's bill.", examples=["Each"])
    order_unit: Named = Field(description="The unit on the order.", examples=["Case"])
    factor: Annotated[str, AfterValidator(_written_as_a_factor)] = Field(
        description="How many order units one `unit` is, exactly: a fraction or a decimal.",
        examples=["1/12"],
        json_schema_extra={"pattern": FACTOR},
    )
    why: Text = ""


class UnitFactor(BaseModel):
    """One `unit` is `factor` of `order_unit`, for this vendor and item."""

    id: str
    connection_id: str
    vendor_id: str
    item_id: str
    unit: str
    order_unit: str
    factor: str
    """An exact fraction, `1/12`, or a whole number."""
    told_by: str
    version: int
    changed_at: datetime


@router.put(
    "",
    operation_id="tellUnitFactor",
    summary="Tell what a unit is",
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "PRECONDITION_REQUIRED",
        "PRECONDITION_FAILED",
        "UNIT_FACTOR_INVALID",
    ),
)
async def tell(
    new: NewUnitFactor, if_match: IfMatch, caller: Clerk, services: Services, response: Response
) -> UnitFactor:
    """Answers the question a bill is held with (`UOM_UNKNOWN`), for this vendor and item from now on. It wins over the
    ERP's own unit groups. Bills that wait are matched again. The version of a pair nobody told of is `"0"`."""
    wanted = UnitWanted(new.item_id, new.unit, new.order_unit)
    if unit_factors.unit_key(new.unit) == unit_factors.unit_key(new.order_unit):
        raise Problem("UNIT_FACTOR_INVALID", f"{new.unit!r} and {new.order_unit!r} are one unit.")
    factor = _exact(new.factor)
    async with services.database.transaction() as session:
        connection = await load(session, services, caller, new.connection_id, lock=True)
        connection_id = ConnectionId(connection.id)
        id = unit_factors.unit_factor_id(connection_id, new.vendor_id, wanted)
        held = await unit_factors.get(session, id, caller.organization_id, lock=True)
        check(if_match, held.version if held else 0)
        await unit_factors.tell(
            session,
            caller.organization_id,
            connection_id,
            new.vendor_id,
            wanted,
            factor,
            actor=caller.actor,
            why=new.why,
        )
        kept = await unit_factors.get(session, id, caller.organization_id)
    assert kept is not None, "it was just saved"
    await _match_again(services, kept, f"a unit factor for {kept.item_id}")
    tag(response, kept.version)
    return _shown(kept)


@router.get(
    "",
    operation_id="listUnitFactors",
    summary="List what people told",
    responses=answers("INVALID_CURSOR"),
)
async def list_all(
    caller: Viewer,
    services: Services,
    connection: Filter = None,
    vendor: Filter = None,
    item: Filter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[UnitFactor]:
    """By item. The ERP's own units are in `GET /v1/connections/{id}/lists/unit`."""
    async with services.database.transaction() as session:
        found = await unit_factors.page(
            session,
            caller.organization_id,
            connection_id=None if connection is None else ConnectionId(connection),
            vendor_id=vendor,
            item_id=item,
            limit=limit,
            cursor=cursor,
        )
    return Page(items=[_shown(row) for row in found.items], next_cursor=found.next_cursor)


@router.get(
    "/{unit_factor_id}", operation_id="getUnitFactor", summary="Read a unit factor", responses=answers("NOT_FOUND")
)
async def read(unit_factor_id: Id, caller: Viewer, services: Services, response: Response) -> UnitFactor:
    """One answer, with its version as ETag."""
    async with services.database.transaction() as session:
        row = await unit_factors.get(session, unit_factor_id, caller.organization_id)
    if row is None:
        raise not_found("unit factor", unit_factor_id)
    tag(response, row.version)
    return _shown(row)


@router.delete(
    "/{unit_factor_id}",
    status_code=204,
    operation_id="deleteUnitFactor",
    summary="Take a unit factor back",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED"),
)
async def delete(
    unit_factor_id: Id,
    if_match: IfMatch,
    caller: Accountant,
    services: Services,
    why: Annotated[str, Query(max_length=1000)] = "",
) -> None:
    """The ERP's own units count again, if it has any. Bills that wait are matched again; saved quantities stay."""
    async with services.database.transaction() as session:
        row = await unit_factors.get(session, unit_factor_id, caller.organization_id, lock=True)
        if row is None:
            raise not_found("unit factor", unit_factor_id)
        check(if_match, row.version)
        await unit_factors.forget(session, row, caller.organization_id, actor=caller.actor, why=why)
    await _match_again(services, row, f"a unit factor of {row.item_id} taken back")


async def _match_again(services: ServiceSet, row: UnitFactorRow, why: str) -> None:
    connection_id = ConnectionId(row.connection_id)
    await match_waiting_bills(services, [connection_id], why, vendor_id=row.vendor_id, item_id=row.item_id)


def _exact(factor: str) -> Fraction:
    numerator, _, denominator = factor.partition("/")
    above, below = Fraction(numerator), Fraction(denominator or 1)
    if not above or not below:
        raise Problem("UNIT_FACTOR_INVALID", f"A factor is above zero; {factor} is not.")
    return above / below


def _shown(row: UnitFactorRow) -> UnitFactor:
    factor = unit_factors.factor_text(row.numerator, row.denominator)
    names = set(UnitFactor.model_fields) - {"factor"}
    return UnitFactor(factor=factor, **{name: getattr(row, name) for name in names})
