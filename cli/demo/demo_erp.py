"""Define what the demo must know of a pretend ERP to play one company's day in it.

The scenario (`scenario.py`) is the same for all ERPs; each has a file with its own words and chapters.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, Protocol

from cli.demo.record import DemoRecord
from cli.demo.session import DemoSession

Document = Mapping[str, Any]
"""A record as the sandbox's control API shows it."""


class Check(NamedTuple):
    """One thing that must hold at the end, with what was found."""

    name: str
    holds: bool
    evidence: str


class Counterpart(NamedTuple):
    """One of our bills and what the ERP holds for it; the document is empty if it holds nothing."""

    bill: Document
    document: Document
    order: Document


class Chapter(NamedTuple):
    """A part of the scenario that only one ERP has."""

    name: str
    run: Callable[[DemoSession], None]


class Fault(NamedTuple):
    """Where the sandbox fails: an operation of the wire protocol, and the object it is about."""

    operation: str
    object: str = ""


class Kinds(NamedTuple):
    """The control API's names of what the ERP holds."""

    bills: str
    """The documents that our bills become."""
    payables: str
    """What payments apply to; the same kind if the bill itself is payable."""
    payments: str


class DemoErp(Protocol):
    """One pretend ERP, as the scenario uses it."""

    erp: str
    title: str
    """Its name, as people say it."""
    entity: str | None
    """None: the ERP has none."""
    credentials: Mapping[str, str]
    wrong_credentials: Mapping[str, str]
    refused_sign_in: str
    """What the ERP does not let in, in words."""
    preferences: Mapping[str, str]
    wrong_preferences: Mapping[str, str]
    match_mode: str
    main_order: str
    """The order that is billed in two halves; nobody has billed it before."""
    open_state: str
    """The ERP's status of an order with which nothing has happened yet."""
    unbilled_status: str
    """Our status of an order that can be billed whole and of which nothing is billed."""
    leaves_out: bool
    """The company has records that are left out on purpose."""
    kinds: Kinds
    bill_fault: Fault
    """The write that creates a bill in this ERP."""
    payment_fault: Fault

    def let_in(self, session: DemoSession, connection: Any, *, agrees: bool) -> Any:
        """Have the ERP let a new connection in, and return it. Where its credentials were enough, that is done."""
        ...

    def status_of(self, order: Document) -> str:
        """Return the ERP's status of an order, as posync says it."""
        ...

    def payable_id(self, payable: Document) -> str:
        """Return the id by which posync knows a payable."""
        ...

    def ordered_on(self, order: Document) -> date:
        """Return the order's date, as the control API writes it."""
        ...

    def before_billing(self, session: DemoSession) -> None:
        """Do what people do in the ERP before the main order can be billed."""
        ...

    def chapters(self) -> Sequence[Chapter]:
        """Return the chapters that only this ERP has; they are played after the bills of the main order."""
        ...

    def bill_order(self, session: DemoSession, number: str) -> None:
        """Bill a whole order in the ERP itself, as invoice BY-HAND-1, as people do."""
        ...

    def bill_key(self, bill: Document) -> str:
        """Return the external key a bill was created under; something else for bills that are not ours."""
        ...

    def payment_key(self, payment: Document) -> str:
        """Return the external key a payment was created under."""
        ...

    def is_linked(self, counterpart: Counterpart) -> bool:
        """Return whether every line of the document is linked to a line of its order, in the ERP's own terms."""
        ...

    def own_checks(
        self, record: DemoRecord, bills: Sequence[Counterpart], records: Mapping[str, Sequence[Document]]
    ) -> list[Check]:
        """Return the checks that only this ERP has. `records` are its bills, payments and purchase orders."""
        ...
