"""What counts as deleted: QuickBooks' own list within its 90 days, beyond them what it says is not there, and no less.

QuickBooks answers "there is none" with status 1, and "some are not there" with 500. Any other answer, as 3250 for what
is switched off in the company, says nothing of what is there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erp.errors import ErpError, MalformedAnswer, Rejected, Unavailable
from erp.quickbooks_desktop.changes import DELETED, DELETED_LISTS, TRANSACTIONS, DeletionScan
from erp.quickbooks_desktop.client import Client
from erp.quickbooks_desktop.lists import SHAPES
from models.domain.ids import ErpId
from models.domain.lists import ListKind
from models.domain.sync import DeletedKind, MirroredIds, Stream
from tests.conformance.erp_harness import a_bill_for, all_orders
from tests.unit.erp.quickbooks_desktop.company_file import connected
from tests.unit.sandbox.quickbooks_desktop.pc import Pc

LONG_AGO = f"{datetime.now(UTC) - timedelta(days=120):%Y-%m-%d} 00:00:00"
LATELY = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d} 00:00:00"


async def company(**switches: Any) -> tuple[Pc, Any, Sequence[MirroredIds]]:
    """The sample company, a connector, and what our mirror holds of it."""
    pc = Pc()
    await pc.switch(**switches)
    await pc.room("/companies/quickbooks_desktop/sample")
    connector, _ = connected(pc)

    async def ids(*kinds: str) -> list[ErpId]:
        return [ErpId(row["record_no"]) for kind in kinds for row in await pc.held(kind)]

    mirrored = [
        MirroredIds(DeletedKind.PURCHASE_ORDER_DOCUMENT, None, await ids("purchase_orders", "receipts")),
        MirroredIds(DeletedKind.BILL, None, await ids("bills", "credits")),
        MirroredIds(DeletedKind.PAYMENT, None, await ids("payments")),
    ]
    return pc, connector, [group for group in mirrored if group.erp_ids]


@pytest.mark.parametrize("missing_ids", ["500", "1"])
async def test_a_scan_finds_what_was_deleted_beyond_the_reach_of_the_list(missing_ids: str) -> None:
    """Issue 12: beyond 90 days a scan; also where none of the ids asked for is there."""
    pc, connector, mirrored = await company(missing_ids=missing_ids)
    order = (await all_orders(connector))["PO-1022"]
    assert (await connector.scan.scan(mirrored)).gone == []
    await pc.does("delete", kind="purchase_order", number="PO-1022")
    assert await connector.changes.deletions(since=LONG_AGO, after=None) is None
    result = await connector.scan.scan(mirrored)
    assert [(group.kind, list(group.erp_ids)) for group in result.gone] == [
        (DeletedKind.PURCHASE_ORDER_DOCUMENT, [order.erp_id])
    ]
    alone = [MirroredIds(DeletedKind.PURCHASE_ORDER_DOCUMENT, None, [order.erp_id])]
    assert (await connector.scan.scan(alone)).gone == alone


@pytest.mark.parametrize(
    ("kind", "errorno", "family", "code"),
    [
        ("refused", "3250", Rejected, "FEATURE_OFF"),
        ("refused", "3260", ErpError, "PERMISSION_DENIED"),
        ("refused", "510", Rejected, "UNKNOWN_ERP_ERROR"),
        ("offline", "", Unavailable, "ERP_PROCESSING_ERROR"),
        ("unknown_error", "8642", Rejected, "UNKNOWN_ERP_ERROR"),
    ],
)
@pytest.mark.parametrize("operation", ["PurchaseOrderQuery", "BillQuery", "ItemReceiptQuery"])
async def test_any_other_answer_to_a_scan_deletes_nothing(
    kind: str, errorno: str, family: type[ErpError], code: str, operation: str
) -> None:
    """Issue 12: an error, or a feature that is switched off, is not "all gone"."""
    pc, connector, mirrored = await company()
    await pc.breaks(kind, operation, errorno=errorno)
    with pytest.raises(family) as told:
        await connector.scan.scan(mirrored)
    assert told.value.code == code
    assert (await connector.scan.scan(mirrored)).gone == []


class Said:
    """The journal of one answer."""

    def __init__(self, *responses: str, sets: str = "") -> None:
        self.answer = f"<QBXML><QBXMLMsgsRs{sets}>{''.join(responses)}</QBXMLMsgsRs></QBXML>"
        self.forgotten: list[str] = []

    async def read(self, key: str, request: str) -> str:
        return self.answer

    async def discard(self, key: str) -> None:
        self.forgotten.append(key)


NONE = '<{}QueryRs requestID="{}" statusCode="1" statusSeverity="Info"/>'


@pytest.mark.parametrize(
    "responses", [(), (NONE.format("BillPaymentCheck", "BillPaymentCheck"),)], ids=["no answer", "one of two"]
)
async def test_an_answer_that_leaves_questions_out_deletes_nothing(responses: tuple[str, ...]) -> None:
    said: Any = Said(*responses)
    with pytest.raises(MalformedAnswer):
        await DeletionScan(Client(said)).scan([MirroredIds(DeletedKind.PAYMENT, None, [ErpId("7-1")])])
    assert said.forgotten, "the next attempt asks once more"


async def test_a_cursor_beyond_the_reach_of_the_list_has_the_deletions_read() -> None:
    """Issue 12: what was deleted longer ago than QuickBooks remembers is in no answer of it: a scan must come."""
    _, connector, _ = await company()
    assert Stream.DELETIONS in (await connector.changes.detect_changes({Stream.DELETIONS: LONG_AGO})).unread
    assert Stream.DELETIONS not in (await connector.changes.detect_changes({Stream.DELETIONS: LATELY})).unread


async def test_a_list_of_deletions_that_is_switched_off_is_not_an_empty_one() -> None:
    pc, connector, _ = await company()
    await pc.breaks("refused", "TxnDeletedQuery", times=2, errorno="3250")
    assert Stream.DELETIONS in (await connector.changes.detect_changes({Stream.DELETIONS: LATELY})).unread
    with pytest.raises(Rejected) as told:
        await connector.changes.deletions(since=LATELY, after=None)
    assert told.value.code == "FEATURE_OFF"


async def test_orders_that_are_switched_off_are_told_and_not_read_as_none() -> None:
    """Else the stream's cursor would move, and what is there once they are on again would never be read."""
    pc, connector, _ = await company()
    await pc.breaks("refused", "PurchaseOrderQuery", times=2, errorno="3250")
    assert Stream.PURCHASE_ORDERS in (await connector.changes.detect_changes({Stream.PURCHASE_ORDERS: LATELY})).unread
    with pytest.raises(Rejected) as told:
        await connector.orders.headers(since=None, ordered_from=None, after=None, open_in=None)
    assert told.value.code == "FEATURE_OFF"


