"""Approvals over the API: who may approve what, and when a bill goes out."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from models.domain.ids import BillId
from models.store.base.database import Database
from models.store.payables import bill_edits
from services.bills.ending import edit_bill
from services.outbox.kinds import bill_accepted, bill_decided
from tests.fakes.fake_erp import FakeErp
from tests.harness.api_client import ApiClient, a_problem, an_order, connected, mirrored
from tests.harness.people import PersonClient, add_person, another_key, program_key


@dataclass
class Staff:
    """An organization with a clerk, two approvers and one who does both, in front of one connection."""

    api: ApiClient
    database: Database
    connection: str
    clerk: PersonClient
    ben: PersonClient
    cora: PersonClient
    dan: PersonClient
    _orders: int = 0

    async def person(self, name: str, *roles: str, key_role: Any = "accountant") -> PersonClient:
        organization = self.api.organization
        return await add_person(
            self.api.http, organization.keys["admin"], self.database, organization.id, name, roles, key_role=key_role
        )

    async def settings(self, **changes: Any) -> httpx.Response:
        return await self.api.put(f"/v1/connections/{self.connection}/approvals", changes)

    async def rules(self, *rules: dict[str, Any]) -> httpx.Response:
        return await self.api.put(f"/v1/connections/{self.connection}/approval-rules", {"rules": list(rules)})

    async def on(self, *steps: list[PersonClient], **settings: Any) -> None:
        """Approvals on, with one rule for all bills."""
        if steps:
            answer = await self.rules(a_rule("all", *steps))
            assert answer.status_code == 200, answer.text
        answer = await self.settings(enabled=True, **settings)
        assert answer.status_code == 200, answer.text

    async def enter(self, who: Any = None, **line: Any) -> dict[str, Any]:
        """A bill of 50.00 against a new order."""
        self._orders += 1
        order = an_order(f"PO-{self._orders}", vendor_id=line.pop("vendor", "V-1"))
        order_id = await mirrored(self.database, self.connection, order)
        body = {
            "number": f"INV-{self._orders}",
            "bill_date": "2026-11-20",
            "acknowledge": ["DUPLICATE_SUSPECT"],
            "lines": [{"order_line_no": 1, "quantity": "4", **line}],
        }
        answer = await (who or self.clerk).post(f"/v1/purchase-orders/{order_id}/bills", body)
        assert answer.status_code == 201, answer.text
        bill: dict[str, Any] = answer.json()["bill"]
        return bill

    async def bill(self, bill_id: str) -> dict[str, Any]:
        return dict((await self.api.get(f"/v1/bills/{bill_id}")).json())

    async def stands(self, bill_id: str) -> tuple[str, str, str]:
        """Status, approval, and the state of the write to the ERP."""
        bill = await self.bill(bill_id)
        return bill["status"], bill["approval"], bill["write"]["state"]

    async def kinds(self, bill_id: str) -> list[str]:
        return [event["kind"] for event in (await self.bill(bill_id))["events"]]


def a_rule(name: str, *steps: list[PersonClient], **conditions: Any) -> dict[str, Any]:
    return {"name": name, "steps": [{"approvers": [one.id for one in step]} for step in steps], **conditions}


@pytest.fixture
async def staff(api: ApiClient, database: Database) -> Staff:
    created = Staff(api, database, await connected(api), *[None] * 4)
    created.clerk = await created.person("Ana", "clerk", key_role="clerk")
    created.ben = await created.person("Ben", "approver")
    created.cora = await created.person("Cora", "approver")
    created.dan = await created.person("Dan", "clerk", "approver")
    return created


WAITS, GOES = "awaiting_approval", "pending_push"


async def test_a_bill_waits_for_its_approvers_in_order(staff: Staff) -> None:
    """S2-58: assigned, approving, approved; nothing is sent before the last one, and every step is an event."""
    await staff.on([staff.ben], [staff.cora])
    bill = await staff.enter()
    assert bill["status"] == WAITS
    assert await staff.stands(bill["id"]) == (WAITS, "assigned", "held")
    a_problem(await staff.cora.approve(bill["id"]), 409, "NOT_THE_APPROVER")
    first = await staff.ben.approve(bill["id"])
    assert first.json() == {"bill_id": bill["id"], "status": WAITS, "approval": "approving"}
    assert (await staff.cora.approve(bill["id"])).json()["status"] == GOES
    assert await staff.stands(bill["id"]) == (GOES, "approved", "planned")
    shown = await staff.bill(bill["id"])
    assert shown["approved_at"] is not None
    assert await staff.kinds(bill["id"]) == ["created", "approvers_assigned", "approved", "approved"]
    last = shown["events"][-1]
    assert last["actor"].startswith(f"Cora ({staff.cora.id}) by laptop (key_")
    assert (last["before"]["approval"], last["after"]["approval"]) == ("approving", "approved")
    steps = (await staff.api.get(f"/v1/bills/{bill['id']}/approval")).json()["steps"]
    assert [step["approved_by"]["name"] for step in steps] == ["Ben", "Cora"]
    a_problem(await staff.ben.approve(bill["id"]), 409, "APPROVAL_NOT_AWAITED")


async def test_a_repeated_approval_gets_its_first_answer(staff: Staff) -> None:
    """An approval is a write like any other: same key, same answer; the same key of another person is refused."""
    await staff.on([staff.ben], [staff.cora])
    bill = await staff.enter()
    path = f"/v1/bills/{bill['id']}/approve"
    first = await staff.ben.post(path, {}, key="once")
    assert (await staff.ben.post(path, {}, key="once")).text == first.text
    a_problem(await staff.cora.post(path, {}, key="once"), 409, "IDEMPOTENCY_KEY_REUSED")
    assert (await staff.kinds(bill["id"])).count("approved") == 1


async def test_a_denied_bill_is_not_sent_until_its_approvers_are_named_anew(staff: Staff) -> None:
    """S2-58: denied; an accountant names approvers anew, and what was approved before counts no more."""
    await staff.on([staff.ben], [staff.cora])
    bill = await staff.enter()
    await staff.ben.approve(bill["id"])
    assert (await staff.cora.deny(bill["id"])).json()["approval"] == "denied"
    assert await staff.stands(bill["id"]) == (WAITS, "denied", "held")
    a_problem(await staff.cora.approve(bill["id"]), 409, "APPROVAL_NOT_AWAITED")
    again = {"steps": [{"approvers": [staff.cora.id]}], "reason": "the vendor corrected it"}
    path = f"/v1/bills/{bill['id']}/approval/reassign"
    a_problem(await staff.clerk.post(path, again), 403, "ROLE_TOO_LOW")
    assert (await staff.api.post(path, again)).json()["approval"] == "assigned"
    assert (await staff.cora.approve(bill["id"])).json()["status"] == GOES


async def test_without_a_rule_an_accountant_names_the_approvers(staff: Staff) -> None:
    """S2-58: unassigned bills wait."""
    await staff.on()
    bill = await staff.enter()
    assert await staff.stands(bill["id"]) == (WAITS, "unassigned", "held")
    a_problem(await staff.ben.approve(bill["id"]), 409, "APPROVERS_NOT_ASSIGNED")
    body = {"steps": [{"approvers": [staff.ben.id]}], "reason": "he ordered it"}
    assert (await staff.api.post(f"/v1/bills/{bill['id']}/approval/reassign", body)).status_code == 200
    assert (await staff.ben.approve(bill["id"])).json()["status"] == GOES


async def test_the_first_rule_that_applies_names_the_approvers(staff: Staff) -> None:
    """Rules ask for amount, vendor, department, entity; the first that applies decides."""
    rules = [
        a_rule("vendor", [staff.ben], vendor_id="V-2"),
        a_rule("department", [staff.cora], department="D1"),
        a_rule("entity", [staff.ben, staff.cora], entity="100", total_from="100"),
        a_rule("large", [staff.cora], [staff.ben], total_from="50.00", total_below="50.01"),
    ]
    assert (await staff.rules(*rules)).status_code == 200
    await staff.settings(enabled=True)

    async def rule_of(**line: Any) -> str:
        bill = await staff.bill((await staff.enter(**line))["id"])
        return next(str(event["why"]) for event in bill["events"] if event["kind"] == "approvers_assigned")

    assert await rule_of(vendor="V-2") == "rule vendor"
    assert await rule_of(department="D1") == "rule department"
    assert await rule_of(quantity="10") == "rule entity"
    assert await rule_of() == "rule large"
    assert await rule_of(quantity="3") == "no rule applies"


async def test_who_enters_a_bill_does_not_approve_it_with_any_key(staff: Staff) -> None:
    """Separation compares persons: another key, and a program that acts for them, are the same person."""
    await staff.on([staff.dan, staff.ben])
    bill = await staff.enter(staff.dan)
    problem = a_problem(await staff.dan.approve(bill["id"]), 409, "SEPARATION_OF_DUTIES")
    assert "Dan entered the bill" in problem["detail"]
    organization = staff.api.organization.id
    other = replace(staff.dan, key=await another_key(staff.database, organization, staff.dan.id))
    a_problem(await other.approve(bill["id"]), 409, "SEPARATION_OF_DUTIES")
    robot = replace(staff.dan, key=await program_key(staff.database, organization), acting_for=staff.dan.email)
    a_problem(await robot.approve(bill["id"]), 409, "SEPARATION_OF_DUTIES")
    kept = (await staff.api.get(f"/v1/bills/{bill['id']}/approval")).json()["kept_from_approving"]
    assert kept == [{"person": {"id": staff.dan.id, "name": "Dan"}, "why": "entered the bill"}]
    assert (await staff.ben.approve(bill["id"])).json()["status"] == GOES


async def test_what_a_program_enters_for_a_person_is_that_person_s(staff: Staff) -> None:
    """A program's key may name the person it acts for; the event holds both, and separation sees the person."""
    await staff.on([staff.dan, staff.ben])
    key = await program_key(staff.database, staff.api.organization.id)
    robot = PersonClient(staff.api.http, "", "", key, acting_for=staff.dan.email)
    bill = await staff.enter(robot)
    created = (await staff.bill(bill["id"]))["events"][0]
    assert created["actor"].startswith(f"Dan ({staff.dan.id}) by robot (key_")
    a_problem(await staff.dan.approve(bill["id"]), 409, "SEPARATION_OF_DUTIES")


