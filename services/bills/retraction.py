"""Take a bill back: delete it, dispute it, or send it back to accounts payable; and say before what would happen.

What the ERP holds is taken back by the bill's own workflow (`services/bills/taken_back.py` ends it); what was not sent
changes here, at once.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlmodel.ext.asyncio.session import AsyncSession

from models.domain.bills import BillKind, BillStatus, Origin
from models.domain.ids import BillId, ConnectionId
from models.domain.outbox import MessageKind
from models.domain.retractions import MAY, RETRACTS_FOR, BillEvent, Does, RetractBy, RetractFor
from models.domain.setup_checks import Breaks
from models.domain.writes import WriteState
from models.store.audit import outbox, writes
from models.store.audit.outbox import OutboxMessage
from models.store.payables import bill_edits, bills, retractions
from models.store.payables.retractions import RetractionFacts
from models.tables import BillRow
from services import setup_checks
from services.bills.ending import abandon_bill
from services.refusal import Refused

WAY_OUT = (
    "Abandon the payments that are scheduled, and void in the ERP those that are made; wait for credits that are being"
    " applied, or unapplied; then run a sync.",
    "Then do this again.",
)

UNAPPLY = ("Unapply it in the ERP; the next sync shows it here.", "Then do this again.")

FIX = {
    "BILL_HAS_PAYMENTS": WAY_OUT,
    "BILL_NOT_LINKED": (
        "Put it on an order: `POST /v1/purchase-orders/{purchase_order_id}/bills/{bill_id}`.",
        "Or abandon it.",
    ),
    "BILL_IS_CLOSED": ("Nothing to do. `POST /v1/bills/{bill_id}/restore` makes it anew.",),
}


class Plan(NamedTuple):
    """What an event would do to a bill, before anybody confirms it."""

    does: Does | None
    """None: it is refused."""
    way: RetractBy | None
    """How the ERP's bill is taken back; None: there is none to take back."""
    dated: date | None
    """The day of the entry that takes it back; None: the way makes no entry."""
    frees_quantity: bool
    """Whether other bills may then bill the quantities of its order."""
    obstacles: tuple[Refused, ...]
    """What stands in the way."""
    unknown: tuple[str, ...] = ()
    """Issue codes of what may stand in the way besides, which no field of the ERP shows: known once it is tried."""


UNKNOWN_UNTIL_TRIED: Mapping[RetractBy, tuple[str, ...]] = {
    RetractBy.DELETE: ("BILL_RECONCILED", "DELETION_REFUSED"),
    RetractBy.REVERSE: ("BILL_RECONCILED", "REVERSAL_REFUSED"),
    RetractBy.CREDIT: ("BILL_RECONCILED",),
}
"""What no ERP shows of a bill before it is asked to give it back: whether it is reconciled, and policies."""


def plans(bill: BillRow, facts: RetractionFacts) -> Mapping[BillEvent, Plan]:
    """Return what each event would do to a bill."""
    return {event: plan(bill, facts, event) for event in BillEvent}


def plan(bill: BillRow, facts: RetractionFacts, event: BillEvent) -> Plan:
    """Return what one event would do to a bill, by the table and by what stands in the way."""
    status = BillStatus(bill.status)
    does = MAY[status][event]
    if bill.origin == Origin.ERP:
        return _refused(Refused("BILL_MADE_IN_ERP", "The bill was made in the ERP, which is where it is deleted."))
    if bill.kind == BillKind.CREDIT and bill.paid:
        return _refused(_used(bill))
    if bill.kind == BillKind.CREDIT and facts.payments_under_way:
        return _refused(_taken(facts))
    if not isinstance(does, Does):
        return _refused(_by_status(bill, does))
    if does is Does.ABANDONS and facts.parts_in_erp:
        does = Does.TAKES_BACK  # some of its parts are in the ERP, and one is stopped
    match does:
        case Does.MAKES_ANEW:
            obstacles = _against_restoring(bill, facts)
            return Plan(does if not obstacles else None, None, None, False, obstacles)
        case Does.ABANDONS | Does.HOLDS:
            obstacles = _against_keeping(facts, does)
            return Plan(does if not obstacles else None, None, None, not obstacles and not bill.direct, obstacles)
    wanted = RETRACTS_FOR[event]
    obstacles = _against_taking_back(bill, facts, wanted)
    frees = not obstacles and not bill.direct and wanted is not RetractFor.APPROVAL and _frees(facts)
    unknown = () if facts.way is None else UNKNOWN_UNTIL_TRIED[facts.way]
    return Plan(does if not obstacles else None, facts.way, _dated(bill, facts), frees, obstacles, unknown)


