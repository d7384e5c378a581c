"""The built-in rules through the API: prices, sums, dates and numbers, where no policy is (matching rules 3.4, 3.5)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from models.domain.orders import LineBasis, PurchaseOrderLine
from models.store.base.database import Database
from tests.fakes.fake_temporal import FakeTemporal
from tests.harness.api_client import (
    ApiClient,
    a_problem,
    an_order,
    codes_needed,
    connected,
    mirrored,
)
from tests.harness.waiting import eventually

TODAY = datetime.now(UTC).date()


def a_bill(*lines: dict[str, Any], number: str = "INV-1", **values: Any) -> dict[str, Any]:
    lines = lines or ({"order_line_no": 1, "quantity": "1"},)
    return {"number": number, "bill_date": TODAY.isoformat(), "lines": list(lines), **values}


def first(quantity: str = "1", **values: str) -> dict[str, Any]:
    return {"order_line_no": 1, "quantity": quantity, **values}


async def an_order_at(api: ApiClient, database: Database, *prices: str, quantity: str = "10", **changes: Any) -> str:
    """An order of one line per price, ten pieces each; its id."""
    order = an_order("PO-1", lines=len(prices))
    lines = tuple(
        PurchaseOrderLine.model_validate(
            {
                **line.model_dump(),
                "price": price,
                "quantity": quantity,
                "amount": Decimal(price) * Decimal(quantity),
                **changes,
            }
        )
        for line, price in zip(order.lines, prices, strict=True)
    )
    return await mirrored(database, await connected(api), order.model_copy(update={"lines": lines}))


async def found(api: ApiClient, order_id: str, body: dict[str, Any]) -> tuple[str, list[str]]:
    """What a bill would come out as, and its findings."""
    answer = await api.post(f"/v1/purchase-orders/{order_id}/match", body)
    assert answer.status_code == 200, answer.text
    tried = answer.json()
    return tried["outcome"], [finding["code"] for finding in tried["match"]["findings"]]


async def saved(api: ApiClient, order_id: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_draft_with_a_rebate_is_billed_as_it_is(api: ApiClient, database: Database) -> None:
    """A3: 10 x 100.00 and 1 x -25.00 come to 975.00, and both lines are billed."""
    order = an_order("PO-1")
    goods = order.lines[0].model_copy(update={"price": Decimal("100.00"), "amount": Decimal("1000.00")})
    rebate = order.lines[1].model_copy(
        update={"quantity": Decimal(1), "price": Decimal("-25.00"), "amount": Decimal("-25.00")}
    )
    order_id = await mirrored(database, await connected(api), order.model_copy(update={"lines": (goods, rebate)}))
    draft = (await api.get(f"/v1/purchase-orders/{order_id}/bill-draft")).json()
    taken = ("order_line_no", "quantity", "price", "amount")
    lines = [{name: line[name] for name in taken} for line in draft["lines"]]
    created = await saved(api, order_id, a_bill(*lines, total=draft["total"]))
    assert (created["bill"]["total"], created["bill"]["status"]) == ("975.00", "pending_push")
    order_now = (await api.get(f"/v1/purchase-orders/{order_id}")).json()
    assert [Decimal(line["remaining"]) for line in order_now["lines"]] == [0, 0]
    alone = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(lines[1], number="INV-2"))
    problem = a_problem(alone, 422, "MATCH_BLOCKED")
    assert "a total below zero is a credit" in problem["detail"]
    assert "vendor credit" in " ".join(problem["fix"])


async def test_a_total_below_zero_is_a_credit(api: ApiClient, database: Database) -> None:
    """A4: 10 x 1.10 less a discount of 20.00."""
    order_id = await an_order_at(api, database, "1.10")
    connection = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["connection_id"]
    async with database.transaction() as session:
        await session.execute(
            text('update connections set capabilities = capabilities || \'{"charges": ["discount"]}\' where id = :id'),
            {"id": connection},
        )
    answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(first("10"), discount="20.00"))
    problem = a_problem(answer, 422, "MATCH_BLOCKED")
    assert "-9.00" in problem["detail"]
    assert "credit" in problem["detail"]
    # A10: with nothing left to pay there is nothing to ask.
    assert await found(api, order_id, a_bill(first("10"), discount="11.00", total="0.00")) == ("OK", [])


async def test_a_line_that_does_not_add_up_is_held(api: ApiClient, database: Database) -> None:
    """A5: quantity 1, price 189, amount 500.00; and figures written so that they do agree."""
    order_id = await an_order_at(api, database, "189")
    created = await saved(api, order_id, a_bill(first("1", price="189", amount="500.00")))
    assert (created["bill"]["status"], codes_needed(created)) == ("on_hold", ["AMOUNT_NOT_PRICE"])
    (finding,) = created["match"]["findings"]
    assert (finding["bill_lines"], finding["money_at_stake"]) == ([1], "311.00")
    agrees = a_bill(first("1", price="189.00", amount="189.00"), number="INV-2")
    assert await found(api, order_id, agrees) == ("OK", [])


async def test_a_price_rounded_on_paper_is_lawful(api: ApiClient, database: Database) -> None:
    """A5, rules 3.4: 1,000 x 0.33 = 333.33, as the supplier wrote it; the written digits survive the way here."""
    order_id = await an_order_at(api, database, "0.3333", quantity="1000")
    lawful = a_bill(first("1000", price="0.33", amount="333.33"))
    assert await found(api, order_id, lawful) == ("OK", [])
    exact = a_bill(first("1000", price="0.3300", amount="333.33"))
    assert await found(api, order_id, exact) == ("HOLD", ["AMOUNT_NOT_PRICE"])


@pytest.mark.parametrize(
    ("price", "outcome"), [("15490", "HOLD"), ("154900", "HOLD"), ("1600", "WARN"), ("1579.98", "OK"), ("1549", "OK")]
)
async def test_a_price_far_above_the_order_s_waits(
    api: ApiClient, database: Database, price: str, outcome: str
) -> None:
    """A6: a fresh installation, no policy: a laptop of 1,549 at ten times its price."""
    order_id = await an_order_at(api, database, "1549")
    assert await found(api, order_id, a_bill(first(price=price))) == (
        outcome,
        [] if outcome == "OK" else ["PRICE_DIFFERS"],
    )


async def test_dates_that_can_hardly_be_are_found(api: ApiClient, database: Database) -> None:
    """A9: the years 1000 and 2099, and a bill that is due before its own date."""
    order_id = await an_order_at(api, database, "12.50")
    for day in ("1000-01-01", "2099-01-01"):
        assert await found(api, order_id, a_bill(bill_date=day)) == ("HOLD", ["DATE_UNLIKELY"])
    due = (TODAY - timedelta(days=1)).isoformat()
    assert await found(api, order_id, a_bill(due_date=due)) == ("HOLD", ["DUE_BEFORE_BILL_DATE"])
    assert await found(api, order_id, a_bill(due_date=TODAY.isoformat())) == ("OK", [])


async def test_how_far_a_bill_date_may_lie_is_a_policy(api: ApiClient, database: Database) -> None:
    """An old invoice is held; where a vendor's are usual, a policy lets them pass, and shows what it says."""
    order_id = await an_order_at(api, database, "12.50")
    old = a_bill(bill_date=(TODAY - timedelta(days=400)).isoformat())
    assert await found(api, order_id, old) == ("HOLD", ["DATE_UNLIKELY"])
    saved_policy = await api.post("/v1/tolerance-policies", {"checks": {}, "bill_date_days_back": 500})
    assert saved_policy.status_code == 201, saved_policy.text
    assert saved_policy.json()["bill_date_days_back"] == 500
    assert await found(api, order_id, old) == ("OK", [])
    refused = await api.post(
        "/v1/tolerance-policies", {"scope": {"item_id": "A"}, "checks": {}, "bill_date_days_ahead": 5}
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "POLICY_INVALID")


