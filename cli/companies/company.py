"""What the demo's story must know of a pretend ERP to tell one company's day in it.

The story itself (`cli/story.py`) is the same for all of them; their own words and chapters are here, one file each.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from cli.story_desk import StoryDesk, Told

Document = Mapping[str, Any]
"""A record as the sandbox's control room shows it."""


class Check(NamedTuple):
    """One thing that must hold at the end, computed from what was found."""

    name: str
    holds: bool
    found: str


class Counterpart(NamedTuple):
    """One of our bills and what the ERP holds for it; an empty document when it holds nothing."""

    bill: Document
    document: Document
    order: Document


class Chapter(NamedTuple):
    """A part of the story that only one ERP has."""

    name: str
    tell: Callable[["StoryDesk"], None]


class Fault(NamedTuple):
    """Where the sandbox strikes: an operation of the wire protocol, and the object it concerns."""

    operation: str
    object: str = ""


class Kinds(NamedTuple):
    """The control room's names of what the ERP holds."""

    bills: str
    """The documents our bills become."""
    payables: str
    """What payments apply to; the same kind where the bill itself is payable."""
    payments: str


class StoryCompany(Protocol):
    """One pretend ERP, in the words of the story."""

    erp: str
    title: str
    """Its name, as people say it."""
    entity: str
    credentials: Mapping[str, str]
    wrong_credentials: Mapping[str, str]
    preferences: Mapping[str, str]
    wrong_preferences: Mapping[str, str]
    match_mode: str
    main_order: str
    """Billed half and half; nobody has billed it before."""
    open_state: str
    """The ERP's word for an order of which nothing happened yet."""
    unbilled_status: str
    """Our status of an order that can be billed whole and of which nothing is billed."""
    kinds: Kinds
    bill_fault: Fault
    """The write that makes a bill there."""
    payment_fault: Fault

    def ordered_on(self, order: Document) -> date:
        """The order's date, as the control room writes it."""
        ...

    def before_billing(self, desk: "StoryDesk") -> None:
        """What people do in the ERP before the main order can be billed."""
        ...

    def chapters(self) -> Sequence[Chapter]:
        """Chapters of its own, told after the bills of the main order."""
        ...

    def bill_order(self, desk: "StoryDesk", number: str) -> None:
        """People bill a whole order in the ERP itself, as invoice BY-HAND-1."""
        ...

    def bill_key(self, bill: Document) -> str:
        """The external key a bill was made under; anything else for bills that are not ours."""
        ...

    def payment_key(self, payment: Document) -> str:
        """The external key a payment was made under."""
        ...

    def is_linked(self, found: Counterpart) -> bool:
        """Whether every line of the document is linked to a line of its order, in the ERP's own terms."""
        ...

    def own_checks(self, told: "Told", bills: Sequence[Counterpart]) -> list[Check]:
        """What must hold at the end besides, for this ERP alone."""
        ...
