"""Convert units of measure per vendor and item: by a factor that a person entered, else by the ERP's unit groups.

Factors are exact fractions (matching rules 3.6, U01..U05): one `unit` is `factor` of the order's unit.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.ids import ConnectionId, OrganizationId
from models.domain.units import unit_key
from models.store.audit import events
from models.store.base.identity import derived_id
from models.store.base.pages import Listing, decode_cursor, listing, narrowed, page_size
from models.store.policies import rematch_requests
from models.tables import ConnectionRow, UnitFactorRow

RECIPROCAL_DECIMALS = 5
"""From so many decimals on, a factor that is the cut reciprocal of a whole number counts as the exact one."""


_GROUP_OF = """
    select g.erp_id as group_id
      from list_entries i
      join list_entries g on g.connection_id = i.connection_id and g.kind = 'unit_group'
                         and g.key = i.attributes->>'unit_group' and g.deleted_at is null
     where i.connection_id = :c and i.kind = 'item' and i.key = w.item_id and i.deleted_at is null
     order by i.active desc, i.erp_id limit 1
"""

_UNIT_KEY = r"lower(btrim(regexp_replace(u.key, '\s+', ' ', 'g')))"

_UNITS_OF = f"""
      from list_entries u
     where u.connection_id = :c and u.kind = 'unit' and u.deleted_at is null
       and u.attributes->>'group' = units.group_id
       and {_UNIT_KEY} = {{unit}}
"""

_SPELLING_OF = f"select u.key as spelled {_UNITS_OF} order by u.active desc, u.erp_id limit 1"

_FACTOR_OF = f"""
    select min(named.factor) as factor
      from (select u.attributes->>'factor' as factor, rank() over (order by u.active desc) as place {_UNITS_OF}) named
     where named.place = 1
    having count(distinct named.factor) = 1
"""
"""Of several units of one name that differ nobody can say which is meant: their factor is unknown."""

_REPEATED = f"""
    select u.attributes->>'group' as group_id, coalesce(min(g.name), u.attributes->>'group') as group,
           {_UNIT_KEY} as unit, array_agg(u.erp_id order by u.erp_id) as entries,
           array_agg(u.attributes->>'factor' order by u.erp_id) as factors
      from list_entries u
      left join list_entries g on g.connection_id = u.connection_id and g.kind = 'unit_group'
                              and g.erp_id = u.attributes->>'group'
     where u.connection_id = :c and u.kind = 'unit' and u.deleted_at is null and u.active
       and u.attributes->>'group' is not null
     group by u.attributes->>'group', {_UNIT_KEY}
    having count(*) > 1
     order by 1, 3
