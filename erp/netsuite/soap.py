"""SuiteTalk's WSDL, loaded once per process and version, and the envelopes zeep builds from it (reference 1.2, 9.1).

zeep reads 47 documents and needs half a second and 70 MB for them, so this never happens on the event loop, and never
twice. It only builds requests here: answers are read with lxml (docs/decisions/netsuite-transport.md).
"""

import asyncio
import hashlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from lxml import etree
from platformdirs import user_cache_path
from zeep import Client, Settings
from zeep.exceptions import Error as ZeepError
from zeep.transports import Transport

from erp.authorities import trusted_authorities
from erp.errors import ErpError, MalformedAnswer, Rejected, Unavailable
from erp.netsuite.address import Address, trusted_host

_log = logging.getLogger(__name__)

_zeep_client: Any = Client  # zeep ships no types of its own; here is where that is accepted

LARGEST_DOCUMENT = 20 * 1024 * 1024
LOAD_TIMEOUT_SECONDS = 30
"""For one step of one document."""

WHOLE_LOAD_SECONDS = 120
"""For all documents: others wait for their own meanwhile."""

_NAMESPACES = {
    "core": "urn:core_{}.platform.webservices.netsuite.com",
    "messages": "urn:messages_{}.platform.webservices.netsuite.com",
    "common": "urn:common_{}.platform.webservices.netsuite.com",
    "purchases": "urn:purchases_{}.transactions.webservices.netsuite.com",
    "sales": "urn:sales_{}.transactions.webservices.netsuite.com",
}


class Soap:
    """One version's language: builds envelopes, knows types by their short namespace."""

    def __init__(self, client: Any, version: str) -> None:
        self._client = client
        self._service = client.create_service(
            f"{{urn:platform_{version}.webservices.netsuite.com}}NetSuiteBinding",
            # Only zeep's own sending would use it, and we send ourselves.
            "https://posync.invalid/",
        )
        self.version = version

    def make(self, namespace: str, name: str, **values: Any) -> Any:
        """A value of a type that the schema leaves abstract where it is used, so that zeep writes its `xsi:type`."""
        return self._client.get_type(f"{{{_NAMESPACES[namespace].format(self.version)}}}{name}")(**values)

    def envelope(self, operation: str, headers: Mapping[str, Any], body: Mapping[str, Any]) -> bytes:
        """The request as bytes. Raises Rejected when the schema does not allow what is to be sent."""
        try:
            message = self._client.create_message(self._service, operation, _soapheaders=dict(headers), **body)
        except (ZeepError, TypeError, ValueError) as error:
            raise Rejected(
                f"NetSuite's schema does not allow this {operation}: {error}", code="REQUEST_NOT_UNDERSTOOD"
            ) from error
        return etree.tostring(message, xml_declaration=True, encoding="utf-8")


_loaded: dict[str, Soap] = {}
_loading = threading.Lock()


async def language(address: Address) -> Soap:
    """The language of an endpoint. Raises Unavailable or MalformedAnswer while its WSDL cannot be had."""
    known = _loaded.get(_name(address))
    if known is not None:
        return known
    return await asyncio.to_thread(_load, address, LOAD_TIMEOUT_SECONDS)


def _name(address: Address) -> str:
    # One version is the same at every account; the sandbox's is its own.
    return address.wsdl if address.loopback else address.version


def _load(address: Address, timeout: float) -> Soap:
    with _loading:
        known = _loaded.get(_name(address))
        if known is not None:
            return known
        soap = _read(address, timeout)
        _loaded[_name(address)] = soap
        return soap


def _read(address: Address, timeout: float) -> Soap:
    try:
        return _soap(address, timeout, cached=not address.loopback)
    except MalformedAnswer as error:
        if address.loopback:
            raise
        _log.warning("NetSuite's WSDL as kept on disk is not usable and is fetched anew: %s", error.evidence)
    return _soap(address, timeout, cached=False)


def _soap(address: Address, timeout: float, *, cached: bool) -> Soap:
    documents = _Documents(address, timeout, cached=cached)
    # A WSDL consists of references; which hosts they may lead to is `_Documents` to say.
    settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=False)
    try:
        return Soap(_zeep_client(address.wsdl, transport=documents, settings=settings), address.version)
    except ErpError:
        raise
    except Exception as error:
        # What is no WSDL makes zeep raise its own errors, lxml's and plain ones.
        raise MalformedAnswer(
            f"NetSuite's WSDL cannot be read ({type(error).__name__}).",
            code="MALFORMED_ANSWER",
            evidence={"problem": str(error)},
        ) from error
    finally:
        documents.close()


class _Documents(Transport):
    """Fetches WSDL and schemas from trusted hosts only, and keeps NetSuite's own on disk: they never change."""

    def __init__(self, address: Address, timeout: float, *, cached: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._allow_loopback = address.loopback
        self._keep = not address.loopback
        self._cached = cached
        self._folder = user_cache_path("posync") / "netsuite" / address.version
        self._ends = time.monotonic() + WHOLE_LOAD_SECONDS
        trust_env = not address.loopback
        self._http = httpx.Client(timeout=timeout, trust_env=trust_env, verify=trusted_authorities(trust_env=trust_env))

    def load(self, url: str) -> bytes:
        if not trusted_host(url, allow_loopback=self._allow_loopback):
            raise MalformedAnswer(
                f"NetSuite's WSDL refers to {urlsplit(url).hostname}, which is not NetSuite's.", code="MALFORMED_ANSWER"
            )
        # The account is part of the host, so the path names the document.
        kept = self._folder / hashlib.sha256(urlsplit(url).path.encode()).hexdigest()
        if self._cached and kept.is_file():
            return kept.read_bytes()
        content = self._fetch(url)
        if self._keep:
            _write(kept, content)
        return content

    def close(self) -> None:
        self._http.close()
        self.session.close()

    def _fetch(self, url: str) -> bytes:
        if time.monotonic() > self._ends:
            raise Unavailable("NetSuite's WSDL takes too long to come.", code="ERP_NO_ANSWER")
        try:
            response = self._http.get(url)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"NetSuite's WSDL cannot be fetched ({type(error).__name__}).", code="ERP_UNREACHABLE"
            ) from None
        if response.status_code >= 500:
            raise Unavailable(f"NetSuite answered HTTP {response.status_code} for its WSDL.", code="ERP_OUTAGE")
        if response.status_code != 200:
            raise Unavailable(
                f"The address answered HTTP {response.status_code} for NetSuite's WSDL.",
                code="ENDPOINT_REFUSED",
                evidence={"path": urlsplit(url).path},
            )
        if len(response.content) > LARGEST_DOCUMENT:
            raise MalformedAnswer("NetSuite's WSDL is too large to be one.", code="MALFORMED_ANSWER")
        return response.content


def _write(path: Path, content: bytes) -> None:
    """Keep a document. A disk that cannot is no reason to stop: the next process fetches it again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError as error:
        _log.warning("NetSuite's WSDL cannot be kept on disk: %s", error)
