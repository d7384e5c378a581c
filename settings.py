"""Read what the processes take from the environment; no other module reads it, and no secret has a default.

Our own variables begin with `POSYNC_`. Everything about Temporal is in the standard `TEMPORAL_*` variables, which
`temporalio.envconfig` reads.
"""

import atexit
import dataclasses
import os
import re
import time
from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

if TYPE_CHECKING:
    from temporalio.client import Client

PREFIX = "POSYNC_"

DATABASE_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
DATABASE_SHAPE = "a URL such as postgresql://user:password@host:port/database"
KEYS_SHAPE = "one or more Fernet keys, separated by commas, newest first (make one with `posync credentials new-key`)"


class InvalidSettings(Exception):
    """The settings cannot be used. The message is one line that names every fault and what to do about it."""


class TemporalUnreachable(Exception):
    """Temporal does not answer, or its settings cannot be read. The message is one line that says what to do."""


class CommandVariable(StrEnum):
    """Variables that give command-line options their value when the option is not given."""

    STATE_DIR = "POSYNC_STATE_DIR"
    SANDBOX_URL = "POSYNC_SANDBOX_URL"
    INTACCT_PASSWORD = "POSYNC_INTACCT_PASSWORD"
    SENDER_PASSWORD = "POSYNC_SENDER_PASSWORD"
    NETSUITE_CONSUMER_SECRET = "POSYNC_NETSUITE_CONSUMER_SECRET"
    NETSUITE_TOKEN_SECRET = "POSYNC_NETSUITE_TOKEN_SECRET"


OTHERS_VARIABLES = ("POSYNC_DB_PASSWORD", "POSYNC_SHARED")
"""Variables that only `docker-compose.yml` and `bench/` read; no process of the product does."""

_OF_A_CLUSTER = re.compile(r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP)(_\w+)?)?$")
"""Variables that Kubernetes sets in every container for each service; a service may well be called "posync"."""


def _comma_separated(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)]
"""Values separated by commas."""


class _FromEnvironment(BaseSettings):
    """A group of settings; each field's description says which values it takes, in the words that people are shown."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True, extra="ignore"
    )


class Settings(_FromEnvironment):
    """Settings of a worker, an API process and the administrator's commands."""

    database_url: str = Field(repr=False, description=DATABASE_SHAPE)
    credential_keys: Names = Field(repr=False, min_length=1, description=KEYS_SHAPE)
    """The first key encrypts, all of them decrypt (rotation)."""
    allow_loopback: bool = Field(default=False, description="1 or 0")
    """Let connections point at this machine: the sandbox. Off in production, where it would let a tenant reach our own
    network."""
    pool_size: int = Field(default=10, ge=1, le=1000, description="a whole number from 1 to 1000")
    """Number of database connections of one process."""
    keep_answers_days: int = Field(default=30, ge=1, le=3650, description="a whole number of days, from 1 to 3650")
    """How long the answer under an Idempotency-Key is kept; the key itself is remembered for good."""
    requests_per_minute: int = Field(default=20_000, ge=1, le=1_000_000, description="a whole number from 1 to 1000000")
    """Requests that one API key may make in a minute, over all API processes."""
    queues: Names = Field(default=(), description="task queues, separated by commas")
    """The task queues that a worker serves; empty: all of them."""
    erp_attempts_per_second: float | None = Field(
        default=None, gt=0, le=10_000, description="a number above 0, up to 10000"
    )
    """Attempts per second that Temporal hands out from each ERP queue a worker serves, over all workers; None: as many
    as they take. Workers of one queue need the same value: the last one that asks decides."""
    strict_workflows: bool = Field(default=False, description="1 or 0")
    """Run workflows in the strict sandbox of the tests, which refuses code that does not replay and takes more CPU."""
    public_url: str | None = Field(default=None, description="a URL such as https://posync.example.com")
    """The address under which ERPs and browsers reach this API: consents come back to it, and webhooks go to it."""
    qbo_client_id: str | None = Field(default=None, description="the id of your app at developer.intuit.com")
    qbo_client_secret: str | None = Field(
        default=None, repr=False, description="the secret of your app at developer.intuit.com"
    )
    qbo_verifier_token: str | None = Field(
        default=None, repr=False, description="the verifier token of your app's webhooks at developer.intuit.com"
    )
    web_connector_hold_seconds: float = Field(default=10, ge=0, le=15, description="seconds, from 0 to 15")
    """How long a QuickBooks Web Connector waits for the next document while work of its session is under way."""
    web_connector_busy_seconds: float = Field(default=60, ge=0, le=3600, description="seconds, from 0 to 3600")
    """How long a session of a QuickBooks Web Connector that does not call keeps a second one of its company out."""
    build_id: str | None = Field(
        default=None, description="any text that names this build, for example the image's tag"
    )
    """With it workers are versioned: nothing runs until one build is current (`posync deployment set-current`)."""

    @field_validator("database_url")
    @classmethod
    def _names_a_database(cls, url: str) -> str:
        return _checked_database_url(url)

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not parts.hostname or parts.scheme not in (("http", "https") if local else ("https",)):
            raise ValueError("no HTTPS address")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _app_is_whole(self) -> "Settings":
        if (self.qbo_client_id is None) != (self.qbo_client_secret is None):
            raise ValueError("set POSYNC_QBO_CLIENT_ID and POSYNC_QBO_CLIENT_SECRET together, or neither of them")
        return self

    @property
    def keep_answers(self) -> timedelta:
        """Return how long the answer under an Idempotency-Key is kept."""
        return timedelta(days=self.keep_answers_days)

    @field_validator("credential_keys")
    @classmethod
    def _are_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        return _checked_keys(keys)


