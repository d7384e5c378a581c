"""What a person or supplier wrote stands in the ERP's books as it was written (issue 10, kind 1; A1, A2, A7)."""

import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.connector import ErpConnector
from models.domain.bills import BillToPush
from models.domain.orders import PurchaseOrder
from tests.conformance.erp_harness import ErpHarness, a_bill_for, a_payment_of, push, the_order

CENT = Decimal("0.01")
BOOKS = {"intacct": "vendor_invoices", "netsuite": "bills", "quickbooks_online": "bills"}
"""Where a bill stands as it was sent, in the sandbox's words."""

_keys: Iterator[int] = itertools.count(1)

PRICES = st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal("99999.99999999"), places=8)
QUANTITIES = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(900), places=4)
DAYS = st.dates(min_value=date(2026, 1, 1), max_value=date(2035, 12, 31))
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\u00a0"), min_size=1, max_size=40
)


AMOUNTS = st.decimals(min_value=CENT, max_value=Decimal("99999.99"), places=2)


async def an_open_order(harness: ErpHarness, connector: ErpConnector) -> PurchaseOrder:
    """An order that takes every bill of a test."""
    row = {
        "po_number": "PO-LARGE",
        "vendor_id": "V-77",
        "vendor_name": "Vendor 77",
        "po_date": "2026-01-05",
        "entity": harness.entity,
        "location": harness.entity,
        "line_no": "1",
        "item_id": "ITEM-77",
        "description": "Anything",
        "quantity": "1000000",
        "price": "1.00",
    }
    harness.load({"purchase_orders": [row]})
    return await the_order(connector, "PO-LARGE")


def written(order: PurchaseOrder, quantity: Decimal, price: Decimal, **changed: Any) -> BillToPush:
    """A bill of one line at a price of its own; the amount is what these two make."""
    amount = (quantity * price).quantize(CENT, ROUND_HALF_UP)
    bill = a_bill_for(order, f"value-{next(_keys)}", quantity)
    line = bill.lines[0].model_copy(update={"price": price, "amount": amount, **changed.pop("line", {})})
    return bill.model_copy(update={"lines": (line,), "total": amount, **changed})


def in_the_books(harness: ErpHarness, bill: BillToPush) -> dict[str, Any]:
    rows = harness.held(BOOKS[harness.name])
    if harness.name == "quickbooks_online":
        (held,) = [row for row in rows if str(bill.external_key) in (row["memo"] or "")]
        return held
    key = "number" if harness.name == "intacct" else "external_id"
    (held,) = [row for row in rows if row[key] == bill.external_key]
    return held


def memo_of(held: dict[str, Any]) -> str:
    """The memo as people wrote it: QuickBooks keeps our key behind it, and a number that is too long for its field."""
    return str(held["memo"] or "").partition("[posync ")[0].partition("\nInvoice number: ")[0].strip()


def day_of(shown: str) -> date:
    """A day as the ERP's books have it."""
    if "/" not in shown:
        return date.fromisoformat(shown[:10])
    month, day, year = (int(part) for part in shown.split("/"))
    return date(year, month, day)


def figures(held: dict[str, Any]) -> tuple[Decimal, Decimal, Decimal]:
    (line,) = held["lines"]
    return Decimal(line["quantity"]), Decimal(line["price"]), Decimal(line["amount"])


@pytest.mark.trait("exact_prices")
@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [("0.3333", "99.99", "33.33"), ("3", "0.333333", "1.00"), ("1", "2.675", "2.68"), ("7", "1.005", "7.04")],
)
async def test_a_price_leaves_as_it_was_written(
    harness: ErpHarness, connector: ErpConnector, quantity: str, price: str, amount: str
) -> None:
    """A1: 0.3333 at 99.99 is not 0.3333 at 100.00."""
    order = await an_open_order(harness, connector)
    bill = written(order, Decimal(quantity), Decimal(price))
    pushed = await push(connector, bill)
    assert (pushed.differences, pushed.total) == ((), Decimal(amount))
    assert figures(in_the_books(harness, bill)) == (Decimal(quantity), Decimal(price), Decimal(amount))


@pytest.mark.trait("exact_prices")
async def test_a_price_that_nobody_wrote_is_derived_at_the_erps_precision(
    harness: ErpHarness, connector: ErpConnector
) -> None:
    """A1, ruling G12: 3 for 100.00."""
    order = await an_open_order(harness, connector)
    bill = written(order, Decimal(3), Decimal(1), line={"price": None})
    line = bill.lines[0].model_copy(update={"amount": Decimal("100.00")})
    bill = bill.model_copy(update={"lines": (line,), "total": Decimal("100.00")})
    await push(connector, bill)
    quantity, price, amount = figures(in_the_books(harness, bill))
    assert (quantity, amount) == (3, 100)
    assert Decimal("33.33333333") <= price < Decimal("33.333333334")


