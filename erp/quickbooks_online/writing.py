"""Write a document once: a request id that is the same on every repeat, and who holds a number (reference 3.6, 6.2)."""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from erp.errors import Duplicate, ErpError, OutcomeUnknown, Rejected
from erp.quickbooks_online import faults, wire
from erp.quickbooks_online.client import QuickBooksClient, clock_of
from erp.quickbooks_online.reader import Reader
from erp.quickbooks_online.seen import Memory
from erp.quickbooks_online.wire import Entity

NAMESPACE = uuid.UUID("0c6a7b0e-3f0c-5f5e-9d5c-0c6d2c9b7a11")

REPEATED = "allowduplicatedocnum"
"""Lets QuickBooks take a number that another document has (section 6.2)."""


def request_id(action: str, key: str, content: Iterable[Any]) -> str:
    """Return the id of a write, from our key and from what is meant, so that a corrected document has another one.

    For an edit and a deletion that is all: what is meant includes the SyncToken, so that QuickBooks takes them once.
    For a new document it is a proposal, stored before the first attempt (`Writer.create`).
    """
    digest = hashlib.sha256("\x1f".join(map(str, content)).encode()).hexdigest()
    return str(uuid.uuid5(NAMESPACE, f"{action}:{key}:{digest}"))


class Writer:
    """Writes documents of one connection, each in a call of its own."""

    def __init__(self, client: QuickBooksClient, reader: Reader, memory: Memory) -> None:
        self._client = client
        self._reader = reader
        self._memory = memory

    async def write(self, kind: str, body: Entity, *, request_id: str, may_repeat_number: bool = False) -> Entity:
        """Post a document and return it as QuickBooks now has it; the answer is kept as its read-back.

        `may_repeat_number` is a person's decision that another document may have the same number.

        Raises:
            OutcomeUnknown: the answer was lost, or does not show the document.
            ErpError: any other refusal or failure.
        """
        options = {"include": REPEATED} if may_repeat_number else {}
        answer = await self._client.write(kind.casefold(), body, request_id=request_id, **options)
        document = wire.part(answer, kind)
        if not wire.text(document, "Id"):
            raise OutcomeUnknown(f"QuickBooks' answer shows no {kind}.", code="OUTCOME_UNKNOWN")
        self._memory.put(kind, document, clock_of(answer))
        return document

    async def create(
        self, kind: str, body: Entity, *, key: str, request_id: str, may_repeat_number: bool = False
    ) -> Entity:
        """Post a new document under the request id that is stored with our key, as `write` does.

        What is sent may differ from one attempt to the next, as it is made of the order as it is by then. The id must
        not: it is the one of the first attempt until QuickBooks has refused the document.
        """
        stored = await self._client.request_id(key, request_id)
        return await self.write(kind, body, request_id=stored, may_repeat_number=may_repeat_number)

    async def delete(self, kind: str, document_id: str, token: str, *, request_id: str) -> None:
        """Delete a document; `token` is the SyncToken that it had when it was read.

        Raises:
            Stale: it was changed since.
            OutcomeUnknown: the answer was lost, or does not say that it was deleted.
            ErpError: any other refusal or failure.
        """
        body: Entity = {"Id": document_id, "SyncToken": token}
        self._memory.forget(kind, document_id)
        answer = await self._client.write(kind.casefold(), body, request_id=request_id, operation="delete")
        if (wire.text(wire.part(answer, kind), "status") or "").casefold() != "deleted":
            raise OutcomeUnknown(
                f"QuickBooks' answer does not say that it deleted {kind} {document_id}.", code="OUTCOME_UNKNOWN"
            )
        self._memory.put_deleted(kind, document_id)

    async def with_number(self, kind: str, number: str, on: str) -> list[Entity]:
        """Return the documents of a kind with this number. Vendors are compared by the caller: a query for them need
        not be possible. `on` is the document's date, by which a number is looked for that no query may hold."""
        if not number:
            return []
        if wire.can_be_asked(number):
            return await self._reader.all(kind, f"DocNumber = {wire.quoted(number)}", look_up=True)
        records = await self._reader.all(kind, f"TxnDate = {wire.quoted(on)}", look_up=True)
        return [record for record in records if wire.text(record, "DocNumber") == number]

    async def holder_of(self, error: Duplicate, kind: str, key: str) -> Entity:
        """Return the document of ours that holds the number, after fault 6140.

        Raises:
            Rejected: NUMBER_TAKEN, when it is not ours; a person decides.
            Duplicate: the fault does not say who holds it.
        """
        holder = faults.holder(error)
        if holder is None:
            raise error
        document: Entity = {}
        # Payments are named by their means too: BillPaymentCheck, BillPaymentCreditCard.
        if holder.type == kind or (kind == "BillPayment" and holder.type.startswith(kind)):
            document = (await self._reader.by_ids(kind, [holder.id])).records.get(holder.id, {})
            if wire.key_of(document) == key:
                return document
        raise number_taken(holder.type, holder.id, error.evidence, document)

    async def document(self, kind: str, document_id: str) -> Entity | None:
        """Return a document: as it was just written, else read; None: QuickBooks does not show it."""
        kept = self._memory.get(kind, document_id)
        if kept is not None:
            return kept[0]
        return (await self._reader.by_ids(kind, [document_id])).records.get(document_id)


def number_taken(kind: str, document_id: str, evidence: dict[str, str], document: Entity | None = None) -> ErpError:
    """Return the refusal of a number that another document has: a person decides, never we. The document, where it was
    read, tells who made it."""
    if document and wire.key_of(document):
        who = " posync made it earlier: delete it in QuickBooks if it is not to stay."
    elif document:
        who = " posync did not make it."
    else:
        who = ""
    return Rejected(
        f"Another document has this number already: {kind} {document_id}.{who}",
        code="NUMBER_TAKEN",
        erp_code=evidence.get("erp_code"),
        evidence={**evidence, "holder_type": kind, "holder_id": document_id},
    )


def today() -> str:
    """Return the day in UTC, as QuickBooks writes dates."""
    return f"{datetime.now(UTC):%Y-%m-%d}"
