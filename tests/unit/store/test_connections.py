"""Connections: readable ids, uniqueness, preferences, health, the template claim."""

import asyncio
import secrets
from datetime import UTC, date, datetime, timedelta

import pytest

from models.domain.connections import Erp, MatchMode
from models.domain.ids import ConnectionId
from models.domain.sync import Stream
from models.store.base.database import Database
from models.store.connections import connections
from models.store.sync import cursors
from models.tables import ConnectionRow
from tests.harness.tenant import (
    Tenant,
    new_connection,
)


async def connect(tenant: Tenant, *, company: str, entity: str | None, user: str = "u") -> ConnectionRow:
    async with tenant.database.transaction() as s:
        return await new_connection(
            s,
            organization_id=tenant.organization_id,
            erp=Erp.INTACCT,
            name="n",
            company=company,
            user_name=user,
            entity=entity,
            endpoint="e",
            settings={"allow_loopback": True},
            credentials=b"x",
            capabilities={},
            one_way=False,
            base_currency="USD",
        )


async def read(tenant: Tenant) -> ConnectionRow:
    async with tenant.database.transaction() as s:
        row = await connections.get(s, tenant.connection_id)
    assert row is not None
    return row


async def test_a_new_connection_waits_for_its_preferences(tenant: Tenant) -> None:
    """S2-55: transactions do not sync until the sync preferences step is complete."""
    company = f"Büro & Co {secrets.token_hex(3)}"
    row = await connect(tenant, company=company, entity="100")
    assert (row.state, row.preferences_complete, row.match_mode, row.version) == (
        "needs_preferences",
        False,
        "two_way",
        1,
    )
    assert row.id == f"intacct-b-ro-co-{company[-6:]}-100"
    async with tenant.database.transaction() as s:
        await connections.save_preferences(s, ConnectionId(row.id), {"po_template": "PO"}, False)
        incomplete = await connections.get(s, ConnectionId(row.id))
        assert incomplete is not None
        assert (incomplete.state, incomplete.preferences) == ("needs_preferences", {"po_template": "PO"})
        await connections.save_preferences(s, ConnectionId(row.id), {"po_template": "PO"}, True)
        complete = await connections.get(s, ConnectionId(row.id))
        assert complete is not None
        assert (complete.state, complete.version) == ("ready", 3)


async def test_company_user_and_entity_together_are_unique(tenant: Tenant, other_tenant: Tenant) -> None:
    """S2-14: several accounts may share one sync user; they are told apart by the entity."""
    company = f"C{secrets.token_hex(4)}".upper()
    ids = [(await connect(tenant, company=company, entity=entity)).id for entity in ("100", "200", None)]
    assert ids == [f"intacct-{company.lower()}-100", f"intacct-{company.lower()}-200", f"intacct-{company.lower()}"]
    for entity in ("100", None):
        with pytest.raises(connections.ConnectionTaken):
            await connect(other_tenant, company=company, entity=entity)
    assert (await connect(other_tenant, company=company, entity="100", user="v")).id == f"{ids[0]}-2"


async def test_connections_are_visible_to_their_organization_only(tenant: Tenant, other_tenant: Tenant) -> None:
    async with tenant.database.transaction() as s:
        assert await connections.get(s, tenant.connection_id, other_tenant.organization_id) is None
        assert await connections.get(s, tenant.connection_id, tenant.organization_id) is not None
        assert [row.id for row in await connections.list_for(s, tenant.organization_id)] == [tenant.connection_id]


async def test_an_outage_keeps_its_beginning_and_ends_once(tenant: Tenant) -> None:
    """DESIGN section 6: the connection shows "outage since"."""
    start = datetime(2026, 3, 1, 8, tzinfo=UTC)
    async with tenant.database.transaction() as s:
        assert not await connections.mark_healthy(s, tenant.connection_id)
        await connections.mark_outage(s, tenant.connection_id, "ERP_DOWN", "503", start)
        await connections.mark_outage(s, tenant.connection_id, "ERP_DOWN", "still 503", start + timedelta(hours=1))
    row = await read(tenant)
    assert (row.outage_since, row.problem_message, row.state) == (start, "still 503", "ready")
    async with tenant.database.transaction() as s:
        assert await connections.mark_healthy(s, tenant.connection_id)
        assert not await connections.mark_healthy(s, tenant.connection_id)
    row = await read(tenant)
    assert (row.outage_since, row.problem_code) == (None, None)


async def test_refused_credentials_show_until_new_ones_are_saved(tenant: Tenant) -> None:
    """DESIGN section 6: an admin must act, then work resumes."""
    async with tenant.database.transaction() as s:
        await connections.mark_authentication_failed(s, tenant.connection_id, "AUTH_BAD_CREDENTIALS", "no")
        await connections.save_preferences(s, tenant.connection_id, {"po_template": "PO"}, True)
    assert (await read(tenant)).state == "authentication_failed"
    async with tenant.database.transaction() as s:
        await connections.save_credentials(s, tenant.connection_id, b"new")
    row = await read(tenant)
    assert (row.state, row.problem_code, row.credentials, row.credentials_version) == ("ready", None, b"new", 2)


