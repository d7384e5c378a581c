"""Control the sandbox: fill the pretend ERPs, break and repair them, and read what they hold."""

from collections.abc import Mapping
from typing import Any

import httpx

ENDPOINTS: Mapping[str, str] = {
    "intacct": "/ia/xml/xmlgw.phtml",
    "netsuite": "/services/NetSuitePort_2023_2",
    "quickbooks_online": "",
    "quickbooks_desktop": "",
}
"""The paths at which each pretend ERP listens; they are those of the real one."""


class SandboxRefused(Exception):
    """The sandbox refused, or does not answer; the message has its own words."""


class SandboxControl:
    """Calls `/sandbox/...` of one running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=f"{url}/sandbox", timeout=120)

    def get(self, path: str) -> Any:
        """Return what the sandbox answers.

        Raises:
            SandboxRefused: the sandbox refused, or does not answer.
        """
        return self._send("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Send a command to the sandbox and return the answer.

        Raises:
            SandboxRefused: the sandbox refused, or does not answer.
        """
        return self._send("POST", path, body if body is not None else {})

    def delete(self, path: str) -> Any:
        """Delete something in the sandbox and return the answer.

        Raises:
            SandboxRefused: the sandbox refused, or does not answer.
        """
        return self._send("DELETE", path)

    def mend(self) -> None:
        """Remove all faults."""
        self.delete("/faults")

    def calls(self) -> Mapping[str, int]:
        """Return the number of ERP calls since the start, by operation."""
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


class PretendErp:
    """One pretend ERP's company in a running sandbox."""

    def __init__(self, control: SandboxControl, erp: str) -> None:
        self.control = control
        self.erp = erp

    @property
    def endpoint(self) -> str:
        """Return the address that a connection to it needs."""
        return self.control.url + ENDPOINTS[self.erp]

    def load_sample(self) -> None:
        """Empty the company and fill it with the built-in sample."""
        self.control.post(f"/companies/{self.erp}/sample")

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Return the records of one kind that it holds now."""
        results: list[dict[str, Any]] = self.control.get(f"/companies/{self.erp}/{kind}")
        return results

    def act(self, action: str, **given: Any) -> Any:
        """Do what a person does in the ERP's own screens."""
        return self.control.post(f"/companies/{self.erp}/actions", {"action": action, **given})

    def switch(self, **values: Any) -> None:
        """Set switches of the company."""
        self.control.post(f"/companies/{self.erp}/switches", values)

    def break_(self, kind: str, **rule: Any) -> None:
        """Add one fault."""
        self.control.post("/faults", {"rules": [{"erp": self.erp, "kind": kind, "operation": "*", **rule}]})
