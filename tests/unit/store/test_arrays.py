"""Columns of many rows reach PostgreSQL as they are, whatever stands in them."""

from datetime import date
from decimal import Decimal

import pytest

from models.store.base.arrays import array_text, columns
from tests.harness.tenant import Tenant

NASTY = [
    "",
    " ",
    "NULL",
    "null",
    "{}",
    "a,b",
    '"',
    '""',
    "\\",
    "\\n",
    'a"b\\c',
    "{1,2}",
    "line\nbreak\ttab",
    "\x1f",
    "ü€😀",
    "'",
]


@pytest.mark.parametrize("values", [NASTY, [*NASTY, None], *[[one] for one in NASTY], [None], []])
async def test_texts_come_back_as_they_were(tenant: Tenant, values: list[str | None]) -> None:
    rows = await tenant.fetch(
        f"select n.value from {columns('n', place='int', value='text')} order by n.place",
        place=array_text(range(len(values))),
        value=array_text(values),
    )
    assert [row.value for row in rows] == values


async def test_numbers_and_days_keep_their_value(tenant: Tenant) -> None:
    (row,) = await tenant.fetch(
        f"select n.* from {columns('n', price='numeric', day='date', kept='boolean', more='jsonb')}",
        price=array_text([Decimal("1E+3")]),
        day=array_text([date(2026, 2, 28)]),
        kept=array_text([True]),
        more=array_text(['{"a": "\\"\\\\"}']),
    )
    assert (row.price, row.day, row.kept, row.more) == (1000, date(2026, 2, 28), True, {"a": '"\\'})
    exact = Decimal("12345678901234567.1234567890")
    (row,) = await tenant.fetch(f"select n.price from {columns('n', price='numeric')}", price=array_text([exact]))
    assert row.price == exact