@pytest.mark.trait("exact_prices")
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quantity=QUANTITIES, price=PRICES, bill_date=DAYS, days=st.none() | st.integers(0, 400), memo=TEXTS, text=TEXTS)
async def test_whatever_was_written_stands_in_the_books(
    harness: ErpHarness,
    connector: ErpConnector,
    quantity: Decimal,
    price: Decimal,
    bill_date: date,
    days: int | None,
    memo: str,
    text: str,
) -> None:
    """Issue 10, kind 1: quantities, prices, amounts, days and texts, changed by nobody on their way."""
    order = await an_open_order(harness, connector)
    due = None if days is None else bill_date + timedelta(days=days)
    changed = {"bill_date": bill_date, "posting_date": bill_date, "due_date": due, "memo": memo}
    bill = written(order, quantity, price, line={"description": text}, **changed)
    if not bill.total:
        return
    pushed = await push(connector, bill)
    assert (pushed.linked, pushed.differences) == (True, ())
    held = in_the_books(harness, bill)
    assert figures(held) == (quantity, price, bill.total)
    assert (held["memo"], held["lines"][0]["description"]) == (memo, text)
    if due is not None:
        assert f"{due:%m/%d/%Y}" == held["due_date"] or held["due_date"].startswith(due.isoformat())


@pytest.mark.trait("exact_prices")
async def test_a_bill_without_a_due_date_gets_none_from_us(harness: ErpHarness, connector: ErpConnector) -> None:
    """A7: nothing is sent, and the ERP works it out by the term of the vendor or of the order."""
    order = await an_open_order(harness, connector)
    bill = written(order, Decimal(1), Decimal(10), due_date=None)
    pushed = await push(connector, bill)
    assert pushed.differences == ()
    held = in_the_books(harness, bill)
    if harness.name == "intacct":  # the vendor's term is Net 30
        assert held["due_date"] == f"{bill.bill_date + timedelta(days=30):%m/%d/%Y}"
    assert (await the_order(connector, "PO-LARGE")).lines[0].billed == 1


@pytest.mark.trait("sessions")
async def test_a_term_goes_out_by_its_name(harness: ErpHarness, connector: ErpConnector) -> None:
    """A7: the order's own term, where nobody knows the day."""
    order = await an_open_order(harness, connector)
    bill = written(order, Decimal(1), Decimal(10), due_date=None, term="Net 60")
    await push(connector, bill)
    assert in_the_books(harness, bill)["due_date"] == f"{bill.bill_date + timedelta(days=60):%m/%d/%Y}"


@pytest.mark.trait("any_text")
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=AMOUNTS, paid_on=DAYS, memo=TEXTS)
async def test_whatever_was_written_of_a_payment_stands_in_the_books(
    harness: ErpHarness, connector: ErpConnector, amount: Decimal, paid_on: date, memo: str
) -> None:
    """Issue 10, kind 1: amount to the cent, day, text, account and vendor of a payment; its bill shows the rest."""
    order = await an_open_order(harness, connector)
    bill = written(order, Decimal(1), Decimal("99999.99"))
    payment = a_payment_of(bill, await push(connector, bill), f"pay-{next(_keys)}", amount)
    payment = payment.model_copy(update={"paid_on": paid_on, "memo": memo})
    read = await connector.payments.read_back(payment, await connector.payments.create(payment))
    assert (read.amount, read.bill_paid, read.bill_due) == (amount, amount, bill.total - amount)
    (held,) = [row for row in harness.held("payments") if row["record_no"] == read.erp_id]
    assert (Decimal(held["amount"]), memo_of(held), held["bank_account"]) == (amount, memo, "BOA")
    assert day_of(held["date"]) == paid_on
    assert [Decimal(share["amount"]) for share in held["details"]] == [amount]


@pytest.mark.trait("any_text")
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(memo=TEXTS, text=TEXTS, days=st.integers(0, 400))
async def test_whatever_was_written_in_an_edit_stands_in_the_books(
    harness: ErpHarness, connector: ErpConnector, memo: str, text: str, days: int
) -> None:
    """Issue 10, kind 1: an edit's memo, due date and description; what was not edited stays to the last decimal."""
    order = await an_open_order(harness, connector)
    bill = written(order, Decimal("3.25"), Decimal("12.34567"), number=f"INV-{next(_keys)}-longer-than-some-keep")
    before = await push(connector, bill)
    earlier = in_the_books(harness, bill)
    line = bill.lines[0].model_copy(update={"description": text, "edited": frozenset({"description"})})
    due = bill.bill_date + timedelta(days=days)
    header = {"memo": memo, "due_date": due, "edited": frozenset({"memo", "due_date"})}
    change = bill.model_copy(update={**header, "lines": (line,)})
    await connector.bills.update(change, before.document_id, edition=2)
    after = await connector.bills.read_back(change, before.document_id)
    assert (after.linked, after.differences, after.total) == (True, (), bill.total)
    held = in_the_books(harness, bill)
    assert (memo_of(held), held["lines"][0]["description"]) == (memo, text)
    assert day_of(held["due_date"]) == due
    shown = f"{held.get('vendor_number')} {held['number']} {held['memo']}"
    assert bill.number in shown, "the supplier's number is not lost with the memo"
    same = ("vendor_id", "number", "date")
    assert ({name: held[name] for name in same}, figures(held)) == (
        {name: earlier[name] for name in same},
        figures(earlier),
    )
