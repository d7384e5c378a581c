"""Closed books per entity: the ERP's word and an administrator's (H07)."""

from datetime import date

from models.store.audit import events
from models.store.connections import closed_periods, connections
from models.store.policies.match_facts import match_facts
from tests.harness.tenant import (
    Tenant,
)

FEBRUARY, MARCH, APRIL = date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)


async def erp_says(tenant: Tenant, **closed: date | None) -> None:
    async with tenant.database.transaction() as s:
        named = {name.removeprefix("e"): day for name, day in closed.items()}
        await closed_periods.take_in(s, tenant.connection_id, named)


async def person_says(tenant: Tenant, entity: str, through: date | None, why: str = "") -> None:
    async with tenant.database.transaction() as s:
        await closed_periods.set_by_person(
            s, tenant.organization_id, tenant.connection_id, entity, through, actor="Maria", why=why
        )


async def through(tenant: Tenant, entity: str | None) -> date | None:
    async with tenant.database.transaction() as s:
        facts = await match_facts(s, tenant.organization_id, tenant.connection_id, "V-1", entity, [])
    return facts.closed_through


async def test_every_entity_has_its_own_last_closed_day(tenant: Tenant) -> None:
    """H07: A is closed through March, B through February."""
    assert await through(tenant, "A") is None
    await erp_says(tenant, eA=MARCH, eB=FEBRUARY)
    assert (await through(tenant, "A"), await through(tenant, "B"), await through(tenant, "C")) == (
        MARCH,
        FEBRUARY,
        None,
    )


async def test_the_later_word_counts(tenant: Tenant) -> None:
    """What holds for the whole company holds for each entity; an administrator may close more, never less."""
    await erp_says(tenant, eA=FEBRUARY, e=date(2026, 1, 31))
    await person_says(tenant, "A", date(2026, 1, 31))
    assert (await through(tenant, "A"), await through(tenant, "B")) == (FEBRUARY, date(2026, 1, 31))
    await person_says(tenant, "A", MARCH)
    await person_says(tenant, "", APRIL)
    assert (await through(tenant, "A"), await through(tenant, "B")) == (APRIL, APRIL)
    await person_says(tenant, "", None)
    assert await through(tenant, "A") == MARCH


async def test_books_open_again(tenant: Tenant) -> None:
    """The ERP's date moves both ways; what it says nothing of stays."""
    await erp_says(tenant, eA=MARCH, eB=MARCH)
    await erp_says(tenant, eA=None)
    await erp_says(tenant, eC=None)
    assert (await through(tenant, "A"), await through(tenant, "B")) == (None, MARCH)
    async with tenant.database.transaction() as s:
        assert [row.entity for row in await closed_periods.all_of(s, tenant.connection_id)] == ["A", "B"]


async def test_a_bill_without_an_entity_is_of_the_connection_s_own(tenant: Tenant) -> None:
    """S2-12: a connection is bound to one entity."""
    await tenant.execute("update connections set entity = 'A' where id = :id", id=tenant.connection_id)
    await erp_says(tenant, eA=MARCH)
    async with tenant.database.transaction() as s:
        connection = await connections.get(s, tenant.connection_id)
    assert connection is not None
    assert connection.entity == "A"
    assert await through(tenant, None) == MARCH


async def test_who_closed_what_and_why_is_kept(tenant: Tenant) -> None:
    await person_says(tenant, "A", FEBRUARY)
    await person_says(tenant, "A", MARCH, "quarter end")
    async with tenant.database.transaction() as s:
        history = await events.for_subject(s, tenant.organization_id, "closed_period", f"{tenant.connection_id}/A")
    assert [(event.actor, event.why, event.before, event.after) for event in history] == [
        ("Maria", "", None, {"closed_through": "2026-02-28"}),
        ("Maria", "quarter end", {"closed_through": "2026-02-28"}, {"closed_through": "2026-03-31"}),
    ]
