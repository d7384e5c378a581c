"""What every function of the pretend Intacct is given besides its own XML."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.intacct.company import Actor, Company
from sandbox.intacct.sessions import Session


@dataclass
class Call:
    """One function call under way."""

    company: Company
    session: Session
    docparid: str = ""
    """The transaction definition whose custom fields are wanted (reference 2.8)."""
    tampering: Mapping[str, str] = field(default_factory=dict)
    """Faults that change data, by kind; the value names one record (DOCID, number, RECORDNO) or is empty."""

    @property
    def actor(self) -> Actor:
        """Who calls."""
        return self.session.actor
