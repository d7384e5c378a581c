"""Charges, dimensions, bills without an order and payments as callers write them, and as the ERP's books hold them.

Real: the whole product, the sandbox over HTTP. Fake: nothing.
"""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import httpx
from hypothesis import strategies as st

from tests.harness.sandbox_company import SandboxCompany, today
from tests.harness.stack_client import StackClient, amounts
from tests.harness.written_values import CODES, TEXTS, WINDOWS_LETTERS, as_stored, day_of, memo_of, texts

_numbers = itertools.count(1)
CHARGES = ("freight", "tax", "discount")
CLASSES = {"C-1": "Class one", "C-2": "Class two"}
DEPARTMENTS = {"D-1": "Department one", "D-2": "Department two"}
PROJECTS = {"P-1": "Bridge", "P-2": "Dam"}


class Books(NamedTuple):
    """What one ERP has a place for, and what its lists are called here and in the sandbox."""

    bills: str
    dimensions: Mapping[str, tuple[str, str, Mapping[str, str]]]
    """Field of a line: the list, what the sandbox calls it on a line, and the entries by their keys there."""
    preferences: Mapping[str, str]
    """Where charges go."""
    on_header: frozenset[str] = frozenset()
    """Dimensions that a bill has one of."""
    methods: Sequence[str] = ("eft",)
    texts: st.SearchStrategy[str] = TEXTS
    """What its texts hold."""


_DIMENSIONS = {
    "department": ("department", "department", DEPARTMENTS),
    "class_id": ("class", "class", CLASSES),
}
_ACCOUNTS = {f"charge_account.{kind}": "7000" for kind in CHARGES}
INTACCT_BOOKS = Books(
    "vendor_invoices",
    {**_DIMENSIONS, "project": ("project", "project", PROJECTS)},
    {
        "subtotal.freight": "Freight",
        "subtotal.tax": "Sales tax",
        "subtotal.discount": "Discount",
        **_ACCOUNTS,
    },
    methods=("eft", "cash"),
)
NETSUITE_BOOKS = Books("bills", _DIMENSIONS, _ACCOUNTS)
QUICKBOOKS_BOOKS = Books(
    "bills",
    {"class_id": ("class", "class", CLASSES), "location": ("location", "location", DEPARTMENTS)},
    _ACCOUNTS,
    on_header=frozenset({"location"}),
)
DESKTOP_BOOKS = Books(
    "bills",
    {"class_id": ("class", "class", CLASSES)},
    {f"charge_account.{kind}": "Freight" for kind in CHARGES},
    methods=("check",),
    texts=texts(WINDOWS_LETTERS),
)


class Written(NamedTuple):
    """A bill of one line, or a payment, with what a caller may add to it; figures as they stand in the body."""

    charges: Mapping[str, str]
    dimensions: Mapping[str, int]
    """Which entry of the dimension's list; beyond it: one that the ERP does not have."""
    amount: str
    memo: str
    text: str
    code: str
    method: int

    @property
    def is_odd(self) -> bool:
        """Return whether something of it can be nobody's word."""
        tokens = (*self.charges.values(), self.amount)
        return any(token in ODD for token in tokens) or any(which > 1 for which in self.dimensions.values())


ODD = ('"-5.00"', '"1.005"', '"1e3"', '"1_000"', "true", '" 4.00"', '"NaN"')
"""What is no amount of money above zero, though some program reads it as one."""