"""


class UnitWanted(NamedTuple):
    """A bill's unit and the order's unit for one item, spelled as on the documents."""

    item_id: str
    unit: str
    order_unit: str


def unit_factor_id(connection_id: ConnectionId, vendor_id: str, wanted: UnitWanted) -> str:
    """Return one id per pair of units, however often and in whatever case the pair is entered."""
    parts = (wanted.item_id, unit_key(wanted.unit), unit_key(wanted.order_unit))
    return derived_id("unit", connection_id, vendor_id, *parts)


async def factors_for(
    s: AsyncSession, connection_id: ConnectionId, vendor_id: str, wanted: Collection[UnitWanted]
) -> dict[UnitWanted, Fraction]:
    """Return the known factors; a pair that is left out is unknown and must be asked for.

    A factor that a person entered wins, and also holds the other way round.
    """
    if not wanted:
        return {}
    pairs = list(dict.fromkeys(wanted))
    rows = await s.execute(
        text(
            f"""
            select w.position, told.numerator, told.denominator, turned.numerator as turned_numerator,
                   turned.denominator as turned_denominator, unit.factor as unit, order_unit.factor as order_unit
              from unnest(cast(:ids as text[]), cast(:turned as text[]), cast(:items as text[]),
                          cast(:units as text[]), cast(:order_units as text[]))
                     with ordinality as w(id, turned_id, item_id, unit, order_unit, position)
              left join unit_factors told on told.id = w.id
              left join unit_factors turned on turned.id = w.turned_id
              left join lateral ({_GROUP_OF}) as units on told.id is null
              left join lateral ({_FACTOR_OF.format(unit="w.unit")}) as unit on true
              left join lateral ({_FACTOR_OF.format(unit="w.order_unit")}) as order_unit on true
            """
        ),
        {
            "c": connection_id,
            "ids": [unit_factor_id(connection_id, vendor_id, pair) for pair in pairs],
            "turned": [
                unit_factor_id(connection_id, vendor_id, UnitWanted(pair.item_id, pair.order_unit, pair.unit))
                for pair in pairs
            ],
            "items": [pair.item_id for pair in pairs],
            "units": [unit_key(pair.unit) for pair in pairs],
            "order_units": [unit_key(pair.order_unit) for pair in pairs],
        },
    )
    result: dict[UnitWanted, Fraction] = {}
    for row in rows:
        if row.numerator is not None:
            factor = Fraction(row.numerator) / Fraction(row.denominator)
        elif row.turned_numerator is not None:
            factor = Fraction(row.turned_denominator) / Fraction(row.turned_numerator)
        else:
            unit, order_unit = _base_units(row.unit), _base_units(row.order_unit)
            if unit is None or order_unit is None:
                continue
            factor = unit / order_unit
        result[pairs[row.position - 1]] = factor
    return result


async def erp_spelling(
    s: AsyncSession, connection_id: ConnectionId, units: Collection[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return the ERP's spelling of these units by (item, unit); a unit in no unit group of the item is left out."""
    pairs = list(dict.fromkeys(units))
    rows = await s.execute(
        text(
            f"""
            select w.position, unit.spelled
              from unnest(cast(:items as text[]), cast(:units as text[])) with ordinality as w(item_id, unit, position)
              join lateral ({_GROUP_OF}) as units on true
              join lateral ({_SPELLING_OF.format(unit="w.unit")}) as unit on true
            """
        ),
        {"c": connection_id, "items": [item for item, _ in pairs], "units": [unit_key(unit) for _, unit in pairs]},
    )
    return {pairs[row.position - 1]: row.spelled for row in rows}


class RepeatedUnit(NamedTuple):
    """A name that several units of one unit group share."""

    group_id: str
    group: str
    unit: str
    entries: Sequence[str]
    """The units' ids in the ERP."""
    factors: Sequence[str | None]
    """How many base units each of them is, as the ERP writes it."""


async def repeated(s: AsyncSession, connection_id: ConnectionId) -> list[RepeatedUnit]:
    """Return the names that several units in use share within their group."""
    return [RepeatedUnit(*row) for row in (await s.execute(text(_REPEATED), {"c": connection_id})).all()]


def _base_units(factor: str | None) -> Fraction | None:
    """Return how many base units one unit is, as the ERP writes it.

    An ERP stores 1/12 as 0.0833333333, and twelve of these would not make a case again. So a decimal that is the cut
    reciprocal of a whole number is taken as that reciprocal.
    """
    try:
        number = Decimal(factor or "")
    except InvalidOperation:
        return None
    if not number.is_finite() or number <= 0:
        return None
    decimals = -int(number.as_tuple().exponent)
    if number < 1 and decimals >= RECIPROCAL_DECIMALS:
        whole = round(1 / Fraction(number))
        step = Decimal(1).scaleb(-decimals)
        exact = Decimal(1) / Decimal(whole)
        if number in (exact.quantize(step, ROUND_HALF_UP), exact.quantize(step, ROUND_DOWN)):
            return Fraction(1, whole)
    return Fraction(number)


# --- what people tell ------------------------------------------------------------------------------------------


async def get(
    s: AsyncSession, unit_factor_id: str, organization_id: OrganizationId, *, lock: bool = False
) -> UnitFactorRow | None:
    """Return the organization's factor or None; `lock` locks it until the transaction ends."""
    statement = (
        select(UnitFactorRow)
        .join(ConnectionRow, col(ConnectionRow.id) == col(UnitFactorRow.connection_id))
        .where(col(UnitFactorRow.id) == unit_factor_id, col(ConnectionRow.organization_id) == organization_id)
    )
    if lock:
        statement = statement.with_for_update(of=UnitFactorRow)
    return (await s.exec(statement, execution_options={"populate_existing": True})).one_or_none()


