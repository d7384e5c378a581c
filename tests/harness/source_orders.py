"""Orders of another system at the API, in front of a connection that takes them.

Real: the API and its database. Fake: the ERP, whose lists are put into the mirror.
"""

import json
from typing import Any

from sqlalchemy import text

from models.domain.ids import ConnectionId, ErpId
from models.domain.lists import ListEntry, ListKind
from models.store.base.database import Database
from models.store.sync import list_entries
from tests.harness.api_client import ApiClient, connected

LINES = [{"item": "Post", "quantity": "2", "price": "12.50"}]
DISPATCHED = {"dispatch_date": "2026-11-04"}
BILLED = {"invoice_date": "2026-11-05", "invoice_number": "INV-1-", **DISPATCHED}


def an_entry(kind: ListKind, erp_id: str, name: str, number: str = "", **more: Any) -> ListEntry:
    attributes = {"number": number} if number else {}
    return ListEntry(kind=kind, erp_id=ErpId(erp_id), key=erp_id, name=name, attributes=attributes, **more)


ENTRIES = (
    an_entry(ListKind.VENDOR, "56", "Norton Lumber"),
    an_entry(ListKind.VENDOR, "57", "Norton Lumber and Building"),
    an_entry(ListKind.VENDOR, "58", "Somebody Else Entirely"),
    an_entry(ListKind.VENDOR, "59", "Norton Lumber Old", active=False),
    an_entry(ListKind.ITEM, "11", "Post", "P-1"),
    an_entry(ListKind.ITEM, "12", "Twin", "T"),
    an_entry(ListKind.ITEM, "13", "Other twin", "T"),
    an_entry(ListKind.GL_ACCOUNT, "77", "Freight", "6400"),
    an_entry(ListKind.CLASS, "5", "North"),
)


async def connected_for_uploads(api: ApiClient, database: Database) -> str:
    """A connection whose ERP takes such orders, with its lists in the mirror."""
    created = await connected(api)
    async with database.transaction() as session:
        await list_entries.upsert(session, ConnectionId(created), ENTRIES)
    await prefer(database, created, upload_purchase_orders="true")
    return created


async def prefer(database: Database, connection_id: str, **preferences: str) -> None:
    async with database.transaction() as session:
        await session.execute(
            text(
                "update connections set capabilities = capabilities || cast(:capabilities as jsonb),"
                " preferences = preferences || cast(:preferences as jsonb) where id = :id"
            ),
            {
                "capabilities": json.dumps({"order_upload": True, "longest_number": 21}),
                "preferences": json.dumps(preferences),
                "id": connection_id,
            },
        )


async def send(api: ApiClient, connection_id: str, *sent: dict[str, Any]) -> list[Any]:
    body = [{"contact": "Norton", "ordered_on": "2026-11-02", "lines": LINES, **order} for order in sent]
    answer = await api.as_("clerk").post("/v1/source-orders", {"connection_id": connection_id, "orders": body})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["orders"])


async def link(api: ApiClient, connection_id: str, contact: str = "Norton", vendor_id: str | None = "56") -> None:
    body = {"contact": contact, "vendor_id": vendor_id}
    answer = await api.as_("accountant").post(f"/v1/connections/{connection_id}/contacts", body)
    assert answer.status_code == 200, answer.text


async def upload(
    api: ApiClient, connection_id: str, *references: str, as_: str = "bill", key: str | None = None, **more: Any
) -> Any:
    which = {"references": list(references)} if references else {}
    body = {"connection_id": connection_id, "upload_as": as_, "which": which, **more}
    answer = await api.as_("accountant").post("/v1/source-orders/uploads", body, key=key)
    assert answer.status_code == 200, answer.text
    return answer.json()
