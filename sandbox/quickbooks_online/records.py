"""What one company keeps: entities with their lines and links."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sandbox.quickbooks_online.entities import EntityType


class Link(NamedTuple):
    """One LinkedTxn."""

    txn_id: str
    txn_type: str
    line_id: str = ""


@dataclass
class Line:
    """One line. `detail` has the fields of its DetailType; a payment's line has none."""

    id: str = ""
    number: int = 0
    description: str = ""
    amount: Decimal | None = None
    detail_type: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    closed: bool = False
    """Closed by hand; orders only."""

    @property
    def quantity(self) -> Decimal | None:
        """Qty of an item line."""
        found: Decimal | None = self.detail.get("Qty")
        return found

    @property
    def bought(self) -> str:
        """The item or account, told apart."""
        if self.detail.get("ItemRef"):
            return f"item {self.detail['ItemRef']}"
        return f"account {self.detail.get('AccountRef', '')}"

    @property
    def measure(self) -> Decimal:
        """What of an order's line is billed: its quantity, or the amount of an account line."""
        quantity = self.quantity if self.detail_type == "ItemBasedExpenseLineDetail" else None
        return quantity if quantity is not None else self.amount or Decimal(0)


class Record:
    """One entity. `key` is what the neutral format calls it."""

    __slots__ = (
        *("auto_closed", "back_links", "created", "file", "id", "key", "last_line", "lines", "rendered", "status"),
        *("sync_token", "type", "updated", "values"),
    )

    def __init__(
        self, kind: EntityType, identifier: str, values: dict[str, Any], moment: datetime, key: str = ""
    ) -> None:
        self.type = kind
        self.id = identifier
        self.sync_token = 0
        self.created = moment
        self.updated = moment
        self.values = values
        """Writable and computed fields: text, Decimal, bool; a reference is the id it names."""
        self.lines: list[Line] = []
        self.last_line = 0
        self.back_links: list[Link] = []
        """Who is linked to this document: bills of an order, payments of a bill."""
        self.status = ""
        self.auto_closed = False
        """An order that closed because all of it was billed."""
        self.key = key
        self.file = b""
        """The content of an attachment."""
        self.rendered: tuple[tuple[int, bool, bool] | None, str] = (None, "")
        """Ready JSON with the state of the lists and switches that it came from."""

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    @property
    def title(self) -> str:
        """What a reference to it shows as its name."""
        values = self.values
        return str(values.get("DisplayName") or values.get("FullyQualifiedName") or values.get("Name") or "")

    def give_line_ids(self) -> None:
        """Ids for the lines that have none, never used before in this document; positions for all (reference 3.1)."""
        for position, line in enumerate(self.lines, 1):
            if not line.id:
                self.last_line += 1
                line.id = str(self.last_line)
            line.number = position

    def line(self, identifier: str) -> Line | None:
        """The line with that Id."""
        return next((line for line in self.lines if line.id == identifier), None)
