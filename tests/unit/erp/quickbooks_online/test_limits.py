"""Too many calls: the whole connection waits as long as it is told; and a company of another region (reference 4)."""

from datetime import timedelta

import httpx
import pytest

from erp.errors import Throttled
from erp.quickbooks_online import pause
from models.domain.ids import ErpId
from tests.unit.erp.quickbooks_online.service import Service, throttle


@pytest.mark.parametrize("writing", [False, True])
async def test_after_a_throttle_nothing_is_sent_until_its_time_is_over(
    writing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither reads nor writes; then all goes on."""
    clock = [1000.0]
    monkeypatch.setattr(pause, "now", lambda: clock[0])
    service = Service()
    connector = service.connector()
    await connector.check()

    def slow_down(request: httpx.Request) -> httpx.Response:
        answer = throttle()
        answer.headers["Retry-After"] = "20"
        return answer

    async def call() -> None:
        if writing:
            await connector.order_sink._writer.write("Bill", {}, request_id="r")
        else:
            await connector.orders.read(ErpId("190"))

    service.answer_first("/bill" if writing else "/query", slow_down)
    service.calls.clear()
    for elapsed, left in ((0, 20), (5, 15)):
        clock[0] = 1000.0 + elapsed
        with pytest.raises(Throttled) as caught:
            await call()
        assert (caught.value.code, caught.value.retry_after) == ("ERP_THROTTLED", timedelta(seconds=left))
    assert len(service.calls) == 1
    clock[0] = 1020.0
    assert (await connector.orders.read(ErpId("190"))).purchase_order.number == "PO-1007"


@pytest.mark.parametrize(("country", "codes"), [("US", []), ("GB", ["REGION_NOT_TAKEN"]), ("", [])])
async def test_a_company_of_another_region_is_told_before_anything_is_sent(country: str, codes: list[str]) -> None:
    """Its documents carry tax codes of their own: the connection is not complete, with the reason."""
    service = Service()
    service.country = country
    problems = await service.connector().check_preferences({})
    assert [problem.code for problem in problems] == codes
    assert not service.writes()
