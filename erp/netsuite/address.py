"""Where an account lives: service and WSDL addresses, and which hosts may be told a secret (reference 1.1)."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from erp.errors import AuthenticationFailed

VERSIONS = ("2023_2", "2024_1", "2024_2", "2025_1", "2025_2")
"""The endpoint versions this connector speaks; they differ in their namespaces and a few added optional fields."""

_SERVICE = re.compile(r"/services/NetSuitePort_(?P<version>\d{4}_\d)$")
_HOST = re.compile(r"([a-z0-9-]+\.)+netsuite\.com")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Address(NamedTuple):
    """A trusted service address, and its version."""

    endpoint: str
    host: str
    version: str
    loopback: bool

    @property
    def wsdl(self) -> str:
        return f"{self.endpoint.partition('/services/')[0]}/wsdl/v{self.version}_0/netsuite.wsdl"


def trusted_host(url: str, *, allow_loopback: bool) -> bool:
    """Whether secrets, or a WSDL that says where they go, may travel to this address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        parts.port  # noqa: B018 reading it is what checks it
    except ValueError:
        return False
    if parts.scheme == "https" and _HOST.fullmatch(host):
        return True
    return allow_loopback and parts.scheme in ("http", "https") and host in _LOOPBACK


def address(endpoint: str, *, allow_loopback: bool) -> Address:
    """The address of a connection. Raises AuthenticationFailed for a host that is not NetSuite's, or a version that is
    not spoken here."""
    parts = urlsplit(endpoint)
    if not trusted_host(endpoint, allow_loopback=allow_loopback):
        raise AuthenticationFailed(
            f"The address {parts.scheme}://{parts.hostname or ''} is not NetSuite's; nothing was sent to it.",
            code="ENDPOINT_NOT_TRUSTED",
            evidence={"host": parts.hostname or ""},
        )
    match = _SERVICE.search(parts.path)
    if match is None or match["version"] not in VERSIONS:
        raise AuthenticationFailed(
            f"The address does not end in /services/NetSuitePort_ and one of {', '.join(VERSIONS)}.",
            code="ENDPOINT_VERSION_UNKNOWN",
            evidence={"path": parts.path},
        )
    return Address(endpoint, parts.netloc, match["version"], (parts.hostname or "") in _LOOPBACK)
