"""The fields of a record, read at once and searched one by one: the same texts."""

import pytest
from lxml import etree

from erp.quickbooks_desktop import wire

RECORD = etree.fromstring(
    """
    <PurchaseOrderRet>
      <TxnID> 1-1 </TxnID><RefNumber></RefNumber><RefNumber>later</RefNumber>
      <VendorRef>
        <ListID>8-1</ListID><FullName>Norton <!-- Lumber --></FullName>
      </VendorRef>
      <VendorRef><ListID>9-1</ListID><Other>of another</Other></VendorRef>
      <TermsRef><FullName>Net 30</FullName></TermsRef>
      <Memo>  </Memo><IsManuallyClosed>true</IsManuallyClosed>
      <PurchaseOrderLineRet><TxnLineID>1-2</TxnLineID></PurchaseOrderLineRet>
    </PurchaseOrderRet>
    """,
    etree.XMLParser(remove_comments=True),
)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("TxnID", "1-1"),
        ("RefNumber", None),
        ("VendorRef/ListID", "8-1"),
        ("VendorRef/FullName", "Norton"),
        ("TermsRef/ListID", None),
        ("Memo", None),
        ("IsManuallyClosed", "true"),
        ("Absent", None),
        ("Absent/ListID", None),
    ],
)
def test_a_field_is_the_same_searched_and_read_with_all_others(path: str, text: str | None) -> None:
    assert wire.text(RECORD, path) == wire.text(wire.fields_of(RECORD), path) == text


def test_of_two_references_of_one_name_only_the_first_is_read() -> None:
    assert wire.text(wire.fields_of(RECORD), "VendorRef/Other") is None


def test_what_is_inside_lines_is_no_field_of_the_head() -> None:
    head = wire.fields_of(RECORD, but=("PurchaseOrderLineRet",))
    assert not [path for path in head if path.startswith("PurchaseOrderLineRet")]
