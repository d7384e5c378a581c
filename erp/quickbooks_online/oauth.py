"""Talk to Intuit's OAuth server: consent, code exchange, refresh, revocation (reference 2).

The OAuth library does the protocol. It never gets to make API calls, so it never refreshes by itself: only
`access.Access` does, one worker at a time.
"""

import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import authlib.deprecate  # noqa: F401 it shows its warnings, whatever filters there were before
import httpx

from erp.connection import ConnectionSettings
from erp.errors import AuthenticationFailed, ErpError, Throttled, Unavailable
from erp.quickbooks_online import faults
from erp.quickbooks_online.auth import Addresses, App, addresses, must_be_trusted
from erp.transport import CONNECT_TIMEOUT_SECONDS, malformed, no_answer, trusted_authorities

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the library prefers a successor of httpx that we do not use yet
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import AsyncOAuth2Client

SCOPE = "com.intuit.quickbooks.accounting"

GRANT_SECONDS = 5 * 365 * 86_400
"""How long a grant lives at most, however often its tokens are refreshed; a token answer need not say it (section
2.2)."""

FINAL = frozenset({"invalid_grant"})
"""Errors after which a refresh token is never presented again (section 2.4)."""

NOT_DONE = frozenset({401, 403, 404, 407, 429, 503})
"""HTTP statuses of a token endpoint that did not take the request up: it refuses who asks, or says that it is not there
now. Any other failure, such as a gateway's 502 or 504, may come after the token was changed."""


class GrantEnded(Exception):
    """The authorization is over: a person must connect again."""


class AnswerLost(Exception):
    """A refresh was sent and its answer was lost: the refresh token may be superseded."""


class Discovery(NamedTuple):
    """What the discovery document says."""

    authorization: str
    takes_pkce: bool


