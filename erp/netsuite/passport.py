"""Token-based authentication: one signed passport for one attempt (reference 2.1)."""

import base64
import hashlib
import hmac
import secrets
import string
import time
from collections.abc import Mapping

from erp.connector import Credentials
from erp.errors import AuthenticationFailed

ALGORITHM = "HMAC-SHA256"
NONCE_LENGTH = 20
_ALPHABET = string.ascii_letters + string.digits

NEEDED = ("account", "consumer_key", "consumer_secret", "token_id", "token_secret")


def signature(values: Mapping[str, str], nonce: str, timestamp: int) -> str:
    """Base64 of the HMAC over `account&consumerKey&token&nonce&timestamp`, keyed by both secrets."""
    base = "&".join((values["account"], values["consumer_key"], values["token_id"], nonce, str(timestamp)))
    key = f"{values['consumer_secret']}&{values['token_secret']}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def passport(credentials: Credentials) -> Mapping[str, object]:
    """A fresh `tokenPassport`: a repeated nonce is refused as a failed login, so it must never be kept for a second
    attempt. Raises AuthenticationFailed when a credential is absent."""
    values = credentials.values
    absent = [name for name in NEEDED if not values.get(name)]
    if absent:
        raise AuthenticationFailed(f"The connection lacks {', '.join(absent)}.", code="AUTH_CREDENTIALS_MISSING")
    nonce = "".join(secrets.choice(_ALPHABET) for _ in range(NONCE_LENGTH))
    timestamp = int(time.time())
    return {
        "account": values["account"],
        "consumerKey": values["consumer_key"],
        "token": values["token_id"],
        "nonce": nonce,
        "timestamp": timestamp,
        "signature": {"_value_1": signature(values, nonce, timestamp), "algorithm": ALGORITHM},
    }
