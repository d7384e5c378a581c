"""SuiteQL over REST (reference 2.2, 8)."""

from typing import Any

import pytest

from tests.unit.sandbox.netsuite.rest_client import PATH, ask, authorization
from tests.unit.sandbox.netsuite.suite import Suite, bill

ORDERS = """
SELECT t.id, t.tranid, t.status, BUILTIN.DF(t.status) AS shown, t.lastmodifieddate, l.id AS line, l.quantity,
       l.quantityshiprecv, l.quantitybilled, l.isclosed
FROM transaction t JOIN transactionline l ON l.transaction = t.id
WHERE t.type = 'PurchOrd' AND l.mainline = 'F' AND l.taxline = 'F'
  AND t.lastmodifieddate >= TO_TIMESTAMP('{since}', 'YYYY-MM-DD HH24:MI:SS')
ORDER BY t.id, l.id
"""


async def items(suite: Suite, text: str, **query: str) -> list[dict[str, Any]]:
    answer = await ask(suite, text, **query)
    assert answer.status_code == 200, answer.text
    return [{name: value for name, value in item.items() if name != "links"} for item in answer.json()["items"]]


async def test_orders_and_their_lines_come_in_one_answer(suite: Suite) -> None:
    """Reference 8: all values are text, names in lower case, the account's date format, the status its letter."""
    order = await suite.order(modified_at="2026-10-02T20:00:00Z")
    await suite.order("PO-0", 1, modified_at="2026-10-01T20:00:00Z")
    rows = await items(suite, ORDERS.format(since="2026-10-02 12:00:00"))
    assert rows[0] == {
        "id": order["record_no"],
        "tranid": "PO-1",
        "status": "B",
        "shown": "Purchase Order : Pending Receipt",
        "lastmodifieddate": "10/2/2026",
        "line": "1",
        "quantity": "10",
        "quantityshiprecv": "0",
        "quantitybilled": "0",
        "isclosed": "F",
    }
    assert [(row["tranid"], row["line"]) for row in rows] == [("PO-1", "1"), ("PO-1", "4")]
    assert await items(suite, ORDERS.format(since="2026-10-02 12:00:01")) == []


async def test_receipts_and_bills_show_in_quantities_and_links(suite: Suite) -> None:
    """Reference 8."""
    order = await suite.order()
    await suite.act("receive", number="PO-1")
    created = (await suite.add(bill(order, (2, "4")))).id
    rows = await items(suite, ORDERS.format(since="2020-01-01 00:00:00"))
    assert [(row["quantityshiprecv"], row["quantitybilled"]) for row in rows] == [("10", "0"), ("10", "4")]
    links = "SELECT previousdoc, previousline, nextline, linktype FROM NextTransactionLineLink WHERE nextdoc = "
    assert await items(suite, links + created) == [
        {"previousdoc": order["record_no"], "previousline": "4", "nextline": "1", "linktype": "OrdBill"}
    ]
    moment = "SELECT TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI') AS at FROM transaction WHERE type = 'VendBill'"
    [row] = await items(suite, moment)
    assert len(row["at"]) == 16


async def test_pages(suite: Suite) -> None:
    """Reference 8: offset is a multiple of limit."""
    for number in range(5):
        await suite.order(f"PO-{number}", 1)
    answer = (await ask(suite, "SELECT id FROM transaction ORDER BY id", limit="2", offset="2")).json()
    assert (answer["count"], answer["hasMore"], answer["totalResults"], answer["offset"]) == (2, True, 5, 2)
    assert [item["id"] for item in answer["items"]] == ["103", "104"]
    last = (await ask(suite, "SELECT id FROM transaction ORDER BY id", limit="2", offset="4")).json()
    assert (last["count"], last["hasMore"]) == (1, False)
    assert (await ask(suite, "SELECT 1", limit="2", offset="3")).status_code == 400
    assert (await ask(suite, "SELECT 1", limit="1001")).status_code == 400


@pytest.mark.parametrize(
    "text",
    [
        "SELECT",
        "SELECT nosuch FROM transaction",
        "DELETE FROM transaction",
        "ATTACH DATABASE 'x' AS y",
        "SELECT 1; SELECT 2",
    ],
)
async def test_what_cannot_be_answered(suite: Suite, text: str) -> None:
    """Reference 8."""
    answer = await ask(suite, text)
    assert answer.status_code == 400
    assert answer.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_PARAMETER"


async def test_signatures_are_checked(suite: Suite) -> None:
    """Reference 2.2: every oauth parameter but the signature is signed, the realm is not; a nonce is good once."""
    good = authorization({}, more={"oauth_body_hash": "abc="})
    assert (await ask(suite, "SELECT 1", good)).status_code == 200
    for header in (good, authorization({}, key="cs&no"), authorization({"limit": "5"}), "Bearer x"):
        refused = await ask(suite, "SELECT 1", header)
        assert (refused.status_code, refused.json()["o:errorDetails"][0]["o:errorCode"]) == (401, "INVALID_LOGIN")
    reasons = [entry["reason"] for entry in await suite.held("login_audit")]
    assert reasons == ["NonceUsed", "InvalidSignature", "InvalidSignature", "MissingTokenPassportRequiredFields"]


async def test_it_can_be_off_throttled_or_broken(suite: Suite) -> None:
    """Reference 6.3, 8."""
    await suite.switch(suiteql=False)
    assert (await ask(suite, "SELECT 1")).status_code == 403
    await suite.switch(suiteql=True)
    await suite.break_("throttled", operation="suiteql", times=1)
    assert (await ask(suite, "SELECT 1")).json()["o:errorDetails"][0]["o:errorCode"] == "CONCURRENCY_LIMIT_EXCEEDED"
    await suite.break_("unavailable", operation="suiteql", times=1)
    assert (await ask(suite, "SELECT 1")).status_code == 503
    await suite.break_("permission_denied", operation="suiteql", times=1)
    assert (await ask(suite, "SELECT 1")).status_code == 403
    bare = await suite.http.post(PATH, json={"q": "SELECT 1"}, headers={"authorization": authorization({})})
    assert bare.json()["o:errorDetails"][0]["o:errorCode"] == "INVALID_HEADER"
    assert (await suite.room("/calls", method="GET"))["by_operation"]["suiteql"] == 5
