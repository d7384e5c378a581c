"""Answers of ERPs as XML: what single records hold does not hide the others, and what is cut short stays refused."""

import pytest
from lxml import etree

from erp.xml_answer import parse


@pytest.mark.parametrize(
    "memo",
    [
        b"line\x0bbreak",
        b"line&#x0B;break",
        b"line&#11;break",
        b"line\xffbreak",
        b"line\xef\xbf\xbebreak",
        b"a&#xD800;b",
    ],
)
@pytest.mark.parametrize("remarks", [True, False])
def test_a_character_that_xml_cannot_hold_hides_no_record(memo: bytes, remarks: bool) -> None:
    """B9: one memo, and no order of the company came in for up to seven days."""
    body = b'<?xml version="1.0" encoding="UTF-8"?><d><o><m>' + memo + b"</m></o><o><m>caf\xc3\xa9&#10;</m></o></d>"
    texts = [node.text or "" for node in parse(body, remarks=remarks).iter("m")]
    assert texts[1] == "café\n"
    assert texts[0].startswith(("line", "a"))


@pytest.mark.parametrize("body", [b"", b"<d><o>\x0b", b"<d><o></d>", b"<html>\x0b<br></html>"])
def test_an_answer_that_was_cut_short_is_still_refused(body: bytes) -> None:
    with pytest.raises(etree.XMLSyntaxError):
        parse(body)


def test_entities_are_never_resolved() -> None:
    body = b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]><d>\x0b&e;</d>'
    with pytest.raises((ValueError, etree.XMLSyntaxError)):
        parse(body)