class OAuthServer:
    """The OAuth server of one connection's endpoint, as the installation's app sees it."""

    def __init__(
        self,
        app: App | None,
        settings: ConnectionSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._transport = transport

    def __repr__(self) -> str:
        return f"OAuthServer({self._settings.endpoint!r})"

    # --- consent ------------------------------------------------------------------------------------------------

    async def discover(self) -> Discovery:
        """Read the discovery document.

        Raises:
            ErpError: it is not to be had, or names an address that is not Intuit's.
        """
        where = self._addresses()
        async with self._client() as client:
            try:
                response = await client.get(where.discovery, auth=None, follow_redirects=False)
            except (httpx.HTTPError, TimeoutError) as error:
                raise no_answer("QuickBooks", error, writing=False) from None
        body = faults.read_body(response.content)
        if response.status_code != 200:
            raise faults.http_error(response.status_code, writing=False, headers=response.headers)
        if not isinstance(body.value, Mapping):
            raise malformed("QuickBooks' discovery document cannot be read.", evidence={"problem": body.problem})
        authorization = str(body.value.get("authorization_endpoint") or where.authorization)
        must_be_trusted(authorization, allow_loopback=self._settings.allow_loopback)
        methods = body.value.get("code_challenge_methods_supported") or ()
        return Discovery(authorization, "S256" in methods)

    def authorization_url(self, discovery: Discovery, *, redirect: str, state: str, verifier: str | None) -> str:
        """Return the address of the consent page; `verifier` only where the server takes PKCE."""
        # Nothing is sent, and the library's client holds no connection yet.
        client = AsyncOAuth2Client(
            client_id=self._named_app().client_id, scope=SCOPE, redirect_uri=redirect, code_challenge_method="S256"
        )
        more = {} if verifier is None else {"code_verifier": verifier}
        url, _ = client.create_authorization_url(discovery.authorization, state=state, **more)
        return str(url)

    async def exchange(self, code: str, *, redirect: str, verifier: str | None) -> dict[str, str]:
        """Return the first tokens for an authorization code, which is good once.

        Raises:
            ErpError: AUTH_CONSENT_INVALID when the code is used or expired, or the server is away.
        """
        more = {} if verifier is None else {"code_verifier": verifier}
        async with self._client() as client:
            try:
                token = await client.fetch_token(
                    self._addresses().token,
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=redirect,
                    headers={"Accept": "application/json"},
                    **more,
                )
            except GrantEnded as ended:
                raise AuthenticationFailed(
                    f"QuickBooks refused the consent: {ended}", code="AUTH_CONSENT_INVALID"
                ) from None
            except AnswerLost:
                raise Unavailable("QuickBooks' answer to the consent was lost.", code="ERP_NO_ANSWER") from None
            except OAuthError as error:
                raise AuthenticationFailed(
                    f"QuickBooks refused the consent: {error}", code="AUTH_CONSENT_INVALID"
                ) from None
            except (httpx.HTTPError, TimeoutError) as error:
                raise no_answer("QuickBooks", error, writing=False) from None
        return tokens_of(token, {"grant_ends_at": _in_seconds(datetime.now(UTC), GRANT_SECONDS, 0)})

    # --- life of a grant ----------------------------------------------------------------------------------------

    async def refresh(self, tokens: Mapping[str, str]) -> dict[str, str]:
        """Return new tokens for these.

        Raises:
            GrantEnded: the refresh token is expired, revoked or superseded.
            AnswerLost: the server may have changed the token: its answer was lost, is unreadable, or is a gateway's.
            ErpError: the server is away, throttles or refuses the app: the token was not used.
        """
        async with self._client() as client:
            try:
                token = await client.refresh_token(
                    self._addresses().token,
                    refresh_token=tokens["refresh_token"],
                    headers={"Accept": "application/json"},
                )
            except OAuthError as error:
                raise GrantEnded(str(error)) from None
            except (httpx.HTTPError, TimeoutError) as error:
                failure = no_answer("QuickBooks", error, writing=True)
                if isinstance(failure, Unavailable):
                    raise failure from None
                raise AnswerLost from None
        return tokens_of(token, tokens)

    async def revoke(self, token: str) -> None:
        """End the grant. An unknown token is one that has ended already.

        Raises:
            ErpError: the server is away or refuses the app.
        """
        app = self._named_app()
        async with self._client() as client:
            try:
                response = await client.post(
                    self._addresses().revocation,
                    json={"token": token},
                    headers={"Accept": "application/json"},
                    auth=httpx.BasicAuth(app.client_id, app.client_secret),
                )
            except (httpx.HTTPError, TimeoutError) as error:
                raise no_answer("QuickBooks", error, writing=False) from None
        if response.status_code in (200, 400):
            return
        raise faults.http_error(response.status_code, writing=False, headers=response.headers)

    def _client(self) -> Any:
        where, app = self._addresses(), self._named_app()
        client = AsyncOAuth2Client(
            client_id=app.client_id,
            client_secret=app.client_secret,
            token_endpoint_auth_method="client_secret_basic",
            transport=self._transport,
            timeout=httpx.Timeout(self._settings.timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
            trust_env=not where.loopback,
            verify=trusted_authorities(trust_env=not where.loopback),
        )
        for hook in ("access_token_response", "refresh_token_response"):
            client.register_compliance_hook(hook, _checked)
        return client

    def _addresses(self) -> Addresses:
        return addresses(self._settings.endpoint, allow_loopback=self._settings.allow_loopback)

    def _named_app(self) -> App:
        if self._app is None:
            raise AuthenticationFailed(
                "This installation has no app at Intuit: POSYNC_QBO_CLIENT_ID and POSYNC_QBO_CLIENT_SECRET are not"
                " set.",
                code="AUTH_APP_MISSING",
            )
        return self._app


def _checked(response: httpx.Response) -> httpx.Response:
    """Return a token answer that the library can read.

    Raises:
        GrantEnded, AnswerLost, ErpError: what it says otherwise.
    """
    body = faults.read_body(response.content)
    value = body.value if isinstance(body.value, Mapping) else {}
    said = str(value.get("error") or "")
    if said in FINAL:
        raise GrantEnded(f"{said} {value.get('error_description') or ''}".strip())
    if response.status_code == 200 and all(
        isinstance(value.get(name), str) and value[name] for name in ("access_token", "refresh_token")
    ):
        return response
    if response.status_code in NOT_DONE or (said and response.status_code < 500):
        raise _refusal(response, said)
    raise AnswerLost


def _refusal(response: httpx.Response, said: str) -> ErpError:
    status = response.status_code
    evidence = {"http_status": str(status), "error": said}
    if status == 429:
        return Throttled(
            "QuickBooks asks for fewer calls.",
            code="ERP_THROTTLED",
            retry_after=faults.retry_after(response.headers),
            evidence=evidence,
        )
    if status >= 500:
        return faults.outage(status, writing=False)
    if status in (404, 407) and not said:
        return Unavailable(
            f"The address of QuickBooks' tokens answered HTTP {status}.", code="ENDPOINT_REFUSED", evidence=evidence
        )
    return AuthenticationFailed(
        f"QuickBooks refuses this installation's app ({said or status}).", code="AUTH_APP_REFUSED", evidence=evidence
    )


def tokens_of(token: Mapping[str, Any], before: Mapping[str, str]) -> dict[str, str]:
    """Return the tokens of an answer as they are stored: all of them are text, times are ISO in UTC."""
    now = datetime.now(UTC)
    tokens = {
        "access_token": str(token["access_token"]),
        "access_expires_at": _in_seconds(now, token.get("expires_in"), 3600),
        "refresh_token": str(token["refresh_token"]),
        "refresh_expires_at": _in_seconds(now, token.get("x_refresh_token_expires_in"), 8_726_400),
        "refreshed_at": now.isoformat(timespec="seconds"),
    }
    if before.get("realm"):
        tokens["realm"] = before["realm"]
    hard = token.get("x_refresh_token_hard_expires_in")
    ends = _in_seconds(now, hard, 0) if hard else before.get("grant_ends_at")
    if ends:
        tokens["grant_ends_at"] = ends
    return tokens


def _in_seconds(now: datetime, seconds: Any, default: int) -> str:
    try:
        left = int(seconds)
    except (TypeError, ValueError):
        left = default
    return (now + timedelta(seconds=max(0, min(left, 400_000_000)))).isoformat(timespec="seconds")
