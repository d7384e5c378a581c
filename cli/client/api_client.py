"""Call the API from the command line: one client, and errors that explain themselves."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any
from uuid import uuid4

import httpx

from cli.client.endpoints import running_stack
from settings import read_api_access

Body = Mapping[str, Any]


class ApiProblem(Exception):
    """The API refused the request: it says what is wrong, why, who can fix it and how (problem+json)."""

    def __init__(self, status: int, problem: Body) -> None:
        self.status = status
        self.code = str(problem.get("code", "UNKNOWN"))
        self.title = str(problem.get("title", "The request failed"))
        self.detail = str(problem.get("detail", ""))
        self.fix = [str(step) for step in problem.get("fix") or []]
        self.who = str(problem.get("who", ""))
        self.problem = problem
        super().__init__(f"{self.code}: {self.title}. {self.detail}")

    def named(self) -> list[str]:
        """Return what the steps point to, one line each: the fields with errors, the match's findings, the evidence."""
        lines = [f"{one['where']}: {one['message']}" for one in self.problem.get("errors") or []]
        if others := self.problem.get("other_errors"):
            lines.append(f"and {others} more")
        for finding in (self.problem.get("match") or {}).get("findings", []):
            lines.append(f"{finding['severity']} {finding['id']}: {finding['message']}")
            lines += [f"  {step}" for step in finding["fix"]]
        return lines + [f"{name}: {value}" for name, value in (self.problem.get("evidence") or {}).items()]


class ApiUnreachable(Exception):
    """There is no API at the address, or no key for it."""


class Api:
    """Calls the API of one organization. Every write carries an Idempotency-Key; a repeat with the same key is safe."""

    def __init__(self, url: str, key: str, *, timeout: float = 60) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=timeout)

    def __enter__(self) -> "Api":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def act_for(self, email: str | None) -> None:
        """Name the person that this program acts for from now on, for which its key must have the right; None: nobody
        any more."""
        self._http.headers.pop("Posync-Acting-For", None)
        if email is not None:
            self._http.headers["Posync-Acting-For"] = email

    def get(self, path: str, **query: Any) -> Any:
        """Return one object. Query values that are None are left out.

        Raises:
            ApiProblem: the API refused.
            ApiUnreachable: the API does not answer, or something else does.
        """
        return self._send("GET", path, query=query)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Return every item of a list, page by page."""
        cursor = None
        while True:
            page = self._send("GET", path, query={**query, "cursor": cursor})
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def text(self, path: str, **query: Any) -> Iterator[str]:
        """Return a file, such as a report as CSV, in the parts it arrives in.

        Raises:
            ApiProblem: the API refused.
            ApiUnreachable: the API does not answer.
        """
        params = {name: value for name, value in query.items() if value is not None}
        try:
            with self._http.stream("GET", path, params=params) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _refusal(answer)
                yield from answer.iter_text()
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def upload(self, path: str, file: IO[bytes], media_type: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Send a file and return what the answer says in each of its lines, as they arrive.

        Raises:
            ApiProblem: the API refused.
            ApiUnreachable: the API does not answer.
        """
        params = {name: value for name, value in query.items() if value is not None}
        headers = {"Content-Type": media_type}
        try:
            with self._http.stream("POST", path, params=params, content=file, headers=headers) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _refusal(answer)
                for line in answer.iter_lines():
                    yield json.loads(line)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def post(self, path: str, body: Body | None = None, *, key: str | None = None) -> Any:
        """Send a write and return the answer. Without a key it gets a new one.

        Raises:
            ApiProblem: the API refused.
            ApiUnreachable: the API does not answer.
        """
        return self._send("POST", path, body=body if body is not None else {}, key=key or uuid4().hex)

    def put(self, path: str, body: Body) -> Any:
        """Replace a setting, in the version just read, and return the answer.

        Raises:
            ApiProblem: the API refused.
            ApiUnreachable: the API does not answer.
        """
        return self._send("PUT", path, body=body, version=self._version(path))

    def patch(self, path: str, body: Body) -> Any:
        """Change a setting, in the version just read, and return the answer.

        Raises:
            ApiProblem: the API refused.
            ApiUnreachable: the API does not answer.
        """
        return self._send("PATCH", path, body=body, version=self._version(path))

    def delete(self, path: str) -> None:
        """Delete a thing, in the version just read.

        Raises:
            ApiProblem: the API refused.
            ApiUnreachable: the API does not answer.
        """
        self._send("DELETE", path, version=self._version(path))

    def _version(self, path: str) -> str | None:
        # The settings of a connection share its version. A console reads its clients' where it switches them.
        parts = path.split("/")
        owner = path if parts[2] == "console" else "/".join(parts[:4])
        try:
            answer = self._http.get(owner)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
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
        if not answer.is_success:
            raise _refusal(answer)
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError as error:
            raise self._not_posync() from error

    def _not_posync(self) -> ApiUnreachable:
        return ApiUnreachable(f"what answers at {self.url} is not the API of posync: correct POSYNC_API_URL")

    def _unreachable(self, error: httpx.TransportError) -> ApiUnreachable:
        return ApiUnreachable(
            f"the API at {self.url} does not answer ({type(error).__name__} {error}): start it with `posync up`, "
            "or correct POSYNC_API_URL"
        )


def _refusal(answer: httpx.Response) -> ApiProblem:
    try:
        problem = answer.json()
    except json.JSONDecodeError:
        problem = {"title": f"The API answered {answer.status_code}", "detail": answer.text[:500]}
    return ApiProblem(answer.status_code, problem)


def api_from_environment(state_dir: Path) -> Api:
    """Return the API named by POSYNC_API_URL and POSYNC_API_KEY, else that of the stack that runs from this state
    directory.

    Raises:
        ApiUnreachable: there is neither.
        InvalidSettings: the two variables cannot be used.
    """
    access = read_api_access()
    if access.api_url is not None and access.api_key is not None:
        return Api(access.api_url, access.api_key)
    stack = running_stack(state_dir)
    if stack is None:
        raise ApiUnreachable(
            f"nothing runs from {state_dir}: start it with `posync up`, or set POSYNC_API_URL and POSYNC_API_KEY"
        )
    return Api(stack.api_url, stack.api_key)
