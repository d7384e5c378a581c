"""Play the approval of a bill: who enters it does not approve it, and it reaches the ERP once somebody else did."""

from typing import Any

from cli.demo.second_thoughts import dispute_and_send_back
from cli.demo.session import DemoSession, ScenarioStuck


def approve_a_bill(session: DemoSession) -> None:
    """Switch approvals on, enter a bill as Ana, have Ben approve it, and switch them off for the rest of the day.

    Raises:
        ScenarioStuck: the bill did not wait for its approval.
    """
    record, api = session.record, session.api
    path = f"/v1/connections/{record.connection_id}"
    ana, ben = _person(session, "Ana", "clerk", "approver"), _person(session, "Ben", "approver")
    rule = {"name": "all bills", "steps": [{"approvers": [ana["id"], ben["id"]]}]}
    api.put(f"{path}/approval-rules", {"rules": [rule]})
    notice = api.put(f"{path}/approvals", {"enabled": True})["notice"]
    session.say(f"Approvals are on, by Ana or Ben. {notice}")
    number = session.open_orders(1)[0]
    lines = session.draft(number)
    api.act_for(ana["email"])
    try:
        bill = session.bill(number, 1, lines)
        session.refused("approving her own bill", lambda: api.post(f"/v1/bills/{bill['id']}/approve"))
        before = api.get(f"/v1/bills/{bill['id']}")
        if before["document_id"] is not None:
            raise ScenarioStuck(f"{bill['number']} reached the ERP before anybody approved it")
        after = _approve(session, ben, bill["id"], f"demo-approve-{bill['id']}")
    finally:
        api.act_for(None)
    session.until_in_the_erp([bill["id"]])
    record.approval = f"{before['status']}, then {after['approval']} by Ben"
    session.say(f"{bill['number']} waited until Ben approved it, then it reached the ERP.")
    dispute_and_send_back(session, bill["id"], lambda key: _approve(session, ben, bill["id"], key))
    api.put(f"{path}/approvals", {"enabled": False, "push_when": "matched"})


def _approve(session: DemoSession, ben: Any, bill_id: str, key: str) -> Any:
    session.api.act_for(ben["email"])
    try:
        return session.post(f"/v1/bills/{bill_id}/approve", {}, key=key)
    finally:
        session.api.act_for(None)


def _person(session: DemoSession, name: str, *roles: str) -> Any:
    email = f"{name.lower()}@{session.company.erp}.example"
    body = {"name": name, "email": email, "roles": list(roles)}
    return session.post("/v1/people", body, key=f"demo-{email}")