def _frees(facts: RetractionFacts) -> bool:
    """Return whether the ERP's order has again what the bill took, once it is taken back in the connection's way."""
    return facts.way is not RetractBy.CREDIT or facts.credit_frees


def _dated(bill: BillRow, facts: RetractionFacts) -> date | None:
    """Return the day of the entry that takes the bill back: today, never before the bill was posted, and in open
    books."""
    if facts.way is None or not facts.way.makes_entry:
        return None
    day = max(facts.today, bill.posting_date)
    closed = facts.closed_through
    return day if closed is None or closed < day else closed + timedelta(days=1)


async def take_event(
    session: AsyncSession, bill: BillRow, event: BillEvent, *, actor: str, why: str, request_key: str
) -> list[OutboxMessage]:
    """Delete, dispute or send back a locked bill. Returns what workflows are owed.

    Raises:
        Refused: It may not be done; the plan says why.
    """
    facts = await retractions.facts(session, BillId(bill.id))
    what = plan(bill, facts, event)
    if what.does is None:
        raise what.obstacles[0]
    match what.does:
        case Does.ABANDONS:
            try:
                return await abandon_bill(session, bill, actor=actor, why=why, request_key=request_key)
            except bill_edits.EditRefused as error:
                raise Refused(error.code, error.message) from error
        case Does.HOLDS:
            return await _hold(session, bill, actor=actor, why=why, request_key=request_key)
    assert what.way is not None, "what is taken back is taken back in some way"
    await setup_checks.must_not_break(session, ConnectionId(bill.connection_id), Breaks.TAKING_BACK, datetime.now(UTC))
    await retractions.request(session, bill, RETRACTS_FOR[event], what.way, what.dated, actor=actor, why=why)
    return [await outbox.add_for_bill(session, bill, MessageKind.BILL_CHANGED, bill.id, request_key)]


async def _hold(session: AsyncSession, bill: BillRow, *, actor: str, why: str, request_key: str) -> list[OutboxMessage]:
    """Keep a bill that was not sent as disputed: nothing of it is reserved or sent."""
    locked = await bills.lock_with_write(session, BillId(bill.id))
    if not await writes.hold(session, locked.external_key):
        raise _on_its_way()
    await retractions.reserve(session, BillId(bill.id), reserves=False)
    await bills.set_status(session, BillId(bill.id), BillStatus.DISPUTED, actor=actor, why=why)
    await session.refresh(bill)
    messages = [await outbox.add_for_bill(session, bill, MessageKind.BILL_DECIDED, bill.id, request_key)]
    if bill.purchase_order_id is not None:
        subject = f"{bill.purchase_order_id} {bill.id}"
        messages.append(await outbox.add_for_bill(session, bill, MessageKind.BILL_OFF_ORDER, subject, request_key))
    return messages


# --- what stands in the way ------------------------------------------------------------------------------------


def _refused(why: Refused) -> Plan:
    return Plan(None, None, None, False, (why,))


def _by_status(bill: BillRow, code: str) -> Refused:
    spoken = bill.status.replace("_", " ")
    said = {
        "BILL_HAS_PAYMENTS": f"The bill is {spoken}: {bill.paid} of {bill.total} is paid, or a payment is scheduled.",
        "BILL_HAS_ISSUE": f"The bill is {spoken}: settle its sync issue first.",
        "BILL_NOT_IN_ERP": f"The bill is {spoken}: the ERP does not hold it.",
        "RETRACTION_UNDER_WAY": "The bill is being taken back from the ERP already.",
        "NOTHING_TO_RESTORE": f"The bill is {spoken}: it is neither deleted nor disputed.",
        "BILL_IS_CLOSED": f"The bill is {spoken} already.",
        "BILL_NOT_LINKED": "The bill is a draft without an order.",
    }
    return Refused(code, said[code], FIX.get(code))


