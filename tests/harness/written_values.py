"""Bills as callers write them, sent through the API: what reaches the ERP's books is what was written.

Real: the whole product, the sandbox over HTTP. Fake: nothing.
"""

import asyncio
import itertools
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import httpx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient

CENT = Decimal("0.01")


def tried_with(one: st.SearchStrategy[Any], *, size: int, times: int) -> Callable[[Any], Any]:
    """Run a test so often, each time with so many as its `written`: always the same, and none is made smaller."""

    def decorate(test: Any) -> Any:
        always = settings(
            max_examples=times,
            deadline=None,
            derandomize=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        return always(given(written=st.lists(one, min_size=size, max_size=size))(test))

    return decorate


_orders = itertools.count(1)


class Written(NamedTuple):
    """A bill of one line as a caller writes it."""

    quantity: str
    """As it stands in the body, quotes included where it is text."""
    price: str
    order_price: Decimal
    """What was agreed: the price that is written, where that is one."""
    number: str
    memo: str
    description: str
    unit: str | None
    days_old: int
    due_in: int | None
    day: str | None
    """How the bill's day is written; None: as ISO 8601."""

    def body(self, line_no: int) -> str:
        bill_date = today() - timedelta(days=self.days_old)
        due = None if self.due_in is None else bill_date + timedelta(days=self.due_in)
        header = {
            "number": self.number,
            "bill_date": self.day or bill_date.isoformat(),
            "due_date": due and due.isoformat(),
            "memo": self.memo,
            "acknowledge": ["DUPLICATE_SUSPECT"],
        }
        line = {"order_line_no": line_no, "description": self.description, "unit": self.unit}
        figures = f'"quantity": {self.quantity}, "price": {self.price}'
        return json.dumps(header)[:-1] + f', "lines": [{json.dumps(line)[:-1]}, {figures}}}]}}'


class Plain(NamedTuple):
    """A decimal, and one way to write it."""

    value: Decimal
    token: str


def _ways_to_write(value: Decimal, places: int) -> Sequence[str]:
    text = format(value, "f")
    padded = format(value.quantize(Decimal(1).scaleb(-places)), "f")
    exponent = f"{value.normalize():E}"
    return (f'"{text}"', text, f'"{padded}"', padded, f'"00{text}"', exponent)


@st.composite
def _plain(draw: st.DrawFn, lowest: str, highest: int, places: int) -> Plain:
    value = draw(st.decimals(min_value=Decimal(lowest), max_value=highest, places=draw(st.integers(0, places))))
    return Plain(value, draw(st.sampled_from(_ways_to_write(value, places))))


NO_NUMBERS = ('"1_000"', '"1,5"', '"\u0661\u0662"', '" 4"', '"1e3"', "true", '"+4"', '"4."', '"NaN"', '""')
"""What is no number here, though some program reads it as one."""

UNITS = (None, "Each", "each", " Each ")
"""Ways to write the order's unit."""

LETTERS = st.characters(codec="utf-8", exclude_categories=("C", "Z"))
WINDOWS_LETTERS = st.characters(codec="cp1252", exclude_categories=("C", "Z"))
"""Those that QuickBooks Desktop stores."""


def texts(letters: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts of such letters, with blanks, line ends and what has a meaning in some language."""
    return st.text(st.one_of(letters, st.sampled_from(" \t\n'\"<&>\\%")), max_size=60)


TEXTS = texts(LETTERS)
CODES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@st.composite
def bills(
    draw: st.DrawFn,
    places: int,
    units: Sequence[str | None] = UNITS,
    letters: st.SearchStrategy[str] = LETTERS,
) -> Written:
    """A bill, most of its parts well written, with at most so many decimals."""
    price = draw(_plain("0.01", 9_999, places))
    quantity = draw(_plain("0.0001", 900, min(places, 4)))
    odd = draw(st.sampled_from([*[""] * 8, "blanks", "blanks", "quantity", "price", "day", "text"]))
    number = f"{draw(CODES)}-{secrets.token_hex(4)}"
    memo, description = draw(texts(letters)), draw(texts(letters))
    if odd == "text":
        memo += draw(st.sampled_from(["\u0000", "\u0085", "\u202e", "\u2028", "x" * 1001]))
    if odd == "blanks":
        number, memo = f"  {number} ", f" {memo}\r\n two lines \r\n"
    return Written(
        quantity=draw(st.sampled_from(NO_NUMBERS)) if odd == "quantity" else quantity.token,
        price=draw(st.sampled_from(NO_NUMBERS)) if odd == "price" else price.token,
        order_price=price.value,
        number=number,
        memo=memo,
        description=description,
        unit=draw(st.sampled_from(units)),
        days_old=draw(st.integers(0, 20)),
        due_in=draw(st.none() | st.integers(0, 400)),
        day=draw(st.sampled_from(["2026-11-20T00:00:00", "20/11/2026", "2026-11-31", "1795651200", "0999-12-31"]))
        if odd == "day"
        else None,
    )


async def send(api: StackClient, company: SandboxCompany, written: Sequence[Written]) -> list[httpx.Response]:
    """Enter each bill on a line of its own, agreed at its price, of one order."""
    number = f"PO-W{next(_orders)}"
    lines = {n: {"price": format(one.order_price, "f"), "unit": "Each"} for n, one in enumerate(written, 1)}
    company.pass_time(10)
    changed_at = datetime.now(UTC).isoformat()
    company.order(number, *["1000000"] * len(written), lines=lines, modified_at=changed_at)
    if company.set_up.erp == "netsuite":
        company.does("receive", number=number)
    await api.sync()
    assert number in await api.numbers(), await api.skipped()
    order = await api.order(number)

    def post(line_no: int, one: Written) -> Any:
        return api.post_raw(f"/v1/purchase-orders/{order['id']}/bills", one.body(line_no))

    return list(await asyncio.gather(*(post(line_no, one) for line_no, one in enumerate(written, 1))))


def must_be_taken(one: Written) -> bool:
    """Whether nobody could misread what is written."""
    plain = not {one.quantity, one.price} & set(NO_NUMBERS) and one.day is None
    return plain and len(one.memo) <= 1000 and not set(one.memo) & set("\u0000\u0085\u202e\u2028")


def as_stored(text: str) -> str:
    """A text as the API's document says that it is kept: its lines end in one line feed, no blanks around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def memo_of(held: Mapping[str, Any]) -> str:
    """The memo as people wrote it: QuickBooks keeps our key behind it, and a number that is too long for its field."""
    return str(held["memo"] or "").partition("[posync ")[0].partition("\nInvoice number: ")[0].strip()


def day_of(shown: str) -> date:
    """A day as the ERP's books have it."""
    if "/" not in shown:
        return date.fromisoformat(shown[:10])
    month, day, year = (int(part) for part in shown.split("/"))
    return date(year, month, day)


def decimal(token: str) -> Decimal:
    """The number that a caller wrote."""
    return Decimal(json.loads(token, parse_float=Decimal, parse_int=Decimal))


def total_of(one: Written) -> Decimal:
    return (decimal(one.quantity) * decimal(one.price)).quantize(CENT, ROUND_HALF_UP)


async def stands_as_written(api: StackClient, company: SandboxCompany, written: Sequence[Written]) -> None:
    """Check each bill: it stands in the books as it was written, or was refused before anything of it was saved."""
    answers = await send(api, company, written)
    before = {bill["number"]: bill for bill in await api.items("/v1/bills", connection=api.connection_id)}
    arrived = 0
    for one, answer in zip(written, answers, strict=True):
        assert answer.status_code in (201, 400, 422), answer.text
        if answer.status_code != 201:
            sure = must_be_taken(one) and total_of(one) > 0
            assert not sure, (one, answer.text)
            assert one.number.strip() not in before, one
            continue
        bill = answer.json()["bill"]
        assert bill["status"] == "pending_push", (one, answer.json()["needs"])
        _compare(one, await api.arrived(bill["id"]), company)
        arrived += 1
    assert arrived >= len(written) / 5, "most of what is written is well written"


def _compare(one: Written, bill: Mapping[str, Any], company: SandboxCompany) -> None:
    held = _in_the_books(company, str(bill["external_key"]))
    (line,) = held["lines"]
    figures = (Decimal(line["quantity"]), Decimal(line["price"]), Decimal(line["amount"]))
    assert figures == (decimal(one.quantity), decimal(one.price), total_of(one)), (figures, one)
    (ours,) = bill["lines"]
    assert (Decimal(ours["quantity"]), Decimal(ours["price"]), Decimal(ours["amount"])) == figures, (ours, one)
    assert memo_of(held) == bill["memo"] == as_stored(one.memo), one
    assert (line["description"] or "") == as_stored(one.description) or not as_stored(one.description), one
    shown = f"{held.get('vendor_number')} {held['number']} {held['memo']}"
    assert bill["number"] == one.number.strip(), one
    assert bill["number"] in shown, (one, shown)
    bill_date = today() - timedelta(days=one.days_old)
    assert day_of(held["date"]) == bill_date == date.fromisoformat(bill["bill_date"]), one
    if one.due_in is not None:
        assert day_of(held["due_date"]) == bill_date + timedelta(days=one.due_in), one


def _in_the_books(company: SandboxCompany, key: str) -> Mapping[str, Any]:
    if company.set_up.erp == "intacct":
        return company.one("vendor_invoices", number=key)
    if company.set_up.erp == "netsuite":
        return company.one("bills", external_id=key)
    (held,) = [row for row in company.held("bills") if key in (row["memo"] or "")]
    return held
