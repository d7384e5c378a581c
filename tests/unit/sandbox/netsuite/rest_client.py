"""Signed REST requests as public clients make them, written apart from the sandbox's own check."""

import secrets
import time
from urllib.parse import quote

import httpx

from tests.unit.sandbox.netsuite.suite import Suite, signature

PATH = "/services/rest/query/v1/suiteql"


def _enc(text: str) -> str:
    return quote(text, safe="-._~")


def authorization(
    query: dict[str, str], *, key: str = "cs&ts", more: dict[str, str] | None = None, path: str = PATH
) -> str:
    """An OAuth 1.0a header by RFC 5849, written apart from the sandbox's."""
    values = {
        "oauth_consumer_key": "ck",
        "oauth_token": "tk",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(time.time())),
        "oauth_nonce": secrets.token_hex(8),
        "oauth_version": "1.0",
        **(more or {}),
    }
    pairs = sorted((_enc(name), _enc(value)) for name, value in {**values, **query}.items())
    parameters = _enc("&".join(f"{name}={value}" for name, value in pairs))
    base = f"POST&{_enc(f'http://sandbox.test:8900{path}')}&{parameters}"
    values["oauth_signature"] = signature(base, key)
    return 'OAuth realm="TSTDRV1", ' + ", ".join(f'{name}="{_enc(value)}"' for name, value in values.items())


async def ask(suite: Suite, text: str, header: str | None = None, **query: str) -> httpx.Response:
    headers = {"prefer": "transient", "authorization": header or authorization(query)}
    return await suite.http.post(PATH, json={"q": text}, params=query, headers=headers)