async def test_only_a_program_with_the_right_names_a_person(staff: Staff) -> None:
    """Without the right, of an unknown person, and with a person's own key: refused, and nothing is approved."""
    await staff.on([staff.ben])
    bill = await staff.enter()
    program = PersonClient(staff.api.http, "", "", staff.api.organization.keys["admin"], acting_for=staff.ben.email)
    a_problem(await program.approve(bill["id"]), 403, "ACTING_NOT_ALLOWED")
    a_problem(await replace(program, acting_for=None).approve(bill["id"]), 403, "APPROVAL_NEEDS_A_PERSON")
    a_problem(await replace(staff.cora, acting_for=staff.ben.email).approve(bill["id"]), 403, "ACTING_NOT_ALLOWED")
    right = await program_key(staff.database, staff.api.organization.id)
    unknown = replace(program, key=right, acting_for="nobody@acme.example")
    a_problem(await unknown.approve(bill["id"]), 403, "ACTING_NOT_ALLOWED")
    assert (await replace(program, key=right).approve(bill["id"])).json()["status"] == GOES


async def test_a_delegate_acts_for_who_delegated(staff: Staff) -> None:
    """Delegated with a reason; not to who entered it, and not by who entered it."""
    await staff.on([staff.ben, staff.dan])
    bill = await staff.enter(staff.dan)
    path = f"/v1/bills/{bill['id']}/approval/delegate"
    to_cora = {"to": staff.cora.id, "reason": "I am away"}
    a_problem(await staff.dan.post(path, to_cora), 409, "SEPARATION_OF_DUTIES")
    a_problem(await staff.ben.post(path, {"to": staff.dan.id, "reason": "away"}), 409, "ALREADY_THE_APPROVER")
    a_problem(await staff.ben.post(path, {"to": "person_0", "reason": "away"}), 422, "PERSON_UNKNOWN")
    a_problem(await staff.ben.post(path, {"to": staff.clerk.id, "reason": "away"}), 409, "NOT_AN_APPROVER")
    assert (await staff.ben.post(path, to_cora)).status_code == 200
    a_problem(await staff.ben.approve(bill["id"]), 409, "NOT_THE_APPROVER")
    assert (await staff.cora.approve(bill["id"])).json()["status"] == GOES
    event = next(one for one in (await staff.bill(bill["id"]))["events"] if one["kind"] == "approval_delegated")
    assert (event["why"], event["after"]["to"]) == ("I am away", f"Cora ({staff.cora.id})")


