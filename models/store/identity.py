"""How rows get their ids: random where a person causes them, derived where a repeat must meet the same row."""

import hashlib
import secrets


def new_id(prefix: str) -> str:
    """A fresh id such as `key_9f86d081884c7d659a2feaa0`."""
    return f"{prefix}_{secrets.token_hex(12)}"


def derived_id(prefix: str, *parts: str) -> str:
    """The same id for the same parts, always: repeating an import finds the row it made before."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest()
    return f"{prefix}_{digest}"
