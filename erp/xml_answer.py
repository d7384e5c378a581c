"""Parse the XML that an ERP answers, safely, and whatever single records hold.

People paste text into an ERP that no XML document can hold, such as the control character of a line break from a PDF,
and some ERPs write it into their answers as it is. Strictly, such an answer is not XML; but one memo must not hide the
thousand records around it. So what cannot stand there is replaced by a space, and only then is the answer refused if it
still is not XML, as one that was cut short.
"""

import re

from lxml import etree

_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_REFERENCES = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_NOT_CHARACTERS = re.compile("[\ufffe\uffff\ud800-\udfff]")


def parse(body: bytes, *, remarks: bool = True) -> etree._Element:
    """Return the answer's root; without comments and processing instructions if `remarks` is False. No entity, DTD or
    network resource is ever loaded.

    Raises:
        etree.XMLSyntaxError: it is not XML.
        ValueError: it is XML of a forbidden form.
    """
    try:
        root = etree.fromstring(body, _parser(remarks))
    except etree.XMLSyntaxError:
        root = etree.fromstring(without_what_xml_cannot_hold(body), _parser(remarks))
    if root.getroottree().docinfo.doctype:
        raise ValueError("the answer carries a DOCTYPE")
    return root


def without_what_xml_cannot_hold(body: bytes) -> bytes:
    """Return an answer in UTF-8 with a space in the place of each character, byte or reference that XML does not
    allow."""
    body = _REFERENCES.sub(_allowed_reference, _CONTROL_BYTES.sub(b" ", body))
    text = body.decode("utf-8", errors="replace")
    return _NOT_CHARACTERS.sub(" ", text).encode("utf-8")


def _allowed_reference(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16) if match[1] else int(match[2])
    allowed = code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return match[0] if allowed else b" "


def _parser(remarks: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        recover=False,
        remove_comments=not remarks,
        remove_pis=not remarks,
    )
