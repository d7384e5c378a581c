"""The same in front of NetSuite: a write whose answer was lost, and whose look-up does not succeed."""

import pytest

from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient, refused
from tests.harness.variants import first_of


async def test_a_bill_whose_look_up_is_refused_is_neither_abandoned_nor_made_twice(
    received: StackClient, company: SandboxCompany
) -> None:
    """G3: the look-up is refused with an error nobody knows; that is no refusal of the bill."""
    company.breaks("lost_answer", "add", object="vendorBill")
    # The first reads the order that is billed; those after the lost answer look the bill up.
    company.breaks("unknown_error", "getList", times=None, after=1)
    bill_id = await received.bill("PO-1", {1: "4"})
    issue = await received.issue("LOOK_UP_REFUSED")
    assert issue["subject_id"] == bill_id
    abandon = await received.post(f"/v1/sync-issues/{issue['id']}/abandon", {"why": "no"}, role="accountant")
    refused(abandon, 409, "WRITE_IN_DOUBT")
    company.mend()
    await received.settle(issue, "retry")
    await received.arrived(bill_id)
    assert len(company.held("bills")) == 1
    assert await received.issues() == []


@pytest.mark.parametrize("kind", first_of("bad_request", "empty_answer", "status_missing"))
async def test_an_answer_that_lost_its_parts_after_the_commit_is_looked_up(
    received: StackClient, company: SandboxCompany, kind: str
) -> None:
    """G4: HTTP 400, an empty answer, or no status, after NetSuite has committed."""
    company.breaks(kind, "add", object="vendorBill")
    await received.billed("PO-1", {1: "4"})
    assert company.fired(kind) == 1
    assert len(company.held("bills")) == 1
    assert await received.issues() == []
