"""What must hold at the end of the story, asked of the pretend ERP itself and compared with our mirror."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from cli.api_client import Api
from cli.sandbox_control import SandboxControl
from cli.story import MAIN_ORDER, Told


class Check(NamedTuple):
    name: str
    holds: bool
    found: str


Documents = list[dict[str, Any]]


def judge(told: Told, api: Api, sandbox: SandboxControl) -> list[Check]:
    """All checks, each computed from what was found now."""
    bills = [api.get(f"/v1/bills/{bill_id}") for bill_id in told.bill_ids]
    payments = [api.get(f"/v1/payments/{payment_id}") for payment_id in told.payment_ids]
    invoices, payables, paid = (sandbox.held(kind) for kind in ("vendor_invoices", "bills", "payments"))
    orders = sandbox.held("purchase_orders")
    return [
        *_refusals(told),
        *_one_document_each(told, bills, invoices, payables),
        *_links(told, api, bills, invoices),
        *_payments(told, bills, payments, payables, paid),
        *_orders(told, api, orders),
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


def _refusals(told: Told) -> list[Check]:
    provoked = ("wrong password", "wrong template", "over the ceiling")
    return [
        Check(f"refused with its reason: {what}", what in told.refusals, told.refusals.get(what, "not refused"))
        for what in provoked
    ]


def _one_document_each(told: Told, bills: Documents, invoices: Documents, payables: Documents) -> list[Check]:
    by_hand = 1 if told.billed_in_erp else 0
    made = len(invoices) - told.held_before["vendor_invoices"] - by_hand
    by_key = Counter(invoice["number"] for invoice in invoices)
    wrong = [bill["number"] for bill in bills if by_key[bill["external_key"]] != 1]
    totals = {invoice["number"]: Decimal(invoice["total"]) for invoice in invoices}
    differing = [bill["number"] for bill in bills if totals.get(bill["external_key"]) != Decimal(bill["total"])]
    once = made == len(bills) and not wrong
    behind = len(payables) - told.held_before["bills"] - by_hand
    return [
        Check("exactly one vendor invoice per bill", once, f"{made} for {len(bills)} bills"),
        Check("exactly one payable behind each", behind == len(bills), f"{behind} for {len(bills)} bills"),
        Check("the ERP's totals are ours", not differing, ", ".join(differing) or f"{len(bills)} agree"),
    ]


def _links(told: Told, api: Api, bills: Documents, invoices: Documents) -> list[Check]:
    numbers = {order_id: number for number, order_id in told.order_ids.items()}
    by_key = {invoice["number"]: invoice for invoice in invoices}
    unlinked, unreferenced = [], []
    for bill in bills:
        number = numbers[bill["purchase_order_id"]]
        invoice = by_key.get(bill["external_key"], {})
        lines = invoice.get("lines", [])
        if not lines or any(not line.get("source_line") for line in lines) or not _comes_from(invoice, number):
            unlinked.append(bill["number"])
        if invoice.get("reference") != number:
            unreferenced.append(bill["number"])
    return [
        Check("every line is linked to its order line", not unlinked, ", ".join(unlinked) or f"{len(bills)} bills"),
        Check("the PO number is the reference", not unreferenced, ", ".join(unreferenced) or f"{len(bills)} bills"),
    ]


def _comes_from(invoice: Mapping[str, Any], number: str) -> bool:
    return str(invoice.get("created_from", "")).endswith(f"-{number}")


def _payments(told: Told, bills: Documents, payments: Documents, payables: Documents, paid: Documents) -> list[Check]:
    made = len(paid) - told.held_before["payments"]
    keys = {payment["external_key"] for payment in payments}
    ours = sorted(Decimal(payment["amount"]) for payment in payments)
    theirs = sorted(Decimal(payment["amount"]) for payment in paid if payment["document_number"] in keys)
    dues = {payable["record_no"]: Decimal(payable["due"]) for payable in payables}
    wrong = [bill["number"] for bill in bills if dues.get(bill["payable_id"]) != Decimal(bill["due"])]
    return [
        Check("exactly one ERP payment per payment", made == len(payments), f"{made} for {len(payments)} payments"),
        Check("the amounts paid are ours", ours == theirs, " · ".join(map(str, ours))),
        Check("the ERP's amounts due are ours", not wrong, ", ".join(wrong) or f"{len(bills)} bills"),
    ]


def _orders(told: Told, api: Api, orders: Documents) -> list[Check]:
    in_erp = {order["number"]: order for order in orders}
    mirrored = [api.get(f"/v1/purchase-orders/{order_id}", live="false") for order_id in told.order_ids.values()]
    behind = [order["number"] for order in mirrored if order["erp_status"] != in_erp[order["number"]]["state"]]
    unsettled = [order["number"] for order in mirrored if any(Decimal(line["pending"]) for line in order["lines"])]
    main = next(order for order in mirrored if order["number"] == MAIN_ORDER)
    return [
        Check("every order has the ERP's own status", not behind, ", ".join(behind) or f"{len(mirrored)} orders"),
        Check("no quantity is still reserved", not unsettled, ", ".join(unsettled) or f"{len(mirrored)} orders"),
        Check(f"{MAIN_ORDER} is filled", main["status"] == "filled", f"{main['status']} ({main['erp_status']})"),
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
    issues = [issue["code"] for issue in api.pages("/v1/sync-issues", state="open") if issue["subject_kind"] == "bill"]
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