async def test_a_corrected_due_date_settles_its_warning(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """A9: the bill is matched again with what it says now, and goes on by itself."""
    order_id = await an_order_at(api, database, "12.50")
    created = await saved(api, order_id, a_bill(due_date=(TODAY - timedelta(days=1)).isoformat()))
    assert codes_needed(created) == ["DUE_BEFORE_BILL_DATE"]
    bill_id = created["bill"]["id"]
    edited = await api.patch(f"/v1/bills/{bill_id}", {"due_date": (TODAY + timedelta(days=30)).isoformat()})
    assert edited.status_code == 200, edited.text
    await fake_temporal.has_delivered("rematch")

    async def goes_on() -> bool:
        return bool((await api.get(f"/v1/bills/{bill_id}")).json()["status"] == "pending_push")

    await eventually(goes_on)


async def test_what_people_type_differently_is_one_number(api: ApiClient, database: Database) -> None:
    """C2, H06, rules 3.5: the same parts within 12 months are refused, however they are written."""
    order_id = await an_order_at(api, database, "12.50")
    await saved(api, order_id, a_bill(number="INV-2024-001"))
    for number in ("inv 2024 1", "INV2024-001", "Inv.2024.01"):
        assert await found(api, order_id, a_bill(first("2"), number=number)) == ("BLOCK", ["DUPLICATE_EXACT"])


@pytest.mark.parametrize(
    ("kept", "days_ago", "number"),
    [("42", 13 * 31, "42"), ("1-11", 0, "11-1"), ("2024-001", 0, "2024001")],
    ids=["13 months apart", "other parts", "without separators"],
)
async def test_a_number_that_only_looks_the_same_is_released(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal, kept: str, days_ago: int, number: str
) -> None:
    """C2: held as DUPLICATE_NUMBER; an accountant releases it with a reason, and both bills stand."""
    order_id = await an_order_at(api, database, "12.50")
    await saved(api, order_id, a_bill(number=kept, bill_date=(TODAY - timedelta(days=days_ago)).isoformat()))
    created = await saved(api, order_id, a_bill(first("2"), number=number))
    assert (created["bill"]["status"], codes_needed(created)) == ("on_hold", ["DUPLICATE_NUMBER"])
    bill_id = created["bill"]["id"]
    fake_temporal.running[f"bill/{bill_id}"] = "run"
    done = await api.as_("accountant").post(f"/v1/bills/{bill_id}/release", {"reason": "the supplier counts by year"})
    assert (done.status_code, done.json()["status"]) == (200, "pending_push"), done.text
    # A third one is the second again.
    assert await found(api, order_id, a_bill(first("3"), number=number)) == ("BLOCK", ["DUPLICATE_EXACT"])


async def test_parts_of_one_invoice_go_under_its_number(
    api: ApiClient, database: Database, fake_temporal: FakeTemporal
) -> None:
    """C1: three parts of one supplier invoice; whoever names any of them means the invoice."""
    order_id = await an_order_at(api, database, "12.50")
    one = (await saved(api, order_id, a_bill(first("5"))))["bill"]["id"]
    assert await found(api, order_id, a_bill(first("2"))) == ("BLOCK", ["DUPLICATE_EXACT"])
    two = (await saved(api, order_id, a_bill(first("2"), part_of=one)))["bill"]["id"]
    three = await saved(api, order_id, a_bill(first("2"), part_of=two))
    assert (three["match"]["outcome"], three["match"]["inputs"]["bill"]["part_of"]) == ("OK", one)
    shown = (await api.get(f"/v1/bills/{two}")).json()
    assert (shown["part_of"], shown["number"]) == (one, "INV-1")
    # The first one is abandoned: what is entered in its place names any part that is left.
    gone = await api.post(f"/v1/bills/{one}/abandon", {"reason": "the quantity was wrong"})
    assert gone.status_code == 200, gone.text
    assert await found(api, order_id, a_bill(first("5"), part_of=two)) == ("OK", [])


async def test_what_is_no_part_of_the_invoice_is_said(api: ApiClient, database: Database, other_api: ApiClient) -> None:
    """C1: another number, a closed bill, somebody else's."""
    order_id = await an_order_at(api, database, "12.50")
    one = (await saved(api, order_id, a_bill()))["bill"]["id"]
    theirs = await an_order_at(other_api, database, "12.50")
    path = f"/v1/purchase-orders/{order_id}/bills"
    other_number = a_bill(first("2"), number="INV-2", part_of=one)
    a_problem(await api.post(path, other_number), 422, "NO_PART_OF_THAT_INVOICE")
    foreign = await other_api.post(f"/v1/purchase-orders/{theirs}/bills", a_bill(part_of=one))
    a_problem(foreign, 422, "NO_PART_OF_THAT_INVOICE")
    await api.post(f"/v1/bills/{one}/abandon", {"reason": "wrong"})
    closed = a_problem(await api.post(path, a_bill(part_of=one)), 422, "NO_PART_OF_THAT_INVOICE")
    assert "abandoned" in closed["detail"]


async def test_an_amount_alone_on_a_line_of_goods_says_what_to_give(api: ApiClient, database: Database) -> None:
    """C5: not "quantity 0", but that the quantity is missing, and in which unit."""
    order_id = await an_order_at(api, database, "12.50")
    answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill({"order_line_no": 1, "amount": "50.00"}))
    problem = a_problem(answer, 422, "MATCH_BLOCKED")
    assert problem["detail"] == "Bill line 1 says no quantity; line 1 (ITEM-1) is billed by quantity."
    assert problem["fix"][0] == "give the quantity the vendor billed, in Each"


