"""Approvals on the whole stack: what a bill waits for, from the API to NetSuite's books."""

from collections.abc import Iterator

import pytest
from _pytest.mark.structures import ParameterSet

from services.approvals.push_rules import SETTINGS, Settings
from settings import Settings as Environment
from tests.harness.approval_walk import walk
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient

TAKEN = [asked for asked, becomes in SETTINGS.items() if becomes is asked.push_when]


def cases() -> Iterator[ParameterSet]:
    """Each of them. Of those with the same `push_when`, all but the first are marked `long`."""
    seen = set()
    for asked in TAKEN:
        marks = [pytest.mark.long] if asked.push_when in seen else []
        yield pytest.param(asked, id="-".join(map(str, asked)), marks=marks)
        seen.add(asked.push_when)


@pytest.mark.parametrize("asked", list(cases()))
async def test_a_bill_goes_out_when_the_settings_say_so(
    api: StackClient, company: SandboxCompany, whole_settings: Environment, asked: Settings
) -> None:
    """S2-58, S4-24, S5-04: held in the books until approved, or paid, then there once."""
    await walk(api, company, whole_settings.database_url, "bills", asked)
