"""Play what people think better of: a dispute that is undone, a bill sent back, and a bill without an order.

Each is played where the ERP takes it: one that takes nothing back, or bills of orders only, has none of it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from cli.demo.session import DemoSession

RENT = "1184.50"


def dispute_and_send_back(session: DemoSession, bill_id: str, approve: Any) -> None:
    """Dispute a bill that the ERP holds, undo it, and then send it back to accounts payable; `approve` approves it
    each time, and each time the ERP gets it as a new document."""
    if not session.connection()["capabilities"]["retract_by"]:
        return
    first = _document(session, bill_id)
    _take_back(session, bill_id, "dispute", "disputed")
    session.say(f"{first} was taken back from the ERP: the bill is disputed.")
    session.post(f"/v1/bills/{bill_id}/restore", {"reason": "settled"}, key=f"demo-restore-{bill_id}")
    _approve_anew(session, bill_id, approve, f"demo-approve-{bill_id}-2")
    second = _document(session, bill_id)
    session.say(f"The dispute is settled: approved again, it is {second} now.")
    _take_back(session, bill_id, "retract", "awaiting_approval")
    _approve_anew(session, bill_id, approve, f"demo-approve-{bill_id}-3")
    third = _document(session, bill_id)
    session.say(f"Sent back to accounts payable and approved once more, it is {third} now.")
    session.record.generations = [first, second, third]


def enter_without_an_order(session: DemoSession, payables: str) -> None:
    """Enter a bill that no purchase order stands behind, and wait until the ERP holds it, as one of its `payables`."""
    connection = session.connection()
    order = next(iter(session.orders()))
    today = datetime.now(UTC).date()
    body = {
        "connection_id": connection["id"],
        "vendor_id": order["vendor_id"],
        "number": "RENT-1",
        "bill_date": today.isoformat(),
        "due_date": (today + timedelta(days=30)).isoformat(),
        "lines": [{"account": "6600", "amount": RENT, "description": "Cleaning, without an order"}],
    }
    bill = session.post("/v1/bills", body, key=f"demo-{session.company.erp}-rent")["bill"]
    session.until_in_the_erp([bill["id"]])
    made = session.record.made_otherwise
    made[payables] = made.get(payables, 0) + 1
    session.record.direct_bill = bill["id"]
    session.say(f"Bill {bill['number']}, {bill['total']} without an order, is in the ERP.")


def _document(session: DemoSession, bill_id: str) -> str:
    return str(session.api.get(f"/v1/bills/{bill_id}")["document_id"])


def _take_back(session: DemoSession, bill_id: str, action: str, becomes: str) -> None:
    session.post(f"/v1/bills/{bill_id}/{action}", {"reason": "second thoughts"}, key=f"demo-{action}-{bill_id}")
    session.until(
        f"the bill is {becomes.replace('_', ' ')}",
        lambda: bool(session.api.get(f"/v1/bills/{bill_id}")["status"] == becomes),
    )


def _approve_anew(session: DemoSession, bill_id: str, approve: Any, key: str) -> None:
    approve(key)
    session.until_in_the_erp([bill_id])
