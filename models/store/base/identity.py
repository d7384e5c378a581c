"""Make the ids of rows: random where a person causes the row, derived where a repeat must find the same row."""

import hashlib
import secrets

from models.domain.ids import readable


def new_id(prefix: str) -> str:
    """Return a new random id such as `key_9f86d081884c7d659a2feaa0`."""
    return f"{prefix}_{secrets.token_hex(12)}"


def derived_id(prefix: str, *parts: str) -> str:
    """Return the same id for the same parts every time: a repeated import finds the row it made before."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest()
    return f"{prefix}_{digest}"


def named_id(prefix: str, number: str, *parts: str) -> str:
    """Return the same id for the same request every time, with a number in it such as `bill_INV-2041_9f86d081884c7d65`.

    The parts make it unique; people read the number.
    """
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]
    return "_".join(part for part in (prefix, readable(number), digest) if part)


def digest_of(named: str) -> str:
    """Return the part of an id that makes it unique."""
    return named.rpartition("_")[2]
