"""Play a return with its credit, one payment over three bills and that credit, and the payment's void.

Only where the ERP takes credits and payments of several bills.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from cli.demo.demo_erp import Kinds
from cli.demo.session import DemoSession

AMOUNTS = ("310.10", "420.20", "530.30")
PART = Decimal("100.00")
"""What of the third bill is paid, and at most of the credit applied."""


def pay_three_and_void(session: DemoSession, kinds: Kinds, send_back: Callable[[DemoSession, Any], None]) -> None:
    """Have goods of a bill sent back, pay three bills of its vendor at once with the credit for them, and void that.
    `send_back` does in the ERP what people do there about the goods of that bill."""
    offered = session.connection()["capabilities"]
    if not (offered["credits"] and offered["pays_several_bills"]):
        return
    bill = session.api.get(f"/v1/bills/{session.record.bill_ids[0]}")
    send_back(session, bill)
    session.sync_once()
    goods = next(iter(session.api.pages("/v1/returns", vendor=bill["vendor_id"])))
    (number,) = goods["credits"]
    credit = next(iter(session.api.pages("/v1/credits", number=number)))
    session.say(f"Goods of {bill['number']} went back: {goods['number']}, with credit {number} of {credit['total']}.")

    bills = [_enter(session, bill["vendor_id"], place, amount) for place, amount in enumerate(AMOUNTS, start=1)]
    session.until_in_the_erp([one["id"] for one in bills])
    made = session.record.made_otherwise
    made[kinds.payables] = made.get(kinds.payables, 0) + len(bills)
    before = len(session.erp.records(kinds.payments))
    payment = _pay(session, bills, credit)
    session.until("the payment is made", lambda: _is(session, payment, "paid"))
    credited = payment["credits"][0]["amount"]
    session.say(
        f"One payment of {payment['amount']} and {credited} of the credit pays {len(bills)} bills, one in part."
    )
    dues = [session.api.get(f"/v1/bills/{one['id']}")["due"] for one in bills]
    session.post(f"/v1/payments/{payment['id']}/void", {"reason": "paid twice"}, key=f"void-{session.company.erp}")
    session.until("the payment is void", lambda: _is(session, payment, "voided"))
    made[kinds.payments] = len(session.erp.records(kinds.payments)) - before
    restored = [session.api.get(f"/v1/bills/{one['id']}")["due"] for one in bills]
    free = session.api.get(f"/v1/credits/{credit['id']}")["open"]
    session.record.voided = f"due {', '.join(dues)}, then {', '.join(restored)}; {free} of the credit is open"
    session.record.void_restored = restored == list(AMOUNTS) and Decimal(free) == Decimal(credit["total"])
    session.say("It was paid twice, so it is void: all three are due and the credit is open, as before.")


def _enter(session: DemoSession, vendor_id: str, place: int, amount: str) -> Any:
    today = datetime.now(UTC).date()
    body = {
        "connection_id": session.connection()["id"],
        "vendor_id": vendor_id,
        "number": f"FREIGHT-{place}",
        "bill_date": today.isoformat(),
        "due_date": (today + timedelta(days=30)).isoformat(),
        "acknowledge": ["DUPLICATE_SUSPECT"],
        "lines": [{"account": "6600", "amount": amount, "description": "Freight, without an order"}],
    }
    return session.post("/v1/bills", body, key=f"demo-{session.company.erp}-freight-{place}")["bill"]


def _pay(session: DemoSession, bills: list[Any], credit: Any) -> Any:
    credited = min(Decimal(credit["open"]), PART)
    shares = [Decimal(AMOUNTS[0]), Decimal(AMOUNTS[1]) - credited, PART]
    body = {
        "bills": [{"bill_id": one["id"], "amount": str(share)} for one, share in zip(bills, shares, strict=True)],
        "credits": [{"credit_id": credit["id"], "bill_id": bills[1]["id"], "amount": str(credited)}],
        "pay_on": session.connection()["today"],
        "reference": "RUN-1",
    }
    return session.post("/v1/payments", body, key=f"demo-{session.company.erp}-run")["payment"]


def _is(session: DemoSession, payment: Any, status: str) -> bool:
    return bool(session.api.get(f"/v1/payments/{payment['id']}")["status"] == status)