async def test_one_person_does_not_approve_two_steps(staff: Staff) -> None:
    """Two steps are two people, also through a delegate."""
    await staff.on([staff.ben, staff.cora], [staff.ben, staff.cora])
    bill = await staff.enter()
    await staff.ben.approve(bill["id"])
    a_problem(await staff.ben.approve(bill["id"]), 409, "SEPARATION_OF_DUTIES")
    path = f"/v1/bills/{bill['id']}/approval/reassign"
    only_ben = {"steps": [{"approvers": [staff.ben.id]}], "reason": "in a hurry"}
    a_problem(await staff.api.post(path, only_ben), 422, "NOBODY_CAN_APPROVE")
    assert (await staff.cora.approve(bill["id"])).json()["status"] == GOES


async def edited(staff: Staff, bill_id: str, who: PersonClient, name: str, **header: Any) -> None:
    """An edit of figures, as corrections before the push make it."""
    actor = f"{name} ({who.id}) by laptop (key_1)"
    async with staff.database.transaction() as session:
        bill = await bill_edits.lock(session, BillId(bill_id), staff.api.organization.id)
        assert bill is not None
        await edit_bill(session, bill, header, {}, actor=actor)


@pytest.mark.parametrize(
    ("change", "withdrawn"), [({"total": Decimal(70)}, True), ({"vendor_id": "V-9"}, True), ({"memo": "x"}, False)]
)
async def test_changed_figures_withdraw_approvals_and_keep_the_editor_from_approving(
    staff: Staff, change: dict[str, Any], withdrawn: bool
) -> None:
    """Amount and vendor: approvals given are withdrawn, and who changed it does not approve it."""
    await staff.on([staff.ben, staff.cora])
    bill = await staff.enter()
    await staff.ben.approve(bill["id"])
    assert await staff.stands(bill["id"]) == (GOES, "approved", "planned")
    await edited(staff, bill["id"], staff.ben, "Ben", **change)
    if not withdrawn:
        assert await staff.stands(bill["id"]) == (GOES, "approved", "planned")
        return
    assert await staff.stands(bill["id"]) == (WAITS, "assigned", "held")
    assert (await staff.bill(bill["id"]))["approved_at"] is None
    assert (await staff.kinds(bill["id"]))[-1] == "approvals_withdrawn"
    a_problem(await staff.ben.approve(bill["id"]), 409, "SEPARATION_OF_DUTIES")
    assert (await staff.cora.approve(bill["id"])).json()["status"] == GOES


