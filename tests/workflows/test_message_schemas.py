"""Messages are locked: whoever changes one sees the difference, and fields only grow."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from tests.workflows.save_histories import HISTORIES
from tests.workflows.save_message_schemas import SCHEMAS, all_messages, as_text, schema_of

KEPT = {path.stem: path for path in sorted(SCHEMAS.glob("*.json"))}


@pytest.mark.parametrize("name", sorted({*KEPT, *all_messages()}))
def test_a_message_is_what_was_kept(name: str) -> None:
    """Changed on purpose: `python -m tests.workflows.save_message_schemas`."""
    assert name in KEPT, "a new message: keep its schema"
    assert name in all_messages(), "a message that is gone: workflows that run may still send it"
    assert as_text(schema_of(all_messages()[name])) == KEPT[name].read_text()


@pytest.mark.parametrize("name", sorted(all_messages()))
def test_what_a_release_may_have_sent_is_still_understood(name: str) -> None:
    """A field that is not in a message of before has a default."""
    for path in HISTORIES.glob(f"*/message_schemas/{name}.json"):
        assert breaks(json.loads(path.read_text()), schema_of(all_messages()[name])) == []


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What of a message of before the present one would not understand: fields that are gone, new, of another kind, or
    other enums."""
    was, now = old.get("properties", {}), new.get("properties", {})
    gone = [f"{field} is gone" for field in sorted(was.keys() - now.keys())]
    needed = [f"{field} is needed" for field in new.get("required", []) if field not in old.get("required", [])]
    others = [
        f"{field} is of another kind"
        for field in sorted(was.keys() & now.keys())
        if not _kinds(was[field]) <= _kinds(now[field])
    ]
    values = [
        f"{kind} lost {', '.join(lost)}"
        for kind, defined in sorted(old.get("$defs", {}).items())
        if (lost := sorted(set(defined.get("enum", [])) - set(new.get("$defs", {}).get(kind, {}).get("enum", []))))
    ]
    return gone + needed + others + values


def _kinds(field: dict[str, Any]) -> set[str]:
    """The kinds of value that a field takes: JSON types, and the messages and enums it may hold."""
    return {str(one.get("$ref") or one.get("type")) for one in field.get("anyOf", [field])}


class Before(BaseModel):
    kept: int
    dropped: str = ""


class Grown(BaseModel):
    kept: int
    dropped: str = ""
    more: int = 0


class Broken(BaseModel):
    kept: int
    more: int


class Wider(Before):
    kept: int | None


class Other(Before):
    kept: str


def test_a_field_may_come_with_a_default_and_never_go() -> None:
    assert breaks(schema_of(Before), schema_of(Grown)) == []
    assert breaks(schema_of(Before), schema_of(Broken)) == ["dropped is gone", "more is needed"]


def test_a_field_may_take_more_and_never_something_else() -> None:
    assert breaks(schema_of(Before), schema_of(Wider)) == []
    assert breaks(schema_of(Before), schema_of(Other)) == ["kept is of another kind"]


def test_prose_is_no_part_of_the_lock_and_a_field_called_title_is() -> None:
    class Titled(BaseModel):
        """Some prose."""

        title: str

    assert schema_of(Titled) == {"properties": {"title": {"type": "string"}}, "required": ["title"], "type": "object"}
