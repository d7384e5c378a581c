"""What a person changes in QuickBooks between our reading of a bill and our change of it: EditSequence."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from erp.errors import Stale
from erp.quickbooks_desktop.bills_out import MOST_CONFLICTS
from erp.verdicts import Verdict
from tests.conformance.erp_harness import a_bill_for, all_orders, push
from tests.unit.erp.quickbooks_desktop.company_file import DirectJournal, connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc


class PersonFirst(DirectJournal):
    """A journal before whose next writes a person changes the bill."""

    def __init__(self, pc: Pc, times: int) -> None:
        super().__init__(pc)
        self._times = times

    async def write(
        self, key: str, request: str, outcome: Callable[[str], Verdict] | None = None, *, looked_up: Any = None
    ) -> str:
        if self._times:
            self._times -= 1
            (bill,) = [one for one in await self.pc.held("bills") if "PSB-1" in (one["memo"] or "")]
            record = self.pc.computer.company.txns["Bill"][bill["record_no"]]
            record.values["DueDate"] = date(2027, 1, self._times + 1)
            self.pc.computer.company.touch(record)
        return await super().write(key, request, outcome, looked_up=looked_up)


@pytest.mark.parametrize("times", [1, 2, MOST_CONFLICTS])
async def test_an_edit_begins_anew_from_what_a_person_changed_meanwhile(times: int) -> None:
    """Issue 12: EditSequence conflicts are read again: neither the person's change is lost nor ours."""
    pc = Pc()
    await pc.room("/companies/quickbooks_desktop/sample")
    connector, _ = connected(pc)
    order = (await all_orders(connector))["PO-1007"]
    bill = a_bill_for(order, "PSB-1", Decimal(2))
    pushed = await push(connector, bill)
    edit = bill.model_copy(update={"memo": "agreed by phone", "edited": frozenset({"memo"})})
    journal = PersonFirst(pc, times)
    connector.bills._client._journal = journal
    if times == MOST_CONFLICTS:
        with pytest.raises(Stale):
            await connector.bills.update(edit, pushed.document_id, edition=1)
        changed = ""
    else:
        await connector.bills.update(edit, pushed.document_id, edition=1)
        changed = "agreed by phone"
    (held,) = [one for one in await pc.held("bills") if "PSB-1" in (one["memo"] or "")]
    assert held["due_date"] == "2027-01-01"
    assert held["memo"].startswith(changed)
    assert len([one for one in journal.documents if "<BillModRq" in one]) == min(times + 1, MOST_CONFLICTS)
