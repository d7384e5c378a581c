"""The worked examples of the matching rules, asked of the API: the mirror's ledger, stored policies, a bill's figures.

Orders with their receipts, credits and what was billed before are stored as an order is that was read whole. What went
back to the vendor is off what was received, as both ERPs show it.
"""

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from models.domain.ids import ConnectionId, DocumentId, ErpId
from models.domain.orders import (
    LineBasis,
    MatchingStatus,
    OrderCredit,
    PoStatus,
    PurchaseOrder,
    PurchaseOrderSnapshot,
)
from models.domain.receipts import Receipt, ReceiptLine, ReceiptStatus
from models.store.base.database import Database
from models.store.orders import purchase_orders
from models.store.orders.purchase_orders import MappedOrder
from tests.fakes.fake_erp import CAPABILITIES, FakeErp
from tests.harness.api_client import (
    ApiClient,
    an_order,
    connected,
    mirrored,
)

TODAY = datetime.now(UTC).date()
_orders = itertools.count(1)


@pytest.fixture(autouse=True)
def bills_of_several_sources(erp: FakeErp) -> None:
    """The examples are about quantities and money, not about the documents that a bill is made of."""
    erp.capabilities = CAPABILITIES.model_copy(update={"several_sources_per_bill": True})


async def order_of(
    database: Database,
    connection_id: str,
    ordered: str,
    *,
    received: str = "0",
    billed: str = "0",
    credited: str = "0",
    price: str = "25.00",
    closed: bool = False,
    basis: LineBasis = LineBasis.QUANTITY,
) -> str:
    """An order of one line with its ledger as it stands; its id."""
    order = an_order(f"PO-{next(_orders)}", lines=1)
    amount = Decimal(ordered) * (1 if basis is LineBasis.AMOUNT else Decimal(price))
    line = order.lines[0].model_copy(
        update={
            "quantity": Decimal(1) if basis is LineBasis.AMOUNT else Decimal(ordered),
            "price": amount if basis is LineBasis.AMOUNT else Decimal(price),
            "amount": amount,
            "basis": basis,
            "closed": closed,
        }
    )
    by_amount = basis is LineBasis.AMOUNT
    line = line.model_copy(
        update={
            "billed": Decimal(0 if by_amount else billed),
            "billed_amount": Decimal(billed) * (1 if by_amount else Decimal(price)),
        }
    )
    order = order.model_copy(update={"lines": (line,)})
    receipts = []
    if Decimal(received):
        quantity = Decimal(received) / (amount if by_amount else 1)
        receipts = [(a_receipt(order, quantity), ReceiptStatus.ACTIVE)]
    credits = ()
    if Decimal(credited):
        at_price = Decimal(credited) * Decimal(price)
        credits = (OrderCredit(order_line=line.erp_id, quantity=Decimal(credited), amount=at_price),)
    snapshot = PurchaseOrderSnapshot(
        purchase_order=order, receipts=tuple(receipt for receipt, _ in receipts), credits=credits
    )
    async with database.transaction() as session:
        await purchase_orders.apply_snapshot(
            session,
            ConnectionId(connection_id),
            snapshot,
            MappedOrder(order, PoStatus.UNFILLED, MatchingStatus.ACTIVE),
            receipts,
            receipts_count_as_billed=False,
        )
    return purchase_orders.purchase_order_id(ConnectionId(connection_id), order.erp_id)


def a_receipt(order: PurchaseOrder, quantity: Decimal) -> Receipt:
    """So much of the order's one line has come."""
    (line,) = order.lines
    return Receipt(
        erp_id=ErpId(f"R-{order.erp_id}"),
        document_id=DocumentId(f"PO Receiver-{order.number}"),
        number=f"R-{order.number}",
        erp_status="Pending",
        order_document=order.document_id,
        vendor_id=order.vendor_id,
        received_on=TODAY,
        revision="2026-11-02 10:00:00",
        lines=(
            ReceiptLine(
                erp_id=ErpId(f"R-{line.erp_id}"),
                line_no=1,
                item_id=line.item_id,
                quantity=quantity,
                order_line=line.erp_id,
            ),
        ),
    )


def a_bill(*lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"number": f"INV-{next(_orders)}", "bill_date": TODAY.isoformat(), "lines": list(lines), **values}


def line(quantity: str, **values: str) -> dict[str, Any]:
    return {"order_line_no": 1, "quantity": quantity, **values}