async def enter(
    s: AsyncSession,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    vendor_id: str,
    wanted: UnitWanted,
    factor: Fraction,
    *,
    actor: str,
    why: str,
) -> str:
    """Store a factor that a person entered, one `unit` is `factor` of the order's unit; return the factor's id."""
    id = unit_factor_id(connection_id, vendor_id, wanted)
    before = await get(s, id, organization_id)
    said = _said(before) if before else None
    await s.execute(
        text(
            """
            insert into unit_factors as held (id, connection_id, vendor_id, item_id, unit, order_unit, numerator,
                denominator, entered_by, version)
            values (:id, :c, :vendor, :item, :unit, :order_unit, :numerator, :denominator, :actor, 1)
            on conflict (id) do update
               set unit = excluded.unit, order_unit = excluded.order_unit, numerator = excluded.numerator,
                   denominator = excluded.denominator, entered_by = excluded.entered_by, version = held.version + 1,
                   changed_at = now()
            """
        ),
        {
            "id": id,
            "c": connection_id,
            "vendor": vendor_id,
            "item": wanted.item_id,
            "unit": wanted.unit,
            "order_unit": wanted.order_unit,
            "numerator": Decimal(factor.numerator),
            "denominator": Decimal(factor.denominator),
            "actor": actor,
        },
    )
    after = await get(s, id, organization_id)
    assert after is not None, "it was just saved"
    await _record(s, organization_id, after, "unit_factor_told", actor, why, said, _said(after))
    return id


async def forget(s: AsyncSession, row: UnitFactorRow, organization_id: OrganizationId, *, actor: str, why: str) -> None:
    """Delete a factor that a person entered; what the ERP says counts again."""
    said = _said(row)
    await s.delete(row)
    await _record(s, organization_id, row, "unit_factor_deleted", actor, why, said, None)


async def page(
    s: AsyncSession,
    organization_id: OrganizationId,
    *,
    connection_id: ConnectionId | None = None,
    vendor_id: str | None = None,
    item_id: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Listing[UnitFactorRow]:
    """Return one page of the factors that people entered, by item.

    Raises:
        CursorUnreadable: The cursor is not one of ours.
    """
    limit = page_size(limit)
    statement = (
        select(UnitFactorRow)
        .join(ConnectionRow, col(ConnectionRow.id) == col(UnitFactorRow.connection_id))
        .where(col(ConnectionRow.organization_id) == organization_id)
    )
    wanted = {
        UnitFactorRow.connection_id: connection_id,
        UnitFactorRow.vendor_id: vendor_id,
        UnitFactorRow.item_id: item_id,
    }
    statement = narrowed(statement, wanted)
    if cursor is not None:
        item, id = decode_cursor(cursor, 2)
        statement = statement.where(tuple_(col(UnitFactorRow.item_id), col(UnitFactorRow.id)) > (item, id))
    statement = statement.order_by(col(UnitFactorRow.item_id), col(UnitFactorRow.id)).limit(limit + 1)
    rows = (await s.exec(statement, execution_options={"populate_existing": True})).all()
    return listing(rows, limit, lambda row: (row.item_id, row.id))


def factor_text(numerator: Decimal, denominator: Decimal) -> str:
    """Return a factor as people write it: `1/12`, or `12`."""
    return f"{numerator:f}" if denominator == 1 else f"{numerator:f}/{denominator:f}"


def _said(row: UnitFactorRow) -> dict[str, Any]:
    return {
        "vendor_id": row.vendor_id,
        "item_id": row.item_id,
        "unit": row.unit,
        "order_unit": row.order_unit,
        "factor": factor_text(row.numerator, row.denominator),
    }


async def _record(
    s: AsyncSession,
    organization_id: OrganizationId,
    row: UnitFactorRow,
    kind: str,
    actor: str,
    why: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Record the event, and request a rematch of the bills in review."""
    await rematch_requests.request(s, ConnectionId(row.connection_id), f"a unit factor of {row.item_id} changed")
    await events.record(
        s,
        organization_id=organization_id,
        connection_id=ConnectionId(row.connection_id),
        subject_kind="unit_factor",
        subject_id=row.id,
        kind=kind,
        actor=actor,
        why=why,
        before=before,
        after=after,
    )
