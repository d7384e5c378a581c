"""Ask and write by the journal of exchanges: QuickBooks' answers, or the error that one of them is.

A retryable answer to a question is forgotten, so that the next attempt asks once more; one to a write lets the write
go out again by itself (`outcome`).
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from lxml import etree

from erp.errors import ErpError, MalformedAnswer, OutcomeUnknown, Stale, UnknownRefusal
from erp.exchanges import ExchangeJournal, LookUp, PagedAnswer
from erp.quickbooks_desktop import envelope, faults, wire
from erp.quickbooks_desktop.envelope import Answer, Response
from erp.verdicts import Verdict

MAY_BE_REFUSED = "may-write"
"""The name of the question whose refusal is its answer (`preflight.MAY_WRITE`)."""


class Client:
    """The exchanges of one connection with QuickBooks."""

    def __init__(self, journal: ExchangeJournal) -> None:
        self._journal = journal

    async def ask(self, key: str, *requests: str, may_be_off: Collection[str] = ()) -> Answer:
        """Return the answers to questions that go out in one document. Those of the names `may_be_off` are left out
        where QuickBooks says that their feature is switched off; of any other question that is an error.

        Raises:
            Deferred: QuickBooks has not answered yet.
            ErpError: It answered one of them with an error.
        """
        text = await self._journal.read(key, "".join(requests))
        try:
            answer = _read(text, but=MAY_BE_REFUSED, may_be_off=may_be_off)
        except ErpError as error:
            if error.retryable:
                await self._journal.discard(key)
            raise
        return answer._replace(looked_up=LookUp(key, text))

    async def ask_what_is_there(self, key: str, *requests: str) -> Answer:
        """Return the answers to questions for records by their ids, each of which says which of them are there. What
        another answer leaves out may be there all the same.

        Raises:
            Deferred: QuickBooks has not answered yet.
            ErpError: It answered one of them in another way.
        """
        text = await self._journal.read(key, "".join(requests))
        try:
            answer = _read(text)
            for response in answer.responses:
                if response.status not in faults.SAYS_WHAT_IS_THERE:
                    raise faults.error_of(response, write=False)
            _must_have_answered(answer, requests)
        except ErpError:
            await self._journal.discard(key)
            raise
        return answer

    async def ask_paged(self, key: str, *requests: str) -> PagedAnswer:
        """Return the name of a stored answer in several parts, and how many they are.

        Raises:
            Deferred: QuickBooks has not answered all of it yet.
        """
        return await self._journal.read_paged(key, "".join(requests))

    async def part_of(self, name: str, number: int, *, may_be_off: Collection[str] = ()) -> Answer | None:
        """Return one part of a stored answer, `may_be_off` as in `ask`; None: it is no longer stored.

        Raises:
            ErpError: it is an error. The stored answer is forgotten where another may be better.
        """
        text = await self._journal.page(name, number)
        try:
            return None if text is None else _read(text, may_be_off=may_be_off)
        except ErpError as error:
            if error.retryable:
                await self._journal.discard_paged(name)
            raise

    async def discard(self, key: str) -> None:
        """Forget the answer to a question."""
        await self._journal.discard(key)

    async def write(
        self, key: str, name: str, *requests: str, after: Answer | None = None, stale_is_answer: bool = False
    ) -> Answer:
        """Send a write, the first of these requests, with questions that go out in the same document.

        `after` is the answer that it was decided by: it goes out only while QuickBooks answers the same.
        `stale_is_answer`: that the record was changed meanwhile is not an error, as the answer shows it.

        Raises:
            Deferred: QuickBooks has not answered yet.
            OutcomeUnknown: QuickBooks has no outcome of it: its record is looked up first.
            ErpError: It refused the write.
        """
        outcome = _outcome_of(name, stale_is_answer=stale_is_answer)
        looked_up = None if after is None else after.looked_up
        text = await self._journal.write(key, "".join(requests), outcome, looked_up=looked_up)
        return _written(text, name, stale_is_answer=stale_is_answer)

    async def delete(self, key: str, kind: str, document: str, *whole: str) -> etree._Element | None:
        """Delete a document, and return its record as it was then; None: QuickBooks kept only that it is deleted.

        `whole` asks for the record, in front of the deletion in one document.

        Raises:
            Deferred: QuickBooks has not answered yet.
            OutcomeUnknown: QuickBooks has no outcome of it: the document is looked up first.
            Stale: GONE, the document is no longer there.
            ErpError: QuickBooks refused it.
        """
        request = wire.request("TxnDel", wire.part("TxnDelType", kind), wire.part("TxnID", document), key="delete")
        text = await self._journal.write(key, "".join((*whole, request)), _deletion)
        return next(iter(records_of(_deleted(text).responses, (f"{kind}Ret",))), None)

    async def note(self, key: str, text: str) -> None:
        """Store a note once, in the journal."""
        await self._journal.note(key, text)

    async def noted(self, key: str) -> str | None:
        """Return a note; None: there is none."""
        return await self._journal.noted(key)

    async def awaited(self, key: str, name: str) -> Answer | None:
        """Return the answer to a write that was done; None: it was not, or nobody knows.

        Raises:
            Deferred: It is queued, or QuickBooks is at it.
        """
        text = await self._journal.awaited(key)
        if text is None or _outcome_of(name)(text) is not Verdict.DONE:
            return None
        return _written(text, name, stale_is_answer=False)

    async def own_write(self, key: str, name: str) -> Answer | None:
        """Return the answer to a write of the present work that was done; None: there is none."""
        text = await self._journal.own_write(key)
        if text is None or _outcome_of(name)(text) is not Verdict.DONE:
            return None
        return _written(text, name, stale_is_answer=False)

    async def losses(self, key: str) -> int:
        """Return how often the outcome of a write was lost."""
        return await self._journal.losses(key)

    async def release(self, key: str) -> None:
        """Let a write whose outcome was lost be repeated."""
        await self._journal.release(key)


def _outcome_of(name: str, *, stale_is_answer: bool = False) -> Callable[[str], Verdict]:
    """Return what says of a stored answer to a write whether it is final."""

    def outcome(text: str) -> Verdict:
        try:
            _written(text, name, stale_is_answer=stale_is_answer)
        except UnknownRefusal:
            return Verdict.REFUSED  # it is looked up before it counts; what QuickBooks said stays
        except ErpError as error:
            return error.verdict
        return Verdict.DONE

    return outcome


def _read(text: str, *, but: str = "", may_be_off: Collection[str] = ()) -> Answer:
    refused = envelope.as_refused_whole(text)
    if refused is not None:
        raise faults.error_of_document(refused)
    answer = envelope.read(text)
    responses = tuple(
        one for one in answer.responses if one.status != faults.SWITCHED_OFF or one.name not in may_be_off
    )
    for response in responses:
        if not response.is_done and response.key != but:
            raise faults.error_of(response, write=False)
    return answer._replace(responses=responses)


def _must_have_answered(answer: Answer, requests: Sequence[str]) -> None:
    asked = len(etree.fromstring(f"<asked>{''.join(requests)}</asked>"))
    if len(answer.responses) != asked:
        raise MalformedAnswer(
            f"QuickBooks answered {len(answer.responses)} of {asked} questions.", code="MALFORMED_ANSWER"
        )


def _written(text: str, name: str, *, stale_is_answer: bool) -> Answer:
    refused = envelope.as_refused_whole(text)
    if refused is not None:
        raise faults.error_of_document(refused)
    answer = envelope.read(text)
    if answer.set_status not in (None, 0):
        raise faults.error_of_set(answer.set_status or 0)
    response = answer.named(name)
    if response is None:
        raise MalformedAnswer(f"QuickBooks did not answer {name}.", code="MALFORMED_ANSWER")
    if response.status in faults.STALE and stale_is_answer:
        return answer
    if not response.is_done:
        raise faults.error_of(response, write=True)
    if record_of(response) is None and recovered_id(response) is None:
        raise OutcomeUnknown(
            f"QuickBooks took {name} and shows no record.", code="OUTCOME_UNKNOWN", erp_code=str(response.status)
        )
    return answer


def _deletion(text: str) -> Verdict:
    """Return whether the stored answer to a deletion is final. That the document is gone already is."""
    try:
        _deleted(text)
    except Stale:
        return Verdict.REFUSED
    except ErpError as error:
        return error.verdict
    return Verdict.DONE


def _deleted(text: str) -> Answer:
    refused = envelope.as_refused_whole(text)
    if refused is not None:
        raise faults.error_of_document(refused)
    answer = envelope.read(text)
    if answer.set_status not in (None, 0):
        raise faults.error_of_set(answer.set_status or 0)
    response = answer.named("TxnDel")
    if response is None:
        raise MalformedAnswer("QuickBooks did not answer TxnDel.", code="MALFORMED_ANSWER")
    if response.status in faults.GONE:
        raise Stale("The document is no longer in QuickBooks.", code="RECORD_CHANGED", erp_code=str(response.status))
    if not response.is_done:
        raise faults.error_of(response, write=True)
    return answer


def record_of(response: Response | None) -> etree._Element | None:
    """Return the record that an answer to a write shows; None: it shows none."""
    if response is None:
        return None
    return next((one for one in response.element if str(one.tag).endswith("Ret")), None)


def recovered_id(response: Response) -> str | None:
    """Return the id of a record that a recovered answer names without showing it."""
    return wire.text(response.element, "ErrorRecovery/TxnID") or wire.text(response.element, "ErrorRecovery/ListID")


def records_of(answers: Iterable[Response], names: Sequence[str]) -> list[etree._Element]:
    """Return the records of these kinds in some answers, in their order."""
    return [one for answer in answers for one in wire.children(answer.element, names)]
