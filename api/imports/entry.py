"""Enter the bills of a file one after the other, each as `POST` of one bill does: same checks, one transaction each.

A row with an account is on no order line; a bill of such rows alone is entered without an order. Any other row that
names no order, or no line of it, is placed by suggestion when that is sure. Otherwise its bill is reported with the
best guess and not entered.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fastapi.responses import JSONResponse
from pydantic import ValidationError

from api.bills import direct_bills, order_bills
from api.bills.direct_bills import NewDirectBill
from api.bills.new_bill import NewBill
from api.http.problems import Problem, validation_problem
from api.imports.placement import OrderFinder, Place, Unplaced
from models.domain.bills import BillStatus
from models.store.audit import requests
from services.imports.bill_file import FileBill, FileLine
from services.imports.outcomes import BillOutcome

WAITING = {
    BillStatus.AWAITING_ACKNOWLEDGEMENT: BillOutcome.WARNED,
    BillStatus.ON_HOLD: BillOutcome.HELD,
}
SEVERITIES = ("OK", "INFO", "WARN", "HOLD", "BLOCK")


class Entered(NamedTuple):
    """The result of one bill."""

    outcome: BillOutcome
    code: str
    detail: str
    bill_id: str | None = None
    findings: tuple[str, ...] = ()
    """The codes of all findings of its match; `code` is that of the worst."""


@dataclass
class BillEntry:
    """Enters the bills of one file."""

    finder: OrderFinder
    entered: Counter[bytes] = field(default_factory=Counter)
    """How often the file had a bill of exactly this content so far: the second one is another bill."""

    async def enter(self, bill: FileBill) -> Entered:
        """Enter one bill, on its order or without one.

        Raises:
            Problem: only what is no answer to the bill itself: an outage, or too many requests.
        """
        try:
            answer = await self._answer(bill)
        except Problem as problem:
            if problem.status >= 500 or problem.status == 429:
                raise
            return Entered(BillOutcome.REFUSED, problem.code, problem.detail)
        except ValidationError as error:
            invalid = validation_problem(error.errors())
            return Entered(BillOutcome.REFUSED, invalid.code, invalid.detail)
        except Unplaced as unplaced:
            return Entered(unplaced.outcome, unplaced.code, str(unplaced))
        body = json.loads(bytes(answer.body))
        match = body.get("match") or {}
        worst = _worst_finding(match)
        codes = tuple(dict.fromkeys(str(finding["code"]) for finding in match.get("findings") or []))
        if answer.status_code == 201:
            outcome = WAITING.get(BillStatus(body["bill"]["status"]), BillOutcome.ACCEPTED)
            return Entered(outcome, worst["code"], worst["message"], body["bill"]["id"], codes)
        if body["code"] == "MATCH_BLOCKED":
            return Entered(BillOutcome.BLOCKED, worst["code"] or body["code"], body["detail"], None, codes)
        return Entered(BillOutcome.REFUSED, body["code"], body["detail"], None, codes)

    async def _answer(self, bill: FileBill) -> JSONResponse:
        services, caller = self.finder.services, self.finder.caller
        rows = dict(zip(bill.rows, bill.lines, strict=True))
        off_order = [_on_account(line) for line in bill.lines if line.account]
        on_order = {row: line for row, line in rows.items() if not line.account}
        if not on_order and not bill.po_number:
            connection = await self.finder.the_connection()
            body = {**bill.header, "connection_id": connection, "vendor_id": bill.vendor_id, "lines": off_order}
            new_direct = NewDirectBill.model_validate(body)
            return await direct_bills.create(new_direct, await self._key("", body), caller, services)
        places = await self.finder.place(bill, on_order)
        home = places[0].order_id if places else (await self.finder.order(bill, bill.po_number)).order_id
        lines = [_on_line(line, place, home) for line, place in zip(on_order.values(), places, strict=True)]
        body = {**bill.header, "lines": lines + [{**line, "off_order": True} for line in off_order]}
        new = NewBill.model_validate(body)
        return await order_bills.create(home, new, await self._key(home, body), caller, services)

    async def _key(self, home: str, body: Mapping[str, Any]) -> str:
        """Return the Idempotency-Key of a bill: made of its content, so the same file makes nothing twice.

        What was refused under a key is asked anew under the next one: by now it may be taken. What was saved is
        answered as it was.
        """
        content = json.dumps([home, body], sort_keys=True).encode()
        digest = hashlib.sha256(content).digest()[:16]
        self.entered[digest] += 1
        name = f"import-{digest.hex()}-{self.entered[digest]}"
        organization = self.finder.caller.organization_id
        key, attempt = name, 1
        async with self.finder.services.database.transaction() as session:
            while (known := await requests.get(session, organization, key)) is not None and _refused(known.status):
                attempt += 1
                key = f"{name}-{attempt}"
        return key


def _refused(status: int | None) -> bool:
    return status is not None and status >= 400


def _on_account(line: FileLine) -> dict[str, Any]:
    return {
        "account": line.account,
        "amount": format(line.amount or 0, "f"),
        "description": line.description,
        **line.dimensions,
        **_own(line),
    }


def _own(line: FileLine) -> dict[str, Any]:
    # A bill without them keeps the key under which it was entered before there were any.
    return {"custom": dict(line.custom)} if line.custom else {}


def _on_line(line: FileLine, place: Place, home: str) -> dict[str, Any]:
    body: dict[str, Any] = {"quantity": format(line.quantity or 0, "f"), **line.dimensions, **_own(line)}
    if place.order_line_id:
        body["order_line_id"] = place.order_line_id
    else:
        body["order_line_no"] = place.order_line_no
    if place.order_id != home:
        body["purchase_order_id"] = place.order_id
    if line.unit:
        body["unit"] = line.unit
    if line.description:
        body["description"] = line.description
    if line.amount is not None:
        body["amount"] = format(line.amount, "f")
    elif line.price is not None:
        body["price"] = format(line.price, "f")
    return body


def _worst_finding(match: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the finding that decided; without findings, one with empty texts."""
    findings: Sequence[Mapping[str, Any]] = match.get("findings") or [{"code": "", "message": "", "severity": "OK"}]
    return max(findings, key=lambda finding: SEVERITIES.index(finding["severity"]))
