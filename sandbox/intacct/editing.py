"""Purchasing documents changed and deleted (reference 3.4).

What a document converted and posted is taken back first and done again afterwards: that is why a vendor invoice's bill
has a new record number after every edit.
"""

from collections.abc import Mapping
from decimal import Decimal

from sandbox.intacct import subtotals
from sandbox.intacct.company import Actor, Company
from sandbox.intacct.conversions import (
    WITHOUT_EFFECT,
    has_back_order,
    line_like,
    refresh_state,
    set_state,
    take_effect,
    withdraw,
)
from sandbox.intacct.documents import (
    SMALLEST_QUANTITY,
    Line,
    check_line,
    definition_of,
    in_unit_of,
    line_values,
    lines_of,
    require_level,
    totals,
)
from sandbox.intacct.errors import invalid
from sandbox.intacct.formats import amount_text, number, plain
from sandbox.intacct.payables import refuse_reconciled, refuse_where_reversed
from sandbox.intacct.tables import Record

LOCKED = frozenset({"Submitted", "In Progress", "Partially Converted", "Converted"})


def delete_document(company: Company, header: Record, actor: Actor) -> None:
    """Delete a document that nothing was converted from (reference 3.4).

    Raises:
        FunctionError: it was converted, or the delete policy of its definition forbids it.
    """
    require_level(company, header, actor)
    policy = definition_of(company, header["DOCPARID"])["DELTYPE"]
    if policy == "Never" or (policy == "Before Printing" and header["PRINTED"] == "true"):
        raise invalid(f"The delete policy of {header['DOCPARID']} does not allow deleting {header['DOCID']}.")
    if company["PODOCUMENTENTRY"].find("SOURCE_DOCID", header["DOCID"]):
        raise invalid(f"The document {header['DOCID']} was converted and cannot be deleted.", "Close it instead.")
    payable = company["APBILL"].get(header["PRRECORDKEY"])
    if payable is not None:
        refuse_reconciled(company, payable)
    _delete_unchecked(company, header, actor)


def _delete_unchecked(company: Company, header: Record, actor: Actor) -> None:
    in_effect = header["STATE"] not in WITHOUT_EFFECT
    sources = {line["SOURCE_DOCKEY"] for line in lines_of(company, header) if line["SOURCE_DOCKEY"]}
    if in_effect:
        withdraw(company, header, actor)
    subtotals.remove(company, header)
    company.delete("PODOCUMENT", header, actor)
    if not in_effect:
        for key in sources:
            source = company["PODOCUMENT"].get(key)
            if source is not None:
                refresh_state(company, source, actor)


def require_editable(company: Company, header: Record, actor: Actor) -> None:
    """Refuse an edit by state, level or the definition's policy.

    Raises:
        FunctionError: its state or the edit policy of its definition forbids it.
    """
    require_level(company, header, actor)
    if header["STATE"] in LOCKED:
        raise invalid(f"The document {header['DOCID']} is {header['STATE']} and cannot be edited.")
    policy = definition_of(company, header["DOCPARID"])["EDITTYPE"]
    if policy == "Never" or (policy == "Before Printing" and header["PRINTED"] == "true"):
        raise invalid(f"The edit policy of {header['DOCPARID']} does not allow editing {header['DOCID']}.")


def edit_document(
    company: Company,
    header: Record,
    header_changes: Mapping[str, str],
    line_changes: Mapping[int, Mapping[str, str]],
    removed: set[int],
    added: list[Line],
    state: str,
    actor: Actor,
) -> None:
    """Change a document; `line_changes` and `removed` count lines from zero. A posting document's bill is remade.

    Raises:
        FunctionError: there is no such state, or the document cannot be edited.
    """
    in_effect = header["STATE"] not in WITHOUT_EFFECT and header["STATE"] != "Closed"
    rewritten = bool(line_changes or removed or added or header_changes)
    payable = company["APBILL"].get(header["PRRECORDKEY"])
    if rewritten and payable is not None:
        refuse_where_reversed(company, payable)
    if in_effect and rewritten:
        withdraw(company, header, actor)
    company["PODOCUMENT"].change(header, header_changes)
    if line_changes or removed or added:
        _edit_lines(company, header, line_changes, removed, added, actor)
        beside = subtotals.of_document(company, header)
        company["PODOCUMENT"].change(header, totals(lines_of(company, header), beside))
    if header_changes or company.switches.flag("header_touched_by_line_edit") or state:
        company.touch("PODOCUMENT", header, actor)
    company.log("PODOCUMENT", header, "M", actor)
    was = header["STATE"]
    if state and state != was:
        if state not in ("Draft", "Pending", "Closed"):
            raise invalid(f"Invalid state '{state}' specified.", "Use Draft, Pending or Closed.")
        set_state(company, header, state, actor)
    if (in_effect and rewritten) or (was in WITHOUT_EFFECT and header["STATE"] == "Pending"):
        take_effect(company, header, actor)
    if line_changes and any(number(line["QTY_CONVERTED"]) for line in lines_of(company, header)):
        # Fewer ordered may mean complete, more ordered open again.
        refresh_state(company, header, actor)


