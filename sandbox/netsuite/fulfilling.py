"""Item fulfilments of return authorizations: the goods go back to the vendor (reference 4, 5.4)."""

from decimal import Decimal

from sandbox.netsuite.company import Company
from sandbox.netsuite.documents import fill_header, post
from sandbox.netsuite.errors import Refused, bad_reference, missing
from sandbox.netsuite.normalising import Writing
from sandbox.netsuite.orders import ZERO, item_lines, linked_orders, order_line, relink, source_of
from sandbox.netsuite.records import Record, Values
from sandbox.netsuite.values import Lines

RETURN = "vendorReturnAuthorization"


def prepare_fulfilment(writing: Writing, values: Values, old: Record | None) -> None:
    """A fulfilment as it will be stored: what goes back, by the authorization's line. Raises Refused."""
    company = writing.company
    if values.get("createdFrom") is None:
        raise missing("Created From")
    made = company.get(RETURN, company.pointed("createdFrom", values["createdFrom"]).internal_id)
    if made is None:
        raise bad_reference("createdfrom", values["createdFrom"].internal_id)
    values["entity"] = made["entity"]
    fill_header(writing, values, company.pointed("entity", made["entity"]))
    post(company, values, old)
    if values.get("tranId") is None:
        values["tranId"] = company.next_number("itemFulfillment", "IF")
    values.setdefault("shipStatus", "_shipped")
    done = gone(company, made, without=old)
    lines = Lines()
    for line in values.get("itemList") or ():
        if line.get("itemReceive") is False:
            continue
        target = order_line(made, line.get("orderLine") or 0)
        if target is None:
            raise bad_reference("orderline", line.get("orderLine"))
        left = target["quantity"] - done.get(target["line"], ZERO)
        line.setdefault("quantity", left)
        if line["quantity"] <= 0:
            raise Refused("POSITIVE_QTY_REQD", "The quantity must be positive.")
        if line["quantity"] > left:
            raise Refused("OVER_FULFILL_RECEIV_DISALLWD", "More than was authorized cannot be returned.")
        item = company.pointed("item", target["item"])
        line |= {"itemReceive": True, "item": target["item"], "itemName": item["itemId"]}
        line.setdefault("description", target.get("description"))
        lines.append(line)
    if not lines:
        raise Refused("VALID_LINE_ITEM_REQD", "You must have at least one valid line item for this transaction.")
    values["itemList"] = lines


def gone(company: Company, made: Record, *, without: Record | None = None) -> dict[int, Decimal]:
    """What has left of an authorization, by its line. Picked or packed goods are still here."""
    done: dict[int, Decimal] = {}
    for one in company.all("itemFulfillment"):
        if one is without or source_of(company, one) is not made or one["shipStatus"] != "_shipped":
            continue
        for line in item_lines(one):
            done[line["orderLine"]] = done.get(line["orderLine"], ZERO) + line["quantity"]
    return done


def after_fulfilment(writing: Writing, fulfilment: Record, before: Record | None) -> None:
    """The authorization shows it, and the order where the account lowers what it received."""
    relink(writing.company, fulfilment, linked_orders(writing.company, before) if before is not None else set())
    show_state(writing.company, source_of(writing.company, fulfilment))


def after_fulfilment_goes(writing: Writing, fulfilment: Record) -> None:
    """The authorization waits for its goods again."""
    relink(writing.company, fulfilment, linked_orders(writing.company, fulfilment))
    show_state(writing.company, source_of(writing.company, fulfilment))


def show_state(company: Company, made: Record | None) -> None:
    """An authorization's state, by what has left and what was credited."""
    if made is None or made.type.name != RETURN:
        return
    credits = [one for one in company.all("vendorCredit") if source_of(company, one) is made]
    credited = sum((one["total"] for one in credits), ZERO)
    done = gone(company, made)
    wanted = {line["line"]: line["quantity"] for line in item_lines(made)}
    all_gone = bool(wanted) and all(done.get(line, ZERO) >= quantity for line, quantity in wanted.items())
    if credited >= made["userTotal"]:
        state = "_credited"
    elif all_gone:
        state = "_pendingCredit"
    elif done:
        state = "_partiallyReturned" if credited else "_pendingCreditPartiallyReturned"
    else:
        state = "_pendingReturn"
    made.values["orderStatus"] = state
    company.touch(made)