async def test_who_a_delegate_acts_for_must_not_have_changed_the_bill(staff: Staff) -> None:
    """Ben delegates to Cora and then changes the amount: Cora would approve it for Ben."""
    await staff.on([staff.ben, staff.dan])
    bill = await staff.enter()
    path = f"/v1/bills/{bill['id']}/approval/delegate"
    await staff.ben.post(path, {"to": staff.cora.id, "reason": "away"})
    await edited(staff, bill["id"], staff.ben, "Ben", total=Decimal(70))
    problem = a_problem(await staff.cora.approve(bill["id"]), 409, "SEPARATION_OF_DUTIES")
    assert problem["detail"].startswith("The person that Cora acts for changed total of the bill")


async def test_a_rule_that_leaves_nobody_able_to_approve_is_refused_when_it_is_saved(staff: Staff) -> None:
    """Nobody active, nobody but who may enter bills, one person for two steps."""
    for steps, why in (
        ([[staff.clerk]], "role approver"),
        ([[staff.dan]], "nobody could approve what Dan enters"),
        ([[staff.ben], [staff.ben]], "not every step"),
        ([[staff.ben, staff.dan], [staff.ben]], "what Dan enters"),
    ):
        problem = a_problem(await staff.rules(a_rule("r", *steps)), 422, "NOBODY_CAN_APPROVE")
        assert why in problem["detail"]
    unknown = {"name": "r", "steps": [{"approvers": ["person_0"]}]}
    a_problem(await staff.rules(unknown), 422, "PERSON_UNKNOWN")
    never = a_rule("r", [staff.ben], total_from="10", total_below="10")
    a_problem(await staff.rules(never), 422, "APPROVAL_RULE_INVALID")
    assert (await staff.api.get(f"/v1/connections/{staff.connection}/approval-rules")).json() == {"rules": []}


