"""Build and compare expense lines of a vendor bill that are on no order: amounts on GL accounts (reference 4)."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timezone
from typing import Any

from erp.errors import Rejected
from erp.netsuite import own_fields, translate, wire
from erp.netsuite.bill_edits import FIELDS, edited_dimensions, text_difference
from erp.netsuite.bill_lines import NsLine
from erp.netsuite.own_fields import OwnFields
from erp.netsuite.wire import NsRecord
from erp.netsuite.writer import given, reference
from models.domain.bills import AccountLineToPush


def expense_of(line: AccountLineToPush, own: OwnFields, zone: timezone) -> dict[str, Any]:
    """Return a line of `expenseList` without an order. `own`: the company's own fields of lines."""
    return given(
        account=reference(line.account),
        amount=wire.plain(line.amount),
        memo=wire.carried(line.description),
        department=reference(line.department),
        **{"class": reference(line.class_id)},
        location=reference(line.location),
        customer=reference(line.project),
        **own_fields.sent(line.custom, own, zone),
    )


def pairs_of(
    lines: Sequence[AccountLineToPush], existing: Sequence[NsLine], taken: Sequence[NsLine | None] = ()
) -> list[tuple[AccountLineToPush, NsLine | None]]:
    """Pair each line with the one in its place among the expense lines that are on no order and not `taken`: NetSuite
    keeps their order."""
    free = [one for one in existing if one.expense and one.link is None and not any(one is other for other in taken)]
    return [(line, free[place] if place < len(free) else None) for place, line in enumerate(lines)]


def updated_line(
    record: NsRecord, line: AccountLineToPush, match: NsLine | None, own: OwnFields, zone: timezone
) -> dict[str, Any]:
    """Return the edited fields of a line of `expenseList`, with NetSuite's own number of it.

    Raises:
        Rejected: CONTENT_CONFLICT, when NetSuite has no such line any more; FIELD_NOT_EMPTIED, because SOAP can
            never empty a field of a line.
    """
    if match is None or match.link is not None:
        raise Rejected(
            f"The lines of bill {record.id} were changed in NetSuite: they are no longer those of the bill.",
            code="CONTENT_CONFLICT",
            evidence={"document": record.id, "line": str(line.line_no)},
        )
    values: dict[str, Any] = {"line": int(translate.line_number(record, wire.text(match.fields, "line")))}
    values |= edited_dimensions(line)
    if "description" in line.edited:
        values["memo"] = wire.carried(line.description)
    if "custom" in line.edited:
        values |= own_fields.edits(line.line_no, line.custom, match.fields, own, zone)
    return values


def line_differences(
    line: AccountLineToPush, match: NsLine | None, own: OwnFields, *, only: Collection[str] | None = None
) -> Iterator[str]:
    """Return how the line differs from the one that NetSuite holds for it; of an edit, `only` the edited fields."""
    name = f"line {line.line_no}"
    if match is None:
        yield f"{name}: NetSuite does not have it"
        return
    if only is None:
        amount = translate.money(match.fields, "amount")
        account = wire.ref_id(match.fields, "account")
        for what, mine, theirs in (("the amount", line.amount, amount), ("the account", line.account, account)):
            if mine != theirs:
                yield f"{name}, {what}: sent {mine}, NetSuite has {theirs or 'nothing'}"
    for ours, field in FIELDS.items():
        sent, existing = getattr(line, ours) or None, wire.ref_id(match.fields, field)
        # What we left to NetSuite's defaults is no difference, unless an edit emptied it.
        asked = bool(sent) if only is None else ours in only
        if asked and sent != existing:
            what = ours.removesuffix("_id")
            yield f"{name}, the {what}: sent {sent or 'nothing'}, NetSuite has {existing or 'nothing'}"
    if bool(line.description) if only is None else "description" in only:
        yield from text_difference(f"{name}, the description", line.description, wire.text(match.fields, "memo"))
    if only is None or "custom" in only:
        yield from own_fields.differences(line.line_no, line.custom, match.fields, own, whole=only is not None)
