"""Manage unit factors that people entered: asked for once per vendor and item, then remembered."""

import re
from datetime import datetime
from fractions import Fraction
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field

from api.connections.routes import load
from api.http.auth import Accountant, Clerk, Viewer
from api.http.etag import IfMatch, check, tag
from api.http.exact_json import ExactRoute
from api.http.output import Output
from api.http.problems import Problem, answers, not_found
from api.http.rematch import match_waiting_bills
from api.http.schemas import Id, Input, Named, Page, Text, page_of
from api.http.services import Services, ServiceSet
from api.policies.listing import WantedOfScope
from models.domain.ids import ConnectionId
from models.domain.units import unit_key
from models.store.policies import unit_factors
from models.store.policies.unit_factors import UnitWanted
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


class UnitFactor(Output):
    """One `unit` is `factor` of `order_unit`, for this vendor and item."""

    id: str
    connection_id: str
    vendor_id: str
    item_id: str
    unit: str
    order_unit: str
    factor: str
    """An exact fraction, `1/12`, or a whole number."""
    entered_by: str
    version: int
    changed_at: datetime


@router.put(
    "",
    operation_id="tellUnitFactor",
    summary="Enter a unit factor",
    responses=answers(
        "NOT_FOUND",
        "ROLE_TOO_LOW",
        "PRECONDITION_REQUIRED",
        "PRECONDITION_FAILED",
        "UNIT_FACTOR_INVALID",
    ),
)
async def enter(
    new: NewUnitFactor, if_match: IfMatch, caller: Clerk, services: Services, response: Response
) -> UnitFactor:
    """Enter how one unit converts to another, for this vendor and item. This answers the question of a bill on hold
    with `UOM_UNKNOWN`.

    The factor counts from now on and takes precedence over the ERP's own unit groups. Bills in review are matched
    again. The version of a pair without an entered factor is `"0"`.
    """
    wanted = UnitWanted(new.item_id, new.unit, new.order_unit)
    if unit_key(new.unit) == unit_key(new.order_unit):
        raise Problem("UNIT_FACTOR_INVALID", f"{new.unit!r} and {new.order_unit!r} are one unit.")
    factor = _exact(new.factor)
    async with services.database.transaction() as session:
        connection = await load(session, services, caller, new.connection_id, lock=True)
        connection_id = ConnectionId(connection.id)
        id = unit_factors.unit_factor_id(connection_id, new.vendor_id, wanted)
        stored = await unit_factors.get(session, id, caller.organization_id, lock=True)
        check(if_match, stored.version if stored else 0)
        await unit_factors.enter(
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
    await _rematch(services, kept, f"a unit factor for {kept.item_id}")
    tag(response, kept.version)
    return _shown(kept)


@router.get(
    "",
    operation_id="listUnitFactors",
    summary="List the entered unit factors",
    responses=answers("INVALID_CURSOR"),
)
async def list_all(caller: Viewer, services: Services, wanted: WantedOfScope) -> Page[UnitFactor]:
    """Return the entered unit factors by item. The ERP's own units are in `GET /v1/connections/{id}/lists/unit`."""
    async with services.database.transaction() as session:
        listing = await unit_factors.page(session, caller.organization_id, **wanted._asdict())
    return page_of(listing, _shown)


@router.get(
    "/{unit_factor_id}", operation_id="getUnitFactor", summary="Read a unit factor", responses=answers("NOT_FOUND")
)
async def read(unit_factor_id: Id, caller: Viewer, services: Services, response: Response) -> UnitFactor:
    """Return one entered unit factor, with its version as ETag."""
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
    summary="Delete a unit factor",
    responses=answers("NOT_FOUND", "ROLE_TOO_LOW", "PRECONDITION_REQUIRED", "PRECONDITION_FAILED"),
)
async def delete(
    unit_factor_id: Id,
    if_match: IfMatch,
    caller: Accountant,
    services: Services,
    why: Annotated[Text, Query()] = "",
) -> None:
    """Delete an entered unit factor; the ERP's own units count again, if it has any. Bills in review are matched again,
    and quantities already saved stay."""
    async with services.database.transaction() as session:
        row = await unit_factors.get(session, unit_factor_id, caller.organization_id, lock=True)
        if row is None:
            raise not_found("unit factor", unit_factor_id)
        check(if_match, row.version)
        await unit_factors.forget(session, row, caller.organization_id, actor=caller.actor, why=why)
    await _rematch(services, row, f"a unit factor of {row.item_id} was deleted")


async def _rematch(services: ServiceSet, row: UnitFactorRow, why: str) -> None:
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
