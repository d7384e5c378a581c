"""Edits name the version they are based on: ETag out, If-Match in (412 when somebody was quicker)."""

from typing import Annotated

from fastapi import Header, Response

from api.problems import Problem

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
    return f'"{version}"'


def tag(response: Response, version: int) -> None:
    """Let the answer name its version."""
    response.headers["ETag"] = etag(version)


def check(if_match: str, version: int) -> None:
    """Raise unless the caller's version is the one we hold; call it with the row locked."""
    wanted = [candidate.strip() for candidate in if_match.split(",")]
    if "*" in wanted or etag(version) in wanted:
        return
    raise Problem(
        "PRECONDITION_FAILED", f"The version is now {etag(version)}, not {if_match}.", headers={"ETag": etag(version)}
    )
