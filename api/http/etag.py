"""Check that an edit is based on the current version: answers carry an ETag, edits send it as If-Match, and get 412 if
somebody else was quicker. Who has read something before asks with If-None-Match and gets 304 while it is the same.

A version counts edits of one row; an answer shows more than the row, so its ETag is version and digest: `"3-5f2a..."`.
Either form may be sent back with an edit.
"""

import hashlib
import re
from typing import Annotated

from fastapi import Header, Request, Response

from api.http.problems import Problem

_AS_OF = re.compile(rb'"as_of":"[^"]*T[^"]*"')
"""The moment that an answer is of. It alone is no change; the day that a report is of is one."""

IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        max_length=100,
        description="The ETag the edit is based on, or `*` to edit whatever is there.",
        examples=['"3"'],
    ),
]


def etag(version: int) -> str:
    """Return the version as an ETag header value."""
    return f'"{version}"'


def tag(response: Response, version: int) -> None:
    """Set the answer's ETag header to the version."""
    response.headers["ETag"] = etag(version)


def check(if_match: str, version: int) -> None:
    """Check that the caller's version is the stored one. Call it with the row locked.

    Raises:
        Problem: PRECONDITION_FAILED.
    """
    wanted = _listed(if_match)
    read = f'"{version}-'
    if "*" in wanted or etag(version) in wanted or any(one.startswith(read) for one in wanted):
        return
    raise Problem(
        "PRECONDITION_FAILED", f"The version is now {etag(version)}, not {if_match}.", headers={"ETag": etag(version)}
    )


def answer_if_changed(request: Request, response: Response) -> Response:
    """Give an answer its digest, or 304 where the caller has the same one. When it was asked is no part of it."""
    digest = hashlib.blake2b(_AS_OF.sub(b"", bytes(response.body)), digest_size=8).hexdigest()
    version = response.headers.get("ETag", "").strip('"')
    response.headers["ETag"] = f'"{version}-{digest}"' if version else f'"{digest}"'
    known = [one.removeprefix("W/") for one in _listed(request.headers.get("If-None-Match", ""))]
    if response.headers["ETag"] in known or "*" in known:
        return Response(status_code=304, headers={"ETag": response.headers["ETag"]})
    return response


def _listed(header: str) -> list[str]:
    return [candidate.strip() for candidate in header.split(",")]
