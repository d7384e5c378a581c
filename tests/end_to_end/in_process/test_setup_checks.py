"""The set-up checks: what fails, what nobody knows, what a person says, and what changes under us."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from erp.intacct.preflight import READ_OBJECTS
from models.store.base.database import Database
from settings import Settings
from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, refused


async def run_checks(api: StackClient) -> dict[str, Any]:
    """Run them, and return each by its code."""
    answer = await api.post(f"/v1/connections/{api.connection_id}/checks")
    assert answer.status_code == 200, answer.text
    return {check["code"]: check for check in answer.json()["items"]}


async def confirm(api: StackClient, code: str, state: str, value: str) -> Any:
    path = f"/v1/connections/{api.connection_id}/checks/{code}"
    return await api.put(path, {"state": state, "value": value})


async def test_every_check_answers_with_its_click_path(api: StackClient, company: SandboxCompany) -> None:
    """S2-01, S2-02, S2-13, S2-15..23, S2-30..39: what can be read passes or fails, the rest is unknown, and each that
    is not right says where to click. Nothing is written."""
    await api.start()
    company.forget_calls()
    checks = await run_checks(api)
    states = {code: check["state"] for code, check in checks.items()}
    right = ("READ_RIGHTS", "TEMPLATES", "MODULES", "LEVEL", "RIGHT_TO_WRITE_BILLS", "BASE_CURRENCY", "UNITS")
    assert {code: states[code] for code in right} == dict.fromkeys(right, "pass")
    asked = [
        *("AP_ACCOUNT_LABELS", "CASH_ACCOUNT_LABELS", "RECLASSIFICATION", "REVERSAL_OF_UNPAID_BILLS", "OVERRIDE_1099"),
        *("PAYMENT_APPROVAL", "AP_SUMMARY_FREQUENCY", "AR_SUMMARY_FREQUENCY", "VENDOR_NUMBERING"),
    ]
    assert {code: states[code] for code in asked} == dict.fromkeys(asked, "unknown")
    assert all(check["fix"] for check in checks.values() if check["state"] != "pass")
    assert "Setup > Configuration" in " ".join(checks["RECLASSIFICATION"]["fix"])
    calls = company.calls()
    assert calls["requests"] <= 12, calls
    assert not [name for name in calls["by_operation"] if name.startswith(("create", "update", "delete"))], calls


async def test_a_persons_word_stands_until_the_erp_says_otherwise(
    api: StackClient, company: SandboxCompany, whole_settings: Settings
) -> None:
    """S2-38: who, when, which value; asked again after 90 days; contradicted by a payment that
    waits in Intacct, it is opened again, with an issue."""
    company.order("PO-1")
    await api.start()
    bill = await api.billed("PO-1", {1: "4"})
    await run_checks(api)
    said = (await confirm(api, "PAYMENT_APPROVAL", "pass", "off")).json()
    assert (said["state"], said["read"], said["confirmed"]["value"]) == ("pass", "unknown", "off")
    assert said["confirmed"]["by"].startswith("admin")
    refused(await confirm(api, "TEMPLATES", "pass", "fine"), 409, "CHECK_IS_READ")

    company.switch(payment_approval=True)
    body = {"amount": "10.00", "pay_on": today().isoformat()}
    assert (await api.post(f"/v1/bills/{bill['id']}/payments", body)).status_code == 201

    async def payment_waits() -> list[dict[str, Any]]:
        return [one for one in company.held("payments") if one["state"] in ("S", "Submitted")]

    await api.until(payment_waits, "a payment that waits in Intacct")

    async def shown() -> Any:
        check = (await run_checks(api))["PAYMENT_APPROVAL"]
        return check if check["read"] == "fail" else None

    check = await api.until(shown, "the check that the payment contradicts")
    assert (check["state"], check["confirmed"]) == ("fail", None)
    assert check["reopened_at"] is not None
    assert "PAYMENT_APPROVAL" in (await api.issue("SETTING_CHANGED"))["cause"]
    # It stops payments, and nothing else.
    refused(await api.post(f"/v1/bills/{bill['id']}/payments", body), 409, "SETUP_CHECK_FAILED")
    assert (await api.enter("PO-1", {2: "1"})).status_code == 201

    # Each stops what it breaks, and nothing else.
    await confirm(api, "REVERSAL_OF_UNPAID_BILLS", "fail", "on")
    other = await api.billed("PO-1", {2: "2"})
    problem = refused(await api.post(f"/v1/bills/{other['id']}/delete", {"reason": "twice"}), 409, "SETUP_CHECK_FAILED")
    assert "Enable reversal of unpaid bills" in " ".join(problem["fix"])
    await confirm(api, "REVERSAL_OF_UNPAID_BILLS", "pass", "off")
    assert (await api.post(f"/v1/bills/{other['id']}/delete", {"reason": "twice"})).status_code == 200

    await confirm(api, "RECLASSIFICATION", "pass", "on")
    database = Database(whole_settings.database_url, pool_size=1)
    async with database.transaction() as session:
        await session.execute(
            text("update setup_checks set confirmed_at = :then where connection_id = :c and confirmed_at is not null"),
            {"then": datetime.now(UTC) - timedelta(days=91), "c": api.connection_id},
        )
    await database.close()
    path = f"/v1/connections/{api.connection_id}/checks/RECLASSIFICATION"
    assert (await api.get(path))["state"] == "unknown"


ASKED_OF_A_PERSON = {
    "CUSTOMIZATION_SERVICES": "subscribed",
    "AP_ACCOUNT_LABELS": "off",
    "CASH_ACCOUNT_LABELS": "off",
    "RECLASSIFICATION": "on",
    "OVERRIDE_1099": "on",
    "AP_SUMMARY_FREQUENCY": "Daily",
    "AR_SUMMARY_FREQUENCY": "Monthly",
}


async def test_what_intacct_shows_to_no_program_is_confirmed_by_a_person(
    api: StackClient, company: SandboxCompany
) -> None:
    """S2-26, S2-30, S2-31, S2-35, S2-37, S2-39: unknown until somebody looks, with the way to the setting; then right
    or wrong as that person says, with who, when and the value seen. A wrong one is shown until it is right."""
    await api.start()
    checks = await run_checks(api)
    for code, value in ASKED_OF_A_PERSON.items():
        assert (checks[code]["state"], bool(checks[code]["fix"])) == ("unknown", True), code
        wrong = (await confirm(api, code, "fail", "not so")).json()
        assert (wrong["state"], wrong["confirmed"]["value"]) == ("fail", "not so"), code
        right = (await confirm(api, code, "pass", value)).json()
        assert (right["state"], right["read"], right["confirmed"]["value"]) == ("pass", "unknown", value), code
        assert right["confirmed"]["by"].startswith("admin")
        assert right["confirmed"]["at"]
    again = await run_checks(api)
    assert {again[code]["state"] for code in ASKED_OF_A_PERSON} == {"pass"}


async def test_they_are_made_once_a_day_with_the_sync(
    api: StackClient, company: SandboxCompany, whole_settings: Settings
) -> None:
    """S2-56, S2-39: the first sync of a day makes them; a definition that became inactive opens an issue."""
    await api.start()
    checks = await api.get(f"/v1/connections/{api.connection_id}/checks")
    assert checks["items"], "the first sync made them"
    await run_checks(api)
    company.does("set_definition", name="PO Receiver", fields={"STATUS": "inactive"})
    company.forget_calls()
    await api.sync()
    assert "getUserPermissions" not in company.calls()["by_operation"]
    database = Database(whole_settings.database_url, pool_size=1)
    async with database.transaction() as session:
        await session.execute(
            text("update setup_checks set checked_at = checked_at - interval '1 day' where connection_id = :c"),
            {"c": api.connection_id},
        )
    await database.close()
    await api.sync()
    assert company.calls()["by_operation"]["getUserPermissions"] == 1
    issue = await api.issue("SETTING_CHANGED")
    assert "TEMPLATES" in issue["cause"]


async def test_a_company_where_every_second_right_is_missing(api: StackClient, company: SandboxCompany) -> None:
    """S2-21, S2-22: each object that may not be read is named in one answer, every other check is made, and it costs
    no more requests."""
    await api.start()
    denied = ("VENDOR", "ITEM", "PODOCUMENT", "APBILL", "AUDITHISTORY")
    for name in denied:
        company.breaks("permission_denied", "query", times=None, object=name)
    company.forget_calls()
    checks = await run_checks(api)
    assert company.calls()["requests"] <= 25
    rights = checks["READ_RIGHTS"]
    assert (rights["state"], rights["breaks"]) == ("fail", ["sync"])
    assert [name for name in denied[:4] if name not in rights["why"]] == []
    assert "APPYMT" not in rights["why"]
    assert (checks["AUDIT_TRAIL"]["state"], checks["AUDIT_TRAIL"]["breaks"]) == ("fail", [])
    assert (checks["TEMPLATES"]["state"], checks["RECLASSIFICATION"]["state"]) == ("pass", "unknown")


async def test_a_check_that_may_not_be_made_stops_nothing(
    api: StackClient, company: SandboxCompany, whole_settings: Settings
) -> None:
    """S2-21: without the right to read the definitions, these are unknown, not right; and the connection goes on."""
    company.order("PO-1")
    await api.start()
    company.breaks("permission_denied", "query", times=None, object="PODOCUMENTPARAMS")
    checks = await run_checks(api)
    assert (checks["READ_RIGHTS"]["state"], checks["TEMPLATES"]["state"]) == ("fail", "unknown")
    assert checks["MODULES"]["state"] == "pass"
    database = Database(whole_settings.database_url, pool_size=1)
    async with database.transaction() as session:
        await session.execute(
            text("update setup_checks set checked_at = checked_at - interval '1 day' where connection_id = :c"),
            {"c": api.connection_id},
        )
    await database.close()
    await api.sync()  # makes the day's checks
    assert (await api.connection())["state"] == "ready"
    await api.billed("PO-1", {1: "1"})


async def test_a_company_whose_orders_lack_status_fields(api: StackClient, company: SandboxCompany) -> None:
    """S1-09, S1-10: the check names the fields that are missing. Orders sync without them, and bills do not go
    out: what was sent could not be looked up."""
    company.switch(fields_left_out="VENDORDOCNO, CREATEDFROM")
    company.order("PO-1")
    await api.start()
    missing = (await run_checks(api))["STATUS_FIELDS"]
    assert (missing["state"], missing["breaks"]) == ("fail", ["bills"])
    assert "VENDORDOCNO" in missing["why"]
    assert "CREATEDFROM" in missing["why"]
    assert missing["fix"]
    assert await api.numbers() == {"PO-1"}
    problem = refused(await api.enter("PO-1", {1: "1"}), 409, "SETUP_CHECK_FAILED")
    assert "CREATEDFROM" in problem["detail"]
    company.order("PO-2")
    company.does("receive", number="PO-1", lines=[{"line": 1, "quantity": "2"}])
    await api.sync()
    assert await api.numbers() == {"PO-1", "PO-2"}
    assert {issue["code"] for issue in await api.issues()} <= {"SETTING_CHANGED"}
    company.switch(fields_left_out="")
    assert (await run_checks(api))["STATUS_FIELDS"]["state"] == "pass"
    await api.billed("PO-2", {1: "1"})


async def test_every_second_object_may_not_be_read(api: StackClient, company: SandboxCompany) -> None:
    """S2-21, S2-22: whichever half is refused, each refused object is named, no other is, and no check is left out."""
    await api.start()
    whole = await run_checks(api)
    objects = sorted(READ_OBJECTS)
    for first in (0, 1):
        denied = objects[first::2]
        for name in denied:
            company.breaks("permission_denied", "query", times=None, object=name)
        company.forget_calls()
        checks = await run_checks(api)
        assert company.calls()["requests"] <= 25
        assert checks.keys() == whole.keys()
        assert checks["READ_RIGHTS"]["state"] == "fail"
        named = {word.strip(".,:;()'\"") for word in checks["READ_RIGHTS"]["why"].split()}
        assert {name for name in objects if name in named} == set(denied)
        assert all(check["fix"] for check in checks.values() if check["state"] != "pass")
        company.mend()
    again = await run_checks(api)
    assert {code: check["state"] for code, check in again.items()} == {c: one["state"] for c, one in whole.items()}
