"""Times, days, numbers and texts as SuiteTalk writes them (reference 3.2, 9.1)."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from lxml import etree

from erp.netsuite import wire


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("2031-07-01T00:00:00.000-08:00", "2031-07-01 08:00:00"),
        ("2031-07-01T00:00:00Z", "2031-07-01 00:00:00"),
        ("2031-07-01T00:00:00.250+02:00", "2031-06-30 22:00:00.250"),
    ],
)
def test_instants_sort_as_text(said: str, text: str) -> None:
    """Revisions and cursors: UTC, and back again."""
    assert wire.sortable_time(said) == text
    assert wire.moment_text(wire.moment_of(text)) == text


@pytest.mark.parametrize("said", ["", "soon", "2031-07-01T00:00:00", "9999-99-99T00:00:00Z"])
def test_what_is_no_instant(said: str) -> None:
    """An odd stamp that sorts high would hide all that follows; one without a zone would be hours off."""
    with pytest.raises(ValueError):
        wire.sortable_time(said)


@pytest.mark.parametrize("hours", [-12, -8, 0, 13])
def test_a_day_survives_both_ways(hours: int) -> None:
    """A day is the account's own, in whatever zone and season it is."""
    zone = timezone(timedelta(hours=hours))
    assert wire.day(f"2031-07-01T00:00:00.000{datetime.now(zone):%z}") == date(2031, 7, 1)
    written = wire.noon(date(2031, 7, 1), zone)
    for season in (-1, 0, 1):
        local = written.astimezone(timezone(timedelta(hours=hours + season)))
        assert local.date() == date(2031, 7, 1)
    assert wire.offset(written.isoformat()) == zone
    assert wire.offset("2031-07-01T00:00:00Z") == UTC


@pytest.mark.parametrize(
    ("said", "number", "amount"),
    [
        ("10.0", "10.0", "10.00"),
        ("0.30000000000000004", "0.30000000", "0.30"),
        ("1E+2", "1E+2", "100.00"),
        ("33.3333333333", "33.33333333", "33.33333333"),
        ("-0.1", "-0.1", "-0.10"),
    ],
)
def test_numbers_are_exact(said: str, number: str, amount: str) -> None:
    """Doubles without their noise; an amount to the cent unless finer digits mean something."""
    assert wire.decimal(said) == Decimal(number)
    assert wire.money(said) == Decimal(amount)


@pytest.mark.parametrize("said", ["", "NaN", "Infinity", "ten", "1,000"])
def test_what_is_no_number(said: str) -> None:
    """Never zero by silence."""
    with pytest.raises(ValueError):
        wire.decimal(said)


def test_plain_numbers() -> None:
    """What NetSuite takes: no exponent, no needless zeros."""
    assert [wire.plain(Decimal(said)) for said in ("1E+2", "2.50", "3", "0.00", "-1.10")] == [
        "100", "2.5", "3", "0", "-1.1",
    ]  # fmt: skip


def test_texts_that_xml_cannot_carry() -> None:
    """Control characters and lone surrogates; the rest stays."""
    assert wire.carried("a\x00b\ud800c\td") == "a bc\td"
    assert wire.words(" a\n b\x01 ") == "a b"


@pytest.mark.parametrize("body", [b"", b"<a>", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', b"<a>&b;</a>"])
def test_what_is_not_parsed(body: bytes) -> None:
    """No DTD, no entity, no half documents."""
    with pytest.raises((etree.XMLSyntaxError, ValueError)):
        wire.parse(body)


def test_pretty_printed_references() -> None:
    """White space in a reference is not its value."""
    line = etree.fromstring(
        '<item xmlns="urn:p" xmlns:c="urn:c">\n <item internalId="3">\n <c:name>Paper</c:name></item>'
        "<memo> </memo><rate>2</rate><class/></item>"
    )
    assert wire.row(line) == {"item": "3", "item.name": "Paper", "rate": "2"}
    assert wire.ref(wire.fields(line), "item") == wire.Ref("3", "Paper")
    assert wire.ref(wire.fields(line), "class") is None
