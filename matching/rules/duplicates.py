"""Check whether an invoice is stored already."""

from collections.abc import Iterator
from datetime import date, timedelta

from matching.kernel.exact import money, plain
from matching.kernel.inputs import BillToMatch, DuplicateCandidate
from matching.kernel.result import FIRST_RULES, Finding, Outcome
from matching.rules.dates import years_later
from matching.rules.totals import bill_total
from models.domain.invoice_numbers import number_key, number_parts

NEAR = timedelta(days=7)
"""Two bills of one vendor over the same amount within these days may be one invoice entered twice."""


def check_duplicates(bill: BillToMatch, rules: int) -> Iterator[Finding]:
    """Return findings for the same invoice again, for one that looks like it, and for a reference the ERP could not
    tell from another.

    Another part of the same supplier invoice, entered as such, gives no finding.
    """
    candidates = [kept for kept in bill.kept if not kept.same_invoice]
    if not candidates:
        return
    of_vendor = [kept for kept in candidates if kept.vendor_id == bill.vendor_id]
    exact, alike = _same_number(bill, of_vendor, rules)
    if exact:
        yield _same(bill, exact, rules)
    elif alike:
        yield _repeated_number(bill, alike)
    yield from _suspects(bill, [kept for kept in of_vendor if kept not in exact and kept not in alike])
    yield from _collisions(bill, [kept for kept in candidates if kept not in exact])


def _same_number(
    bill: BillToMatch, of_vendor: list[DuplicateCandidate], rules: int
) -> tuple[list[DuplicateCandidate], list[DuplicateCandidate]]:
    """Return the stored bills that are this one again, and those that only have its number, or nearly."""
    key, parts = number_key(bill.number), number_parts(bill.number)
    if rules == FIRST_RULES:
        return [kept for kept in of_vendor if number_key(kept.number) == key], []
    exact: list[DuplicateCandidate] = []
    alike: list[DuplicateCandidate] = []
    for kept in of_vendor:
        if number_parts(kept.number) == parts:
            (exact if _within_a_year(kept.bill_date, bill.bill_date) else alike).append(kept)
        elif number_key(kept.number) == key:
            alike.append(kept)
    return exact, alike


def _within_a_year(one: date | None, other: date | None) -> bool:
    """Return whether two dates are at most twelve months apart, to the day. An unknown date does not show that two
    invoices differ."""
    if one is None or other is None:
        return True
    return max(one, other) <= years_later(min(one, other), 1)


def _same(bill: BillToMatch, exact: list[DuplicateCandidate], rules: int) -> Finding:
    names = _names(exact)
    first = rules == FIRST_RULES
    return Finding(
        id="DUPLICATE_EXACT",
        code="DUPLICATE_EXACT",
        severity=Outcome.BLOCK,
        message=f"Number {bill.number} of vendor {bill.vendor} is stored already: {_in_words(exact)}.",
        rule="HEADER.DUPLICATE",
        formula=(
            "same vendor and same number; case, spaces, punctuation and leading zeros do not count"
            if first
            else "same vendor, same parts of the number (its runs of letters and of digits), dates within 12 months"
        ),
        values={"number": bill.number, "kept": names},
        who="ap",
        fix=(
            "open the bill that is stored already",
            *(() if first else ("or name it in part_of, if this is a further part of the same invoice",)),
            "or correct the number if this is another invoice",
        ),
    )


def _repeated_number(bill: BillToMatch, alike: list[DuplicateCandidate]) -> Finding:
    return Finding(
        id="DUPLICATE_NUMBER",
        code="DUPLICATE_NUMBER",
        severity=Outcome.HOLD,
        message=f"Number {bill.number} of vendor {bill.vendor} looks like one that is kept: {_in_words(alike)}.",
        rule="HEADER.DUPLICATE",
        formula="same vendor, same number more than 12 months apart, or the same but for where its separators are",
        values={"number": bill.number, "kept": _names(alike)},
        who="ap",
        fix=("compare the two invoices", "or decide that they are two", "or correct the number"),
    )


def _suspects(bill: BillToMatch, others: list[DuplicateCandidate]) -> Iterator[Finding]:
    if bill.bill_date is None:
        return
    asked = bill.total if bill.total is not None else bill_total(bill)
    suspects = [
        kept
        for kept in others
        if kept.total == asked and kept.bill_date is not None and abs(kept.bill_date - bill.bill_date) <= NEAR
    ]
    if suspects:
        names = _names(suspects)
        yield Finding(
            id="DUPLICATE_SUSPECT",
            code="DUPLICATE_SUSPECT",
            severity=Outcome.WARN,
            message=(
                f"Vendor {bill.vendor} billed {money(asked)} within a week of this bill already: {_in_words(suspects)}."
            ),
            rule="HEADER.DUPLICATE",
            formula=f"same vendor and amount, dates at most {NEAR.days} days apart, other number",
            values={"number": bill.number, "amount": plain(asked), "kept": names},
            money_at_stake=asked,
            who="ap",
            fix=("compare the two invoices", "acknowledge if they are two"),
        )


def _collisions(bill: BillToMatch, others: list[DuplicateCandidate]) -> Iterator[Finding]:
    if bill.reference is None or bill.reference_length is None:
        return
    cut = bill.reference[: bill.reference_length]
    same = [kept for kept in others if kept.reference and kept.reference[: bill.reference_length] == cut]
    if same:
        names = _names(same)
        yield Finding(
            id="REF_COLLISION",
            code="REF_COLLISION",
            severity=Outcome.HOLD,
            message=(
                f"The accounting system keeps {bill.reference_length} characters of a reference; {bill.reference} "
                f"becomes {cut}, which is taken already: {_in_words(same)}."
            ),
            rule="HEADER.REFERENCE",
            formula="reference cut to the ERP's length is taken",
            values={"reference": bill.reference, "cut": cut, "kept": names},
            who="ap",
            fix=("shorten the number so that its end is kept", "or bill both orders on one bill"),
        )


def _names(bills: list[DuplicateCandidate]) -> str:
    return ", ".join(kept.name for kept in bills)


def _in_words(bills: list[DuplicateCandidate]) -> str:
    """Return the bills as people look for them: `INV-7 of 2026-03-01 (bill_12)`."""
    return ", ".join(
        f"{kept.number}{f' of {kept.bill_date}' if kept.bill_date else ''} ({kept.name})" for kept in bills
    )