class StackSettings(_FromEnvironment):
    """Servers and keys that `posync up` uses in place of its own."""

    database_url: str | None = Field(default=None, repr=False, description=DATABASE_SHAPE)
    credential_keys: Names | None = Field(default=None, repr=False, min_length=1, description=KEYS_SHAPE)
    temporal_address: str | None = Field(default=None, validation_alias="TEMPORAL_ADDRESS", description="host:port")
    qbo_client_id: str | None = Field(default=None, description="the id of your app at developer.intuit.com")
    """With an app of one's own the sandbox's is not used."""

    @field_validator("database_url")
    @classmethod
    def _names_a_database(cls, url: str | None) -> str | None:
        return url and _checked_database_url(url)

    @field_validator("credential_keys")
    @classmethod
    def _are_keys(cls, keys: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return keys and _checked_keys(keys)


class ApiAccess(_FromEnvironment):
    """Address and key of a remote API for the commands that talk to one.

    Without them they use the stack of this machine.
    """

    api_url: str | None = Field(default=None, description="a URL such as https://posync.example.com")
    api_key: str | None = Field(default=None, repr=False, description="a key that `posync key create` made")

    @field_validator("api_url")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("no URL")
        return url

    @field_validator("api_key")
    @classmethod
    def _can_be_sent(cls, key: str | None) -> str | None:
        if key is not None and not (key.isascii() and key.isprintable()):
            raise ValueError("a key has only plain letters, digits and underscores")
        return key

    @model_validator(mode="after")
    def _both_or_none(self) -> "ApiAccess":
        if (self.api_url is None) != (self.api_key is None):
            raise ValueError("set POSYNC_API_URL and POSYNC_API_KEY together, or neither of them")
        return self


def _checked_database_url(url: str) -> str:
    from sqlalchemy import make_url  # most commands need no database and start faster without it
    from sqlalchemy.exc import ArgumentError

    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise ValueError("no URL") from error
    if parts.drivername not in DATABASE_SCHEMES or not parts.database:
        raise ValueError("no database URL")
    return url


def _checked_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    from cryptography.fernet import Fernet  # most commands need no key and start faster without it

    for key in keys:
        Fernet(key)  # raises ValueError
    return keys


Kind = TypeVar("Kind", bound=_FromEnvironment)


def _read(kind: type[Kind]) -> Kind:
    """Read one group of settings from the environment.

    Raises:
        InvalidSettings: Something is missing, malformed or unknown.
    """
    faults: list[str] = []
    try:
        settings: Kind | None = kind()
    except ValidationError as error:
        settings = None
        faults = [_explain(kind, one) for one in error.errors(include_input=False, include_url=False)]
    faults += unknown_variables()
    if settings is None or faults:
        raise InvalidSettings("; ".join(faults))
    return settings


def read_settings() -> Settings:
    """Read what a worker, the API and an administrator's commands need.

    Raises:
        InvalidSettings: Something is missing, malformed or unknown; the message names all of it.
    """
    return _read(Settings)


def read_stack_settings() -> StackSettings:
    """Read which servers and keys `posync up` uses in place of its own.

    Raises:
        InvalidSettings: Something is missing, malformed or unknown.
    """
    return _read(StackSettings)


def read_api_access() -> ApiAccess:
    """Read which API the command line talks to.

    Raises:
        InvalidSettings: Something is malformed, or only one of the URL and the key is set.
    """
    return _read(ApiAccess)


def check_variable_names() -> None:
    """Refuse an environment with a `POSYNC_` variable that nothing reads.

    Raises:
        InvalidSettings: There is such a variable; the message names each and the nearest one that exists.
    """
    if faults := unknown_variables():
        raise InvalidSettings("; ".join(faults))


def names_a_database() -> bool:
    """Return whether the environment names the database, well or badly."""
    return f"{PREFIX}DATABASE_URL" in os.environ


def unknown_variables() -> list[str]:
    """Return one sentence for each `POSYNC_` variable that nothing reads; it names the nearest variable that exists."""
    known = known_variables()
    return [
        f"{name} is not a setting of posync{_nearest(name, known)}"
        for name in sorted(os.environ)
        if name.upper().startswith(PREFIX) and name.upper() not in known and not _OF_A_CLUSTER.search(name)
    ]


def known_variables() -> frozenset[str]:
    """Return the names of all variables that may be set."""
    fields = (f"{PREFIX}{name}".upper() for kind in (Settings, ApiAccess) for name in kind.model_fields)
    return frozenset({*fields, *CommandVariable, *OTHERS_VARIABLES})


def inherited_environment(additions: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a child process: ours, overridden by `additions`."""
    return {**os.environ, **additions}


def _nearest(name: str, known: frozenset[str]) -> str:
    nearest = get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.75)
    return f": did you mean {nearest[0]}?" if nearest else ": remove it"


def _explain(kind: type[_FromEnvironment], error: Any) -> str:
    """Say in one sentence what is wrong with one field, without its value: it may be a secret."""
    if not error["loc"]:
        return str(error["ctx"]["error"])
    name = str(error["loc"][0])
    field = kind.model_fields.get(name)
    variable = name if field is None else f"{PREFIX}{name}".upper()
    expected = field.description if field is not None else None
    if error["type"] == "missing":
        return f"{variable} is not set: give {expected}"
    return f"{variable} is malformed: give {expected}"


async def temporal_client(*, lazy: bool = False, address: str | None = None) -> "Client":
    """Return the client that every process uses.

    `lazy` connects at the first call, so that the API starts without Temporal. `address` overrides TEMPORAL_ADDRESS.

    Raises:
        TemporalUnreachable: Nothing answers at the address, or the `TEMPORAL_*` settings cannot be read.
    """
    # The command line reads settings too, and most of its commands start faster than the SDK loads.
    from temporalio.client import Client
    from temporalio.contrib.pydantic import pydantic_data_converter
    from temporalio.envconfig import ClientConfig

    from temporal_gateway.failures import ReadableFailures

    _leave_time_to_end()
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        raise TemporalUnreachable(f"the TEMPORAL_* settings cannot be read: {_one_line(error)}") from error
    config["target_host"] = address = address or config.get("target_host") or "localhost:7233"
    try:
        converter = dataclasses.replace(pydantic_data_converter, failure_converter_class=ReadableFailures)
        client = await Client.connect(**config, data_converter=converter, lazy=lazy)
    except (RuntimeError, ValueError) as error:
        raise TemporalUnreachable(
            f"Temporal at {address} does not answer: start it, or correct TEMPORAL_ADDRESS ({_one_line(error)})"
        ) from error
    if not lazy:
        await _check_namespace(client, address)
    return client


async def _check_namespace(client: "Client", address: str) -> None:
    """Look whether the namespace exists: a client without one connects, and fails at its first use.

    Raises:
        TemporalUnreachable: It does not exist, or Temporal stopped answering.
    """
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
    from temporalio.service import RPCError, RPCStatusCode

    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED):
            return  # it may be used without the right to describe it
        raise TemporalUnreachable(
            f"Temporal at {address} has no namespace {client.namespace!r}: make it, or correct TEMPORAL_NAMESPACE"
            f" ({_one_line(error)})"
        ) from error


@cache
def _leave_time_to_end() -> None:
    # The SDK's threads abort the interpreter when it ends within milliseconds of their last call.
    atexit.register(time.sleep, 0.3)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    # What the SDK's core says of a refused connection is nested seven deep; the system's own error is inside.
    heart = re.search(r'message: "([^"]+)"', text)
    return heart.group(1) if heart else text[:300]
