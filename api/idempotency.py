"""Same Idempotency-Key and same request: same answer, refusals included; another request: 409.

The key and the request are claimed first, in the `requests` table. What the database alone decides happens in that
same transaction; what needs others (an ERP, a workflow) happens after it, safe to repeat, and is answered at its end.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import Header
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api.auth import Caller
from api.problems import MEDIA_TYPE, Problem
from api.services import ServiceSet
from models.store import requests

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Your own name for this write. Repeat it when you repeat the write; use a new one for a new write.",
        examples=["bill-INV-2041-1"],
    ),
]


class Answer(NamedTuple):
    """A stored answer: what the same request gets again."""

    status: int
    body: dict[str, Any]

    def response(self, *, location: str | None = None, etag: str | None = None) -> JSONResponse:
        headers = {}
        if location is not None and self.status < 300:
            headers["Location"] = location
        if etag is not None and self.status < 300:
            headers["ETag"] = etag
        media_type = MEDIA_TYPE if self.status >= 400 else None
        return JSONResponse(self.body, self.status, headers=headers, media_type=media_type)


def answer(status: int, body: Any) -> Answer:
    return Answer(status, jsonable_encoder(body))


def refusal(problem: Problem, route: str) -> Answer:
    return Answer(problem.status, problem.body(route.split(" ", 1)[1]))


def refused_by_worker(known: Answer, route: str) -> JSONResponse:
    """A refusal that the worker stored, as a problem. One that a route stored is a problem already."""
    if "type" in known.body:
        return known.response()
    problem = Problem(known.body["code"], known.body["detail"], status=known.status, fix=known.body["fix"])
    return refusal(problem, route).response()


class Once:
    """One write under one key. `route` is the method and path, e.g. `POST /v1/connections`."""

    def __init__(self, services: ServiceSet, caller: Caller, key: str, route: str) -> None:
        self._database = services.database
        self._caller = caller
        self._key = key
        self._route = route

    async def claim(self, session: AsyncSession, body: Mapping[str, Any]) -> Answer | None:
        """Claim the key for this request, or give back the answer it had. 409 when it was another request."""
        try:
            row = await requests.claim(
                session,
                self._caller.organization_id,
                self._key,
                self._route,
                jsonable_encoder(body),
                self._caller.actor,
            )
        except requests.KeyReused as error:
            raise Problem("IDEMPOTENCY_KEY_REUSED", f"{self._key!r} was used for another request.") from error
        if row.status is None:
            return None
        if row.answer is None:
            raise Problem(
                "IDEMPOTENCY_KEY_REUSED",
                f"{self._key!r} was used for this request before, and its answer is no longer kept.",
                fix=("Look for what the first request made.", "Use a new key for a new request."),
            )
        return Answer(row.status, row.answer)

    async def store(self, session: AsyncSession, answer: Answer) -> Answer:
        await requests.answer(session, self._caller.organization_id, self._key, answer.status, answer.body)
        return answer

    async def stored(self) -> Answer | None:
        async with self._database.statement() as session:
            row = await requests.get(session, self._caller.organization_id, self._key)
        return None if row is None or row.status is None or row.answer is None else Answer(row.status, row.answer)

    async def begin(self, body: Mapping[str, Any]) -> Answer | None:
        """Claim in a transaction of its own, for work that goes beyond the database."""
        async with self._database.transaction() as session:
            return await self.claim(session, body)

    async def finish(self, answer: Answer) -> Answer:
        async with self._database.transaction() as session:
            return await self.store(session, answer)

    async def refuse(self, problem: Problem) -> Answer:
        """Keep a refusal as the answer; an outage is no answer, so it is raised and may be tried again."""
        if problem.status >= 500 or problem.status == 429:
            raise problem
        return await self.finish(refusal(problem, self._route))

    async def run(self, body: Mapping[str, Any], work: Callable[[AsyncSession], Awaitable[Answer]]) -> Answer:
        """Do work that the database alone decides: claim, work and answer are one transaction."""
        async with self._database.transaction() as session:
            known = await self.claim(session, body)
            if known is not None:
                return known
            try:
                async with session.begin_nested():
                    done = await work(session)
            except Problem as problem:
                if problem.status >= 500:
                    raise
                done = refusal(problem, self._route)
            return await self.store(session, done)
