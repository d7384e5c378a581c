"""Read and check the money on a bill that is on no line of its order: freight, surcharges, tax, a discount."""

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import ConfigDict, Field

from api.http.output import Output
from api.http.problems import Problem
from api.http.schemas import Input, Money, Text, UnsignedAmount
from models.domain.bills import ChargeKind
from models.tables import ConnectionRow

ChargeClass = Literal[ChargeKind.FREIGHT, ChargeKind.SURCHARGE, ChargeKind.OTHER]


class NewCharge(Input):
    """One charge that the supplier wrote on the invoice in addition to the goods."""

    model_config = ConfigDict(populate_by_name=True)

    charge_class: ChargeClass = Field(alias="class")
    amount: UnsignedAmount
    description: Text = ""


class ShownCharge(Output):
    """One charge of a bill."""

    model_config = ConfigDict(populate_by_name=True)

    charge_class: ChargeClass = Field(alias="class")
    amount: Money
    description: str


def check_charges(connection: ConnectionRow, kinds: Iterable[ChargeKind]) -> None:
    """Refuse charges for which the ERP's bill of an order has no place, before anything is saved.

    Raises:
        Problem: CHARGES_NOT_TAKEN, with the kinds that have no place.
    """
    refuse_charges(connection, kinds, connection.capabilities.get("charges", ()))


def refuse_charges(connection: ConnectionRow, kinds: Iterable[ChargeKind], taken: Sequence[str]) -> None:
    """Refuse charges that are not among those `taken`. Sent anyway, they would be missing from the bill's total in the
    ERP.

    Raises:
        Problem: CHARGES_NOT_TAKEN, with the kinds that have no place.
    """
    missing = [kind for kind in dict.fromkeys(kinds) if kind not in taken]
    if missing:
        offered = f"It takes {', '.join(taken)}." if taken else "It takes none so far."
        raise Problem(
            "CHARGES_NOT_TAKEN",
            f"Bills of this connection carry no {' and no '.join(missing)}. {offered}",
            extra={"evidence": {"kinds": missing, "connection_id": connection.id}},
        )
