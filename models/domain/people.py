"""People, and how events name who acted: a person, a program, or a person through a program."""

import re
from enum import StrEnum

from models.domain.ids import PersonId


class PersonRole(StrEnum):
    """What a person may do here. A person may have several."""

    VIEWER = "viewer"
    CLERK = "clerk"
    ACCOUNTANT = "accountant"
    ADMIN = "admin"
    APPROVER = "approver"
    """May approve bills whose rule names them; everything else comes from the other roles."""

    @property
    def may_enter_bills(self) -> bool:
        """Return whether a person with this role may enter bills."""
        return self in (PersonRole.CLERK, PersonRole.ACCOUNTANT, PersonRole.ADMIN)


_THROUGH_A_KEY = re.compile(r"[^()]* \((person_[0-9a-z]+)\) by [^()]* \(key_[0-9a-z]+\)")


def program_actor(label: str, key_id: str) -> str:
    """Return the name in events of a key that belongs to no person, or names none: `label (key id)`."""
    return f"{_one_name(label)} ({key_id})"


def person_actor(name: str, person_id: PersonId, label: str, key_id: str) -> str:
    """Return the name in events of a person, with the key that was used."""
    return f"{_one_name(name)} ({person_id}) by {program_actor(label, key_id)}"


def person_of(actor: str) -> PersonId | None:
    """Return the person that an event names; None for a program, and for posync itself."""
    named = _THROUGH_A_KEY.fullmatch(actor)
    return PersonId(named[1]) if named else None


def _one_name(name: str) -> str:
    # An id stands in parentheses; a name with parentheses could pass for another person's.
    return name.replace("(", "[").replace(")", "]")
