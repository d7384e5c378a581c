"""A pretend QuickBooks Online company, and how a stack is connected to it: by consent.

Real: the consent's way through a browser's redirects. Fake: the company, as everything in the sandbox.
"""

import itertools
import secrets
from urllib.parse import urlsplit

import httpx

from sandbox.server import Sandbox
from tests.harness.sandbox_company import SetUp
from tests.harness.stack_client import StackClient

QUICKBOOKS = SetUp(
    erp="quickbooks_online",
    path="",
    entity="",
    credentials={},
    named="",
    preferences={"bank_account": "BOA"},
)

_realms = itertools.count(9130350000000000000 + secrets.randbelow(10**12))


def named_quickbooks(app: Sandbox, name: str) -> None:
    """Give the picked company a number of its own: companies are connected once."""
    service = app.quickbooks_online
    company = service.companies.pop(service.person.realm)
    company.realm = service.person.realm = str(next(_realms))
    service.companies[company.realm] = company


async def connect(api: StackClient, **preferences: str) -> None:
    """Connect by consent: the company's page agrees at once, and sends the browser back."""
    body = {
        "erp": "quickbooks_online",
        "name": "Acme",
        "credentials": {},
        "purchase_orders": True,
        "endpoint": api.company.url,
        "settings": {"allow_loopback": True, "read_lag_seconds": 0, "timeout_seconds": 5},
    }
    created = await api.post("/v1/connections", body)
    assert created.status_code == 201, created.text
    api.connection_id = created.json()["id"]
    async with api.http.only_answers():  # as `StackClient.start` does
        await authorize(api)
        assert (await api.prefer(**preferences))["complete"]
    run = await api.first_sync()
    assert run["state"] == "completed", run


async def authorize(api: StackClient) -> None:
    consent = await api.post(f"/v1/connections/{api.connection_id}/authorization")
    assert consent.status_code == 201, consent.text
    start = urlsplit(consent.json()["url"])
    # The browser's cookies are the client's: what it is sent to lies at another address than the API it was made for.
    opened = await api.http.post(f"{start.path}?{start.query}")
    async with httpx.AsyncClient(verify=False) as browser:  # plain HTTP: certificates cost 20 ms
        back = urlsplit((await browser.get(opened.headers["location"])).headers["location"])
    cookies = "; ".join(f"{name}={value}" for name, value in opened.cookies.items())
    answer = await api.http.get(f"{back.path}?{back.query}", headers={"Cookie": cookies})
    assert answer.status_code == 200, answer.text
