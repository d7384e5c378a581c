"""Lines of which no receipt is ever made: 3-way matching and drafts do not wait for one (S4-18, S4-69)."""

from decimal import Decimal

from api.bills.bill_draft import draft_lines
from models.domain.bills import BillMatchMode
from models.domain.ids import ErpId
from models.domain.lists import ListEntry, ListKind
from models.domain.orders import LineBasis
from models.store.base.database import Database
from models.store.orders import ledger
from models.store.sync import list_entries
from services.bills.matching import ledger_of
from tests.builders.records import (
    an_order,
)
from tests.harness.tenant import (
    new_tenant,
)


async def test_what_is_never_received_is_billed_as_it_is(database: Database) -> None:
    """S4-69: an expense by its own word, a service by its item's; goods wait for their receipt, in 3-way."""
    tenant = await new_tenant(database)
    order = an_order(lines={1: 10, 2: 8, 3: 1})
    goods, service, expense = order.lines
    expense = expense.model_copy(update={"receivable": False, "basis": LineBasis.AMOUNT, "item_id": ""})
    order = order.model_copy(update={"lines": (goods, service, expense)})
    await tenant.page(order)
    item = ListEntry(
        kind=ListKind.ITEM,
        erp_id=ErpId("9"),
        key=service.item_id,
        name="Cleaning",
        attributes={"receivable": "false"},
    )
    async with database.transaction() as session:
        await list_entries.upsert(session, tenant.connection_id, [item])
        held = await ledger.lines(session, tenant.id_of(order))
    assert [line.receivable for line in held] == [True, False, False]
    assert [ledger_of(line).net_received for line in held] == [0, 8, Decimal("12.50")]
    drafted, left_out = draft_lines(BillMatchMode.THREE_WAY, held)
    assert [(line.order_line_no, line.quantity, line.amount) for line in drafted] == [
        (2, 8, Decimal("100.00")),
        (3, 1, Decimal("12.50")),
    ]
    assert [(line.order_line_no, line.code) for line in left_out] == [(1, "NOTHING_RECEIVED")]
    drafted, left_out = draft_lines(BillMatchMode.TWO_WAY, held)
    assert [line.order_line_no for line in drafted] == [1, 2, 3]
