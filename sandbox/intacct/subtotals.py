"""Subtotals of a purchasing document: freight, tax, a discount, beside its lines (reference 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sandbox.intacct.company import Company
from sandbox.intacct.errors import invalid
from sandbox.intacct.formats import amount_text, number
from sandbox.intacct.tables import Record


@dataclass
class Subtotal:
    """One amount beyond the lines, in the document's currency; a discount is below zero."""

    description: str
    amount: Decimal
    location: str = ""


def names(company: Company) -> list[str]:
    """What the transaction definitions call their subtotals; nothing: they have none."""
    return [name for part in company.switches.word("subtotals").split(",") if (name := part.strip())]


def check(company: Company, subtotals: Sequence[Subtotal]) -> None:
    """Only those the definition has, by its own names.

    Raises:
        FunctionError: the definition has no such subtotal, or takes none.
    """
    known = names(company)
    for subtotal in subtotals:
        if not known:
            raise invalid("Subtotals are not enabled for this transaction definition.", "Leave the subtotals out.")
        if subtotal.description not in known:
            text = f"Invalid subtotal '{subtotal.description}' specified."
            raise invalid(text, "Provide a subtotal of the transaction definition.")
        if subtotal.location:
            company.require_master("LOCATION", subtotal.location, "location")


def insert(company: Company, header: Record, subtotals: Sequence[Subtotal]) -> None:
    """Write them below their document."""
    rate = number(header["EXCHRATE"]) or Decimal(1)
    for subtotal in subtotals:
        company["PODOCUMENTSUBTOTALS"].insert(
            {
                "DOCHDRKEY": header["RECORDNO"],
                "DESCRIPTION": subtotal.description,
                "TOTAL": amount_text(subtotal.amount * rate),
                "TRX_TOTAL": amount_text(subtotal.amount),
                "LOCATIONID": subtotal.location,
            }
        )


def of_document(company: Company, header: Record) -> list[Record]:
    """A document's subtotals in their order."""
    return company["PODOCUMENTSUBTOTALS"].find("DOCHDRKEY", header["RECORDNO"])


def remove(company: Company, header: Record) -> None:
    """They go with their document."""
    for subtotal in of_document(company, header):
        company["PODOCUMENTSUBTOTALS"].remove(subtotal)
