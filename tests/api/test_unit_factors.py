"""Telling what a unit is, once per vendor and item (matching rules 3.6, U05)."""

from fractions import Fraction
from typing import Any

import pytest

from models.domain.ids import ConnectionId
from models.store.base.database import Database
from models.store.policies import unit_factors
from models.store.policies.unit_factors import UnitWanted
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    an_order,
    connected,
    mirrored,
)


def a_factor(connection_id: str, **changes: Any) -> dict[str, Any]:
    body = {
        "connection_id": connection_id,
        "vendor_id": "V-1",
        "item_id": "PAPER",
        "unit": "Each",
        "order_unit": "Case",
        "factor": "1/12",
    }
    return {**body, **changes}


@pytest.mark.parametrize(
    ("written", "exact", "shown"),
    [
        ("1/12", Fraction(1, 12), "1/12"),
        ("2/24", Fraction(1, 12), "1/12"),
        ("0.5", Fraction(1, 2), "1/2"),
        ("12", Fraction(12), "12"),
        ("2.5/7.5", Fraction(1, 3), "1/3"),
    ],
)
async def test_a_factor_is_exact(api: ApiClient, database: Database, written: str, exact: Fraction, shown: str) -> None:
    """U04: fractions, never rounded."""
    connection_id = await connected(api)
    told = await api.put("/v1/unit-factors", a_factor(connection_id, factor=written))
    assert told.status_code == 200, told.text
    assert (told.json()["factor"], told.headers["etag"]) == (shown, '"1"')
    wanted = UnitWanted("PAPER", "Each", "Case")
    async with database.transaction() as s:
        assert await unit_factors.factors_for(s, ConnectionId(connection_id), "V-1", [wanted]) == {wanted: exact}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"factor": "0"}, "UNIT_FACTOR_INVALID"),
        ({"factor": "1/0"}, "UNIT_FACTOR_INVALID"),
        ({"factor": "-1"}, "VALIDATION_FAILED"),
        ({"factor": "NaN"}, "VALIDATION_FAILED"),
        ({"factor": 0.5}, "VALIDATION_FAILED"),
        ({"unit": "CASE "}, "UNIT_FACTOR_INVALID"),
        ({"unit": ""}, "VALIDATION_FAILED"),
    ],
)
async def test_what_is_no_conversion_is_refused(api: ApiClient, changes: dict[str, Any], code: str) -> None:
    a_problem(await api.put("/v1/unit-factors", a_factor(await connected(api), **changes)), 422, code)


async def test_a_factor_is_corrected_listed_and_taken_back(api: ApiClient) -> None:
    connection_id = await connected(api)
    told = await api.put("/v1/unit-factors", a_factor(connection_id), if_match='"0"')
    a_problem(await api.put("/v1/unit-factors", a_factor(connection_id), if_match='"0"'), 412, "PRECONDITION_FAILED")
    corrected = await api.put("/v1/unit-factors", a_factor(connection_id, factor="1/10"), if_match='"1"')
    assert (corrected.json()["id"], corrected.json()["version"]) == (told.json()["id"], 2)
    other = await api.put("/v1/unit-factors", a_factor(connection_id, item_id="TAPE", vendor_id="V-2"))
    listed = await api.get("/v1/unit-factors", connection=connection_id)
    assert [(row["item_id"], row["factor"]) for row in listed.json()["items"]] == [("PAPER", "1/10"), ("TAPE", "1/12")]
    narrow = await api.get("/v1/unit-factors", vendor="V-2", limit=1)
    assert [row["id"] for row in narrow.json()["items"]] == [other.json()["id"]]
    path = f"/v1/unit-factors/{told.json()['id']}"
    assert (await api.get(path)).headers["etag"].startswith('"2-')
    a_problem(await api.delete(path, if_match='"1"'), 412, "PRECONDITION_FAILED")
    assert (await api.delete(path, if_match='"2"', why="wrong item")).status_code == 204
    a_problem(await api.get(path), 404, "NOT_FOUND")


async def test_bills_that_wait_are_matched_again(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """The answer is given once; bills held for it go on by themselves, others are left alone."""
    connection_id = await connected(api)
    strict = {"checks": {"price": {"block": {"pct": "0"}}}}
    assert (await api.post("/v1/tolerance-policies", strict)).status_code == 201
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    line = {"order_line_no": 1, "quantity": "1", "price": "14.00"}
    body = {"number": "INV-1", "bill_date": "2026-11-20", "lines": [line]}
    held = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
    assert held.json()["match"]["outcome"] == "HOLD", held.text
    told = await api.put("/v1/unit-factors", a_factor(connection_id, item_id="ITEM-2"))
    assert fake_temporal.signals == []
    told = await api.put("/v1/unit-factors", a_factor(connection_id, item_id="ITEM-1"))
    await api.delete(f"/v1/unit-factors/{told.json()['id']}")
    assert [(signal, why) for _, signal, why in fake_temporal.signals] == [
        ("rematch", "a unit factor for ITEM-1"),
        ("rematch", "a unit factor of ITEM-1 was deleted"),
    ]


async def test_who_may_and_who_may_not(api: ApiClient, other_api: ApiClient) -> None:
    connection_id = await connected(api)
    a_problem(await api.as_("viewer").put("/v1/unit-factors", a_factor(connection_id)), 403, "ROLE_TOO_LOW")
    a_problem(await other_api.put("/v1/unit-factors", a_factor(connection_id)), 404, "NOT_FOUND")
    told = await api.as_("clerk").put("/v1/unit-factors", a_factor(connection_id))
    path = f"/v1/unit-factors/{told.json()['id']}"
    a_problem(await api.as_("clerk").delete(path), 403, "ROLE_TOO_LOW")
    a_problem(await other_api.get(path), 404, "NOT_FOUND")
    a_problem(await other_api.delete(path), 404, "NOT_FOUND")
    assert (await other_api.get("/v1/unit-factors")).json()["items"] == []
