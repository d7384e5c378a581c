"""What must follow here when people change something in the ERP: the table, reasoned out row by row, and its page.

    python -m tests.activities.changes_in_the_erp

writes `docs/reference/changes-in-the-erp.md`. The tests are in `test_changes_in_the_erp.py`, and what each action does
in `tests/fakes/erp_actions.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.harness.bill_at_stage import Stage

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "changes-in-the-erp.md"


class Follows(NamedTuple):
    """What follows a change at each stage of our bill; None: the ERP does not allow it there."""

    draft: str | None
    in_review: str | None
    on_its_way: str | None
    refused: str | None
    in_the_erp: str | None
    paid: str | None
    because: str
    undone: str = ""
    """What is seen once the change is undone; empty: what was seen before it."""
    is_final: bool = False
    """True: it cannot be undone there."""

    @property
    def at(self) -> Mapping[Stage, str]:
        """Return what follows, by stage."""
        pairs = zip(Stage, self[:6], strict=True)
        return {stage: said for stage, said in pairs if said is not None}


def nothing(because: str) -> Follows:
    """Return the row of a change that concerns no bill."""
    return Follows("goes on", "waits as before", "goes on", "goes on", "stays as it is", "stays as it is", because)


def stopped(
    codes: str, because: str, *, draft: str = "", in_erp: str = "stays as it is", priced: bool = True
) -> Follows:
    """Return the row of a change that an unsent bill is stopped by. The bill in review also waits for its own price, if
    prices can be compared (`priced`)."""
    word = codes.split(":")[0]
    review = f"{codes}, PRICE_DIFFERS" if priced else codes
    return Follows(draft or codes.replace(word, "refused"), review, codes, codes, in_erp, in_erp, because)


def on_ours(in_the_erp: str, because: str, paid: str | None = "", **values: Any) -> Follows:
    """Return the row of a change of our bill itself, or of what is on it; `paid` is the same unless it is given."""
    paid = in_the_erp if paid == "" else paid
    return Follows(None, None, None, None, in_the_erp, paid, because, **values)


def on_our_payment(paid: str, because: str, **values: Any) -> Follows:
    """Return the row of a change of the payment that we sent."""
    return on_ours(None, because, paid, **values)


WORSE = "stays as it is; issue of the order: MATCH_WORSE"
UNKNOWN = "; issue of the order: UNKNOWN_ERP_STATUS"
TOO_FEW = "warned: BILLED_BEYOND_RECEIVED"

TABLE: dict[str, Follows] = {
    "order: price raised to 12": nothing("The supplier billed less than is agreed now.")._replace(in_review="goes on"),
    "order: price lowered to 8": Follows(
        "warned: PRICE_DIFFERS",
        "held: PRICE_DIFFERS",
        "warned: PRICE_DIFFERS",
        "warned: PRICE_DIFFERS",
        WORSE,
        WORSE,
        "10.00 is 25 % above what is agreed now, and 10.50 is 31 %.",
    ),
    "order: quantity lowered to 3": stopped(
        "warned: BILLED_BEYOND_ORDERED",
        "Four are billed of three ordered; ten were received, so it may be right.",
        draft="warned: BILLED_BEYOND_ORDERED",
        in_erp=WORSE,
    ),
    "order: quantity raised to 12": nothing("More is ordered than is billed."),
    "order: item replaced": stopped(
        "held: ITEM_DIFFERS",
        "The supplier billed the item that was there before; the ERP would bill the new one.",
        draft="refused: ORDER_LINE_CHANGED",
        in_erp=WORSE,
        priced=False,
    ),
    "order: unit changed": stopped(
        "held: UOM_UNKNOWN",
        "Four pieces are not four cases; how many they are, a person says once.",
        draft="held: UOM_UNKNOWN",
        in_erp=WORSE,
        priced=False,
    ),
    "order: text and dimensions of a line changed": nothing("They are not matched; a bill keeps those it was given."),
    "order: line closed": stopped("held: LINE_CLOSED", "A closed line takes no bill; what was billed before stands."),
    "order: line deleted": stopped(
        "held: LINE_NOT_ON_ORDER",
        "What was billed is ordered no more.",
        draft="refused: ORDER_LINE_GONE",
        in_erp=WORSE,
        priced=False,
    ),
    "order: line inserted before it": nothing("A line is known by its id, whatever its number is."),
    "order: lines reordered": nothing("A line is known by its id, whatever its number is."),
    "order: number changed": nothing("An order is known by its id; its number follows."),
    "order: dates, memo, reference and term changed": nothing("They are not matched; they follow."),
    "order: vendor changed": stopped(
        "held: VENDOR_MISMATCH",
        "The bill is from the vendor that the order had; a person decides whether both are one.",
        draft="held: VENDOR_MISMATCH",
        in_erp=WORSE,
    ),
    "order: currency changed": stopped(
        "held: PO_NOT_BILLABLE", "An order in another currency is left out, and takes no bill until it is back."
    ),
    "order: entity changed": stopped("held: ENTITY_MISMATCH", "Another entity's order.", in_erp=WORSE),
    "order: back in draft": stopped("held: PO_NOT_BILLABLE", "It is not approved any more."),
    "order: in a status nobody knows": Follows(
        f"goes on{UNKNOWN}",
        f"waits as before{UNKNOWN}",
        f"goes on{UNKNOWN}",
        f"goes on{UNKNOWN}",
        f"stays as it is{UNKNOWN}",
        f"stays as it is{UNKNOWN}",
        "The last status that was understood counts, and people are told.",
    ),
    "order: closed": stopped("held: PO_CLOSED", "A closed order takes no bill; what was billed before stands."),
    "order: closed and reopened": nothing("It is as it was."),
    "order: closed, the rest a back order": stopped(
        "held: PO_CLOSED", "Its advice names the back order; the bill is unlinked here and linked there."
    ),
    "order: deleted": stopped(
        "held: PO_NOT_BILLABLE, BILLED_BEYOND_RECEIVED",
        "It takes no bill any more. The bill is unlinked, and linked to the order that replaces this one. An ERP keeps "
        "an order that is billed.",
    )._replace(in_the_erp=None, paid=None, is_final=True),
    "receipt: more received": nothing("More came than is billed."),
    "receipt: lowered to 2": stopped(TOO_FEW, "Four are billed of two received.", draft=TOO_FEW, in_erp=WORSE),
    "receipt: booked on another line": stopped(TOO_FEW, "Nothing came of this line.", draft=TOO_FEW, in_erp=WORSE),
    "receipt: moved to another order": stopped(TOO_FEW, "Nothing came of this order.", draft=TOO_FEW, in_erp=WORSE),
    "receipt: number, date and texts changed": nothing("The same goods came."),
    "receipt: back in draft": stopped(TOO_FEW, "A draft has received nothing yet.", draft=TOO_FEW, in_erp=WORSE),
    "receipt: closed": nothing("What was received stays received."),
    "receipt: deleted": stopped(TOO_FEW, "Nothing came.", draft=TOO_FEW, in_erp=WORSE),
    "bills: the same invoice entered": stopped(
        "held: DUPLICATE_EXACT",
        "One supplier invoice is billed and paid once.",
        in_erp="stays as it is; issue of the bill: DUPLICATE_IN_ERP",
    ),
    "bills: the same invoice entered and deleted": nothing("There is one again."),
    "bills: the same invoice entered and rejected": nothing("A rejected bill bills nothing."),
    "bills: the rest billed by another": stopped(
        "held: QTY_OVER_CEILING", "Two are left to bill, not four. Beside a bill that is there, six are as ordered."
    ),
    "bill: number changed": on_ours("number FIXED-1", "Taken over; the old number is free again."),
    "bill: vendor changed": on_ours(
        "vendor V-OTHER; issue of the order: MATCH_WORSE",
        "Taken over: it is paid to whom it is owed. Vendors may have been merged. An ERP keeps the vendor of a bill "
        "that is paid.",
        paid=None,
    ),
    "bill: dates changed": on_ours("date 2026-03-05; due 2026-04-15", "Taken over."),
    "bill: memo changed": on_ours(
        "stays as it is", "Texts stay as they were written here; an edit sends only the fields that it changes."
    ),
    "bill: line changed to 3 at 11": on_ours(
        "total 33.00; lines order line 1: 3 at 11.00; issue of the order: MATCH_WORSE",
        "Taken over; 11.00 is 10 % above what is agreed.",
    ),
    "bill: line booked on another line": on_ours("lines order line 2: 4 at 10.00", "Taken over; it fits there too."),
    "bill: line of the order added": on_ours(
        "total 50.00; lines order line 1: 4 at 10.00, order line 2: 1 at 10.00",
        "Taken over; it fits.",
        "status partially paid; total 50.00; lines order line 1: 4 at 10.00, order line 2: 1 at 10.00",
    ),
    "bill: freight of 5 added": on_ours(
        "total 45.00; charges 5.00", "Taken over.", "status partially paid; total 45.00; charges 5.00"
    ),
    "bill: line typed in by hand": on_ours(
        "stays as it is; issue of the bill: ORDER_LINK_LOST",
        "The ERP counts it no more as billed on the order: the goods could be billed twice.",
    ),
    "bill: saved anew": on_ours("stays as it is", "The ERP makes a new payable record; it is the same bill."),
    "bill: rejected": on_ours(
        "stays as it is; issue of the bill: BILL_REJECTED_IN_ERP",
        "It bills nothing there, and is not paid from here. An ERP keeps a bill that is paid.",
        None,
    ),
    "bill: rejected and approved": on_ours("stays as it is", "It is as it was.", None),
    "bill: deleted": on_ours(
        "status deleted; notice: DELETED_IN_ERP",
        "Its quantity is free again. An ERP keeps a bill that is paid.",
        None,
        is_final=True,
    ),
    "bill: deleted and entered by hand": on_ours(
        "status deleted; notice: DELETED_IN_ERP", "The other one is the ERP's own.", None, is_final=True
    ),
    "credit: 2 credited": on_ours("stays as it is", "Two can be billed once more."),
    "credit: 2 sent back and credited": on_ours("stays as it is", "Eight came, and two of them are billed."),
    "credit: changed from 2 to 1": on_ours("stays as it is", "One can be billed once more."),
    "credit: made and deleted": on_ours("stays as it is", "It is as it was."),
    "credit: applied to it": on_ours("status partially paid", "20.00 of it are due no more.", None),
    "credit: applied and taken off": on_ours("stays as it is", "All of it is due again.", None),
    "payment: paid there": on_ours(
        "status paid; payment paid: 40.00 on 2026-03-03",
        "Taken over.",
        None,
        undone="payment voided: 40.00 on 2026-03-03",
    ),
    "payment: paid there in part": on_ours(
        "status partially paid; payment paid: 15.00 on 2026-03-03",
        "Taken over.",
        None,
        undone="payment voided: 15.00 on 2026-03-03",
    ),
    "payment: paid there and voided": on_ours(
        "payment voided: 40.00 on 2026-03-03", "All of it is due.", None, is_final=True
    ),
    "payment: paid there and deleted": on_ours("stays as it is", "It was never seen here.", None),
    "payment: ours changed to 30": on_our_payment(
        "status partially paid; payment paid: 30.00", "Taken over; 10.00 are due.", is_final=True
    ),
    "payment: ours dated another day": on_our_payment(
        "stays as it is", "The day it was planned for stays; the ERP posts it on its own."
    ),
    "payment: ours voided": on_our_payment(
        "status synced; payment voided: 40.00", "All of it is due again, and can be paid.", is_final=True
    ),
    "payment: ours deleted": on_our_payment(
        "status synced; payment voided: 40.00", "All of it is due again, and can be paid.", is_final=True
    ),
}
"""By the name of the action (`tests/fakes/erp_actions.py`)."""

NOT_CHANGED: dict[str, str] = {
    "erp_id": "the record's identity",
    "document_id": "the record's identity",
    "external_key": "our key, which marks the record as ours",
    "document_number": "our key, which marks the record as ours",
    "source_document": "the record's identity",
    "revision": "moves with every change",
    "line_no": "moves with inserted, deleted and reordered lines",
    "created_from": "set when a back order is made",
    "source_line": "set when a record is made from another one",
    "items_name_order_lines": "follows from the ERP: its bills name order lines by their items only",
    "basis": "follows from the item",
    "receivable": "follows from the item",
    "owner_entity": "moves with the entity",
    "custom": "is not matched; a bill takes what it is when it is entered",
    "billed_amount": "moves with what is billed",
    "total": "moves with the lines",
    "due": "moves with what is paid",
    "account": "is the ERP's own",
    "order_document": "moves with the lines",
    "receipt_document": "moves with the lines",
    "reference": "links only bills that were made in the ERP",
    "applied": "is a credit's",
    "credits_payable": "is a credit's",
    "bill: kind": "an ERP makes no credit of a bill",
    "order: receipts": "names the receipts that there are; one that is gone is a receipt deleted",
    "order line: currency": "moves with the order's",
    "order line: entity": "moves with the order's",
    "receipt: entity": "is the order's",
    "receipt: kind": "a receipt becomes no return; a return is a document of its own",
    "receipt: credit_document": "is a return's",
    "receipt line: credited": "is a return's",
    "receipt line: item_id": "is the order line's",
    "receipt line: unit": "is the order line's",
    "receipt line: description": "is not matched and not sent",
    "receipt line: billed": "moves with bills that are converted from it",
    "bill: entity": "an ERP moves no bill to another entity",
    "bill: reversed": "is a bill's without an order, and the same as its deletion",
    "bill: currency": "an ERP changes no currency of a bill that is made from an order",
    "bill line: description": "stays as it was written here, like the memo",
    "credit: order_line": "a credit on another line is another credit",
    "credit: unclear": "says what the reading does not show",
    "payment: vendor_id": "an ERP changes no vendor of a payment that is applied",
    "payment: currency": "an ERP changes no currency of a payment that is applied",
    "payment: settled": "a payment that is not settled yet is read again until it is",
}
"""Fields that no action changes by itself, and why: of every record, or of one."""

INTRODUCTION = """# What follows a change in the ERP