async def test_new_credentials_leave_an_outage_as_it_is(tenant: Tenant) -> None:
    async with tenant.database.transaction() as s:
        await connections.mark_outage(s, tenant.connection_id, "ERP_DOWN", "503", datetime.now(UTC))
        await connections.save_credentials(s, tenant.connection_id, b"new")
    assert (await read(tenant)).problem_code == "ERP_DOWN"


async def test_signing_in_again_ends_refused_credentials(tenant: Tenant) -> None:
    async with tenant.database.transaction() as s:
        await connections.mark_authentication_failed(s, tenant.connection_id, "AUTH_BAD_CREDENTIALS", "no")
        assert await connections.mark_healthy(s, tenant.connection_id)
    assert (await read(tenant)).state == "ready"


async def test_settings_are_kept(tenant: Tenant) -> None:
    """S1-13, S1-32, S2-52, S2-56, S4-42."""
    async with tenant.database.transaction() as s:
        await connections.set_match_mode(s, tenant.connection_id, MatchMode.THREE_WAY)
        await connections.set_purchase_orders_enabled(s, tenant.connection_id, False)
        await connections.set_one_way(s, tenant.connection_id)
        await connections.set_schedule(s, tenant.connection_id, 15)
        await connections.set_first_import_from(s, tenant.connection_id, date(2024, 1, 1))
    row = await read(tenant)
    assert (row.match_mode, row.purchase_orders_enabled, row.one_way) == ("three_way", False, True)
    assert (row.sync_every_minutes, row.first_import_from) == (15, date(2024, 1, 1))


async def test_an_order_template_belongs_to_one_connection(
    database: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    """Field note U-9: POs of one company must not land in two accounts and be billed twice."""
    company = f"C{secrets.token_hex(4)}"
    first = await connect(tenant, company=company, entity="100", user="u1")
    second = await connect(other_tenant, company=company.upper(), entity="100", user="u2")
    elsewhere = await connect(other_tenant, company=company, entity="200", user="u3")
    top = await connect(other_tenant, company=company, entity=None, user="u4")

    async def claim(row: ConnectionRow, template: str) -> str | None:
        async with database.transaction() as s:
            found = await connections.claimed_orders(
                s, Erp.INTACCT, row.company, row.entity, template, ConnectionId(row.id)
            )
        return found.id if found else None

    assert await claim(second, "Purchase Order") is None
    async with database.transaction() as s:
        await connections.save_preferences(s, ConnectionId(first.id), {"po_template": "Purchase Order"}, True)
    assert await claim(second, "Purchase Order") == first.id
    assert await claim(second, "purchase order") is None
    assert await claim(elsewhere, "Purchase Order") is None
    assert await claim(top, "Purchase Order") == first.id
    assert await claim(first, "Purchase Order") is None


async def test_without_templates_an_entity_belongs_to_one_connection(
    database: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    """Field note U-9, for an ERP without order templates: who has completed the preferences holds the orders."""
    company = f"C{secrets.token_hex(4)}"
    first = await connect(tenant, company=company, entity="1", user="u1")
    second = await connect(other_tenant, company=company, entity="1", user="u2")
    elsewhere = await connect(other_tenant, company=company, entity="2", user="u3")

    async def claim(row: ConnectionRow) -> str | None:
        async with database.transaction() as s:
            found = await connections.claimed_orders(
                s, Erp.INTACCT, row.company, row.entity, None, ConnectionId(row.id)
            )
        return found.id if found else None

    async with database.transaction() as s:
        await connections.save_preferences(s, ConnectionId(first.id), {}, False)
    assert await claim(second) is None
    async with database.transaction() as s:
        await connections.save_preferences(s, ConnectionId(first.id), {}, True)
    assert await claim(second) == first.id
    assert await claim(elsewhere) is None
    assert await claim(first) is None


async def test_cursors_never_go_back(tenant: Tenant) -> None:
    """DESIGN section 5: cursors move only after the page's transaction commits, and only forward."""
    async with tenant.database.transaction() as s:
        assert await cursors.positions(s, tenant.connection_id) == {}
        await cursors.move(s, tenant.connection_id, Stream.BILLS, "2026-03-01 10:00:02")
        await cursors.move(s, tenant.connection_id, Stream.BILLS, "2026-03-01 10:00:01")
        await cursors.move(s, tenant.connection_id, Stream.LISTS, "2026-02-01 00:00:00")
        assert await cursors.positions(s, tenant.connection_id) == {
            Stream.BILLS: "2026-03-01 10:00:02",
            Stream.LISTS: "2026-02-01 00:00:00",
        }
        await cursors.forget(s, tenant.connection_id, Stream.BILLS)
        assert list(await cursors.positions(s, tenant.connection_id)) == [Stream.LISTS]


async def test_two_connections_made_at_once_get_ids_of_their_own(tenant: Tenant) -> None:
    company = f"C{secrets.token_hex(4)}"
    rows = await asyncio.gather(*(connect(tenant, company=company, entity="100", user=f"u{n}") for n in range(4)))
    assert len({row.id for row in rows}) == 4
