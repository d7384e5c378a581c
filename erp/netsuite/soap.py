"""Load SuiteTalk's WSDL, once per process, host and version, and build envelopes with zeep (reference 1.2, 9.1).

Every account has a host of its own, so what one tenant's host serves must never be what another tenant's calls are
built from: descriptions are kept per host, in memory and on disk, and lead to no other host. Hosts that serve the same,
byte for byte, share the memory.

zeep reads 47 documents and needs half a second and 70 MB for them, so this never happens on the event loop, and never
twice. zeep only builds requests here; answers are read with lxml (docs/decisions/0007-netsuite-transport.md).
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

from erp.errors import ErpError, MalformedAnswer, Rejected, Unavailable
from erp.netsuite.auth import Address, trusted_host
from erp.transport import host_of, refuse_packed_twice, trusted_authorities

_log = logging.getLogger(__name__)

_zeep_client: Any = Client  # zeep ships no types of its own; here is where that is accepted

LARGEST_DOCUMENT = 20 * 1024 * 1024
LOAD_TIMEOUT_SECONDS = 30
"""Seconds for one step of loading one document."""

WHOLE_LOAD_SECONDS = 120
"""Seconds for loading all documents; other versions wait meanwhile."""

COMMON_HOST = "webservices.netsuite.com"
"""NetSuite's own host, no customer's: it serves the same documents (section 1.1)."""

_NAMESPACES = {
    "core": "urn:core_{}.platform.webservices.netsuite.com",
    "messages": "urn:messages_{}.platform.webservices.netsuite.com",
    "common": "urn:common_{}.platform.webservices.netsuite.com",
    "purchases": "urn:purchases_{}.transactions.webservices.netsuite.com",
    "sales": "urn:sales_{}.transactions.webservices.netsuite.com",
    "relationships": "urn:relationships_{}.lists.webservices.netsuite.com",
    "accounting": "urn:accounting_{}.lists.webservices.netsuite.com",
}


class Soap:
    """One version's schema: it builds envelopes and knows types by their short namespace."""

    def __init__(self, client: Any, version: str) -> None:
        self._client = client
        self._service = client.create_service(
            f"{{urn:platform_{version}.webservices.netsuite.com}}NetSuiteBinding",
            # Only zeep's own transport would use it, and we send requests ourselves.
            "https://posync.invalid/",
        )
        self.version = version

    def make(self, namespace: str, name: str, /, **values: Any) -> Any:
        """Return a value of a type that the schema leaves abstract here, so that zeep writes its `xsi:type`."""
        return self._client.get_type(f"{{{_NAMESPACES[namespace].format(self.version)}}}{name}")(**values)

    def envelope(self, operation: str, headers: Mapping[str, Any], body: Mapping[str, Any]) -> bytes:
        """Return the request as bytes.

        Raises:
            Rejected: the schema does not allow what is to be sent.
        """
        try:
            message = self._client.create_message(self._service, operation, _soapheaders=dict(headers), **body)
        except (ZeepError, TypeError, ValueError) as error:
            raise Rejected(
                f"NetSuite's schema does not allow this {operation}: {error}", code="REQUEST_NOT_UNDERSTOOD"
            ) from error
        return etree.tostring(message, xml_declaration=True, encoding="utf-8")


_loaded: dict[str, Soap] = {}
"""By the address of the WSDL."""

_same: dict[str, Soap] = {}
"""By what was read: the content of all its documents."""

_loading = threading.Lock()


async def language(address: Address) -> Soap:
    """Return the schema of an endpoint's version.

    Raises:
        Unavailable: its WSDL cannot be fetched now.
        MalformedAnswer: what was fetched is no usable WSDL.
    """
    known = _loaded.get(_name(address))
    if known is not None:
        return known
    return await asyncio.to_thread(_load, address, LOAD_TIMEOUT_SECONDS)


def _name(address: Address) -> str:
    return address.wsdl