def _on_its_way() -> Refused:
    return Refused("BILL_ON_ITS_WAY", "It was sent; the ERP may hold it already.")


def _stays_billed() -> Refused:
    why = "A credit leaves its quantities billed in the ERP: it could not be sent again."
    return Refused("QUANTITY_STAYS_BILLED", why)


def _used(credit: BillRow) -> Refused:
    """Return the refusal to delete a credit that is applied, with what to void or unapply."""
    payments = sorted({str(share["payment"]) for share in credit.applied if share.get("payment")})
    if not payments:
        return Refused("CREDIT_IS_APPLIED", f"{-credit.paid} of it is applied in the ERP.", UNAPPLY)
    named = " and ".join(payments)
    return Refused(
        "CREDIT_IS_APPLIED",
        f"{-credit.paid} of it is applied in the ERP, by payment {named}.",
        [f"Void payment {named} in the ERP: what it applied is free again with the next sync.", "Then do this again."],
    )


def _taken(facts: RetractionFacts) -> Refused:
    """Return the refusal to delete a credit that is being applied, with what to abandon or unapply."""
    if not facts.taken_by:
        return Refused("CREDIT_IS_APPLIED", "It is being applied or unapplied.", ["Wait until that is done.", *UNAPPLY])
    named = " and ".join(facts.taken_by)
    return Refused(
        "CREDIT_IS_APPLIED",
        f"Payment {named} takes of it.",
        [
            f"Abandon payment {named} while it is not sent, or void it: what it takes is free again.",
            "Then do this again.",
        ],
    )


def _payments(bill: BillRow, facts: RetractionFacts) -> tuple[Refused, ...]:
    if not facts.payments_under_way and not bill.paid:
        return ()
    paid = f"Paid {bill.paid} of {bill.total}. "
    return (Refused("BILL_HAS_PAYMENTS", paid + _under_way(facts), WAY_OUT),)


def _under_way(facts: RetractionFacts) -> str:
    return f"Payments and credits of it that are under way: {facts.payments_under_way}."


def _against_keeping(facts: RetractionFacts, does: Does) -> tuple[Refused, ...]:
    if facts.write in (WriteState.SENT, WriteState.QUEUED):
        return (_on_its_way(),)
    if does is Does.HOLDS and facts.payments_under_way:
        return (Refused("BILL_HAS_PAYMENTS", _under_way(facts), WAY_OUT),)
    return ()


def _against_restoring(bill: BillRow, facts: RetractionFacts) -> tuple[Refused, ...]:
    if facts.stays_billed and not facts.is_kept:
        return (_stays_billed(),)
    if facts.number_used_by is not None:
        used = f"The bill {facts.number_used_by} has the number {bill.number!r} of the vendor now."
        return (Refused("NUMBER_IN_USE", used),)
    if bill.purchase_order_id is None and not bill.direct:
        return (
            Refused(
                "BILL_NOT_LINKED",
                "It was taken off its order.",
                ["Enter the invoice on its order: `POST /v1/purchase-orders/{purchase_order_id}/bills`."],
            ),
        )
    return ()


def _against_taking_back(bill: BillRow, facts: RetractionFacts, wanted: RetractFor) -> tuple[Refused, ...]:
    obstacles: list[Refused] = []
    if facts.write != WriteState.CONFIRMED or bill.erp_id is None:
        obstacles.append(_on_its_way())
    if facts.way is None:
        obstacles.append(Refused("RETRACTION_NOT_OFFERED", "This ERP's bills are not taken back from here."))
    if wanted is RetractFor.APPROVAL and not facts.approvals_enabled:
        obstacles.append(Refused("SENDING_BACK_NEEDS_APPROVALS", "Nobody approves bills of this connection."))
    obstacles += _payments(bill, facts)
    if bill.edit_pending:
        obstacles.append(Refused("EDIT_UNDER_WAY", "An edit of the bill is on its way to the ERP."))
    closed = facts.closed_through
    if facts.way is RetractBy.DELETE and closed is not None and bill.posting_date <= closed:
        obstacles.append(
            Refused(
                "BILL_PERIOD_CLOSED", f"It is posted on {bill.posting_date}, and the books are closed through {closed}."
            )
        )
    return tuple(obstacles)
