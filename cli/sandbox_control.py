"""The sandbox's control room: load, break, mend and ask the pretend ERPs."""

from collections.abc import Mapping
from typing import Any

import httpx


class SandboxRefused(Exception):
    """The control room said no, or nobody answered; in its own words."""


class SandboxControl:
    """Speaks to `/sandbox/...` of one running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=f"{url}/sandbox", timeout=120)

    def get(self, path: str) -> Any:
        return self._send("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self._send("POST", path, body if body is not None else {})

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path)

    def held(self, kind: str) -> list[dict[str, Any]]:
        """What the pretend Intacct company now holds of one kind."""
        answer = self.get(f"/companies/intacct/{kind}")
        found: list[dict[str, Any]] = answer["items"] if isinstance(answer, dict) else answer
        return found

    def break_(self, kind: str, **rule: Any) -> None:
        """Add one fault."""
        self.post("/faults", {"rules": [{"erp": "intacct", "kind": kind, "operation": "*", **rule}]})

    def mend(self) -> None:
        """Take all faults away."""
        self.delete("/faults")

    def calls(self) -> Mapping[str, int]:
        """ERP calls since the start, by operation."""
        counted: Mapping[str, int] = self.get("/calls")["by_operation"]
        return counted

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise SandboxRefused(f"no answer from the sandbox at {self.url}: {error}") from error
        if answer.is_error:
            raise SandboxRefused(f"the sandbox refused {method} {path}: {answer.text[:1000]}")
        return answer.json()
