"""Whatever is sent is answered: a crash of the sandbox would look like an outage of the vendor."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.quickbooks_online.entities import ENTITIES
from tests.unit.sandbox.quickbooks_online.books import Books, bill_of

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 30)
    | st.floats(allow_nan=False, width=32)
    | st.text(max_size=5)
    | st.sampled_from(["1", "2", "2026-11-02", "USD", "Bill", "PurchaseOrder", "ItemBasedExpenseLineDetail"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "Address", "TxnId", "TxnType", "TxnLineId", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
_NAMES = sorted({name for kind in ENTITIES.values() for name in kind.fields} | {"Id", "SyncToken", "sparse", "Line"})
_LINES = st.fixed_dictionaries(
    {},
    optional={
        "Id": _VALUES,
        "Amount": _VALUES,
        "DetailType": _VALUES,
        "LinkedTxn": _VALUES,
        "ItemBasedExpenseLineDetail": st.dictionaries(
            st.sampled_from(["ItemRef", "Qty", "UnitPrice", "ClassRef"]), _VALUES
        ),
        "AccountBasedExpenseLineDetail": st.dictionaries(st.sampled_from(["AccountRef", "TaxAmount"]), _VALUES),
    },
)
_BODIES = st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=6) | st.fixed_dictionaries(
    {"VendorRef": st.just({"value": "1"}), "Line": st.lists(_LINES | _VALUES, max_size=3)},
    optional={
        "Id": st.sampled_from(["1", "9"]),
        "SyncToken": st.integers(0, 3),
        "sparse": _VALUES,
        "TotalAmt": _VALUES,
    },
)
_WORDS = [
    *("select", "*", "from", "Bill", "Vendor", "where", "Id", "DocNumber", "=", ">", "in", "like"),
    *("(", ")", ",", "'", "'1'", "1", "and", "orderby", "order", "by", "desc", "maxresults"),
]
_FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
async def busy(books: Books) -> Books:
    """A company with an order, a bill and no limits."""
    await books.switch(requests_per_minute=0, batches_per_minute=0)
    await books.save("Bill", bill_of(await books.order(), (1, "4")))
    return books


async def send(books: Books, method: str, path: str, content: bytes, **parameters: str) -> int:
    headers = {"authorization": f"Bearer {books.token}", "content-type": "application/json"}
    url = f"/v3/company/{books.realm}/{path}"
    answer = await books.http.request(method, url, content=content, params=parameters, headers=headers)
    assert answer.content, (path, content)
    return answer.status_code


@_FUZZ
@given(
    entity=st.sampled_from(sorted(ENTITIES)),
    body=_BODIES | _VALUES,
    operation=st.sampled_from(["", "update", "delete", "void"]),
)
async def test_any_body_is_answered(busy: Books, entity: str, body: Any, operation: str) -> None:
    status = await send(busy, "POST", entity.lower(), json.dumps(body).encode(), operation=operation)
    assert status in (200, 400, 500)
    assert await busy.held("purchase_orders")


@_FUZZ
@given(
    words=st.lists(
        st.sampled_from(_WORDS),
        max_size=14,
    ),
    tail=st.text(max_size=4),
)
async def test_any_statement_is_answered(busy: Books, words: list[str], tail: str) -> None:
    assert await send(busy, "GET", "query", b"", query=" ".join(words) + tail) in (200, 400)
    assert await send(busy, "POST", "query", f"select * from Bill where {' '.join(words)}".encode()) in (200, 400)


@_FUZZ
@given(
    items=st.lists(
        st.dictionaries(st.sampled_from(["bId", "operation", "Query", "CDCQuery", "Bill", "Term"]), _VALUES) | _VALUES,
        max_size=4,
    )
)
async def test_any_batch_is_answered(busy: Books, items: list[Any]) -> None:
    assert await send(busy, "POST", "batch", json.dumps({"BatchItemRequest": items}).encode()) in (200, 400)


@_FUZZ
@given(entities=st.text(max_size=6) | st.just("Bill,Term"), since=st.text(max_size=12) | st.just("2026-11-30"))
async def test_any_capture_is_answered(busy: Books, entities: str, since: str) -> None:
    assert await send(busy, "GET", "cdc", b"", entities=entities, changedSince=since) in (200, 400)


@_FUZZ
@given(body=st.binary(max_size=60), boundary=st.sampled_from(["x", "--", ""]))
async def test_any_upload_and_form_is_answered(busy: Books, body: bytes, boundary: str) -> None:
    headers = {"authorization": f"Bearer {busy.token}", "content-type": f"multipart/form-data; boundary={boundary}"}
    parts = b"--" + boundary.encode() + b'\nname="file_content_01"\n\n' + body
    answer = await busy.http.post(f"/v3/company/{busy.realm}/upload", content=parts, headers=headers)
    assert answer.status_code in (200, 400, 415)
    for path in ("/oauth2/v1/tokens/bearer", "/v2/oauth2/tokens/revoke"):
        assert (await busy.http.post(path, content=body)).status_code in (400, 401)
