"""What signing in to NetSuite takes: token-based authentication, per request (reference 1.1 and 2.1)."""

from collections.abc import Mapping

from erp.connector import SigningIn

VERSION = "2023_2"
"""The endpoint version where nobody chose another one: an endpoint's path ends with its version."""


def own_endpoint(credentials: Mapping[str, str]) -> str:
    """The account's own host: `1234567_SB1` is served at `1234567-sb1`."""
    host = credentials["account"].lower().replace("_", "-")
    return f"https://{host}.suitetalk.api.netsuite.com/services/NetSuitePort_{VERSION}"


SIGNING_IN = SigningIn(
    credentials=("account", "consumer_key", "consumer_secret", "token_id", "token_secret"),
    may_be_given=("entity",),
    default_endpoint=own_endpoint,
    max_in_flight=2,  # the smallest account has five calls at once, for all its programs together (reference 6.3)
)
