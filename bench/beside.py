"""One more caller, on an order beside a burst, in a process of its own.

Its figures are what another customer sees. In the process of two hundred callers it would mostly wait for these.
"""

import http.client
import json
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PAUSE = 0.05
"""Seconds between two bills."""


class Posted(NamedTuple):
    """A bill and how it was answered."""

    number: str
    price: str
    status: int
    body: dict[str, Any]
    milliseconds: float
    began: float
    """By the machine's clock."""


def post_until_stopped(
    pipe: Connection, api_url: str, api_key: str, order_id: str, prices: list[str], prefix: str
) -> None:
    """Post bill after bill of these prices, each until it has an answer, until something comes through the pipe; then
    send what was posted."""
    posted: list[Posted] = []
    caller = _Caller(api_url, api_key, f"/v1/purchase-orders/{order_id}/bills")
    pipe.send("ready")
    while not pipe.poll() and len(posted) < len(prices):
        number, price = f"{prefix}-{len(posted)}", prices[len(posted)]
        began, at = time.perf_counter(), time.time()
        status, body = caller.post(number, price)
        posted.append(Posted(number, price, status, body, 1000 * (time.perf_counter() - began), at))
        time.sleep(PAUSE)
    pipe.send([tuple(one) for one in posted])


class _Caller:
    def __init__(self, api_url: str, api_key: str, path: str) -> None:
        self._address = urlsplit(api_url).netloc
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        self._path = path
        self._http = http.client.HTTPConnection(self._address, timeout=60)

    def post(self, number: str, price: str) -> tuple[int, dict[str, Any]]:
        """Post one bill and repeat it under its key until it is answered."""
        body = json.dumps(
            {
                "number": number,
                "bill_date": datetime.now(UTC).date().isoformat(),
                "lines": [{"order_line_no": 1, "quantity": "1", "price": price}],
            }
        )
        while True:
            try:
                self._http.request("POST", self._path, body, {**self._headers, "Idempotency-Key": number})
                answer = self._http.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self._http.close()
                time.sleep(0.2)
                continue
            if answer.status < 500 and answer.status != 429:
                return answer.status, json.loads(content)
            time.sleep(min(float(answer.headers.get("Retry-After", "0.2")), 2.0))
