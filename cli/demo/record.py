"""Record what happened while the demo ran, for the checks and the tables at its end."""

from dataclasses import dataclass, field


@dataclass
class Phase:
    name: str
    seconds: float = 0.0
    erp_calls: int = 0


@dataclass
class DemoRecord:
    """Everything that one run of the scenario did and saw."""

    connection_id: str = ""
    order_ids: dict[str, str] = field(default_factory=dict)
    """Ids of all orders in the mirror, by number."""
    bill_ids: list[str] = field(default_factory=list)
    payment_ids: list[str] = field(default_factory=list)
    count_before: dict[str, int] = field(default_factory=dict)
    """How many documents of each kind the ERP held before our first write."""
    made_otherwise: dict[str, int] = field(default_factory=dict)
    """How many documents of each kind we made besides one for each of `bill_ids`."""
    refusals: dict[str, str] = field(default_factory=dict)
    """Codes of the refusals that the scenario provoked, by what provoked them."""
    seen: dict[str, str] = field(default_factory=dict)
    """What an ERP's own chapters saw, by name, for its own checks."""
    acknowledged: str = ""
    """The warnings for which a bill was in review until somebody acknowledged them."""
    approval: str = ""
    """How a bill stood before and after it was approved, and by whom."""
    generations: list[str] = field(default_factory=list)
    """The documents that one bill was in the ERP, one after the other: disputed, sent back, and made anew each time."""
    direct_bill: str = ""
    """The bill without an order; empty: the ERP takes none."""
    voided: str = ""
    """What was due before a payment over three bills was voided, and after; empty: the ERP takes no such payment."""
    void_restored: bool = False
    """The void left the bills and the credit in the payment as they were before it."""
    outage_seen: bool = False
    skipped: int = 0
    old_order: str = ""
    """An order too old for the first import; it comes in once it is edited."""
    billed_in_erp: str = ""
    """The order that somebody billed in the ERP itself."""
    lost_answer_bill: str = ""
    faults: dict[str, int] = field(default_factory=dict)
    """How often each kind of fault really happened."""
    phases: list[Phase] = field(default_factory=list)