async def test_an_inactive_person_does_nothing_and_their_rules_are_named(staff: Staff) -> None:
    """Set inactive at once, also for bills that wait; the answer names the rules that nobody can approve any more."""
    await staff.on([staff.ben])
    bill = await staff.enter()
    changed = await staff.api.patch(f"/v1/people/{staff.ben.id}", {"active": False})
    assert changed.json()["stuck_rules"] == [
        f"{staff.connection}: all: not every step has an active person of its own with the role approver"
    ]
    a_problem(await staff.ben.approve(bill["id"]), 403, "PERSON_INACTIVE")
    body = {"steps": [{"approvers": [staff.cora.id]}], "reason": "Ben has left"}
    assert (await staff.api.post(f"/v1/bills/{bill['id']}/approval/reassign", body)).status_code == 200
    assert (await staff.cora.approve(bill["id"])).json()["status"] == GOES


async def test_a_person_may_do_what_both_the_key_and_the_person_may(staff: Staff) -> None:
    """An administrator's key in the hands of an approver does not enter bills."""
    eve = await staff.person("Eve", "approver", key_role="admin")
    answer = await eve.post("/v1/people", {"name": "X", "email": "x@acme.example", "roles": ["admin"]})
    a_problem(answer, 403, "ROLE_TOO_LOW")
    assert (await eve.get("/v1/bills")).status_code == 200


async def test_a_bill_in_review_is_settled_before_anybody_approves(staff: Staff) -> None:
    """The match comes first; released, the bill waits for its approval and not for the ERP."""
    await staff.on([staff.ben])
    bill = await staff.enter(price="100.00")
    assert bill["status"] == "on_hold"
    a_problem(await staff.ben.approve(bill["id"]), 409, "BILL_IN_REVIEW")
    released = await staff.api.post(f"/v1/bills/{bill['id']}/release", {"reason": "agreed"})
    assert released.json()["status"] == WAITS, released.text
    assert (await staff.ben.approve(bill["id"])).json()["status"] == GOES


async def test_the_workflow_is_told_what_a_bill_waits_for(staff: Staff) -> None:
    """The message to the order's and the bill's workflow names the approvers, step by step."""

    await staff.on([staff.ben, staff.dan], [staff.cora])
    bill = await staff.enter()
    async with staff.database.transaction() as session:
        accepted = await bill_accepted(session, bill["id"])
    assert accepted is not None
    asked: Any = accepted.argument
    assert (asked.status, asked.needs) == (WAITS, ["APPROVAL"])
    assert asked.because == ["step 1 of 2: Ben or Dan to approve", "step 2 of 2: Cora to approve"]
    await staff.ben.approve(bill["id"])
    async with staff.database.transaction() as session:
        decided = await bill_decided(session, bill["id"])
    assert decided is not None
    asked = decided.argument
    assert asked.because[0].startswith("step 1 of 2: approved by Ben on 20")
    assert decided.starts_bill == bill["id"]


async def test_who_entered_a_bill_does_not_approve_it_after_it_was_put_on_an_order(staff: Staff, erp: FakeErp) -> None:
    """Dan enters a bill without an order, Ana puts it on one: the bill is another, and neither approves it."""
    erp.capabilities = erp.capabilities.model_copy(update={"account_lines": True})
    staff.connection = await connected(staff.api)
    await staff.on([staff.dan, staff.ben])
    order = an_order("PO-1", lines=1)
    order_id = await mirrored(staff.database, staff.connection, order)
    body = {
        "connection_id": staff.connection,
        "vendor_id": "V-1",
        "number": "RENT-1",
        "bill_date": "2026-11-20",
        "lines": [{"account": "6600", "amount": "50.00"}],
    }
    direct = (await staff.dan.post("/v1/bills", body)).json()["bill"]["id"]
    on = {"line_no": 1, "order_line_id": order.lines[0].erp_id, "quantity": "4"}
    put = await staff.clerk.post(f"/v1/bills/{direct}/put-on-order", {"purchase_order_id": order_id, "lines": [on]})
    assert put.status_code == 201, put.text
    bill_id = put.json()["id"]
    a_problem(await staff.dan.approve(bill_id), 409, "SEPARATION_OF_DUTIES")
    assert (await staff.ben.approve(bill_id)).status_code == 200
    assert "entered_before" in await staff.kinds(bill_id)
