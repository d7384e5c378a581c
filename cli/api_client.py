"""The API as the command line sees it: one client, errors that explain themselves."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import httpx

from cli.addresses import running_stack

Body = Mapping[str, Any]


class ApiProblem(Exception):
    """The API refused: what, why, who can fix it and how (problem+json)."""

    def __init__(self, status: int, problem: Body) -> None:
        self.status = status
        self.code = str(problem.get("code", "UNKNOWN"))
        self.title = str(problem.get("title", "The request failed"))
        self.detail = str(problem.get("detail", ""))
        self.fix = [str(step) for step in problem.get("fix") or []]
        self.who = str(problem.get("who", ""))
        self.problem = problem
        super().__init__(f"{self.code}: {self.title}. {self.detail}")


class ApiUnreachable(Exception):
    """No API there, or no key for it."""


class Api:
    """The API of one organization. Every write carries an idempotency key; a repeat with the same key is safe."""

    def __init__(self, url: str, key: str, *, timeout: float = 60) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=timeout)

    def __enter__(self) -> "Api":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """One object. Query values that are None are left out."""
        return self._send("GET", path, query=query)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor = None
        while True:
            page = self._send("GET", path, query={**query, "cursor": cursor})
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def text(self, path: str, **query: Any) -> Iterator[str]:
        """A file, such as a report as CSV, in the parts it comes in."""
        params = {name: value for name, value in query.items() if value is not None}
        try:
            with self._http.stream("GET", path, params=params) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _refusal(answer)
                yield from answer.iter_text()
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def post(self, path: str, body: Body | None = None, *, key: str | None = None) -> Any:
        return self._send("POST", path, body=body if body is not None else {}, key=key or uuid4().hex)

    def put(self, path: str, body: Body) -> Any:
        """Replace a setting in the version we have just read."""
        return self._send("PUT", path, body=body, version=self._version(path))

    def patch(self, path: str, body: Body) -> Any:
        return self._send("PATCH", path, body=body, version=self._version(path))

    def _version(self, path: str) -> str | None:
        # The settings of a connection share its version. A console reads its clients' where it switches them.
        parts = path.split("/")
        owner = path if parts[2] == "console" else "/".join(parts[:4])
        answer = self._http.get(owner)
        return answer.headers.get("ETag") if answer.is_success else None

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Body | None = None,
        key: str | None = None,
        version: str | None = None,
    ) -> Any:
        headers = {}
        if key is not None:
            headers["Idempotency-Key"] = key
        if version is not None:
            headers["If-Match"] = version
        params = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._http.request(method, path, params=params, json=body, headers=headers)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _refusal(answer)

    def _unreachable(self, error: httpx.TransportError) -> ApiUnreachable:
        return ApiUnreachable(f"no answer from {self.url}: {type(error).__name__} {error}")


def _refusal(answer: httpx.Response) -> ApiProblem:
    try:
        problem = answer.json()
    except json.JSONDecodeError:
        problem = {"title": f"The API answered {answer.status_code}", "detail": answer.text[:500]}
    return ApiProblem(answer.status_code, problem)


def api_from_environment(state_dir: Path) -> Api:
    """The API named by POSYNC_API_URL and POSYNC_API_KEY, else the stack that runs from this state directory."""
    url, key = os.environ.get("POSYNC_API_URL"), os.environ.get("POSYNC_API_KEY")
    if url and key:
        return Api(url, key)
    stack = running_stack(state_dir)
    if stack is None:
        raise ApiUnreachable(
            f"nothing runs from {state_dir}: start it with `posync up`, or set POSYNC_API_URL and POSYNC_API_KEY"
        )
    return Api(stack.api_url, stack.api_key)