async def matched(api: ApiClient, order_id: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await api.post(f"/v1/purchase-orders/{order_id}/match", body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["match"])


async def found(api: ApiClient, order_id: str, body: dict[str, Any]) -> str:
    """The outcome, and what was found in short: `WARN BILLED_BEYOND_RECEIVED`."""
    match = await matched(api, order_id, body)
    return " ".join([match["outcome"], *(finding["code"] for finding in match["findings"])])


async def tolerates(api: ApiClient, **checks: Any) -> None:
    answer = await api.post("/v1/tolerance-policies", {"scope": {}, "checks": checks})
    assert answer.status_code == 201, answer.text


async def three_way(api: ApiClient, connection_id: str) -> None:
    answer = await api.put(
        f"/v1/connections/{connection_id}/purchase-orders", {"enabled": True, "match_mode": "three_way"}
    )
    assert answer.status_code == 200, answer.text


# --- quantity ---------------------------------------------------------------------------------------------------

OVER, AHEAD, BEYOND = "BLOCK QTY_OVER_CEILING", "WARN BILLED_BEYOND_RECEIVED", "WARN BILLED_BEYOND_ORDERED"

# id: O, R less T, B, b, C, expected
QUANTITIES: Mapping[str, tuple[str, str, str, str, str, str]] = {
    "2 Q01": ("10", "0", "0", "10", "0", "OK"),
    "2 Q02": ("10", "0", "0", "11", "0", OVER),
    "2 Q03": ("10", "0", "4", "6", "0", "OK"),
    "2 Q04": ("10", "0", "4", "7", "0", OVER),
    "2 Q05": ("100", "105", "0", "105", "0", OVER),
    "2 Q31": ("5", "5", "5", "2", "2", "OK"),
    "2 Q38": ("10", "0", "0", "10.0000001", "0", OVER),
    "2 Q39": ("0.3", "0", "0.1", "0.2", "0", "OK"),
    "2 Q42": ("10", "0", "0", "0", "0", "BLOCK INVALID_QTY"),
    "3 Q06": ("10", "4", "0", "4", "0", "OK"),
    "3 Q07": ("10", "4", "0", "6", "0", AHEAD),
    "3 Q08": ("10", "4", "0", "10", "0", AHEAD),
    "3 Q09": ("10", "4", "0", "11", "0", OVER),
    "3 Q10": ("10", "0", "0", "1", "0", AHEAD),
    "3 Q11": ("10", "12", "0", "10", "0", "OK"),
    "3 Q12": ("10", "12", "0", "11", "0", BEYOND),
    "3 Q13": ("10", "12", "0", "12", "0", BEYOND),
    "3 Q14": ("10", "12", "0", "13", "0", OVER),
    "3 Q15": ("10", "6", "4", "2", "0", "OK"),
    "3 Q16": ("10", "6", "4", "3", "0", AHEAD),
    "3 Q17": ("10", "6", "4", "6", "0", AHEAD),
    "3 Q18": ("10", "6", "4", "7", "0", OVER),
    "3 Q19": ("10", "4", "6", "4", "0", AHEAD),
    "3 Q20": ("10", "4", "6", "5", "0", OVER),
    "3 Q21": ("10", "10", "10", "1", "0", OVER),
    "3 Q22": ("40", "41", "40", "1", "0", BEYOND),
    "3 Q23": ("40", "41", "40", "2", "0", OVER),
    "3 Q24": ("10", "12", "10", "2", "0", BEYOND),
    "3 Q25": ("10", "12", "10", "3", "0", OVER),
    "3 Q26": ("100", "105", "0", "106", "0", OVER),
    "3 Q27": ("10", "7", "6", "4", "0", AHEAD),
    "3 Q28": ("10", "7", "6", "1", "0", "OK"),
    "3 Q29": ("5", "3", "5", "1", "0", OVER),
    "3 Q30": ("5", "3", "5", "1", "2", AHEAD),
    # X: an ERP that cancels a part lowers what is ordered.
    "3 Q32": ("7", "7", "7", "1", "0", OVER),
    "2 Q33": ("8", "0", "5", "5", "0", OVER),
    "2 Q34": ("8", "0", "5", "3", "0", "OK"),
    "3 R02": ("5", "3", "0", "3", "0", "OK"),
    "3 R05": ("30", "30", "25", "5", "0", "OK"),
    "3 R06": ("10", "5", "10", "1", "5", AHEAD),
    "3 R07": ("300", "200", "200", "100", "100", "OK"),
    "3 R10": ("10", "5", "3", "2", "0", "OK"),
    "3 R10, billed there": ("10", "5", "20", "1", "0", OVER),
}


@pytest.mark.parametrize("mode", ["2", "3"])
async def test_quantities(api: ApiClient, database: Database, mode: str) -> None:
    """Q01..Q34, Q38, Q39, Q42, R02, R05..R07, R10: each on an order of its own, with no policy."""
    connection_id = await connected(api)
    if mode == "3":
        await three_way(api, connection_id)
    examples = {id: example for id, example in QUANTITIES.items() if id[0] == mode}
    answers: dict[str, str] = {}
    for id, (ordered, received, billed, quantity, credited, _) in examples.items():
        order_id = await order_of(database, connection_id, ordered, received=received, billed=billed, credited=credited)
        answers[id] = await found(api, order_id, a_bill(line(quantity)))
    assert answers == {id: example[-1] for id, example in examples.items()}


async def test_what_is_hidden_and_what_is_closed(api: ApiClient, database: Database) -> None:
    """Q21, Q22, Q35."""
    connection_id = await connected(api)
    await three_way(api, connection_id)
    for received, billed, hidden in (("10", "10", True), ("11", "10", False)):
        order_id = await order_of(database, connection_id, "10", received=received, billed=billed)
        (shown,) = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["lines"]
        assert shown["hidden"] is hidden
    closed = await order_of(database, connection_id, "10", received="10", closed=True)
    assert await found(api, closed, a_bill(line("1"))) == "BLOCK LINE_CLOSED"


async def test_a_quantity_tolerance(api: ApiClient, database: Database) -> None:
    """Q40, Q41: 5 % of 10, exactly at the limit allowed."""
    order_id = await order_of(database, await connected(api), "10")
    await tolerates(api, qty={"block": {"pct": "5"}})
    assert await found(api, order_id, a_bill(line("10.5"))) == "OK"
    assert await found(api, order_id, a_bill(line("10.51"))) == OVER


# --- prices and amounts ---------------------------------------------------------------------------------------------

# id: p_po, p_bill, the block band of `price`, expected
PRICES: Mapping[str, tuple[str, str, dict[str, str], str]] = {
    "P01": ("1.00", "1.05", {"pct": "5"}, "OK"),
    "P02": ("1.00", "1.10", {"pct": "5"}, "HOLD PRICE_DIFFERS"),
    "P03": ("62.00", "71.61", {"pct": "2", "abs": "5.00"}, "HOLD PRICE_DIFFERS"),
    "P04": ("100", "105.00", {"pct": "5"}, "OK"),
    "P04 above": ("100", "105.01", {"pct": "5"}, "HOLD PRICE_DIFFERS"),
    "P05": ("100", "104", {"pct": "5", "abs": "3", "combine": "strict"}, "HOLD PRICE_DIFFERS"),
    "P06": ("100", "104", {"pct": "5", "abs": "3", "combine": "lenient"}, "OK"),
    "P07": ("0", "0.01", {"pct": "5"}, "HOLD PRICE_DIFFERS"),
    "P08": ("10.00", "9.00", {"pct": "5", "direction": "upper"}, "INFO PRICE_DIFFERS"),
    "P08 both": ("10.00", "9.00", {"pct": "5", "direction": "both"}, "HOLD PRICE_DIFFERS"),
}


async def test_prices(api: ApiClient, database: Database) -> None:
    """P01..P08, each under the organization's policy as it is then."""
    connection_id = await connected(api)
    created = await api.post("/v1/tolerance-policies", {"scope": {}, "checks": {"price": {"block": {"pct": "1"}}}})
    policy = f"/v1/tolerance-policies/{created.json()['id']}"
    answers: dict[str, str] = {}
    for id, (ordered, billed, band, _) in PRICES.items():
        replaced = await api.put(policy, {"scope": {}, "checks": {"price": {"block": band}}})
        assert replaced.status_code == 200, replaced.text
        order_id = await order_of(database, connection_id, "10", price=ordered)
        answers[id] = await found(api, order_id, a_bill(line("1", price=billed)))
    assert answers == {id: example[-1] for id, example in PRICES.items()}


@pytest.mark.parametrize(
    ("total", "pct", "expected"),
    [
        pytest.param("10.00", "5", {"10.50": "OK", "10.51": "HOLD", "9.49": "HOLD"}, id="P09"),
        pytest.param("1000", "1", {"1010": "OK", "1010.01": "HOLD"}, id="P10"),
    ],
)
async def test_an_order_total(
    api: ApiClient, database: Database, total: str, pct: str, expected: dict[str, str]
) -> None:
    """P09, P10: two-sided; the price is left to the total."""
    order_id = await order_of(database, await connected(api), "1", price=total)
    await tolerates(api, po_total={"block": {"pct": pct, "direction": "both"}}, price={"block": {"pct": "unlimited"}})
    outcomes = {}
    for amount in expected:
        match = await matched(api, order_id, a_bill(line("1", amount=amount)))
        outcomes[amount] = match["outcome"]
    assert outcomes == expected


async def test_p11_the_quantity_holds_what_the_amount_lets_pass(api: ApiClient, database: Database) -> None:
    """P11: 100 units are 1000; 97 units at 970: within 10 % of the amount, 3 units short of 2 tolerated."""
    order_id = await order_of(database, await connected(api), "100", price="10.00")
    await tolerates(
        api,
        qty={"block": {"abs": "2", "direction": "both"}},
        po_total={"block": {"pct": "10", "direction": "both"}},
    )
    assert await found(api, order_id, a_bill(line("97"))) == "HOLD QTY_UNDER_CEILING"
    assert await found(api, order_id, a_bill(line("98"))) == "OK"


async def test_p12_p13_what_unasked_quantity_is_worth(api: ApiClient, database: Database) -> None:
    """P12: 100 too many at 0.02 are worth 2.00 of 5.00, and the quantity blocks them still; P13: one at 500 is not."""
    connection_id = await connected(api)
    await three_way(api, connection_id)
    await tolerates(api, qty_value={"block": {"abs": "5.00"}})
    screws = await order_of(database, connection_id, "1000", received="1000", price="0.02")
    assert await found(api, screws, a_bill(line("1100"))) == OVER
    motors = await order_of(database, connection_id, "1000", received="1000", price="500")
    answer = await found(api, motors, a_bill(line("1001")))
    assert answer == f"{OVER} QTY_VALUE_EXCEEDED"


async def test_p14_p15_cents(api: ApiClient, database: Database) -> None:
    """P14: 3 for 100.00 go out as an amount, and a cent lost by a price of two digits is rounding; P15: 12 x 0.001."""
    connection_id = await connected(api)
    thirds = await order_of(database, connection_id, "3", price="33.33")
    assert await found(api, thirds, a_bill(line("3", amount="100.00"))) == "OK"
    assert await found(api, thirds, a_bill(line("3", price="33.33"), total="100.00")) == "OK"
    assert await found(api, thirds, a_bill(line("3", price="33.33"), total="100.01")) == "HOLD HEADER_SUM"
    cheap = await order_of(database, connection_id, "12", price="0.001")
    match = await matched(api, cheap, a_bill(line("12")))
    assert (match["outcome"], match["inputs"]["bill"]["lines"][0]["amount"]) == ("OK", "0.01")


async def test_p16_another_currency(api: ApiClient, database: Database) -> None:
    """P16: nothing is converted, and the two prices are not compared."""
    order_id = await order_of(database, await connected(api), "1", price="1000")
    euros = a_bill(line("1", price="2000"), currency="EUR")
    assert await found(api, order_id, euros) == "BLOCK CURRENCY_MISMATCH"


async def test_p17_billed_in_full_below_the_price(api: ApiClient, database: Database) -> None:
    """P17: 100 received at 10, billed at 9: nothing is asked, the variance is named, nothing is left to bill."""
    connection_id = await connected(api)
    await three_way(api, connection_id)
    order_id = await order_of(database, connection_id, "100", received="100", price="10")
    answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", a_bill(line("100", price="9")))
    created = answer.json()
    assert (created["bill"]["status"], created["match"]["outcome"]) == ("pending_push", "INFO")
    assert Decimal(created["match"]["findings"][0]["money_at_stake"]) == -100
    (shown,) = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["lines"]
    assert (Decimal(shown["remaining"]), shown["hidden"]) == (0, True)


# --- amounts in place of quantities, units ---------------------------------------------------------------------------


async def test_lines_billed_by_amount(api: ApiClient, database: Database) -> None:
    """A01, A02, A03, A05."""
    connection_id = await connected(api)
    billed_before = await order_of(database, connection_id, "12000", billed="5000", basis=LineBasis.AMOUNT)
    assert await found(api, billed_before, a_bill({"order_line_no": 1, "amount": "7000"})) == "OK"
    assert await found(api, billed_before, a_bill({"order_line_no": 1, "amount": "7000.01"})) == OVER
    whole = await order_of(database, connection_id, "12000", basis=LineBasis.AMOUNT)
    half = await matched(api, whole, a_bill(line("0.5", price="12000", amount="6000")))
    assert (half["outcome"], half["inputs"]["bill"]["lines"][0]["amount"]) == ("OK", "6000.00")
    await three_way(api, connection_id)
    ahead = await order_of(database, connection_id, "12000", received="4000", basis=LineBasis.AMOUNT)
    match = await matched(api, ahead, a_bill({"order_line_no": 1, "amount": "5000"}))
    assert [finding["code"] for finding in match["findings"]] == ["BILLED_BEYOND_RECEIVED"]
    assert Decimal(match["findings"][0]["margin"]) == pytest.approx(Decimal(-1000))


async def test_a_tolerance_on_an_amount(api: ApiClient, database: Database) -> None:
    """A04: 2 % of 12,000, with 5,000 billed: 7,240.00 is at the limit."""
    order_id = await order_of(database, await connected(api), "12000", billed="5000", basis=LineBasis.AMOUNT)
    await tolerates(api, qty={"block": {"pct": "2"}})
    assert await found(api, order_id, a_bill({"order_line_no": 1, "amount": "7240"})) == "OK"
    assert await found(api, order_id, a_bill({"order_line_no": 1, "amount": "7240.01"})) == OVER


async def test_units(api: ApiClient, database: Database) -> None:
    """U02, U03: 60 and 60 pieces fill ten cases of twelve; 125 are more than ten."""
    connection_id = await connected(api)
    order_id = await order_of(database, connection_id, "10", price="24.00")
    told = {"vendor_id": "V-1", "item_id": "ITEM-1", "unit": "Piece", "order_unit": "Each", "factor": "1/12"}
    assert (await api.put("/v1/unit-factors", {"connection_id": connection_id, **told})).status_code == 200
    pieces = {"unit": "Piece", "price": "2.00"}
    assert await found(api, order_id, a_bill(line("125", **pieces))) == OVER
    for _ in range(2):
        body = a_bill(line("60", **pieces), acknowledge=["DUPLICATE_SUSPECT"])
        answer = await api.post(f"/v1/purchase-orders/{order_id}/bills", body)
        assert (answer.status_code, answer.json()["bill"]["status"]) == (201, "pending_push"), answer.text
    (shown,) = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["lines"]
    assert Decimal(shown["remaining"]) == 0


# --- what was received and billed, and chains ---------------------------------------------------------------------


async def test_r08_more_came_than_was_ordered(api: ApiClient, database: Database) -> None:
    """R08: a flag on the line, as long as the second receipt stands."""
    connection_id = await connected(api)
    for received, over in (("12", "2"), ("4", "0")):
        order_id = await order_of(database, connection_id, "10", received=received)
        (shown,) = (await api.get(f"/v1/purchase-orders/{order_id}")).json()["lines"]
        assert Decimal(shown["over_received"]) == Decimal(over)


async def test_the_rest_of_an_order_is_measured_by_the_whole_of_it(api: ApiClient, database: Database) -> None:
    """W6, S5-25: 10 x 12.50, 4 billed, a back order of 6: 125.00 billed of 125.00, not of 75.00; one cent more is."""
    connection_id = await connected(api)
    first = an_order("PO-W6", lines=1)
    rest = an_order("PO-W6-1", lines=1, created_from=DocumentId(first.document_id))
    rest = rest.model_copy(
        update={
            "lines": tuple(
                one.model_copy(
                    update={
                        "quantity": Decimal(6),
                        "amount": Decimal("75.00"),
                        "source_line": ErpId(first.lines[0].erp_id),
                    }
                )
                for one in rest.lines
            )
        }
    )
    billed = first.lines[0].model_copy(update={"billed": Decimal(4), "billed_amount": Decimal("50.00")})
    await mirrored(database, connection_id, first.model_copy(update={"lines": (billed,)}))
    order_id = await mirrored(database, connection_id, rest)
    await tolerates(api, po_total={"block": {"pct": "0"}}, price={"block": {"pct": "unlimited"}})
    assert await found(api, order_id, a_bill(line("6"))) == "OK"
    match = await matched(api, order_id, a_bill(line("6", amount="75.01")))
    (finding,) = match["findings"]
    assert (finding["code"], finding["values"]["order_total"], finding["values"]["billed_before"]) == (
        "PO_TOTAL_DIFFERS",
        "125.00",
        "50.00",
    )
