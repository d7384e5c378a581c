"""Take in webhooks: check who sends them, store what they report, answer, and only then work.

Received is not done: the sync run that follows does it (`models/store/sync/change_hints.py`).
"""

import logging

from fastapi import APIRouter, Request

from api.http.output import Output
from api.http.problems import Problem, answers
from api.http.services import Services
from api.webhooks import quickbooks_online
from models.domain.connections import Erp
from models.store.sync import change_hints
from services.sync.due import owe_sync_of

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class Received(Output):
    events: int
    """How many events the call brought; those that came before count too."""


@router.post(
    "/qbo",
    operation_id="receiveQuickBooksWebhook",
    summary="Receive a webhook of QuickBooks Online",
    responses=answers("WEBHOOK_NOT_SET_UP", "WEBHOOK_NOT_SIGNED"),
)
async def quickbooks(request: Request, services: Services) -> Received:
    """Take the webhooks of the installation's app, for all its companies, in both of Intuit's forms. It needs no API
    key: the signature proves who sends it. A company that no connection knows is counted and answered alike."""
    token = services.settings.qbo_verifier_token
    if token is None:
        raise Problem("WEBHOOK_NOT_SET_UP")
    body = await request.body()
    if not quickbooks_online.is_signed(body, request.headers.get("intuit-signature", ""), token):
        raise Problem("WEBHOOK_NOT_SIGNED")
    events = quickbooks_online.events_of(body)
    if events is None:
        # Sent again it would be the same; change data capture shows what it meant.
        log.warning("a signed webhook of QuickBooks of %d bytes is in no form that we know", len(body))
        return Received(events=0)
    async with services.database.transaction() as session:
        reported = await change_hints.receive(session, Erp.QUICKBOOKS_ONLINE, events)
        due = [
            await owe_sync_of(
                session, one.connection_id, one.organization_id, request_key=f"webhook {one.received_at.isoformat()}"
            )
            for one in reported
        ]
    services.outbox.deliver_behind_answer(*due)
    return Received(events=sum(map(len, events.values())))
