"""Units of measure: a person's word, else the ERP's unit groups, always exact (matching rules 3.6)."""

from fractions import Fraction

import pytest

from models.domain.ids import ErpId
from models.domain.lists import ListEntry, ListKind
from models.store.audit import events
from models.store.policies import unit_factors
from models.store.policies.unit_factors import UnitWanted
from models.store.sync import list_entries
from tests.harness.tenant import (
    Tenant,
)

EACH_OF_CASE = UnitWanted("PAPER", "Each", "Case")


def unit(number: int, name: str, factor: str, group: str = "7") -> ListEntry:
    attributes = {"group": group, "factor": factor}
    return ListEntry(kind=ListKind.UNIT, erp_id=ErpId(str(number)), key=name, name=name, attributes=attributes)


async def erp_units(tenant: Tenant, *units: ListEntry) -> None:
    group = ListEntry(kind=ListKind.UNIT_GROUP, erp_id=ErpId("7"), key="Paper", name="Paper")
    item = ListEntry(
        kind=ListKind.ITEM, erp_id=ErpId("1"), key="PAPER", name="Paper", attributes={"unit_group": "Paper"}
    )
    async with tenant.database.transaction() as s:
        await list_entries.upsert(s, tenant.connection_id, [group, item, *units])


async def known(tenant: Tenant, *wanted: UnitWanted, vendor: str = "V-1") -> dict[UnitWanted, Fraction]:
    async with tenant.database.transaction() as s:
        return await unit_factors.factors_for(s, tenant.connection_id, vendor, wanted)


async def tell(tenant: Tenant, wanted: UnitWanted, factor: Fraction, vendor: str = "V-1", why: str = "") -> str:
    async with tenant.database.transaction() as s:
        return await unit_factors.enter(
            s, tenant.organization_id, tenant.connection_id, vendor, wanted, factor, actor="Maria", why=why
        )


async def test_the_erp_s_units_convert_exactly(tenant: Tenant) -> None:
    """U01..U04: each in an order of cases is 1/12, dozens of cases likewise, whatever the base unit is."""
    await erp_units(tenant, unit(1, "Each", "1"), unit(2, "Case", "12"), unit(3, "Dozen", "12.0"))
    wanted = (EACH_OF_CASE, UnitWanted("PAPER", "Case", "Each"), UnitWanted("PAPER", "dozen", " CASE "))
    assert await known(tenant, *wanted) == {wanted[0]: Fraction(1, 12), wanted[1]: Fraction(12), wanted[2]: Fraction(1)}


async def test_what_nobody_knows_is_left_out(tenant: Tenant) -> None:
    """U05: an unknown unit is never guessed; another item's or another group's factor does not count."""
    await erp_units(tenant, unit(1, "Each", "1"), unit(2, "Case", "12", group="8"), unit(3, "Odd", "many"))
    unknown = (EACH_OF_CASE, UnitWanted("PAPER", "Odd", "Each"), UnitWanted("TAPE", "Each", "Each"))
    assert await known(tenant, *unknown) == {}
    assert await known(tenant) == {}


async def test_of_units_that_share_a_name_and_differ_none_counts(tenant: Tenant) -> None:
    """S5-14: the first was taken without a word; one that is inactive, or says the same, is no doubt."""
    same = unit(4, " each", "1")
    await erp_units(tenant, unit(1, "Each", "1"), unit(2, "Case", "12"), unit(3, "case", "10"), same)
    assert await known(tenant, EACH_OF_CASE) == {}
    async with tenant.database.transaction() as s:
        assert await unit_factors.repeated(s, tenant.connection_id) == [
            ("7", "Paper", "case", ["2", "3"], ["12", "10"]),
            ("7", "Paper", "each", ["1", "4"], ["1", "1"]),
        ]
    await erp_units(tenant, unit(3, "case", "10").model_copy(update={"active": False}))
    assert await known(tenant, EACH_OF_CASE) == {EACH_OF_CASE: Fraction(1, 12)}
    await tell(tenant, EACH_OF_CASE, Fraction(1, 10))
    assert await known(tenant, EACH_OF_CASE) == {EACH_OF_CASE: Fraction(1, 10)}, "a person's word goes first"


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        ("0.0833333333", Fraction(1, 12)),
        ("0.16666", Fraction(1, 6)),
        ("0.16667", Fraction(1, 6)),
        ("0.25", Fraction(1, 4)),
        ("0.453592", Fraction(453592, 1000000)),
        ("0.083", Fraction(83, 1000)),
    ],
)
async def test_a_cut_reciprocal_is_the_whole_one(tenant: Tenant, written: str, exact: Fraction) -> None:
    """U04: 7 and 113 of 120 pieces are 10 cases exactly, although an ERP can only write 0.0833333333."""
    await erp_units(tenant, unit(1, "Each", written), unit(2, "Case", "1"))
    assert await known(tenant, EACH_OF_CASE) == {EACH_OF_CASE: exact}


async def test_a_person_s_word_wins_and_holds_both_ways(tenant: Tenant) -> None:
    """Rules 3.6: the answer is stored per vendor and item; for another vendor the ERP's word stands."""
    await erp_units(tenant, unit(1, "Each", "1"), unit(2, "Case", "12"))
    await tell(tenant, UnitWanted("PAPER", "each", "case"), Fraction(1, 10))
    back = UnitWanted("PAPER", "Case", "Each")
    assert await known(tenant, EACH_OF_CASE, back) == {EACH_OF_CASE: Fraction(1, 10), back: Fraction(10)}
    assert await known(tenant, EACH_OF_CASE, vendor="V-2") == {EACH_OF_CASE: Fraction(1, 12)}


async def test_one_pair_of_units_has_one_factor(tenant: Tenant, other_tenant: Tenant) -> None:
    """Told again it is replaced, in whatever case; who, when and why are kept with before and after."""
    id = await tell(tenant, EACH_OF_CASE, Fraction(1, 12), why="the supplier's catalogue")
    assert await tell(tenant, UnitWanted("PAPER", "EACH", "case"), Fraction(3, 25)) == id
    async with tenant.database.transaction() as s:
        listed = await unit_factors.page(s, tenant.organization_id)
        assert [(row.unit, row.order_unit, row.version) for row in listed.items] == [("EACH", "case", 2)]
        history = await events.for_subject(s, tenant.organization_id, "unit_factor", id)
        assert await unit_factors.get(s, id, other_tenant.organization_id) is None
    assert [(event.kind, event.actor, event.why) for event in history] == [
        ("unit_factor_told", "Maria", "the supplier's catalogue"),
        ("unit_factor_told", "Maria", ""),
    ]
    assert history[1].before is not None
    assert history[1].after is not None
    assert (history[1].before["factor"], history[1].after["factor"]) == ("1/12", "3/25")


async def test_a_word_taken_back_leaves_the_erp_s(tenant: Tenant) -> None:
    await erp_units(tenant, unit(1, "Each", "1"), unit(2, "Case", "12"))
    id = await tell(tenant, EACH_OF_CASE, Fraction(1, 10))
    async with tenant.database.transaction() as s:
        row = await unit_factors.get(s, id, tenant.organization_id, lock=True)
        assert row is not None
        await unit_factors.forget(s, row, tenant.organization_id, actor="Maria", why="wrong")
    assert await known(tenant, EACH_OF_CASE) == {EACH_OF_CASE: Fraction(1, 12)}
    async with tenant.database.transaction() as s:
        history = await events.for_subject(s, tenant.organization_id, "unit_factor", id)
    assert [(event.kind, event.after is None) for event in history] == [
        ("unit_factor_told", False),
        ("unit_factor_deleted", True),
    ]
