"""A database from before the built-in rules had versions: nothing that is posted turns worse by the upgrade alone."""

import json
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from matching.bill import match_bill, recompute
from matching.kernel.result import FIRST_RULES, RULES, MatchResult
from models.domain.bills import BillStatus
from models.domain.ids import BillId
from models.store.base.database import MIGRATIONS, Database
from models.store.policies import match_results
from tests.builders.records import (
    R2,
    an_order,
)
from tests.harness.activity_harness import (
    ActivityHarness,
    new_activity_harness,
)

SINCE = {"entered_on", "due_date", "part_of"}
"""Of the bill's inputs."""


def _downgrade(connection: Connection) -> None:
    """Go back to the last revision that knows nothing of versions of the built-in rules."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    (since,) = [
        script
        for script in ScriptDirectory.from_config(config).walk_revisions()
        if script.path.endswith("_number_parts.py")
    ]
    assert isinstance(since.down_revision, str)
    command.downgrade(config, since.down_revision)


def as_it_was(stored: dict[str, Any]) -> dict[str, Any]:
    """The result as the first built-in rules found it and as it was stored then."""
    inputs = MatchResult.model_validate(stored).inputs
    was = match_bill(inputs.mode, inputs.orders, inputs.bill, inputs.policies, rules=FIRST_RULES).model_dump(
        mode="json"
    )
    del was["inputs"]["rules"]
    bill = was["inputs"]["bill"]
    was["inputs"]["bill"] = {name: value for name, value in bill.items() if name not in SINCE}
    for line in was["inputs"]["bill"]["lines"]:
        del line["all_given"]
    return was


async def latest(harness: ActivityHarness, bill_id: BillId) -> dict[str, Any]:
    async with harness.tenant.database.transaction() as s:
        return dict((await match_results.latest(s, bill_id)).result)


async def test_a_posted_bill_far_over_its_price_survives_the_upgrade(empty_database_url: str) -> None:
    """A6, rules 3.4: 50 % over its price, in the ERP since before the price policy: no issue, recomputed the same."""
    database = Database(empty_database_url)
    harness = await new_activity_harness(database)
    order = await harness.holds(an_order(lines={1: 10}, price="12.50"))
    bill_id = await harness.billed(order, {1: 4}, key="k1", number="INV-2024-001", price="18.75")
    await harness.release(bill_id, key="r1")
    assert (await harness.push(bill_id)).status is BillStatus.SYNCED
    was = as_it_was(await latest(harness, bill_id))
    assert was["outcome"] == "OK"
    async with database.transaction() as s:
        await (await s.connection()).run_sync(_downgrade)
        await s.execute(text("update match_results set outcome = 'OK', result = :was"), {"was": json.dumps(was)})
        await s.execute(text("update bills set match_outcome = 'OK'"))
    await database.close()

    upgraded = Database(empty_database_url)
    await upgraded.migrate()
    harness.tenant.database = upgraded
    harness.deciding._database = upgraded
    harness.mirror._database = upgraded
    row = await harness.tenant.bill_row(bill_id)
    assert (row.number_parts, row.repeats_number, row.part_of) == ("inv 2024 1", False, None)

    stored = MatchResult.model_validate(await latest(harness, bill_id))
    assert (stored.inputs.rules, stored.outcome) == (FIRST_RULES, "OK")
    assert recompute(stored).model_dump(mode="json", exclude={"inputs"}) == {
        name: value for name, value in was.items() if name != "inputs"
    }
    assert (await harness.rematch(order, "posync was upgraded")).worse == 0
    renamed = an_order(lines={1: 12}, price="12.50", revision=R2)
    await harness.tenant.page(renamed)
    assert (await harness.rematch(order, "the order changed")).worse == 0
    assert await harness.tenant.open_issues() == {}
    assert MatchResult.model_validate(await latest(harness, bill_id)).inputs.rules == FIRST_RULES

    # A bill that is entered now meets the rules of now.
    again = await harness.bill(order, {1: 1}, key="k2", number="INV-2024-002", price="18.75")
    assert again.outcome == "HOLD"
    assert (await harness.match("k2"))["inputs"]["rules"] == RULES
    await upgraded.close()


async def test_numbers_that_were_two_until_now_may_both_stand(empty_database_url: str) -> None:
    """C2: 2024-001 and 2024-1 had two keys and have the same parts; the upgrade refuses neither of them."""
    database = Database(empty_database_url)
    harness = await new_activity_harness(database)
    order = await harness.holds(an_order(lines={1: 10}))
    for number in ("2024-001", "7"):
        await harness.billed(order, {1: 1}, key=number, number=number)
    async with database.transaction() as s:
        await (await s.connection()).run_sync(_downgrade)
        await s.execute(text("update bills set number = '2024-1', number_key = '20241' where number = '7'"))
    await database.close()

    upgraded = Database(empty_database_url)
    await upgraded.migrate()
    harness.tenant.database = upgraded
    found = await harness.tenant.fetch("select number, number_parts, repeats_number from bills order by created_at")
    assert [tuple(row) for row in found] == [("2024-001", "2024 1", False), ("2024-1", "2024 1", True)]
    await upgraded.close()
