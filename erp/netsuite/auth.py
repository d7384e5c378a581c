"""Sign in to NetSuite: the credentials, an account's address, and a passport for each attempt (reference 1.1, 2.1).

There are no sessions, so nothing expires: every request is signed by itself.
"""

import base64
import hashlib
import hmac
import re
import secrets
import string
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from erp.errors import AuthenticationFailed
from erp.sign_in import Credentials, CredentialsSpec, Question, SignInKind
from erp.transport import host_of, is_loopback, is_trusted
from models.domain.unapproved_orders import SHOWN, UNAPPROVED_ORDERS

VERSION = "2023_2"
"""The endpoint version if nobody chose another one. An endpoint's path ends with its version."""


_ACCOUNT = re.compile(r"(?=.{1,42}$)[A-Za-z0-9]+([_-][A-Za-z0-9]+)*")
"""Never two hyphens or underlines in a row: a host that begins with `xn--` is read as one in other letters."""


def own_endpoint(credentials: Mapping[str, str]) -> str:
    """Return the account's own host: `1234567_SB1` is served at `1234567-sb1`.

    Raises:
        AuthenticationFailed: this is no account id of NetSuite, and would name another host.
    """
    if not _ACCOUNT.fullmatch(credentials["account"]):
        raise AuthenticationFailed(
            "A NetSuite account is letters, digits and at most an underline or a hyphen, such as 1234567_SB1.",
            code="AUTH_BAD_CREDENTIALS",
        )
    host = credentials["account"].lower().replace("_", "-")
    return f"https://{host}.suitetalk.api.netsuite.com/services/NetSuitePort_{VERSION}"


CREDENTIALS_SPECS = CredentialsSpec(
    kind=SignInKind.FORM,
    what="an Oracle NetSuite account",
    company="account",
    credentials=(
        Question("account", "The account id as NetSuite shows it, for example 1234567_SB1."),
        Question("consumer_key", "The consumer key of the integration record."),
        Question("token_id", "The id of the access token."),
        Question("consumer_secret", "The consumer secret of the integration record.", secret=True),
        Question("token_secret", "The secret of the access token.", secret=True),
    ),
    may_be_given=("entity",),
    entity=Question("subsidiary", "Limit the sync to this subsidiary, by its internal id."),
    preferences=(
        Question("bank_account", "The account bills are paid from."),
        Question(
            "bill_in_advance",
            "Whether the account bills in advance of receipt; default: ask NetSuite.",
            yes_or_no=True,
        ),
        Question(
            UNAPPROVED_ORDERS,
            f"`{SHOWN}`: orders that are not approved yet come in, too, and take no bill. Default: they stay out.",
        ),
    ),
    default_endpoint=own_endpoint,
    user_is_token=True,
    max_in_flight=2,  # the smallest account has five calls at once, for all its programs together (reference 6.3)
)


# --- where -----------------------------------------------------------------------------------------------------

VERSIONS = ("2023_2", "2024_1", "2024_2", "2025_1", "2025_2")
"""The endpoint versions this connector supports. They differ in their namespaces and in a few added optional fields."""

_SERVICE = re.compile(r"/services/NetSuitePort_(?P<version>\d{4}_\d)$")
_HOST = re.compile(r"([a-z0-9-]+\.)+netsuite\.com")


class Address(NamedTuple):
    """A trusted service address and its version."""

    endpoint: str
    host: str
    version: str
    loopback: bool

    @property
    def wsdl(self) -> str:
        """Return the address of the version's WSDL."""
        return f"{self.endpoint.partition('/services/')[0]}/wsdl/v{self.version}_0/netsuite.wsdl"


def trusted_host(url: str, *, allow_loopback: bool) -> bool:
    """Return whether secrets, or the request for a WSDL that says where to send them, may go to this address."""
    return is_trusted(url, vendor=lambda host: _HOST.fullmatch(host) is not None, allow_loopback=allow_loopback)


def address(endpoint: str, *, allow_loopback: bool) -> Address:
    """Return the address of a connection.

    Raises:
        AuthenticationFailed: the host is not NetSuite's, or the version is not supported.
    """
    if not trusted_host(endpoint, allow_loopback=allow_loopback):
        raise AuthenticationFailed(
            f"The address {endpoint[:100]} is not NetSuite's; nothing was sent to it.",
            code="ENDPOINT_NOT_TRUSTED",
            evidence={"host": host_of(endpoint)},
        )
    parts = urlsplit(endpoint)
    match = _SERVICE.search(parts.path)
    if match is None or match["version"] not in VERSIONS:
        raise AuthenticationFailed(
            f"The address does not end in /services/NetSuitePort_ and one of {', '.join(VERSIONS)}.",
            code="ENDPOINT_VERSION_UNKNOWN",
            evidence={"path": parts.path},
        )
    return Address(endpoint, parts.netloc, match["version"], is_loopback(endpoint))


# --- the passport ----------------------------------------------------------------------------------------------

ALGORITHM = "HMAC-SHA256"
NONCE_LENGTH = 20
_ALPHABET = string.ascii_letters + string.digits

NEEDED = ("account", "consumer_key", "consumer_secret", "token_id", "token_secret")


def signature(values: Mapping[str, str], nonce: str, timestamp: int) -> str:
    """Return the Base64 of the HMAC over `account&consumerKey&token&nonce&timestamp`, keyed by both secrets."""
    base = "&".join((values["account"], values["consumer_key"], values["token_id"], nonce, str(timestamp)))
    key = f"{values['consumer_secret']}&{values['token_secret']}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def passport(credentials: Credentials) -> Mapping[str, object]:
    """Return a fresh `tokenPassport`. NetSuite refuses a repeated nonce as a failed login, so a passport must never be
    used for a second attempt.

    Raises:
        AuthenticationFailed: a credential is absent.
    """
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
