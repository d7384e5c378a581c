"""A connection to QuickBooks Desktop with its Web Connector, and the journal as activities see it."""

from typing import Any

import httpx
import pytest
from lxml import etree
from sqlalchemy import text

from erp.errors import Deferred
from erp.quickbooks_desktop import wire
from models.domain.ids import ConnectionId
from models.domain.outbox import MessageKind
from models.store.audit.exchanges import Waiter
from models.store.audit.outbox import OutboxMessage
from models.store.base.database import Database
from services.exchanges import StoredExchanges
from tests.fakes.web_connector import Dropped, FakeCompany, FakeWebConnector
from tests.harness.api_client import ApiClient

QUESTION = wire.request("PurchaseOrderQuery", wire.part("TxnID", "5F3-1"), key="orders")


def bill(number: int) -> str:
    """The request that makes a bill over 4 of the order's first line."""
    return wire.request(
        "BillAdd",
        wire.group(
            "BillAdd",
            wire.reference("VendorRef", "80000012-1"),
            wire.part("RefNumber", f"INV-{number}"),
            wire.part("Memo", f"[posync PSB-{number}]"),
            wire.group(
                "ItemLineAdd",
                wire.part("Quantity", "4"),
                wire.group("LinkToTxn", wire.part("TxnID", "5F3-1"), wire.part("TxnLineID", "5F5-1")),
            ),
        ),
        key="bill",
    )


WRITE = bill(1)


class Pair:
    """A connection, its Web Connector, and the journal as activities see it."""

    def __init__(self, database: Database, http: httpx.AsyncClient, connection_id: str, password: str, file: str):
        self.database = database
        self.connection_id = ConnectionId(connection_id)
        self.company = FakeCompany(file)
        self.connector = FakeWebConnector(http, connection_id, password, self.company)
        self.waiter = Waiter("", "", "a")
        self.journal = StoredExchanges(database, self.connection_id, lambda: self.waiter)

    async def connection(self) -> Any:
        async with self.database.statement() as s:
            return (await s.execute(text("select * from connections where id = :c"), {"c": self.connection_id})).one()

    async def asked(self, key: str = "orders", request: str = QUESTION) -> None:
        with pytest.raises(Deferred):
            await self.journal.read(key, request)

    async def wrote(self) -> None:
        with pytest.raises(Deferred):
            await self.journal.write("PSB-1", WRITE)

    async def cut(self, step: str, number: int) -> None:
        """A session in which the computer is switched off at a step."""

        def drop(at: str, rounds: int) -> None:
            if (at, rounds) == (step, number):
                raise Dropped

        self.connector.rounds, self.connector.drop = 0, drop
        with pytest.raises(Dropped):
            await self.connector.session()
        self.connector.drop = lambda at, rounds: None


async def new_pair(api: ApiClient, database: Database, http: httpx.AsyncClient) -> Pair:
    created = await api.post(
        "/v1/connections", {"erp": "quickbooks_desktop", "name": "Larkin", "purchase_orders": True}
    )
    assert created.status_code == 201, created.text
    connection_id = created.json()["id"]
    login = await api.post(f"/v1/connections/{connection_id}/web_connector", {"every_minutes": 5})
    assert login.status_code == 201, login.text
    file = await api.get(f"/v1/connections/{connection_id}/qwc")
    mark = etree.fromstring(file.content).findtext("FileID") or ""
    return Pair(database, http, connection_id, login.json()["password"], mark)


async def calls(pair: Pair) -> tuple[str, str]:
    """A session with one document handed out: its secret and the document."""
    admitted = await pair.connector.call(
        "authenticate", strUserName=pair.connector.user, strPassword=pair.connector.password
    )
    secret = admitted[0].text or ""
    return secret, await sent(pair, secret, said(pair))


def said(pair: Pair) -> str:
    """What the Web Connector finds out about the company by itself, at the first call of a session."""
    asked = "".join(f'<{one}Rq requestID="1"/>' for one in ("HostQuery", "CompanyQuery", "PreferencesQuery"))
    return pair.company.answer(f"<QBXML><QBXMLMsgsRq>{asked}</QBXMLMsgsRq></QBXML>")


async def sent(pair: Pair, secret: str, found_out: str = "") -> str:
    document = await pair.connector.call(
        "sendRequestXML", ticket=secret, strHCPResponse=found_out, strCompanyFileName="C:\\books.qbw",
        qbXMLCountry="US", qbXMLMajorVers="16", qbXMLMinorVers="0",
    )  # fmt: skip
    return document.text or ""


async def received(pair: Pair, secret: str, response: str, hresult: str = "", message: str = "") -> int:
    done = await pair.connector.call(
        "receiveResponseXML", ticket=secret, response=response, hresult=hresult, message=message
    )
    return int(done.text or "")


def woken_by(owed: OutboxMessage) -> Waiter:
    """Return the activity that a message wakes."""
    assert owed.kind == MessageKind.ANSWER_STORED
    return Waiter(*owed.subject_id.rsplit(" ", 2))


def nobody_waits(owed: OutboxMessage) -> None:
    """Refuse to wake anybody."""
    assert owed.kind != MessageKind.ANSWER_STORED, owed
