"""Money on a bill that is on no line of its order: freight, surcharges, tax, a discount."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.problems import Problem
from api.shapes import Exact, Input, Text, UnsignedAmount
from models.domain import ChargeKind
from models.tables import ConnectionRow

ChargeClass = Literal[ChargeKind.FREIGHT, ChargeKind.SURCHARGE, ChargeKind.OTHER]


class NewCharge(Input):
    """One charge the supplier wrote on the invoice beside the goods."""

    model_config = ConfigDict(populate_by_name=True)

    charge_class: ChargeClass = Field(alias="class")
    amount: UnsignedAmount
    description: Text = ""


class ShownCharge(BaseModel):
    """One charge of a bill."""

    model_config = ConfigDict(populate_by_name=True)

    charge_class: ChargeClass = Field(alias="class")
    amount: Exact
    description: str


def check_charges(connection: ConnectionRow, kinds: Iterable[ChargeKind]) -> None:
    """Refuse money the ERP's bill has no place for, before anything is saved: it would be missing from its total."""
    taken = connection.capabilities.get("charges", ())
    missing = [kind for kind in dict.fromkeys(kinds) if kind not in taken]
    if missing:
        offered = f"It takes {', '.join(taken)}." if taken else "It takes none so far."
        raise Problem(
            "CHARGES_NOT_TAKEN",
            f"Bills of this connection carry no {' and no '.join(missing)}. {offered}",
            extra={"evidence": {"kinds": missing, "connection_id": connection.id}},
        )