async def test_a_look_up_that_is_refused_is_not_a_bill_that_is_not_there() -> None:
    """A write whose outcome is unknown goes out again only when its bill is surely not there."""
    pc, connector, _ = await company()
    bill = a_bill_for((await all_orders(connector))["PO-1007"], "PSB-1")
    await pc.breaks("refused", "BillQuery", errorno="3250")
    with pytest.raises(Rejected):
        await connector.bills.find(bill)


async def test_lists_that_a_company_does_without_keep_no_other_list_from_being_read() -> None:
    """Sets of units and classes: an edition may lack them."""
    pc, connector, _ = await company()
    for operation in ("UnitOfMeasureSetQuery", "ClassQuery"):
        await pc.room(
            "/faults",
            {"rules": [{"erp": "quickbooks_desktop", "kind": "refused", "operation": operation, "errorno": "3250"}]},
        )
        page = await connector.lists.page(list(ListKind), since=None, after=None)
        assert {ListKind.VENDOR, ListKind.GL_ACCOUNT} <= {one.kind for one in page.records}


def test_every_kind_of_list_entry_that_is_read_is_asked_for_when_it_is_deleted() -> None:
    """Issue 12: fixed assets and assemblies are items that can be bought, too."""
    named = {f"{kind}Ret": entry for kind, entry in DELETED_LISTS.items()}
    assert named == {record: shape.kind for record, shape in SHAPES.items()}
    assert {f"{kind}Ret" for kinds in TRANSACTIONS.values() for kind in kinds} == {f"{kind}Ret" for kind in DELETED}


@pytest.mark.parametrize("answer", ["answered", "refused"])
async def test_a_company_without_classes_and_units_syncs_and_bills(answer: str) -> None:
    """Issue 12: 3250 of a list is no error of the others; a class of the order itself goes with the order, another one
    is told before the push."""
    pc, connector, _ = await company(unused_list_query=answer, untracked_class="refused")
    (a_class, other_class) = [row["record_no"] for row in await pc.held("classes")][:2]
    order = (await all_orders(connector))["PO-1007"]
    tracked = order.lines[0]
    await pc.switch(edition="Pro")
    await pc.does("set_preferences", IsUsingClassTracking=False)
    page = await connector.lists.page(list(ListKind), since=None, after=None)
    kinds = {one.kind for one in page.records}
    assert {ListKind.VENDOR, ListKind.GL_ACCOUNT, ListKind.TERM} <= kinds
    assert (ListKind.CLASS in kinds) is (answer == "answered")
    changes = await connector.changes.detect_changes({Stream.LISTS: LATELY})
    assert Stream.LISTS not in changes.unread
    bill = a_bill_for(order, "PSB-1")
    line = bill.lines[0].model_copy(update={"class_id": tracked.class_id})
    assert (line.order_line, tracked.class_id in (a_class, other_class)) == (tracked.erp_id, True)
    own = bill.model_copy(update={"lines": (line,)})
    wrong = a_class if tracked.class_id == other_class else other_class
    other = bill.model_copy(update={"lines": (line.model_copy(update={"class_id": wrong}),)})
    with pytest.raises(Rejected) as told:
        await connector.bills.create(other)
    assert (told.value.code, told.value.evidence["preference"]) == ("FEATURE_OFF", "IsUsingClassTracking")
    assert not [row for row in await pc.held("bills") if "PSB-" in (row["memo"] or "")]
    pushed = await connector.bills.read_back(own, await connector.bills.create(own))
    assert (pushed.linked, pushed.differences) == (True, ())
