"""Whom HTTPS connections to ERPs trust."""

import ssl
from functools import cache

import httpx


@cache
def trusted_authorities(*, trust_env: bool) -> ssl.SSLContext:
    """Read once per process: reading all authorities takes 20 ms of CPU, more than a call."""
    return httpx.create_ssl_context(trust_env=trust_env)
