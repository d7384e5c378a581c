"""What there is to set on a connection: every setting says what it does, and the page for users says the same."""

from pathlib import Path
from typing import Any

from services.connections.setting_facts import SETTINGS
from tests.harness.api_client import PREFERENCES, ApiClient, connected


async def settings_of(api: ApiClient, connection_id: str) -> dict[str, dict[str, Any]]:
    listed = await api.as_("viewer").get(f"/v1/connections/{connection_id}/settings")
    return {one["name"]: one for one in listed.json()["items"]}


async def test_every_setting_says_what_it_is_and_whether_it_can_be_undone(api: ApiClient) -> None:
    """S2-52, S2-53, S2-56, S2-80, S4-07: with its default, who may change it, and what it changes."""
    connection_id = await connected(api)
    before = await settings_of(api, connection_id)
    one_way = before["one_way"]
    assert (one_way["value"], one_way["default"], one_way["set_by"], one_way["undo"]) == (
        False, False, "accountant", "never",
    )  # fmt: skip
    assert (before["match_mode"]["value"], before["match_mode"]["set_by"]) == ("two_way", "admin")
    assert before["preferences.bank_account"]["value"] == "BOA"
    assert all(one["changes"] for one in before.values())

    path = f"/v1/connections/{connection_id}"
    await api.put(f"{path}/schedule", {"every_minutes": 60})
    await api.put(f"{path}/preferences", {"preferences": PREFERENCES, "one_way": True})
    after = await settings_of(api, connection_id)
    assert (after["every_minutes"]["value"], after["every_minutes"]["can_change"]) == (60, True)
    assert (after["one_way"]["value"], after["one_way"]["can_change"]) == (True, False)


async def test_no_setting_of_a_connection_is_missing_from_the_list(api: ApiClient) -> None:
    """S2-40, S2-80: what a connection shows as set is in the list, under the same name or the one that sets it."""
    connection_id = await connected(api)
    shown = (await api.get(f"/v1/connections/{connection_id}")).json()
    listed = await settings_of(api, connection_id)
    other_names = {
        "purchase_orders_enabled": "purchase_orders",
        "approvals_enabled": "approvals",
        "sync_every_minutes": "every_minutes",
    }
    set_here = (
        "match_mode",
        "push_when",
        "only_approved",
        "one_way",
        "base_currency",
        "time_zone",
        "first_import_from",
    )
    accounting = (await api.get(f"/v1/connections/{connection_id}/accounting-settings")).json()
    assert listed["posting_day"]["value"] == accounting["posting_day"]
    carried = {f"dimensions.{one['dimension']}": one["carried"] for one in accounting["dimensions"]}
    assert {name: listed[name]["value"] for name in carried} == carried == dict.fromkeys(carried, True)
    for name in (*set_here, *other_names):
        assert listed[other_names.get(name, name)]["value"] == shown[name], name


def test_the_page_for_users_has_every_setting() -> None:
    """`docs/reference/connection-settings.md`, line by line."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "connection-settings.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == len(SETTINGS)
    for one, row in zip(SETTINGS, rows, strict=True):
        assert row.startswith(f"| `{one.name}` |")
        assert f"| {one.changes} |" in row
        assert f"| {one.set_by} |" in row
