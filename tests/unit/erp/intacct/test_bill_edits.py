"""Bills edited after the sync: what is sent, under which name, and how it is verified (S5-136; reference 3.4)."""

from datetime import date

import pytest
from lxml import etree

from erp.errors import Duplicate, OutcomeUnknown, Rejected
from erp.intacct.bill_edits import update_potransaction
from models.domain.ids import DocumentId
from tests.builders.intacct_answers import INVOICE_LINE, day_of, read_back_gateway
from tests.builders.outgoing_bills import (
    a_bill,
    a_bill_line,
)
from tests.fakes.intacct_gateway import (
    Gateway,
    failed,
    page,
    response,
    result,
)

INVOICE_ID = DocumentId("Vendor Invoice-b-0001")
CHANGED = response(result("<key>Vendor Invoice-b-0001</key>", "update_potransaction"))


def _sent(**changed: object) -> etree._Element:
    return etree.fromstring(update_potransaction(a_bill(**changed), INVOICE_ID))


TEXTS = frozenset({"memo", "due_date"})
ALL = frozenset({"description", "department", "location", "class_id", "project"})


def test_what_was_edited_is_sent_in_the_schemas_order() -> None:
    """S1-17, S5-136: memo, due date and the lines' texts and dimensions; nothing that was matched."""
    whole = a_bill_line(department="200", class_id="C-1", project="P-1", location="110", edited=ALL)
    sent = _sent(due_date=date(2031, 8, 20), memo="Nuts & <bolts>", edited=TEXTS, lines=(whole,))
    assert sent.get("key") == INVOICE_ID
    assert sent.get("set_nulls") is None
    assert [child.tag for child in sent] == ["datedue", "message", "updatepotransitems"]
    assert (day_of(sent.find("datedue")), sent.findtext("message")) == (date(2031, 8, 20), "Nuts & <bolts>")
    (line,) = sent.find("updatepotransitems")
    assert [child.tag for child in line] == ["itemdesc", "locationid", "departmentid", "memo", "projectid", "classid"]
    assert [child.text for child in line] == ["Paper A4", "110", "200", "Paper A4", "P-1", "C-1"]


def test_what_was_not_edited_is_not_sent() -> None:
    """S2-87: people may have changed it in Intacct meanwhile. Lines are counted from one (reference 3.4)."""
    lines = (a_bill_line(department="200"), a_bill_line(line_no=2, class_id="C-1", edited=frozenset({"class_id"})))
    sent = _sent(lines=lines)
    assert [child.tag for child in sent] == ["updatepotransitems"]
    (line,) = sent.iter("updatepotransitem")
    assert (line.get("line_num"), [child.tag for child in line]) == ("2", ["classid"])
    assert [child.tag for child in _sent(edited=frozenset({"memo"}))] == ["message"]


def test_what_an_edit_emptied_is_sent_empty() -> None:
    """Reference 3.4: set_nulls; a line's own location gives way to its entity's, which is not empty."""
    line = a_bill_line(description="", edited=ALL)
    sent = _sent(memo="", edited=TEXTS, lines=(line,))
    assert sent.get("set_nulls") == "true"
    assert (sent.find("message") is not None, sent.findtext("message")) == (True, "")
    (only,) = sent.iter("updatepotransitem")
    assert [child.tag for child in only] == ["locationid", "departmentid", "memo", "projectid", "classid"]
    assert only.findtext("locationid") == "100"
    assert not only.findtext("departmentid")
    assert _sent(lines=(a_bill_line(edited=frozenset({"location"})),)).get("set_nulls") is None


async def test_lines_that_people_rearranged_are_not_edited() -> None:
    """An update names lines by position: another line must never be hit."""
    strange = {**INVOICE_LINE, "SOURCE_DOCLINEKEY": "12"}
    gateway = Gateway(response(page("PODOCUMENTENTRY", strange)))
    bill = a_bill(lines=(a_bill_line(edited=frozenset({"class_id"})),))
    with pytest.raises(Rejected) as caught:
        await gateway.connector().bills.update(bill, INVOICE_ID, edition=3)
    assert caught.value.code == "CONTENT_CONFLICT"
    good = Gateway(response(page("PODOCUMENTENTRY", INVOICE_LINE)), CHANGED)
    await good.connector().bills.update(bill, INVOICE_ID, edition=3)
    assert len(good.calls) == 2