async def test_a_rebate_by_amount_is_billed_below_zero(api: ApiClient, database: Database) -> None:
    """A3: a line that is billed by its amount, below zero."""
    order = an_order("PO-1")
    rebate = order.lines[1].model_copy(
        update={
            "quantity": Decimal(1),
            "price": Decimal("-25.00"),
            "amount": Decimal("-25.00"),
            "basis": LineBasis.AMOUNT,
        }
    )
    order_id = await mirrored(
        database, await connected(api), order.model_copy(update={"lines": (order.lines[0], rebate)})
    )
    draft = (await api.get(f"/v1/purchase-orders/{order_id}/bill-draft")).json()
    assert (draft["total"], [line["amount"] for line in draft["lines"]]) == ("100.00", ["125.00", "-25.00"])
    goods, part = first("10"), {"order_line_no": 2, "amount": "-20.00"}
    assert await found(api, order_id, a_bill(goods, part)) == ("OK", [])
    assert await found(api, order_id, a_bill(goods, {**part, "amount": "-25.01"})) == ("BLOCK", ["QTY_OVER_CEILING"])
    created = await saved(api, order_id, a_bill(goods, part))
    assert created["bill"]["total"] == "105.00"
    rest = a_bill({**part, "amount": "-5.01"}, {"order_line_no": 2, "amount": "0.01"}, number="INV-2")
    assert (await found(api, order_id, rest))[0] == "BLOCK"