def _load(address: Address, timeout: float) -> Soap:
    with _loading:
        known = _loaded.get(_name(address))
        if known is not None:
            return known
        soap, content = _read(address, timeout)
        _loaded[_name(address)] = known = _same.setdefault(content, soap)
        return known


def _read(address: Address, timeout: float) -> tuple[Soap, str]:
    try:
        return _soap(address, timeout, cached=not address.loopback)
    except MalformedAnswer as error:
        if address.loopback:
            raise
        _log.warning("NetSuite's WSDL as kept on disk is not usable and is fetched anew: %s", error.evidence)
    return _soap(address, timeout, cached=False)


def _soap(address: Address, timeout: float, *, cached: bool) -> tuple[Soap, str]:
    documents = _Documents(address, timeout, cached=cached)
    # A WSDL consists of references; `_Documents` decides which hosts they may lead to.
    settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=False)
    try:
        client = _zeep_client(address.wsdl, transport=documents, settings=settings)
        return Soap(client, address.version), documents.content
    except ErpError:
        raise
    except Exception as error:
        # Given something that is no WSDL, zeep raises its own errors, lxml's and built-in ones.
        raise MalformedAnswer(
            f"NetSuite's WSDL cannot be read ({type(error).__name__}).",
            code="MALFORMED_ANSWER",
            evidence={"problem": str(error)},
        ) from error
    finally:
        documents.close()


class _Documents(Transport):
    """Fetches WSDL and schemas from the connection's own host only, and keeps NetSuite's on disk: they never change."""

    def __init__(self, address: Address, timeout: float, *, cached: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._allow_loopback = address.loopback
        self._keep = not address.loopback
        self._cached = cached
        self._host = address.host
        self._folder = user_cache_path("posync") / "netsuite" / address.host / address.version
        self._read: dict[str, str] = {}
        self._ends = time.monotonic() + WHOLE_LOAD_SECONDS
        trust_env = not address.loopback
        self._http = httpx.Client(timeout=timeout, trust_env=trust_env, verify=trusted_authorities(trust_env=trust_env))

    @property
    def content(self) -> str:
        """Return a digest of all documents that were read. The host that served them is left out of it."""
        return hashlib.sha256(repr(sorted(self._read.items())).encode()).hexdigest()

    def load(self, url: str) -> bytes:
        """Return a document, from disk or from its host.

        Raises:
            MalformedAnswer: the document is on a host that is not trusted, or not the connection's own.
            Unavailable: the document cannot be fetched now.
        """
        if not trusted_host(url, allow_loopback=self._allow_loopback) or not self._is_own(url):
            raise MalformedAnswer(
                f"NetSuite's WSDL refers to {host_of(url)}, which is not the host of this connection.",
                code="MALFORMED_ANSWER",
            )
        content = self._document(url)
        served = content.replace(self._host.encode(), b"host")
        self._read[urlsplit(url).path] = hashlib.sha256(served).hexdigest()
        return content

    def _is_own(self, url: str) -> bool:
        """Return whether a document is on the connection's host, or on the one that NetSuite serves all from."""
        return urlsplit(url).netloc in (self._host, COMMON_HOST)

    def _document(self, url: str) -> bytes:
        # The host is part of the folder, so the path names the document.
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
            with self._http.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as response:
                content = _whole(response)
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
        return content


def _whole(response: httpx.Response) -> bytes:
    """Read a document to its end, counted after unpacking: a small one may unpack to gigabytes."""
    refuse_packed_twice(response, writing=False)
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > LARGEST_DOCUMENT:
            raise MalformedAnswer("NetSuite's WSDL is too large to be one.", code="MALFORMED_ANSWER")
        parts.append(part)
    return b"".join(parts)


def _write(path: Path, content: bytes) -> None:
    """Store a document on disk. A disk that fails is no reason to stop: the next process fetches the document again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except OSError as error:
        _log.warning("NetSuite's WSDL cannot be kept on disk: %s", error)
