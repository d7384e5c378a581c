"""Read what QuickBooks' webhooks say: which company changed, in either of two forms (reference 5).

Only ids are read. The data that an event may carry is neither used nor logged: a sync run asks QuickBooks itself.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

from models.domain import exact_json

LONGEST_ID = 500

LONGEST_COMPANY = 100
"""Characters of a company's number that are kept: no company has so many."""


def is_signed(body: bytes, signature: str, token: str) -> bool:
    """Return whether the app's verifier token signed exactly these bytes; compared in constant time."""
    expected = base64.b64encode(hmac.new(token.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(expected, signature.strip().encode("ascii", "replace"))


def events_of(body: bytes) -> dict[str, list[str]] | None:
    """Return the ids of the events by company; None: the body is in neither form.

    An unknown operation or kind of record is a hint like any other; an event without a company is left out.
    """
    try:
        value = exact_json.read(body)
    except ValueError:
        return None
    if isinstance(value, list):
        pairs = list(_cloud_events(value))
    elif isinstance(value, Mapping) and isinstance(value.get("eventNotifications"), list):
        pairs = list(_notifications(value["eventNotifications"]))
    else:
        return None
    events: dict[str, list[str]] = {}
    for company, event_id in pairs:
        events.setdefault(company, []).append(event_id)
    return events


def _cloud_events(events: list[Any]) -> Iterator[tuple[str, str]]:
    for event in events:
        if not isinstance(event, Mapping):
            continue
        company = _text(event.get("intuitaccountid"))[:LONGEST_COMPANY]
        # An id is any text; a long one is stored by its digest.
        event_id = _text(event.get("id")) or _digest(
            company, event.get("type"), event.get("intuitentityid"), event.get("time")
        )
        if company:
            yield company, event_id if len(event_id) <= LONGEST_ID else _digest(event_id)


def _notifications(notifications: list[Any]) -> Iterator[tuple[str, str]]:
    for notification in notifications:
        if not isinstance(notification, Mapping):
            continue
        company = _text(notification.get("realmId"))[:LONGEST_COMPANY]
        change = notification.get("dataChangeEvent")
        entities = change.get("entities") if isinstance(change, Mapping) else None
        if not company or not isinstance(entities, list):
            continue
        for entity in entities:
            if isinstance(entity, Mapping):
                # This form has no ids: the same change of the same record at the same time is the same event.
                names = ("name", "id", "operation", "lastUpdated", "deletedId")
                yield company, _digest(company, *(entity.get(name) for name in names))


def _text(value: Any) -> str:
    """Return a value as text that the database can hold: without NUL and without halves of characters."""
    text = str(value)[:10_000].replace("\0", "") if isinstance(value, str | int) else ""
    return text.encode("utf-8", "replace").decode("utf-8")


def _digest(*parts: Any) -> str:
    return hashlib.sha256("\x1f".join(_text(part) for part in parts).encode("utf-8", "replace")).hexdigest()
