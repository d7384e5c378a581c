"""Sign in to QuickBooks: what a person gives, and whom tokens may be sent to (reference 1.1, 2).

A person gives nothing but consent, on QuickBooks' own page. The installation's app is a setting; the company's number
(its realm) comes back with the consent.
"""

import re
from typing import NamedTuple

from erp.errors import AuthenticationFailed
from erp.sign_in import CredentialsSpec, Question, SignInKind
from erp.transport import host_of, is_loopback, is_trusted

PRODUCTION = "https://quickbooks.api.intuit.com"

REALM = re.compile(r"\d{1,25}")

CREDENTIALS_SPECS = CredentialsSpec(
    kind=SignInKind.OAUTH,
    what="a QuickBooks Online company",
    company=None,
    credentials=(),
    may_be_given=(),
    entity=None,
    preferences=(
        Question("bank_account", "The account bills are paid from."),
        Question("default_expense_account", "The account of source orders' lines that name none."),
        Question("upload_purchase_orders", "Unbilled source orders may become purchase orders.", yes_or_no=True),
    ),
    default_endpoint=lambda _: PRODUCTION,
    max_in_flight=8,  # ten at once are allowed for a company and app (section 4)
)


class App(NamedTuple):
    """The installation's app at Intuit: one for all its connections."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"App({self.client_id!r})"


class Addresses(NamedTuple):
    """Where one connection's calls and consents go."""

    api: str
    authorization: str
    token: str
    revocation: str
    discovery: str
    loopback: bool


def addresses(endpoint: str, *, allow_loopback: bool) -> Addresses:
    """Return the addresses that belong to an endpoint; a sandbox on this machine serves all of them.

    Raises:
        AuthenticationFailed: ENDPOINT_NOT_TRUSTED, when the host is not Intuit's.
    """
    must_be_trusted(endpoint, allow_loopback=allow_loopback)
    base = endpoint.rstrip("/")
    if is_loopback(endpoint):
        return Addresses(
            api=base,
            authorization=f"{base}/connect/oauth2",
            token=f"{base}/oauth2/v1/tokens/bearer",
            revocation=f"{base}/v2/oauth2/tokens/revoke",
            discovery=f"{base}/.well-known/openid_configuration",
            loopback=True,
        )
    which = "openid_sandbox_configuration" if host_of(endpoint).startswith("sandbox") else "openid_configuration"
    return Addresses(
        api=base,
        authorization="https://appcenter.intuit.com/connect/oauth2",
        token="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
        revocation="https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
        discovery=f"https://developer.api.intuit.com/.well-known/{which}",
        loopback=False,
    )


def must_be_trusted(url: str, *, allow_loopback: bool) -> None:
    """Check that secrets may be sent to an address.

    Raises:
        AuthenticationFailed: ENDPOINT_NOT_TRUSTED.
    """
    if not is_trusted(url, vendor=lambda host: host.endswith(".intuit.com"), allow_loopback=allow_loopback):
        raise AuthenticationFailed(
            f"The address {url[:100]} is not Intuit's; nothing was sent to it.",
            code="ENDPOINT_NOT_TRUSTED",
            evidence={"host": host_of(url)},
        )
