"""A connection's days: today, what is past, and when a payment's day begins there (issue 15, item 7)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.messages.payments import PaymentScheduled
from models.store.base.database import Database
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    PREFERENCES,
    ApiClient,
    a_problem,
    an_order,
    billed,
    connected,
    mirrored,
    new_connection,
    pushed,
)
from tests.harness.waiting import eventually

FIRST_TO_SEE_A_DAY, LAST_TO_SEE_A_DAY = "Pacific/Kiritimati", "Pacific/Pago_Pago"
"""14 hours before UTC, and 11 behind it: never the same day."""


async def in_zone(api: ApiClient, time_zone: str) -> tuple[str, date]:
    """A connection whose days are those of the zone; its id and its today."""
    connection_id = await connected(api)
    body = {"preferences": PREFERENCES, "time_zone": time_zone}
    answer = await api.put(f"/v1/connections/{connection_id}/preferences", body)
    assert answer.status_code == 200, answer.text
    shown = answer.json()["connection"]
    assert shown["time_zone"] == time_zone
    return connection_id, date.fromisoformat(shown["today"])


async def test_today_is_the_connections(api: ApiClient, database: Database) -> None:
    """Drafts, reports and the connection itself say its day; the organization's report the latest of them."""
    east, early = await in_zone(api, FIRST_TO_SEE_A_DAY)
    west, late = await in_zone(api, LAST_TO_SEE_A_DAY)
    assert early - late >= timedelta(days=1)
    for connection_id, today in ((east, early), (west, late)):
        order_id = await mirrored(database, connection_id, an_order("PO-1"))
        draft = (await api.get(f"/v1/purchase-orders/{order_id}/bill-draft")).json()
        assert draft["bill_date"] == today.isoformat()
        report = (await api.get("/v1/reports/grni", connection=connection_id)).json()
        assert report["as_of"] == today.isoformat()
    assert (await api.get("/v1/reports/grni")).json()["as_of"] == early.isoformat()


@pytest.mark.parametrize("time_zone", [FIRST_TO_SEE_A_DAY, LAST_TO_SEE_A_DAY])
async def test_a_payments_day_is_the_connections(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal, time_zone: str
) -> None:
    """Yesterday there is past, whatever day it is in UTC; a day begins there, and not in UTC."""
    connection_id, today = await in_zone(api, time_zone)
    order_id = await mirrored(database, connection_id, an_order("PO-1"))
    bill_id = await billed(api, order_id, quantity="4")
    await pushed(database, bill_id)
    path = f"/v1/bills/{bill_id}/payments"
    yesterday, tomorrow = ((today + timedelta(days=days)).isoformat() for days in (-1, 1))
    problem = a_problem(await api.post(path, {"amount": "1.00", "pay_on": yesterday}), 422, "PAY_ON_IS_PAST")
    assert today.isoformat() in problem["detail"]
    assert (await api.post(path, {"amount": "1.00", "pay_on": today.isoformat()})).status_code == 201
    later = await api.post(path, {"amount": "1.00", "pay_on": tomorrow})
    payment_id = later.json()["payment"]["id"]
    assert later.json()["payment"]["waits_for"]["what"] == "day"
    begins = datetime.combine(today + timedelta(days=1), datetime.min.time(), ZoneInfo(time_zone)).astimezone(UTC)

    def told() -> datetime | None:
        messages = [message for _, _, message in fake_temporal.signals if isinstance(message, PaymentScheduled)]
        return next((one.starts_at for one in messages if one.payment_id == payment_id), None)

    assert await eventually(told) == begins


async def test_an_unknown_time_zone_is_refused(api: ApiClient) -> None:
    """It says what such names are like."""
    for name in ("New York", "EST5EDT7", "../../etc/passwd", ""):
        answer = await api.post("/v1/connections", new_connection(time_zone=name))
        assert "America/New_York" in str(a_problem(answer, 422, "VALIDATION_FAILED")), name
    created = await api.post("/v1/connections", new_connection(time_zone="Asia/Kolkata"))
    assert created.json()["time_zone"] == "Asia/Kolkata"
