"""The sign-in service (reference 2): discovery, consent that redirects at once, tokens, revocation, who the user is."""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qs, urlencode

from sandbox.asked import Asked
from sandbox.quickbooks_online.fault_bodies import JSON_TYPE, token_error
from sandbox.quickbooks_online.grants import Grants, TokenRefused
from sandbox.quickbooks_online.wire_out import written
from sandbox.responses import Answer
from sandbox.switches import Switches

AUTHORIZE_PATH = "/connect/oauth2"
TOKEN_PATH = "/oauth2/v1/tokens/bearer"
REVOKE_PATH = "/v2/oauth2/tokens/revoke"
USERINFO_PATH = "/v1/openid_connect/userinfo"
KEYS_PATH = "/op/v1/jwks"
DISCOVERY_PATHS = ("/.well-known/openid_configuration", "/.well-known/openid_sandbox_configuration")
ACCOUNTING = "com.intuit.quickbooks.accounting"
_SCOPES = (ACCOUNTING, "com.intuit.quickbooks.payment", "openid", "profile", "email", "phone", "address")
_DOCUMENTED = frozenset(["client_id", "response_type", "scope", "redirect_uri", "state", "locale", "claims"])


@dataclass
class App:
    """The one app that is registered."""

    client_id: str = "ABsandboxClientId"
    client_secret: str = "sandbox-client-secret"
    redirect_uris: list[str] = field(default_factory=list)
    """Empty means any."""


@dataclass
class Person:
    """Who sits before the browser: which company is picked, and whether the app is allowed in."""

    realm: str
    refuses: bool = False


def operation_of(path: str) -> str:
    """The name of what a path of the sign-in service does; empty for other paths."""
    return {
        AUTHORIZE_PATH: "authorize",
        TOKEN_PATH: "token",
        REVOKE_PATH: "revoke",
        USERINFO_PATH: "userinfo",
        KEYS_PATH: "keys",
        **dict.fromkeys(DISCOVERY_PATHS, "discovery"),
    }.get(path.rstrip("/"), "")


def discovery(base: str) -> Answer:
    """The discovery document, with the sandbox's own addresses (reference 2.6)."""
    document = {
        # As the real one: clients compare it with what is inside a token, they do not call it.
        "issuer": "https://oauth.platform.intuit.com/op/v1",
        "authorization_endpoint": f"{base}{AUTHORIZE_PATH}",
        "token_endpoint": f"{base}{TOKEN_PATH}",
        "userinfo_endpoint": f"{base}{USERINFO_PATH}",
        "revocation_endpoint": f"{base}{REVOKE_PATH}",
        "jwks_uri": f"{base}{KEYS_PATH}",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile", "address", "phone"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
    }
    return Answer(written(document), 200, JSON_TYPE)


def authorize(asked: Asked, app: App, person: Person, grants: Grants, switches: Switches) -> Answer:
    """The consent page: the person has agreed already, so the browser goes straight back."""
    given = {name: values[-1] for name, values in parse_qs(asked.query, keep_blank_values=True).items()}
    redirect = given.get("redirect_uri", "")
    problem = ""
    if given.get("client_id") != app.client_id:
        problem = "The client id is unknown."
    elif not redirect or (app.redirect_uris and redirect not in app.redirect_uris):
        problem = (
            "The redirect_uri query parameter value is invalid. Make sure it is listed in the Redirect URIs section."
        )
    elif not given.get("state"):
        problem = "The state query parameter is missing."
    if problem:
        return Answer(f"<html><body><h1>{escape(problem)}</h1></body></html>", 400, "text/html; charset=UTF-8")
    scopes = given.get("scope", "").split()
    error = ""
    if given.get("response_type") != "code":
        error = "unsupported_response_type"
    elif not scopes or any(scope not in _SCOPES for scope in scopes):
        error = "invalid_scope"
    elif switches.word("authorize_extras") == "refuse" and set(given) - _DOCUMENTED:
        error = "invalid_request"
    elif person.refuses:
        error = "access_denied"
    if error:
        back = {"error": error, "state": given["state"]}
    else:
        code = grants.consent(person.realm, " ".join(scopes), redirect)
        back = {"code": code, "state": given["state"], "realmId": person.realm}
    sign = "&" if "?" in redirect else "?"
    return Answer("", 302, "text/html; charset=UTF-8", {"Location": f"{redirect}{sign}{urlencode(back)}"})


def token(asked: Asked, app: App, grants: Grants) -> Answer:
    """The token endpoint (reference 2.2, 2.4). Raises TokenRefused."""
    try:
        form = {name: values[-1] for name, values in parse_qs(asked.body.decode(), keep_blank_values=True).items()}
    except UnicodeDecodeError:
        raise TokenRefused("invalid_request") from None
    _check_client(asked.headers, form, app)
    kind = form.get("grant_type", "")
    if kind == "authorization_code":
        if not form.get("code") or not form.get("redirect_uri"):
            raise TokenRefused("invalid_request")
        answer = grants.exchange(form["code"], form["redirect_uri"])
    elif kind == "refresh_token":
        if not form.get("refresh_token"):
            raise TokenRefused("invalid_request")
        answer = grants.refresh(form["refresh_token"])
    else:
        raise TokenRefused("unsupported_grant_type" if kind else "invalid_request")
    return Answer(written(answer), 200, JSON_TYPE, {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"})


def revoke(asked: Asked, app: App, grants: Grants) -> Answer:
    """The end of a grant (reference 2.5). Raises TokenRefused."""
    text = asked.body.decode(errors="replace")
    form: dict[str, str] = {}
    try:
        given = json.loads(text)
        form = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    except ValueError:
        form = {name: values[-1] for name, values in parse_qs(text).items()}
    _check_client(asked.headers, form, app)
    if not form.get("token"):
        raise TokenRefused("invalid_request")
    grants.revoke(form["token"])
    return Answer("", 200, JSON_TYPE)


def userinfo(asked: Asked, grants: Grants) -> Answer:
    """Who agreed."""
    grant = grants.holder(bearer(asked.headers))
    if grant is None or "openid" not in grant.scope.split():
        return Answer("", 401, JSON_TYPE, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    person = {"sub": "b8f0e5f4-1f2f-4b1c-9f7a-6d6f3a0f1c11", "email": "ann.lee@example.com", "emailVerified": True}
    return Answer(written({**person, "givenName": "Ann", "familyName": "Lee"}), 200, JSON_TYPE)


def refused(error: TokenRefused, switches: Switches) -> Answer:
    """A refusal, described where the switch says so."""
    described = error.description if switches.flag("invalid_grant_described") else ""
    return token_error(error.error, error.status, described)


def bearer(headers: Mapping[str, str]) -> str:
    """The access token of a request; empty without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _check_client(headers: Mapping[str, str], form: Mapping[str, str], app: App) -> None:
    """Id and secret, in the header or in the form. Raises TokenRefused."""
    identifier, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            identifier, _, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise TokenRefused("invalid_client", 401) from None
    good_secret = hmac.compare_digest(secret.encode(), app.client_secret.encode())
    if identifier != app.client_id or not good_secret:
        raise TokenRefused("invalid_client", 401)
