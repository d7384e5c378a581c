"""What the processes take from the environment. Everything about Temporal is in the standard `TEMPORAL_*` variables,
read by `temporalio.envconfig`; nothing secret has a default."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig


class SettingMissing(Exception):
    """A variable without which the process cannot start."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One process's settings."""

    database_url: str = field(repr=False)
    credential_keys: Sequence[str] = field(repr=False)
    """Fernet keys; the first one encrypts, all of them decrypt (rotation)."""
    allow_loopback: bool = False
    """Let connections point at this machine: the sandbox. Off in production, where it would let a tenant reach
    our own network."""
    pool_size: int = 10
    keep_answers: timedelta = timedelta(days=30)
    """How long the answer under an Idempotency-Key is kept; the key itself is remembered for good."""


def settings_from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises SettingMissing naming the variable."""
    values = os.environ if environment is None else environment
    url = values.get("POSYNC_DATABASE_URL", "")
    if not url:
        raise SettingMissing("POSYNC_DATABASE_URL is not set: postgresql://user:password@host:port/database")
    keys = [key.strip() for key in values.get("POSYNC_CREDENTIAL_KEYS", "").split(",") if key.strip()]
    if not keys:
        raise SettingMissing(
            "POSYNC_CREDENTIAL_KEYS is not set: one or more Fernet keys, comma separated, newest first"
        )
    return Settings(
        database_url=url,
        credential_keys=keys,
        allow_loopback=values.get("POSYNC_ALLOW_LOOPBACK", "").lower() in ("1", "true", "yes"),
        pool_size=int(values.get("POSYNC_POOL_SIZE", "10")),
        keep_answers=timedelta(days=int(values.get("POSYNC_KEEP_ANSWERS_DAYS", "30"))),
    )


async def temporal_client(*, lazy: bool = False) -> Client:
    """The client every process uses. `lazy` connects at the first call, so that the API starts without Temporal."""
    found = ClientConfig.load_client_connect_config()
    found.setdefault("target_host", "localhost:7233")
    return await Client.connect(**found, data_converter=pydantic_data_converter, lazy=lazy)
