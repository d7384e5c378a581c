"""Call one account's SOAP service: signed requests, the limit of calls in flight, and errors raised as typed ones.

One `call` is one HTTP request with a passport of its own. Nothing is retried here: a repeat with the same passport
would be refused as a failed login, and Temporal decides whether to repeat.
"""

from collections.abc import Mapping
from typing import Any

import httpx
from lxml import etree

from erp.clock import ErpClock
from erp.connection import ConnectionSettings
from erp.netsuite import answers
from erp.netsuite.auth import Address, address, passport
from erp.netsuite.soap import Soap, language
from erp.sign_in import Credentials
from erp.transport import Transport


class NetSuiteClient:
    """The service as one connection's token sees it. It is cheap to make: the WSDL belongs to the process, not to the
    client."""

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
        self._transport = Transport(
            "NetSuite",
            settings,
            company=self.account,
            headers={"Content-Type": "text/xml; charset=utf-8"},
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"NetSuiteClient(account={self.account!r}, entity={self.entity!r})"

    @property
    def endpoint(self) -> str:
        """Return the address calls go to."""
        return self._settings.endpoint

    async def soap(self) -> Soap:
        """Return what builds requests for this endpoint's version."""
        return await language(self._address())

    async def call(
        self,
        operation: str,
        body: Mapping[str, Any],
        *,
        writing: bool = False,
        search: Mapping[str, Any] | None = None,
    ) -> etree._Element:
        """Send one operation and return the element `<operation>Response`. `search` is a header. Refusals of single
        records are for the caller to read.

        Raises:
            ErpError: the SOAP fault's error, or what happened to the call.
        """
        where = self._address()
        soap = await language(where)
        async with self._transport.turn(where.endpoint):
            # Signed only now: a passport is good for five minutes, and waiting for a turn may take longer.
            headers: dict[str, Any] = {"tokenPassport": passport(self._credentials)}
            if search is not None:
                headers["searchPreferences"] = search
            content = soap.envelope(operation, headers, body)
            answer = await self._transport.post(
                where.endpoint, content, writing=writing, headers={"SOAPAction": f'"{operation}"'}
            )
        return answers.read(answer, f"{operation}Response", writing=writing)

    @property
    def clock(self) -> ErpClock:
        """Return the ERP's clock, as its answers show it."""
        return self._transport.clock

    async def close(self) -> None:
        """Close the HTTP connections."""
        await self._transport.close()

    def _address(self) -> Address:
        return address(self._settings.endpoint, allow_loopback=self._settings.allow_loopback)
