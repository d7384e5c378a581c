"""Error recovery: the outcome of a set is kept under its newMessageSetID, per application (reference 3.4)."""

import hashlib
from typing import NamedTuple

from sandbox.quickbooks_desktop.company import Company, StoredSet

CLEAR_ALL = "ClearAllMessageSets"


class Recovery(NamedTuple):
    """What is to be done with a document: answer so at once, or run it and keep the outcome."""

    code: int | None = None
    """messageSetStatusCode; None: the document asks for no recovery."""
    answers: list[str] | None = None
    """A stored outcome; None: none is answered."""
    runs: bool = True


def recovered(company: Company, application: str, attributes: dict[str, str], text: str, *, empty: bool) -> Recovery:
    """What the recovery attributes of a document ask for."""
    new, old = attributes.get("newMessageSetID"), attributes.get("oldMessageSetID")
    if new is None and old is None:
        return Recovery()
    stored = company.message_sets.setdefault(application, {})
    limit = int(company.switches.number("message_set_id_limit"))
    if any(len(one) > limit for one in (new, old) if one is not None):
        return Recovery(9004, runs=False)
    if new is not None and new == old and empty:
        known = stored.get(new)
        if known is None:
            return Recovery(int(company.switches.word("unknown_set_code")), runs=False)
        full = company.switches.word("status_check_answer") == "full"
        return Recovery(0, known.answers if full else known.short_answers, runs=False)
    code = 0
    if old == CLEAR_ALL:
        stored.clear()
    elif old is not None:
        code = 0 if stored.pop(old, None) is not None else 600
    if new is None:
        return Recovery(code, runs=not empty)
    known = stored.get(new)
    if known is not None:
        if known.checksum != _checksum(text):
            return Recovery(9001, runs=False)
        return Recovery(0, known.answers, runs=False)
    return Recovery(code, runs=not empty)


def keep(company: Company, application: str, new: str, text: str, answers: list[str], short_answers: list[str]) -> None:
    """Store the outcome of a set that ran."""
    company.message_sets[application][new] = StoredSet(_checksum(text), answers, short_answers)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
