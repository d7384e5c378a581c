"""Answer a repeated write as the first time: same Idempotency-Key and same request, same answer, refusals included. The
same key with another request gets 409.

The key and the request are claimed first, in the `requests` table. What the database alone decides happens in that same
transaction. What needs others (an ERP, a workflow) happens after it, is safe to repeat, and stores its answer at its
end.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import Header
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic_core import to_jsonable_python
from sqlmodel.ext.asyncio.session import AsyncSession

from api.http.auth import Caller
from api.http.problems import MEDIA_TYPE, Problem
from api.http.services import ServiceSet
from models.store.audit import requests
from models.store.base.crossing import rerun_if_crossed
from services.refusal import Refused

WRITE = ("NOT_FOUND", "ROLE_TOO_LOW", "IDEMPOTENCY_KEY_REQUIRED", "IDEMPOTENCY_KEY_REUSED")
"""What every write of something that is there already may be refused with."""

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


LOOK_EVERY_SECONDS = 0.1
"""How often the answer of another process is looked for."""


class Answer(NamedTuple):
    """A stored answer: what the same request gets again."""

    status: int
    body: dict[str, Any]

    def response(self, *, location: str | None = None, etag: str | None = None) -> JSONResponse:
        """Return the answer as an HTTP response, with a Location and an ETag where they are given."""
        headers = {}
        if location is not None and self.status < 300:
            headers["Location"] = location
        if etag is not None and self.status < 300:
            headers["ETag"] = etag
        media_type = MEDIA_TYPE if self.status >= 400 else None
        return JSONResponse(self.body, self.status, headers=headers, media_type=media_type)


def answer(status: int, body: Any) -> Answer:
    """Return an answer that holds a model's JSON."""
    return Answer(status, jsonable_encoder(body))


def refusal(problem: Problem, route: str) -> Answer:
    """Return a problem as an answer that can be stored."""
    return Answer(problem.status, problem.body(route.split(" ", 1)[1]))


class IdempotentRequest:
    """One write under one key. `route` is the method and path, e.g. `POST /v1/connections`."""

    def __init__(self, services: ServiceSet, caller: Caller, key: str, route: str) -> None:
        self._database = services.database
        self._caller = caller
        self.key = key
        self._route = route

    async def claim(self, session: AsyncSession, body: Mapping[str, Any]) -> Answer | None:
        """Claim the key for this request, or return the answer it got before; None: go on, the request is new or has no
        answer yet.

        Raises:
            Problem: IDEMPOTENCY_KEY_REUSED, when the key was used for another request, or when the answer
                it got is no longer kept.
        """
        try:
            row = await requests.claim(
                session,
                self._caller.organization_id,
                self.key,
                self._route,
                to_jsonable_python(body),
                self._caller.actor,
            )
        except requests.KeyReused as error:
            raise Problem("IDEMPOTENCY_KEY_REUSED", f"{self.key!r} was used for another request.") from error
        if row.status is None:
            return None
        if row.answer is None:
            raise Problem(
                "IDEMPOTENCY_KEY_REUSED",
                f"{self.key!r} was used for this request before, and its answer is no longer kept.",
                fix=("Look for what the first request made.", "Use a new key for a new request."),
            )
        return Answer(row.status, row.answer)

    async def store(self, session: AsyncSession, answer: Answer) -> Answer:
        """Store the answer in the caller's transaction, and return what is stored: an answer that is there already
        stays."""
        kept = await requests.answer(session, self._caller.organization_id, self.key, answer.status, answer.body)
        if kept is not None:
            return Answer(answer.status, kept)
        first = await requests.get(session, self._caller.organization_id, self.key)
        assert first is not None, "the key was claimed"
        assert first.status is not None, "only an answer keeps another one from being stored"
        return answer if first.answer is None else Answer(first.status, first.answer)

    async def begin(self, body: Mapping[str, Any]) -> Answer | None:
        """Claim the key in a transaction of its own, for work that needs more than the database. Returns the answer it
        got before, or None.

        Raises:
            Problem: IDEMPOTENCY_KEY_REUSED.
        """
        async with self._database.transaction() as session:
            return await self.claim(session, body)

    async def answer_of_another(self, body: Mapping[str, Any], patience: float) -> Answer:
        """Return the answer that another process gives the same request, once it is there. `patience`: in seconds.

        Raises:
            Problem: ERP_UNAVAILABLE, when it is not there in time; the request can be sent again with its key.
        """
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if (known := await self.begin(body)) is not None:
                return known
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        raise Problem("ERP_UNAVAILABLE", "The same request is still under way.", headers={"Retry-After": "5"})

    async def finish(self, answer: Answer) -> Answer:
        """Store the answer in a transaction of its own, and return it."""
        async with self._database.transaction() as session:
            return await self.store(session, answer)

    async def refuse(self, problem: Problem) -> Answer:
        """Store a refusal as the answer, and return it. An outage is no answer: it is raised, so that the request can
        be sent again.

        Raises:
            Problem: the given one, when it is an outage.
        """
        if problem.status >= 500 or problem.status == 429:
            raise problem
        return await self.finish(refusal(problem, self._route))

    async def run(self, body: Mapping[str, Any], work: Callable[[AsyncSession], Awaitable[Answer]]) -> Answer:
        """Run work that the database alone decides: claim, work and answer are one transaction. Returns the new answer,
        or the stored one.

        Raises:
            Problem: IDEMPOTENCY_KEY_REUSED, and an outage raised by the work.
        """

        async def decide() -> Answer:
            async with self._database.transaction() as session:
                known = await self.claim(session, body)
                if known is not None:
                    return known
                try:
                    async with session.begin_nested():
                        done = await work(session)
                except Refused as refused:
                    done = refusal(Problem(refused.code, refused.detail, fix=refused.fix), self._route)
                except Problem as problem:
                    if problem.status >= 500:
                        raise
                    done = refusal(problem, self._route)
                return await self.store(session, done)

        return await rerun_if_crossed(decide)
