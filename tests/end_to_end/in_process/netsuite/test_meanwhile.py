"""What people do in the ERP between our last read and what is entered here, and two people here at once."""

import pytest

from tests.end_to_end.in_process import meanwhile
from tests.end_to_end.in_process.meanwhile import NETSUITE_SCREENS
from tests.harness.sandbox_company import SandboxCompany
from tests.harness.stack_client import StackClient

STORIES = [
    meanwhile.the_same_invoice_is_there_already,
    meanwhile.our_bill_gets_another_number_there,
    meanwhile.our_bill_gets_other_figures_there,
    meanwhile.a_bill_of_nothing,
    meanwhile.prices_of_many_digits,
    meanwhile.two_bills_at_once,
    meanwhile.two_prices_within_one_second,
    meanwhile.a_line_is_removed_before_the_drafted_one,
    meanwhile.a_record_of_the_far_future,
]
"""Each says what must follow."""


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_what_follows(api: StackClient, company: SandboxCompany, story: meanwhile.Story) -> None:
    """A1, A7, A10, B1, B2, B3, B6, B15, G7, Q37, in the order of the stories that name them."""
    await story(api, company, NETSUITE_SCREENS)
