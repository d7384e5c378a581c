"""How a connection signs in: its credentials, and what a person is asked for to make it."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from models.domain.record import Record


class Credentials(Record):
    """The values a connection signs in with. They are decrypted only inside an activity, never in a workflow or a log.

    The keys are the ERP's own names, as its `CredentialsSpec` lists them.
    """

    values: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self.values))})"

    __str__ = __repr__


class SignInKind(StrEnum):
    """How the ERP authorizes a connection."""

    FORM = "form"
    """The values a person enters are enough: they are checked at once, while the person waits."""
    OAUTH = "oauth"
    """The person agrees in a browser, on the ERP's own page; its answer comes back later."""
    WEB_CONNECTOR = "web_connector"
    """A program beside the ERP is set up with values from us, and calls us later."""


class Question(NamedTuple):
    """One value that a person is asked for, under the name that the API and the command line use."""

    name: str
    label: str
    secret: bool = False
    default: str | None = None
    yes_or_no: bool = False
    """True: the answer is `true` or `false`."""


class CredentialsSpec(NamedTuple):
    """What a person gives to connect one kind of ERP. It is known before there is a connection to ask.

    Every ERP folder has its own in `auth.py`. The command line asks for what is listed here.
    """

    kind: SignInKind
    what: str
    """What is connected, in words: `a Sage Intacct company`."""
    company: str | None
    """The credential that names the company; None: only the ERP can say."""
    credentials: tuple[Question, ...]
    """The required credentials; all values are text."""
    may_be_given: tuple[str, ...]
    """Names of the optional credentials."""
    entity: Question | None
    """The entity that the sync may be limited to, by the ERP's own word for it; None: the ERP has none."""
    preferences: tuple[Question, ...]
    """The sync preferences that most people set at once."""
    default_endpoint: Callable[[Mapping[str, str]], str]
    """Returns the vendor's own address for these credentials: some vendors give every customer a host of its own."""
    max_in_flight: int
    """Calls at once by default: few enough for an account that other programs use too."""
    read_lag_seconds: int = 120
    """By default: how long reads may lag behind writes."""
    user_is_token: bool = False
    """Who signs in is known by part of a secret; people see its last characters only."""

    @property
    def names(self) -> list[str]:
        """Return the names of the required credentials."""
        return [question.name for question in self.credentials]

    def missing(self, given: Mapping[str, str]) -> list[str]:
        """Return the names of required credentials that are absent or empty."""
        return [name for name in self.names if not given.get(name)]

    def unknown(self, given: Mapping[str, str]) -> list[str]:
        """Return the given names that this ERP does not use; usually they are misspelt."""
        return sorted(set(given) - {*self.names, *self.may_be_given})
