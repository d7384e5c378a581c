"""An accountant's console and its clients: who may be whose, one level deep, noted and told."""

import asyncio

import pytest

from models.domain.ids import OrganizationId
from models.store.audit import events, notices
from models.store.base.database import Database
from models.store.connections import clients, organizations
from models.store.connections.clients import LinkRefused
from tests.harness.tenant import (
    Tenant,
)


async def organization(database: Database, name: str) -> OrganizationId:
    async with database.transaction() as s:
        return await organizations.create_organization(s, name)


async def link(database: Database, client: OrganizationId, console: OrganizationId) -> bool:
    async with database.transaction() as s:
        return await clients.link(s, client, console)


async def test_a_client_is_linked_and_let_go(database: Database, tenant: Tenant) -> None:
    """S4-44: the client is told both times, and the event says who did it; doing it again changes nothing."""
    client = tenant.organization_id
    console = await organization(database, "Miller & Co")
    async with database.transaction() as s:
        assert not await clients.is_console(s, console)
    assert await link(database, client, console)
    assert not await link(database, client, console)
    async with database.transaction() as s:
        assert await clients.is_console(s, console)
        found, theirs = await clients.get(s, console, client), await clients.console_of(s, client)
        assert (found and found.id, theirs and theirs.name) == (client, "Miller & Co")
        assert await clients.get(s, client, console) is None
        assert await clients.console_of(s, console) is None
    async with database.transaction() as s:
        assert await clients.unlink(s, client) == console
        assert await clients.unlink(s, client) is None
        assert await clients.unlink(s, OrganizationId("org_nobody")) is None
        assert (await clients.get(s, console, client), await clients.console_of(s, client)) == (None, None)
        assert not await clients.is_console(s, console)
        happened = await events.for_subject(s, client, "organization", client)
        told = (await notices.page(s, client)).items
    assert [(row.kind, row.actor, row.before, row.after) for row in happened] == [
        ("client_linked", clients.OPERATOR, {"console_id": None}, {"console_id": console}),
        ("client_unlinked", clients.OPERATOR, {"console_id": console}, {"console_id": None}),
    ]
    assert [notice.code for notice in told] == ["ACCOUNTANT_UNLINKED", "ACCOUNTANT_LINKED"]
    assert "Miller & Co" in told[1].message


async def test_there_is_one_level_and_one_console(database: Database) -> None:
    """S4-06: a client has one accountant; nobody is both console and client."""
    console, client, other = [await organization(database, name) for name in ("Console", "Client", "Other")]
    await link(database, client, console)
    refusals = [
        (client, client, "its own client"),
        (client, OrganizationId("org_nobody"), "no organization org_nobody"),
        (OrganizationId("org_nobody"), console, "no organization org_nobody"),
        (client, other, f"a client of {console}: unlink it first"),
        (other, client, f"itself a client of {console}"),
        (console, other, "itself a console"),
    ]
    for refused, asked, why in refusals:
        with pytest.raises(LinkRefused, match=why):
            await link(database, refused, asked)
    async with database.transaction() as s:
        assert [row.id for row in (await clients.page(s, console)).items] == [client]
        assert (await clients.page(s, other)).items == []


async def test_links_made_at_once_make_no_second_level(database: Database) -> None:
    """Each alone would be right; together they would make a console a client."""
    for _ in range(5):
        one, two, three = [await organization(database, name) for name in ("One", "Two", "Three")]
        answers = await asyncio.gather(link(database, one, two), link(database, two, three), return_exceptions=True)
        assert sorted(isinstance(answer, LinkRefused) for answer in answers) == [False, True], answers


async def test_clients_are_listed_by_name(database: Database) -> None:
    """Names that are alike are told apart by id, so that no page repeats or leaves out one."""
    console = await organization(database, "Console")
    for name in ("Beta", "Acme", "Beta", "Beta", "Zeta"):
        await link(database, await organization(database, name), console)
    names: list[str] = []
    ids: set[str] = set()
    cursor = None
    async with database.transaction() as s:
        while True:
            found = await clients.page(s, console, limit=2, cursor=cursor)
            names += [row.name for row in found.items]
            ids |= {row.id for row in found.items}
            cursor = found.next_cursor
            if cursor is None:
                break
    assert (names, len(ids)) == (["Acme", "Beta", "Beta", "Beta", "Zeta"], 5)
