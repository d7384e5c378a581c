"""Make and change list entries as callers of the API do, and wait until the ERP has them."""

import json
from collections.abc import Mapping
from typing import Any

from tests.harness.stack_client import StackClient


def lists_of(api: StackClient, kind: str) -> str:
    """The path of one list."""
    return f"/v1/connections/{api.connection_id}/lists/{kind}"


async def entry_of(api: StackClient, kind: str, q: str) -> dict[str, Any]:
    """The one entry that a search shows."""
    (entry,) = await api.items(lists_of(api, kind), q=q)
    return entry


async def ended(api: StackClient, change: Mapping[str, Any], status: str = "done") -> dict[str, Any]:
    """A change once it has ended so."""

    async def so() -> Any:
        shown = await api.get(f"/v1/list-changes/{change['id']}")
        return shown if shown["status"] == status else None

    shown: dict[str, Any] = await api.until(so, f"{change['id']} is {status}")
    return shown


async def make(api: StackClient, kind: str, name: str, *, status: str = "done", **more: Any) -> dict[str, Any]:
    """A new entry, made through to the ERP."""
    answer = await api.post(lists_of(api, kind), {"name": name, **more}, role="accountant")
    assert answer.status_code == 202, answer.text
    return await ended(api, answer.json()["change"], status)


async def change(api: StackClient, entry: Mapping[str, Any], *, status: str = "done", **changed: Any) -> dict[str, Any]:
    """A change of an entry, made through to the ERP."""
    accepted = await ask(api, entry, **changed)
    return await ended(api, accepted["change"], status)


async def ask(api: StackClient, entry: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """What becomes of a change, right after it was asked for."""
    path = f"{lists_of(api, entry['kind'])}/{entry['erp_id']}/changes"
    answer = await api.post(path, changed, role="accountant")
    assert answer.status_code == 202, answer.text
    accepted: dict[str, Any] = answer.json()
    return accepted


async def why_of(api: StackClient, change: Mapping[str, Any], kind: str) -> list[str]:
    """The reasons that people gave for what happened to a change, as the export of events tells them."""
    key = {"Authorization": f"Bearer {api.keys['viewer']}"}
    query = {"format": "jsonl", "connection": str(api.connection_id)}
    answer = await api.http.get("/v1/exports/events", params=query, headers=key)
    assert answer.status_code == 200, answer.text
    events = [json.loads(line) for line in answer.text.splitlines()]
    return [one["why"] for one in events if (one["subject_id"], one["kind"]) == (change["id"], kind)]


async def settings(api: StackClient, **wanted: Any) -> dict[str, Any]:
    """The list settings, after these were set."""
    answer = await api.put(f"/v1/connections/{api.connection_id}/list-settings", wanted)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown
