"""Tolerance policies in the store, and everything a match has to know in one statement (matching rules 3.4)."""

from typing import Any

import pytest

from matching.policies.policies import Check, Level
from models.domain.ids import ConnectionId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.store.audit import events
from models.store.policies import tolerance_policies
from models.store.policies.match_facts import MatchFacts, match_facts
from models.store.policies.tolerance_policies import Scope, ScopeTaken
from models.store.sync import list_entries
from models.tables import TolerancePolicyRow
from services.bills.tolerances import policies_of, stored_policy
from tests.harness.tenant import (
    Tenant,
)

EVERYWHERE = Scope()
FIVE_PERCENT = {"checks": {"price": {"block": {"pct": "5"}}}}


async def create(
    tenant: Tenant, scope: Scope = EVERYWHERE, terms: Any = FIVE_PERCENT, why: str = ""
) -> TolerancePolicyRow:
    async with tenant.database.transaction() as s:
        return await tolerance_policies.create(s, tenant.organization_id, scope, terms, actor="Maria", why=why)


async def facts(tenant: Tenant, vendor: str = "V-1", entity: str | None = None, *items: str) -> MatchFacts:
    async with tenant.database.transaction() as s:
        return await match_facts(s, tenant.organization_id, tenant.connection_id, vendor, entity, items)


async def test_a_policy_comes_back_as_the_rules_take_it(tenant: Tenant) -> None:
    """Rules 3.4: the level follows from what is set, exact numbers stay exact."""
    terms = {"checks": {"price": {"block": {"pct": "0.1", "abs": "unlimited"}}}, "warn_on_over_receipt": False}
    row = await create(tenant, Scope(vendor_id="V-1", item_id="PAPER", connection_id=tenant.connection_id), terms)
    found = await facts(tenant)
    (policy,) = policies_of(found.policies)
    assert (policy.id, policy.version, policy.scope.level) == (row.id, 1, Level.VENDOR_ITEM)
    assert policy.scope.connection_id == tenant.connection_id
    band = policy.checks[Check.PRICE].block
    assert (str(band.pct), band.abs, policy.warn_on_over_receipt) == ("0.1", "unlimited", False)
    assert found.policies == [stored_policy(row)]


async def test_one_policy_per_scope(tenant: Tenant, other_tenant: Tenant) -> None:
    """The organization's own scope, without any restriction, is one as well; other organizations do not count."""
    row = await create(tenant)
    with pytest.raises(ScopeTaken) as refused:
        await create(tenant)
    assert refused.value.policy_id == row.id
    await create(other_tenant)
    vendor = await create(tenant, Scope(vendor_id="V-1"))
    async with tenant.database.transaction() as s:
        held = await tolerance_policies.get(s, vendor.id, tenant.organization_id, lock=True)
        assert held is not None
        with pytest.raises(ScopeTaken):
            await tolerance_policies.replace(s, held, Scope(), FIVE_PERCENT, actor="Maria", why="")
        assert await tolerance_policies.get(s, row.id, other_tenant.organization_id) is None


async def test_only_policies_that_could_have_a_say(tenant: Tenant, other_tenant: Tenant) -> None:
    await create(tenant)
    await create(tenant, Scope(connection_id=tenant.connection_id))
    elsewhere = Scope(connection_id=ConnectionId(other_tenant.connection_id))
    await create(tenant, elsewhere)
    await create(other_tenant)
    async with tenant.database.transaction() as s:
        assert len(await tolerance_policies.all_of(s, tenant.organization_id)) == 3
    scopes = [policy.scope for policy in (await facts(tenant)).policies]
    assert sorted(scopes, key=len) == [{}, {"connection_id": tenant.connection_id}]


async def test_who_changed_what_and_why_is_kept(tenant: Tenant) -> None:
    """Every change with the terms before and after."""
    row = await create(tenant, why="audit of 2026")
    async with tenant.database.transaction() as s:
        held = await tolerance_policies.get(s, row.id, tenant.organization_id, lock=True)
        assert held is not None
        changed = await tolerance_policies.replace(s, held, Scope(category="OFFICE"), {}, actor="Sam", why="too wide")
        assert (changed.version, changed.category, changed.terms) == (2, "OFFICE", {})
        await tolerance_policies.delete(s, changed, actor="Sam", why="not needed")
        history = await events.for_subject(s, tenant.organization_id, "tolerance_policy", row.id)
    own, narrowed = {"scope": {}, **FIVE_PERCENT}, {"scope": {"category": "OFFICE"}}
    assert [(event.kind, event.actor, event.why, event.before, event.after) for event in history] == [
        ("tolerance_policy_created", "Maria", "audit of 2026", None, own),
        ("tolerance_policy_replaced", "Sam", "too wide", own, narrowed),
        ("tolerance_policy_deleted", "Sam", "not needed", narrowed, None),
    ]


async def test_pages_begin_with_the_oldest(tenant: Tenant) -> None:
    created = [await create(tenant, Scope(vendor_id=f"V-{number}")) for number in range(3)]
    async with tenant.database.transaction() as s:
        first = await tolerance_policies.page(s, tenant.organization_id, limit=2)
        rest = await tolerance_policies.page(s, tenant.organization_id, limit=2, cursor=first.next_cursor)
        one = await tolerance_policies.page(s, tenant.organization_id, vendor_id="V-1")
    assert [row.id for row in (*first.items, *rest.items)] == [row.id for row in created]
    assert rest.next_cursor is None
    assert [row.id for row in one.items] == [created[1].id]


def vendor(number: int, key: str, *, active: bool = True, on_hold: str = "false") -> ListEntry:
    attributes, name = {"on_hold": on_hold}, f"Vendor {number}"
    return ListEntry(
        kind=ListKind.VENDOR, erp_id=ErpId(str(number)), key=key, name=name, active=active, attributes=attributes
    )


async def test_the_lists_say_categories_and_the_vendor_s_state(tenant: Tenant) -> None:
    """Rules 3.4 (item category) and 3.5 (inactive vendor). Without a vendor list nothing is said of any vendor."""
    assert (await facts(tenant)).vendor_state is None
    item = ListEntry(
        kind=ListKind.ITEM, erp_id=ErpId("1"), key="PAPER", name="Paper", attributes={"category": "OFFICE"}
    )
    plain = ListEntry(kind=ListKind.ITEM, erp_id=ErpId("2"), key="TAPE", name="Tape")
    entries = [vendor(1, "V-1"), vendor(2, "V-2", active=False), vendor(3, "V-3", on_hold="true"), item, plain]
    async with tenant.database.transaction() as s:
        await list_entries.upsert(s, tenant.connection_id, entries)
    known = await facts(tenant, "V-1", None, "PAPER", "TAPE", "GONE")
    assert known.categories == {"PAPER": "OFFICE"}
    assert known.item_names == {"PAPER": "Paper", "TAPE": "Tape"}
    assert [(await facts(tenant, key)).vendor_name for key in ("V-1", "V-4")] == ["Vendor 1", ""]
    states = {key: (await facts(tenant, key)).vendor_state for key in ("V-1", "V-2", "V-3", "V-4")}
    assert states == {"V-1": "active", "V-2": "inactive", "V-3": "on_hold", "V-4": "unknown"}
    gone = "update list_entries set deleted_at = now() where connection_id = :c and kind = 'vendor' and key = 'V-1'"
    await tenant.execute(gone, c=tenant.connection_id)
    assert (await facts(tenant, "V-1")).vendor_state == "inactive"
