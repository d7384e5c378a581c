"""Check what must hold at the end of the scenario: ask the pretend ERP itself, and compare it with our mirror."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cli.client.api_client import Api
from cli.client.sandbox_control import PretendErp
from cli.demo.demo_erp import Check, Counterpart, DemoErp
from cli.demo.record import DemoRecord

Documents = list[dict[str, Any]]


def run_checks(record: DemoRecord, api: Api, erp: PretendErp, company: DemoErp) -> list[Check]:
    """Return all checks, each computed from what was found now."""
    bills = [api.get(f"/v1/bills/{bill_id}") for bill_id in record.bill_ids]
    payments = [api.get(f"/v1/payments/{payment_id}") for payment_id in record.payment_ids]
    orders = {order["number"]: order for order in erp.records("purchase_orders")}
    records = {kind: erp.records(kind) for kind in set(company.kinds)} | {"purchase_orders": list(orders.values())}
    result = _counterparts(record, company, bills, records[company.kinds.bills], orders)
    return [
        *_refusals(record, company),
        Check(
            "a warning waits until it is acknowledged", record.acknowledged == "DUPLICATE_SUSPECT", record.acknowledged
        ),
        Check(
            "a bill waits until it is approved",
            record.approval == "awaiting_approval, then approved by Ben",
            record.approval or "not approved",
        ),
        *_second_thoughts(record, api, records[company.kinds.payables]),
        *_one_document_each(record, company, result, records),
        *_links(company, result),
        *company.own_checks(record, result, records),
        *_payments(record, company, bills, payments, records),
        *_orders(record, api, company, orders),
        *_came_back(record, api),
        *_nothing_left(record, api, company, bills),
    ]


def bill_rows(record: DemoRecord, api: Api) -> list[tuple[str, ...]]:
    """Return one row per bill: bill, PO, ERP document, attempts, state, paid."""
    numbers = {order_id: number for number, order_id in record.order_ids.items()}
    rows: list[tuple[str, ...]] = []
    for bill_id in record.bill_ids:
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
    record: DemoRecord, company: DemoErp, bills: Documents, documents: Documents, orders: Mapping[str, dict[str, Any]]
) -> list[Counterpart]:
    numbers = {order_id: number for number, order_id in record.order_ids.items()}
    by_key = {company.bill_key(document): document for document in documents}
    return [
        Counterpart(bill, by_key.get(bill["external_key"], {}), orders[numbers[bill["purchase_order_id"]]])
        for bill in bills
    ]


def _refusals(record: DemoRecord, company: DemoErp) -> list[Check]:
    provoked = (company.refused_sign_in, "wrong preference", "over the ceiling", "approving her own bill")
    return [
        Check(f"refused with its reason: {what}", what in record.refusals, record.refusals.get(what, "not refused"))
        for what in provoked
    ]


def _second_thoughts(record: DemoRecord, api: Api, payables: Documents) -> list[Check]:
    """Check what was taken back and made anew, and the bill without an order, where the ERP takes them."""
    offered = api.get(f"/v1/connections/{record.connection_id}")["capabilities"]
    checks = []
    if offered["retract_by"]:
        shown = " · ".join(record.generations) or "nothing was taken back"
        anew = len(set(record.generations)) == 3
        checks.append(Check("a bill taken back twice was made anew twice", anew, shown))
    if offered["direct_bills"]:
        bill = api.get(f"/v1/bills/{record.direct_bill}")
        there = [Decimal(one["total"]) for one in payables if one["number"] == bill["number"]]
        arrived = bill["purchase_order_id"] is None and there == [Decimal(bill["total"])]
        shown = f"{bill['number']}: {' and '.join(map(str, there)) or 'none'} in the ERP"
        checks.append(Check("a bill without an order is in the ERP once", arrived, shown))
    if offered["credits"]:
        restored = "a void leaves three bills and a credit as they were"
        checks.append(Check(restored, record.void_restored, record.voided or "nothing was voided"))
    return checks


def _one_document_each(
    record: DemoRecord, company: DemoErp, result: Sequence[Counterpart], records: Mapping[str, Documents]
) -> list[Check]:
    by_hand = 1 if record.billed_in_erp else 0
    kinds = company.kinds
    by_key = Counter(company.bill_key(document) for document in records[kinds.bills])
    wrong = [one.bill["number"] for one in result if by_key[one.bill["external_key"]] != 1]
    totals = [
        one.bill["number"] for one in result if Decimal(one.document.get("total", 0)) != Decimal(one.bill["total"])
    ]
    others = {kind: record.count_before[kind] + by_hand + record.made_otherwise.get(kind, 0) for kind in set(kinds)}
    made = {kind: len(records[kind]) - others[kind] for kind in (kinds.bills, kinds.payables)}
    once = made[kinds.bills] == len(result) and not wrong
    checks = [Check("exactly one ERP document per bill", once, f"{made[kinds.bills]} for {len(result)} bills")]
    if kinds.payables != kinds.bills:
        behind = made[kinds.payables]
        holds = behind == len(result)
        checks.append(Check("exactly one payable behind each", holds, f"{behind} for {len(result)} bills"))
    checks.append(Check("the ERP's totals are ours", not totals, ", ".join(totals) or f"{len(result)} agree"))
    return checks


def _links(company: DemoErp, result: Sequence[Counterpart]) -> list[Check]:
    unlinked = [one.bill["number"] for one in result if not company.is_linked(one)]
    shown = ", ".join(unlinked) or f"{len(result)} bills"
    return [Check("every line is linked to its order line", not unlinked, shown)]


def _payments(
    record: DemoRecord, company: DemoErp, bills: Documents, payments: Documents, records: Mapping[str, Documents]
) -> list[Check]:
    paid = records[company.kinds.payments]
    made = len(paid) - record.count_before[company.kinds.payments]
    made -= record.made_otherwise.get(company.kinds.payments, 0)
    keys = {payment["external_key"] for payment in payments}
    ours = sorted(Decimal(payment["amount"]) for payment in payments)
    theirs = sorted(Decimal(payment["amount"]) for payment in paid if company.payment_key(payment) in keys)
    dues = {company.payable_id(payable): Decimal(payable["due"]) for payable in records[company.kinds.payables]}
    wrong = [bill["number"] for bill in bills if dues.get(bill["payable_id"]) != Decimal(bill["due"])]
    return [
        Check("exactly one ERP payment per payment", made == len(payments), f"{made} for {len(payments)} payments"),
        Check("the amounts paid are ours", ours == theirs, " · ".join(map(str, ours))),
        Check("the ERP's amounts due are ours", not wrong, ", ".join(wrong) or f"{len(bills)} bills"),
    ]


def _orders(record: DemoRecord, api: Api, company: DemoErp, orders: Mapping[str, dict[str, Any]]) -> list[Check]:
    mirrored = [api.get(f"/v1/purchase-orders/{order_id}", live="false") for order_id in record.order_ids.values()]
    behind = [
        order["number"] for order in mirrored if order["erp_status"] != company.status_of(orders[order["number"]])
    ]
    unsettled = [order["number"] for order in mirrored if any(Decimal(line["pending"]) for line in order["lines"])]
    main = next(order for order in mirrored if order["number"] == company.main_order)
    shown = f"{main['status']} ({main['erp_status']})"
    return [
        Check("every order has the ERP's own status", not behind, ", ".join(behind) or f"{len(mirrored)} orders"),
        Check("no quantity is still reserved", not unsettled, ", ".join(unsettled) or f"{len(mirrored)} orders"),
        Check(f"{company.main_order} is filled", main["status"] == "filled", shown),
    ]


def _came_back(record: DemoRecord, api: Api) -> list[Check]:
    old = record.order_ids.get(record.old_order)
    order_id = record.order_ids[record.billed_in_erp]
    order = api.get(f"/v1/purchase-orders/{order_id}", live="false")
    bills = [bill["number"] for bill in api.pages(f"/v1/purchase-orders/{order_id}/bills") if bill["origin"] == "erp"]
    billed = f"{record.billed_in_erp} {order['status']}, its bills: {', '.join(bills) or 'none'}"
    return [
        Check("an old order comes in once it is edited", old is not None, record.old_order),
        Check("a bill made in the ERP comes back", order["status"] == "filled" and len(bills) == 1, billed),
    ]


def _nothing_left(record: DemoRecord, api: Api, company: DemoErp, bills: Documents) -> list[Check]:
    waiting = [bill["number"] for bill in bills if bill["status"] not in ("synced", "partially_paid", "paid")]
    open_issues = api.pages("/v1/sync-issues", state="open", connection=record.connection_id)
    issues = [issue["code"] for issue in open_issues if issue["subject_kind"] == "bill"]
    lost = next(bill for bill in bills if bill["id"] == record.lost_answer_bill)
    attempts = (lost["write"] or {"attempts": 0})["attempts"]
    outage = api.get(f"/v1/connections/{record.connection_id}")["outage_since"]
    left_out = Check("what was left out has a reason", record.skipped > 0, f"{record.skipped} records")
    return [
        Check("every bill arrived", not waiting, ", ".join(waiting) or f"{len(bills)} bills"),
        Check("no bill needs a person", not issues, ", ".join(issues) or "no open issue"),
        Check("the lost answer was looked up, not repeated", attempts >= 2, f"{attempts} attempts, one document"),
        Check(
            "the ERP really failed", _really_failed(record), " · ".join(f"{k} {n}" for k, n in record.faults.items())
        ),
        Check(
            "the outage was shown and is over",
            record.outage_seen and outage is None,
            f"still, since {outage}" if outage else "over" if record.outage_seen else "never shown",
        ),
        *([left_out] if company.leaves_out else []),
    ]


def _really_failed(record: DemoRecord) -> bool:
    """Return whether enough faults happened: one lost answer for a bill, one for a payment, many refusals. Faults that
    never happened would prove nothing."""
    return record.faults.get("lost_answer") == 2 and record.faults.get("unavailable", 0) > 0
