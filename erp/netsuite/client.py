"""One account's SOAP service: signed requests, the limit of calls in flight, and errors raised as typed ones.

One `call` is one HTTP request with a passport of its own. Nothing is retried here: a repeat with the same passport
would be refused as a failed login, and whether to repeat is Temporal's to decide.
"""

import asyncio
import weakref
from collections.abc import Mapping
from typing import Any

import httpx
from lxml import etree

from erp.authorities import trusted_authorities
from erp.connector import ConnectionSettings, Credentials
from erp.netsuite import faults, wire
from erp.netsuite.address import Address, address
from erp.netsuite.passport import passport
from erp.netsuite.soap import Soap, language

CONNECT_TIMEOUT_SECONDS = 10

LONGEST_ANSWER = 5
"""How many times the timeout of one step a whole call may take."""

LONGEST_BODY = 100 * 1024 * 1024
"""NetSuite's own limit of a message (section 6.3)."""

# One pool of concurrency per account over SOAP, REST and RESTlets (section 6.3), so the limit is shared by all
# connectors of this process. Semaphores belong to one event loop, hence the outer key.
_in_flight: weakref.WeakKeyDictionary[
    asyncio.AbstractEventLoop, weakref.WeakValueDictionary[tuple[str, str], asyncio.Semaphore]
] = weakref.WeakKeyDictionary()


class NetSuiteClient:
    """The service as one connection's token sees it. Cheap to make: the WSDL is the process's, not the client's."""

    def __init__(
        self,
        settings: ConnectionSettings,
        credentials: Credentials,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self.account = credentials.values.get("account", "")
        self.token = credentials.values.get("token_id", "")
        self.entity: str | None = credentials.values.get("entity") or None
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(settings.timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            headers={"Content-Type": "text/xml; charset=utf-8", "Accept-Encoding": "gzip"},
            trust_env=not settings.allow_loopback,
            verify=trusted_authorities(trust_env=not settings.allow_loopback),
        )
        self._limit: asyncio.Semaphore | None = None

    def __repr__(self) -> str:
        return f"NetSuiteClient(account={self.account!r}, entity={self.entity!r})"

    @property
    def endpoint(self) -> str:
        return self._settings.endpoint

    async def soap(self) -> Soap:
        """What builds requests for this endpoint's version."""
        return await language(self._address())

    async def call(
        self,
        operation: str,
        body: Mapping[str, Any],
        *,
        writing: bool = False,
        search: Mapping[str, Any] | None = None,
        preferences: Mapping[str, Any] | None = None,
    ) -> etree._Element:
        """Send one operation; gives the element `<operation>Response`. `search` and `preferences` are headers.

        Raises the fault's error, or what became of the call; refusals of single records are for the caller to read.
        """
        where = self._address()
        soap = await language(where)
        async with self._semaphore(where):
            # Signed only now: a passport is good for five minutes, and waiting for a turn may take longer.
            headers: dict[str, Any] = {"tokenPassport": passport(self._credentials)}
            if search is not None:
                headers["searchPreferences"] = search
            if preferences is not None:
                headers["preferences"] = preferences
            content = soap.envelope(operation, headers, body)
            try:
                # httpx limits each step; an answer that drips in would pass every step and never end.
                async with asyncio.timeout(self._settings.timeout_seconds * LONGEST_ANSWER):
                    response = await self._http.post(
                        where.endpoint, content=content, headers={"SOAPAction": f'"{operation}"'}
                    )
            except (httpx.HTTPError, TimeoutError) as error:
                raise faults.transport_error(error, writing=writing) from None
        return _evaluate(response, f"{operation}Response", writing=writing)

    async def close(self) -> None:
        await self._http.aclose()

    def _address(self) -> Address:
        return address(self._settings.endpoint, allow_loopback=self._settings.allow_loopback)

    def _semaphore(self, where: Address) -> asyncio.Semaphore:
        if self._limit is None:
            limits = _in_flight.setdefault(asyncio.get_running_loop(), weakref.WeakValueDictionary())
            key = (where.host, self.account.casefold())
            semaphore = limits.get(key)
            if semaphore is None:
                semaphore = limits[key] = asyncio.Semaphore(self._settings.max_in_flight)
            self._limit = semaphore
        return self._limit


def _evaluate(response: httpx.Response, expected: str, *, writing: bool) -> etree._Element:
    """The answer's own element. A SOAP fault is one whatever the HTTP status (section 3.2)."""
    body: etree._Element | None = None
    problem = "not an answer of SuiteTalk"
    if len(response.content) > LONGEST_BODY:
        problem = "too long"
    else:
        try:
            root = wire.parse(response.content)
        except (etree.XMLSyntaxError, ValueError) as error:
            problem = str(error)
        else:
            body = wire.child(root, "Body") if wire.local(root.tag) == "Envelope" else None
    fault = wire.child(body, "Fault") if body is not None else None
    if fault is not None:
        raise faults.fault_error(fault, writing=writing)
    if response.status_code != 200:
        raise faults.http_error(response.status_code, writing=writing)
    answer = wire.child(body, expected) if body is not None else None
    if answer is None:
        evidence = {
            "content_type": response.headers.get("Content-Type", ""),
            "bytes": str(len(response.content)),
            "problem": problem,
        }
        raise faults.malformed("NetSuite's answer is not what its protocol says.", writing=writing, evidence=evidence)
    return answer
