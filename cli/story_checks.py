"""What must hold at the end of the story, asked of the pretend ERP itself and compared with our mirror."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cli.api_client import Api
from cli.companies.company import Check, Counterpart, StoryCompany
from cli.sandbox_control import PretendErp
from cli.story_desk import Told

Documents = list[dict[str, Any]]


def judge(told: Told, api: Api, erp: PretendErp, company: StoryCompany) -> list[Check]:
    """All checks, each computed from what was found now."""
    bills = [api.get(f"/v1/bills/{bill_id}") for bill_id in told.bill_ids]
    payments = [api.get(f"/v1/payments/{payment_id}") for payment_id in told.payment_ids]
    orders = {order["number"]: order for order in erp.held("purchase_orders")}
    held = {kind: erp.held(kind) for kind in set(company.kinds)}
    found = _counterparts(told, company, bills, held[company.kinds.bills], orders)
    return [
        *_refusals(told),
        Check("a warning waits for a word", told.acknowledged == "DUPLICATE_SUSPECT", told.acknowledged),
        *_one_document_each(told, company, found, held),
        *_links(company, found),
        *company.own_checks(told, found),
        *_payments(told, company, bills, payments, held),
        *_orders(told, api, company, orders),
        *_came_back(told, api),
        *_nothing_left(told, api, bills),
    ]


def bill_rows(told: Told, api: Api) -> list[tuple[str, ...]]:
    """Bill, PO, ERP document, attempts, state, paid."""
    numbers = {order_id: number for number, order_id in told.order_ids.items()}
    rows: list[tuple[str, ...]] = []
    for bill_id in told.bill_ids:
        bill = api.get(f"/v1/bills/{bill_id}")
        write = bill["write"] or {"attempts": ""}
        rows.append(
            (
                bill["number"],
                numbers[bill["purchase_order_id"]],
                bill["document_id"] or "",
                str(write["attempts"]),
                bill["status"],
                f"{bill['paid']} of {bill['total']}",
            )
        )
    return rows


def _counterparts(
    told: Told, company: StoryCompany, bills: Documents, documents: Documents, orders: Mapping[str, dict[str, Any]]
) -> list[Counterpart]:
    numbers = {order_id: number for number, order_id in told.order_ids.items()}
    by_key = {company.bill_key(document): document for document in documents}
    return [
        Counterpart(bill, by_key.get(bill["external_key"], {}), orders[numbers[bill["purchase_order_id"]]])
        for bill in bills
    ]


def _refusals(told: Told) -> list[Check]:
    provoked = ("wrong password", "wrong preference", "over the ceiling")
    return [
        Check(f"refused with its reason: {what}", what in told.refusals, told.refusals.get(what, "not refused"))
        for what in provoked
    ]


def _one_document_each(
    told: Told, company: StoryCompany, found: Sequence[Counterpart], held: Mapping[str, Documents]
) -> list[Check]:
    by_hand = 1 if told.billed_in_erp else 0
    kinds = company.kinds
    by_key = Counter(company.bill_key(document) for document in held[kinds.bills])
    wrong = [one.bill["number"] for one in found if by_key[one.bill["external_key"]] != 1]
    totals = [
        one.bill["number"] for one in found if Decimal(one.document.get("total", 0)) != Decimal(one.bill["total"])
    ]
    made = {kind: len(held[kind]) - told.held_before[kind] - by_hand for kind in (kinds.bills, kinds.payables)}
    once = made[kinds.bills] == len(found) and not wrong
    checks = [Check("exactly one ERP document per bill", once, f"{made[kinds.bills]} for {len(found)} bills")]
    if kinds.payables != kinds.bills:
        behind = made[kinds.payables]
        holds = behind == len(found)
        checks.append(Check("exactly one payable behind each", holds, f"{behind} for {len(found)} bills"))
    checks.append(Check("the ERP's totals are ours", not totals, ", ".join(totals) or f"{len(found)} agree"))
    return checks


def _links(company: StoryCompany, found: Sequence[Counterpart]) -> list[Check]:
    unlinked = [one.bill["number"] for one in found if not company.is_linked(one)]
    shown = ", ".join(unlinked) or f"{len(found)} bills"
    return [Check("every line is linked to its order line", not unlinked, shown)]


def _payments(
    told: Told, company: StoryCompany, bills: Documents, payments: Documents, held: Mapping[str, Documents]
) -> list[Check]:
    paid = held[company.kinds.payments]
    made = len(paid) - told.held_before[company.kinds.payments]
    keys = {payment["external_key"] for payment in payments}
    ours = sorted(Decimal(payment["amount"]) for payment in payments)
    theirs = sorted(Decimal(payment["amount"]) for payment in paid if company.payment_key(payment) in keys)
    dues = {payable["record_no"]: Decimal(payable["due"]) for payable in held[company.kinds.payables]}
    wrong = [bill["number"] for bill in bills if dues.get(bill["payable_id"]) != Decimal(bill["due"])]
    return [
        Check("exactly one ERP payment per payment", made == len(payments), f"{made} for {len(payments)} payments"),
        Check("the amounts paid are ours", ours == theirs, " · ".join(map(str, ours))),
        Check("the ERP's amounts due are ours", not wrong, ", ".join(wrong) or f"{len(bills)} bills"),
    ]


def _orders(told: Told, api: Api, company: StoryCompany, orders: Mapping[str, dict[str, Any]]) -> list[Check]:
    mirrored = [api.get(f"/v1/purchase-orders/{order_id}", live="false") for order_id in told.order_ids.values()]
    behind = [order["number"] for order in mirrored if order["erp_status"] != orders[order["number"]]["state"]]
    unsettled = [order["number"] for order in mirrored if any(Decimal(line["pending"]) for line in order["lines"])]
    main = next(order for order in mirrored if order["number"] == company.main_order)
    shown = f"{main['status']} ({main['erp_status']})"
    return [
        Check("every order has the ERP's own status", not behind, ", ".join(behind) or f"{len(mirrored)} orders"),
        Check("no quantity is still reserved", not unsettled, ", ".join(unsettled) or f"{len(mirrored)} orders"),
        Check(f"{company.main_order} is filled", main["status"] == "filled", shown),
    ]


def _came_back(told: Told, api: Api) -> list[Check]:
    old = told.order_ids.get(told.old_order)
    order_id = told.order_ids[told.billed_in_erp]
    order = api.get(f"/v1/purchase-orders/{order_id}", live="false")
    bills = [bill["number"] for bill in api.pages(f"/v1/purchase-orders/{order_id}/bills") if bill["origin"] == "erp"]
    billed = f"{told.billed_in_erp} {order['status']}, its bills: {', '.join(bills) or 'none'}"
    return [
        Check("an old order comes in once it is edited", old is not None, told.old_order),
        Check("a bill made in the ERP comes back", order["status"] == "filled" and len(bills) == 1, billed),
    ]


def _nothing_left(told: Told, api: Api, bills: Documents) -> list[Check]:
    waiting = [bill["number"] for bill in bills if bill["status"] not in ("synced", "partially_paid", "paid")]
    open_issues = api.pages("/v1/sync-issues", state="open", connection=told.connection_id)
    issues = [issue["code"] for issue in open_issues if issue["subject_kind"] == "bill"]
    lost = next(bill for bill in bills if bill["id"] == told.lost_answer_bill)
    attempts = (lost["write"] or {"attempts": 0})["attempts"]
    outage = api.get(f"/v1/connections/{told.connection_id}")["outage_since"]
    return [
        Check("every bill arrived", not waiting, ", ".join(waiting) or f"{len(bills)} bills"),
        Check("no bill needs a person", not issues, ", ".join(issues) or "no open issue"),
        Check("the lost answer was looked up, not repeated", attempts >= 2, f"{attempts} attempts, one document"),
        Check("the ERP really failed", _really_failed(told), " · ".join(f"{k} {n}" for k, n in told.faults.items())),
        Check("the outage was shown and is over", told.outage_seen and outage is None, f"since {outage or 'nothing'}"),
        Check("what was left out has a reason", told.skipped > 0, f"{told.skipped} records"),
    ]


def _really_failed(told: Told) -> bool:
    """A fault that never struck would prove nothing: one answer lost for a bill, one for a payment, many refusals."""
    return told.faults.get("lost_answer") == 2 and told.faults.get("unavailable", 0) > 0
