"""Token-based authentication (reference 2.1, 2.2): signatures, nonces, clocks; what was refused is kept for people."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from lxml import etree

from sandbox.netsuite.company import Company
from sandbox.netsuite.errors import SoapFault
from sandbox.netsuite.wire_in import local_name

_DIGESTS = {"HMAC-SHA256": hashlib.sha256, "HMAC-SHA1": hashlib.sha1}
_PARTS = ("account", "consumerKey", "token", "nonce", "timestamp", "signature")


LOGIN_REFUSED = SoapFault("invalidCredentialsFault", "INVALID_LOGIN_CREDENTIALS", "Invalid login attempt.")


class LoginRefused(Exception):
    """The caller learns no more than that; `reason` is what the login audit trail shows an administrator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Secrets:
    """The integration and the token this account accepts."""

    consumer_key: str = "ck"
    consumer_secret: str = "cs"
    token: str = "tk"
    token_secret: str = "ts"


def signature_of(base: str, key: str, algorithm: str) -> str:
    """Base64 of the HMAC. Raises LoginRefused for an algorithm that is not known."""
    digest = _DIGESTS.get(algorithm.upper().replace("_", "-"))
    if digest is None:
        raise LoginRefused("InvalidSignature")
    return base64.b64encode(hmac.new(key.encode(), base.encode(), digest).digest()).decode()


class Passports:
    """Checks what signs requests of one account."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self.forget()

    def forget(self) -> None:
        """The well-known secrets, no nonce used, an empty audit trail."""
        self.secrets = Secrets()
        self.audit: list[dict[str, str]] = []
        self._used: set[tuple[str, str]] = set()

    def check_soap(self, header: etree._Element | None, cookies: str) -> None:
        """A request's SOAP header. Raises SoapFault; header elements are told by local name (reference 2.1)."""
        blocks = [] if header is None else [block for block in header if isinstance(block.tag, str)]
        passports = [block for block in blocks if local_name(block) == "tokenPassport"]
        mixed = any(local_name(block) == "applicationInfo" for block in blocks) or "JSESSIONID" in cookies
        if len(passports) > 1 or (passports and mixed):
            raise SoapFault("invalidCredentialsFault", "USER_ERROR", "Ambiguous authentication")
        try:
            if not passports:
                raise LoginRefused("MissingTokenPassportRequiredFields")
            self._check_passport(passports[0])
        except LoginRefused as error:
            self._note(error.reason, "soap")
            raise LOGIN_REFUSED from None

    def _check_passport(self, passport: etree._Element) -> None:
        given = {local_name(part): (part.text or "").strip() for part in passport}
        algorithm = "".join(part.get("algorithm", "") for part in passport if local_name(part) == "signature")
        if any(not given.get(name) for name in _PARTS) or not algorithm:
            raise LoginRefused("MissingTokenPassportRequiredFields")
        base = "&".join(given[name] for name in _PARTS[:-1])
        key = f"{self.secrets.consumer_secret}&{self.secrets.token_secret}"
        self._check_names(given["account"], given["consumerKey"], given["token"])
        self._check(given["nonce"], given["timestamp"], given["signature"], signature_of(base, key, algorithm))

    def check_rest(self, method: str, url: str, query: str, authorization: str) -> None:
        """An OAuth 1.0a header over method, URL and parameters (reference 2.2). Raises LoginRefused."""
        try:
            self._check_oauth(method, url, query, authorization)
        except LoginRefused as error:
            self._note(error.reason, "rest")
            raise

    def _check_oauth(self, method: str, url: str, query: str, authorization: str) -> None:
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() != "oauth":
            raise LoginRefused("MissingTokenPassportRequiredFields")
        given: dict[str, str] = {}
        for part in rest.split(","):
            name, _, value = part.strip().partition("=")
            given[name] = unquote(value.strip('"'))
        needed = ("consumer_key", "token", "nonce", "timestamp", "signature", "signature_method")
        if any(not given.get(f"oauth_{name}") for name in needed) or not given.get("realm"):
            raise LoginRefused("MissingTokenPassportRequiredFields")
        signed = [(name, value) for name, value in given.items() if name not in ("realm", "oauth_signature")]
        signed += parse_qsl(query, keep_blank_values=True)
        parameters = "&".join(f"{name}={value}" for name, value in sorted((_enc(a), _enc(b)) for a, b in signed))
        base = "&".join((method.upper(), _enc(url), _enc(parameters)))
        key = f"{_enc(self.secrets.consumer_secret)}&{_enc(self.secrets.token_secret)}"
        self._check_names(given["realm"], given["oauth_consumer_key"], given["oauth_token"])
        expected = signature_of(base, key, given["oauth_signature_method"])
        self._check(given["oauth_nonce"], given["oauth_timestamp"], given["oauth_signature"], expected)

    def _check_names(self, account: str, consumer_key: str, token: str) -> None:
        if account != self._company.account:
            raise LoginRefused("permission_denied")
        if consumer_key != self.secrets.consumer_key:
            raise LoginRefused("consumer_key_unknown")
        if token != self.secrets.token:
            raise LoginRefused("token_rejected")

    def _check(self, nonce: str, timestamp: str, signature: str, expected: str) -> None:
        if not hmac.compare_digest(signature, expected):
            raise LoginRefused("InvalidSignature")
        if not (6 <= len(nonce) <= 64 and nonce.isascii() and nonce.isalnum()):
            raise LoginRefused("InvalidNonce")
        # The machine's clock: a test that lets months pass must not sign everybody out.
        skew = self._company.switches.number("clock_skew_seconds")
        if not timestamp.isdigit() or abs(int(timestamp) - time.time()) > skew:
            raise LoginRefused("InvalidTimestamp")
        if (nonce, timestamp) in self._used:
            raise LoginRefused("NonceUsed")
        self._used.add((nonce, timestamp))

    def _note(self, reason: str, door: str) -> None:
        self.audit.append({"moment": self._company.clock.now().isoformat(), "reason": reason, "door": door})


def _enc(text: str) -> str:
    return quote(text, safe="-._~")


def check_keys(given: Mapping[str, object]) -> None:
    """The names a change of secrets may have. Raises ValueError."""
    unknown = set(given) - set(Secrets.__dataclass_fields__)
    if unknown or not given:
        raise ValueError(f"give any of {', '.join(Secrets.__dataclass_fields__)}")