def _check_room(company: Company, entry: Record, quantity: Decimal, unit: str) -> None:
    source = company["PODOCUMENTENTRY"].get(entry["SOURCE_DOCLINEKEY"])
    if source is None:
        return
    if quantity < 0:
        raise invalid("A converted quantity must be more than zero.")
    if company.switches.word("over_conversion") == "allow":
        return
    header = company["PODOCUMENT"].get(source["DOCHDRNO"])
    room = number(source["UIQTY"]) - number(source["QTY_CONVERTED"])
    if header is not None and has_back_order(company, header):
        # What was not converted belongs to the back order now.
        room = in_unit_of(company, source, entry["UNIT"], number(entry["UIQTY"]))
    if in_unit_of(company, source, unit, quantity) - room > SMALLEST_QUANTITY:
        raise invalid(f"The quantity {plain(quantity)} is more than what remains on {source['DOCHDRID']}.")


def _edit_lines(
    company: Company,
    header: Record,
    line_changes: Mapping[int, Mapping[str, str]],
    removed: set[int],
    added: list[Line],
    actor: Actor,
) -> None:
    entries = company["PODOCUMENTENTRY"]
    lines = lines_of(company, header)
    by_number = {int(line["LINE_NO"]): line for line in lines}
    for line_no in {*line_changes, *removed}:
        if line_no not in by_number:
            raise invalid(f"Line {line_no + 1} does not exist on {header['DOCID']}.")
    stamp = {"WHENMODIFIED": company.stamp(), "MODIFIEDBY": actor.user}
    for line_no, changes in line_changes.items():
        entry = by_number[line_no]
        changed = line_like(entry, number(changes.get("UIQTY", entry["UIQTY"])))
        changed.item = changes.get("ITEMID", entry["ITEMID"])
        changed.price = number(changes.get("UIPRICE", entry["UIPRICE"]))
        changed.unit = changes.get("UNIT", entry["UNIT"])
        changed.description = changes.get("ITEMDESC", entry["ITEMDESC"])
        changed.memo = changes.get("MEMO", entry["MEMO"])
        changed.location = changes.get("LOCATIONID", entry["LOCATIONID"])
        changed.department = changes.get("DEPARTMENTID", entry["DEPARTMENTID"])
        changed.class_id = changes.get("CLASSID", entry["CLASSID"])
        changed.project = changes.get("PROJECTID", entry["PROJECTID"])
        changed.warehouse = changes.get("WAREHOUSE.LOCATION_NO", entry["WAREHOUSE.LOCATION_NO"])
        item = check_line(company, changed, converted=True)
        _check_room(company, entry, changed.quantity, changed.unit)
        values = line_values(header.values, changed, item, line_no)
        converted = number(entry["QTY_CONVERTED"])
        values["QTY_CONVERTED"] = entry["QTY_CONVERTED"]
        values["QTY_REMAINING"] = plain(changed.quantity - converted)
        billed = number(entry["TOTAL_AMOUNT_CONVERTED"])
        values["TOTAL_AMOUNT_CONVERTED"] = amount_text(billed)
        values["TOTAL_AMOUNT_REMAINING"] = amount_text(number(values["TRX_VALUE"]) - billed)
        own = company.custom_fields.get("PODOCUMENTENTRY", set())
        values |= {field: value for field, value in changes.items() if field in own}
        entries.change(entry, values | stamp)
    for line_no in removed:
        entries.remove(by_number[line_no])
    kept = [line for line in lines if int(line["LINE_NO"]) not in removed]
    for at, entry in enumerate(kept):
        entries.change(entry, {"LINE_NO": str(at)})
    owner = company.entity_fields(header["MEGAENTITYID"])
    for at, line in enumerate(added, len(kept)):
        item = check_line(company, line, converted=bool(line.source_line))
        values = line_values(header.values, line, item, at)
        more = {"DOCHDRNO": header["RECORDNO"], "AUWHENCREATED": company.stamp(), "CREATEDBY": actor.user}
        entries.insert(values | more | stamp | owner)
    if not kept and not added:
        raise invalid("A document needs at least one line.")
