"""Play the demo's company in the pretend QuickBooks Online: connected by consent, with orders of another system too."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx

from cli.client.api_client import ApiProblem
from cli.demo.demo_erp import Chapter, Check, Counterpart, Document, Fault, Kinds
from cli.demo.record import DemoRecord
from cli.demo.session import DemoSession, ScenarioStuck

CONTACT = "Summit Industrial Tools, Inc."
"""A supplier as the other system calls it; QuickBooks' vendor has another spelling."""
INVOICE, SAME_BEGINNING = "INV-2026-000123", ("SO-100045-A", "SO-100046-A")
UNBILLED = "SO-200001"
CLOSED_LINE = "PO-1004"
"""An order of the sample company whose second line somebody closed by hand."""

_KEY = re.compile(r"\[posync ([!-~]+)\]")


class QuickBooksCompany:
    """The QuickBooks company: bills are linked line by line to the order, and are payable themselves."""

    erp = "quickbooks_online"
    title = "QuickBooks Online"
    entity: str | None = None
    credentials: Mapping[str, str] = {}
    wrong_credentials: Mapping[str, str] = {}
    refused_sign_in = "consent refused"
    preferences: Mapping[str, str] = {
        "bank_account": "BOA",
        "default_expense_account": "6500",
        "upload_purchase_orders": "true",
    }
    wrong_preferences: Mapping[str, str] = {**preferences, "bank_account": "No such bank"}
    match_mode = "two_way"
    main_order = "PO-1007"
    open_state = "Open"
    unbilled_status = "unfilled"
    leaves_out = False
    kinds = Kinds(bills="bills", payables="bills", payments="payments")
    bill_fault = Fault("create", "Bill")
    payment_fault = Fault("create", "BillPayment")

    def let_in(self, session: DemoSession, connection: Any, *, agrees: bool) -> Any:
        """Agree, or not, on QuickBooks' page, as a person does in a browser.

        Raises:
            ApiProblem: the API refused what the page sent back.
        """
        session.erp.act("decide_consent", refuse=not agrees)
        consent = session.api.post(f"/v1/connections/{connection['id']}/authorization")
        with httpx.Client(follow_redirects=True, timeout=30) as browser:
            answer = browser.post(consent["url"])
        if answer.is_error:
            raise ApiProblem(answer.status_code, answer.json())
        return session.api.get(f"/v1/connections/{connection['id']}")

    def ordered_on(self, order: Document) -> date:
        return date.fromisoformat(order["date"])

    def status_of(self, order: Document) -> str:
        """Return the order's status as posync says it: QuickBooks' own, and what is billed of it."""
        lines = [
            (Decimal(line["received"] or 0), Decimal(line["quantity"] or line["amount"])) for line in order["lines"]
        ]
        if order["state"] == "Open":
            return "Open, partly billed" if any(billed for billed, _ in lines) else "Open"
        return "Closed, all billed" if all(billed >= ordered for billed, ordered in lines) else str(order["state"])

    def payable_id(self, payable: Document) -> str:
        return f"B{payable['record_no']}"

    def before_billing(self, session: DemoSession) -> None:
        """Do nothing: in QuickBooks an order can be billed as it is."""

    def chapters(self) -> Sequence[Chapter]:
        return (
            Chapter("dropped link", self._dropped_link),
            Chapter("closed line", self._closed_line),
            Chapter("orders of another system", self._orders_of_another_system),
        )

    def _dropped_link(self, session: DemoSession) -> None:
        """Lose a bill's link in silence, as QuickBooks may: it is seen in the answer, and repaired on the same bill."""
        number = session.open_orders(1)[0]
        session.break_("link_dropped", times=1, operation="create", object="Bill")
        bill = session.bill(number, 1, session.draft(number))
        session.until_in_the_erp([bill["id"]])
        session.mend()
        session.until_status(number, "filled")
        session.say(f"{bill['number']}: QuickBooks dropped the link to {number}; it was seen and repaired.")

    def _closed_line(self, session: DemoSession) -> None:
        """Bill an order with a line that somebody closed, which QuickBooks does not tell: the link cannot hold, so the
        bill is held until a person opens the line."""
        bill = session.bill(CLOSED_LINE, 1, session.draft(CLOSED_LINE))
        issues: list[Any] = []

        def reported() -> bool:
            open_ones = session.api.pages("/v1/sync-issues", state="open", connection=session.record.connection_id)
            issues[:] = [one for one in open_ones if one["subject_id"] == bill["id"]]
            return bool(issues)

        session.until("the missing link is an issue", reported)
        (issue,) = issues
        session.record.seen["held"] = issue["code"]
        session.say(f"{bill['number']} is held, {issue['code']}: a line of {CLOSED_LINE} is closed in QuickBooks.")
        session.erp.act("reopen", number=CLOSED_LINE, line=2)
        session.post(f"/v1/sync-issues/{issue['id']}/retry", {"why": "the line is open again"})
        session.until_in_the_erp([bill["id"]])
        session.until_status(CLOSED_LINE, "filled")
        session.say("Somebody opened the line and retried: the same bill is linked now.")

    def _orders_of_another_system(self, session: DemoSession) -> None:
        """Upload a billed order as a bill and an unbilled one as an order; see what is refused, and why."""
        seen = session.record.seen
        billed_on = datetime.now(UTC).date().isoformat()
        for reference in SAME_BEGINNING:
            self._send(session, reference, invoice_number=INVOICE, invoice_date=billed_on, dispatch_date=billed_on)
        unlinked = self._upload(session, "bill", SAME_BEGINNING[0])
        seen["not linked"] = ", ".join(problem["code"] for problem in unlinked["problems"])
        self._link_contact(session)
        first = self._upload(session, "bill", SAME_BEGINNING[0])
        self._until_uploaded(session, first["id"])
        session.record.made_otherwise["bills"] = 1
        session.say(f"{SAME_BEGINNING[0]}, billed in another system, is bill {first['document_number']}.")
        second = self._upload(session, "bill", SAME_BEGINNING[1])
        seen["same reference"] = ", ".join(problem["code"] for problem in second["problems"])
        session.say(f"{SAME_BEGINNING[1]} is refused: {second['problems'][0]['message']}")

        self._send(session, UNBILLED)
        session.refused("upload without a confirmation", lambda: self._upload(session, "purchase_order", UNBILLED))
        order = self._upload(session, "purchase_order", UNBILLED, confirm_irreversible=True)
        self._until_uploaded(session, order["id"])
        session.say(f"{UNBILLED}, not billed, is a purchase order of QuickBooks.")
        self._send(session, UNBILLED, invoice_number="INV-77", invoice_date=billed_on, dispatch_date=billed_on)
        too_late = self._upload(session, "bill", UNBILLED)
        seen["bill after the order"] = ", ".join(problem["code"] for problem in too_late["problems"])
        session.say(f"Its bill is refused: {too_late['problems'][0]['message']}")
        session.sync_once()
        seen["recognised"] = str(session.api.get(f"/v1/source-orders/{order['id']}")["mirrored_id"])

    @staticmethod
    def _send(session: DemoSession, reference: str, **fields: str) -> None:
        lines = [{"item": "DRILL-18", "quantity": "2", "price": "148.00"}, {"description": "Cases", "amount": "40.00"}]
        today = datetime.now(UTC).date().isoformat()
        order = {"reference": reference, "contact": CONTACT, "ordered_on": today, "lines": lines, **fields}
        session.post("/v1/source-orders", {"connection_id": session.record.connection_id, "orders": [order]})

    @staticmethod
    def _upload(session: DemoSession, upload_as: str, reference: str, **more: Any) -> Any:
        body = {"connection_id": session.record.connection_id, "upload_as": upload_as, **more}
        answer = session.post("/v1/source-orders/uploads", {**body, "which": {"references": [reference]}})
        return answer["outcomes"][0]

    @staticmethod
    def _until_uploaded(session: DemoSession, order_id: str) -> None:
        def uploaded() -> bool:
            order = session.api.get(f"/v1/source-orders/{order_id}")
            if order["upload_state"] == "failed":
                raise ScenarioStuck(f"{order['reference']} was not uploaded: {order['problems']}")
            return bool(order["upload_state"] == "uploaded")

        session.until("the order is uploaded", uploaded)

    @staticmethod
    def _link_contact(session: DemoSession) -> None:
        path = f"/v1/connections/{session.record.connection_id}/contacts"
        best = session.api.get(f"{path}/suggestions", contact=CONTACT)["vendors"][0]
        session.post(path, {"contact": CONTACT, "vendor_id": best["vendor_id"]})
        session.say(f"{CONTACT} was suggested to be {best['name']} ({best['score']}), and a person confirmed it.")

    def bill_order(self, session: DemoSession, number: str) -> None:
        session.erp.act("bill", number=number, invoice_number="BY-HAND-1")

    def bill_key(self, bill: Document) -> str:
        return _key(bill)

    def payment_key(self, payment: Document) -> str:
        return _key(payment)

    def is_linked(self, counterpart: Counterpart) -> bool:
        lines = counterpart.document.get("lines", [])
        return bool(lines) and all(
            line["order_doc"] == counterpart.order["record_no"] and line["order_line"] for line in lines
        )

    def own_checks(
        self, record: DemoRecord, bills: Sequence[Counterpart], records: Mapping[str, Sequence[Document]]
    ) -> list[Check]:
        """Check what this ERP's own chapters saw, and what QuickBooks holds of it."""
        seen = record.seen
        imported = [one for one in records["bills"] if one["number"] == f"{INVOICE}{SAME_BEGINNING[0]}"[:21]]
        uploaded = [one for one in records["purchase_orders"] if one["number"] == UNBILLED]
        dropped = record.faults.get("link_dropped", 0)
        confirmed = record.refusals.get("upload without a confirmation", "not refused")
        same_order = seen["recognised"] == record.order_ids.get(UNBILLED)
        worth = ["336"]
        return [
            _code("a supplier that nobody linked is told", "CONTACT_NOT_LINKED", seen["not linked"]),
            Check("a billed order became one bill", [one["total"] for one in imported] == worth, _numbers(imported)),
            _code("one reference for two is refused", "REFERENCE_TAKEN", seen["same reference"]),
            Check("an unbilled one became one order", [one["total"] for one in uploaded] == worth, _numbers(uploaded)),
            _code("that needs a confirmation", "CONFIRMATION_NEEDED", confirmed),
            _code("and rules out its bill", "UPLOADED_AS_ORDER", seen["bill after the order"]),
            Check("it came back as the same order", same_order, seen["recognised"]),
            _code("a link that cannot hold is for a person", "LINK_MISSING", seen["held"]),
            Check("a dropped link really happened", dropped == 1, f"{dropped} times"),
        ]


def _code(name: str, wanted: str, code: str) -> Check:
    return Check(name, code == wanted, code)


def _key(document: Document) -> str:
    keys = _KEY.findall(document["memo"] or "")
    return str(keys[-1]) if keys else ""


def _numbers(documents: Sequence[Document]) -> str:
    return ", ".join(f"{one['number']} over {one['total']}" for one in documents) or "none"
