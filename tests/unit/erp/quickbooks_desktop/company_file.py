"""The connector straight at the sandbox's company file: a journal in memory in place of door, database and SOAP.

Real: the connector, and QuickBooks as the sandbox pretends it. Every document is checked against the vendor's schemas
where they are on this machine.
"""

from collections.abc import Callable
from typing import Any

from erp.connection import ConnectionSettings
from erp.errors import OutcomeUnknown
from erp.exchanges import PagedAnswer
from erp.quickbooks_desktop import envelope
from erp.quickbooks_desktop.connector import ENHANCED, QuickBooksDesktopConnector
from erp.sign_in import Credentials
from erp.storage import Storage
from erp.verdicts import Verdict
from sandbox.quickbooks_desktop.errors import HResult
from tests.harness.qbxml_schema import check_qbxml
from tests.unit.sandbox.quickbooks_desktop.pc import Pc


class DirectJournal:
    """Answers at once from the company file; keeps answers to writes, as the stored journal does."""

    def __init__(self, pc: Pc, version: str = "13.0") -> None:
        self.pc = pc
        self.version = version
        self.documents: list[str] = []
        self.writes: dict[str, str] = {}
        self.parts: dict[str, list[str]] = {}
        self.lost: dict[str, int] = {}
        self.notes: dict[str, str] = {}
        self.lose_next = 0
        """Answers that do not arrive, though QuickBooks did what it was asked."""

    def _process(self, document: str) -> str:
        self.documents.append(document)
        check_qbxml(document, versions=("130", "160"))
        try:
            return self.pc.session.process(document)
        except HResult as error:
            return envelope.refused_whole(error.code, error.message)

    async def read(self, key: str, request: str) -> str:
        return self._process(envelope.document(request, self.version))

    async def read_paged(self, key: str, request: str) -> PagedAnswer:
        name = f"{key} {len(self.documents)}"
        parts = [self._process(envelope.document(request, self.version))]
        while True:
            answer = envelope.read(parts[-1])
            more = next((one for one in answer.responses if one.iterator_id and one.remaining), None)
            if more is None or more.iterator_id is None:
                break
            parts.append(
                self._process(envelope.document(envelope.continuation(request, more.iterator_id), self.version))
            )
        self.parts[name] = parts
        return PagedAnswer(name, len(parts), 0.0)

    async def page(self, name: str, number: int) -> str | None:
        return self.parts[name][number - 1] if name in self.parts else None

    async def discard(self, key: str) -> None:
        """Questions are asked anew each time."""

    async def discard_paged(self, name: str) -> None:
        self.parts.pop(name, None)

    async def write(
        self, key: str, request: str, outcome: Callable[[str], Verdict] | None = None, *, looked_up: Any = None
    ) -> str:
        if key in self.lost:
            raise OutcomeUnknown(key, code="OUTCOME_UNKNOWN")
        if key in self.writes and (outcome is None or outcome(self.writes[key]) is Verdict.DONE):
            return self.writes[key]
        name = envelope.set_id("c", key, len(self.documents))
        answer = self._process(envelope.document(request, self.version, new_set=name))
        if self.lose_next:
            self.lose_next -= 1
            self.lost[key] = 1
            raise OutcomeUnknown(key, code="OUTCOME_UNKNOWN")
        self.writes[key] = answer
        return answer

    async def written(self, key: str) -> str | None:
        return self.writes.get(key)

    async def awaited(self, key: str) -> str | None:
        return self.writes.get(key)

    async def own_write(self, key: str) -> str | None:
        return self.writes.get(key)

    async def note(self, key: str, text: str) -> None:
        self.notes.setdefault(key, text)

    async def noted(self, key: str) -> str | None:
        return self.notes.get(key)

    async def losses(self, key: str) -> int:
        return self.lost.get(key, 0)

    async def release(self, key: str) -> None:
        self.lost.pop(key, None)


def connected(
    pc: Pc, *, enhanced: bool = False, version: str = "13.0", page_size: int | None = None, **preferences: str
) -> tuple[QuickBooksDesktopConnector, DirectJournal]:
    """A connector of the company file, and its journal."""
    journal = DirectJournal(pc, version)
    settings = ConnectionSettings(
        endpoint="web-connector:",
        preferences=preferences,
        facts={"company": "Sandbox Trading", ENHANCED: str(enhanced).lower()},
        page_size=page_size,
    )
    storage: Any = Storage(None, journal)
    return QuickBooksDesktopConnector(settings, Credentials(values={}), storage), journal