@st.composite
def _money(draw: st.DrawFn, odd: bool) -> str:
    if odd:
        return draw(st.sampled_from(ODD))
    value = draw(st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99.99"), places=2))
    text = format(value, "f")
    return draw(st.sampled_from((f'"{text}"', text, f'"0{text}"', f"{value.normalize():E}")))


@st.composite
def documents(draw: st.DrawFn, books: Books) -> Written:
    """One in five is odd in one place."""
    odd = draw(st.sampled_from([*[""] * 8, "charge", "amount"]))
    kinds = draw(st.sets(st.sampled_from(CHARGES), min_size=1 if odd == "charge" else 0))
    charges = {kind: draw(_money(odd == "charge" and kind == min(kinds))) for kind in sorted(kinds)}
    named = draw(st.sets(st.sampled_from(sorted(books.dimensions))))
    unknown = draw(st.integers(0, 9)) == 0
    return Written(
        charges=charges,
        dimensions={name: 2 if unknown and name == min(named) else draw(st.integers(0, 1)) for name in sorted(named)},
        amount=draw(_money(odd == "amount")),
        memo=draw(books.texts),
        text=draw(books.texts),
        code=draw(CODES),
        method=draw(st.integers(0, 3)),
    )


def money(token: str) -> Decimal:
    """The amount that a caller wrote."""
    return Decimal(json.loads(token, parse_float=Decimal, parse_int=Decimal))


def furnish(company: SandboxCompany) -> None:
    """The lists that lines name, and where charges go."""
    named: dict[str, list[dict[str, str]]] = {
        "departments": [{"department_id": key, "title": title} for key, title in DEPARTMENTS.items()],
        "classes": [{"class_id": key, "name": name} for key, name in CLASSES.items()],
        "accounts": [
            {"account_no": "6600", "title": "Rent", "account_type": "Expense"},
            {"account_no": "7000", "title": "Freight", "account_type": "Expense"},
        ],
        "vendors": [{"vendor_id": "V-1", "name": "Vendor One", "term": "Net 30"}],
    }
    if company.set_up.erp == "netsuite":
        named["terms"] = [{"term": "Net 30", "days": "30"}]
    if company.set_up.erp == "intacct":
        for row in named["accounts"]:
            row |= {"account_type": "incomestatement", "normal_balance": "debit"}
        named["projects"] = [{"project_id": key, "name": name} for key, name in PROJECTS.items()]
    if company.set_up.erp.startswith("quickbooks"):
        for row in named["accounts"]:
            row["account_type"] = "Expense"
    if company.set_up.erp == "quickbooks_desktop":
        del named["departments"]
    company.load(**named)


async def entries(api: StackClient, books: Books) -> Mapping[str, Sequence[str]]:
    """How the API calls the entries of each dimension, in the order of their keys in the books."""
    keys: dict[str, Sequence[str]] = {}
    for field, (kind, _, names) in books.dimensions.items():
        listed = await api.items(f"/v1/connections/{api.connection_id}/lists/{kind}")
        by_name = {one["name"]: one["key"] for one in listed}
        keys[field] = [*(by_name[name] for name in names.values()), "NOBODY-HAS-IT"]
    return keys


async def orders_of(api: StackClient, company: SandboxCompany, count: int) -> Mapping[str, Any]:
    """One order with a line at 10.00 for each bill."""
    number = f"PO-D{next(_numbers)}"
    company.pass_time(10)
    company.order(number, *["1000"] * count, price="10.00", modified_at=company.now())
    if company.set_up.erp == "netsuite":
        company.does("receive", number=number)
    await api.sync()
    order: Mapping[str, Any] = await api.order(number)
    return order


async def charges_and_dimensions(
    api: StackClient, company: SandboxCompany, books: Books, written: Sequence[Written]
) -> None:
    """Each bill stands in the books with its charges and its dimensions, or nothing of it was saved."""
    order = await orders_of(api, company, len(written))
    keys = await entries(api, books)

    async def post(line_no: int, one: Written) -> httpx.Response:
        dimensions = {field: keys[field][which] for field, which in one.dimensions.items()}
        line = {"order_line_no": line_no, "quantity": "10", "description": one.text, **dimensions}
        header = {"number": f"CH-{next(_numbers)}", "bill_date": today().isoformat(), "memo": one.memo}
        header |= {"acknowledge": ["DUPLICATE_SUSPECT"], "lines": [line]}
        more = [f'"{kind}": {one.charges[kind]}' for kind in ("tax", "discount") if kind in one.charges]
        if "freight" in one.charges:
            more.append(f'"charges": [{{"class": "freight", "amount": {one.charges["freight"]}}}]')
        body = json.dumps(header)[:-1] + "".join(f", {part}" for part in more) + "}"
        return await api.post_raw(f"/v1/purchase-orders/{order['id']}/bills", body)

    answers = await asyncio.gather(*(post(no, one) for no, one in enumerate(written, 1)))
    saved = await api.bills_of(order["number"])
    taken = [answer.json()["bill"]["id"] for answer in answers if answer.status_code == 201]
    assert {bill["id"] for bill in saved} == set(taken), "what is refused leaves nothing"
    for one, answer in zip(written, answers, strict=True):
        odd = any(token in ODD for token in one.charges.values()) or 2 in one.dimensions.values()
        assert answer.status_code == (422 if odd else 201), (one, answer.text)
        if not odd:
            assert answer.json()["bill"]["status"] == "pending_push", (one, answer.json()["needs"])
            bill = await api.arrived(answer.json()["bill"]["id"])
            _compare(one, bill, _held(company, books, bill), books)


def _held(company: SandboxCompany, books: Books, bill: Mapping[str, Any]) -> Mapping[str, Any]:
    if company.set_up.erp == "intacct" and not bill["direct"]:
        return company.one(books.bills, number=bill["external_key"])
    return company.one("bills", number=bill["number"])


def _compare(one: Written, bill: Mapping[str, Any], held: Mapping[str, Any], books: Books) -> None:
    # QuickBooks Desktop has lines of accounts before those of items.
    first, *others = sorted(held["lines"], key=lambda line: not line.get("item_id"))
    sign = {"discount": -1}
    expected = Counter(money(token) * sign.get(kind, 1) for kind, token in one.charges.items())
    beside = [Decimal(row["amount"]) for row in (*held.get("subtotals", ()), *others)]
    assert Counter(beside) == expected, (one, held)
    total = Decimal(100) + sum(expected.elements(), Decimal(0))
    assert Decimal(held["total"]) == Decimal(bill["total"]) == total, (one, held)
    assert memo_of(held) == bill["memo"] == as_stored(one.memo), one
    _compare_dimensions(one, first, held, books)


def _compare_dimensions(one: Written, line: Mapping[str, Any], held: Mapping[str, Any], books: Books) -> None:
    for field, (_, shown, names) in books.dimensions.items():
        there = (held if field in books.on_header else line)[shown] or None
        wanted = list(names)[one.dimensions[field]] if field in one.dimensions else None
        assert there == wanted, (field, one, held)


async def bills_without_an_order(
    api: StackClient, company: SandboxCompany, books: Books, written: Sequence[Written]
) -> None:
    """Each bill without an order stands in the books, line by line, or nothing of it was saved."""
    keys = await entries(api, books)
    location = {"location": "100"} if company.set_up.erp == "intacct" else {}

    async def post(one: Written) -> httpx.Response:
        dimensions = {field: keys[field][which] for field, which in one.dimensions.items()}
        header = {
            "connection_id": api.connection_id,
            "vendor_id": "Vendor One",
            "number": f"DB-{next(_numbers)}",
            "bill_date": today().isoformat(),
            "memo": one.memo,
            "acknowledge": ["DUPLICATE_SUSPECT"],
        }
        line = json.dumps({"account": "6600", "description": one.text, **dimensions, **location})[:-1]
        rent = json.dumps({"account": "6600", "description": "Rent", "amount": "10.00", **location})
        body = json.dumps(header)[:-1] + f', "lines": [{line}, "amount": {one.amount}}}, {rent}]}}'
        return await api.post_raw("/v1/bills", body)

    answers = [await post(one) for one in written]
    for one, answer in zip(written, answers, strict=True):
        odd = one.amount in ODD and one.amount != '"-5.00"'
        assert answer.status_code == (422 if odd or 2 in one.dimensions.values() else 201), (one, answer.text)
        if answer.status_code != 201:
            continue
        bill = await api.arrived(answer.json()["bill"]["id"])
        held = _held(company, books, bill)
        there = [(line["account"], Decimal(line["amount"])) for line in held["lines"]]
        assert there == [("6600", money(one.amount)), ("6600", 10)], (one, held)
        assert Decimal(held["total"]) == Decimal(bill["total"]) == money(one.amount) + 10
        assert (held["lines"][0]["description"] or "") == as_stored(one.text) or not as_stored(one.text), one
        assert memo_of(held).removesuffix(f"[{bill['external_key']}]").strip() == bill["memo"] == as_stored(one.memo)
        assert day_of(held["date"]) == today()
        _compare_dimensions(one, held["lines"][0], held, books)
    known = {bill["number"] for bill in await api.items("/v1/bills", connection=api.connection_id)}
    arrived = {answer.json()["bill"]["number"] for answer in answers if answer.status_code == 201}
    assert {number for number in known if number.startswith("DB-")} >= arrived


async def payments(api: StackClient, company: SandboxCompany, books: Books, written: Sequence[Written]) -> None:
    """Each payment of one bill stands in the books, or nothing of it was saved; the bill is due the rest. Some have a
    number for people, and an id in the caller's own system."""
    order = await orders_of(api, company, 1)
    bill = await api.billed(order["number"], {1: "1000"})
    path = f"/v1/bills/{bill['id']}/payments"

    names = [
        {"reference": f"CHK-{place}", "external_id": f"run-{place}"} if one.method % 2 else {}
        for place, one in enumerate(written)
    ]

    async def post(one: Written, named: Mapping[str, str]) -> httpx.Response:
        more = {"pay_on": today().isoformat(), "method": books.methods[one.method % len(books.methods)], **named}
        body = json.dumps(more)[:-1] + f', "amount": {one.amount}}}'
        return await api.post_raw(path, body)

    paid: list[tuple[str, Written, Mapping[str, str]]] = []
    for one, named in zip(written, names, strict=True):
        answer = await post(one, named)
        assert answer.status_code == (422 if one.amount in ODD else 201), (one, answer.text)
        if answer.status_code == 201:
            paid.append((answer.json()["payment"]["id"], one, named))
    for payment_id, one, named in paid:
        shown = await api.payment_is(payment_id, "paid")
        (held,) = [row for row in company.held("payments") if row["record_no"] == shown["erp_id"]]
        assert Decimal(held["amount"]) == Decimal(shown["amount"]) == money(one.amount), one
        assert (day_of(held["date"]), held["bank_account"]) == (today(), "BOA")
        assert [Decimal(share["amount"]) for share in held["details"]] == [money(one.amount)]
        assert (shown["reference"], shown["external_id"]) == (named.get("reference"), named.get("external_id"))
        number = held["document_number"] if "document_number" in held else held["number"]
        assert not named or (number == named["reference"] and named["external_id"] in held["memo"].split()), held
    total = sum((money(one.amount) for _, one, _ in paid), Decimal(0))
    await api.sync()
    shown = await api.read_bill(bill["id"])
    assert amounts(shown, "paid", "due") == (total, 10_000 - total)
    assert len(await api.items("/v1/payments", bill=bill["id"])) == len(paid)