async def test_an_edition_is_sent_once_under_its_own_name() -> None:
    """DESIGN 5: key and edition are the control id, uniqueid on, at the level that owns the order."""
    gateway = Gateway(CHANGED)
    await gateway.connector().bills.update(a_bill(owner_entity="200"), INVOICE_ID, edition=3)
    (call,) = gateway.calls
    assert call.findtext("control/uniqueid") == "true"
    assert call.find(".//function").get("controlid") == "b-0001:edit:3"
    assert gateway.sign_ins[0].findtext(".//login/locationid") == "200"


async def test_an_edition_taken_before_is_a_duplicate() -> None:
    """Section 5: the lost answer of an edit is no reason to do it twice."""
    words = "A successful transaction has already been recorded with the control id b-0001:edit:3"
    with pytest.raises(Duplicate):
        await Gateway(response(failed("BL01", words))).connector().bills.update(a_bill(), INVOICE_ID, edition=3)


async def test_another_record_in_the_way_is_not_this_edition() -> None:
    """A duplicate of something else must not be taken for success."""
    answer = response(failed("BL34000061", "A document with this number exists"))
    with pytest.raises(Rejected) as caught:
        await Gateway(answer).connector().bills.update(a_bill(), INVOICE_ID, edition=3)
    assert caught.value.code == "ALREADY_EXISTS"


async def test_a_paid_bill_is_refused_with_its_reason() -> None:
    """Field note B10: an update deletes and makes the payable anew, which fails once it is paid."""
    answer = response(failed("BL01001973", "Transaction INV-77 is already paid and can't be deleted."))
    with pytest.raises(Rejected) as caught:
        await Gateway(answer).connector().bills.update(a_bill(), INVOICE_ID, edition=3)
    assert caught.value.code == "ALREADY_PAID"


async def test_a_lost_answer_leaves_the_edit_in_doubt() -> None:
    with pytest.raises(OutcomeUnknown):
        await Gateway("<html>").connector().bills.update(a_bill(), INVOICE_ID, edition=3)


async def test_white_space_is_no_difference() -> None:
    """XML and its readers fold white space; words are what counts."""
    bill = a_bill(memo=" July\r\n paper\x07 ", lines=(a_bill_line(description="Paper  A4"),))
    assert (await read_back_gateway(INVOICE_LINE).connector().bills.read_back(bill, INVOICE_ID)).differences == ()


async def test_an_edit_is_verified_by_what_it_changed() -> None:
    """DESIGN 5, step 4: emptied fields too; what people changed in Intacct is no difference."""
    row = {**INVOICE_LINE, "DEPARTMENTID": "200", "CLASSID": "C-9", "TRX_VALUE": "18.00"}
    left = a_bill(memo="", lines=(a_bill_line(description=""),))
    assert (await read_back_gateway(INVOICE_LINE).connector().bills.read_back(left, INVOICE_ID)).differences == ()
    line = a_bill_line(description="", class_id="C-1", edited=frozenset({"department", "description"}))
    emptied = a_bill(memo="", edited=TEXTS, lines=(line,))
    found = await read_back_gateway(row, WHENDUE="08/05/2031").connector().bills.read_back(emptied, INVOICE_ID)
    assert found.differences == (
        "the memo: sent nothing, Intacct has July paper",
        "the due date: sent 2031-08-04, Intacct has 2031-08-05",
        "line 1, the department: sent nothing, Intacct has 200",
        "line 1, the description: sent nothing, Intacct has Paper A4",
    )


async def test_the_payable_that_now_stands_behind_the_invoice_is_read() -> None:
    """Field note U-8: its record number changes with every edit."""
    gateway = read_back_gateway(INVOICE_LINE, PRRECORDKEY="91")
    assert (await gateway.connector().bills.read_back(a_bill(), INVOICE_ID)).payable_id == "91"