People go on working in the ERP while a bill waits here. This table says what follows here, after the next sync, when
somebody changes something there that was read already. The first column is what they change; the others say how far our
bill has come. It is made from the tests: every cell is tried by `tests/activities/test_changes_in_the_erp.py`, on an
ERP in memory; a sample of them runs on whole stacks, with each of the four sandboxes.

The case: an order of two lines of 10 at 10.00, all of it received, in 3-way matching; our bill is 4 of the first line.
A price difference of more than 3 % warns, of more than 30 % holds.

- *Draft*: the draft was read before the change and is posted after it.
- *In review*: the bill is at 10.50 and waits for an acknowledgement.
- *On its way*: the bill is accepted and not sent yet.
- *Refused*: the ERP refused it because its period was closed, and it is retried after the change. What it refused
  because of the order or a receipt (too little received, a line that is gone, quantities that are billed already) is
  tried again by itself when the order changes and no more is billed than before.

What the cells say:

- *goes on*: the bill is accepted, or goes to the ERP, with what holds now.
- *waits as before*: nothing more, and nothing less, has to be decided.
- *warned*, *held*, *refused*: what the match finds now; the codes are those of [matching](matching.md).
- *stays as it is*: the bill itself is not concerned; order, receipts and reports follow.
- anything else is what was taken over, with an event of the bill or payment; then the open issues and the notices.
- an empty cell: there is nothing to change yet, or the ERP does not allow it.

Whatever it is: what the order shows as billed is what the ERP counts, the report of goods received and not invoiced
follows, a bill that was stopped goes on once its cause is gone, and an issue closes with its cause. Where a cause does
not go away (the order was deleted), the bill can be abandoned, or unlinked and linked elsewhere.
"""


def page() -> str:
    """Return the page."""
    rows = [
        ["Changed in the ERP", *(f"{stage[0].upper()}{stage[1:]}" for stage in Stage), "Because"],
        ["---"] * (len(Stage) + 2),
        *(
            [action, *(follows.at.get(stage, "") for stage in Stage), follows.because]
            for action, follows in TABLE.items()
        ),
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{INTRODUCTION}\n{table}\n"


if __name__ == "__main__":
    PAGE.write_text(page())
